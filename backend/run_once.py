# SPDX-License-Identifier: GPL-3.0-or-later
"""One request in this process, for the command line: dense deltas instead of a stream."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .engine.models import load_model
from .engine.sessions import Cancellation
from .engine.settings import Settings
from .face.locate import Face
from .face.mesh import AvatarMesh
from .face.shape_sets import Table, choose_sets, load_sets, parse_table
from .generate import Report, Shapes, generate

Floats = NDArray[np.float32]


def generate_deltas(
    mesh: AvatarMesh,
    set_names: Sequence[str],
    table: Table,
    strength: float,
    model_path: Path | None,
    on_progress: Callable[[str, float], None],
    settings: Settings,
) -> tuple[tuple[str, ...], Floats, dict[str, Any]]:
    """Names (N,), deltas float32 (N,V,3) in object space and the report, for the named sets and the user's table (may be empty).

    Raises BackendError, see errors.CODES.
    """
    tables = choose_sets(set_names, load_sets())
    if table:
        tables["table"] = parse_table(table)
    indices = np.empty(0, np.int32)
    names: list[str] = []
    blocks: list[Floats] = []
    report: dict[str, Any] = {}
    model = load_model(model_path, settings)
    for result in generate(mesh, tables, strength, model, on_progress, Cancellation()):
        if isinstance(result, Face):
            indices = result.indices
        elif isinstance(result, Shapes):
            names.extend(result.names)
            block = np.zeros((len(result.names), len(mesh.vertices), 3), np.float32)
            block[:, indices] = result.offsets
            blocks.append(block)
        elif isinstance(result, Report):
            report = result.as_dict()
    profiles = model.close()
    if profiles:
        report["profiles"] = profiles
    return tuple(names), np.concatenate(blocks), report
