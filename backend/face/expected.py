# SPDX-License-Identifier: GPL-3.0-or-later
"""How far shapes of each kind may be trusted, from how they have done on heads that the model had not learnt from."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from .derived import DERIVED

Floats = NDArray[np.float32]

# Mean cosine between generated and artists' offsets, sides together, on seven heads left out of training: two anime avatars, Antonia, and an
# identity each of ICT-FaceKit, MakeHuman, Vitruvian and the modelled heads (scripts/train/evaluate.py). Told by the other heads, it correlates
# with the cosines on each of the first three by 0.61, 0.43 and 0.37. A cosine of 0.67 is what two artists reach between each other.
COSINES = {
    "browDown": 0.63,
    "browInnerUp": 0.62,
    "browOuterUp": 0.69,
    "cheekPuff": 0.73,
    "cheekSquint": 0.41,
    "eyeBlink": 0.76,
    "eyeLookDown": 0.70,
    "eyeLookIn": 0.41,
    "eyeLookOut": 0.40,
    "eyeLookUp": 0.71,
    "eyeSquint": 0.52,
    "eyeWide": 0.77,
    "jaw": 0.86,
    "jawForward": 0.87,
    "jawOpen": 0.87,
    "mouth": 0.71,
    "mouthClose": 0.72,
    "mouthDimple": 0.76,
    "mouthFrown": 0.78,
    "mouthFunnel": 0.59,
    "mouthLowerDown": 0.70,
    "mouthPress": 0.36,
    "mouthPucker": 0.77,
    "mouthRollLower": 0.56,
    "mouthRollUpper": 0.61,
    "mouthShrugLower": 0.74,
    "mouthShrugUpper": 0.72,
    "mouthSmile": 0.75,
    "mouthStretch": 0.74,
    "mouthUpperUp": 0.71,
    "noseSneer": 0.39,
    "tongueOut": 0.42,
}
AGREEMENT = 0.8  # the cosine that counts as sure: between two artists it is 0.67 over all shapes and 0.81 over the clear ones


def expected(conditions: Sequence[str]) -> Floats:
    """How sure shapes of these conditions are (K,), 0 to 1: the cosine by what artists reach; 1 for names that nothing is known about."""
    return np.array([min(COSINES.get(_kind(name), AGREEMENT) / AGREEMENT, 1.0) for name in conditions], np.float32)


def _kind(name: str) -> str:
    """The condition without its side; of a derived one, that of what it is made from."""
    name = DERIVED[name].carrier if name in DERIVED else name
    return name.removesuffix("Left").removesuffix("Right")
