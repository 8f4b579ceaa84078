# SPDX-License-Identifier: GPL-3.0-or-later
"""Hardware and providers: what is asked for is what is active, or it is said why not, and a
provider that fails loses no request.
"""

from __future__ import annotations

import json
import platform
import shutil
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from threading import Timer
from types import SimpleNamespace
from typing import Any

import numpy as np
import onnxruntime
import pytest
from fixtures import runtimes
from fixtures.models import LATENT

from backend.errors import BackendError
from backend.inference import disabled, hardware, providers, running, selftest, sessions, trial
from backend.inference import turns as turns_module
from backend.inference.cancellation import Cancellation
from backend.inference.contract import PER_VERTEX
from backend.inference.decoding import shapes_of
from backend.inference.engines import engine_cache
from backend.inference.loading import load_model
from backend.inference.pool import Pool
from backend.inference.settings import Settings, resolve

CPU, CUDA, TENSORRT, DML = providers.CPU, providers.CUDA, providers.TENSORRT, providers.DIRECTML


def settings(**chosen: Any) -> Settings:
    return resolve(chosen, environment={})


def face_of(count: int) -> Any:
    random = np.random.default_rng(3)
    sizes = [*((count, columns) for _, columns in PER_VERTEX.values()), (1, LATENT)]
    return tuple(random.uniform(-1, 1, size).astype(np.float32) for size in sizes)


@pytest.mark.parametrize(
    ("platform", "offered", "expected"),
    [
        ("linux", ["cpu"], ["cpu"]),
        ("linux", ["cpu", "openvino", "cuda", "tensorrt"], ["tensorrt", "cuda", "openvino", "cpu"]),
        ("win32", ["cpu", "directml"], ["directml", "cpu"]),
        (
            "win32",
            list(providers.PROVIDERS),
            [
                "nvtensorrtrtx",
                "tensorrt",
                "cuda",
                "directml",
                "windowsml",
                "openvino",
                "webgpu",
                "cpu",
            ],
        ),
        ("darwin", ["cpu", "coreml"], ["coreml", "cpu"]),
        ("freebsd14", ["cpu"], ["cpu"]),
    ],
)
def test_auto_tries_the_platforms_order(
    platform: str, offered: list[str], expected: list[str]
) -> None:
    asked, tries = providers.candidates(settings(), offered, platform)
    assert (
        [each.name for each in tries] == expected
        and asked == tries[0].ort
        and all(each.reason for each in tries)
    )


def test_a_provider_that_is_not_there_is_told_and_strictly_an_error() -> None:
    asked, tries = providers.candidates(settings(provider="cuda"), ["cpu"], "linux")
    assert (
        asked == CUDA
        and [each.name for each in tries] == ["cpu"]
        and "the call" in tries[0].reason
        and CUDA in tries[0].reason
    )
    with pytest.raises(BackendError) as caught:
        providers.candidates(settings(provider="cuda", strict=True), ["cpu"], "linux")
    assert caught.value.code == "provider_failed" and "onnxruntime-gpu" in caught.value.fix
    asked, tries = providers.candidates(
        settings(provider="cuda", strict=True), ["cpu", "cuda"], "linux"
    )
    assert [each.name for each in tries] == ["cuda"]


@pytest.mark.parametrize("name", list(providers.PROVIDERS))
def test_options_name_no_folder_where_there_is_none(name: str) -> None:
    options = providers.PROVIDERS[name].options(providers.Target())
    assert not any(
        word in option.lower()
        for option in options
        for word in ("cache_path", "cache_dir", "cachedirectory")
    ), options


def test_a_target_takes_as_much_of_a_gpu_as_the_settings_say_when_nobody_says_otherwise() -> None:
    assert providers.Target().gpu_memory_mb == settings().gpu_memory_mb


# Option names from onnxruntime.ai, Execution Providers, the page of each
VALID = {
    "cuda": {
        "device_id",
        "gpu_mem_limit",
        "arena_extend_strategy",
        "cudnn_conv_algo_search",
        "do_copy_in_default_stream",
        "use_tf32",
    },
    "tensorrt": {
        *(
            "device_id",
            "trt_max_workspace_size",
            "trt_fp16_enable",
            "trt_int8_enable",
            "trt_int8_calibration_table_name",
        ),
        *(
            "trt_engine_cache_enable",
            "trt_engine_cache_path",
            "trt_timing_cache_enable",
            "trt_timing_cache_path",
        ),
        *(
            "trt_builder_optimization_level",
            "trt_profile_min_shapes",
            "trt_profile_opt_shapes",
            "trt_profile_max_shapes",
        ),
    },
    "openvino": {"device_type", "cache_dir", "load_config"},
    "coreml": {
        "ModelFormat",
        "MLComputeUnits",
        "RequireStaticInputShapes",
        "EnableOnSubgraphs",
        "ModelCacheDirectory",
    },
    "directml": {"device_id", "performance_preference", "device_filter"},
    "nvtensorrtrtx": {
        *("device_id", "nv_max_workspace_size", "nv_runtime_cache_path"),
        *("nv_profile_min_shapes", "nv_profile_opt_shapes", "nv_profile_max_shapes"),
    },
    "qnn": {"backend_type"},
}


