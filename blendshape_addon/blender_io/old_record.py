# SPDX-License-Identifier: GPL-3.0-or-later
"""What early versions recorded in a property of the key data: name -> sums of the key's offsets
under random signs. It is read, no longer written.
"""

from __future__ import annotations

from typing import Any

import bpy
import numpy as np
from numpy.typing import NDArray

from ..typed import mesh_of

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]

OLD_RECORD = "blendshape_auto_generator"
_SUMS = 8
_SEED = 1


def old_record(ob: bpy.types.Object) -> dict[str, Doubles]:
    """Sums (8,) by key name; what is malformed is left out."""
    key = mesh_of(ob).shape_keys
    record: Any = key.get(OLD_RECORD) if key is not None else None
    if not hasattr(record, "to_dict"):
        return {}
    found: dict[str, Doubles] = {}
    for name, values in record.to_dict().items():
        if (
            isinstance(values, list)
            and len(values) == _SUMS
            and all(isinstance(value, float) for value in values)
        ):
            found[name] = np.array(values)
    return found


def sums_of(offsets: Floats) -> Doubles:
    """The sums (N,8) of the offsets (N,V,3) of some keys, as they were recorded. PCG64's stream is
    fixed by numpy's policy.
    """
    size = offsets[0].size
    raw = np.random.Generator(np.random.PCG64(_SEED)).bytes(_SUMS * size)
    signs = (np.frombuffer(raw, np.uint8).reshape(_SUMS, size) & 1) * 2.0 - 1.0
    return np.asarray(offsets.reshape(len(offsets), size).astype(np.float64) @ signs.T)
