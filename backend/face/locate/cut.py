# SPDX-License-Identifier: GPL-3.0-or-later
"""A face cut out of a mesh: landmarks moved to the mesh's own openings, which lip or lid is
which,
and what may move how far.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...errors import BackendError
from ..analyse import flat_features
from ..analyse.eyeballs import eyeballs
from ..analyse.kinds import skin_and_still
from ..analyse.opening_sides import lip_lid_side, opposite_edge, opposites
from ..analyse.part_inputs import in_face_space
from ..geometry.frame import Floats, Frame, frame_of_landmarks
from ..geometry.landmarks import NAMES, SIDES
from ..geometry.mesh import AvatarMesh, part_boxes
from ..geometry.normals import seamless_normals
from ..geometry.ramp import smoothstep
from ..params.locate import CUT, TRUST
from . import refine
from .face import NO_FACE_FIX, Face, Place, model_trust_of, surely_of

CORNERS = ("mouth_left", "mouth_right")
ACROSS = 6  # across the mouth and across the eye, three coordinates each


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
    place: Place,
    canonical: Floats,
    skin: NDArray[np.bool_],
    at: dict[str, Floats],
    *,
    model_trust: Callable[[], float],
    again: bool,
    open_eyes: list[str],
) -> tuple[dict[str, Floats], Floats, Floats]:
    """Move landmarks to the mesh's openings where the user has not placed them.

    Args:
        place: where the face was found
        canonical: float32 (V,3), the mesh's vertices
        skin: flags (V,), the face's
        at: float32 (3,), canonical, by name
        model_trust: 0 to 1, how far the encoder is believed about eyes that are flat
        again: it is the second time: the mouth's corners stay where they are
        open_eyes: those that are looked for; of these, the found ones are left

    Returns:
        Landmarks by name, `lip_lid_side` (V,2) and `opposite_edge` (V,6), the first time of the
        mouth alone where anything was moved.
    """
    mesh, given = place.mesh, at
    eyes = _eyes(place, canonical, skin, at, model_trust=model_trust, open_eyes=open_eyes)
    at = at | {n: p for n, p in eyes.items() if n not in mesh.landmarks}
    known, across = _lip_lid_sides(place, canonical, skin, at, eyes=again)
    own = np.zeros(3, np.float32) if again else _to_slit(place.more())
    slit = refine.mouth(canonical, skin, known[:, 0], across[:, :3], at) or flat_features.mouth(
        canonical, place.parts, skin, at
    )
    at |= {
        n: at[n] + (own if n in CORNERS else 1) * (p - at[n])
        for n, p in slit.items()
        if n not in mesh.landmarks
    }
    if not again and all(at[n] is given[n] for n in NAMES):
        known, across = _lip_lid_sides(place, canonical, skin, at, eyes=True)
    return at, known, across


def _eyes(
    place: Place,
    canonical: Floats,
    skin: NDArray[np.bool_],
    at: dict[str, Floats],
    *,
    model_trust: Callable[[], float],
    open_eyes: list[str],
) -> dict[str, Floats]:
    """Landmarks of eyes, canonical, on openings or flat parts. Lids stay on a head that surely is
    one of those learnt: which edge of theirs is meant, the lash or the skin behind it, the encoder
    knows. Arguments as those of `_refined`.
    """
    mesh = place.mesh
    eyes = refine.eyes(
        canonical,
        mesh.triangles,
        skin,
        at,
        which=open_eyes,
        placed=set(NAMES) <= mesh.landmarks.keys(),
    )
    open_eyes[:] = [side for side in open_eyes if f"lid_upper_{side}" in eyes]
    unlike = np.float32(1 - surely_of(place.more()))
    eyes = {n: at[n] + unlike * (p - at[n]) if n.startswith("lid_") else p for n, p in eyes.items()}
    for side in SIDES:
        flat = (
            flat_features.eye(canonical, mesh.triangles, place.parts, skin, landmarks=at, side=side)
            if f"lid_upper_{side}" not in eyes
            else {}
        )
        if flat and model_trust() < 1:  # which may have to wait
            eyes |= flat
    return eyes


def _lip_lid_sides(
    place: Place, canonical: Floats, skin: NDArray[np.bool_], at: dict[str, Floats], *, eyes: bool
) -> tuple[Floats, Floats]:
    """`lip_lid_side` (V,2) and `opposite_edge` (V,6) of the mouth and, if asked, the eyes; without
    these only the ways of the skin about the lips, which are all that its slit is told by.

    Args:
        place: of the face
        canonical: float32 (V,3), the mesh's vertices
        skin: flags (V,), the face's
        at: float32 (3,), canonical, by name
        eyes: of these, too
    """
    triangles = place.mesh.triangles
    known = lip_lid_side(canonical, triangles, at, skin, eyes=eyes)
    some = None if eyes else skin & refine.near_mouth(canonical, at)
    other = opposites(canonical, triangles, at, known, skin, some=some)
    return known, opposite_edge(canonical, other, known)


def _to_slit(more: Floats) -> Floats:
    """How far (3,) the mouth's corners go to the ends of its slit: aside and out, unless the head
    surely is one of those learnt. Slits of many mouths rise at their ends: on heads like those
    learnt the encoder knows better how high the corners lie. more (S,): what the encoder says
    beside landmarks.
    """
    aside = 1 - surely_of(more)
    return np.array([aside, 1 - model_trust_of(more), aside], np.float32)


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
    that is waited for.

    Raises:
        BackendError: `no_face`, `mesh_invalid`
    """
    mesh = place.mesh
    normals = seamless_normals(mesh.vertices, mesh.triangles, place.group)
    seen = _seen(place)
    if isinstance(seen, Place):
        return framed(seen)
    movement_mask = _movement_mask(place, seen)
    # with what is still: a mask before a mouth has to be seen
    indices = np.flatnonzero(movement_mask > 0).astype(np.int32)
    movement_mask = movement_mask * ~seen.still
    if place.searched and len(indices) < TRUST.fewest:
        raise BackendError("no_face", "The face that was found has too few vertices.", NO_FACE_FIX)
    return Face(
        indices,
        seen.frame,
        seen.landmarks,
        latent=np.concatenate([seen.landmarks.reshape(-1), place.more()])[None],
        confidence=place.confidence,
        warnings=place.warnings,
        vertices=seen.vertices[indices],
        normals=seen.frame.turn_to_canonical(normals[indices]),
        parts=part_boxes(seen.vertices, place.parts)[indices],
        lip_lid_side=seen.lip_lid_side[indices],
        opposite_edge=seen.opposite_edge[indices],
        movement_mask=np.ascontiguousarray(movement_mask[indices], np.float32),
        triangles=mesh.triangles,
        still=seen.still[indices],
    )


