# SPDX-License-Identifier: GPL-3.0-or-later
"""A face cut out of a mesh: landmarks moved to the mesh's own openings, the sides of lips and lids,
and what may move how far.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from ...errors import BackendError
from ..analyse import flat_features
from ..analyse.eyeballs import eyeballs
from ..analyse.kinds import skin_and_still
from ..analyse.seams import opposites, sides, ways
from ..geometry.frame import Floats, Frame, frame_of_landmarks
from ..geometry.landmarks import NAMES, SIDES
from ..geometry.mesh import AvatarMesh, Ints, part_boxes, squared
from ..geometry.normals import seamless_normals
from ..geometry.ramp import smoothstep
from . import refine
from .face import FEW, NO_FACE_FIX, Face, Place, familiar_of

CORNERS = ("mouth_left", "mouth_right")
# how much higher the jaw's line lies for each unit behind the chin: what is far below it is neck
JAW_RISE = 0.6


def allowed(mesh: AvatarMesh) -> NDArray[np.bool_]:
    """Vertices (V,) in which the face is sought: the user's mask where there is one."""
    if mesh.mask is None:
        return np.ones(len(mesh.vertices), bool)
    if not (mesh.mask > 0).any():
        raise BackendError(
            "no_face",
            "The vertex group or selection that should hold the face is empty.",
            "Fill it, or leave it out.",
        )
    return np.asarray(mesh.mask > 0)


def _refined(
    mesh: AvatarMesh,
    canonical: Floats,
    parts: Ints,
    skin: NDArray[np.bool_],
    at: dict[str, Floats],
    familiar: Callable[[], float],
    open_eyes: list[str],
) -> tuple[dict[str, Floats], Floats, Floats]:
    """Landmarks by name, moved to the mesh's openings where the user has not placed them, sides
    (V,2) and ways (V,6). skin (V,): the face's.

    familiar: 0 to 1, the share of the mouth's corners that stays where the encoder found them.
    open_eyes: those that are looked for; of these, the found ones are left.
    """
    eyes = refine.eyes(
        canonical, mesh.triangles, skin, at, open_eyes, set(NAMES) <= mesh.landmarks.keys()
    )
    open_eyes[:] = [side for side in open_eyes if f"lid_upper_{side}" in eyes]
    for side in SIDES:
        plate = (
            flat_features.eye(canonical, mesh.triangles, parts, skin, landmarks=at, side=side)
            if f"lid_upper_{side}" not in eyes
            else {}
        )
        if plate and familiar() < 1:  # which may have to wait
            eyes |= plate
    at = at | {n: p for n, p in eyes.items() if n not in mesh.landmarks}
    known = sides(canonical, mesh.triangles, at, skin)
    across = ways(canonical, opposites(canonical, mesh.triangles, at, known, skin), known)
    own = np.float32(
        1 - familiar()
    )  # on heads like those learnt, the encoder knows the corners better
    slit = refine.mouth(canonical, skin, known[:, 0], across[:, :3], at) or flat_features.mouth(
        canonical, parts, skin, at
    )
    at |= {
        n: at[n] + (own if n in CORNERS else 1) * (p - at[n])
        for n, p in slit.items()
        if n not in mesh.landmarks
    }
    return at, known, across


def _canonical(mesh: AvatarMesh, frame: Frame, at: dict[str, Floats]) -> Floats:
    """The mesh's vertices (V,3) in the frame of landmarks by name; raises BackendError
    `mesh_invalid` where float32 holds no such numbers.
    """
    vertices = (
        frame.to_canonical(mesh.vertices)
        if frame.scale > 0
        else np.full((1, 3), np.nan, np.float32)
    )
    if not all(np.isfinite(points).all() for points in (vertices, *at.values())):
        raise BackendError(
            "mesh_invalid",
            "The head is too small or too large to be measured.",
            "Scale it, apply the scale and try again.",
        )
    return vertices


def _of_one_side(moved: set[str]) -> set[str]:
    """Of an eye's landmarks that were moved to an opening, those whose mirror images say less: all
    of an eye whose other one has no opening.
    """
    found = [side for side in SIDES if f"lid_upper_{side}" in moved]
    return {
        name
        for name in moved
        if name.startswith("lid_") or (len(found) == 1 and name.endswith(found[0]))
    }