@pytest.mark.parametrize("name", list(providers.PROVIDERS))
@pytest.mark.parametrize("precision", ["auto", "fp32", "fp16", "int8"])
def test_options_are_texts_with_names_that_the_provider_knows(
    name: str, precision: str, tmp_path: Path
) -> None:
    shapes = {"vertices": ([1, 3], [2048, 3], [4096, 3]), "latent": ([1, 9], [1, 9], [1, 9])}
    target = providers.Target(precision, 1, 2, 512, tmp_path, shapes, "table.calibration")
    options = providers.PROVIDERS[name].options(target)
    assert set(options) <= VALID.get(name, set()) and all(
        isinstance(value, str) for value in options.values()
    )
    unkept = providers.PROVIDERS[name].options(replace(target, cache=None))
    assert not {str(tmp_path), "None"} & set(unkept.values()) and set(unkept) <= set(options)
    if name in ("tensorrt", "nvtensorrtrtx", "openvino", "coreml"):
        assert str(tmp_path) in options.values(), "what is compiled is kept"
    if name == "tensorrt":
        assert options["trt_profile_max_shapes"] == "vertices:4096x3,latent:1x9"
        assert (options["trt_fp16_enable"], options["trt_int8_enable"]) == (
            str(int(precision == "fp16")),
            str(int(precision == "int8")),
        )
        assert ("trt_int8_calibration_table_name" in options) == (precision == "int8")
    if name == "cuda":  # rounded to 10 bits only where less precision was asked for
        assert options["use_tf32"] == str(int(precision in ("fp16", "int8")))
    if name == "openvino":
        assert json.loads(options["load_config"])["CPU"]["INFERENCE_NUM_THREADS"] == 2


def test_tensorrt_leaves_the_rest_to_cuda_and_directml_to_the_cpu_alone() -> None:
    target, offered = providers.Target(), ["tensorrt", "cuda", "directml", "cpu"]
    assert [name for name, _ in providers.listed("tensorrt", target, offered)] == [
        TENSORRT,
        CUDA,
        CPU,
    ]
    assert [name for name, _ in providers.listed("directml", target, offered)] == [DML, CPU]
    assert providers.listed("cpu", target, offered) == [(CPU, {})]


def test_engines_are_kept_by_model_runtime_device_and_precision(tmp_path: Path) -> None:
    seen = {
        engine_cache(
            settings(cache_dir=str(tmp_path), precision=precision, device=device),
            name,
            model,
            runtime,
            gpu,
        )
        for name in ("tensorrt", "openvino")
        for model in ("a" * 64, "b" * 64)
        for runtime in ("ort1.31.1", "ort1.32.0")
        for gpu in ("NVIDIA H100/1", "cpu")
        for device in (0, 1)
        for precision in ("fp16", "int8")
    }
    assert len(seen) == 64 and all(
        path is not None and path.is_dir() and path.is_relative_to(tmp_path) for path in seen
    )
    assert engine_cache(settings(cache_dir=str(tmp_path)), "cpu", "a" * 64, "r", "d") is None
    (tmp_path / "file").write_text("")
    assert (
        engine_cache(settings(cache_dir=str(tmp_path / "file")), "tensorrt", "a" * 64, "r", "d")
        is None
    )


@pytest.mark.parametrize(
    ("trouble", "words"),
    [
        ({"trouble": {CUDA: runtimes.no_start}}, "needs a driver"),
        ({"silent": [CUDA]}, "fell back"),
        ({"trouble": {CUDA: runtimes.fails_from(1)}}, "failed on a small head: device lost"),
        ({"trouble": {CUDA: runtimes.spoilt_from(1, 1.5)}}, "differs from the CPU by"),
        ({"trouble": {CUDA: runtimes.spoilt_from(1, float("nan"))}}, "not numbers"),
        ({"trouble": {CUDA: runtimes.slow}}, "is slower than the CPU here"),
    ],
    ids=["start", "silent fall-back", "self-test run", "wrong numbers", "no numbers", "slower"],
)
def test_a_provider_that_does_not_prove_itself_is_disabled(
    monkeypatch: pytest.MonkeyPatch, tiny: Path, trouble: dict[str, Any], words: str
) -> None:
    runtimes.use(monkeypatch, runtimes.Runtime([CUDA, CPU], **trouble))
    monkeypatch.setitem(providers.ORDER, sys.platform, ("cuda", "cpu"))
    model = load_model(tiny, settings())
    assert (
        (model.use.asked, model.use.active) == (CUDA, CPU)
        and words in model.use.reason
        and "\n" not in model.use.reason
    )
    assert words in disabled.disabled_providers()["cuda"]
    if words == "is slower than the CPU here":
        disabled.enable_all()
        assert load_model(tiny, settings(provider="cuda")).use.active == CUDA, (
            "who asks for it by name gets it"
        )
    else:
        disabled.enable_all()
        with pytest.raises(BackendError) as caught:
            load_model(tiny, settings(provider="cuda", strict=True))
        assert caught.value.code == "provider_failed" and words in caught.value.message


