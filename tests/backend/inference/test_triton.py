# SPDX-License-Identifier: GPL-3.0-or-later
"""A model on a server: the repository that is written, and requests to a real Triton on loopback.

The latter need SERVING_PYTHON, the interpreter of an environment with requirements/serving.txt;
without it they are skipped.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fixtures import models
from fixtures.meshes import figure

from backend.errors import BackendError
from backend.inference import loading
from backend.inference.export import export_triton
from backend.inference.loading import load_model
from backend.inference.remote import server_name
from backend.inference.settings import resolve
from scripts.tools.client import Client

ROOT = Path(__file__).resolve().parents[3]
SERVING = os.environ.get("SERVING_PYTHON", "")
needs_serving = pytest.mark.skipif(
    not SERVING, reason="SERVING_PYTHON names no Python with requirements/serving.txt"
)


def no_server(**chosen: Any) -> Any:
    return resolve({"threads": 1, **chosen}, environment={})


def test_the_repository_holds_models_and_configurations(tiny: Path, tmp_path: Path) -> None:
    folders = export_triton(tiny, tmp_path, no_server())
    assert sorted(folder.name for folder in folders) == ["tiny_decoder", "tiny_encoder"]
    data = (tmp_path / "tiny_decoder" / "1" / "model.onnx").read_bytes()
    assert data == tiny.read_bytes()
    decoder, encoder = (
        (tmp_path / f"tiny_{role}" / "config.pbtxt").read_text() for role in ("decoder", "encoder")
    )
    assert (
        "max_batch_size: 0" in decoder
        and "dynamic_batching" not in decoder
        and hashlib.sha256(data).hexdigest() in decoder
    )
    assert (
        "max_batch_size: 64" in encoder
        and "dynamic_batching { preferred_batch_size: [ 4, 8, 64 ]" in encoder
    )
    assert (
        'name: "basis" data_type: TYPE_FP32 dims: [ -1, 52, 3 ]' in decoder
        and 'name: "confidence" data_type: TYPE_FP32 dims: [ 1 ]' in encoder
    )


def test_a_plain_model_is_batched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    models.pair(tmp_path, "face", ["jawOpen"])
    monkeypatch.setattr(
        loading, "SHIPPED", tmp_path / "face"
    )  # a plain model is located with the shipped encoder
    folders = export_triton(
        models.plain(tmp_path / "my plain-1.0.onnx", 3), tmp_path / "out", no_server()
    )
    assert [folder.name for folder in folders] == ["my_plain_1_0"] and server_name(
        "face.decoder.onnx"
    ) == "face_decoder"
    config = (folders[0] / "config.pbtxt").read_text()
    assert (
        "dynamic_batching" in config
        and 'name: "vertices" data_type: TYPE_FP32 dims: [ -1, 3 ]' in config
    )


@pytest.mark.parametrize(
    "address",
    ["localhost:8001", "http://a:1", "grpc://a", "grpc://a:b", "grpc://a b:1", "grpc://:1"],
)
def test_an_address_that_is_none_is_refused(address: str) -> None:
    with pytest.raises(BackendError) as caught:
        resolve({"server": address}, environment={})
    assert caught.value.code == "setting_invalid" and "grpc://HOST:PORT" in caught.value.fix


def test_without_tritonclient_it_is_said(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tritonclient", None)
    monkeypatch.setitem(sys.modules, "tritonclient.grpc", None)
    with pytest.raises(BackendError) as caught:
        load_model(tiny, no_server(server="grpc://127.0.0.1:1"))
    assert caught.value.code == "setting_invalid" and "pip install" in caught.value.fix


class Server:
    """A Triton that serves a repository; `stop` ends it."""

    def __init__(self, repository: Path, *more: object) -> None:
        self.port, http = free_port(), free_port()
        command = [
            SERVING,
            str(ROOT / "scripts" / "tools" / "triton_server.py"),
            str(repository),
            "--grpc-port",
            str(self.port),
            "--http-port",
            str(http),
        ]
        self.process = subprocess.Popen(
            [*command, *map(str, more)],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            start_new_session=True,
        )
        timer = threading.Timer(90, self.process.kill)
        timer.start()
        assert self.process.stdout is not None
        lines = iter(self.process.stdout.readline, "")
        assert any(line.startswith("serving ") for line in lines), "the server did not start"
        timer.cancel()

    def stop(self) -> None:
        self.process.terminate()
        with contextlib.suppress(
            subprocess.TimeoutExpired
        ):  # Triton waits for a run that is under way
            self.process.wait(15)
        with contextlib.suppress(ProcessLookupError):
            if sys.platform == "win32":
                return
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def ask(client: Client, model: Path, **chosen: Any) -> tuple[dict[str, Any], Any]:
    """The report and the offsets of a request."""
    mesh = figure()
    fields = {
        "bones": mesh.bones,
        "up": mesh.up,
        "model": str(model),
        "sets": ["arkit"],
        "settings": chosen,
    }
    answers = client.ask("generate", fields, mesh.arrays())
    return answers[-1].header["report"], next(
        m.arrays["offsets"] for m in answers if m.header["type"] == "shapes"
    )


@pytest.fixture(scope="module")
def repository(tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("repository")
    export_triton(tiny, folder, no_server())
    return folder


@pytest.fixture
def client() -> Iterator[Client]:
    with Client(python=SERVING, preferences={"threads": 1}, stderr=subprocess.DEVNULL) as started:
        yield started


@needs_serving
def test_triton_understands_the_configurations(repository: Path) -> None:
    code = (
        "import sys; from google.protobuf import text_format; from tritonclient.grpc import"
        " model_config_pb2 as m\nfor path in sys.argv[1:]:\n    c ="
        " text_format.Parse(open(path).read(), m.ModelConfig()); print(c.name, c.max_batch_size,"
        " c.HasField('dynamic_batching'))"
    )
    paths = sorted(map(str, repository.glob("*/config.pbtxt")))
    told = subprocess.run(
        [SERVING, "-c", code, *paths], check=True, capture_output=True, text=True
    ).stdout.splitlines()
    assert told == ["tiny_decoder 0 False", "tiny_encoder 64 True"]


@needs_serving
def test_a_server_computes_the_same_and_the_machine_takes_over_when_it_goes(
    repository: Path, tiny: Path, client: Client
) -> None:
    server = Server(repository)
    try:
        address = f"grpc://127.0.0.1:{server.port}"
        here, expected = ask(client, tiny)
        there, offsets = ask(client, tiny, server=address, strict=True)
        assert (there["provider_asked"], there["provider_active"]) == (address, address) and here[
            "provider_active"
        ] != address
        np.testing.assert_allclose(offsets, expected, atol=1e-6)
        ask(client, tiny, server=address)
    finally:
        server.stop()
    report, offsets = ask(client, tiny, server=address)  # the session is there, the server is not
    np.testing.assert_allclose(offsets, expected, atol=1e-6)
    assert (report["provider_asked"], report["provider_active"]) == (
        address,
        "CPUExecutionProvider",
    ) and address in report["provider_reason"]
    with pytest.raises(BackendError) as caught:
        ask(client, tiny, server=address, strict=True)
    assert caught.value.code == "provider_failed"


@needs_serving
def test_a_server_with_another_model_or_none_is_not_used(
    repository: Path, tiny: Path, tmp_path: Path, client: Client
) -> None:
    other = models.pair(tmp_path, "tiny", ["jawOpen"] * 1 + [f"c{n}" for n in range(51)], scale=2.0)
    stranger = models.pair(tmp_path, "stranger", ["jawOpen"])
    server = Server(repository)
    try:
        address = f"grpc://127.0.0.1:{server.port}"
        report = client.report("load", {"model": str(other), "settings": {"server": address}})
        assert (
            report["provider_active"] == "CPUExecutionProvider"
            and "differs from the CPU" in report["provider_reason"]
        )
        report = client.report("load", {"model": str(stranger), "settings": {"server": address}})
        assert "has no model stranger_" in report["provider_reason"]
    finally:
        server.stop()


@needs_serving
def test_tls_and_the_time_limit(
    repository: Path, tiny: Path, tmp_path: Path, client: Client
) -> None:
    if shutil.which("openssl") is None:
        pytest.skip("no openssl to make a certificate with")
    key, certificate = tmp_path / "key.pem", tmp_path / "cert.pem"
    subprocess.run(
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
            "/CN=localhost",
        ]
        + [
            "-addext",
            "subjectAltName=DNS:localhost",
            "-keyout",
            str(key),
            "-out",
            str(certificate),
        ],
        check=True,
        capture_output=True,
    )
    server = Server(repository, "--grpc-cert", certificate, "--grpc-key", key)
    try:
        address = f"grpcs://localhost:{server.port}"
        report, _ = ask(client, tiny, server=address, server_ca=str(certificate), strict=True)
        assert report["provider_active"] == address
        for chosen, words in (
            ({"server": address}, "cannot be used"),
            (
                {"server": f"grpc://localhost:{server.port}", "server_timeout_s": 5},
                "cannot be used",
            ),
        ):
            with pytest.raises(BackendError) as caught:
                ask(client, tiny, **chosen, strict=True)
            assert caught.value.code == "provider_failed" and words in caught.value.message
        with pytest.raises(BackendError) as caught:
            ask(client, tiny, server=address, server_ca=str(tmp_path / "none.pem"))
        assert caught.value.code == "setting_invalid"
    finally:
        server.stop()


@needs_serving
def test_a_run_that_takes_too_long_is_given_up(slow: Path, tmp_path: Path, client: Client) -> None:
    export_triton(slow, tmp_path, no_server())
    server = Server(tmp_path)
    try:
        chosen = {
            "server": f"grpc://127.0.0.1:{server.port}",
            "server_timeout_s": 0.2,
            "strict": True,
        }
        with pytest.raises(BackendError) as caught:
            client.report("load", {"model": str(slow), "settings": chosen})
        assert caught.value.code == "provider_failed" and "Deadline" in caught.value.message
    finally:
        server.stop()
