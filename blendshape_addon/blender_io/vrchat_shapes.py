# SPDX-License-Identifier: GPL-3.0-or-later
"""The VRChat check of what shapes move: visemes, lids, what is too small to be seen, and how large
all of it is. Imports no bpy.
"""

from __future__ import annotations

import lzma
from collections.abc import Mapping

import numpy as np

from .naming import ALIASES
from .vrchat_avatar import Avatar, Floats, same_shape
from .vrchat_words import PLATFORMS, Finding, Names, say

DOWNLOAD_MB = {"PC": 200, "Android and iOS": 10}
UNITY_BYTES = (
    40  # of one vertex in one blend shape: its index, and what place, normal and tangent change by
)
# of these the index and the place, which is what can be compressed here to see how well that goes
COMPRESSED = 16
DUST = 1e-6  # of the avatar's largest extent: nobody sees a movement as small as this
CLOSED = 1.1  # how far lids may go, 1 being closed
LIDS = 0.5  # of a blink's largest movement: what counts as the lids
PAIRS = (
    ("eyeBlink", 0.9, "eyeSquint", 1.0),
    ("eyeBlink", 0.9, "mouthSmile", 1.0),
)  # what face tracking drives together
SIDES = ("Left", "Right")


def check_visemes(avatar: Avatar, moving: Mapping[str, Floats]) -> list[Finding]:
    by_case = {name.casefold(): name for name in avatar.offsets}
    visemes = avatar.sets["vrchat"]
    have = {name: by_case[name.casefold()] for name in visemes if name.casefold() in by_case}
    missing = [name for name in visemes if name not in have]
    if len(missing) == len(visemes):
        return [
            Finding(
                "visemes", "error", (say("visemes_none", count=len(visemes) - 1),), "make_visemes"
            )
        ]
    found = []
    if missing:
        told = say("visemes_missing", count=len(missing), all=len(visemes), names=Names(missing))
        found.append(Finding("visemes", "error", (told,), "make_visemes", tuple(missing)))
    empty = [key for key in have.values() if not moving[key].max(initial=0.0) > 0]
    if empty:
        found.append(
            Finding(
                "visemes_empty",
                "error",
                (say("visemes_empty", names=Names(empty)),),
                "fill_visemes",
                tuple(empty),
            )
        )
    alike = []
    keys = [key for key in have.values() if key not in empty]
    for number, first in enumerate(keys):
        same = [
            second
            for second in keys[number + 1 :]
            if same_shape(avatar.offsets[first], avatar.offsets[second])
        ]
        alike += [say("pair", names=Names([first, second], all_=True)) for second in same]
    if alike:
        found.append(
            Finding("visemes_alike", "warning", (say("visemes_alike", names=Names(alike)),))
        )
    if not found:
        found.append(Finding("visemes", "ok", (say("visemes", count=len(visemes)),)))
    for sdk, template in ALIASES.items():
        if sdk in have and template not in avatar.offsets:
            found.append(
                Finding(
                    "viseme_alias",
                    "note",
                    (say("viseme_alias", name=template, usual=sdk),),
                    "add_alias",
                    (have[sdk],),
                )
            )
    return found


def check_size(avatar: Avatar, moving: Mapping[str, Floats]) -> list[Finding]:
    if not avatar.offsets:
        return []
    pairs = sum(int((way > 0).sum()) for way in moving.values())
    everything = sum(len(way) for way in moving.values())
    raw = pairs * UNITY_BYTES / 1e6
    download = raw * _compressibility(avatar.offsets)
    share = 100 * pairs / max(everything, 1)
    told = [
        say(
            "size",
            count=len(avatar.offsets),
            share=f"{share:.0f}",
            raw=f"{raw:.1f}",
            download=f"{download:.1f}",
        )
    ]
    small = [platform for platform, most in DOWNLOAD_MB.items() if download > most / 2]
    if small:
        told.append(
            say("size_large", names=Names([say(PLATFORMS[name]) for name in small], all_=True))
        )
    found = [Finding("size", "warning" if small else "ok", tuple(told))]
    limit = np.float32(DUST * avatar.extent)
    dusty = {
        name: int(((way > 0) & (way <= limit)).sum())
        for name, way in moving.items()
        if way.max(initial=0.0) > limit
    }
    dust = sum(dusty.values())
    if dust > pairs // 20:
        cost = say("dust", count=dust, cost=f"{dust * UNITY_BYTES / 1e6:.1f}")
        found.append(
            Finding(
                "dust",
                "warning",
                (cost,),
                "clean_keys",
                tuple(name for name, count in dusty.items() if count),
            )
        )
    return found


def _compressibility(offsets: Mapping[str, Floats], sample: int = 4) -> float:
    """Compressed by uncompressed size of some of the shapes as Unity stores them: Unity's asset
    bundles are compressed with LZMA.
    """
    chosen = list(offsets.values())[:: max(1, len(offsets) // sample)][:sample]
    data = b""
    for points in chosen:
        rows = np.flatnonzero(points.any(axis=1)).astype(np.int32)
        data += rows.tobytes() + np.ascontiguousarray(points[rows]).tobytes()
    return len(lzma.compress(data, preset=0)) / len(data) if data else 0.0


def lid_travel(blink: Floats, blink_value: float, other: Floats, value: float) -> float:
    """How far lids go when both shapes are driven at once, along the way of the blink: 1 is where
    the blink alone closes them.
    """
    length = np.linalg.norm(blink, axis=1)
    lids = length > LIDS * length.max(initial=0.0)
    if not lids.any():
        return 0.0
    way = blink[lids]
    together = np.float32(blink_value) * way + np.float32(value) * other[lids]
    return float((together * way).sum() / (way * way).sum())


def check_blinks(avatar: Avatar) -> list[Finding]:
    found, fine = [], 0
    for blink, blink_value, other, value in PAIRS:
        for side in SIDES:
            first, second = blink + side, other + side
            if first not in avatar.offsets or second not in avatar.offsets:
                continue
            travel = lid_travel(avatar.offsets[first], blink_value, avatar.offsets[second], value)
            if travel > CLOSED:
                told = say(
                    "blink_conflict", first=first, second=second, share=f"{100 * travel:.0f}"
                )
                found.append(Finding("blink_conflict", "warning", (told,), "", (first, second)))
            else:
                fine += 1
    if fine and not found:
        return [Finding("blink_conflict", "ok", (say("blink_fine"),))]
    return found
