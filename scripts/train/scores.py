# SPDX-License-Identifier: GPL-3.0-or-later
"""How near offsets come to an artist's shapes on one head: a row per shape and their mean."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from backend.face.geometry.landmarks import NAMES
from backend.face.geometry.mesh import loose_parts

from ..samples.rig import Floats, Rig
from .edges import opening_of
from .measures import contact_measures, mirror_error

SIDED = (
    "mouthSmile",
    "mouthFrown",
    "mouthStretch",
    "mouthUpperUp",
    "eyeWide",
    "eyeBlink",
    "eyeSquint",
    "eyeLookDown",
)


CORE = {*(f"{n}{s}" for n in SIDED for s in ("Left", "Right"))} | {
    *(
        "jawOpen",
        "jawForward",
        "mouthLeft",
        "mouthRight",
        "mouthPucker",
        "mouthShrugUpper",
        "mouthRollUpper",
        "cheekPuff",
    )
}


def region_of(rig: Rig) -> NDArray[np.bool_]:
    """Vertices (V,) bool of the loose parts that some shape moves, near the face where the head is
    an avatar's.
    """
    parts = loose_parts(rig.vertices, rig.triangles)
    moved = np.zeros(len(rig.vertices), bool)
    for offsets in (*rig.shapes.values(), *(offsets for _weights, offsets in rig.mixes)):
        moved |= np.linalg.norm(offsets, axis=1) > 1e-5 * np.ptp(rig.vertices[:, 1])
    inside = np.isin(parts, np.unique(parts[moved]))
    low = np.quantile(rig.vertices[moved, 1], 0.01)
    return np.asarray(inside & (rig.vertices[:, 1] > low - 0.5 * np.ptp(rig.vertices[moved, 1])))


def shape_row(
    wanted: Floats, got: Floats, still: NDArray[np.bool_], unit: float
) -> dict[str, float]:
    """Measures of one shape over the region. wanted, got (R,3); still (R,): what no shape moves;
    unit: 1/1000 of the radius.
    """
    size, error = np.linalg.norm(wanted, axis=1), np.linalg.norm(got - wanted, axis=1)
    product, power, own = (
        float((got * wanted).sum()),
        float((wanted**2).sum()),
        float((got**2).sum()),
    )
    top = size >= np.quantile(size[size > 0], 0.9)
    return {
        "zero": float(size.mean()) / unit,
        "mae": float(error.mean()) / unit,
        "q95": float(np.quantile(error, 0.95)) / unit,
        "cos": product / max((power * own) ** 0.5, 1e-18),
        "gain": product / max(power, 1e-18),
        "close": float((got[top] * wanted[top]).sum() / max((wanted[top] ** 2).sum(), 1e-18)),
        "leak": float(np.linalg.norm(got[still], axis=1).mean()) / unit if still.any() else 0.0,
    }


def marks_error(rig: Rig, marks: Mapping[str, Floats]) -> float:
    """Mean distance of landmarks (3,) from the rig's own, as part of the eyes' width; nan for
    none.
    """
    true = rig.landmarks(rig.vertices, rig.shapes)
    wide = np.mean(
        [np.linalg.norm(true[f"eye_outer_{s}"] - true[f"eye_inner_{s}"]) for s in ("left", "right")]
    )
    return (
        float(np.mean([np.linalg.norm(true[n] - marks[n]) for n in NAMES]) / wide)
        if marks
        else float("nan")
    )


def cosine(one: Floats, other: Floats) -> float:
    return float(
        (one * other).sum() / max(float(np.linalg.norm(one) * np.linalg.norm(other)), 1e-18)
    )


def score(
    rig: Rig, got: Mapping[str, Floats], marks: Mapping[str, Floats]
) -> tuple[dict[str, float], dict[str, dict[str, float]]]:
    """The table's row of one head, and a row per shape, for offsets (V,3) by name and landmarks
    (3,) by name in the rig's space.
    """
    region = region_of(rig)
    inside = rig.vertices[region]
    unit = 0.5 * float(np.linalg.norm(np.ptp(inside, axis=0))) / 1000
    still = np.ones(len(inside), bool)
    for offsets in (*rig.shapes.values(), *(offsets for _weights, offsets in rig.mixes)):
        still &= np.linalg.norm(offsets[region], axis=1) <= 0.01 * unit
    rows = {
        name: shape_row(offsets[region], got[name][region], still, unit)
        for name, offsets in rig.shapes.items()
    }
    mean = {
        key: float(np.mean([row[key] for row in rows.values()]))
        for key in ("zero", "mae", "q95", "cos", "leak")
    }
    mean["rel"] = mean["mae"] / mean["zero"]
    mean["core"] = float(np.mean([row["cos"] for name, row in rows.items() if name in CORE]))
    mean["close"] = float(np.mean([row["close"] for name, row in rows.items() if "Blink" in name]))
    jaw = opening_of(rig)
    mean["jawOpen"] = (
        cosine(jaw[region], got["jawOpen"][region]) if jaw is not None else float("nan")
    )
    mean["marks"] = marks_error(rig, marks)
    return mean | contact_measures(rig, got) | {"mirror": mirror_error(rig, got, region)}, rows