def test_a_provider_that_works_is_used_and_the_next_in_line_after_one_that_does_not(
    monkeypatch: pytest.MonkeyPatch, tiny: Path
) -> None:
    runtimes.use(
        monkeypatch, runtimes.Runtime([TENSORRT, CUDA, CPU], {TENSORRT: runtimes.no_start})
    )
    model = load_model(tiny, settings(provider="tensorrt"))
    if sys.platform in ("linux", "win32"):
        assert (model.use.asked, model.use.active) == (
            TENSORRT,
            CUDA,
        ) and "needs a driver" in model.use.reason


@pytest.mark.parametrize(
    ("trouble", "words"),
    [
        (runtimes.fails_from(10), "device lost"),
        (runtimes.spoilt_from(10, float("inf")), "not numbers"),
    ],
    ids=["lost", "infinite"],
)
def test_a_provider_that_fails_during_a_run_loses_no_request(
    monkeypatch: pytest.MonkeyPatch, tiny: Path, trouble: Any, words: str
) -> None:
    count, weights = 2048 * 4, np.eye(52, dtype=np.float32)
    expected = shapes_of(
        load_model(tiny, settings(provider="cpu")), face_of(count), weights, Cancellation()
    )
    runtimes.use(monkeypatch, runtimes.Runtime([CUDA, CPU], {CUDA: trouble}))
    model = load_model(tiny, settings(provider="cuda"))
    assert model.use.active == CUDA
    np.testing.assert_array_equal(
        shapes_of(model, face_of(count), weights, Cancellation()), expected
    )
    assert (model.use.asked, model.use.active) == (CUDA, CPU) and words in model.use.reason
    assert model.engine()["provider_active"] == CPU and words in model.engine()["provider_reason"]

    runtimes.use(monkeypatch, runtimes.Runtime([CUDA, CPU], {CUDA: trouble}))
    strict = load_model(tiny, settings(provider="cuda", strict=True))
    with pytest.raises(BackendError) as caught:
        shapes_of(strict, face_of(count), weights, Cancellation())
    assert caught.value.code == "provider_failed" and words in caught.value.message


def test_tensorrt_makes_the_precision_itself_and_gets_the_calibration_table(
    monkeypatch: pytest.MonkeyPatch, tiny: Path, tmp_path: Path
) -> None:
    for role in ("encoder", "decoder"):
        shutil.copy(tiny.with_name(f"tiny.{role}.onnx"), tmp_path / f"m.{role}.onnx")
    decoder, cache = tmp_path / "m.decoder.onnx", tmp_path / "cache"
    for precision, table, expected, words in (
        ("fp16", False, "fp16", "made by Tensorrt"),
        ("int8", False, "fp32", "no variant"),
        ("int8", True, "int8", "not measured"),
    ):
        if table:
            (tmp_path / "m.decoder.calibration").write_bytes(b"ranges")
        runtime = runtimes.use(monkeypatch, runtimes.Runtime([TENSORRT, CPU]))
        model = load_model(
            decoder, settings(provider="tensorrt", precision=precision, cache_dir=str(cache))
        )
        assert (model.precision, model.use.active) == (
            expected,
            TENSORRT,
        ) and words in model.precision_reason
        options = next(
            listed[0][1]
            for listed in runtime.created
            if listed[0][0] == TENSORRT and "basis" not in listed
        )
        assert (
            options["trt_fp16_enable"] == str(int(precision == "fp16"))
            and "points:1x1x7" in options["trt_profile_min_shapes"]
        )
        assert (
            "points:1x2048x7" in options["trt_profile_opt_shapes"]
            and "points:64x4096x7" in options["trt_profile_max_shapes"]
        )
    assert [path.read_bytes() for path in cache.rglob("m.decoder.calibration")] == [b"ranges"]


