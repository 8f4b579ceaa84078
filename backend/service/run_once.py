# SPDX-License-Identifier: GPL-3.0-or-later
"""One request in this process, for the command line: the same handlers as in the child, and dense
deltas instead of a stream.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import BackendError
from ..face.correct.sizes import STYLE
from ..face.geometry.mesh import AvatarMesh
from ..face.shapes.shape_sets import Table
from ..inference.cancellation import Cancellation
from ..inference.settings import Settings
from ..protocol import Array, Message
from .handlers import Handlers

Floats = NDArray[np.float32]


def generate_deltas(
    mesh: AvatarMesh,
    set_names: Sequence[str],
    table: Table,
    settings: Settings,
    on_progress: Callable[[str, float], None] = lambda stage, fraction: None,
    *,
    model_path: Path | None = None,
    strength: float = 1.0,
    style: float = STYLE,
    turn_eyes: bool = False,
) -> tuple[tuple[str, ...], Floats, dict[str, Any]]:
    """Names (N,), deltas float32 (N,V,3) in object space and the report, for the named sets and the
    user's table (may be empty).

    Every setting counts as it does in the child, but those about more than one request. Raises
    BackendError, see errors.CODES.
    """
    indices = np.empty(0, np.int32)
    names: list[str] = []
    blocks: list[Floats] = []
    report: dict[str, Any] = {}

    def take(header: Mapping[str, Any], arrays: Mapping[str, Array]) -> None:
        nonlocal indices, report
        if header["type"] == "progress":
            on_progress(header["stage"], header["fraction"])
        elif header["type"] == "face":
            indices = np.asarray(arrays["indices"], np.int32)
        elif header["type"] == "shapes":
            names.extend(header["names"])
            block = np.zeros((len(header["names"]), len(mesh.vertices), 3), np.float32)
            block[:, indices] = arrays["offsets"]
            blocks.append(block)
        elif header["type"] == "done":
            report = dict(header["report"])

    header = {
        "type": "generate",
        "sets": list(set_names),
        "table": table or None,
        "strength": strength,
        "style": style,
        "turn_eyes": turn_eyes,
        "model": str(model_path) if model_path is not None else None,
        "up": list(mesh.up) if mesh.up is not None else None,
        "bones": {name: list(point) for name, point in mesh.bones.items()},
        "landmarks": {name: list(point) for name, point in mesh.landmarks.items()},
    }
    handlers = Handlers(settings=settings)
    try:
        handlers.handle(Message(header, mesh.arrays()), take, Cancellation())
    except BackendError as error:
        handlers.failed(error.code)
        raise
    finally:
        handlers.close()
    if handlers.pool.profiles:
        report["profiles"] = handlers.pool.profiles
    return tuple(names), np.concatenate(blocks), report
