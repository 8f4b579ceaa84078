# SPDX-License-Identifier: GPL-3.0-or-later
"""Find the face in an avatar and bring it into the canonical frame.

The encoder answers two questions about a crop: does it show a face the right way up, and where are
its landmarks. So finding a face is a search: crops are proposed from what is there (the user's
mask, head weights, bones, the world's up, the mesh's own extent), the surest are followed to where
the landmarks no longer move, and the surest of those wins or the search says that it found none.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from operator import attrgetter

import numpy as np

from ...errors import BackendError
from ..geometry.frame import Doubles, Frame
from ..geometry.mesh import AvatarMesh, Ints, all_corners, bounds
from ..geometry.orientation import outward
from ..params.locate import CUT, FINDING, PROGRESS, SEARCH, TRUST
from .cut import allowed
from .encoder_search import NOTHING, Encode, EncoderSearch, Found
from .face import NO_FACE_FIX, Effort, Place
from .places import Asked, agreed, by_features, place_of, placed, plainer
from .points import PointCloud, cloud_of
from .proposals import front_of, proposals, sizes, ups_of
from .resting import by_rest
from .to_openings import borne_out

_confidence = attrgetter("confidence")


def find(
    mesh: AvatarMesh,
    encode: Encode,
    landmark_names: Sequence[str],
    progress: Callable[[float], None],
    effort: Effort = "full",
    *,
    threads: int = 1,
    whole: AvatarMesh | None = None,
) -> Place:
    """Look for the face of a checked mesh.

    Landmarks that the mesh brings along take the place of found ones; when it brings all, nothing
    is searched.

    Args:
        mesh: checked
        encode: points float32 (B,P,CHANNELS) -> latent (B,L), confidence (B,) or (B,1)
        landmark_names: of the encoder's landmarks, in their order
        progress: is told the share of the work that is done
        effort: how far it is looked for
        threads: that may work at once
        whole: of which the mesh is a part: landmarks are as they are seen in it, see `agreed`

    Raises:
        BackendError: `no_face` when no crop shows one
    """
    inside = all_corners(allowed(mesh), mesh.triangles)
    if inside.sum() < TRUST.fewest:
        raise BackendError("no_face", "Too few faces to contain a head.", NO_FACE_FIX)
    group, parts = mesh.group, mesh.parts
    mesh = replace(mesh, triangles=outward(mesh.vertices, mesh.triangles, parts))
    asked = Asked(mesh, group, parts, inside, whole)
    views = _views(asked, mesh.triangles[inside], encode, tuple(landmark_names))
    if set(landmark_names) <= mesh.landmarks.keys():
        return placed(asked, views.search, threads)
    progress(PROGRESS.begun)
    hints, axes = ups_of(mesh)
    best, views, hints = _glimpsed(asked, views, hints)
    if effort == "glance" and best.confidence <= FINDING.certain:
        raise BackendError("no_face", "No face is seen at first sight.", NO_FACE_FIX)
    if best.confidence > FINDING.certain or effort == "full":
        return _found(asked, views, [*hints, *axes], best, progress)
    return _likeliest(hints, lambda up: _found(asked, views, [up], best, progress))


@dataclass(frozen=True)
class _Views:
    """What a search looks at: all points, few of them, and few of where the head is."""

    search: EncoderSearch
    coarse: EncoderSearch
    head: PointCloud


def _views(asked: Asked, triangles: Ints, encode: Encode, names: tuple[str, ...]) -> _Views:
    """The views of some of a mesh's triangles (U,3)."""
    cloud = cloud_of(asked.mesh.vertices, triangles, asked.parts)
    return _Views(
        EncoderSearch(cloud, encode, names, asked.mesh.vertices),
        EncoderSearch(_thinned(cloud), encode, names),
        _thinned(_hinted_cloud(asked.mesh, triangles, cloud)),
    )


def _glimpsed(
    asked: Asked, views: _Views, hints: Sequence[Doubles]
) -> tuple[Found, _Views, list[Doubles]]:
    """What is certainly a face that looks where avatars look, if one does; what further search
    looks at; and the directions (3,) that may be up, that in which most was seen first.
    """
    best, sights = NOTHING, []
    for up in hints:
        found, seen, sight = _glimpse(asked, views, up)
        best = max(best, found, key=_confidence)
        if found.confidence > FINDING.certain:
            return found, seen, [up, *(other for other in hints if other is not up)]
        sights.append(sight if sight >= FINDING.sure else 0.0)
    order = np.argsort(-np.array(sights), kind="stable")
    return best, views, [hints[place] for place in order]


def _glimpse(asked: Asked, views: _Views, up: Doubles) -> tuple[Found, _Views, float]:
    """The same with one direction up, and the confidence of what was seen first: the mesh is looked
    at without hair and what is worn where these made it doubtful.
    """

    def glimpse_of(some: _Views) -> Found:
        front = front_of(up, asked.mesh.bones)
        frames = (proposals(some.head, up, size, front) for size in sizes())
        return some.coarse.follow(frames, SEARCH.glimpsed, SEARCH.plain)

    glimpse, bare = glimpse_of(views), None
    sight = glimpse.confidence
    if FINDING.sure <= sight <= FINDING.certain:
        bare = views.coarse.bared(glimpse.frame, asked.mesh, asked.parts, asked.inside)
    if bare is not None:
        without = _views(asked, bare, views.search.encode, views.search.names)
        again = glimpse_of(without)
        if again.confidence > FINDING.certain and _within(again.frame, without.head):
            glimpse, views = again, without
    if glimpse.confidence > FINDING.certain and _within(glimpse.frame, views.head):
        if asked.whole is not None:  # in which the way goes on
            return replace(glimpse, drawn=False), views, sight
        settled = views.search.settle(replace(glimpse, drawn=False), asked.rest)
        return views.search.judge(settled, True), views, sight
    return NOTHING, views, sight