def test_a_model_that_nothing_can_load_is_the_models_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    runtimes.use(monkeypatch, runtimes.Runtime([CUDA, CPU]))
    with pytest.raises(BackendError) as caught:
        sessions.create(b"\x08\x09", "x.onnx", 1, settings(provider="cuda", strict=True))
    assert caught.value.code == "model_unreadable"


def test_the_self_test_sees_shapes_numbers_and_differences() -> None:
    right = [np.ones((2, 3), np.float32)]
    assert selftest.differs("m", right, [right[0] * 1.001], "fp32") == ""
    assert (
        "differs" in selftest.differs("m", right, [right[0] * 1.02], "fp32")
        and selftest.differs("m", right, [right[0] * 1.02], "fp16") == ""
    )
    assert "not numbers" in selftest.differs("m", right, [right[0] * np.nan], "auto")
    assert "instead of" in selftest.differs("m", right, [right[0][:1]], "auto")


def test_node_placement_is_told_on_request(tiny: Path) -> None:
    placed = load_model(tiny, settings(placement=True)).engine()["placement"]
    assert (
        set(placed) == {"tiny.encoder.onnx", "tiny.decoder.onnx"}
        and placed["tiny.decoder.onnx"][CPU] > 3
    )
    assert "placement" not in load_model(tiny, settings()).engine()


def test_a_profile_is_written_on_request(tiny: Path, tmp_path: Path) -> None:
    model = load_model(tiny, settings(profile=str(tmp_path / "p"), threads=1))
    shapes_of(model, face_of(10), np.eye(52, dtype=np.float32), Cancellation())
    paths = [Path(path) for path in model.close()]
    assert len(paths) == 2 and any("decoder" in path.name for path in paths)
    assert any(
        event.get("cat") == "Node"
        for event in json.loads(next(p for p in paths if "decoder" in p.name).read_text())
    )


def test_plugins_that_do_not_load_are_not_offered(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "broken_ep.py").write_text(
        "def get_ep_name(): return 'X'\ndef get_library_path(): return '/no/such/library.so'\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(
        providers, "PLUGINS", {"webgpu": "broken_ep", "qnn": "no_such_module_at_all"}
    )
    failed = providers.register_plugins(onnxruntime)
    assert (
        set(failed) == {"webgpu"}
        and failed["webgpu"]
        and "webgpu" not in providers.offered_by(onnxruntime)
    )


def test_threads_are_tried_up_to_the_cores_or_fixed(tiny: Path) -> None:
    counts = hardware.thread_counts()
    assert (
        counts[0] == 1
        and counts[-1] <= hardware.hardware().physical_cores
        and list(counts) == sorted(set(counts))
    )
    assert load_model(tiny, settings()).threads in counts
    assert hardware.thread_counts(3) == (3,)
    model = load_model(tiny, settings(threads=3))
    assert [part.threads for part in model.parts] == [3, 3]


def test_the_fastest_session_is_kept(slow: Path, tiny: Path) -> None:
    def work(path: Path) -> Callable[[], object]:
        session = sessions.create(path.read_bytes(), path.name, 1).session
        return lambda: session.run(None, selftest.probe(session.get_inputs(), 8))

    tardy, quick = work(slow), work(tiny)
    assert trial.fastest({1: tardy, 2: quick}) == 2 and trial.fastest({1: quick, 2: tardy}) == 1


def test_a_lucky_run_does_not_decide_and_of_equals_the_most_threads_are_kept() -> None:
    class Timed:
        """Takes so long, run by run."""

        def __init__(self, *seconds: float) -> None:
            self.seconds, self.runs = seconds, 0

        def __call__(self) -> None:
            time.sleep(self.seconds[self.runs % len(self.seconds)])
            self.runs += 1

    steady, lucky = Timed(0.02), Timed(0.03, 0.03, 0.005, 0.03)
    assert trial.fastest({1: steady, 2: lucky}) == 1 and lucky.runs > 3
    hopeless = Timed(0.05)
    assert trial.fastest({1: hopeless, 2: Timed(0.005)}) == 2 and hopeless.runs == 1 + trial.TRIALS
    assert trial.fastest({2: Timed(0.02), 1: Timed(0.02)}) == 2


def test_runs_that_slow_down_are_noticed_and_threads_tried_again(
    monkeypatch: pytest.MonkeyPatch, tiny: Path
) -> None:
    model = load_model(tiny, settings(threads=2))
    feeds, late = selftest.probe(model.encoder.session.get_inputs(), 2000), {"on": False}
    real = model.encoder.session

    class Late:
        def run(self, *arguments: Any) -> Any:
            time.sleep(0.02 if late["on"] else 0)
            return real.run(*arguments)

    model.encoder.session = Late()
    for _ in range(3):
        running.run(model.encoder, feeds, Cancellation())
    assert not model.slow
    late["on"] = True
    for _ in range(sessions.LATE_RUNS):
        running.run(model.encoder, feeds, Cancellation())
    assert model.slow
    model.encoder.session = real
    trial.try_threads(model.encoder, (1, 2), feeds)
    assert not model.slow and model.encoder.threads in (1, 2)


