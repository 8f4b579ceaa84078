# SPDX-License-Identifier: GPL-3.0-or-later
"""A real Dask scheduler and workers, each in a network namespace with an address of its own, and
what happens when they go away.

Needs the environment that `dev.py farm-test` makes (.venv-farm), root and iproute2.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from .conftest import FULL, ROOT, command, keys_of, outputs, report_of, write_head
from .network import HUB, Network, why_not

FARM = Path(os.environ.get("FARM_PYTHON", ROOT / ".venv-farm" / "bin" / "python"))
HEADS = 30 if FULL else 9
PORT = 8786

pytestmark = [
    pytest.mark.skipif(
        not FARM.exists(),
        reason="dev.py farm-test makes the environment with requirements/farm.txt",
    ),
    pytest.mark.skipif(bool(why_not()), reason=why_not() or "there are network namespaces"),
    pytest.mark.timeout(900),
    pytest.mark.root,
    pytest.mark.slow,
]


def end(process: subprocess.Popen[Any]) -> None:
    """Kill a process and all that it started."""
    family: list[Any] = [process]
    with contextlib.suppress(psutil.Error):
        family = [*psutil.Process(process.pid).children(recursive=True), *family]
    for member in family:
        with contextlib.suppress(psutil.Error, OSError):
            member.kill()
    process.wait()


class Cluster:
    """A scheduler on the hub and a worker on each of three machines."""

    def __init__(self, folder: Path, **tls: str) -> None:
        self.network, self._folder, self._tls = Network(3), folder, tls
        self._running: list[subprocess.Popen[Any]] = []
        self.workers: dict[str, subprocess.Popen[Any]] = {}
        self.scheduler: subprocess.Popen[Any]
        self.address = f"{'tls' if tls else 'tcp'}://{HUB}:{PORT}"

    def __enter__(self) -> Cluster:
        self.network.__enter__()
        insecure = [] if self._tls else ["--insecure"]
        try:
            self.scheduler = self._start(
                self.network.hub,
                "scheduler",
                ROOT / "scripts/farm/scheduler.sh",
                *insecure,
                HUB,
                PORT,
            )
            for name in self.network.machines:
                self.workers[name] = self._start(
                    name,
                    name,
                    ROOT / "scripts/farm/worker.sh",
                    *insecure,
                    self.address,
                    name.rpartition("-")[2],
                )
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._running:
            end(process)
        self.network.__exit__(None, None, None)

    def _start(self, machine: str, name: str, *words: object) -> subprocess.Popen[Any]:
        more = {
            "PYTHON": str(FARM),
            "GENERATE_BLENDER": sys.executable,
            "WORKERS": "1",
            "WORKER_TTL": "10s",
            **self._tls,
        }
        with (self._folder / f"{name}.log").open("wb") as log:
            process = subprocess.Popen(
                self.network.on(machine, *words), stdout=log, stderr=log, env={**os.environ, **more}
            )
        self._running.append(process)
        return process

    def generate(
        self, inputs: Path, out: Path, model: Path, *more: object
    ) -> subprocess.Popen[str]:
        """Start the command on the hub."""
        line = self.network.on(
            self.network.hub,
            *command(
                inputs,
                out,
                model,
                "--scheduler",
                self.address,
                *([] if self._tls else ["--insecure"]),
                *more,
                python=str(FARM),
            ),
        )
        return subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


@pytest.fixture
def local(tmp_path: Path, tiny: Path) -> dict[str, bytes]:
    """What this machine makes of the heads on its own."""
    for number in range(HEADS):
        write_head(tmp_path / "heads" / f"head{number:02}.obj", 1 + number / 16)
    subprocess.run(
        command(tmp_path / "heads", tmp_path / "local", tiny),
        check=True,
        capture_output=True,
        timeout=400,
    )
    return outputs(tmp_path / "local")


def wait_until(true: Callable[[], bool], seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it did not come to that"
        time.sleep(0.05)


def busy(worker: subprocess.Popen[Any]) -> bool:
    """Whether the worker has its Blender."""
    with contextlib.suppress(psutil.Error):
        return any(
            "worker.py" in " ".join(child.cmdline())
            for child in psutil.Process(worker.pid).children(recursive=True)
        )
    return False


@pytest.mark.parametrize(
    "send", [True, False] if FULL else [True], ids=lambda send: "sent" if send else "shared"
)
def test_one_worker_is_killed_and_one_cut_off_and_every_file_is_done_once(
    local: dict[str, bytes], tmp_path: Path, tiny: Path, send: bool
) -> None:
    out = tmp_path / "out"
    with Cluster(tmp_path) as cluster:
        killed, cut, _ = cluster.workers
        process = cluster.generate(tmp_path / "heads", out, tiny, *(["--send"] if send else []))
        try:
            wait_until(lambda: busy(cluster.workers[killed]) and len(list(out.glob("*.glb"))) >= 1)
            end(cluster.workers[killed])
            wait_until(lambda: busy(cluster.workers[cut]) and len(list(out.glob("*.glb"))) >= 2)
            cluster.network.cut(cut)
            said, _ = process.communicate(timeout=400)
        finally:
            end(process)
        report = json.loads(report_of(out).read_text())
        assert process.returncode == 0, said
        assert outputs(out) == local and keys_of(out) == keys_of(tmp_path / "local")
        assert [row["status"] for row in report["files"]] == ["done"] * HEADS and len(
            {row["input"] for row in report["files"]}
        ) == HEADS
        gone = [event["what"] for event in report["events"] if "was lost" in event["what"]]
        for name in (killed, cut):
            assert any(f"://{cluster.network.machines[name]}:" in text for text in gone), gone
        assert sum(len(row.get("lost", [])) for row in report["files"]) >= 1
        lost = [row for row in report["files"] if row.get("lost")]
        assert all(row["worker"] for row in lost)

        again = cluster.generate(tmp_path / "heads", out, tiny, "--report", tmp_path / "again.json")
        said, _ = again.communicate(timeout=60)
        assert again.returncode == 0 and said.count("done before") == HEADS


def test_without_a_scheduler_it_says_so(tmp_path: Path, tiny: Path) -> None:
    write_head(tmp_path / "a.obj")
    line = command(
        tmp_path / "a.obj",
        tmp_path / "out",
        tiny,
        "--scheduler",
        "tcp://127.0.0.1:9",
        python=str(FARM),
    )
    done = subprocess.run(line, capture_output=True, text=True, timeout=120, check=False)
    assert (
        done.returncode == 1
        and "cannot be reached" in done.stderr
        and "[scheduler_lost]" in done.stderr
        and "Traceback" not in done.stderr
    )


@pytest.mark.skipif(not FULL, reason="dev.py farm-test runs the longer versions")
def test_when_the_scheduler_goes_it_is_said_and_the_next_start_goes_on(
    local: dict[str, bytes], tmp_path: Path, tiny: Path
) -> None:
    out = tmp_path / "out"
    with Cluster(tmp_path) as cluster:
        process = cluster.generate(tmp_path / "heads", out, tiny, "--send")
        wait_until(lambda: len(list(out.glob("*.glb"))) >= 2)
        end(cluster.scheduler)
        said, _ = process.communicate(timeout=200)
    assert process.returncode == 1 and "[scheduler_lost]" in said and "[internal]" not in said, said
    report = json.loads(report_of(out).read_text())
    assert (
        report["interrupted"]
        and report["made"] >= 2
        and "scheduler" in report["events"][-1]["what"]
    )
    rest = subprocess.run(
        command(tmp_path / "heads", out, tiny),
        capture_output=True,
        text=True,
        timeout=400,
        check=False,
    )
    assert rest.returncode == 0 and rest.stdout.count("done before") >= 2 and outputs(out) == local


@pytest.mark.skipif(not FULL, reason="dev.py farm-test runs the longer versions")
def test_ctrl_c_takes_back_what_no_worker_has_begun_and_two_commands_share_a_farm(
    local: dict[str, bytes], tmp_path: Path, tiny: Path
) -> None:
    out = tmp_path / "out"
    with Cluster(tmp_path) as cluster:
        process = cluster.generate(tmp_path / "heads", out, tiny, "--send")
        wait_until(lambda: len(list(out.glob("*.glb"))) >= 2)
        process.send_signal(signal.SIGINT)
        said, _ = process.communicate(timeout=120)
        report = json.loads(report_of(out).read_text())
        assert (
            process.returncode == 130
            and report["interrupted"]
            and 2 <= report["made"] < HEADS
            and report["failed"] == 0
        ), said
        assert len(list(out.glob("*.glb"))) == report["made"], (
            "what was begun was finished, and nothing else"
        )
        two = [
            cluster.generate(
                tmp_path / "heads", out, tiny, "--send", "--report", tmp_path / f"{number}.json"
            )
            for number in (1, 2)
        ]
        said = "".join(run.communicate(timeout=400)[0] for run in two)
    assert [run.returncode for run in two] == [0, 0], said
    states = [
        row["status"]
        for number in (1, 2)
        for row in json.loads((tmp_path / f"{number}.json").read_text())["files"]
    ]
    assert len(states) == 2 * HEADS and states.count("done") == HEADS - report["made"], (
        "every file was made once"
    )
    assert outputs(out) == local


def certificate(folder: Path, name: str) -> dict[str, str]:
    """An authority that is its own certificate; it serves all machines."""
    key, cert = folder / f"{name}.key.pem", folder / f"{name}.cert.pem"
    made = subprocess.run(
        [
            "openssl",
            "req",
            "-x509",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-days",
            "1",
            "-subj",
            "/CN=farm",
            "-addext",
            f"subjectAltName=IP:{HUB}",
        ]
        + ["-keyout", str(key), "-out", str(cert)],
        capture_output=True,
        check=False,
    )
    if made.returncode:
        pytest.skip("no openssl to make a certificate with")
    return {"TLS_CA": str(cert), "TLS_CERT": str(cert), "TLS_KEY": str(key)}


def options_of(tls: dict[str, str]) -> list[str]:
    """The command's options for a certificate."""
    return [
        word for name, path in tls.items() for word in (f"--{name.lower().replace('_', '-')}", path)
    ]


