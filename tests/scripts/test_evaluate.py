# SPDX-License-Identifier: GPL-3.0-or-later
"""The evaluation's measures on a modelled head: nothing scores nothing, the shapes themselves score
full marks, faults are seen.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pytest

from backend.errors import BackendError
from backend.face.geometry.mesh import weld
from scripts.samples.modelled import modelled
from scripts.samples.rig import Floats, Rig
from scripts.train import edges, evaluate, measures, scores, tessellations
from scripts.train.sources import arkit_names


@pytest.fixture(scope="module")
def rig() -> Rig:
    return modelled(None)


@pytest.fixture(scope="module")
def still(rig: Rig) -> dict[str, Floats]:
    return {name: np.zeros_like(rig.vertices) for name in arkit_names()}


def test_the_own_shapes_score_full_marks(rig: Rig) -> None:
    mean, _rows = scores.score(rig, rig.shapes, rig.landmarks(rig.vertices, rig.shapes))
    assert (
        mean["core"] == pytest.approx(1) and mean["close"] == pytest.approx(1) and mean["rel"] == 0
    )
    for name in ("lids", "lids95", "through", "marks", "leak"):
        assert mean[name] < 1e-3, name
    assert (
        mean["lips"] < 0.01
        and mean["teeth"] < 1e-3
        and mean["eyes"] < 1e-3
        and mean["mirror"] < 0.02
    )


def test_doing_nothing_leaves_the_lids_open(rig: Rig, still: dict[str, Floats]) -> None:
    mean, _rows = scores.score(rig, still, {})
    assert mean["core"] == 0 and mean["rel"] == pytest.approx(1)
    assert 0.6 < mean["lids"] < 1.2


def test_faults_are_seen(rig: Rig, still: dict[str, Floats]) -> None:
    shapes = still | rig.shapes
    mirror = measures.mirror_error(
        rig,
        shapes | {"eyeBlinkLeft": 0.8 * shapes["eyeBlinkLeft"]},
        np.ones(len(rig.vertices), bool),
    )
    assert mirror > 0.2 / 52
    half = measures.contact_measures(
        rig, shapes | {name: 0.5 * shapes[name] for name in ("eyeBlinkLeft", "eyeBlinkRight")}
    )
    assert half["lids"] > 0.2
    over = measures.contact_measures(
        rig, shapes | {name: 1.5 * shapes[name] for name in ("eyeBlinkLeft", "eyeBlinkRight")}
    )
    assert over["lids"] < 0.05 < 0.3 < over["cross"]
    open_ = measures.contact_measures(rig, shapes | {"mouthClose": still["mouthClose"]})
    assert open_["lips"] > 0.2
    bent = {
        name: shapes[name] * (1 + 3 * rig.vertices[:, :1])
        for name in ("jawOpen", *(f"{look}Left" for look in measures.LOOKS))
    }
    assert measures.contact_measures(rig, shapes | bent)["teeth"] > 0.02


def test_what_is_hidden_is_told_from_the_front() -> None:
    wall = np.array(
        [[-1, -1, 0], [1, -1, 0], [0, 1, 0], [0, 0, -0.5], [0, 0, 0.5], [2, 0, -0.5]], np.float32
    )
    assert measures.hidden(
        wall, np.array([[0, 1, 2]], np.int32), np.array([3, 4, 5]), 0.0
    ).tolist() == [True, False, False]


def test_a_fine_tessellation_carries_everything(rig: Rig) -> None:
    fine = tessellations.subdivided(rig)
    count = len(rig.vertices)
    assert len(fine.triangles) == 4 * len(rig.triangles)
    np.testing.assert_allclose(fine.vertices[:count], rig.vertices, atol=1e-6)
    np.testing.assert_allclose(fine.shapes["jawOpen"][:count], rig.shapes["jawOpen"], atol=1e-6)
    assert tessellations.folds(fine) <= tessellations.folds(rig) + 1e-3


def test_a_coarse_tessellation_keeps_vertices_and_the_slit_of_the_mouth(rig: Rig) -> None:
    coarse = tessellations.decimated(rig, 0.5, np.random.default_rng(2))
    assert 0.4 * len(rig.vertices) < len(coarse.vertices) < 0.7 * len(rig.vertices)
    together = weld(np.concatenate([coarse.vertices, rig.vertices]))
    assert np.isin(together[: len(coarse.vertices)], together[len(coarse.vertices) :]).all()
    assert tessellations.folds(coarse) < 0.02
    for name, place in coarse.landmarks(coarse.vertices, coarse.shapes).items():
        np.testing.assert_allclose(place, rig.landmarks(rig.vertices, rig.shapes)[name], atol=1e-6)
    skin = edges.skin_of(coarse, coarse.landmarks(coarse.vertices, coarse.shapes))
    lips = edges.lip_pairs(coarse, skin)
    assert lips is not None and len(lips.upper) > 4


def test_a_head_without_a_face_gets_a_row_that_says_so(
    rig: Rig, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def lost(*_args: object) -> None:
        raise BackendError("no_face", "No face was found.", "Turn it.")

    monkeypatch.setattr(evaluate, "predicted", lost)
    options = argparse.Namespace(
        model=Path("model"), marks="found", shapes=False, sheets=None, baseline=None
    )
    found = evaluate.judged("modelled1", rig, options)
    assert "missing" in found and "no face found" in capsys.readouterr().out
    evaluate.summary({"modelled1": found})
    assert "modelled (1)" in capsys.readouterr().out
