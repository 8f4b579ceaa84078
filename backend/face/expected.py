# SPDX-License-Identifier: GPL-3.0-or-later
"""How far shapes of each kind may be trusted, from how they have done on heads that the model had not learnt from."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from .derived import DERIVED

Floats = NDArray[np.float32]

# Mean cosine between generated and artists' offsets, sides together, on seven heads left out of training: two anime avatars, Antonia, and an
# identity each of ICT-FaceKit, MakeHuman, Vitruvian and the modelled heads (scripts/train/evaluate.py). On heads by makers that training knows
# nothing of it is less for small shapes: 0.1 to 0.5 for mouthPress, cheekSquint and noseSneer. 0.67 is what two artists reach between each other.
COSINES = {
    "browDown": 0.84,
    "browInnerUp": 0.82,
    "browOuterUp": 0.83,
    "cheekPuff": 0.85,
    "cheekSquint": 0.67,
    "eyeBlink": 0.87,
    "eyeLookDown": 0.83,
    "eyeLookIn": 0.59,
    "eyeLookOut": 0.58,
    "eyeLookUp": 0.87,
    "eyeSquint": 0.73,
    "eyeWide": 0.89,
    "jaw": 0.91,
    "jawForward": 0.93,
    "jawOpen": 0.93,
    "mouth": 0.87,
    "mouthClose": 0.80,
    "mouthDimple": 0.85,
    "mouthFrown": 0.85,
    "mouthFunnel": 0.80,
    "mouthLowerDown": 0.86,
    "mouthPress": 0.62,
    "mouthPucker": 0.83,
    "mouthRollLower": 0.80,
    "mouthRollUpper": 0.80,
    "mouthShrugLower": 0.79,
    "mouthShrugUpper": 0.82,
    "mouthSmile": 0.84,
    "mouthStretch": 0.84,
    "mouthUpperUp": 0.86,
    "noseSneer": 0.67,
    "tongueOut": 0.76,
}
AGREEMENT = 0.8  # the cosine that counts as sure: between two artists it is 0.67 over all shapes and 0.81 over the clear ones


def expected(conditions: Sequence[str]) -> Floats:
    """How sure shapes of these conditions are (K,), 0 to 1: the cosine by what artists reach; 1 for names that nothing is known about."""
    return np.array([min(COSINES.get(_kind(name), AGREEMENT) / AGREEMENT, 1.0) for name in conditions], np.float32)


def _kind(name: str) -> str:
    """The condition without its side; of a derived one, that of what it is made from."""
    name = DERIVED[name].carrier if name in DERIVED else name
    return name.removesuffix("Left").removesuffix("Right")
