# SPDX-License-Identifier: GPL-3.0-or-later
"""How much the same head's shapes differ when nothing, or nothing that matters, has changed.

.venv/bin/python -m scripts.tools.determinism [--record]

Twice in a process and in two processes the numbers must be equal to the last bit. Other order of
vertices and faces, other scale, axes, place, or a mesh that was split along its edges may change
the offsets by 1 % (root of the summed squares of the difference over that of the offsets).
"""

from __future__ import annotations

import argparse
import hashlib
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.face.geometry.mesh import AvatarMesh
from backend.inference.settings import Settings
from backend.service.run_once import generate_deltas
from scripts.samples.head import build
from scripts.tools import reliability

Floats = NDArray[np.float32]
LIMIT = 0.01
SETTINGS = Settings(provider="cpu", threads=1)
ROOT = Path(__file__).resolve().parents[2]


def sample() -> tuple[Floats, NDArray[np.int32]]:
    """The sample head's vertices and triangles."""
    head = build()
    triangles = [
        (polygon[0], polygon[i], polygon[i + 1])
        for polygon in head.polygons
        for i in range(1, len(polygon) - 1)
    ]
    return head.vertices.astype(np.float32), np.array(triangles, np.int32)


def offsets(
    vertices: Floats, triangles: NDArray[np.int32], up: tuple[float, float, float] = (0.0, 0.0, 1.0)
) -> Floats:
    """ARKit's offsets float32 (52,V,3) by the shipped model."""
    mesh = AvatarMesh(
        np.ascontiguousarray(vertices, np.float32), np.ascontiguousarray(triangles, np.int32), up=up
    )
    return generate_deltas(mesh, ["arkit"], {}, SETTINGS)[1]


def digest(array: Floats) -> str:
    """The bits of an array in short."""
    return hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()


def shuffled(vertices: Floats, triangles: NDArray[np.int32]) -> Floats:
    """Offsets of the head with vertices and faces in another order, put back into the first
    one's.
    """
    dice = np.random.default_rng(3)
    order = dice.permutation(len(vertices))
    place = np.argsort(order)
    return offsets(vertices[order], dice.permutation(place[triangles].astype(np.int32)))[:, place]


def split(vertices: Floats, triangles: NDArray[np.int32]) -> Floats:
    """Offsets of the head with no two faces sharing a vertex, as exporters split for hard edges and
    textures; each vertex's first copy.
    """
    first = np.full(len(vertices), -1)
    corners = triangles.reshape(-1)
    first[corners[::-1]] = np.arange(len(corners))[::-1]
    made = offsets(vertices[corners], np.arange(len(corners), dtype=np.int32).reshape(-1, 3))
    return np.ascontiguousarray(np.where(first[None, :, None] >= 0, made[:, first], 0))


def moved(
    vertices: Floats,
    triangles: NDArray[np.int32],
    turn: Any,
    scale: float,
    shift: tuple[float, float, float],
) -> Floats:
    """Offsets of the head turned, scaled and shifted, brought back."""
    matrix = np.array(turn, np.float64)
    up = tuple(float(x) for x in matrix @ [0.0, 0.0, 1.0])
    placed = (vertices.astype(np.float64) @ matrix.T * scale + shift).astype(np.float32)
    made = offsets(placed, triangles, up)  # type: ignore[arg-type]
    return (made.astype(np.float64) @ matrix / scale).astype(np.float32)


_PLAIN = ((1, 0, 0), (0, 1, 0), (0, 0, 1))
CHANGES: dict[str, Callable[[Floats, NDArray[np.int32]], Floats]] = {
    "other order of vertices and faces": shuffled,
    "split along every edge": split,
    "100 times as large": lambda v, t: moved(v, t, _PLAIN, 100.0, (0, 0, 0)),
    "a hundredth as large": lambda v, t: moved(v, t, _PLAIN, 0.01, (0, 0, 0)),
    "Y up, facing Z, as glTF has it": lambda v, t: moved(
        v, t, ((1, 0, 0), (0, 0, 1), (0, -1, 0)), 1.0, (0, 0, 0)
    ),
    "turned by a quarter": lambda v, t: moved(
        v, t, ((0, -1, 0), (1, 0, 0), (0, 0, 1)), 1.0, (0, 0, 0)
    ),
    "ten metres away": lambda v, t: moved(v, t, _PLAIN, 1.0, (10, -6, 2)),
}


def measure() -> dict[str, Any]:
    """All of it; figures for reliability.record."""
    vertices, triangles = sample()
    plain = offsets(vertices, triangles)
    used = np.unique(triangles)
    again = digest(offsets(vertices, triangles)) == digest(plain)
    code = "from scripts.tools.determinism import *; print(digest(offsets(*sample())))"
    other = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split()[-1] == digest(plain)
    size = float(np.linalg.norm(plain[:, used]))
    rows = {
        name: float(np.linalg.norm(change(vertices, triangles)[:, used] - plain[:, used])) / size
        for name, change in CHANGES.items()
    }
    changes = {name: round(value, 6) for name, value in rows.items()}
    return {"again": again, "other_process": other, "limit": LIMIT, "changes": changes}


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--record", action="store_true", help="write the figures into docs/design/reliability.md"
    )
    found = {"command": ".venv/bin/python -m scripts.tools.determinism"} | measure()
    print(f"bit-equal in one process: {found['again']}, in two: {found['other_process']}")
    for name, value in found["changes"].items():
        print(f"{name:36} {value:.4%}")
    if parser.parse_args().record:
        reliability.record("determinism", found)
    return int(
        not (found["again"] and found["other_process"]) or max(found["changes"].values()) > LIMIT
    )


if __name__ == "__main__":
    sys.exit(main())