def test_pieces_run_side_by_side_and_a_failure_or_a_cancel_ends_all(tiny: Path) -> None:
    session = load_model(tiny, settings(threads=3)).encoder
    crops = [selftest.probe(session.session.get_inputs(), 20 + n) for n in range(9)]
    found: dict[int, list[Any]] = {}
    shares: list[float] = []
    running.run_each(session, crops, Cancellation(), found.__setitem__, progress=shares.append)
    assert (
        session.parallel_runs == 3
        and sorted(found) == list(range(9))
        and shares == sorted(shares)
        and shares[-1] == 1
    )
    for number, crop in enumerate(crops):
        alone = running.run(session, crop, Cancellation())
        assert all(
            np.array_equal(one, other) for one, other in zip(found[number], alone, strict=True)
        ), "the same bits on any number of threads"

    taken: list[int] = []
    cancellation = Cancellation()

    def refuse(number: int, outputs: list[Any]) -> None:
        taken.append(number)
        raise BackendError("model_contract", "No.", "")

    def give_up(number: int, outputs: list[Any]) -> None:
        taken.append(number)
        cancellation.set()

    for take, code, given in (
        (refuse, "model_contract", Cancellation()),
        (give_up, "cancelled", cancellation),
    ):
        taken.clear()
        with pytest.raises(BackendError) as raised:
            running.run_each(session, crops * 30, given, take)
        assert raised.value.code == code and 0 < len(taken) < 200


def test_peak_memory_sees_a_large_array() -> None:
    before = hardware.peak_memory_mb()
    large = np.ones((int(before) + 64) << 17)  # 8 bytes each: more than everything so far
    assert hardware.peak_memory_mb() >= before + 32
    assert hardware.memory_mb() <= hardware.peak_memory_mb() + 1
    del large


def test_the_hardware_is_described() -> None:
    machine = hardware.hardware()
    assert (
        machine.cpu
        and machine.memory_mb >= machine.free_memory_mb > 0
        and machine.usable_cores >= 1
    )
    assert machine.system in ("Linux", "Windows", "Darwin") or sys.platform not in (
        "linux",
        "win32",
        "darwin",
    )


def test_memory_is_told_in_mebibytes() -> None:
    import psutil

    told, memory = hardware.hardware(), psutil.virtual_memory()
    assert told.memory_mb == memory.total // 2**20 and 0 < told.free_memory_mb <= told.memory_mb
    held = np.ones(64 << 17, np.float64)  # 64 MiB
    with_it = hardware.memory_mb()
    assert held.nbytes == 64 << 20 and hardware.peak_memory_mb() >= with_it - 1
    del held
    if sys.platform == "linux":
        assert 48 < with_it - hardware.memory_mb() < 80, (
            "so large an array goes back to the system when it is freed"
        )
    assert (
        told.physical_cores >= 1
        and told.usable_cores >= 1
        and told.cpu
        and told.gpus == hardware.gpus()
    )


def test_a_processor_is_called_what_linux_calls_it_else_what_python_does(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import psutil

    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(
        psutil.Process, "cpu_affinity", lambda self: [0], raising=False
    )  # macOS has none
    monkeypatch.setattr(
        hardware,
        "_text",
        lambda path: "processor\t: 0\nmodel name\t: AMD: EPYC 9  \nmodel name\t: other\n",
    )
    assert hardware.hardware().cpu == "AMD: EPYC 9"
    monkeypatch.setattr(hardware, "_text", lambda path: "")
    assert hardware.hardware().cpu == (platform.processor() or platform.machine())


def test_a_place_that_was_given_back_is_one_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns_module, "PATIENCE_S", 600.0)
    turns, entered = turns_module.Turns(), threading.Event()
    for _ in range(3):
        with turns.take(Cancellation()):
            pass

    def second() -> None:
        with turns.take(Cancellation()):
            entered.set()

    with turns.take(Cancellation()):
        other = threading.Thread(target=second)
        other.start()
        assert not entered.wait(0.3), "one at a time"
    other.join(60)
    assert entered.is_set()


