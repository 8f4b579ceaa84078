# SPDX-License-Identifier: GPL-3.0-or-later
"""The child process as its parent sees it: real pipes, a real ONNX Runtime."""

from __future__ import annotations

import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fixtures import served
from fixtures.meshes import figure
from fixtures.served import arrays_of
from numpy.typing import NDArray

from backend.face.geometry.mesh import AvatarMesh
from backend.face.shapes.shape_sets import load_sets
from backend.inference.hardware import thread_counts
from backend.protocol import MAX_HEADER, Message, frame, read_message
from scripts.samples.head import build
from scripts.tools.client import Client

ROOT = Path(__file__).resolve().parents[3]
HEAD = 24 * 32  # vertices of figure()'s head, which come first


@pytest.fixture(scope="module")
def child() -> Iterator[Client]:
    """A child that has said hello; shared, because no request may spoil it for the next."""
    with served.served(lifetime=240) as started:
        yield started


@pytest.fixture
def fresh() -> Iterator[Client]:
    """A child of one's own, that has said hello and works on one request at a time."""
    with served.served(environment={"BLENDSHAPE_WORKERS": "1"}) as started:
        yield started


def request(
    mesh: AvatarMesh, path: Path, **fields: Any
) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
    """Arrays and fields of a request for a mesh."""
    assert mesh.head_weights is not None
    arrays = arrays_of(mesh.vertices, mesh.triangles, head_weights=mesh.head_weights)
    return arrays, {"bones": mesh.bones, "up": mesh.up, "model": str(path)} | fields


def generate(
    child: Client, path: Path, mesh: AvatarMesh | None = None, **fields: Any
) -> list[Message]:
    arrays, header = request(mesh or figure(), path, **fields)
    return served.ask(child, "generate", arrays, **header)


def test_hello_says_who_is_there() -> None:
    with served.served() as child:
        hello = child.hello
    assert hello["protocol"] == 1 and hello["pid"] == child.process.pid
    assert set(hello["versions"]) == {"backend", "python", "numpy", "onnxruntime", "psutil"}
    assert "CPUExecutionProvider" in hello["providers"]
    assert hello["sets"]["arkit"] == 52 and hello["sets"]["vrchat"] == 15


def test_both_sets_come_in_one_request(child: Client, tiny: Path) -> None:
    answers = generate(child, tiny, sets=["arkit", "vrchat"])
    kinds = [message.header["type"] for message in answers]
    assert kinds[-1] == "done" and kinds.count("face") == 1 and kinds.count("shapes") == 2
    assert kinds.index("face") < kinds.index("shapes")
    face = next(message for message in answers if message.header["type"] == "face")
    indices = face.arrays["indices"]
    assert indices.dtype == np.int32 and len(indices) > 0 and (np.diff(indices) > 0).all()
    assert indices.max() < HEAD, "the body has no weight to the head"
    sets = load_sets()
    for message in (m for m in answers if m.header["type"] == "shapes"):
        assert message.header["names"] == list(sets[message.header["set"]].shapes)
        assert message.arrays["offsets"].shape == (len(message.header["names"]), len(indices), 3)
        assert (
            np.isfinite(message.arrays["offsets"]).all()
            and message.arrays["offsets"].any(axis=(1, 2)).all()
        )
    report = answers[-1].header["report"]
    assert (
        report["vertices"] == 2 * HEAD
        and report["face_vertices"] == len(indices)
        and report["shapes"] == 67
    )
    assert {"load", "check", "locate", "model", "rules", "frame", "total"} <= set(report["seconds"])
    assert report["provider_active"] == report["provider_asked"] == "CPUExecutionProvider"
    assert 20 < report["peak_memory_mb"] < 2000 and report["threads"] >= 1


def test_progress_grows_from_stage_to_stage(child: Client, tiny: Path) -> None:
    progress = [
        m.header for m in generate(child, tiny, sets=["arkit"]) if m.header["type"] == "progress"
    ]
    fractions = [p["fraction"] for p in progress]
    assert fractions == sorted(fractions) and fractions[-1] == 1.0
    assert list(dict.fromkeys(p["stage"] for p in progress)) == ["locate", "model", "rules"]


