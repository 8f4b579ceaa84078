# SPDX-License-Identifier: GPL-3.0-or-later
"""A face that the encoder does not believe: it sees landmarks right on many a head whose confidence
it misjudges. Where a face is, a look hardly moves the frame, ways from around end there, and the
mesh has two open eyes and lips in the places of the landmarks.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from ..geometry.frame import Doubles, Floats, Frame
from ..params.locate import CROP, FINDING, SEARCH
from .encoder_search import EncoderSearch, Found, frames_apart
from .face import Place
from .places import Asked, place_of
from .to_openings import borne_out


def by_rest(
    asked: Asked, search: EncoderSearch, coarse: EncoderSearch, up: Doubles
) -> Place | None:
    """The place where ways from what was glanced at come to rest, if the mesh bears it out; where
    most of them end, first.

    Args:
        asked: the mesh
        search: that looks at all points
        coarse: that looks at few, and has looked at proposals
        up: float (3,), unit
    """
    frames = _ends(coarse)
    together = [sum(frames_apart(one, other) < SEARCH.alike for other in frames) for one in frames]
    tried: list[Frame] = []
    for number in np.argsort(-np.array(together), kind="stable"):
        frame = frames[number]
        if together[number] < SEARCH.resting_together:
            break
        if any(frames_apart(frame, other) < SEARCH.alike for other in tried):
            continue
        tried.append(frame)
        if coarse.plane.rough(frame)[2] < SEARCH.symmetric:
            continue
        found = search.settle(Found(frame, FINDING.rested))
        found = replace(found, confidence=max(found.confidence, FINDING.rested))
        place = place_of(asked, search, found, up)
        if borne_out(place):
            return place
    return None


def _ends(coarse: EncoderSearch) -> list[Frame]:
    """Where ways from the proposals end that a look moved least, nearest to rest first: of those of
    the likelier directions, which were looked at first.
    """
    glances = coarse.glances[: SEARCH.resting_among]
    frames = _followed(coarse, [frame for frame, _ in glances], [seen for _, seen in glances])
    frames = frames[: SEARCH.resting]
    for _ in range(SEARCH.follow):
        if not frames:
            break
        frames = _followed(coarse, frames, coarse.look(frames, CROP.coarse_count)[0])
        frames = frames[: SEARCH.resting_on]
    return frames


def _followed(
    coarse: EncoderSearch, frames: Sequence[Frame], landmarks: Iterable[Floats]
) -> list[Frame]:
    """The frames of landmarks (L,3) that were seen in frames, that which moved least first; without
    those that are lost.
    """
    following = [coarse.next_frame(f, seen) for f, seen in zip(frames, landmarks, strict=True)]
    moved = np.array([frames_apart(f, other) for f, other in zip(frames, following, strict=True)])
    first = np.argsort(moved, kind="stable")
    least = np.finfo(np.float32).tiny
    sound = [np.isfinite(moved[k]) and frames[k].scale > least for k in first]
    return [following[k] for k, some in zip(first, sound, strict=True) if some]