def test_usable_cores_are_those_of_the_process_but_on_macos(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import os

    import psutil

    monkeypatch.setattr(psutil.Process, "cpu_affinity", lambda self: [1, 5, 6], raising=False)
    monkeypatch.setattr(psutil, "cpu_count", lambda logical=True: 9)
    assert (hardware.hardware().usable_cores, hardware.thread_counts()) == (3, (1, 2, 3))
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr(os, "cpu_count", lambda: 12)
    assert (hardware.hardware().usable_cores, hardware.hardware().physical_cores) == (12, 9)
    monkeypatch.setattr(psutil, "cpu_count", lambda logical=True: None)
    assert (
        hardware.hardware().physical_cores,
        hardware.thread_counts(),
        hardware.thread_counts(7),
    ) == (12, (1, 11, 12), (7,))
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert (
        hardware.hardware().usable_cores,
        hardware.hardware().physical_cores,
        hardware.thread_counts(),
    ) == (1, 1, (1,))


def test_a_probe_is_a_head_and_numbers_from_minus_one_to_one() -> None:
    entry = SimpleNamespace
    inputs = [
        entry(name="vertices", shape=["n", 3]),
        entry(name="normals", shape=["n", 3]),
        entry(name="points", shape=["b", "p", 7]),
    ]
    inputs += [
        entry(name="latent", shape=[1, 40]),
        entry(name="conditions", shape=["b", "k"]),
        entry(name="parts", shape=["n", 6]),
    ]
    feeds = selftest.probe(inputs, 90)
    shapes = {
        "vertices": (90, 3),
        "normals": (90, 3),
        "points": (1, 90, 7),
        "latent": (1, 40),
        "conditions": (1, 1),
        "parts": (90, 6),
    }
    assert {name: array.shape for name, array in feeds.items()} == shapes and all(
        array.dtype == np.float32 for array in feeds.values()
    )
    for name in ("latent", "parts"):
        assert (
            feeds[name].min() < -0.8 and feeds[name].max() > 0.8 and np.abs(feeds[name]).max() <= 1
        )
    np.testing.assert_allclose(np.linalg.norm(feeds["normals"], axis=1), 1, atol=1e-6)
    np.testing.assert_allclose(
        np.linalg.norm((feeds["vertices"] - (0, -0.4, -1)) / (1.1, 1.5, 1.2), axis=1), 1, atol=1e-6
    )
    np.testing.assert_array_equal(
        feeds["points"][0, :, :6], np.concatenate([feeds["vertices"], feeds["normals"]], axis=1)
    )
    assert (
        not feeds["points"][..., 6].any() and np.abs(feeds["normals"].mean(axis=0)).max() < 0.05
    ), "spread evenly"
    ranges = selftest.largest_shapes(inputs, {"points": 64, "conditions": 5}, 2048, 4096)
    assert ranges["points"] == ([1, 1, 7], [1, 2048, 7], [64, 4096, 7]) and ranges["vertices"] == (
        [1, 3],
        [2048, 3],
        [4096, 3],
    )
    assert ranges["latent"] == ([1, 40],) * 3 and ranges["conditions"][:2] == ([1, 1], [1, 1])


@pytest.mark.parametrize(
    ("precision", "allowed"), [("fp32", 1e-2), ("auto", 1e-2), ("fp16", 3e-2), ("int8", 1e-1)]
)
def test_how_far_a_provider_may_be_off_follows_the_precision(
    precision: str, allowed: float
) -> None:
    right = [np.array([0.5, -4.0, 1.0], np.float32)]
    near, far = (
        [right[0] + np.array([0, 0, 4 * allowed * share], np.float32)] for share in (0.98, 1.02)
    )
    assert selftest.differs("m", right, near, precision) == ""
    assert f"more than {allowed:.0%}" in selftest.differs("m", right, far, precision)


def test_only_directml_runs_one_operator_after_another_whatever_is_asked_for() -> None:
    assert [name for name, provider in providers.PROVIDERS.items() if provider.sequential] == [
        "directml"
    ]


@pytest.mark.parametrize(("length", "shortened"), [(40, False), (41, True)])
def test_a_folder_of_engines_has_a_short_name_that_is_still_its_own(
    tmp_path: Path, length: int, shortened: bool
) -> None:
    chosen = resolve({"cache_dir": str(tmp_path), "precision": "fp16", "device": 1}, environment={})
    runtime = "r" * (length - len("-gpu-1-fp16"))
    folder, other = (
        engine_cache(chosen, "tensorrt", "a" * 64, runtime, gpu) for gpu in ("gpu", "GPU")
    )
    assert folder is not None and other is not None and folder.is_dir()
    assert (
        folder.parts[-3:-1] == ("tensorrt", "a" * 16)
        and len(folder.name) == 40
        and folder.name != other.name
    )
    assert (folder.name == f"{runtime}-gpu-1-fp16") is not shortened
    assert engine_cache(chosen, "cuda", "a" * 64, runtime, "gpu") is None, "it compiles none"


def test_a_run_stops_soon_after_it_is_cancelled(slow: Path) -> None:
    model = load_model(slow, settings(provider="cpu"))  # a GPU is done before it could be cancelled
    cancellation = Cancellation()
    face = face_of(1024)  # one chunk, so that it is the run itself that stops
    set_at: list[float] = []

    def cancel() -> None:
        set_at.append(time.perf_counter())
        cancellation.set()

    Timer(0.3, cancel).start()
    with pytest.raises(BackendError) as caught:
        shapes_of(model, face, np.eye(52, dtype=np.float32), cancellation)
    assert caught.value.code == "cancelled"
    assert set_at and time.perf_counter() - set_at[0] < 2.0, (
        "a run of this model takes over ten seconds"
    )


def test_gpus_are_told_from_what_the_system_shows(tmp_path: Path) -> None:
    def write(path: str, text: str) -> None:
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text, encoding="utf-8")

    write(
        "proc/driver/nvidia/gpus/0000:01:00.0/information",
        "Model: \t\t NVIDIA H100 80GB HBM3\nIRQ: 1\n",
    )
    for card, vendor in (
        ("card0", "0x10de"),
        ("card1", "0x8086"),
        ("card1-HDMI-A-1", "0x8086"),
        ("card2", "0xffff"),
    ):
        write(f"sys/class/drm/{card}/device/vendor", vendor + "\n")
        write(f"sys/class/drm/{card}/device/device", "0x4680\n")
    assert hardware._linux_gpus(tmp_path) == ("NVIDIA H100 80GB HBM3", "Intel 0x4680")


