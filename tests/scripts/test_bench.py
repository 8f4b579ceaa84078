# SPDX-License-Identifier: GPL-3.0-or-later
"""The benchmark: that it measures what it says, in a quick run with a tiny model; no test judges a
time.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import onnx
import pytest
from fixtures.meshes import figure
from onnx.reference import ReferenceEvaluator

from backend.errors import BackendError
from backend.inference.contract import PASSES, PER_VERTEX
from backend.inference.loading import load_model
from backend.inference.selftest import probe
from backend.inference.settings import resolve
from scripts.bench import cells, recorded, requests, show
from scripts.bench.benchmark import Plan, figures
from scripts.bench.recorded import recorded_runs
from scripts.bench.timing import Peak, egg_head, in_turns, spread
from scripts.bench.torch_graph import TorchGraph

ROOT = Path(__file__).resolve().parents[2]
BENCH = ROOT / "scripts" / "bench" / "bench.py"
FIGURES = {
    *(
        "int8_to_fp32",
        "ort_to_torch",
        "growth_70k_10k",
        "memory_above_answer_mb",
        "cold_start_s",
    ),
    *("auto_threads_to_best", "shapes52_20k_s"),
}


def bench(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(BENCH), "--child", *map(str, arguments)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=240,
    )


def test_a_quick_run_tells_all_figures_and_draws(tiny: Path, tmp_path: Path) -> None:
    result = bench(
        "--quick",
        "--model",
        tiny,
        "--json",
        "--plot",
        tmp_path / "p.svg",
        "--out",
        tmp_path / "b.json",
        "--precisions",
        "fp32,int8",
    )
    assert result.returncode == 0, result.stderr
    report = json.loads(result.stdout)
    assert json.loads((tmp_path / "b.json").read_text()) == report
    assert set(report["figures"]) == FIGURES
    for name in ("growth_70k_10k", "memory_above_answer_mb", "shapes52_20k_s", "int8_to_fp32"):
        assert report["figures"][name] is None, (
            f"{name} is about what a quick run or this model has not"
        )
    assert all(report["figures"][name] > 0 for name in ("cold_start_s", "auto_threads_to_best"))
    rows = {row["precision"]: row for row in report["cells"]}
    assert "there is no variant" in rows["int8"]["error"] and rows["fp32"]["provider"] == "cpu"
    assert [(row["batch"], row["vertices"]) for row in report["cells"] if "error" not in row] == [
        (1, 1000),
        (1, 2000),
        (2, 1000),
        (2, 2000),
    ]
    assert all(
        row["min"] <= row["p50"] <= row["p99"] <= row["max"] and row["vertices_per_s"] > 0
        for row in report["cells"]
        if "error" not in row
    )
    assert report["request"]["shapes"] == 52 and report["request"]["session_runs"] >= 2
    drawn = ElementTree.fromstring((tmp_path / "p.svg").read_text())  # noqa: S314  (written a moment ago)
    assert len([e for e in drawn.iter() if e.tag.endswith("polyline")]) == 2
    lines = show.text(report).splitlines()
    assert any(line.startswith("cold_start_s") and "<= 1" in line for line in lines) and lines[
        -1
    ].startswith("Recommended: provider cpu")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--vertices", "0"], "--vertices 0"),
        (["--vertices", "many"], "--vertices many"),
        (["--batch", "1,1000"], "--batch 1000"),
        (["--repeat", "0"], "--repeat 0"),
        (["--providers", "gpu"], "'gpu'"),
        (["--precisions", "fp8"], "'fp8'"),
        (["--threads", "257"], "threads"),
    ],
)
def test_what_cannot_be_measured_is_refused(arguments: list[str], words: str) -> None:
    result = bench(*arguments)
    assert (
        result.returncode == 2
        and words in result.stderr
        and result.stderr.strip().endswith("[setting_invalid]")
    )


def test_full_figures_are_the_ratios_of_what_was_measured() -> None:
    report: dict[str, Any] = {
        "request": {"to_bare": 1.1, "threads_bare": 2, "request": {"p50": 0.9}},
        "growth": [{"seconds": 0.5}, {"seconds": 3.0, "above_answer_mb": 120.0}],
        "libraries": {"torch": {"1": {"ort_to_at_once": 0.8}, "2": {"ort_to_at_once": 0.4}}},
        "threads": {"idle": {"auto_to_best": 1.0}, "busy": {"auto_to_best": 1.1}},
        "cold_start": {"first_shapes_s": 0.7},
        "int8": {"vertices": 20, "1": {"to_fp32": 0.4}, "2": {"to_fp32": 0.5}},
    }
    told = figures(report, quick=False)
    assert set(told) == FIGURES
    assert (
        told["ort_to_torch"],
        told["growth_70k_10k"],
        told["int8_to_fp32"],
        told["auto_threads_to_best"],
    ) == (0.4, 6.0, 0.5, 1.1)
    assert (told["memory_above_answer_mb"], told["shapes52_20k_s"], told["cold_start_s"]) == (
        120.0,
        0.9,
        0.7,
    )
    assert (
        figures({**report, "libraries": {"torch": None}, "threads": None}, quick=True)[
            "ort_to_torch"
        ]
        is None
    )
    assert (
        figures({**report, "int8": {"why": "there is no variant"}}, quick=False)["int8_to_fp32"]
        is None
    )


def test_the_egg_head_is_a_closed_mesh_with_all_landmarks(tiny: Path) -> None:
    head = egg_head(5000)
    assert 4500 < len(head.vertices) < 5500 and head.triangles.max() == len(head.vertices) - 1
    runs = recorded_runs(load_model(tiny, resolve({"threads": 1}, environment={})), head, 52, None)
    assert runs and all(np.isfinite(array).all() for _, feeds in runs for array in feeds.values())


def test_works_are_timed_in_turns() -> None:
    order: list[str] = []
    times = in_turns({name: lambda name=name: order.append(name) for name in "ab"}, 3)  # type: ignore[misc]
    assert order == list("abababab") and [len(values) for values in times.values()] == [3, 3]
    assert spread([1.0, 2.0, 6.0]) == {
        "mean": 3.0,
        "std": 2.1602,
        "min": 1.0,
        "max": 6.0,
        "p50": 2.0,
        "p99": 6.0,
    }


def of_onnx(data: bytes) -> ReferenceEvaluator:
    """What numpy is measured with."""
    return ReferenceEvaluator(data)


@pytest.mark.parametrize("graph", [TorchGraph, of_onnx])
def test_other_libraries_compute_what_onnxruntime_does(graph: Any, tiny: Path) -> None:
    model = load_model(tiny, resolve({"threads": 1}, environment={}))
    for part in model.parts:
        feeds = probe(part.session.get_inputs(), 33)
        for found, right in zip(
            graph(part.data).run(None, feeds), part.session.run(None, feeds), strict=True
        ):
            np.testing.assert_allclose(found, right, atol=1e-5)


@pytest.mark.parametrize("graph", [TorchGraph, of_onnx])
def test_other_libraries_know_the_shipped_networks(graph: Any) -> None:
    for part in load_model(None, resolve({"threads": 1, "provider": "cpu"}, environment={})).parts:
        feeds = probe(part.session.get_inputs(), 40)
        for found, right in zip(
            graph(part.data).run(None, feeds), part.session.run(None, feeds), strict=True
        ):
            np.testing.assert_allclose(found, right, atol=1e-4)


def test_the_graph_for_torch_refuses_what_it_does_not_know() -> None:
    node = onnx.helper.make_node("Erf", ["a"], ["b"])
    graph = onnx.helper.make_graph(
        [node],
        "g",
        [onnx.helper.make_tensor_value_info("a", 1, [1])],
        [onnx.helper.make_tensor_value_info("b", 1, [1])],
    )
    with pytest.raises(NotImplementedError, match="Erf"):
        TorchGraph(onnx.helper.make_model(graph).SerializeToString())


def test_a_plan_is_checked() -> None:
    with pytest.raises(BackendError):
        Plan(vertices=()).check()
    Plan().check()


def test_what_runs_bare_is_all_that_a_request_ran() -> None:
    rng = np.random.default_rng(0)
    whole = {name: rng.normal(size=(2500, 3)).astype(np.float32) for name in PER_VERTEX} | {
        "latent": rng.normal(size=(1, 9)).astype(np.float32)
    }
    for pieces, sizes in (
        ((), [1024, 1024, 452]),
        ((slice(0, 100), slice(100, 2500)), [100, 2400]),
    ):
        found = recorded.pieces_of(whole, pieces)
        assert [len(piece["vertices"]) for piece in found] == sizes and all(
            piece["latent"] is whole["latent"] for piece in found
        )
        together = recorded.joined(found)
        assert all(np.array_equal(together[name], array) for name, array in whole.items())
    one_pass = found[0] | {PASSES: np.array([1])}
    assert recorded.alike([found[0], one_pass, found[1]]) == [[one_pass], found]
    crops = [
        {"points": rng.normal(size=(count, points, 7)).astype(np.float32)}
        for count, points in ((20, 64), (3, 128), (21, 64))
    ]
    at_once = [feeds["points"] for feeds in recorded.together(crops)]
    assert [array.shape[:2] for array in at_once] == [(32, 64), (9, 64), (3, 128)]
    np.testing.assert_array_equal(
        np.concatenate(at_once[:2]), np.concatenate([crops[0]["points"], crops[2]["points"]])
    )


def test_requests_are_timed_from_frame_to_frame_and_their_memory_is_the_childs(tiny: Path) -> None:
    names = list(load_model(tiny, resolve({"threads": 1}, environment={})).info.condition_names)
    asked = requests.Requests(tiny, {"threads": 1, "provider": "cpu"}, names)
    assert asked.shapes == 52 and requests.Requests(tiny, {}, names[:7]).shapes == 7
    with asked.start() as client:
        report, first, whole = asked.send(client, egg_head(700))
    assert report["shapes"] == 52 and report["threads"] == 1 and 0 < first <= whole
    small, large = asked.growth((600, 1500), 1)
    assert small["vertices"] < large["vertices"] and small["loaded_mb"] > 10
    for row in (small, large):
        assert (
            row["answer_mb"] == round(52 * row["face_vertices"] * 12 / 2**20, 1)
            and row["seconds"] > 0
        )
        assert row["above_answer_mb"] == pytest.approx(
            row["peak_memory_mb"] - 52 * row["face_vertices"] * 12 / 2**20, abs=0.06
        )


def test_a_cell_tells_rates_of_its_own_times(tiny: Path) -> None:
    told = cells.cell(
        load_model(tiny, resolve({"threads": 1, "provider": "cpu"}, environment={})), 2, 300, 3
    )
    assert (told["batch"], told["vertices"], told["runs"]) == (2, 300, 3)
    near = 0.02 + 1e-4 / told["p50"] + 1e-4 / told["bare_p50"]  # times are told to 0.1 ms
    assert told["heads_per_s"] == pytest.approx(2 / told["p50"], rel=near, abs=0.01)
    assert told["vertices_per_s"] == pytest.approx(300 * told["heads_per_s"], rel=near, abs=2)
    assert told["to_bare"] == pytest.approx(told["p50"] / told["bare_p50"], rel=near, abs=0.001)
    assert told["peak_memory_mb"] == round(told["peak_memory_mb"], 1)


def test_the_peak_is_seen_while_it_lasts() -> None:
    with Peak() as memory:
        held = np.ones(64 << 17)
        end = time.monotonic() + 60
        while memory.peak < memory.before + 48 and time.monotonic() < end:
            time.sleep(0.01)
        assert 48 < memory.peak - memory.before < 100, f"{held.nbytes >> 20} MiB more"


def test_bench_measures_an_avatars_request(tiny: Path, tmp_path: Path) -> None:
    made, mesh = figure(), tmp_path / "mesh.npz"
    weights = made.head_weights
    assert weights is not None
    np.savez(mesh, vertices=made.vertices, triangles=made.triangles, head_weight=weights)
    result = bench(
        "--quick",
        "--json",
        "--mesh",
        mesh,
        "--model",
        tiny,
        "--threads",
        "1",
        "--precisions",
        "fp32",
    )
    assert result.returncode == 0, result.stderr
    report = json.loads(result.stdout)
    assert (
        report["request"]["vertices"] == len(figure().vertices)
        and report["request"]["session_runs"] > 2
    ), "the face is searched for"
    assert report["request"]["threads"] == report["request"]["threads_bare"] == 1
    assert report["figures"]["auto_threads_to_best"] is None, "the threads were given"
