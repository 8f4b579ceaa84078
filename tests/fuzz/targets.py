# SPDX-License-Identifier: GPL-3.0-or-later
"""What strangers can hand us, as functions of bytes: each must end with an answer or a BackendError
(AddonError), whatever the bytes are.

Used three ways: by hypothesis and with kept cases in test_inputs.py, and by the coverage-guided
fuzzer (run.py). Needs numpy and onnxruntime only. FIXTURES must hold tiny.encoder.onnx and
tiny.decoder.onnx, which prepare() takes from fixtures.models.
"""

from __future__ import annotations

import importlib
import importlib.util
import io
import os
import struct
import sys
import tempfile
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

from backend import files, protocol  # noqa: E402
from backend.errors import BackendError  # noqa: E402
from backend.face.locate.face import Face  # noqa: E402
from backend.face.shapes import shape_sets  # noqa: E402
from backend.inference import loading, models, settings  # noqa: E402
from backend.inference.cancellation import Cancellation  # noqa: E402
from backend.protocol import Message, ProtocolError  # noqa: E402
from backend.service import generate, handlers  # noqa: E402  (after the path is there)
from backend.service.asked import Asked  # noqa: E402
from backend.service.mesh_of_request import mesh_of  # noqa: E402

# it lies beside this file, whose folder whoever imports it has put into sys.path
tracking_targets: Any = importlib.import_module("tracking_targets")

MOST_VERTICES = 96
CPU = settings.Settings(provider="cpu", threads=1)
# coordinates that break careless arithmetic; a byte below their number stands for one of them
EDGES = (
    0.0,
    -0.0,
    1.0,
    -1.0,
    np.nan,
    np.inf,
    -np.inf,
    1e30,
    -1e30,
    3.4e38,
    1e-30,
    1e-45,
    1e19,
    0.5,
    1e6,
    1e-6,
)


@cache
def folder() -> Path:
    """The folder with the tiny pair: FUZZ_FIXTURES, or a temporary one that must first be filled by
    prepare().
    """
    return Path(os.environ.get("FUZZ_FIXTURES") or tempfile.mkdtemp(prefix="fuzz-"))


@cache
def addon(name: str) -> Any:
    """A module of the add-on that imports no bpy."""
    if "fuzzed_extension" not in sys.modules:
        spec = importlib.util.spec_from_file_location(
            "fuzzed_extension", ROOT / "__init__.py", submodule_search_locations=[str(ROOT)]
        )
        assert spec is not None and spec.loader is not None
        sys.modules["fuzzed_extension"] = importlib.util.module_from_spec(spec)
    return importlib.import_module(f"fuzzed_extension.blendshape_addon.{name}")


def frames(data: bytes) -> None:
    """A stream of frames, as the child reads it and as the add-on does; what the child takes, the
    add-on takes too.
    """
    taken: list[Message] = []
    stream = io.BytesIO(data)
    sound = True
    while True:
        try:
            message = protocol.read_message(stream)
        except ProtocolError as error:
            sound = False
            if not error.in_step:
                break
            continue
        if message is None:
            break
        taken.append(message)
    for message in taken:
        assert isinstance(message.header["type"], str)
        assert all(array.dtype in (np.float32, np.int32) for array in message.arrays.values())
    reader, heard = protocol.FrameReader(), []
    try:
        for start in range(0, len(data), 7):
            heard += reader.feed(data[start : start + 7])
    except ProtocolError:
        assert not sound
        return
    assert [message.header for message in heard] == [message.header for message in taken][
        : len(heard)
    ]
    assert not sound or len(heard) == len(taken)


def requests(data: bytes) -> None:
    """One frame as a request: everything that is checked before a model is used, and the errors'
    texts.
    """
    try:
        message = protocol.read_message(io.BytesIO(data))
    except ProtocolError:
        return
    if message is None:
        return
    answering = _handlers()
    kind = message.header["type"]
    if kind in ("locate", "generate") and len(message.arrays.get("vertices", ())) > MOST_VERTICES:
        return  # slow, and `meshes` is there for it
    message.header["model"] = (
        str(_tiny())
        if isinstance(message.header.get("model"), str)
        else message.header.get("model")
    )
    if message.header["model"] is None:
        message.header["model"] = str(_tiny())
    if isinstance(message.header.get("settings"), dict):
        for name in ("server", "profile", "metrics", "model_dir", "cache_dir", "server_ca"):
            message.header["settings"].pop(
                name, None
            )  # these write files and open connections, as they are meant to
    try:
        answering.handle(message, lambda header, arrays: None, Cancellation())
    except BackendError as error:
        assert error.message and error.fix