@dataclass(frozen=True)
class _Seen:
    """A whole mesh in the frame of its landmarks.

    Args:
        frame: of the landmarks
        landmarks: float32 (L,3), canonical
        vertices: float32 (V,3), canonical
        lip_lid_side: float32 (V,2), on which side of mouth and eye each lies
        opposite_edge: float32 (V,6), to the opposite vertices across mouth and eye
        skin: flags (V,), the face's; None for a model with other landmarks
        still: flags (V,), hair and what is worn
    """

    frame: Frame
    landmarks: Floats
    vertices: Floats
    lip_lid_side: Floats
    opposite_edge: Floats
    skin: NDArray[np.bool_] | None
    still: NDArray[np.bool_]


def _seen(place: Place) -> _Seen | Place:
    """The mesh in the frame of its landmarks, moved to its openings; or another place for the same
    face, where this one has no eye.
    """
    mesh, frame, landmarks = place.mesh, place.frame, place.landmarks
    at = dict(zip(place.names, landmarks, strict=True))
    vertices = _canonical(mesh, frame, at)
    known = np.zeros((len(vertices), len(SIDES)), np.float32)
    across = np.zeros((len(vertices), ACROSS), np.float32)
    skin, still = None, np.zeros(len(vertices), bool)
    if set(NAMES) <= at.keys():
        skin, still = skin_and_still(vertices, mesh.triangles, place.parts, at, roles=mesh.roles)
        open_eyes = list(SIDES)
        # the mouth is moved once: from where it was moved to, its slit ends elsewhere
        for again, model_trust in (
            (False, lambda: model_trust_of(place.more())),
            (True, lambda: 1.0),
        ):
            refined, known, across = _refined(
                place,
                vertices,
                skin,
                at,
                model_trust=model_trust,
                again=again,
                open_eyes=open_eyes,
            )
            other = _elsewhere(place, vertices, at, refined)
            if other is not None:
                return other
            if all(refined[n] is at[n] for n in NAMES):  # there was nothing to find
                break
            frame, landmarks = _reframed(place, frame, at, refined)
            at = dict(zip(place.names, landmarks, strict=True))
            vertices = _canonical(mesh, frame, at)
    return _Seen(
        frame, landmarks, vertices, lip_lid_side=known, opposite_edge=across, skin=skin, still=still
    )


