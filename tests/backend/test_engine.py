# SPDX-License-Identifier: GPL-3.0-or-later
"""Hardware and providers: what is asked for is what is active, or it is said why not."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from threading import Timer

import numpy as np
import pytest
from fixtures.models import LATENT

from backend.engine import hardware, providers, sessions
from backend.engine.models import load_model, shapes_of
from backend.errors import BackendError

CPU, CUDA, DML, COREML = providers.CPU, providers.CUDA, providers.DIRECTML, providers.COREML


@pytest.mark.parametrize(
    ("platform", "available", "expected"),
    [
        ("linux", [CPU], CPU),
        ("linux", [CUDA, CPU], CUDA),
        ("win32", [DML, CPU], DML),
        ("win32", [CUDA, DML, CPU], CUDA),
        ("darwin", [COREML, CPU], CPU),
        ("freebsd14", [CPU], CPU),
    ],
)
def test_the_first_available_provider_of_the_platform_is_asked_for(platform: str, available: list[str], expected: str) -> None:
    choice = providers.choose(available, {}, platform)
    assert choice.provider == expected and not choice.required and choice.reason
    assert choice.listed[-1][0] == CPU


def test_a_provider_can_be_asked_for_by_name() -> None:
    choice = providers.choose([COREML, CPU], {"BLENDSHAPE_PROVIDER": " CoreML "}, "darwin")
    assert choice.provider == COREML and choice.required
    assert providers.choose([CPU], {"BLENDSHAPE_PROVIDER": "auto"}, "linux").provider == CPU


def test_a_provider_that_is_not_there_is_an_error_not_the_cpu() -> None:
    with pytest.raises(BackendError) as caught:
        providers.choose([CPU], {"BLENDSHAPE_PROVIDER": "cuda"}, "linux")
    assert caught.value.code == "provider_failed" and CUDA in caught.value.message
    with pytest.raises(BackendError) as caught:
        providers.choose([CPU], {"BLENDSHAPE_PROVIDER": "cdua"}, "linux")
    assert caught.value.code == "setting_invalid" and "cuda" in caught.value.fix


def test_a_silent_fall_back_is_noticed() -> None:
    wished = providers.choose([CUDA, CPU], {}, "linux")
    use = providers.compare(wished, [CPU])
    assert (use.asked, use.active) == (CUDA, CPU) and CUDA in use.reason
    with pytest.raises(BackendError) as caught:
        providers.compare(providers.choose([CUDA, CPU], {"BLENDSHAPE_PROVIDER": "cuda"}, "linux"), [CPU])
    assert caught.value.code == "provider_failed"


def test_threads_are_tried_up_to_the_cores_and_follow_the_variable(monkeypatch: pytest.MonkeyPatch, tiny: Path) -> None:
    monkeypatch.delenv("BLENDSHAPE_THREADS", raising=False)
    counts = hardware.thread_counts()
    assert counts[0] == 1 and counts[-1] <= hardware.hardware().physical_cores and list(counts) == sorted(set(counts))
    assert load_model(tiny).threads in counts
    monkeypatch.setenv("BLENDSHAPE_THREADS", "3")
    assert hardware.thread_counts() == (3,) and load_model(tiny).threads == 3


def test_the_fastest_session_is_kept(slow: Path, tiny: Path) -> None:
    feeds = {
        name: np.zeros(shape, np.float32)
        for name, shape in (("vertices", (8, 3)), ("normals", (8, 3)), ("parts", (8, 6)), ("sides", (8, 2)), ("latent", (1, LATENT)))
    }
    tardy, quick = (sessions.create(path.read_bytes(), path.name, 1) for path in (slow, tiny))
    assert sessions.fastest([tardy, quick], feeds) is quick and sessions.fastest([quick, tardy], feeds) is quick
    assert sessions.fastest([tardy], feeds) is tardy


@pytest.mark.parametrize("value", ["0", "-1", "two", "1.5", "257", "²"])
def test_a_bad_number_of_threads_is_refused(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("BLENDSHAPE_THREADS", value)
    with pytest.raises(BackendError) as caught:
        hardware.thread_counts()
    assert caught.value.code == "setting_invalid" and value in caught.value.message


def test_peak_memory_sees_a_large_array() -> None:
    before = hardware.peak_memory_mb()
    large = np.ones((int(before) + 64) << 17)  # 8 bytes each: more than everything so far
    assert hardware.peak_memory_mb() >= before + 32
    assert hardware.memory_mb() <= hardware.peak_memory_mb() + 1
    del large


def test_the_hardware_is_described() -> None:
    machine = hardware.hardware()
    assert machine.cpu and machine.memory_mb > 100 and machine.usable_cores >= 1
    assert machine.system in ("Linux", "Windows", "Darwin") or sys.platform not in ("linux", "win32", "darwin")


def test_a_run_stops_soon_after_it_is_cancelled(slow: Path) -> None:
    model = load_model(slow)
    cancellation = sessions.Cancellation()
    count = 2048  # one chunk, so that it is the run itself that stops
    face = tuple(np.zeros(shape, np.float32) for shape in ((count, 3), (count, 3), (count, 6), (count, 2), (1, LATENT)))
    set_at: list[float] = []

    def cancel() -> None:
        set_at.append(time.perf_counter())
        cancellation.set()

    Timer(0.3, cancel).start()
    with pytest.raises(BackendError) as caught:
        shapes_of(model, face, np.eye(52, dtype=np.float32), cancellation)  # type: ignore[arg-type]
    assert caught.value.code == "cancelled"
    assert set_at and time.perf_counter() - set_at[0] < 2.0, "a run of this model takes over ten seconds"