def of(session: Any) -> Any:
    """The SessionOptions that ONNX Runtime made a session with."""
    return session.get_session_options()


@pytest.mark.parametrize("level", ["disable", "basic", "extended", "layout", "all"])
def test_the_graph_optimisation_level_reaches_every_session(tiny: Path, level: str) -> None:
    wanted = "ORT_DISABLE_ALL" if level == "disable" else f"ORT_ENABLE_{level.upper()}"
    if wanted not in onnxruntime.GraphOptimizationLevel.__members__:
        pytest.skip("this ONNX Runtime has no such level")
    model = load_model(tiny, settings(graph_optimization=level, threads=1))
    for part in model.parts:
        assert (
            of(part.session).graph_optimization_level
            == onnxruntime.GraphOptimizationLevel.__members__[wanted]
        )
    expected = shapes_of(
        load_model(tiny, settings(threads=1)),
        face_of(300),
        np.eye(52, dtype=np.float32),
        Cancellation(),
    )
    found = shapes_of(model, face_of(300), np.eye(52, dtype=np.float32), Cancellation())
    assert np.abs(found - expected).max() <= 1e-5 * np.abs(expected).max()


def nodes_run(folder: Path, **chosen: Any) -> list[str]:
    """Names of the operators that the shipped decoder's profile tells of one run."""
    model = load_model(None, settings(threads=1, profile=str(folder), **chosen))
    shapes_of(
        model,
        face_of_model(model, 200),
        np.eye(len(model.info.conditions), dtype=np.float32),
        Cancellation(),
    )
    [path] = [Path(path) for path in model.close() if "decoder" in path]
    events = json.loads(path.read_text(encoding="utf-8"))
    return [
        event["args"]["op_name"]
        for event in events
        if event.get("cat") == "Node" and event["name"].endswith("_kernel_time")
    ]


def face_of_model(model: Any, count: int) -> Any:
    """A face of random numbers for a model of any latent."""
    latent = next(
        entry.shape[-1] for entry in model.decoder.session.get_inputs() if entry.name == "latent"
    )
    return (*face_of(count)[:-1], np.zeros((1, latent), np.float32))


def test_what_runs_is_what_the_level_says(tmp_path: Path) -> None:
    """Seen in ONNX Runtime's own profile: less optimisation leaves more operators, and what is left
    out of `all` is not done there.
    """
    everything, fused = (
        nodes_run(tmp_path / "all"),
        nodes_run(tmp_path / "extended", graph_optimization="extended"),
    )
    nothing = nodes_run(tmp_path / "disable", graph_optimization="disable")
    assert len(nothing) > len(everything) > 0 and len(nothing) > len(fused)
    assert "SkipLayerNormalization" not in everything + fused


def test_execution_mode_and_inter_op_threads_reach_every_session(tiny: Path) -> None:
    for chosen, mode, threads in (
        ({}, "ORT_SEQUENTIAL", 1),
        ({"execution_mode": "parallel", "inter_op_threads": 2}, "ORT_PARALLEL", 2),
        ({"execution_mode": "parallel", "inter_op_threads": "auto"}, "ORT_PARALLEL", 0),
    ):
        model = load_model(tiny, settings(threads=1, **chosen))
        for part in model.parts:
            options = of(part.session)
            assert (options.execution_mode, options.inter_op_num_threads) == (
                onnxruntime.ExecutionMode.__members__[mode],
                threads,
            )
            assert options.intra_op_num_threads == 1
        offsets = shapes_of(model, face_of(300), np.eye(52, dtype=np.float32), Cancellation())
        assert np.isfinite(offsets).all() and offsets.any()


