# SPDX-License-Identifier: GPL-3.0-or-later
"""The landmarks that are kept on an object. They are held by the mesh itself, so that they are
where they belong after every edit, or are let go.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import bpy
import numpy as np
from numpy.typing import NDArray

from ..shared_marks import marks
from ..typed import mesh_of, of_object, positions_of
from . import anchors
from .anchors import Floats, Hold, Point, Surface
from .as_seen import at_rest, deforming, see, with_keys
from .findings import Finding
from .mesh_arrays import triangles_of
from .modes import object_mode

# of the mesh's extent: how far from the surface a landmark may lie that nothing holds, or it is of
# another mesh than this
FITS = 0.02
# of the mesh's extent: how far landmarks that are still held may be from one affine movement of
# all, for the others to go along
RIGID = 0.01
FEW = 5  # landmarks that tell such a movement: one more than it needs

Doubles = NDArray[np.float64]


@dataclass(frozen=True)
class Kept:
    """A landmark as it is kept: for putting back what was there."""

    name: str
    place: Point
    corrected: bool
    estimated: bool
    anchor: tuple[int, ...]
    weights: tuple[float, ...]
    height: float


def found_landmarks(ob: bpy.types.Object, vertices: Floats | None = None) -> dict[str, Point]:
    """The landmarks that are kept on the object, found or placed, by name, in its space: where its
    vertices (V,3) are, without them as stored and with the user's own keys. What cannot be told any
    more is left out.
    """
    if not of_object(ob).landmarks:
        return {}
    held = holds(ob)
    if held is None:
        return {mark.name: _point(mark.place) for mark in of_object(ob).landmarks}
    return anchors.places(held, with_keys(ob)[0] if vertices is None else vertices)


def corrected_landmarks(ob: bpy.types.Object, vertices: Floats | None = None) -> dict[str, Point]:
    """The same of those that the user placed, and those that were estimated from them."""
    if not any(mark.corrected for mark in of_object(ob).landmarks):
        return {}
    return {
        name: place
        for name, place in found_landmarks(ob, vertices).items()
        if of_object(ob).landmarks[name].corrected
    }


def lost_landmarks(ob: bpy.types.Object) -> list[str]:
    """Names of those that the user placed and that cannot be told any more."""
    placed = [mark.name for mark in of_object(ob).landmarks if mark.corrected]
    held = holds(ob) if placed else None
    return [] if held is None else [name for name in placed if name not in held]


def told_lost(ob: bpy.types.Object) -> tuple[Finding, ...]:
    """What to tell the user of them."""
    names = lost_landmarks(ob)
    if not names:
        return ()
    words = ", ".join(marks.title(name) for name in names[:5]) + (
        f" and {len(names) - 5} more" if len(names) > 5 else ""
    )
    return (Finding("landmarks_lost", {"names": words}, (ob.name,)),)


def holds(ob: bpy.types.Object) -> dict[str, Hold] | None:
    """What holds each landmark that can be told; None while Edit Mode holds the mesh."""
    numbers = anchors.numbers_of(mesh_of(ob))
    if numbers is None:
        return None
    there, found = anchors.vertices_of(numbers), {}
    for mark in of_object(ob).landmarks:
        if mark.anchor[0] and all(corner in there for corner in mark.anchor):
            corners = (there[mark.anchor[0]], there[mark.anchor[1]], there[mark.anchor[2]])
            found[mark.name] = Hold(
                corners, (mark.weights[0], mark.weights[1], mark.weights[2]), mark.height
            )
    missing = [mark.name for mark in of_object(ob).landmarks if mark.name not in found]
    return found if not missing else found | _held_again(ob, found, missing)


def _held_again(
    ob: bpy.types.Object, held: Mapping[str, Hold], missing: Sequence[str]
) -> dict[str, Hold]:
    """Landmarks whose vertices are gone, or that were kept before landmarks were held: where the
    others have gone, if that is on the surface.
    """
    surface = stored_surface(ob)
    if not len(surface.triangles):
        return {}
    kept, extent = of_object(ob).landmarks, float(np.ptp(surface.vertices, axis=0).max())
    free = [name for name in missing if not kept[name].anchor[0]]
    places = {name: np.array(kept[name].place, np.float64) for name in free}
    now = anchors.places(held, surface.vertices)
    way = (
        _affine(
            np.array([_point(kept[name].place) for name in now]),
            np.array(list(now.values())),
            RIGID * extent,
        )
        if len(now) >= FEW
        else None
    )
    if way is not None:
        places |= {
            name: np.array([*kept[name].place, 1.0]) @ way for name in missing if name not in free
        }
    places = {name: place for name, place in places.items() if np.isfinite(place).all()}
    away = marks.distances(surface.vertices, surface.triangles, places)
    return anchors.hold(
        surface,
        {name: place.tolist() for name, place in places.items() if away[name] <= FITS * extent},
    )


def _affine(before: Doubles, after: Doubles, room: float) -> Doubles | None:
    """The affine movement (4,3) from places (N,3) to others, None where one leaves more than `room`
    between them.
    """
    rows = np.concatenate([before, np.ones((len(before), 1))], axis=1)
    if not np.isfinite(rows).all():
        return None
    way = np.linalg.lstsq(rows, after, rcond=None)[0]
    return (
        np.asarray(way) if float(np.linalg.norm(rows @ way - after, axis=1).max()) <= room else None
    )


def stored_surface(ob: bpy.types.Object) -> Surface:
    """The mesh as it is stored, with the user's own keys. Object mode."""
    return Surface(with_keys(ob)[0], triangles_of(mesh_of(ob)))


