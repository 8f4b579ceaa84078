# SPDX-License-Identifier: GPL-3.0-or-later
"""What a number is worth is told by how near shapes come to a maker's."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from backend.inference.loading import load_model
from backend.inference.settings import resolve
from scripts.samples.modelled import modelled
from scripts.samples.rig import Floats, Rig
from scripts.train import worth

NUMBER = "correct.Border.still"


@pytest.fixture(scope="module")
def rig() -> Rig:
    return modelled(None)


@pytest.fixture(scope="module")
def folder(rig: Rig, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Training data of one head, as a file of `avatars`."""
    where = tmp_path_factory.mktemp("data") / "avatars"
    where.mkdir()
    np.savez(
        where / "uka.npz",
        vertices=rig.vertices,
        triangles=rig.triangles,
        morph_names=np.array(list(rig.shapes)),
        morph_deltas=np.stack(list(rig.shapes.values())),
        head_weight=np.ones(len(rig.vertices), np.float32),
    )
    table = {"vrm_aa": [["jawOpen", 0.5]], **{name: [[name, 1.0]] for name in rig.shapes}}
    (where / "names.json").write_text(json.dumps({"uka": table}), encoding="utf-8")
    return where.parent


@pytest.fixture(autouse=True)
def one_maker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worth, "MAKERS", {"uka": "CG-CA"})


def test_names_are_the_tools_own() -> None:
    assert [worth.spelt(name) for name in ("viseme_PP", "viseme_O", "vrm_ih", "jawOpen")] == [
        "vrc.v_pp",
        "vrc.v_oh",
        "ih",
        "jawOpen",
    ]


def test_own_shapes_score_full_marks_and_others_less(folder: Path) -> None:
    head = worth.heads(folder)["uka"]
    assert "aa" in head.shapes and not any(name.startswith("eyeLook") for name in head.shapes)
    assert worth.score(head, head.shapes) == pytest.approx((1, 1))
    half = {name: offsets / 2 for name, offsets in head.shapes.items()}
    assert worth.score(head, half) == pytest.approx((1 - worth.SIZE_COUNTS, 1))
    small = {name: offsets / 3 for name, offsets in head.shapes.items()}
    assert worth.score(head, small)[1] == 0
    away = {name: -offsets for name, offsets in head.shapes.items()}
    assert worth.score(head, away) == pytest.approx((-1, 0))
    lost = replace(head, shapes={"jawOpen": head.shapes["jawOpen"], "none": head.shapes["aa"]})
    assert worth.score(lost, head.shapes)[1] == 0.5


def test_what_was_computed_is_not_computed_twice() -> None:
    asked: list[float] = []

    def run(_names: Any, feeds: dict[str, Floats], _options: Any) -> list[Floats]:
        asked.append(float(feeds["x"][0]))
        return [2 * feeds["x"]]

    session = worth.Remembered(SimpleNamespace(run=run, name="own"))
    for value in (1, 2, 1):
        assert session.run(None, {"x": np.array([value], np.float32)})[0][0] == 2 * value
    session.closed = True
    for value in (3, 3):
        session.run(None, {"x": np.array([value], np.float32)})
    assert asked == [1, 2, 3, 3] and session.name == "own"


def test_the_model_has_its_own_sessions_again() -> None:
    model = load_model(settings=resolve({"threads": 1, "provider": "cpu"}, environment={}))
    own = model.decoder.session if model.decoder else None
    with pytest.raises(KeyError), worth.remembering(model) as remembered:
        assert model.decoder and model.decoder.session is remembered[-1]
        raise KeyError
    assert model.decoder and model.decoder.session is own


def test_a_number_is_moved_and_the_rest_is_known_already(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, lines = tmp_path / "worth.json", list[str]()
    found = worth.measure(folder, [NUMBER], out=out, say=lines.append)
    assert list(found) == [NUMBER] and lines[0].startswith(f"| {NUMBER} |")
    assert {"less", "more"} & set(found[NUMBER])
    monkeypatch.setattr(worth, "tried", lambda *_: pytest.fail("is known already"))
    assert worth.measure(folder, [NUMBER], out=out, say=lines.append) == found


def test_a_line_says_how_many_heads_of_how_many_makers() -> None:
    found = {
        "default": 2.0,
        "less": {"value": 1.6, "heads": {"uka": [0.1, 0.5]}},
        "more": {"value": 2.4, "heads": {}},
    }
    assert (
        worth.row("a.B.c", found)
        == "| a.B.c | 2 | 1.6: 1 of 1; +0.100 ± 0.000; usable +0.500 | 2.4: nothing |"
    )