def test_strength_scales_and_a_table_mixes(child: Client, tiny: Path) -> None:
    def offsets(**fields: Any) -> NDArray[Any]:
        answers = generate(child, tiny, **fields)
        found = [m for m in answers if m.header["type"] == "shapes"]
        assert len(found) == 1 and found[0].header["set"] == "table", answers[-1].header
        return found[0].arrays["offsets"]

    table = {"Whole": {"jawOpen": 1.0}, "Half": {"jawOpen": 0.5}}
    full = offsets(table=table)
    np.testing.assert_allclose(offsets(table=table, strength=0.5), full * 0.5, rtol=1e-4, atol=1e-7)
    assert np.abs(full[1]).max() == pytest.approx(np.abs(full[0]).max() / 2, rel=0.05)


def far_away(mesh: AvatarMesh) -> AvatarMesh:
    """The mesh a hundred times as large and 50 units higher, as float32 holds it."""
    return AvatarMesh(
        vertices=(mesh.vertices * 100 + np.array([0, 50, 0])).astype(np.float32),
        triangles=mesh.triangles,
        head_weights=mesh.head_weights,
        bones={
            name: tuple(float(x) for x in np.array(p) * 100 + [0, 50, 0])  # type: ignore[misc]
            for name, p in mesh.bones.items()
        },
        up=mesh.up,
    )


def test_conditions_follow_the_avatars_scale_and_place(child: Client, tiny: Path) -> None:
    def shapes(mesh: AvatarMesh) -> NDArray[Any]:
        return next(
            m for m in generate(child, tiny, mesh, sets=["arkit"]) if m.header["type"] == "shapes"
        ).arrays["offsets"]

    plain, far = shapes(figure()), shapes(far_away(figure()))
    assert far.shape == plain.shape
    assert np.linalg.norm(far / 100 - plain) < 1e-4 * np.linalg.norm(plain)


def test_vowels_follow_the_avatars_scale_and_place(child: Client) -> None:
    """With the shipped model: a network without sense has no shapes that a mouth could be opened
    with, and what is solved with them is chance.
    """
    head = build()
    mesh = AvatarMesh(
        np.ascontiguousarray(head.vertices, np.float32),
        np.ascontiguousarray(head.triangles, np.int32),
        up=(0, 0, 1),
    )

    def shapes(mesh: AvatarMesh) -> NDArray[Any]:
        fields = {"up": mesh.up, "sets": ["vrchat"], "model": None}
        answers = served.ask(
            child, "generate", {"vertices": mesh.vertices, "triangles": mesh.triangles}, **fields
        )
        return next(m for m in answers if m.header["type"] == "shapes").arrays["offsets"]

    plain, far = shapes(mesh), shapes(far_away(mesh))
    assert far.shape == plain.shape
    apart, size = np.linalg.norm(far / 100 - plain, axis=(1, 2)), np.linalg.norm(plain, axis=(1, 2))
    assert (apart < 1e-3 * size).all()


def test_locate_alone_gives_the_face(child: Client, tiny: Path) -> None:
    arrays, header = request(figure(), tiny)
    answers = served.ask(child, "locate", arrays, **header)
    face = next(m for m in answers if m.header["type"] == "face")
    assert answers[-1].header["report"]["face_vertices"] == len(face.arrays["indices"])
    points = np.array(list(face.header["landmarks"].values()))
    assert points.shape[1] == 3 and np.isfinite(points).all()
    assert 0 <= face.header["confidence"] <= 1
    upright = served.ask(child, "locate", arrays, **header, effort="upright")
    assert any(m.header["type"] == "face" for m in upright)
    refused = served.ask(child, "locate", arrays, **header, effort="yes")[-1].header
    assert refused["code"] == "protocol" and "effort" in refused["message"]


def test_load_describes_the_model_and_keeps_it(child: Client, tiny: Path) -> None:
    report = served.report(child, "load", model=str(tiny))
    assert report["contract"] == "pair" and report["path"] == str(tiny)
    assert {"name", "minimum", "maximum", "default"} == set(report["conditions"][0]) and len(
        report["conditions"]
    ) == 52
    sessions = served.report(child, "stats")["sessions"]
    served.report(child, "load", model=str(tiny))
    stats = served.report(child, "stats")
    assert stats["sessions"] == sessions >= 2
    assert 0 < stats["memory_mb"] <= stats["peak_memory_mb"] + 1 and stats["requests"] > 2


