# SPDX-License-Identifier: GPL-3.0-or-later
"""Find the face in an avatar and bring it into the canonical frame.

The encoder answers two questions about a crop: does it show a face the right way up, and where are
its landmarks. So finding a face is a search: crops are proposed from what is there (the user's
mask, head weights, bones, the world's up, the mesh's own extent), the surest are followed to where
the landmarks no longer move, and the surest of those wins or the search says that it found none.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ...errors import BackendError
from ..analyse.kinds import skin_and_still
from ..geometry.frame import Doubles, Floats, Frame, frame_of_landmarks
from ..geometry.landmarks import NAMES, mirrored
from ..geometry.mesh import AvatarMesh, Ints, all_corners, bounds, extent, loose_parts, weld
from ..geometry.mirror import in_symmetric_region
from ..geometry.orientation import outward
from ..geometry.ramp import smoothstep
from ..geometry.symmetry import mirror_plane
from ..params.geometry import PLANE
from . import features, marks
from .cut import allowed
from .face import FEW, NO_FACE_FIX, Place
from .points import (
    CHANNELS,
    COARSE_COUNT,
    COUNT,
    CROP_CENTRE,
    CROP_RADIUS,
    PointCloud,
    cloud_of,
    crop,
    within,
)
from .proposals import SIZES, _about, _front, _proposals, _ups

Encode = Callable[[Floats], tuple[Floats, Floats]]
KEEP = 5  # proposals that are followed
GLIMPSED = 2  # of those that look where avatars look
FOLLOW = 3  # steps per followed proposal
SETTLE = 10  # steps of the winner at most
ASTRAY = 0.2  # confidence lost while settling that says that the way led astray
CYCLE = 6  # a multiple of the short cycles that crops fall into
REST = 5e-4  # canonical units: a step shorter than this ends the settling
THIN = 16384  # points that the coarse search looks at
SURE = 0.6  # confidence below which there is no face
# the same where head weights or a mask say where the head is: then a doubtful face is better than
# none, and is warned of
LIKELY = 0.2
# the same of a glimpse inside the user's mask, whose word counts for more than the search; cube,
# sphere and neck get 0.06
HARDLY = 0.1
MARGIN = 0.15  # of the marked head's size, by which the eyes may lie outside its box
CERTAIN = 0.99  # confidence above which no other size and no other direction is tried
# canonical units, sines and logarithm of size within which two ways have ended at the same frame
ALIKE = 0.2
# canonical units, the mean way between the landmarks of one face, seen with hair and without; half
# of ALIKE
AGREED = 0.1
DRAWN = (
    (4, 0.95),
    (5, 0.25),
)  # followed proposals that end at the same frame where a face draws them there, and the confidence
# that one of them must have had on its way: the more agree, the less
# confidence in a symmetric place that draws proposals, however little the encoder believes it in
# the end
STEADY = 0.7
LOPSIDED = (
    0.15,
    0.45,
    # share of mirrored points with a partner from which on a find the other way up begins to be
    # believed, and is
)
# confidence in a face of which eyes and mouth are plain to see and which the encoder does not know
FEATURED = 0.75
BESIDE, TWICE = (
    0.75,
    2.0,
    # canonical units from its eyes' middle, and times its size, within which features are those of
    # a face that was found
)
DOUBT = 0.85  # confidence below which the report warns
JITTER = np.radians(4)
SYMMETRIC = (
    0.7  # share of mirrored points with a partner from which on a face is taken for symmetric
)
MIRROR = np.array([-1, 1, 1], np.float32)
POINT_MIRROR = np.array([-1, 1, 1, -1, 1, 1, 1], np.float32)  # of a crop's point


def find(
    mesh: AvatarMesh,
    encode: Encode,
    landmark_names: Sequence[str],
    progress: Callable[[float], None],
    upright: bool = False,
    threads: int = 1,
) -> Place:
    """Look for the face of a checked mesh. encode: points (B,P,CHANNELS) -> latent (B,L),
    confidence (B,) or (B,1). upright: look only with the likeliest direction up, which is one of
    six. threads: that may work at once.

    Landmarks that the mesh brings along take the place of found ones; when it brings all, nothing
    is searched. Raises BackendError `no_face` when no crop shows one.
    """
    inside = all_corners(allowed(mesh), mesh.triangles)
    if inside.sum() < FEW:
        raise BackendError("no_face", "Too few faces to contain a head.", NO_FACE_FIX)
    group = weld(mesh.vertices)
    parts = loose_parts(mesh.vertices, mesh.triangles, group)
    mesh = replace(mesh, triangles=outward(mesh.vertices, mesh.triangles, parts))
    triangles = mesh.triangles[inside]
    cloud = cloud_of(mesh.vertices, triangles, parts)
    search = _Search(cloud, encode, tuple(landmark_names))
    if set(landmark_names) <= mesh.landmarks.keys():
        landmarks, frame = _corrected(mesh, landmark_names, None)
        beside = ThreadPoolExecutor(1, "locate")
        more = beside.submit(search.more, frame)
        beside.shutdown(wait=threads < 2)
        return Place(
            mesh,
            group,
            parts,
            frame,
            search.names,
            landmarks,
            1.0,
            False,
            (),
            more.result,
            search.mirrored_alike,
        )
    hinted = _thinned(_hinted_cloud(mesh, triangles, cloud))
    marked = mesh.mask is not None or (
        mesh.head_weights is not None and bool((mesh.head_weights > 0.5).any())
    )
    enough, surest = LIKELY if marked else SURE, NOTHING
    coarse = _Search(_thinned(cloud), encode, tuple(landmark_names))
    progress(0.05)
    ups = _ups(mesh)[: 1 if upright else None]
    best = NOTHING

    def glimpsed(coarse: _Search, hinted: PointCloud) -> _Found:
        return coarse.follow(
            [frame for size in SIZES for frame in _proposals(hinted, ups[0], size, _front(ups[0]))],
            GLIMPSED,
        )

    glimpse = glimpsed(coarse, hinted)
    bare = (
        coarse.bared(glimpse.frame, mesh, parts, inside)
        if SURE <= glimpse.confidence <= CERTAIN
        else None
    )
    if bare is not None:
        other = cloud_of(mesh.vertices, bare, parts)
        without, head = (
            replace(coarse, cloud=_thinned(other)),
            _thinned(_hinted_cloud(mesh, bare, other)),
        )
        again = glimpsed(without, head)
        if again.confidence > CERTAIN and _within(
            again.frame, head
        ):  # hair and what is worn was what made it doubtful
            glimpse, coarse, hinted, search = again, without, head, replace(search, cloud=other)
    if glimpse.confidence > CERTAIN and _within(
        glimpse.frame, hinted
    ):  # most avatars look where avatars look
        best = search.judge(search.settle(replace(glimpse, drawn=False)), True)
    tries = [(up, size) for up in ups for size in SIZES]
    for done, (up, size) in enumerate(tries):
        if best.confidence > CERTAIN:
            break
        if done == len(SIZES):  # before it is looked for in directions that are unlikely
            place = _by_features(mesh, group, parts, ups[0], search, best)
            if place is not None:
                return place
        if (
            best.drawn and done % len(SIZES) == 0
        ):  # what draws proposals in the likelier direction is it
            break
        found = coarse.follow(_proposals(hinted, up, size))
        surest = max(surest, found, key=lambda f: f.confidence)
        if (found.drawn or found.confidence >= enough) and _within(found.frame, hinted):
            best = max(
                best,
                search.judge(search.settle(found), done < len(SIZES)),
                key=lambda f: f.confidence,
            )
        progress(0.1 + 0.7 * (done + 1) / len(tries))
    if len(tries) == len(SIZES) and best.confidence <= CERTAIN:
        place = _by_features(mesh, group, parts, ups[0], search, best)
        if place is not None:
            return place
    if best.confidence < enough:
        surest = max(surest, best, key=lambda f: f.confidence)
        if mesh.mask is None or surest.confidence < HARDLY:
            raise BackendError(
                "no_face",
                f"No face detected on this mesh (best match {surest.confidence:.0%}).",
                NO_FACE_FIX,
            )
        best = max(search.settle(surest), surest, key=lambda f: f.confidence)
        best = replace(
            best, confidence=min(best.confidence, enough)
        )  # it was not believed by itself
    progress(0.85)
    landmarks, frame, seen = search.landmarks(best.frame)
    if mesh.landmarks:
        landmarks, frame = _corrected(mesh, landmark_names, frame.to_object(landmarks))
    warnings: tuple[str, ...] = ()
    if mesh.mask is not None and best.confidence <= LIKELY:
        doubt = (
            "is taken for one because you said that it is there; look at the result, or place the"
            " landmarks by hand."
        )
        warnings = (f"The face is only {best.confidence:.0%} sure and {doubt}",)
    elif best.confidence < DOUBT:
        warnings = (_doubted(best.confidence),)

    def otherwise() -> Place | None:
        place = _by_features(mesh, group, parts, ups[0], search, best)
        return place if place is not None and _same_face(place.frame, frame) else None

    alike = search.mirrored_alike
    return Place(
        mesh,
        group,
        parts,
        frame,
        search.names,
        landmarks,
        best.confidence,
        True,
        warnings,
        lambda: seen,
        alike,
        otherwise,
    )


def _by_features(
    mesh: AvatarMesh, group: Ints, parts: Ints, up: Doubles, search: _Search, best: _Found
) -> Place | None:
    """The face where its features say that it is, if they are plain to see: the encoder is not
    certain. best: what it found.
    """
    if set(search.names) != set(NAMES):
        return None
    ahead = _front(up)
    axes = np.stack([np.cross(up, ahead), up, ahead])
    head = (
        np.ones(len(mesh.vertices), bool)
        if mesh.head_weights is None or not (mesh.head_weights > 0.5).any()
        else mesh.head_weights > 0.5
    )
    seen = features.landmarks(
        mesh.vertices.astype(np.float64) @ axes.T,
        mesh.triangles,
        group,
        parts,
        head & allowed(mesh),
    )
    if not seen:
        return None
    points = np.stack([seen[name] for name in search.names]) @ axes
    if mesh.landmarks:
        landmarks, frame = _corrected(mesh, search.names, points)
    else:
        own = frame_of_landmarks(dict(zip(search.names, points, strict=True)))
        landmarks, frame = search.mirrored_alike(own.to_canonical(points), own)
    confidence = max(best.confidence, FEATURED)
    warnings = (_doubted(confidence),) if confidence < DOUBT else ()
    return Place(
        mesh,
        group,
        parts,
        frame,
        search.names,
        landmarks,
        confidence,
        True,
        warnings,
        lambda: search.more(frame),
        search.mirrored_alike,
    )


def _doubted(confidence: float) -> str:
    return (
        f"The face is only {confidence:.0%} sure; look at the result, or name a vertex group that"
        " holds the face."
    )


def agreed(place: Place, mesh: AvatarMesh, encode: Encode) -> Place:
    """A place that was found in a part of a mesh, its landmarks as they are seen in all of it,
    where that is the same face: most heads that the encoder has learnt from have their hair. Sizes
    of gene and uka: 1.00 times their artist's; half-way between both 1.19 and 1.03. Landmarks of
    the user's stay.
    """
    if mesh.landmarks:
        return place
    parts = loose_parts(mesh.vertices, mesh.triangles)
    triangles = outward(mesh.vertices, mesh.triangles, parts)[
        all_corners(allowed(mesh), mesh.triangles)
    ]
    search = _Search(cloud_of(mesh.vertices, triangles, parts), encode, place.names)
    landmarks, frame, seen = search.landmarks(
        search.settle(_Found(place.frame, place.confidence)).frame
    )
    here, there = place.frame.to_object(place.landmarks), frame.to_object(landmarks)
    if not np.linalg.norm(here - there, axis=1).mean() < AGREED * place.frame.scale:
        return place
    return replace(place, frame=frame, landmarks=landmarks, more=lambda: seen)


def _corrected(
    mesh: AvatarMesh, names: Sequence[str], found: Floats | None
) -> tuple[Floats, Frame]:
    """Landmarks (L,3) in their own canonical frame, and that frame: the user's where given, else
    those found (L,3) in object space.
    """
    points = np.zeros((len(names), 3)) if found is None else found.astype(np.float64)
    for index, name in enumerate(names):
        if name in mesh.landmarks:
            points[index] = mesh.landmarks[name]
    named = dict(zip(names, points, strict=True))
    placed = {name: named[name] for name in names if name in mesh.landmarks}
    away = marks.distances(mesh.vertices, mesh.triangles, placed)
    wrong = marks.fault(named, placed, away, extent(mesh.vertices))
    if wrong:
        raise BackendError(
            "mesh_invalid", wrong, "Put each on its place on the face, or leave them out."
        )
    frame = frame_of_landmarks(named)
    return frame.to_canonical(points), frame


@dataclass(frozen=True)
class _Found:
    """A frame that may show a face. drawn: proposals from all around end there, and at least one of
    them looked like a face.
    """

    frame: Frame
    confidence: float
    drawn: bool = False


NOTHING = _Found(Frame(np.zeros(3), np.eye(3), 1.0), 0.0)


@dataclass(frozen=True)
class _Search:
    cloud: PointCloud
    encode: Encode
    names: tuple[str, ...]

    def look(
        self, frames: Sequence[Frame], count: int = COUNT, both: bool = False, redraw: bool = False
    ) -> tuple[Floats, Floats, Floats]:
        """Landmarks (B,L,3) in each frame, confidence (B,), and what else the encoder says (B,S),
        which must not depend on sides.

        both: look at the mirror images, too, and mirror the answers back: twice as many rows, those
        of the mirror images last. redraw: see other points of the surface in each frame.
        """
        clouds = (
            [self.cloud.redrawn(draw) for draw in range(len(frames))]
            if redraw
            else [self.cloud] * len(frames)
        )
        crops = [crop(cloud, frame, count) for cloud, frame in zip(clouds, frames, strict=True)]
        filled = [c if len(c) else np.zeros((1, CHANNELS), np.float32) for c in crops]
        points = np.stack([c[np.arange(count) % len(c)] for c in filled])
        latent, sure = self.encode(
            np.concatenate([points, points * POINT_MIRROR]) if both else points
        )
        sure = sure.reshape(-1)
        landmarks = latent[:, : 3 * len(self.names)].reshape(len(latent), -1, 3)
        if both:
            back = (
                landmarks[len(frames) :, [self.names.index(mirrored(n)) for n in self.names]]
                * MIRROR
            )
            landmarks = np.concatenate([landmarks[: len(frames)], back])
        enough = np.array([len(c) >= FEW for c in crops] * (2 if both else 1))
        return (
            landmarks,
            np.where(enough, sure, 0).astype(np.float32),
            latent[:, 3 * len(self.names) :],
        )

    def next_frame(self, frame: Frame, landmarks: Floats) -> Frame:
        """The canonical frame of landmarks (L,3) that were seen in a frame; the size changes by no
        more than the encoder has learnt.
        """
        found = frame_of_landmarks(
            dict(zip(self.names, frame.to_object(landmarks).astype(np.float64), strict=True))
        )
        return Frame(
            found.origin,
            found.rotation,
            float(np.clip(found.scale, frame.scale / 2.5, frame.scale * 2.5)),
        )

    def bared(
        self, frame: Frame, mesh: AvatarMesh, parts: Ints, inside: NDArray[np.bool_]
    ) -> Ints | None:
        """The triangles among those `inside` (T,) that are left when what looks like hair and worn
        things, seen from a frame, is taken away; None where nothing does.
        """
        if not set(NAMES) <= set(self.names):
            return None
        seen = frame.to_object(self.look([frame])[0][0])
        own = frame_of_landmarks(dict(zip(self.names, seen.astype(np.float64), strict=True)))
        if not own.scale > 0:
            return None
        at = dict(zip(self.names, own.to_canonical(seen), strict=True))
        canonical = own.to_canonical(mesh.vertices)
        if not np.isfinite(canonical).all():
            return None
        still = skin_and_still(canonical, mesh.triangles, parts, at, roles=mesh.roles)[1]
        left = inside & ~still[mesh.triangles[:, 0]]
        return mesh.triangles[left] if still.any() and left.sum() >= FEW else None

    def follow(self, proposals: Sequence[Frame], keep: int = KEEP, batch: int = 32) -> _Found:
        """Look at all proposals, follow the surest `keep`, return where most of them end if a face
        draws them there, else the surest end.

        On heads unlike those in training the landmarks may be right where the confidence is not:
        then every way leads to the same frame.
        """
        if not proposals:
            return NOTHING
        sure = np.concatenate(
            [
                self.look(proposals[i : i + batch], COARSE_COUNT)[1]
                for i in range(0, len(proposals), batch)
            ]
        )
        frames = [proposals[i] for i in np.argsort(-sure, kind="stable")[:keep]]
        glimpse = float(sure.max())
        for _ in range(FOLLOW):
            landmarks, sure, _more = self.look(frames, COARSE_COUNT)
            glimpse = max(glimpse, float(sure.max()))
            frames = [
                self.next_frame(f, points) for f, points in zip(frames, landmarks, strict=True)
            ]
        _landmarks, sure, _more = self.look(frames, COARSE_COUNT)
        together = [sum(_apart(one, other) < ALIKE for other in frames) for one in frames]
        glimpse = max(glimpse, float(sure.max()))
        if any(max(together) >= count and glimpse > least for count, least in DRAWN):
            middle = int(np.lexsort((-sure, -np.array(together)))[0])
            return _Found(frames[middle], float(sure[middle]), True)
        return _Found(frames[int(sure.argmax())], float(sure.max()))

    def judge(self, found: _Found, likely: bool) -> _Found:
        """The same frame, believed as far as its place is symmetric unless it was found in the
        likeliest direction; at least STEADY where it is symmetric and draws proposals.
        """
        share = self.mirror(found.frame)[2]
        sure = found.confidence * (
            1.0 if likely else float(smoothstep(*LOPSIDED, np.array([share]))[0])
        )
        steady = found.drawn and share > SYMMETRIC
        return _Found(found.frame, max(sure, STEADY) if steady else sure, steady)

    def settle(self, found: _Found) -> _Found:
        """Follow one frame with all points and with its mirror image until it rests.

        A crop's edge may let the same points in and out for ever; then the end is the middle of the
        last CYCLE steps. On a face unlike those in training the way may lead astray; then the
        surest frame on it is the end.
        """
        frame, last, best = found.frame, [], NOTHING
        for _ in range(SETTLE):
            landmarks, sure = self._both(frame)
            best = max(
                best, replace(found, frame=frame, confidence=sure), key=lambda f: f.confidence
            )
            following = self.next_frame(frame, landmarks)
            last.append(frame.to_object(landmarks))
            moved = (
                np.linalg.norm(following.origin - frame.origin) / frame.scale
                + np.abs(following.rotation - frame.rotation).max()
            )
            frame = following
            if moved < REST:
                break
        if sure < best.confidence - ASTRAY:
            return best
        if moved >= REST:
            frame = frame_of_landmarks(
                dict(zip(self.names, np.mean(last[-CYCLE:], axis=0), strict=True))
            )
        return replace(found, frame=frame, confidence=sure)

    def _both(self, frame: Frame) -> tuple[Floats, float]:
        """Landmarks (L,3) in a frame and confidence, the mean of what is seen directly and in the
        mirror, so that sides are treated alike.
        """
        (seen, other), (sure, other_sure), _more = self.look([frame], both=True)
        return (seen + other) / 2, float((sure + other_sure) / 2)

    def landmarks(self, frame: Frame) -> tuple[Floats, Frame, Floats]:
        """Landmarks (L,3) in their own canonical frame, that frame, and what else the encoder says
        (S,): the mean over slightly turned frames, each with a draw of points of its own, and their
        mirror images; by one draw alone they vary by a tenth of the eye's width.
        """
        turned = [
            Frame(frame.origin, _about(axis, angle) @ frame.rotation, frame.scale)
            for axis in range(3)
            for angle in (-JITTER, JITTER)
        ]
        near = within(frame.columns(self.cloud.positions), CROP_CENTRE, 1.2 * CROP_RADIUS)
        points, _sure, rows = replace(self, cloud=self.cloud[near]).look(
            turned, both=True, redraw=True
        )
        seen = np.mean(
            [f.to_object(p) for f, p in zip([*turned, *turned], points, strict=True)], axis=0
        )
        own = frame_of_landmarks(dict(zip(self.names, seen, strict=True)))
        return *self.mirrored_alike(own.to_canonical(seen), own), rows.mean(
            axis=0, dtype=np.float32
        )

    def more(self, frame: Frame) -> Floats:
        """What the encoder says beside landmarks and confidence (S,) of a frame whose landmarks are
        known: the mean of both sides.
        """
        return np.asarray(self.look([frame], both=True)[2].mean(axis=0), np.float32)

    def mirrored_alike(
        self, landmarks: Floats, frame: Frame, known: Collection[str] = ()
    ) -> tuple[Floats, Frame]:
        """The same landmarks and frame, both sides alike about the mirror plane where the face has
        one. known: those whose place is known better: where it is of one side, that one counts.
        """
        normal, offset, paired = self.mirror(frame)
        if paired < SYMMETRIC:
            return landmarks, frame
        swapped = landmarks[[self.names.index(mirrored(n)) for n in self.names]].astype(np.float64)
        swapped -= 2 * (swapped @ normal - offset)[:, None] * normal
        share = np.array([(1 + (n in known) - (mirrored(n) in known)) / 2 for n in self.names])[
            :, None
        ]
        seen = frame.to_object(share * landmarks + (1 - share) * swapped).astype(np.float64)
        own = frame_of_landmarks(dict(zip(self.names, seen, strict=True)))
        return own.to_canonical(seen), own

    def mirror(self, frame: Frame) -> tuple[Doubles, float, float]:
        """Normal (3,), offset and share of the face's mirror plane in a frame, see symmetry.py;
        share 0 where there are too few points.
        """
        columns = frame.columns(self.cloud.positions)
        near = np.flatnonzero(in_symmetric_region(columns.T))
        if len(near) < FEW:
            return np.array([1.0, 0, 0]), 0.0, 0.0
        if len(near) > PLANE.points:
            kept = np.argpartition(-self.cloud.priority[near], PLANE.points)[: PLANE.points]
            near = near[kept]
        near = near[np.argsort(-self.cloud.priority[near], kind="stable")]
        return mirror_plane(columns[:, near].T, frame.turn_to_canonical(self.cloud.normals[near]))


def _apart(one: Frame, other: Frame) -> float:
    """How far two frames lie apart: canonical units, sines of angles or the logarithm of their
    sizes, whichever is most.
    """
    if min(one.scale, other.scale) <= 0:
        return np.inf
    moved = np.linalg.norm(one.origin - other.origin) / one.scale
    return float(
        max(
            moved, np.abs(one.rotation - other.rotation).max(), abs(np.log(one.scale / other.scale))
        )
    )


def _same_face(one: Frame, other: Frame) -> bool:
    """Whether two frames may be of one face, whose eyes or mouth one of them misses."""
    near = np.linalg.norm(one.origin - other.origin) < BESIDE * other.scale
    return (
        bool(near)
        and abs(np.log(one.scale / other.scale)) < np.log(TWICE)
        and one.rotation[2] @ other.rotation[2] > 0
    )


def _hinted_cloud(mesh: AvatarMesh, triangles: Ints, cloud: PointCloud) -> PointCloud:
    """The part of the cloud where the head's weights say that the head is; all of it when there are
    none.
    """
    if mesh.head_weights is None:
        return cloud
    head = all_corners(mesh.head_weights > 0.5, triangles)
    if head.sum() < FEW:
        return cloud
    return cloud[head]


def _within(frame: Frame, head: PointCloud) -> bool:
    """Whether a frame's eyes lie in the box of what is taken for the head."""
    low, high = bounds(head.positions)
    room = MARGIN * float((high - low).max())
    return bool((frame.origin > low - room).all() and (frame.origin < high + room).all())


def _thinned(cloud: PointCloud) -> PointCloud:
    """The THIN points of the highest priority: crops keep the same points of what is left."""
    if len(cloud.priority) <= THIN:
        return cloud
    kept = np.argpartition(-cloud.priority, THIN)[:THIN]
    return cloud[kept]