@pytest.mark.skipif(not FULL, reason="dev.py farm-test runs the longer versions")
def test_tls_with_certificates_and_not_without(
    local: dict[str, bytes], tmp_path: Path, tiny: Path
) -> None:
    ours, theirs = certificate(tmp_path, "ours"), certificate(tmp_path, "theirs")
    with Cluster(tmp_path, **ours) as cluster:
        process = cluster.generate(
            tmp_path / "heads", tmp_path / "out", tiny, *options_of(ours), "--send"
        )
        said, _ = process.communicate(timeout=300)
        assert process.returncode == 0 and outputs(tmp_path / "out") == local, said
        assert all(
            row["worker"] for row in json.loads(report_of(tmp_path / "out").read_text())["files"]
        )
        stranger = cluster.generate(
            tmp_path / "heads", tmp_path / "other", tiny, *options_of(theirs)
        )
        said, _ = stranger.communicate(timeout=120)
        assert (
            stranger.returncode == 1 and "cannot be reached" in said and "Traceback" not in said
        ), "a certificate of another authority"
        cluster.address = cluster.address.replace("tls", "tcp")
        stranger = cluster.generate(tmp_path / "heads", tmp_path / "other", tiny, "--insecure")
        said, _ = stranger.communicate(timeout=120)
        assert stranger.returncode == 1 and "cannot be reached" in said, "no certificate at all"
    assert not list((tmp_path / "other").glob("*.glb"))