def seen_surface(ob: bpy.types.Object) -> Surface:
    """The mesh as it is read for the child, see as_seen.see. Object mode."""
    if not deforming(ob):
        return stored_surface(ob)
    with at_rest():
        return Surface(see(ob).vertices, triangles_of(mesh_of(ob)))


def shown_vertices(ob: bpy.types.Object) -> Floats:
    """Where the vertices are on the screen now, float32 (V,3), in the object's space: pose, keys
    and modifiers, unless these change their number.
    """
    mesh = mesh_of(ob.evaluated_get(bpy.context.evaluated_depsgraph_get()))
    if len(mesh.vertices) != len(mesh_of(ob).vertices):
        return with_keys(ob)[0]
    found = np.empty((len(mesh.vertices), 3), np.float32)
    positions_of(mesh).foreach_get("vector", found.reshape(-1))
    return found


def put(
    ob: bpy.types.Object,
    places: Mapping[str, Point],
    surface: Surface,
    corrected: bool,
    estimated: Collection[str] = (),
    *,
    known: Mapping[str, Hold] | None = None,
) -> None:
    """Keep landmarks at places on a surface of the object's mesh. corrected: they are believed;
    estimated: names of those that are only estimated. known: what holds them there, where that has
    been worked out before.
    """
    with object_mode(ob):
        held = (
            anchors.hold(surface, places)
            if known is None
            else {name: known[name] for name in places if name in known}
        )
        numbers = anchors.number(
            mesh_of(ob), sorted({corner for one in held.values() for corner in one.corners})
        )
        stored = anchors.places(held, with_keys(ob)[0])
    for name, place in places.items():
        mark = of_object(ob).landmarks.get(name)
        if mark is None:
            mark = of_object(ob).landmarks.add()
            mark.name = name
        mark.place = stored.get(name, place)  # which lets go of what held it
        mark.corrected, mark.estimated = corrected, name in estimated
        if name in held and numbers:
            mark.anchor = [numbers[corner] for corner in held[name].corners]
            mark.weights, mark.height = held[name].weights, held[name].height


def keep_landmarks(
    ob: bpy.types.Object,
    landmarks: Mapping[str, Point],
    surface: Surface,
    known: Mapping[str, Hold] | None = None,
) -> None:
    """Keep found landmarks on the object, at places on a surface of its mesh; those that the user
    placed stay where they are. known: as of `put`.
    """
    with object_mode(ob):
        mine = corrected_landmarks(ob, surface.vertices)
    estimated = [mark.name for mark in of_object(ob).landmarks if mark.estimated]
    found = {name: place for name, place in landmarks.items() if name not in mine}
    put(ob, found, surface, False, known=known)
    put(ob, mine, surface, True, estimated)


def snapshot(ob: bpy.types.Object) -> list[Kept]:
    """The landmarks as they are."""
    return [
        Kept(
            name=mark.name,
            place=_point(mark.place),
            corrected=mark.corrected,
            estimated=mark.estimated,
            anchor=tuple(mark.anchor),
            weights=tuple(mark.weights),
            height=mark.height,
        )
        for mark in of_object(ob).landmarks
    ]


def restore(ob: bpy.types.Object, before: Sequence[Kept]) -> None:
    """The landmarks as they were."""
    of_object(ob).landmarks.clear()
    for kept in before:
        mark = of_object(ob).landmarks.add()
        mark.name, mark.place, mark.corrected, mark.estimated = (
            kept.name,
            kept.place,
            kept.corrected,
            kept.estimated,
        )
        mark.anchor, mark.weights, mark.height = kept.anchor, kept.weights, kept.height


def forget(ob: bpy.types.Object) -> None:
    """Forget all landmarks: they are searched for again."""
    of_object(ob).landmarks.clear()
    mesh = mesh_of(ob)
    if mesh.users == 1:
        with object_mode(ob):
            anchors.clear(mesh)


def _point(place: Sequence[float]) -> Point:
    return float(place[0]), float(place[1]), float(place[2])