def _elsewhere(
    place: Place, vertices: Floats, at: dict[str, Floats], refined: dict[str, Floats]
) -> Place | None:
    """Another place for the face where there is no eye in this one, not even a closed one.

    at, refined: landmarks (3,) by name, before and after they were moved. vertices (V,3):
    canonical.
    """
    if not place.searched or place.mesh.landmarks:
        return None
    shut = {side for side in SIDES if refined[f"lid_upper_{side}"] is at[f"lid_upper_{side}"]}
    if shut and shut - eyeballs(vertices, part_boxes(vertices, place.parts), at).keys():
        return place.otherwise()
    return None


def _reframed(
    place: Place, frame: Frame, at: dict[str, Floats], refined: dict[str, Floats]
) -> tuple[Frame, Floats]:
    """The frame of landmarks (3,) that were moved, `refined` from `at` in a frame, and these (L,3)
    in their own.
    """
    places = {n: frame.to_object(p) for n, p in refined.items()}
    frame = frame_of_landmarks(places)
    landmarks = np.stack([frame.to_canonical(places[n]) for n in place.names])
    if not place.mesh.landmarks:
        # an opening may be found on one side only, as where the other eye is closed
        eyes = {n for n in NAMES if n.startswith(("lid_", "eye_")) and refined[n] is not at[n]}
        landmarks, frame = place.alike(landmarks, frame, _of_one_side(eyes))
    return frame, landmarks


def _movement_mask(place: Place, seen: _Seen) -> Floats:
    """How far each vertex (V,) may move, 0 to 1, whether it is still or not."""
    mesh, vertices, landmarks = place.mesh, seen.vertices, seen.landmarks
    lowest = landmarks[landmarks[:, 1].argmin()]
    chin, front = dict(zip(place.names, landmarks, strict=True)).get("chin", lowest)[1:]
    rise = CUT.jaw_rise * np.clip(front - vertices[:, 2], 0, None)
    below_jaw = chin + rise - vertices[:, 1]
    away = np.sqrt(in_face_space(vertices))
    movement_mask = (
        smoothstep(CUT.border_from, CUT.border_to, away)
        * smoothstep(chin - CUT.throat_from, chin - CUT.throat_to, vertices[:, 1])
        * smoothstep(CUT.jaw_from, CUT.jaw_to, below_jaw)
    )
    if mesh.head_weights is not None and (mesh.head_weights > CUT.head_from).any():
        movement_mask = movement_mask * smoothstep(CUT.head_from, CUT.head_to, mesh.head_weights)
    movement_mask = movement_mask * allowed(mesh)
    if seen.skin is None:
        return np.asarray(movement_mask)
    # collars and long hair reach into the face's space
    inside = (away < 1) & (vertices[:, 1] > chin - CUT.throat_to)
    within = np.bincount(place.parts, inside) / np.bincount(place.parts)
    return np.asarray(movement_mask * (seen.skin | (within > CUT.within)[place.parts]))
