# SPDX-License-Identifier: GPL-3.0-or-later
"""Sizes of shapes by what makers do, in the face's own units: a timid direction is not a timid
shape.

A model that is not certain of a direction makes shapes small, since that errs least. So each
condition's shape is measured, by how far it goes where it goes farthest and by what it is for
(`shapes/figures.py`), and scaled towards what makers of such heads do. Directions stay; contacts
come afterwards and keep the last word. What makers do is in sizes.json, written by
scripts/train/sizes.py; docs/experiments/training.md says what was tried.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from ..geometry.frame import Floats
from ..geometry.mesh import squared
from ..geometry.ticks import tick
from ..params.correct import SIZES
from ..shapes import figures
from ..shapes.figures import Places, Rows

TABLE = Path(__file__).with_name("sizes.json")
STYLE = 0.5  # makers' median; 0 is their lower quartile, 1 their upper one
FREE = (
    "eyeBlink",
    "eyeLook",
    "mouthClose",
    "tongueOut",
)  # what contacts and rigid parts size: how far is seen on the mesh
# what makers of drawn heads are no bolder with than their medians say
PLAIN = ("eye", "jawForward", "jawLeft", "jawRight")


@dataclass(frozen=True)
class Spread:
    """What makers do: how many, and the quartiles and the median of a size."""

    count: int
    low: float
    middle: float
    high: float


@dataclass(frozen=True)
class Row:
    """Sizes of a condition without its side.

    Args:
        unit: of its peak, W, H or E as in figures.py
        peak: of makers
        drawn, others: figure -> what heads of that kind do
    """

    unit: str
    peak: Spread
    drawn: Mapping[str, Spread]
    others: Mapping[str, Spread]


@cache
def table() -> Mapping[str, Row]:
    """The rows by condition, those of both sides without the side's name."""

    def spreads(found: Mapping[str, list[float]]) -> dict[str, Spread]:
        return {
            name: Spread(int(count), low, middle, high)
            for name, (count, low, middle, high) in found.items()
        }

    rows = json.loads(TABLE.read_text(encoding="utf-8"))
    return {
        n: Row(
            row["unit"],
            spreads({"": row["peak"]})[""],
            spreads(row["drawn"]),
            spreads(row["others"]),
        )
        for n, row in rows.items()
    }


def kind(condition: str) -> str:
    """The name under which a condition is in the table: without its side where it has one."""
    return (
        condition
        if figures.side_of(condition) == figures.BOTH
        else condition.removesuffix("Left").removesuffix("Right")
    )


