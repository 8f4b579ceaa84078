# SPDX-License-Identifier: GPL-3.0-or-later
"""Numbers that are kept at a mesh's vertices, as attributes."""

from __future__ import annotations

from typing import Any, cast

import bpy
import numpy as np
from numpy.typing import NDArray

from ..typed import mesh_of

Floats = NDArray[np.float32]


def forget(ob: bpy.types.Object, name: str) -> None:
    """Remove an attribute that may be there."""
    attributes = mesh_of(ob).attributes
    if name in attributes:
        attributes.remove(attributes[name])


def read(ob: bpy.types.Object, name: str, wide: int) -> Floats | None:
    """An attribute of the vertices, float32 (V,) or (V,3); None where it is not one of such."""
    attribute = mesh_of(ob).attributes.get(name)
    if (
        attribute is None
        or attribute.domain != "POINT"
        or attribute.data_type != ("FLOAT" if wide == 1 else "FLOAT_VECTOR")
    ):
        return None
    data = _data(attribute)
    if len(data) != len(mesh_of(ob).vertices):
        return None  # in edit mode there is nothing to be read
    values = np.empty((len(data),) if wide == 1 else (len(data), wide), np.float32)
    data.foreach_get("value" if wide == 1 else "vector", values.reshape(-1))
    return values


def keep(ob: bpy.types.Object, name: str, kind: Any, values: Floats) -> None:
    """Write an attribute of the vertices, which is then there."""
    attributes = mesh_of(ob).attributes
    attribute = attributes.get(name)
    if attribute is not None and (attribute.domain != "POINT" or attribute.data_type != kind):
        attributes.remove(attribute)
        attribute = None
    if attribute is None:
        attribute = attributes.new(name, kind, "POINT")
    _data(attribute).foreach_set(
        "value" if kind == "FLOAT" else "vector",
        np.ascontiguousarray(values, np.float32).reshape(-1),
    )


def _data(attribute: bpy.types.Attribute) -> Any:
    """Its values; what an attribute holds depends on its kind."""
    return cast("Any", attribute).data
