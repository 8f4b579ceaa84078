# SPDX-License-Identifier: GPL-3.0-or-later
"""A face cut out of a mesh: which lip or lid is which, and what may move how far."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...errors import BackendError
from ..analyse.eyeballs import eyeballs
from ..analyse.flat_features import eye as flat_eye
from ..analyse.kinds import skin_and_still
from ..analyse.part_inputs import in_face_space
from ..geometry.frame import Floats, Frame, frame_of_landmarks
from ..geometry.landmarks import NAMES, SIDES
from ..geometry.mesh import AvatarMesh, part_boxes
from ..geometry.normals import seamless_normals
from ..geometry.ramp import smoothstep
from ..params.locate import CUT, TRUST
from .face import NO_FACE_FIX, Face, Place, model_trust_of
from .to_openings import CORNERS, borne_out, canonical_of, to_openings

LIPS = ("lip_upper", "lip_lower")
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
        surely=seen.surely,
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
        surely: 0 to 1, how far it is one of the heads learnt
    """

    frame: Frame
    landmarks: Floats
    vertices: Floats
    lip_lid_side: Floats
    opposite_edge: Floats
    skin: NDArray[np.bool_] | None
    still: NDArray[np.bool_]
    surely: float


def _seen(place: Place) -> _Seen | Place:
    """The mesh in the frame of its landmarks, moved to its openings; or another place for the same
    face, where this one has no eye or no mouth. That is asked before they are moved: a flat eye is
    no longer told from where it was moved to.
    """
    mesh, frame, landmarks = place.mesh, place.frame, place.landmarks
    at = dict(zip(place.names, landmarks, strict=True))
    vertices = canonical_of(mesh, frame, at)
    known = np.zeros((len(vertices), len(SIDES)), np.float32)
    across = np.zeros((len(vertices), ACROSS), np.float32)
    skin, still, surely = None, np.zeros(len(vertices), bool), 1.0
    if set(NAMES) <= at.keys():
        skin, still = skin_and_still(vertices, mesh.triangles, place.parts, at, roles=mesh.roles)
        open_eyes = list(SIDES)
        # the mouth is moved once: from where it was moved to, its slit ends elsewhere
        for again, model_trust in (
            (False, lambda: model_trust_of(place.more())),
            (True, lambda: 1.0),
        ):
            refined, known, across, surely = to_openings(
                place,
                vertices,
                skin,
                at,
                model_trust=model_trust,
                again=again,
                open_eyes=open_eyes,
                surely=surely,
            )
            other = None if again else _elsewhere(place, vertices, skin, at, refined)
            if other is not None:
                return other
            if all(refined[n] is at[n] for n in NAMES):  # there was nothing to find
                break
            frame, landmarks = _reframed(place, frame, at, refined)
            at = dict(zip(place.names, landmarks, strict=True))
            vertices = canonical_of(mesh, frame, at)
    return _Seen(
        frame,
        landmarks,
        vertices,
        lip_lid_side=known,
        opposite_edge=across,
        skin=skin,
        still=still,
        surely=surely,
    )


def _elsewhere(
    place: Place,
    vertices: Floats,
    skin: NDArray[np.bool_],
    at: dict[str, Floats],
    refined: dict[str, Floats],
) -> Place | None:
    """Another place for the face where there is no eye in this one, not even a closed one or one
    that is a flat part, or no mouth.

    at, refined: landmarks (3,) by name, before and after they were moved. vertices (V,3):
    canonical. skin: flags (V,).
    """
    if not place.searched or place.mesh.landmarks:
        return None
    shut = {side for side in SIDES if refined[f"lid_upper_{side}"] is at[f"lid_upper_{side}"]}
    if shut:
        shut -= set(eyeballs(vertices, part_boxes(vertices, place.parts), at))
    triangles = place.mesh.triangles
    if any(
        not flat_eye(vertices, triangles, place.parts, skin, landmarks=at, side=side)
        for side in shut
    ):
        return place.otherwise()
    return None if _lips_meet(at, refined) else _where_lips_meet(place)


def _lips_meet(at: dict[str, Floats], refined: dict[str, Floats]) -> bool:
    """Whether the mesh has corners of a mouth, or both lips, where the landmarks say. at, refined:
    landmarks (3,) by name, before and after they were moved.
    """
    return any(all(refined[name] is not at[name] for name in pair) for pair in (CORNERS, LIPS))


def _where_lips_meet(place: Place) -> Place | None:
    """Another place with the same eyes, whose lips meet elsewhere, for one that has none, unless
    the encoder is believed alone: it may know the eyes of a long muzzle and look for its mouth at
    the throat.
    """
    other = place.otherwise() if model_trust_of(place.more()) < 1 else None
    if other is None:
        return None
    apart = np.linalg.norm(
        place.frame.to_canonical(other.frame.to_object(other.landmarks)) - place.landmarks, axis=1
    )
    of_eye = np.array([name.startswith(("eye_", "lid_")) for name in place.names])
    of_mouth = np.array([name.startswith(("mouth_", "lip_")) for name in place.names])
    same_eyes = apart[of_eye].mean() < CUT.same_eyes
    other_mouth = apart[of_mouth].mean() > CUT.other_mouth
    return other if same_eyes and other_mouth and borne_out(other) else None


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
