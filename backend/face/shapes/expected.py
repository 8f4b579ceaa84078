# SPDX-License-Identifier: GPL-3.0-or-later
"""How far shapes of each kind may be trusted, from how they have done on heads that the model had
not learnt from.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from .derived import DERIVED

Floats = NDArray[np.float32]
# Mean cosine between generated and artists' offsets, sides together, on seven heads left out of
# training: two anime avatars, Antonia, and an identity each of ICT-FaceKit, MakeHuman, Vitruvian
# and the modelled heads (scripts/train/evaluate.py). On heads by makers that training knows nothing
# of it is less for small shapes: 0.1 to 0.5 for mouthPress, cheekSquint and noseSneer. 0.67 is what
# two artists reach between each other.
COSINES = {
    "browDown": 0.87,
    "browInnerUp": 0.86,
    "browOuterUp": 0.87,
    "cheekPuff": 0.84,
    "cheekSquint": 0.69,
    "eyeBlink": 0.90,
    "eyeLookDown": 0.83,
    "eyeLookIn": 0.50,
    "eyeLookOut": 0.50,
    "eyeLookUp": 0.79,
    "eyeSquint": 0.83,
    "eyeWide": 0.92,
    "jaw": 0.91,
    "jawForward": 0.92,
    "jawOpen": 0.91,
    "mouth": 0.89,
    "mouthClose": 0.84,
    "mouthDimple": 0.91,
    "mouthFrown": 0.91,
    "mouthFunnel": 0.82,
    "mouthLowerDown": 0.91,
    "mouthPress": 0.62,
    "mouthPucker": 0.85,
    "mouthRollLower": 0.82,
    "mouthRollUpper": 0.87,
    "mouthShrugLower": 0.86,
    "mouthShrugUpper": 0.88,
    "mouthSmile": 0.86,
    "mouthStretch": 0.91,
    "mouthUpperUp": 0.87,
    "noseSneer": 0.67,
    "tongueOut": 0.79,
}
# the cosine that counts as sure: between two artists it is 0.67 over all shapes and 0.81 over the
# clear ones
AGREEMENT = 0.8


def expected(conditions: Sequence[str]) -> Floats:
    """How sure shapes of these conditions are (K,), 0 to 1: the cosine by what artists reach; 1 for
    names that nothing is known about.
    """
    return np.array(
        [min(COSINES.get(_kind(name), AGREEMENT) / AGREEMENT, 1.0) for name in conditions],
        np.float32,
    )


def _kind(name: str) -> str:
    """The condition without its side; of a derived one, that of what it is made from."""
    name = DERIVED[name].carrier if name in DERIVED else name
    return name.removesuffix("Left").removesuffix("Right")
