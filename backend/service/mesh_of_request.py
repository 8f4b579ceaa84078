# SPDX-License-Identifier: GPL-3.0-or-later
"""The mesh that a request brings, and what it says about it."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..errors import BackendError
from ..face.evidence.evidence import evidence_of
from ..face.geometry.mesh import SIDE_BONES, AvatarMesh
from ..protocol import Message
from ..values import is_number

BONES = ("head", "neck", "left_eye", "right_eye", "jaw", *SIDE_BONES)


def mesh_of(message: Message) -> AvatarMesh:
    """The mesh of a request. Raises BackendError `protocol` for absent or wrongly typed fields; its
    contents are checked later.
    """
    wanted = {
        "vertices": (np.float32, True),
        "triangles": (np.int32, True),
        "head_weights": (np.float32, False),
        "mask": (np.float32, False),
        "roles": (np.int32, False),
    }
    arrays: dict[str, Any] = {}
    for name, (dtype, required) in wanted.items():
        array = message.arrays.get(name)
        if array is None and required:
            raise BackendError(
                "protocol", f"The request has no array {name}.", "Send vertices and triangles."
            )
        if array is not None and array.dtype != dtype:
            raise BackendError(
                "protocol",
                f"The array {name} is {array.dtype}, not {np.dtype(dtype).name}.",
                "Send it in that type.",
            )
        arrays[name] = array
    bones = message.header.get("bones") or {}
    if not isinstance(bones, dict) or not set(bones) <= set(BONES):
        raise BackendError(
            "protocol",
            f"bones must be an object with the names {', '.join(BONES)}.",
            "Leave out bones that are not there.",
        )
    landmarks = message.header.get("landmarks") or {}
    if not isinstance(landmarks, dict):
        raise BackendError(
            "protocol",
            "landmarks must be an object of names and points.",
            "Send [x, y, z] in object space by name.",
        )
    up = message.header.get("up")
    points = {name: _point(value, f"the bone {name}") for name, value in bones.items()}
    marks = {str(name): _point(value, f"the landmark {name}") for name, value in landmarks.items()}
    hints = evidence_of(message.header.get("evidence"), message.arrays)
    return AvatarMesh(
        **arrays,
        bones=points,
        up=None if up is None else _point(up, "up"),
        landmarks=marks,
        evidence=hints,
    )


def _point(value: object, what: str) -> tuple[float, float, float]:
    numbers = [n for n in value if is_number(n)] if isinstance(value, list) else []
    if not isinstance(value, list) or len(value) != 3 or len(numbers) != 3:
        raise BackendError(
            "protocol", f"{what} must be three numbers.", "Send [x, y, z] in object space."
        )
    return float(numbers[0]), float(numbers[1]), float(numbers[2])
