# SPDX-License-Identifier: GPL-3.0-or-later
"""Several requests in flight, through the blocking client and through asyncio's: fair, bounded,
cancelled one by one.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fixtures import models, served
from fixtures.meshes import figure

from backend.errors import BackendError
from backend.face.geometry.mesh import AvatarMesh
from scripts.tools import client as client_module
from scripts.tools.async_client import AsyncClient
from scripts.tools.client import Client


def job(
    model: Path, mesh: AvatarMesh | None = None, **fields: Any
) -> tuple[str, dict[str, Any], dict[str, Any]]:
    mesh = mesh or figure()
    return (
        "generate",
        {"bones": mesh.bones, "up": mesh.up, "model": str(model), "sets": ["arkit"], **fields},
        mesh.arrays(),
    )


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    with Client(preferences={"workers": 2, "threads": 1}, stderr=subprocess.DEVNULL) as started:
        yield started


def test_a_small_request_is_not_held_up_by_a_large_one(
    client: Client, tiny: Path, slow: Path
) -> None:
    large = client.send(*job(slow, figure(80, 80)))
    for message in client.answers(large):
        if message.header["type"] == "face":
            break  # the decoder runs now, for many seconds
    began = time.perf_counter()
    small = client.report(*job(tiny))
    assert small["shapes"] == 52
    client.cancel(large)
    with pytest.raises(BackendError) as caught:
        list(client.answers(large))
    assert caught.value.code == "cancelled" and time.perf_counter() - began < 60


def test_requests_from_several_threads_each_get_their_own_answers(
    client: Client, tiny: Path
) -> None:
    found: dict[float, float] = {}

    def work(strength: float) -> None:
        shapes = [
            m.arrays["offsets"]
            for m in client.ask(*job(tiny, strength=strength))
            if m.header["type"] == "shapes"
        ]
        found[strength] = float(np.abs(shapes[0]).max())

    threads = [threading.Thread(target=work, args=(1.0 + n / 4,)) for n in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert len(found) == 5 and all(
        size == pytest.approx(found[1.0] * strength, rel=1e-3) for strength, size in found.items()
    )


def test_stats_tell_what_was_done(client: Client, tiny: Path) -> None:
    client.report(*job(tiny))
    told = client.report("stats", {"format": "prometheus"})
    row = next(
        row for row in told["stages"] if row["request"] == "generate" and row["stage"] == "total"
    )
    assert (
        row["provider"] == "CPUExecutionProvider"
        and row["count"] >= 1
        and row["p50"] <= row["p95"] <= row["p99"] <= row["max"]
    )
    assert told["targets"]["met"] >= 1 and told["models"][0]["precision"] == "fp32"
    assert (
        'blendshape_seconds_count{request="generate",stage="total",provider="CPUExecutionProvider"}'
        in told["prometheus"]
    )


def test_reports_tell_the_targets_and_a_requests_own_settings_count(
    client: Client, tiny: Path, tmp_path: Path
) -> None:
    metrics = tmp_path / "m.prom"
    report = client.report(
        *job(
            tiny,
            settings={
                "threads": 2,
                "provider": "openvino",
                "metrics": str(metrics),
                "placement": True,
            },
        )
    )
    assert (
        report["targets"]["met"]
        and report["threads"] == 2
        and report["placement"]["tiny.decoder.onnx"]
    )
    assert (report["provider_asked"], report["provider_active"]) == (
        "OpenVINOExecutionProvider",
        "CPUExecutionProvider",
    )
    assert (
        "the call" in report["provider_reason"]
        and "blendshape_requests_total" in metrics.read_text()
    )
    with pytest.raises(BackendError) as caught:
        client.report(*job(tiny, settings={"provider": "openvino", "strict": True}))
    assert caught.value.code == "provider_failed"
    with pytest.raises(BackendError) as caught:
        client.report(*job(tiny, settings={"threads": -1}))
    assert caught.value.code == "setting_invalid"
    with pytest.raises(BackendError) as caught:
        client.report(*job(tiny, settings=[1]))
    assert caught.value.code == "protocol"


def test_load_warms_up_and_a_profile_is_there_after_shutdown(tiny: Path, tmp_path: Path) -> None:
    with Client(
        preferences={"profile": str(tmp_path / "profiles")}, stderr=subprocess.DEVNULL
    ) as client:
        assert client.report("load", {"model": str(tiny)})["threads"] >= 1
        client.report("shutdown")
    assert any("decoder" in path.name for path in (tmp_path / "profiles").iterdir())


def test_idle_models_are_let_go(tiny: Path) -> None:
    code = (
        "import sys, backend.service.server as s; s.IDLE_LOOK_S = 0.1;"
        " sys.exit(s.serve({'idle_s': 0.2}))"
    )
    with served.served(code=code) as child:
        served.report(child, "load", model=str(tiny))
        end = time.monotonic() + 20
        while child.report("stats")["sessions"] and time.monotonic() < end:
            time.sleep(0.1)
        told = child.report("stats")
    assert (told["sessions"], told["released"]) == (0, 1)


def test_asyncio_keeps_several_requests_in_flight(tiny: Path, slow: Path) -> None:
    async def work() -> tuple[list[int], str, float]:
        async with AsyncClient(preferences={"workers": 3}) as client:
            assert client.hello["protocol"] == 1
            large = await client.send(*job(slow, figure(160, 160)))
            answers = client.answers(large)
            async for message in answers:
                if message.header["type"] == "face":
                    break
            waiting = asyncio.create_task(client.ask(*job(slow, figure(80, 80))))
            done = await asyncio.gather(*(client.ask(*job(tiny)) for _ in range(3)))
            began = time.perf_counter()
            waiting.cancel()
            await client.cancel(large)
            code = ""
            try:
                async for _ in client.answers(large):
                    pass
            except BackendError as error:
                code = error.code
            return (
                [messages[-1].header["report"]["shapes"] for messages in done],
                code,
                time.perf_counter() - began,
            )

    async def work_again() -> tuple[list[int], str, float]:
        return await asyncio.wait_for(work(), 120)

    shapes, code, took = asyncio.run(work_again())
    assert shapes == [52, 52, 52] and took < 10
    assert code in ("cancelled", "internal")


def test_a_child_that_cannot_start_says_why() -> None:
    with pytest.raises(BackendError) as caught:
        Client(
            python=sys.executable,
            environment={"PYTHONPATH": "/nowhere", "PYTHONHOME": "/nowhere"},
            stderr=subprocess.DEVNULL,
        )
    assert caught.value.code == "internal" and "ended" in caught.value.message


def test_a_request_that_does_not_end_in_time_ends_the_child(tmp_path: Path) -> None:
    model = models.stuck(tmp_path / "fold.onnx", "fold", ["jawOpen"])
    with Client() as client:
        with pytest.raises(BackendError) as caught:
            client.report("load", {"model": str(model)}, seconds=2.0)
        assert caught.value.code == "child_timeout" and "2 s" in caught.value.message
        assert client.process.returncode is not None, (
            "killed and buried: the system keeps nothing of it"
        )


def test_a_child_that_never_greets_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_module, "HELLO_SECONDS", 0.5)
    monkeypatch.setattr(
        client_module, "command", lambda *_: [sys.executable, "-c", "import time; time.sleep(60)"]
    )
    with pytest.raises(BackendError):
        Client()

    async def start() -> None:
        async with AsyncClient():
            pass

    with pytest.raises(BackendError):
        asyncio.run(start())
