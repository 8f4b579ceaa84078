# SPDX-License-Identifier: GPL-3.0-or-later
"""The main job as a function: order of results, one decoder pass, what is refused before any
work.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fixtures import models
from fixtures.meshes import figure

from backend.errors import BackendError
from backend.face import pipeline
from backend.face.geometry.mesh import among
from backend.face.geometry.smoothing import neighbours, smoothed
from backend.face.locate.face import Face
from backend.face.shapes.shape_sets import Table, load_sets
from backend.inference import loading, running
from backend.inference.cancellation import Cancellation
from backend.inference.loading import load_model
from backend.inference.models import Model
from backend.inference.sessions import Session
from backend.inference.settings import resolve
from backend.service import generate as module
from backend.service import room
from backend.service.asked import Asked
from backend.service.generate import Shapes, generate
from backend.service.report import Report

SETS = {name: load_sets()[name].shapes for name in ("arkit", "vrchat")}


@pytest.fixture(scope="module")
def model(tiny: Path) -> Model:
    return load_model(tiny)


def silent(stage: str, fraction: float) -> None:
    """Progress that nobody looks at."""


def start(
    model: Model,
    tables: dict[str, Table],
    strength: float = 1.0,
    cancellation: Cancellation | None = None,
) -> Iterator[Any]:
    asked = Asked(tables, strength)
    return generate(figure(), asked, model, silent, cancellation or Cancellation())


def test_face_then_each_set_then_the_report(model: Model) -> None:
    results = list(start(model, {"vrchat": SETS["vrchat"], "arkit": SETS["arkit"]}))
    assert [type(result) for result in results] == [Face, Shapes, Shapes, Report]
    face, visemes, arkit, report = results
    assert (visemes.set_name, arkit.set_name) == ("vrchat", "arkit")
    assert arkit.offsets.shape == (52, len(face.indices), 3) and arkit.offsets.dtype == np.float32
    assert report.shapes == 67 and report.as_dict()["seconds"]["total"] > 0


def test_all_sets_cost_one_pass_of_the_decoder(
    model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs: list[str] = []
    run = running.run

    def counted(session: Session, *rest: Any) -> Any:
        runs.append(session.name)
        return run(session, *rest)

    monkeypatch.setattr(running, "run", counted)
    results = list(start(model, SETS))
    assert runs.count("tiny.decoder.onnx") == len(model.pieces(len(results[0].indices)))


@pytest.mark.parametrize("count", [1, 255, 257, 1024, 20_000, 69_999])
def test_pieces_follow_each_other_get_smaller_and_are_not_tiny(model: Model, count: int) -> None:
    for pieces, least in (
        (model.pieces(count), 256),
        (replace(model, low_memory=True).pieces(count), 128),
    ):
        assert (
            pieces[0].start == 0
            and pieces[-1].stop == count
            and all(a.stop == b.start for a, b in pairwise(pieces))
        )
        sizes = [piece.stop - piece.start for piece in pieces]
        assert (
            sizes == sorted(sizes, reverse=True)
            and min(sizes[:-1], default=least) >= least
            and max(sizes) <= 1024
        )


def test_a_sets_shapes_do_not_hang_on_what_else_is_asked_for_or_in_which_order(
    model: Model,
) -> None:
    """The last set's shapes take the place of the conditions' where each is one of them: nothing
    may be read there that was written.
    """
    turned: Table = {key: SETS["arkit"][key] for key in reversed(SETS["arkit"])}
    half: Table = {"jawOpen": {"jawOpen": -1.0}, "mouthClose": {"mouthClose": 1.0}}
    alone, first, last, other, part = (
        {
            shapes.set_name: dict(zip(shapes.names, shapes.offsets, strict=True))
            for shapes in start(model, tables)
            if isinstance(shapes, Shapes)
        }
        for tables in (
            {"arkit": SETS["arkit"]},
            SETS,
            {"vrchat": SETS["vrchat"], "arkit": SETS["arkit"]},
            {"table": turned},
            {"table": half},
        )
    )
    assert any(offsets.any() for offsets in alone["arkit"].values())
    for name, offsets in alone["arkit"].items():
        for found in (first["arkit"], last["arkit"], other["table"]):
            np.testing.assert_array_equal(found[name], offsets)
    for name, offsets in first["vrchat"].items():
        np.testing.assert_array_equal(last["vrchat"][name], offsets)
    for name, weight in (("jawOpen", -1), ("mouthClose", 1)):
        np.testing.assert_array_equal(part["table"][name], weight * alone["arkit"][name])


def test_offsets_are_what_the_model_says_turned_to_object_space(model: Model) -> None:
    table: Table = {"Wide": {"eyeBlinkLeft": 1.0, "tongueOut": -0.5}}  # of no size of their own
    face, shapes, _report = start(model, {"table": table})
    known = model.info.condition_names
    weights = np.zeros(len(known))
    weights[known.index("eyeBlinkLeft")], weights[known.index("tongueOut")] = 1, -0.5
    canonical = np.stack(
        [  # what models.decoder promises
            np.full(len(face.indices), (weights * 0.01 * np.arange(1, len(known) + 1)).sum()),
            face.vertices[:, 1] * weights.sum(),
            np.full(len(face.indices), face.latent[0, 0] * weights.sum()),
        ],
        axis=1,
    )
    mesh = figure()
    smooth = smoothed(
        canonical[None].astype(np.float32),
        neighbours(mesh.vertices[face.indices], among(face.indices, mesh.triangles)),
    )[0]
    expected = (smooth * face.movement_mask[:, None]) @ face.frame.rotation * face.frame.scale
    free = (face.movement_mask == 1) & (
        np.linalg.norm(canonical, axis=1) > 0.1
    )  # neither faded at the border nor too still to count
    assert free.sum() > 20
    np.testing.assert_allclose(shapes.offsets[0][free], expected[free], rtol=1e-3, atol=1e-6)


def test_shapes_are_the_same_on_any_number_of_threads(tiny: Path) -> None:
    found = [
        list(start(load_model(tiny, resolve({"threads": threads}, environment={})), SETS))[1:3]
        for threads in (1, 3)
    ]
    for alone, beside in zip(*found, strict=True):
        np.testing.assert_array_equal(alone.offsets, beside.offsets)


def test_a_plain_model_is_limited_to_its_ranges_and_says_so(
    tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loading, "SHIPPED", tiny.with_name("tiny"))
    plain = load_model(models.plain(tmp_path / "p.onnx", 2, conditions=["a", "b"], name="Mine"))
    *_, shapes, report = start(plain, {"table": {"A": {"a": 1.0}, "B": {"b": 2.0}}})
    assert np.linalg.norm(shapes.offsets[1], axis=1).max() == pytest.approx(
        2 * np.linalg.norm(shapes.offsets[0], axis=1).max(), rel=1e-3
    )
    assert report.model == "Mine" and report.warnings == [
        "b was limited to the model's range 0 to 1"
    ]


@pytest.mark.parametrize(
    ("tables", "strength", "code"),
    [
        ({}, 1.0, "unknown_set"),
        ({"table": {"A": {"jawopen": 1.0}}}, 1.0, "unknown_condition"),
        ({"arkit": SETS["arkit"], "table": {"jawOpen": {"jawOpen": 0.5}}}, 1.0, "table_invalid"),
        (SETS, 0.0, "setting_invalid"),
        (SETS, float("nan"), "setting_invalid"),
        (SETS, 11.0, "setting_invalid"),
    ],
)
def test_bad_requests_are_refused_before_any_work(
    model: Model,
    tables: dict[str, Table],
    strength: float,
    code: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def no_work(*_: Any) -> Any:
        raise AssertionError("the face was looked for")

    monkeypatch.setattr(pipeline, "locate", no_work)
    with pytest.raises(BackendError) as caught:
        next(start(model, tables, strength))
    assert caught.value.code == code


def test_large_answers_leave_in_pieces_and_are_the_same(
    model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = [part for part in start(model, SETS) if isinstance(part, Shapes)]
    face = next(start(model, SETS))
    monkeypatch.setattr(module, "PIECE", 10 * len(face.indices) * room.OFFSET_BYTES)
    parts = [part for part in start(model, SETS) if isinstance(part, Shapes)]
    assert max(len(part.names) for part in parts) == 10
    for of in whole:
        own = [part for part in parts if part.set_name == of.set_name]
        assert [name for part in own for name in part.names] == list(of.names)
        assert np.array_equal(np.concatenate([part.offsets for part in own]), of.offsets)
        assert np.array_equal(np.concatenate([part.confidence for part in own]), of.confidence)


def test_more_than_fits_into_memory_is_refused(
    model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "MAX_BYTES", 1000)
    with pytest.raises(BackendError) as caught:
        list(start(model, SETS))
    assert caught.value.code == "out_of_memory" and "67 shapes" in caught.value.message


def test_a_mesh_above_the_ceiling_is_refused_before_it_is_searched(
    model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "VERTEX_BYTES", (2048 << 20) // len(figure().vertices) + 1)
    monkeypatch.setattr(pipeline, "locate", lambda *_, **__: pytest.fail("it is searched"))
    with pytest.raises(BackendError) as caught:
        next(start(model, SETS))
    assert caught.value.code == "out_of_memory" and "preferences" in caught.value.fix


def test_shapes_count_beside_their_mesh() -> None:
    room.require_room_for_shapes(52, 680_000, 570_000, 2048)
    with pytest.raises(BackendError) as caught:
        room.require_room_for_shapes(52, 2_000_000, 1_700_000, 2048)
    assert caught.value.code == "out_of_memory"


@pytest.mark.parametrize("after", [0, 1, 2])
def test_a_cancel_is_seen_after_every_result(model: Model, after: int) -> None:
    cancellation = Cancellation()
    results = start(model, SETS, cancellation=cancellation)
    for _ in range(after):
        next(results)
    cancellation.set()
    with pytest.raises(BackendError) as caught:
        next(results)
    assert caught.value.code == "cancelled"