def model_files(data: bytes) -> None:
    """Bytes as the decoder of a pair, loaded and, where that succeeds, run once."""
    path = folder() / f"bytes{os.getpid()}.decoder.onnx"
    sibling = folder() / f"bytes{os.getpid()}.encoder.onnx"
    if not sibling.exists():
        sibling.write_bytes(_tiny().with_name("tiny.encoder.onnx").read_bytes())
    path.write_bytes(data)
    try:
        model = loading.load_model(path, CPU)
        model.warm_up(Cancellation())
        model.close()
    except BackendError as error:
        assert error.message and error.fix
    finally:
        path.unlink()


def meshes(data: bytes) -> None:
    """A mesh whose every number comes from the bytes: offsets must be finite, or the mesh
    refused.
    """
    mesh = _mesh_of(data)
    header: dict[str, Any] = {
        "type": "generate",
        "bones": mesh["bones"],
        "up": mesh["up"],
        "landmarks": {},
    }
    message = Message(header, mesh["arrays"])
    try:
        avatar = mesh_of(message)
        tables = {"vrchat": shape_sets.load_sets()["vrchat"].shapes}
        indices = np.empty(0, np.int32)
        for result in generate.generate(
            avatar, Asked(tables), _model(), lambda *_: None, Cancellation()
        ):
            if isinstance(result, Face):
                indices = result.indices
                assert len(np.unique(indices)) == len(indices) and (
                    not len(indices) or indices.max() < len(avatar.vertices)
                )
            elif isinstance(result, generate.Shapes):
                assert result.offsets.shape[1] == len(indices) and np.isfinite(result.offsets).all()
    except BackendError as error:
        assert error.message and error.fix and error.code != "internal"


def tables(data: bytes) -> None:
    """Bytes as a JSON file: a table, landmarks, and settings, read by the child's and the add-on's
    readers.
    """
    path = folder() / f"table{os.getpid()}.json"
    path.write_bytes(data)
    try:
        for read in (files.read_table, files.read_landmarks):
            try:
                read(path)
            except BackendError as error:
                assert error.message and error.fix
        try:
            text = data.decode()
            addon("job.tables").parse_conditions(text[:2000])
        except (UnicodeDecodeError, addon("errors").AddonError):
            pass
        try:
            addon("job.tables").read_table(path)
        except addon("errors").AddonError as error:
            assert error.message and error.fix
        try:
            settings.resolve({}, {}, {"BLENDSHAPE_CONFIG": str(path)})
        except BackendError as error:
            assert error.message and error.fix
    finally:
        path.unlink()


def archives(data: bytes) -> None:
    """Bytes as an .npz file."""
    path = folder() / f"mesh{os.getpid()}.npz"
    path.write_bytes(data)
    try:
        files.read_mesh(path)
    except BackendError as error:
        assert error.message and error.fix
    finally:
        path.unlink()


TARGETS: dict[str, Callable[[bytes], None]] = {
    "frames": frames,
    "requests": requests,
    "models": model_files,
    "meshes": meshes,
    "tables": tables,
    "archives": archives,
    "packets": partial(tracking_targets.packets, addon),
    "recordings": partial(tracking_targets.recordings, addon),
}


def framed(header: dict[str, Any], **arrays: Any) -> bytes:
    """A sound frame, to start from."""
    stream = io.BytesIO()
    protocol.write_message(stream, header, arrays)
    return stream.getvalue()


