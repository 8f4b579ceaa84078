# SPDX-License-Identifier: GPL-3.0-or-later
"""From names that trackers send to keys of a mesh: ARKit, Unified Expressions with the combined
parameters of VRCFaceTracking, and VRM's expressions, each to whichever of them the mesh has.

Names are compared folded: without case, separators and the way to write a side.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..blender_io import naming

_SHAPES = Path(__file__).resolve().parents[2] / "backend" / "face" / "shapes" / "shape_sets.json"
Mix = tuple[tuple[str, float], ...]  # folded names with their weights
# Parameters with two ends: what is positive and what is negative, for each side that is put after
_TWO_ENDS = (
    ("JawX", "JawRight", "JawLeft", ("",)),
    ("JawZ", "JawForward", "JawBackward", ("",)),
    ("MouthX", "MouthRight", "MouthLeft", ("",)),
    ("MouthUpperX", "MouthUpperRight", "MouthUpperLeft", ("",)),
    ("MouthLowerX", "MouthLowerRight", "MouthLowerLeft", ("",)),
    ("TongueX", "TongueRight", "TongueLeft", ("",)),
    ("TongueY", "TongueUp", "TongueDown", ("",)),
    ("TongueArchY", "TongueCurlUp", "TongueBendDown", ("",)),
    ("TongueShape", "TongueFlat", "TongueSquish", ("",)),
    ("SmileFrown", "MouthSmile", "MouthFrown", ("", "Left", "Right")),
    ("SmileSad", "MouthSmile", "MouthSad", ("", "Left", "Right")),
    ("CheekPuffSuck", "CheekPuff", "CheekSuck", ("", "Left", "Right")),
    ("BrowExpression", "BrowUp", "BrowDown", ("", "Left", "Right")),
    ("MouthTightenerStretch", "MouthTightener", "MouthStretch", ("", "Left", "Right")),
    ("MouthCornerY", "MouthCornerSlant", "MouthFrown", ("", "Left", "Right")),
    ("LipSuckFunnelUpper", "LipSuckUpper", "LipFunnelUpper", ("", "Left", "Right")),
    ("LipSuckFunnelLower", "LipSuckLower", "LipFunnelLower", ("", "Left", "Right")),
)
_TRACKING = ("arkit", "unified", "sranipal")  # sets of shape_sets.json that trackers send
_SPOKEN = ("vrm1", "vrm0", "vrchat")
folded = functools.lru_cache(maxsize=2048)(naming.folded)  # a tracker sends the same all the time
_OPEN = 0.75  # of EyeLid, where the eye is open and not yet wide


@dataclass(frozen=True)
class _Table:
    """same: folded name -> others for the same shape. mixes: folded name -> what it is a mean of,
    with weights.
    """

    same: Mapping[str, tuple[str, ...]]
    mixes: Mapping[str, Mix]


class Routes:
    """Which keys follow which tracked names. Of keys for one shape one follows, else it would move
    twice: of the tracking standards the one that the mesh has most of, whose wholes rest where it
    has their parts, then VRM's, then visemes, then the user's own.
    """

    def __init__(self, keys: Iterable[str]) -> None:
        chosen = _chosen(list(keys))
        there = {folded(key) for key in chosen}
        self._ways = {key: tuple(_ways(key, there)) for key in chosen}
        self.heard = frozenset(
            name for ways in self._ways.values() for mix in ways for name, _weight in mix
        )

    def known(self, name: str) -> bool:
        """Whether a name that is sent moves a key."""
        return any(part in self.heard for part, _value in spread(name, 0.0))

    def values(self, tracked: Mapping[str, float]) -> dict[str, float]:
        """Key -> its value, 0 to 1, for those that something that is tracked moves. tracked: folded
        name -> value.
        """
        found: dict[str, float] = {}
        for key, ways in self._ways.items():
            for mix in ways:
                there = [(tracked[name], weight) for name, weight in mix if name in tracked]
                if there:
                    total = sum(weight for _value, weight in there)
                    value = sum(value * weight for value, weight in there) / total
                    found[key] = min(max(value, 0.0), 1.0)
                    break
        return found


def spread(name: str, value: float) -> Iterator[tuple[str, float]]:
    """Folded names and values of what is sent under a name: itself, or for a combined parameter
    what it is combined of.
    """
    word = folded(name)
    ends = _combined().get(word)
    if ends is not None:
        for sign, names in zip((1.0, -1.0), ends, strict=True):
            yield from ((end, max(sign * value, 0.0)) for end in names)
        return
    for kind in ("eyelid", "eyeopen"):
        if word.startswith(kind):
            side = word.removeprefix(kind)
            if side in ("", "left", "right"):
                lid = value if kind == "eyelid" else value * _OPEN
                for each in (side,) if side else ("left", "right"):
                    yield f"eyeclosed{each}", 1.0 - min(max(lid, 0.0) / _OPEN, 1.0)
                    if kind == "eyelid":
                        yield f"eyewide{each}", max(lid - _OPEN, 0.0) / (1.0 - _OPEN)
                return
    yield word, value


def spread_all(sent: Mapping[str, float]) -> dict[str, float]:
    """The same of all that is sent at once, as `Routes.values` takes it."""
    return {part: each for name, value in sent.items() for part, each in spread(name, value)}


@functools.cache
def _combined() -> Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]]:
    """Folded parameter -> folded names of its positive and of its negative end."""
    found: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
        f"{name}{side}".casefold(): ((f"{plus}{side}".casefold(),), (f"{minus}{side}".casefold(),))
        for name, plus, minus, sides in _TWO_ENDS
        for side in sides
    }
    look = "eyelook{}{}".format
    for side, right in (("left", ("in", "out")), ("right", ("out", "in"))):
        found[f"eye{side}x"] = ((look(right[0], side),), (look(right[1], side),))
        found[f"eye{side}y"] = ((look("up", side),), (look("down", side),))
    for axis in "xy":
        each = [found[f"eye{side}{axis}"] for side in ("left", "right")]
        found[f"eye{axis}"] = (each[0][0] + each[1][0], each[0][1] + each[1][1])
    return found


def _chosen(keys: Sequence[str]) -> list[str]:
    """The keys that are driven."""
    sets, by_name = _sets(), {}
    for key in reversed(keys):
        by_name[folded(key)] = key  # of several the first
    shares = {
        name: sum(folded(shape) in by_name for shape in sets[name]) / len(sets[name])
        for name in _TRACKING
    }
    best = max(_TRACKING, key=shares.__getitem__)
    of_best = {name for shape in sets[best] if (name := folded(shape)) in by_name}
    of_others = {folded(shape) for name in _TRACKING for shape in sets[name]}
    wanted = [shape for name in (best, *_SPOKEN) for shape in sets[name]]
    wanted += [key for key in keys if folded(key) not in of_others]
    table, taken, found = _table(), set[str](), []
    for shape in wanted:
        key = shape if shape in keys else by_name.get(folded(shape), "")
        own = {folded(shape), _alone().get(shape, folded(shape))}
        own |= {other for name in own for other in table.same.get(name, ())}
        parts = [part for part, _weight in table.mixes.get(folded(shape), ())]
        if key and not own & taken and not (parts and of_best.issuperset(parts)):
            taken |= own
            found.append(key)
    return found


def _ways(key: str, there: Collection[str]) -> Iterator[Mix]:
    """The mixes of tracked names that a key may follow, those that say most first. there: folded
    names of the keys that are driven.
    """
    table, name = _table(), folded(key)
    name = _alone().get(key, name)
    own = (name, *table.same.get(name, ()))
    yield from (((each, 1.0),) for each in own)
    yield from (table.mixes[each] for each in own if each in table.mixes)
    parts = [{part for part, _weight in table.mixes.get(each, ((each, 1.0),))} for each in own]
    above = [
        (len(mix), whole)
        for whole, mix in table.mixes.items()
        if whole not in own
        and whole not in there
        and any(some <= {part for part, _weight in mix} for some in parts)
    ]
    for _size, whole in sorted(above):
        yield from (((each, 1.0),) for each in (whole, *table.same.get(whole, ())))


@functools.cache
def _sets() -> Mapping[str, Any]:
    read: Any = json.loads(_SHAPES.read_text(encoding="utf-8"))["sets"]
    return {name: entry["shapes"] for name, entry in read.items()}


@functools.cache
def _table() -> _Table:
    read: Any = json.loads(Path(__file__).with_name("names.json").read_text(encoding="utf-8"))
    pairs = [
        (folded(one), folded(other))
        for kind in ("same", "vrm", "visemes")
        for one, other in read[kind].items()
    ]
    pairs += [(f"eyeblink{side}", f"blink{side}") for side in ("left", "right")]
    groups: dict[str, set[str]] = {}
    for one, other in pairs:
        joined = groups.get(one, {one}) | groups.get(other, {other})
        for name in joined:
            groups[name] = joined
    mixes = {
        folded(whole): tuple((folded(part), float(weight)) for part, weight in mix.items())
        for whole, mix in read["blended"].items()
    }
    mixes["blink"] = tuple((f"eyeblink{side}", 1.0) for side in ("left", "right"))
    same = {name: tuple(sorted(group - {name})) for name, group in groups.items()}
    return _Table(same, mixes)


@functools.cache
def _alone() -> Mapping[str, str]:
    """Keys of sets that are one condition as it is -> its folded name: SRanipal's Jaw_Open is
    jawOpen.
    """
    return {
        key: folded(next(iter(row)))
        for key, row in _sets()["sranipal"].items()
        if list(row.values()) == [1.0]
    }