def _likeliest(ups: Sequence[Doubles], look: Callable[[Doubles], Place]) -> Place:
    """The first place that is no doubtful one, else the surest. Raises the last error where there
    is none.

    Args:
        ups: directions (3,) that may be up, likeliest first
        look: for a face with one of them up
    """
    best: Place | None = None
    for number, up in enumerate(ups, 1):
        try:
            place = look(up)
        except BackendError as error:
            if error.code != "no_face" or (best is None and number == len(ups)):
                raise
            continue
        if best is None or place.confidence > best.confidence:
            best = place
        if best.confidence >= FINDING.doubt:
            break
    if best is None:
        raise ValueError("there is no direction that may be up")
    return best


def _found(
    asked: Asked,
    views: _Views,
    ups: Sequence[Doubles],
    best: Found,
    progress: Callable[[float], None],
) -> Place:
    """The place of the face, by all tries. ups: directions (3,) that may be up, likeliest first.
    best: what is known already. Raises BackendError `no_face`.
    """
    best, surest, featured = _sought(asked, views, ups, best, progress)

    def rested() -> Place | None:
        return by_rest(asked, views.search, views.coarse, ups[0])

    own = None
    if best.confidence < FINDING.doubt:
        if best.confidence >= FINDING.sure:
            own = place_of(asked, views.search, best, ups[0])
        place = rested() if own is None or not borne_out(own) else None
        if place is not None:
            return place
    if featured is not None:
        seen = plainer(asked, views.search, best, featured, ups[0])
        return seen or agreed(featured, asked.whole, views.search.encode) or featured
    best = _believed(asked, views.search, best, surest)
    progress(PROGRESS.found)
    found = own or place_of(asked, views.search, best, ups[0])
    return replace(found, otherwise=lambda: found.otherwise() or rested())


def _sought(
    asked: Asked,
    views: _Views,
    ups: Sequence[Doubles],
    best: Found,
    progress: Callable[[float], None],
) -> tuple[Found, Found, Place | None]:
    """The best of all tries and the surest that one of them saw, believed or not; and the place of
    the face by its features, where the likelier directions show none.

    ups: directions (3,) that may be up, likeliest first. best: what is known already.
    """
    surest, extents = NOTHING, sizes()
    # in unlikely directions all sizes are looked at before any is followed
    tries = [(ups[0], extents[i : i + 1]) for i in range(len(extents))]
    tries += [(up, extents) for up in ups[1:]]
    for done, (up, some) in enumerate(tries):
        if best.confidence > FINDING.certain:
            break
        if done == len(extents):  # before it is looked for in directions that are unlikely
            place = by_features(asked, views.search, ups[0], best)
            if place is not None:
                return best, surest, place
        if best.drawn and done >= len(extents):
            break  # what draws proposals in the likelier direction is it
        groups = (proposals(views.head, up, size) for size in some)
        found = views.coarse.follow(groups, SEARCH.keep)
        surest = max(surest, found, key=_confidence)
        believed = found.drawn or found.confidence >= asked.enough
        if believed and _within(found.frame, views.head):
            settled = views.search.settle(found, asked.rest)
            best = max(best, views.search.judge(settled, done < len(extents)), key=_confidence)
        progress(PROGRESS.tries_from + PROGRESS.tries * (done + 1) / len(tries))
    place = None
    if len(tries) == len(extents) and best.confidence <= FINDING.certain:
        place = by_features(asked, views.search, ups[0], best)
    return best, surest, place


def _believed(asked: Asked, search: EncoderSearch, best: Found, surest: Found) -> Found:
    """What is taken for the face: the best of all tries, or, in the user's mask, what was seen most
    surely.

    Raises:
        BackendError: `no_face`
    """
    if best.confidence >= asked.enough:
        return best
    surest = max(surest, best, key=_confidence)
    if asked.mesh.mask is None or surest.confidence < FINDING.hardly:
        raise BackendError(
            "no_face",
            f"No face detected on this mesh (best match {surest.confidence:.0%}).",
            NO_FACE_FIX,
        )
    best = max(search.settle(surest), surest, key=_confidence)
    # it was not believed by itself
    return replace(best, confidence=min(best.confidence, asked.enough))


def _hinted_cloud(mesh: AvatarMesh, triangles: Ints, cloud: PointCloud) -> PointCloud:
    """The part of the cloud where the head's weights say that the head is; all of it when there are
    none.
    """
    if mesh.head_weights is None:
        return cloud
    head = all_corners(mesh.head_weights > CUT.head_from, triangles)
    return cloud if head.sum() < TRUST.fewest else cloud[head]


def _within(frame: Frame, head: PointCloud) -> bool:
    """Whether a frame's eyes lie in the box of what is taken for the head."""
    low, high = bounds(head.positions)
    room = FINDING.margin * float((high - low).max())
    return bool((frame.origin > low - room).all() and (frame.origin < high + room).all())


def _thinned(cloud: PointCloud) -> PointCloud:
    """The FINDING.thinned points of the highest priority: crops keep the same points of what is
    left.
    """
    if len(cloud.priority) <= FINDING.thinned:
        return cloud
    first = np.argpartition(-cloud.priority, FINDING.thinned)[: FINDING.thinned]
    return cloud[first]
