# SPDX-License-Identifier: GPL-3.0-or-later
"""What the encoder makes of crops: landmarks and confidence in a frame, and ways from frame to
frame to where the landmarks no longer move.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ..analyse.kinds import skin_and_still
from ..geometry.frame import Floats, Frame, frame_of_landmarks
from ..geometry.landmarks import NAMES, eye_wider_open, mirrored
from ..geometry.mesh import AvatarMesh, Ints
from ..geometry.ramp import smoothstep
from ..params.locate import CROP, SEARCH, TRUST
from .face_plane import FacePlane
from .points import CHANNELS, PointCloud, crop, in_crop
from .proposals import about

Encode = Callable[[Floats], tuple[Floats, Floats]]
MIRROR = np.array([-1, 1, 1], np.float32)
POINT_MIRROR = np.array([-1, 1, 1, -1, 1, 1, 1], np.float32)  # of a crop's point


@dataclass(frozen=True)
class Found:
    """A frame that may show a face. drawn: proposals from all around end there, and at least one of
    them looked like a face. seen: float32 (L,3), the landmarks that led there, in object space.
    rests: a way ends there; else it is the middle of one that goes on, and another beginning has
    another one.
    """

    frame: Frame
    confidence: float
    drawn: bool = False
    seen: Floats | None = None
    rests: bool = True


NOTHING = Found(Frame(np.zeros(3), np.eye(3), 1.0), 0.0)


@dataclass(frozen=True)
class EncoderSearch:
    """A cloud of points, the encoder that looks at crops of it, the names of its landmarks, and the
    mesh's vertices (V,3) where its mirror plane is wanted to their last digit. glances: proposals
    that were looked at, with the landmarks (L,3) that were seen in each.
    """

    cloud: PointCloud
    encode: Encode
    names: tuple[str, ...]
    vertices: Floats | None = None
    glances: list[tuple[Frame, Floats]] = field(default_factory=list)

    @cached_property
    def plane(self) -> FacePlane:
        """In which the face mirrors."""
        return FacePlane(self.cloud, self.vertices)

    def look(
        self,
        frames: Sequence[Frame],
        count: int | None = None,
        *,
        both: bool = False,
        redraw: bool = False,
    ) -> tuple[Floats, Floats, Floats]:
        """Landmarks (B,L,3) in each frame, confidence (B,), and what else the encoder says (B,S),
        which must not depend on sides.

        both: look at the mirror images, too, and mirror the answers back: twice as many rows, those
        of the mirror images last. redraw: see other points of the surface in each frame.
        """
        count = CROP.count if count is None else count
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
        enough = np.array([len(c) >= TRUST.fewest for c in crops] * (2 if both else 1))
        return (
            landmarks,
            np.where(enough, sure, 0).astype(np.float32),
            latent[:, 3 * len(self.names) :],
        )

    def next_frame(self, frame: Frame, landmarks: Floats) -> Frame:
        """The canonical frame of landmarks that were seen in a frame; the size changes by no more
        than the encoder has learnt.

        Args:
            frame: in which they were seen
            landmarks: float32 (L,3), canonical
        """
        found = frame_of_landmarks(
            dict(zip(self.names, frame.to_object(landmarks).astype(np.float64), strict=True))
        )
        return Frame(
            found.origin,
            found.rotation,
            float(
                np.clip(found.scale, frame.scale / SEARCH.size_step, frame.scale * SEARCH.size_step)
            ),
        )

    def bared(
        self, frame: Frame, mesh: AvatarMesh, parts: Ints, inside: NDArray[np.bool_]
    ) -> Ints | None:
        """The triangles (U,3) among some that are left when what looks like hair and worn things,
        seen from a frame, is taken away; None where nothing does.

        Args:
            frame: from which it is seen
            mesh: whole
            parts: int32 (V,), labels of the loose ones
            inside: bool (T,), the triangles that count
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
        return mesh.triangles[left] if still.any() and left.sum() >= TRUST.fewest else None

    def follow(
        self, proposals: Iterable[Sequence[Frame]], keep: int, enough: float = np.inf
    ) -> Found:
        """Look at proposals, follow the surest, return where most of them end if a face draws them
        there, else the surest end.

        On heads unlike those in training the landmarks may be right where the confidence is not:
        then every way leads to the same frame.

        Args:
            proposals: in groups, the likelier first
            keep: how many are followed
            enough: confidence above which no further group is looked at
        """
        frames: list[Frame] = []
        looks: list[tuple[Floats, Floats, Floats]] = []
        for group in proposals:
            for start in range(0, len(group), SEARCH.batch):
                frames.extend(group[start : start + SEARCH.batch])
                looks.append(self.look(group[start : start + SEARCH.batch], CROP.glance_count))
            if looks and looks[-1][1].max() > enough:
                break
        if not frames:
            return NOTHING
        landmarks, sure = (np.concatenate([look[part] for look in looks]) for part in (0, 1))
        self.glances.extend(zip(frames, landmarks, strict=True))
        glimpse = float(sure.max())
        first = np.argsort(-sure, kind="stable")[:keep]
        frames, landmarks = [frames[i] for i in first], landmarks[first]
        for _ in range(SEARCH.follow):
            frames = [
                self.next_frame(f, points) for f, points in zip(frames, landmarks, strict=True)
            ]
            landmarks, sure, _more = self.look(frames, CROP.coarse_count)
            glimpse = max(glimpse, float(sure.max()))
        together = [
            sum(frames_apart(one, other) < SEARCH.alike for other in frames) for one in frames
        ]
        drawn = (
            (SEARCH.drawn_some, SEARCH.drawn_some_sure),
            (SEARCH.drawn_all, SEARCH.drawn_all_sure),
        )
        if any(max(together) >= count and glimpse > least for count, least in drawn):
            end, drawn_there = int(np.lexsort((-sure, -np.array(together)))[0]), True
        else:
            end, drawn_there = int(sure.argmax()), False
        seen = frames[end].to_object(landmarks[end])
        return Found(frames[end], float(sure[end]), drawn_there, seen)

    def judge(self, found: Found, likely: bool) -> Found:
        """The same frame, believed as far as its place is symmetric unless it was found in the
        likeliest direction; at least SEARCH.steady where it is symmetric and draws proposals.
        """
        if likely and not found.drawn:
            return found
        share = self.plane.rough(found.frame)[2]
        balanced = smoothstep(SEARCH.lopsided_from, SEARCH.lopsided_to, np.array([share]))
        sure = found.confidence * (1.0 if likely else float(balanced[0]))
        steady = found.drawn and share > SEARCH.symmetric
        return replace(found, confidence=max(sure, SEARCH.steady) if steady else sure, drawn=steady)

    def settle(self, found: Found, rest: float | None = None, steps: int = SEARCH.settle) -> Found:
        """Follow one frame with all points and with its mirror image until it rests.

        Steps become shorter by about as much each time: where the next one would be shorter than
        SEARCH.foreseen, it is not asked for. A crop's edge may let the same points in and out for
        ever; then the end is the middle of the last SEARCH.cycle steps. On a face unlike those in
        training the way may lead astray; then the surest frame on it is the end.

        Args:
            found: where it begins
            rest: a shorter step is the last, SEARCH.rest without it
            steps: at most
        """
        rest = SEARCH.rest if rest is None else rest
        frame, passed, seen = found.frame, list[Found](), list[Floats]()
        before = np.inf
        for _ in range(steps):
            landmarks, sure = self._both(frame)
            passed.append(replace(found, frame=frame, confidence=sure))
            seen.append(frame.to_object(landmarks))
            following = self.next_frame(frame, landmarks)
            moved = (
                np.linalg.norm(following.origin - frame.origin) / frame.scale
                + np.abs(following.rotation - frame.rotation).max()
            )
            frame = following
            period = _period(passed, frame)
            resting = moved < rest or (
                moved < before < np.inf and moved * moved / before < SEARCH.foreseen
            )
            if resting or period:
                break
            before = moved
        best = max(range(len(passed)), key=lambda step: passed[step].confidence)
        while not resting and period and len(passed) < steps:  # as they would go on
            passed.append(passed[-period])
            seen.append(seen[-period])
        sure = passed[-1].confidence
        if sure < passed[best].confidence - SEARCH.astray:
            return replace(passed[best], seen=seen[best])
        if resting:
            return replace(found, frame=frame, confidence=sure, seen=seen[-1])
        middle = np.mean(seen[-SEARCH.cycle :], axis=0)
        frame = frame_of_landmarks(dict(zip(self.names, middle, strict=True)))
        return replace(found, frame=frame, confidence=sure, seen=middle, rests=bool(period))

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
        jitter = np.radians(SEARCH.jitter)
        turned = [
            Frame(frame.origin, about(axis, angle) @ frame.rotation, frame.scale)
            for axis in range(3)
            for angle in (-jitter, jitter)
        ]
        near = in_crop(frame.columns(self.cloud.positions), SEARCH.jitter_room)
        points, _sure, rows = replace(self, cloud=self.cloud[near]).look(
            turned, both=True, redraw=True
        )
        seen = np.mean(
            [f.to_object(p) for f, p in zip([*turned, *turned], points, strict=True)], axis=0
        )
        own = frame_of_landmarks(dict(zip(self.names, seen, strict=True)))
        found = own.to_canonical(seen)
        known = eye_wider_open(self.names, found, SEARCH.eyes_alike)  # lids at rest, the other shut
        return *self.mirrored_alike(found, own, known), rows.mean(axis=0, dtype=np.float32)

    def more(self, frame: Frame) -> Floats:
        """What the encoder says beside landmarks and confidence (S,) of a frame whose landmarks are
        known: the mean of both sides.
        """
        return np.asarray(self.look([frame], both=True)[2].mean(axis=0), np.float32)

    def mirrored_alike(
        self, landmarks: Floats, frame: Frame, known: Collection[str] = ()
    ) -> tuple[Floats, Frame]:
        """The same landmarks and frame, both sides alike about the mirror plane where the face has
        one.

        Args:
            landmarks: float32 (L,3), canonical
            frame: of the landmarks
            known: names of those whose place is known better: where it is of one side, that one
                counts
        """
        normal, offset, paired = self.plane.exact(frame, SEARCH.symmetric)
        if paired < SEARCH.symmetric:
            return landmarks, frame
        swapped = landmarks[[self.names.index(mirrored(n)) for n in self.names]].astype(np.float64)
        swapped -= 2 * (swapped @ normal - offset)[:, None] * normal
        share = np.array([(1 + (n in known) - (mirrored(n) in known)) / 2 for n in self.names])[
            :, None
        ]
        alike = share * landmarks + (1 - share) * swapped
        # not rounded to float32: a body is large beside its face
        seen = alike @ frame.rotation * frame.scale + frame.origin
        own = frame_of_landmarks(dict(zip(self.names, seen, strict=True)))
        return own.to_canonical(seen), own


def _period(passed: Sequence[Found], frame: Frame) -> int:
    """After how many steps a way comes back to a frame that it has passed; 0 where it does not."""
    for back, one in enumerate(reversed(passed), 1):
        if frames_apart(one.frame, frame) < SEARCH.again:
            return back
    return 0


def frames_apart(one: Frame, other: Frame) -> float:
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
