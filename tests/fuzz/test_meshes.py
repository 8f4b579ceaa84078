# SPDX-License-Identifier: GPL-3.0-or-later
"""Meshes as they should not be: a finite result or a sentence, in bounded memory; nothing is moved
that is not there.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fixtures import served
from fixtures.meshes import ball, figure
from fixtures.served import arrays_of
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).parent))
targets: Any = importlib.import_module("targets")

from backend.errors import BackendError  # noqa: E402
from backend.face.locate.face import Face  # noqa: E402
from backend.face.shapes.shape_sets import load_sets  # noqa: E402
from backend.inference.cancellation import Cancellation  # noqa: E402
from backend.protocol import Message  # noqa: E402
from backend.service import generate  # noqa: E402  (after the path is there)
from backend.service.asked import Asked  # noqa: E402
from backend.service.mesh_of_request import mesh_of  # noqa: E402

Arrays = dict[str, NDArray[Any]]


def head(**more: Any) -> Arrays:
    mesh = figure()
    assert mesh.head_weights is not None
    arrays = arrays_of(mesh.vertices, mesh.triangles, head_weights=mesh.head_weights)
    return {name: np.array(array) for name, array in arrays.items()} | more


def non_manifold() -> Arrays:
    made = head()
    return made | {
        "triangles": np.concatenate(
            [made["triangles"], made["triangles"][:50], made["triangles"][:50, ::-1]]
        )
    }


def zero_area() -> Arrays:
    made = head()
    made["triangles"][::3, 2] = made["triangles"][::3, 1]
    return made


def duplicates() -> Arrays:
    made = head()
    count = len(made["vertices"])
    return {
        "vertices": np.repeat(made["vertices"], 2, axis=0),
        "triangles": (made["triangles"] * 2).astype(np.int32),
        "head_weights": np.repeat(made["head_weights"], 2)[: 2 * count],
    }


def loose() -> Arrays:
    made = head()
    stray = np.random.default_rng(1).normal(size=(500, 3)).astype(np.float32)
    weights = np.concatenate([made["head_weights"], np.ones(500, np.float32)])
    return made | {"vertices": np.concatenate([made["vertices"], stray]), "head_weights": weights}


def parts() -> Arrays:
    made = head()
    many = [
        ball(4, 5, tuple(place), (0.002, 0.002, 0.002))
        for place in np.random.default_rng(2).normal(size=(3000, 3)) * 0.1 + [0, 0, 1.6]
    ]
    vertices = np.concatenate([made["vertices"], *(v for v, _ in many)])
    starts = len(made["vertices"]) + 20 * np.arange(len(many))
    triangles = np.concatenate(
        [made["triangles"], *(t + start for (_, t), start in zip(many, starts, strict=True))]
    )
    weights = np.concatenate([made["head_weights"], np.ones(20 * len(many), np.float32)])
    return {"vertices": vertices, "triangles": triangles.astype(np.int32), "head_weights": weights}


def changed(value: float, every: int) -> Callable[[], Arrays]:
    def make() -> Arrays:
        made = head()
        made["vertices"][::every, 0] = value
        return made

    return make


def few(vertices: int, triangles: int) -> Callable[[], Arrays]:
    return lambda: arrays_of(np.eye(max(vertices, 3), 3)[:vertices], np.zeros((triangles, 3)))


MESHES: dict[str, Callable[[], Arrays]] = {
    "non-manifold": non_manifold,
    "zero area": zero_area,
    "duplicate vertices": duplicates,
    "loose vertices": loose,
    "3,000 parts": parts,
    "no vertices": few(0, 0),
    "one vertex": few(1, 0),
    "one vertex and a face": few(1, 1),
    "three vertices": lambda: arrays_of(np.eye(3), np.array([[0, 1, 2]])),
    "all in one place": lambda: head(vertices=np.zeros((1536, 3), np.float32)),
    "all on a line": changed(0.0, 1),
    "flat": lambda: head(vertices=figure().vertices * np.array([1, 0, 1], np.float32)),
    "NaN": changed(np.nan, 100),
    "infinite": changed(np.inf, 100),
    "1e30": changed(1e30, 100),
    "3e38 and back": lambda: head(
        vertices=(figure().vertices * np.float32(2e38)).astype(np.float32)
    ),
    "1e-30 small": lambda: head(
        vertices=(figure().vertices * np.float32(1e-30)).astype(np.float32)
    ),
    "weights of NaN": lambda: head(head_weights=np.full(1536, np.nan, np.float32)),
    "weights of infinity": lambda: head(head_weights=np.full(1536, np.inf, np.float32)),
    "a mask of NaN": lambda: head(mask=np.full(1536, np.nan, np.float32)),
    "a negative mask": lambda: head(mask=np.full(1536, -1, np.float32)),
    "an index that is too large": lambda: head(triangles=np.full((5, 3), 1536, np.int32)),
    "the largest index": lambda: head(triangles=np.full((5, 3), 2**31 - 1, np.int32)),
    "faces turned inside out": lambda: head(
        triangles=np.ascontiguousarray(figure().triangles[:, ::-1])
    ),
}


@pytest.fixture(scope="module", autouse=True)
def prepared() -> None:
    targets.prepare()


@pytest.mark.parametrize("make", MESHES.values(), ids=MESHES)
def test_a_mesh_as_it_should_not_be(make: Callable[[], Arrays]) -> None:
    arrays = make()
    try:
        avatar = mesh_of(Message({"type": "generate", "up": [0, 0, 1]}, arrays))
        indices = np.empty(0, np.int32)
        tables = {"vrchat": load_sets()["vrchat"].shapes}
        for result in generate.generate(
            avatar, Asked(tables), targets._model(), lambda *_: None, Cancellation()
        ):
            if isinstance(result, Face):
                indices = result.indices
                assert len(indices) == len(np.unique(indices)) and indices.max(initial=0) < len(
                    arrays["vertices"]
                )
            elif isinstance(result, generate.Shapes):
                assert result.offsets.shape[1] == len(indices) and np.isfinite(result.offsets).all()
    except BackendError as error:
        assert error.code.startswith(("mesh_", "no_face")) and error.message and error.fix


@pytest.mark.slow
@pytest.mark.skipif(
    "RELIABILITY" not in os.environ, reason="half a minute; `dev.py reliability` runs it"
)
def test_a_million_vertices(tiny: Path) -> None:
    mesh = figure(700, 720)
    assert mesh.head_weights is not None and len(mesh.vertices) > 1_000_000
    with served.served(lifetime=280) as child:
        arrays = arrays_of(mesh.vertices, mesh.triangles, head_weights=mesh.head_weights)
        last = served.ask(
            child,
            "generate",
            arrays,
            sets=["vrchat"],
            bones=mesh.bones,
            up=mesh.up,
            model=str(tiny),
        )[-1].header
        assert last["type"] == "done" or last["code"] == "out_of_memory", last
        assert served.report(child, "stats")["peak_memory_mb"] < 6000
