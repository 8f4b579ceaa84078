# SPDX-License-Identifier: GPL-3.0-or-later
"""The network is not asked for hair and what is worn, and no shape hangs on it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from backend.face import pipeline
from backend.face.analyse import head as looked
from backend.face.geometry.frame import Floats
from backend.face.geometry.mesh import AvatarMesh
from backend.face.geometry.mirror import Pairs
from backend.face.locate.face import Face
from backend.face.shapes.shape_sets import load_sets
from backend.inference.cancellation import Cancellation
from backend.inference.loading import load_model
from backend.inference.models import Model
from backend.inference.settings import resolve
from backend.service.asked import Asked
from backend.service.generate import Shapes, generate
from backend.values import Twins
from scripts.samples.dressed import dressed
from scripts.samples.head import build
from scripts.samples.surface import HeadSpec


@pytest.fixture(scope="module")
def model() -> Model:
    return load_model(settings=resolve({"threads": 1, "provider": "cpu"}, environment={}))


def haired() -> AvatarMesh:
    """The sample head with its hair."""
    head = build(HeadSpec(density=0.8))
    return AvatarMesh(head.vertices, head.triangles, up=(0, 0, 1))


def worn(seed: int) -> AvatarMesh:
    """A modelled head with hair of several kinds, worn things and a body, its landmarks given."""
    vertices, triangles, _label, landmarks = dressed(np.random.default_rng([77, seed]))
    given = {name: tuple(map(float, place)) for name, place in landmarks.items()}
    return AvatarMesh(vertices, triangles, up=(0, 1, 0), landmarks=given)  # type: ignore[arg-type]


def made(mesh: AvatarMesh, model: Model) -> tuple[Face, Mapping[str, Floats]]:
    """The face and its shapes by set, and `sure` of each."""
    sets = {name: load_sets()[name].shapes for name in ("vrchat", "arkit")}
    found: dict[str, Floats] = {}
    face = None
    for step in generate(mesh, Asked(sets), model, lambda _stage, _part: None, Cancellation()):
        if isinstance(step, Face):
            face = step
        if isinstance(step, Shapes):
            found[step.set_name] = step.offsets.copy()
            found[f"sure of {step.set_name}"] = step.confidence
    assert face is not None
    return face, found


@pytest.mark.parametrize("seed", [None, 0, 7])
def test_shapes_are_those_of_a_look_at_everything(
    seed: int | None, model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    mesh = haired() if seed is None else worn(seed)
    face, shapes = made(mesh, model)
    assert pipeline._unread(face).sum() > 100
    monkeypatch.setattr(pipeline, "_unread", lambda face: np.zeros(len(face.indices), bool))
    _face, every = made(mesh, model)
    for name, expected in every.items():
        within = 1e-3 if name.startswith("sure") else 1e-5  # how sure shapes are goes by their size
        assert np.abs(shapes[name] - expected).max() < within * np.abs(expected).max(), name


def test_a_shape_is_as_large_as_what_moves_is(
    model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a head with hair that the network moves along with the cheeks."""
    face, shapes = made(worn(22), model)
    unread, predict = pipeline._unread(face), pipeline.predict

    def everything(*asked: Any) -> Floats:
        offsets = predict(*asked)
        assert offsets[:, unread].any()
        offsets[:, unread] = 0
        return offsets

    monkeypatch.setattr(pipeline, "_unread", lambda face: np.zeros(len(face.indices), bool))
    monkeypatch.setattr(pipeline, "predict", everything)
    _face, every = made(worn(22), model)
    assert np.abs(shapes["arkit"] - every["arkit"]).max() < 1e-5


def test_the_network_looks_at_what_moves_and_what_hangs_next_to_a_landmark(model: Model) -> None:
    face, _shapes = made(haired(), model)
    asked: list[Twins | None] = []

    def network(seen: tuple[Floats, ...], weights: Floats, twins: Twins | None) -> Floats:
        asked.append(twins)
        return np.full((len(weights), len(seen[0]), 3), np.nan, np.float32)

    offsets = pipeline.predict(network, face, np.eye(2, dtype=np.float32))
    twins = asked[0]
    assert twins is not None
    every = np.concatenate([twins.left, twins.right, twins.alone, twins.copies])
    away = np.linalg.norm(face.vertices[:, None] - face.landmarks, axis=2).min(axis=1)
    assert set(every) >= set(np.flatnonzero(~face.still | (away < 0.3)))
    unread = np.setdiff1d(np.arange(len(face.indices)), every)
    assert len(unread) > 0.5 * face.still.sum()
    assert not offsets[:, unread].any()
    pipeline.predict(network, face, np.eye(2, dtype=np.float32), alike=False)
    assert asked[1] is None  # of a model that nothing is known of, everything is asked


def test_what_is_still_is_nobodys_mirror_image() -> None:
    partner = np.array([1, 0, 3, 2, 5, 4, 6, 7])  # 6 lies in the plane, 7 has no partner
    pairs = Pairs(partner, np.array([7]), np.eye(3, dtype=np.float32))
    still = np.isin(np.arange(8), [2, 4, 5])
    left = looked._without(pairs, still)
    assert left.partner.tolist() == [1, 0, 3, 3, 5, 4, 6, 7]
    assert left.alone.tolist() == [3, 7]
    assert looked._without(pairs, np.zeros(8, bool)) is pairs