def peak(offsets: Floats, ones: Rows | None = None) -> float:
    """How far a shape goes where it goes farthest, canonical; 0 where it moves nothing. A few stray
    vertices do not count.

    Args:
        offsets: float32 (F,3)
        ones: (G,), one vertex for each place; without it all
    """
    count = len(offsets) if ones is None else len(ones)
    step = max(1, count // SIZES.peak_vertices)
    far = squared(offsets[::step] if ones is None else offsets[ones[::step]])
    most = float(far.max(initial=0))
    some = far[far > SIZES.peak_moved**2 * most]
    rank = int(SIZES.peak_quantile * (len(some) - 1))
    return math.sqrt(float(np.partition(some, rank)[rank])) if most > 1e-12 else 0.0


def sized(
    places: Places,
    drawn: float,
    shapes: Mapping[str, Floats],
    rig: float = 0.0,
    style: float = STYLE,
) -> dict[str, float]:
    """Scale shapes, in place, to makers' sizes. Both sides get one factor; mouthClose goes with
    jawOpen.

    Args:
        places: where figures are read
        drawn: of `goals.drawn`, 0 to 1
        shapes: condition -> offsets float32 (F,3), canonical
        rig: 0 to 1, how far the head keeps the sizes that the model gives it, since it surely is
            one of the training rigs'
        style: 0 subtle, STYLE makers' median, 1 bold

    Returns:
        The factors by condition.
    """
    rows = table()
    names = [name for name in shapes if kind(name) in rows and not name.startswith(FREE)]
    unit = {"W": places.width, "H": sum(places.tall) / 2, "E": sum(places.long) / 2}
    found = figures.figures(places, [shapes[name] for name in names])
    lacking: dict[str, list[float]] = {}
    for number, name in enumerate(names):
        row, side = rows[kind(name)], figures.side_of(name)
        tick()
        far = peak(shapes[name], places.ones) / unit[row.unit]
        if far > 0:
            own = {n: float(found[n][number, side]) for n in {**row.drawn, **row.others}}
            lacking.setdefault(kind(name), []).append(_lack(row, far, own, drawn))
    factors = {}
    for name in names:
        if kind(name) in lacking:
            lack = float(np.mean(lacking[kind(name)]))
            bold = 0.0 if name.startswith(PLAIN) else drawn * math.log(SIZES.bold)
            lack *= 1 - SIZES.stays * drawn if lack < 0 else 1
            more = (
                0.0
                if lack > math.log(SIZES.noise)
                else float(np.clip(lack + bold, math.log(SIZES.least), math.log(SIZES.most)))
            )
            factors[name] = math.exp((1 - rig) * more + _stretch(rows[kind(name)], drawn, style))
    if "jawOpen" in factors:
        open_ = float(found["open"][names.index("jawOpen"), figures.BOTH]) * factors["jawOpen"]
        factors["jawOpen"] *= min(1.0, figures.parted(places) / max(open_, 1e-6)) ** (1 - rig)
    if "jawOpen" in factors and "mouthClose" in shapes:
        factors["mouthClose"] = factors["jawOpen"]
    for name, factor in factors.items():
        shapes[name] *= np.float32(factor)
    return factors


def goal(row: Row, name: str, drawn: float) -> tuple[float, float]:
    """Logarithm of what makers do by a figure, and how many heads say so."""
    logs, weights = [], []
    for own, share in ((row.drawn, drawn), (row.others, 1 - drawn)):
        if name in own:
            logs.append(math.log(own[name].middle))
            weights.append(
                share * min(own[name].count, SIZES.many_heads) + (1 - share) * SIZES.other_kind
            )
    total = sum(weights)
    return sum(log * weight for log, weight in zip(logs, weights, strict=True)) / total, total


def _lack(row: Row, far: float, own: Mapping[str, float], drawn: float) -> float:
    """Logarithm of the factor that a shape is too small by. far: its peak, own: its figures, in the
    face's units.
    """
    lacks, weights = [math.log(row.peak.middle / far)], [float(row.peak.count)]
    if own:
        goals = {name: goal(row, name, drawn) for name in own}
        wanted, own_figures = (
            np.array([math.exp(log) for log, _ in goals.values()]),
            np.array(list(own.values())),
        )
        length, reached = float(np.linalg.norm(wanted)), float(np.linalg.norm(own_figures))
        if wanted @ own_figures > SIZES.alike * length * reached and reached > SIZES.tiny * length:
            sure = float(
                np.clip(
                    (reached / far - SIZES.beside_from) / (SIZES.beside_to - SIZES.beside_from),
                    0,
                    1,
                )
            )
            lacks.append(math.log(length / reached))
            weights.append(
                SIZES.figure_weight * sure * sum(count for _, count in goals.values()) / len(goals)
            )
    return float(np.average(lacks, weights=weights))


def _stretch(row: Row, drawn: float, style: float) -> float:
    """Logarithm of the factor of a style: half of makers' quartiles' ratio at its ends."""
    if style == STYLE:
        return 0.0
    spreads = [
        (s, share)
        for own, share in ((row.drawn, drawn), (row.others, 1 - drawn))
        for s in own.values()
        if s.low > 0 and share > 0
    ]
    if not spreads:
        spreads = [(row.peak, 1.0)]
    wide = float(
        np.average(
            [math.log(s.high / s.low) / 2 for s, _ in spreads],
            weights=[share for _, share in spreads],
        )
    )
    return (style - STYLE) / STYLE * min(wide, math.log(SIZES.widest))