def seeds(name: str) -> list[bytes]:
    """Sound inputs for the fuzzer to start from."""
    square = {
        "vertices": np.eye(4, 3, dtype=np.float32),
        "triangles": np.array([[0, 1, 2], [1, 2, 3]], np.int32),
    }
    if name == "frames":
        return [
            framed({"type": "hello", "protocol": 1}),
            framed({"type": "x", "id": 1}, **square) * 2,
        ]
    if name == "requests":
        full = {
            "type": "generate",
            "id": 1,
            "sets": ["arkit"],
            "table": {"A": {"jawOpen": 1.0}},
            "strength": 1.0,
            "up": [0, 0, 1],
        }
        return [
            framed(
                {
                    **full,
                    "bones": {"head": [0, 0, 1]},
                    "landmarks": {"chin": [0, 0, 0]},
                    "settings": {"threads": 2},
                },
                **square,
            ),
            framed(
                {**full, "id": 4, "evidence": {"materials": ["Hair"]}},
                **square,
                triangle_materials=np.zeros(2, np.int32),
            ),
            framed({"type": "stats", "id": 2, "format": "prometheus"}),
            framed(
                {"type": "locate", "id": 3},
                **square,
                head_weights=np.ones(4, np.float32),
                mask=np.ones(4, np.float32),
            ),
        ]
    if name == "models":
        return [_tiny().read_bytes(), _tiny().with_name("tiny.encoder.onnx").read_bytes()]
    if name == "tables":
        return [
            b'{"Laugh": {"jawOpen": 0.6, "mouthSmileLeft": -1e3}}',
            b'{"chin": [0.0, -0.1, 1.5]}',
            b'{"threads": 2, "provider": "cpu"}',
        ]
    if name in ("packets", "recordings"):
        return list(tracking_targets.seeds(name))
    if name == "archives":
        packed = io.BytesIO()
        np.savez(packed, **square, head_weight=np.ones(4), mask=np.zeros(4))
        return [packed.getvalue()]
    return [bytes(range(16, 256)), bytes([9, 200, 3]) + bytes(range(255, 0, -1))]


def prepare() -> None:
    """Make the tiny pair; needs the onnx package."""
    from fixtures import models as made

    if not _tiny().exists():
        folder().mkdir(parents=True, exist_ok=True)
        made.pair(folder(), "tiny", list(shape_sets.load_sets()["arkit"].shapes))


def _tiny() -> Path:
    return folder() / "tiny.decoder.onnx"


@cache
def _model() -> models.Model:
    return loading.load_model(_tiny(), CPU)


@cache
def _handlers() -> handlers.Handlers:
    return handlers.Handlers({"provider": "cpu", "threads": 1})


def _mesh_of(data: bytes) -> dict[str, Any]:
    """Arrays, bones and up of a request. Bytes: counts and what is there, then a byte for each
    coordinate and index, round and round.
    """
    head = (data + bytes(8))[:8]
    count, faces, what, seed = (
        head[0] % MOST_VERTICES,
        head[1],
        head[2],
        struct.unpack("<I", head[3:7])[0],
    )
    rest = np.frombuffer(data[8:] or b"\x80", np.uint8)
    numbers = np.resize(rest, count * 3)
    special = (
        np.array(EDGES, np.float32)[numbers % len(EDGES)]
        if what & 1
        else numbers.astype(np.float32)
    )
    plain = (numbers.astype(np.float32) - 128) / 64
    vertices = np.where(numbers < len(EDGES), special, plain).astype(np.float32).reshape(-1, 3)
    if what & 2:  # a face-like ellipsoid with some of it moved
        points = np.random.default_rng(seed).normal(size=(count, 3))
        points /= np.maximum(np.linalg.norm(points, axis=1, keepdims=True), 1e-9)
        vertices = np.where(
            np.resize(rest, count * 3).reshape(-1, 3) < 4, vertices, points * [0.08, 0.1, 0.12]
        ).astype(np.float32)
    triangles = np.resize(rest[::-1], faces * 3).astype(np.int32).reshape(-1, 3)
    triangles = triangles % max(count, 1) if what & 4 else triangles - 3
    arrays: dict[str, Any] = {"vertices": vertices, "triangles": np.ascontiguousarray(triangles)}
    if what & 8:
        arrays["head_weights"] = np.resize(numbers, count).astype(np.float32) / 200
    if what & 16:
        arrays["mask"] = np.resize(special, count) if count else np.empty(0, np.float32)
    bones = {"head": [0.0, 0.0, float(head[3])]} if what & 32 else {}
    if what & 64:
        bones |= {"left_eye": [1e30, 0.0, 0.0], "right_eye": [0.0, 0.0, 0.0]}
    return {
        "arrays": arrays,
        "bones": bones,
        "up": [0.0, 0.0, float(head[4] % 3)] if what & 128 else None,
    }