def no_arrays(_: dict[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    return {}


def not_a_number(arrays: dict[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    vertices = arrays["vertices"].copy()
    vertices[5, 1] = np.nan
    return {**arrays, "vertices": vertices}


@pytest.mark.parametrize(
    ("change", "fields", "code"),
    [
        (no_arrays, {}, "protocol"),
        (lambda a: {**a, "vertices": a["triangles"]}, {}, "protocol"),
        (lambda a: {**a, "vertices": a["vertices"][:0]}, {}, "mesh_empty"),
        (lambda a: {**a, "triangles": a["triangles"][:0]}, {}, "mesh_empty"),
        (lambda a: {**a, "vertices": a["vertices"].ravel()}, {}, "mesh_invalid"),
        (lambda a: {**a, "vertices": a["vertices"][:100]}, {}, "mesh_invalid"),
        (lambda a: {**a, "triangles": a["triangles"] - 1}, {}, "mesh_invalid"),
        (lambda a: {**a, "mask": np.ones(3, np.float32)}, {}, "mesh_invalid"),
        (not_a_number, {}, "mesh_not_finite"),
        (lambda a: {**a, "mask": np.zeros(len(a["vertices"]), np.float32)}, {}, "no_face"),
        (None, {"sets": ["nonsense"]}, "unknown_set"),
        (None, {"sets": []}, "unknown_set"),
        (None, {"sets": "arkit"}, "protocol"),
        (None, {"sets": [], "table": {"A": {"jawopen": 1}}}, "unknown_condition"),
        (None, {"sets": [], "table": {"A": {}}}, "table_invalid"),
        (None, {"table": {"jawOpen": {"jawOpen": 1}}}, "table_invalid"),
        (None, {"strength": 0}, "setting_invalid"),
        (None, {"strength": "1"}, "protocol"),
        (None, {"bones": {"tail": [0, 0, 0]}}, "protocol"),
        (None, {"bones": {"head": [0, 0]}}, "protocol"),
        (None, {"landmarks": {"chin": [0, 0]}}, "protocol"),
        (None, {"landmarks": {"dimple": [0, 0, 0]}}, "mesh_invalid"),
        (None, {"up": [0, 0, None]}, "protocol"),
        (None, {"model": "no/such.onnx"}, "model_missing"),
        (None, {"model": 3}, "protocol"),
        (None, {"model": "a\0b"}, "protocol"),
    ],
)
def test_a_bad_request_is_one_clear_error_and_the_child_goes_on(
    child: Client, tiny: Path, change: Any, fields: dict[str, Any], code: str
) -> None:
    arrays, header = request(figure(), tiny, **{"sets": ["arkit"], **fields})
    error = served.error(child, "generate", change(arrays) if change else arrays, **header)
    assert error["code"] == code and error["message"].endswith((".", "?")) and error["fix"]
    assert child.process.pid and served.report(child, "stats")["requests"] > 0


def test_an_unknown_request_is_an_error(child: Client) -> None:
    assert served.error(child, "dance")["code"] == "protocol"


def test_a_request_without_a_proper_id_is_an_error(child: Client) -> None:
    for identity in (None, "7", 1.5, True):
        text = (
            b'{"type":"stats","id":%s}'
            % {None: b"null", "7": b'"7"', 1.5: b"1.5", True: b"true"}[identity]
        )
        child.send_bytes(struct.pack("<4sIQ", b"BSG1", len(text), 0) + text)
        answer = child.unasked().header
        assert (answer["type"], answer["id"], answer["code"]) == ("error", None, "protocol")


def test_a_malformed_header_is_an_error_and_the_child_goes_on(child: Client) -> None:
    child.send_bytes(struct.pack("<4sIQ", b"BSG1", 3, 8) + b"{}}" + bytes(8))
    answer = child.unasked().header
    assert (answer["type"], answer["id"], answer["code"]) == ("error", None, "protocol")
    assert served.report(child, "stats")


@pytest.mark.parametrize(
    "data",
    [b"GET / HTTP/1.1\r\n\r\n", struct.pack("<4sIQ", b"BSG1", MAX_HEADER + 1, 0)],
    ids=["magic", "oversize"],
)
def test_a_stream_that_is_no_protocol_ends_the_child(fresh: Client, data: bytes) -> None:
    fresh.send_bytes(data)
    assert fresh.process.wait(10) == 3


def start_slow_run(child: Client, slow: Path) -> int:
    """Send a request that takes many seconds and wait until the decoder runs."""
    arrays, header = request(figure(80, 80), slow, sets=["arkit"])
    number = child.send("generate", header, arrays)
    for message in child.messages(number):
        if message.header["type"] == "face":
            break
        assert message.header["type"] == "progress", message.header
    return number


def test_cancel_ends_a_run_at_once_and_the_child_goes_on(
    fresh: Client, slow: Path, tiny: Path
) -> None:
    number = start_slow_run(fresh, slow)
    time.sleep(0.3)
    sent = time.perf_counter()
    fresh.cancel(number)
    answer = list(fresh.messages(number))[-1].header
    took = time.perf_counter() - sent
    assert (answer["type"], answer["code"]) == ("error", "cancelled")
    assert took < 2.0, f"{took:.3f} s; an undisturbed run takes over ten seconds"
    assert generate(fresh, tiny, sets=["vrchat"])[-1].header["type"] == "done"


def test_a_request_that_waits_can_be_cancelled_too(fresh: Client, slow: Path, tiny: Path) -> None:
    running = start_slow_run(fresh, slow)
    arrays, header = request(figure(), tiny, sets=["arkit"])
    waiting = fresh.send("generate", header, arrays)
    stats = fresh.send("stats")
    fresh.cancel(waiting)
    fresh.cancel(running)
    assert list(fresh.messages(running))[-1].header["code"] == "cancelled"
    assert [m.header.get("code") for m in fresh.messages(waiting)] == ["cancelled"]
    assert list(fresh.messages(stats))[-1].header["type"] == "done"


def test_cancelling_what_is_not_there_is_no_error(child: Client) -> None:
    for target in (99_999, None, "x", [1]):
        child.send("cancel", {"target": target})
    assert served.report(child, "stats")


def test_too_many_requests_are_refused_one_by_one(fresh: Client, slow: Path) -> None:
    running = start_slow_run(fresh, slow)
    waiting = [fresh.send("stats") for _ in range(20)]
    fresh.cancel(running)
    assert list(fresh.messages(running))[-1].header["code"] == "cancelled"
    ends = [list(fresh.messages(number))[-1].header for number in waiting]
    refused = [end for end in ends if end["type"] == "error"]
    assert 1 <= len(refused) <= 5 and {end["code"] for end in refused} == {"protocol"}


def test_an_id_that_is_still_open_is_refused(fresh: Client, slow: Path) -> None:
    running = start_slow_run(fresh, slow)
    fresh.send_bytes(b"".join(frame({"type": "stats", "id": running})))
    fresh.cancel(running)
    assert list(fresh.messages(running))[-1].header["code"] == "cancelled"
    answer = fresh.unasked().header
    assert (answer["id"], answer["code"]) == (None, "protocol")


@pytest.mark.parametrize("busy", [False, True])
def test_the_end_of_stdin_ends_the_child(fresh: Client, slow: Path, busy: bool) -> None:
    if busy:
        start_slow_run(fresh, slow)
    assert fresh.process.stdin is not None
    fresh.process.stdin.close()
    began = time.perf_counter()
    assert fresh.process.wait(10) == 0
    assert time.perf_counter() - began < 3.0


def test_shutdown_is_answered_and_ends_the_child(fresh: Client) -> None:
    assert served.report(fresh, "shutdown")["requests"] == 0
    assert fresh.process.wait(10) == 0


def test_what_prints_does_not_disturb_the_frames() -> None:
    noisy = (
        "import os, runpy, sys; import backend.service.server as s; hello = s._hello\ndef"
        " shout(handlers):\n    print('python prints'); os.write(1, b'so does a native library');"
        " return hello(handlers)\ns._hello = shout; sys.exit(s.serve())"
    )
    with served.served(code=noisy) as child:
        assert served.report(child, "stats")["requests"] == 1


def test_without_onnxruntime_the_child_says_so() -> None:
    without = (
        "import sys; sys.modules['onnxruntime'] = None; import backend.service.server as s;"
        " sys.exit(s.serve())"
    )
    done = subprocess.run(
        [sys.executable, "-c", without], cwd=ROOT, capture_output=True, timeout=60, check=False
    )
    message = read_message(BytesIO(done.stdout))
    assert message is not None and done.returncode == 2
    answer = message.header
    assert (answer["type"], answer["id"], answer["code"]) == ("error", None, "runtime_missing")
    assert answer["fix"]


def test_threads_follow_the_environment(tiny: Path) -> None:
    with served.served(environment={"BLENDSHAPE_THREADS": "1"}) as child:
        assert served.report(child, "load", model=str(tiny))["threads"] == 1
    with served.served(environment={"BLENDSHAPE_THREADS": "many"}) as child:
        report = served.report(child, "load", model=str(tiny))
        assert report["threads"] in thread_counts(), "the default"
        assert "BLENDSHAPE_THREADS" in report["warnings"][0]
