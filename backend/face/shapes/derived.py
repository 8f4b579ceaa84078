# SPDX-License-Identifier: GPL-3.0-or-later
"""Conditions that no model was taught: halves of its shapes, and tongue and nose shapes built by
rule from where a shape acts.

Standards split what ARKit joins (browInnerUp, cheekPuff, mouthFunnel) and ask for tongue directions
that no training source has. Each is made from a carrier, one of the model's own shapes: cut by a
soft mask, or its region pushed in a direction. Canonical frame.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ..geometry.frame import Floats
from ..geometry.ramp import smoothstep
from ..params.shapes import DERIVING


@dataclass(frozen=True)
class Push:
    """A way (3,) of length 1, and the fields of `DERIVING` that say how far it goes (canonical
    units) and by which power of how far the carrier moves a vertex.
    """

    way: tuple[float, float, float]
    far: str
    power: str


@dataclass(frozen=True)
class Derivation:
    """How a shape is made from another.

    Args:
        carrier: a condition of the model
        halves: masks to cut it by
        push: instead of its offsets, what they move goes this way
    """

    carrier: str
    halves: tuple[str, ...] = ()
    push: Push | None = None


def _all() -> dict[str, Derivation]:
    found = {}
    for side in ("Left", "Right"):
        for name in ("browInnerUp", "cheekPuff"):
            found[name + side] = Derivation(name, (side,))
        for name in ("mouthFunnel", "mouthPucker", "mouthLeft", "mouthRight"):
            for lip in ("Upper", "Lower"):
                found[name + lip + side] = Derivation(name, (lip, side))
        for name in ("mouthRollUpper", "mouthRollLower"):
            found[name + side] = Derivation(name, (side,))
        sign = 1.0 if side == "Left" else -1.0
        found["tongue" + side] = Derivation(
            "tongueOut", push=Push((sign, 0.0, 0.0), "tongue_aside", "tongue_power")
        )
        found["nasalDilation" + side] = Derivation(
            f"noseSneer{side}", push=Push((sign, 0.0, 0.0), "nose_aside", "nose_power")
        )
    for name in ("mouthFunnel", "mouthPucker", "mouthLeft", "mouthRight"):
        for lip in ("Upper", "Lower"):
            found[name + lip] = Derivation(name, (lip,))
    found["tongueUp"] = Derivation(
        "tongueOut", push=Push((0.0, 1.0, 0.0), "tongue_up", "tongue_power")
    )
    found["tongueDown"] = Derivation(
        "tongueOut", push=Push((0.0, -1.0, 0.0), "tongue_down", "tongue_power")
    )
    return found


DERIVED = _all()


def derivable(conditions: Sequence[str]) -> list[str]:
    """Names of the derived conditions whose carriers, and masks' carriers, are among a model's, and
    which it has not itself.
    """
    known = set(conditions)
    return [name for name in DERIVED if name not in known and needed([name]) <= known]


def needed(names: Sequence[str]) -> set[str]:
    """The model's conditions that these derived ones are made from."""
    carriers = {DERIVED[name].carrier for name in names}
    return carriers | (
        {"jawOpen"}
        if any({"Upper", "Lower"} & set(DERIVED[name].halves) for name in names)
        else set()
    )


def derive(name: str, vertices: Floats, shapes: Mapping[str, Floats]) -> Floats:
    """Offsets float32 (F,3) of a derived condition.

    Args:
        name: of DERIVED
        vertices: float32 (F,3), canonical
        shapes: those of `needed`, condition -> offsets float32 (F,3)
    """
    rule = DERIVED[name]
    offsets = shapes[rule.carrier]
    if rule.push is not None:
        far = np.linalg.norm(offsets, axis=1, keepdims=True)
        power, most = getattr(DERIVING, rule.push.power), getattr(DERIVING, rule.push.far)
        share = (far / max(float(far.max(initial=0)), 1e-12)) ** power
        way = np.array([along * most for along in rule.push.way], np.float32)
        offsets = (share * way).astype(np.float32)
    for half in rule.halves:
        offsets = offsets * _mask(half, vertices, shapes)
    return np.ascontiguousarray(offsets, np.float32)


def _mask(half: str, vertices: Floats, shapes: Mapping[str, Floats]) -> Floats:
    """1 on one half, 0 on the other (F,1); a mask and its counterpart sum to 1."""
    if half in ("Left", "Right"):
        left = smoothstep(-DERIVING.half, DERIVING.half, vertices[:, :1])
        return left if half == "Left" else 1 - left
    jaw = np.linalg.norm(shapes["jawOpen"], axis=1, keepdims=True)
    lower = smoothstep(
        DERIVING.lower_lip_from,
        DERIVING.lower_lip_to,
        jaw / max(float(jaw.max(initial=0)), 1e-12),
    )
    return lower if half == "Lower" else 1 - lower