def framed(place: Place) -> Face:
    """Cut the face out: an ellipsoid around it, no lower than the throat, where the head's weights
    and the user's mask allow it. What does not depend on what the encoder says more is done before
    that is waited for. Raises BackendError: `no_face`, `mesh_invalid`.
    """
    mesh, parts, frame, names, landmarks = (
        place.mesh,
        place.parts,
        place.frame,
        place.names,
        place.landmarks,
    )
    normals = seamless_normals(mesh.vertices, mesh.triangles, place.group)
    at = dict(zip(names, landmarks, strict=True))
    canonical = _canonical(mesh, frame, at)
    known, across = (
        np.zeros((len(canonical), 2), np.float32),
        np.zeros((len(canonical), 6), np.float32),
    )
    skin, still = None, np.zeros(len(canonical), bool)
    if set(NAMES) <= at.keys():
        skin, still = skin_and_still(canonical, mesh.triangles, parts, at, roles=mesh.roles)
        open_eyes = list(SIDES)
        for familiar in (
            lambda: familiar_of(place.more()),
            lambda: 1.0,
        ):  # the mouth is moved once: from where it was moved to, its slit ends elsewhere
            refined, known, across = _refined(mesh, canonical, parts, skin, at, familiar, open_eyes)
            shut = {
                side for side in SIDES if refined[f"lid_upper_{side}"] is at[f"lid_upper_{side}"]
            }
            if (
                place.searched
                and not mesh.landmarks
                and shut - eyeballs(canonical, part_boxes(canonical, parts), at).keys()
            ):
                other = (
                    place.otherwise()
                )  # there is no eye where one was found, not even a closed one
                if other is not None:
                    return framed(other)
            if all(refined[n] is at[n] for n in NAMES):  # there was nothing to find
                break
            places = {n: frame.to_object(p) for n, p in refined.items()}
            frame = frame_of_landmarks(places)
            landmarks = np.stack([frame.to_canonical(places[n]) for n in names])
            if (
                not mesh.landmarks
            ):  # an opening may be found on one side only, as where the other eye is closed
                moved = _of_one_side(
                    {n for n in NAMES if n.startswith(("lid_", "eye_")) and refined[n] is not at[n]}
                )
                landmarks, frame = place.alike(landmarks, frame, moved)
            at = dict(zip(names, landmarks, strict=True))
            canonical = _canonical(mesh, frame, at)
    chin, front = at["chin"][1:] if "chin" in at else landmarks[landmarks[:, 1].argmin(), 1:]
    below_jaw = chin + JAW_RISE * np.clip(front - canonical[:, 2], 0, None) - canonical[:, 1]
    away = np.sqrt(
        squared(
            (canonical - np.array([0, -0.4, -0.5], np.float32))
            / np.array([2.0, 2.4, 1.9], np.float32)
        )
    )
    freedom = (
        smoothstep(1.0, 0.8, away)
        * smoothstep(chin - 0.6, chin - 0.15, canonical[:, 1])
        * smoothstep(0.9, 0.35, below_jaw)
    )
    if mesh.head_weights is not None and (mesh.head_weights > 0.5).any():
        freedom = freedom * smoothstep(0.5, 0.8, mesh.head_weights)
    freedom = freedom * allowed(mesh)
    if skin is not None:
        within = np.bincount(parts, (away < 1) & (canonical[:, 1] > chin - 0.15)) / np.bincount(
            parts
        )
        freedom = freedom * (
            skin | (within > 0.5)[parts]
        )  # collars and long hair reach into the face's space
    indices = np.flatnonzero(freedom > 0).astype(
        np.int32
    )  # with what is still: a mask before a mouth has to be seen
    freedom = freedom * ~still
    if place.searched and len(indices) < FEW:
        raise BackendError("no_face", "The face that was found has too few vertices.", NO_FACE_FIX)
    return Face(
        indices,
        frame,
        landmarks,
        np.concatenate([landmarks.reshape(-1), place.more()])[None],
        place.confidence,
        place.warnings,
        canonical[indices],
        frame.turn_to_canonical(normals[indices]),
        part_boxes(canonical, parts)[indices],
        known[indices],
        across[indices],
        np.ascontiguousarray(freedom[indices], np.float32),
        mesh.triangles,
        still[indices],
    )
