# SPDX-License-Identifier: GPL-3.0-or-later
"""What a network is not asked for on a dense face changes its shapes by less than is seen."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import numpy as np
import pytest

from backend.face import pipeline
from backend.face.geometry.frame import Floats
from backend.face.geometry.landmarks import NAMES
from backend.face.geometry.mesh import AvatarMesh
from backend.face.locate.face import Face
from backend.face.params.geometry import QUIET
from backend.face.shapes.shape_sets import load_sets
from backend.inference import decoding
from backend.inference.cancellation import Cancellation
from backend.inference.loading import load_model
from backend.inference.models import Model
from backend.inference.settings import resolve
from backend.service.asked import Asked
from backend.service.generate import Shapes, generate
from scripts.bench.against import subdivided
from scripts.samples.head import build
from scripts.samples.surface import HeadSpec

WITHIN = 0.002  # of the eye's height


@pytest.fixture(scope="module")
def model() -> Model:
    return load_model(settings=resolve({"provider": "cpu"}, environment={}))


def dense(times: int) -> AvatarMesh:
    """The sample head, each of whose triangles was made four so many times."""
    head = build(HeadSpec())
    mesh = head.vertices.astype(np.float32), head.triangles
    for _ in range(times):
        mesh = subdivided(*mesh)
    return AvatarMesh(*mesh, up=(0, 0, 1))


def made(mesh: AvatarMesh, model: Model) -> tuple[Face, Mapping[str, Floats]]:
    """The face, and its shapes by set."""
    sets = {"arkit": load_sets()["arkit"].shapes}
    face, found = None, dict[str, Floats]()
    for step in generate(mesh, Asked(sets), model, lambda _stage, _part: None, Cancellation()):
        if isinstance(step, Face):
            face = step
        if isinstance(step, Shapes):
            found[f"{step.set_name} {step.names[0]}"] = step.offsets.copy()
    assert face is not None
    return face, found


@pytest.mark.parametrize(
    ("times", "least"), [(1, 0.1), pytest.param(2, 0.15, marks=pytest.mark.slow)]
)
def test_shapes_are_those_of_a_look_at_everything(
    times: int, least: float, model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    mesh = dense(times)
    counts: list[int] = []
    pieces = decoding._pieces

    def counted(*asked: object) -> list[decoding._Piece]:
        found = pieces(*asked)  # type: ignore[arg-type]
        counts.append(sum(piece.count for piece in found))
        return found

    monkeypatch.setattr(decoding, "_pieces", counted)
    face, shapes = made(mesh, model)
    few = sum(counts)
    counts.clear()
    monkeypatch.setattr(pipeline, "QUIET", dataclasses.replace(QUIET, fewest=1 << 30))
    _face, every = made(mesh, model)
    assert few < (1 - least) * sum(counts)
    at = dict(zip(NAMES, face.landmarks, strict=True))
    height = float(np.linalg.norm(at["lid_upper_left"] - at["lid_lower_left"])) * face.frame.scale
    assert shapes.keys() == every.keys()
    for name, expected in every.items():
        assert np.abs(shapes[name] - expected).max() < WITHIN * height, name
