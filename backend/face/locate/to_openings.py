# SPDX-License-Identifier: GPL-3.0-or-later
"""A found face's landmarks moved to the mesh's own openings: lids and lips end where the mesh does,
unless the head surely is one of those learnt.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from ...errors import BackendError
from ..analyse import flat_features
from ..analyse.kinds import skin_and_still
from ..analyse.opening_sides import lip_lid_side, opposite_edge, opposites
from ..geometry.frame import Floats, Frame
from ..geometry.landmarks import NAMES, SIDES
from ..geometry.mesh import AvatarMesh, Ints
from ..geometry.ramp import smoothstep
from ..params.locate import REFINE_EYES, TRUST
from . import refine
from .face import Place, model_trust_of, surely_of

CORNERS = ("mouth_left", "mouth_right")


def to_openings(
    place: Place,
    canonical: Floats,
    skin: NDArray[np.bool_],
    at: dict[str, Floats],
    *,
    model_trust: Callable[[], float],
    again: bool,
    open_eyes: list[str],
    surely: float,
) -> tuple[dict[str, Floats], Floats, Floats, float]:
    """Move landmarks to the mesh's openings where the user has not placed them.

    Args:
        place: where the face was found
        canonical: float32 (V,3), the mesh's vertices
        skin: flags (V,), the face's
        at: float32 (3,), canonical, by name
        model_trust: 0 to 1, how far the encoder is believed about eyes that are flat
        again: it is the second time: the mouth's corners stay where they are
        open_eyes: those that are looked for; of these, the found ones are left
        surely: 0 to 1, how far the head may surely be one of those learnt

    Returns:
        Landmarks by name, `lip_lid_side` (V,2) and `opposite_edge` (V,6), the first time of the
        mouth alone where anything was moved, and how far the head surely is one of those learnt.
    """
    mesh, given = place.mesh, at
    placed = set(NAMES) <= mesh.landmarks.keys()
    eyes = refine.eyes(canonical, mesh.triangles, skin, at, which=open_eyes, placed=placed)
    if not eyes and not again and place.searched and not mesh.landmarks:
        eyes = _beside(canonical, mesh.triangles, skin, at)
    surely = min(surely, surely_of(place.more()) * _lids_agree(at, eyes))
    eyes = _eyes(
        place,
        canonical,
        skin,
        at,
        eyes,
        model_trust=model_trust,
        open_eyes=open_eyes,
        surely=surely,
    )
    at = at | {n: p for n, p in eyes.items() if n not in mesh.landmarks}
    known, across = _lip_lid_sides(place, canonical, skin, at, eyes=again)
    own = np.zeros(3, np.float32) if again else _to_slit(place.more(), surely)
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
    return at, known, across, surely


def _beside(
    vertices: Floats, triangles: Ints, skin: NDArray[np.bool_], at: dict[str, Floats]
) -> dict[str, Floats]:
    """Landmarks of both eyes on openings a little above or below where the encoder says, nearest
    first; nothing where there are none on both sides, no deeper and no farther out than it says.

    Args:
        vertices: float32 (V,3), canonical
        triangles: int32 (T,3)
        skin: flags (V,), the face's
        at: the encoder's landmarks (3,), canonical, by name
    """
    names = [name for name in NAMES if name.startswith(("eye_", "lid_"))]
    step, steps = REFINE_EYES.beside, range(1, REFINE_EYES.beside_steps + 1)
    for up in (sign * step * count for count in steps for sign in (1, -1)):
        moved = {name: at[name] + np.array([0, up, 0], np.float32) for name in names}
        found = refine.eyes(vertices, triangles, skin, at | moved)
        deep = [found[name][2] - at[name][2] for name in found if name.startswith("lid_")]
        if len(deep) == 2 * len(SIDES) and np.abs(deep).max() < REFINE_EYES.beside_deep:
            return moved | found
    return {}


def _lids_agree(at: dict[str, Floats], edges: dict[str, Floats]) -> float:
    """How far the encoder's lids lie at the edges of an opening or outside it, as lashes do, 0 to
    1; 0 where they lie inside it: such an eye is not of a head that it knows.

    Args:
        at: the encoder's landmarks (3,), canonical, by name
        edges: the same on the edges of openings, where there are any
    """
    inside = [0.0]
    for side in SIDES:
        upper, lower = f"lid_upper_{side}", f"lid_lower_{side}"
        if upper in edges:
            up = edges[upper] - edges[lower]
            up = up / max(float(np.linalg.norm(up)), 1e-9)
            inside += [
                float((edges[upper] - at[upper]) @ up),
                float((at[lower] - edges[lower]) @ up),
            ]
    share = smoothstep(TRUST.inside_from, TRUST.inside_to, np.array([max(inside)]))
    return 1 - float(share[0])


def _eyes(
    place: Place,
    canonical: Floats,
    skin: NDArray[np.bool_],
    at: dict[str, Floats],
    eyes: dict[str, Floats],
    *,
    model_trust: Callable[[], float],
    open_eyes: list[str],
    surely: float,
) -> dict[str, Floats]:
    """Landmarks of eyes, canonical, on openings or flat parts. Lids stay on a head that surely is
    one of those learnt: which edge of theirs is meant, the lash or the skin behind it, the encoder
    knows. eyes: those found on openings; other arguments as those of `to_openings`.
    """
    mesh = place.mesh
    open_eyes[:] = [side for side in open_eyes if f"lid_upper_{side}" in eyes]
    unlike = np.float32(1 - surely)
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


def open_eyes(place: Place) -> int:
    """How many eyes, 0 to 2, the mesh has open where the landmarks say."""
    seen = _skin_at(place)
    if seen is None:
        return 0
    canonical, skin, at = seen
    found = refine.eyes(canonical, place.mesh.triangles, skin, at)
    return sum(f"lid_upper_{side}" in found for side in SIDES)


def borne_out(place: Place) -> bool:
    """Whether the mesh has two open eyes, and lips that meet, where the landmarks say."""
    seen = _skin_at(place)
    if seen is None or open_eyes(place) < len(SIDES):
        return False
    canonical, skin, at = seen
    known, across = _lip_lid_sides(place, canonical, skin, at, eyes=False)
    return bool(refine.mouth(canonical, skin, known[:, 0], across[:, :3], at))


def _skin_at(place: Place) -> tuple[Floats, NDArray[np.bool_], dict[str, Floats]] | None:
    """The mesh's vertices (V,3), canonical, flags (V,) of the face's skin and landmarks by name;
    None for a model with other landmarks.
    """
    at = dict(zip(place.names, place.landmarks, strict=True))
    if not set(NAMES) <= at.keys():
        return None
    canonical = canonical_of(place.mesh, place.frame, at)
    skin, _ = skin_and_still(
        canonical, place.mesh.triangles, place.parts, at, roles=place.mesh.roles
    )
    return canonical, skin, at


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


def _to_slit(more: Floats, surely: float) -> Floats:
    """How far (3,) the mouth's corners go to the ends of its slit: aside and out, unless the head
    surely is one of those learnt. Slits of many mouths rise at their ends: on heads like those
    learnt the encoder knows better how high the corners lie. more (S,): what the encoder says
    beside landmarks. surely: 0 to 1, how far the head is one of those learnt.
    """
    aside = 1 - surely
    return np.array([aside, 1 - model_trust_of(more), aside], np.float32)


def canonical_of(mesh: AvatarMesh, frame: Frame, at: dict[str, Floats]) -> Floats:
    """The mesh's vertices float32 (V,3) in the frame of landmarks.

    Args:
        mesh: whole
        frame: of the landmarks
        at: these (3,), canonical, by name

    Raises:
        BackendError: `mesh_invalid` where float32 holds no such numbers
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