def test_directml_stays_sequential_and_the_report_says_so(
    monkeypatch: pytest.MonkeyPatch, tiny: Path
) -> None:
    runtimes.use(monkeypatch, runtimes.Runtime([DML, CPU]))
    model = load_model(tiny, settings(provider="directml", execution_mode="parallel"))
    assert (
        model.use.active == DML
        and len(model.warnings) == 1
        and "DirectML" in model.warnings[0]
        and "execution_mode" in model.warnings[0]
    )
    assert all(
        of(part.session).execution_mode == onnxruntime.ExecutionMode.ORT_SEQUENTIAL
        for part in model.parts
    )
    assert not load_model(tiny, settings(provider="cpu", execution_mode="parallel")).warnings


@pytest.mark.parametrize("severity", ["verbose", "warning", "error", "fatal"])
def test_log_severity_is_what_sessions_write(
    tiny: Path, capfd: pytest.CaptureFixture[str], severity: str
) -> None:
    model = load_model(tiny, settings(threads=1, log_severity=severity))
    number = ["verbose", "info", "warning", "error", "fatal"].index(severity)
    assert all(of(part.session).log_severity_level == number for part in model.parts)
    with pytest.raises(BackendError):
        running.run(model.parts[1], {"vertices": np.zeros((1, 2), np.float32)}, Cancellation())
    assert ("[V:onnxruntime" in capfd.readouterr().err) == (severity == "verbose")


def test_sessions_of_other_options_are_other_sessions_and_those_of_another_log_level_are_not(
    tiny: Path,
) -> None:
    held = Pool()
    with held.lease(tiny, settings(threads=1)) as first:
        for chosen in (
            {"graph_optimization": "basic"},
            {"execution_mode": "parallel"},
            {"inter_op_threads": 2},
            {"log_severity": "fatal"},
        ):
            with held.lease(tiny, settings(threads=1, **chosen)) as other:
                assert other is not first
        with held.lease(
            tiny, replace(settings(threads=1, log_level="debug"), warnings=("a file is broken",))
        ) as again:
            assert again is first
    held.close()


def test_a_level_that_this_onnx_runtime_lacks_is_refused(
    monkeypatch: pytest.MonkeyPatch, tiny: Path
) -> None:
    class Older(runtimes.Runtime):
        class GraphOptimizationLevel:
            __members__ = {"ORT_ENABLE_ALL": onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL}

    runtimes.use(monkeypatch, Older([CPU]))
    with pytest.raises(BackendError) as caught:
        load_model(tiny, settings(graph_optimization="layout"))
    assert caught.value.code == "setting_invalid" and "layout" in caught.value.message


def test_a_cache_or_profile_folder_that_cannot_be_made_is_a_warning_and_the_work_goes_on(
    monkeypatch: pytest.MonkeyPatch, tiny: Path, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    folder = str(tmp_path / "file" / "folder")
    runtimes.use(monkeypatch, runtimes.Runtime([providers.COREML, CPU]))
    model = load_model(tiny, settings(provider="coreml", cache_dir=folder, profile=folder))
    assert model.use.active == providers.COREML and len(model.warnings) == 2
    assert any(folder in warning for warning in model.warnings) and any(
        "not kept" in warning for warning in model.warnings
    )
    assert model.close() == []


def test_a_device_that_there_is_not_is_told_and_one_that_cannot_be_chosen_too(
    monkeypatch: pytest.MonkeyPatch, tiny: Path
) -> None:
    kinds = onnxruntime.OrtHardwareDeviceType
    webgpu = providers.PROVIDERS["webgpu"].ort
    devices = [
        SimpleNamespace(ep_name=webgpu, device=SimpleNamespace(type=kind))
        for kind in (kinds.CPU, kinds.GPU, kinds.GPU)
    ]
    runtime = runtimes.Runtime([CPU])
    monkeypatch.setattr(runtime, "get_ep_devices", lambda: devices)
    runtimes.use(monkeypatch, runtime)
    model = load_model(tiny, settings(provider="webgpu", device=2))
    assert model.use.active == CPU and "has no GPU number 2, only 2 of them" in model.use.reason
    runtimes.use(monkeypatch, runtimes.Runtime([providers.COREML, CPU]))
    assert (
        "device is not used" in load_model(tiny, settings(provider="coreml", device=1)).warnings[0]
    )
    assert not load_model(tiny, settings(provider="cpu", device=1)).warnings
