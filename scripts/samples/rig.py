# SPDX-License-Identifier: GPL-3.0-or-later
"""A head with its shapes, by the names of ARKit's, in one form for all sources. Axes: Y up, face to
+Z, the character's left is +X.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Ints = NDArray[np.int32]


@dataclass(frozen=True)
class Anchor:
    """A landmark tied to a rig: the mean of some vertices, moved by one of the rig's shapes or not
    at all.
    """

    indices: Ints
    shape: str | None = None


@dataclass
class Rig:
    """One head. shapes: ARKit name -> offsets float32 (V,3). mixes: (weights by ARKit name, offsets
    (V,3)) where a source has only mixed shapes. identities float32/16 (I,V,3), with how many are
    added at once and how far. near: vertices worth training on.
    """

    name: str
    vertices: Floats
    triangles: Ints
    shapes: dict[str, Floats]
    mixes: list[tuple[dict[str, float], Floats]] = field(default_factory=list)
    identities: NDArray[np.floating[Any]] | None = None
    identity_names: list[str] = field(default_factory=list)
    whole_avatar: bool = False
    anchors: dict[str, Anchor] = field(default_factory=dict)

    def landmarks(self, vertices: Floats, shapes: Mapping[str, Floats]) -> dict[str, Floats]:
        """Positions (3,) of the anchors on a variant of this head: its vertices and its shapes,
        both (V,3).
        """
        return {
            name: (vertices[a.indices] + (shapes[a.shape][a.indices] if a.shape else 0)).mean(
                axis=0, dtype=np.float32
            )
            for name, a in self.anchors.items()
        }
