# SPDX-License-Identifier: GPL-3.0-or-later
"""What each request does: from a message to answers. Knows neither pipes nor threads; `send` takes the answers."""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from .engine import hardware
from .engine.models import SHIPPED, Model, load_model
from .engine.sessions import Cancellation
from .errors import BackendError
from .face.locate import Face
from .face.mesh import AvatarMesh
from .face.shape_sets import Table, choose_sets, load_sets, parse_table
from .generate import Report, Shapes, find_face, generate, new_report
from .protocol import Array, Message

Send = Callable[[Mapping[str, Any], Mapping[str, Array]], None]

MAX_MODELS = 2  # kept loaded: the shipped one and the one being tried
BONES = ("head", "neck", "left_eye", "right_eye", "jaw")


class Models:
    """Loaded models by path, at most MAX_MODELS; a file that changed is loaded again."""

    def __init__(self) -> None:
        self._loaded: OrderedDict[str, tuple[float, Model]] = OrderedDict()

    def get(self, path: str | None) -> Model:
        """The model at `path`, or the shipped one for None. Raises as models.load_model does."""
        chosen = Path(path) if path else None
        key = str(chosen or SHIPPED)
        stamp = _stamp(chosen)
        known = self._loaded.get(key)
        if known is not None and known[0] == stamp:
            self._loaded.move_to_end(key)
            return known[1]
        self._loaded.pop(key, None)
        while len(self._loaded) >= MAX_MODELS:
            self._loaded.popitem(last=False)
        model = load_model(chosen)
        self._loaded[key] = (stamp, model)
        return model

    @property
    def sessions(self) -> int:
        """How many sessions are held."""
        return sum(model.sessions for _, model in self._loaded.values())


class Handlers:
    """Answers requests one after the other; holds the loaded models and counts."""

    def __init__(self) -> None:
        self.models = Models()
        self.sets = load_sets()
        self.requests = 0

    def handle(self, message: Message, send: Send, cancellation: Cancellation) -> None:
        """Work on one request and send its answers up to `done`. Raises BackendError, which the caller sends as `error`."""
        self.requests += 1
        kinds = {"load": self._load, "locate": self._locate, "generate": self._generate, "stats": self._stats}
        kind = kinds.get(message.header["type"])
        if kind is None:
            known = ", ".join((*kinds, "cancel", "shutdown"))
            raise BackendError("protocol", f"There is no request {message.header['type'][:50]!r}.", f"Requests are {known}.")
        kind(message, send, cancellation)

    def _load(self, message: Message, send: Send, cancellation: Cancellation) -> None:
        start = time.perf_counter()
        model = self.models.get(_path(message.header))
        report = describe(model)
        report["seconds"] = {"load": round(time.perf_counter() - start, 4)}
        report["peak_memory_mb"] = round(hardware.peak_memory_mb(), 1)
        send({"type": "done", "report": report}, {})

    def _locate(self, message: Message, send: Send, cancellation: Cancellation) -> None:
        mesh = mesh_of(message)
        start = time.perf_counter()
        model = self.models.get(_path(message.header))
        report = new_report(mesh, model)
        report.seconds["load"] = time.perf_counter() - start
        face = find_face(mesh, model, report, _progress(send), cancellation)
        report.seconds["total"] = time.perf_counter() - start
        _send_face(face, model, send)
        send({"type": "done", "report": report.as_dict()}, {})

    def _generate(self, message: Message, send: Send, cancellation: Cancellation) -> None:
        mesh, header = mesh_of(message), message.header
        tables = self._tables(header)
        strength = header.get("strength", 1.0)
        if isinstance(strength, bool) or not isinstance(strength, int | float):
            raise BackendError("protocol", "strength must be a number.", "Send one above 0.")
        start = time.perf_counter()
        model = self.models.get(_path(header))
        loaded = time.perf_counter() - start
        for result in generate(mesh, tables, float(strength), model, _progress(send), cancellation):
            if isinstance(result, Face):
                _send_face(result, model, send)
            elif isinstance(result, Shapes):
                send({"type": "shapes", "set": result.set_name, "names": result.names}, {"offsets": result.offsets})
            elif isinstance(result, Report):
                result.seconds = {"load": loaded, **result.seconds, "total": result.seconds["total"] + loaded}
                send({"type": "done", "report": result.as_dict()}, {})

    def _tables(self, header: Mapping[str, Any]) -> dict[str, Table]:
        names = header.get("sets", [])
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            raise BackendError("protocol", "sets must be a list of names.", 'Send for example ["arkit"].')
        tables = choose_sets(names, self.sets)
        if header.get("table") is not None:
            tables["table"] = parse_table(header["table"])
        return tables

    def _stats(self, message: Message, send: Send, cancellation: Cancellation) -> None:
        report = {
            "requests": self.requests,
            "sessions": self.models.sessions,
            "memory_mb": round(hardware.memory_mb(), 1),
            "peak_memory_mb": round(hardware.peak_memory_mb(), 1),
        }
        send({"type": "done", "report": report}, {})


def describe(model: Model) -> dict[str, Any]:
    """A loaded model as plain data: what a panel or `info` shows."""
    info = model.info
    return {
        "model": info.name,
        "path": info.path,
        "contract": info.contract,
        "conditions": [asdict(condition) for condition in info.conditions],
        "landmarks": list(info.landmarks),
        "about": dict(info.about),
        "provider_asked": model.use.asked,
        "provider_active": model.use.active,
        "provider_reason": model.use.reason,
        "threads": model.threads,
    }


def mesh_of(message: Message) -> AvatarMesh:
    """The mesh of a request. Raises BackendError `protocol` for absent or wrongly typed fields; its contents are checked later."""
    wanted = {
        "vertices": (np.float32, True),
        "triangles": (np.int32, True),
        "head_weights": (np.float32, False),
        "mask": (np.float32, False),
    }
    arrays: dict[str, Any] = {}
    for name, (dtype, required) in wanted.items():
        array = message.arrays.get(name)
        if array is None and required:
            raise BackendError("protocol", f"The request has no array {name}.", "Send vertices and triangles.")
        if array is not None and array.dtype != dtype:
            raise BackendError("protocol", f"The array {name} is {array.dtype}, not {np.dtype(dtype).name}.", "Send it in that type.")
        arrays[name] = array
    bones = message.header.get("bones") or {}
    if not isinstance(bones, dict) or not set(bones) <= set(BONES):
        raise BackendError("protocol", f"bones must be an object with the names {', '.join(BONES)}.", "Leave out bones that are not there.")
    landmarks = message.header.get("landmarks") or {}
    if not isinstance(landmarks, dict):
        raise BackendError("protocol", "landmarks must be an object of names and points.", "Send [x, y, z] in object space by name.")
    up = message.header.get("up")
    points = {name: _point(value, f"the bone {name}") for name, value in bones.items()}
    marks = {str(name): _point(value, f"the landmark {name}") for name, value in landmarks.items()}
    return AvatarMesh(**arrays, bones=points, up=None if up is None else _point(up, "up"), landmarks=marks)


def _point(value: object, what: str) -> tuple[float, float, float]:
    numbers = [n for n in value if isinstance(n, int | float) and not isinstance(n, bool)] if isinstance(value, list) else []
    if not isinstance(value, list) or len(value) != 3 or len(numbers) != 3 or not all(math.isfinite(n) for n in numbers):
        raise BackendError("protocol", f"{what} must be three numbers.", "Send [x, y, z] in object space.")
    return float(numbers[0]), float(numbers[1]), float(numbers[2])


def _path(header: Mapping[str, Any]) -> str | None:
    path = header.get("model")
    if path is not None and (not isinstance(path, str) or "\0" in path):
        raise BackendError("protocol", "model must be a path or null.", "Send null for the shipped model.")
    return path or None


def _stamp(path: Path | None) -> float:
    """Changes when the model's file changes; 0 for the shipped one and for a file that is not there."""
    try:
        return path.stat().st_mtime if path else 0.0
    except OSError:
        return 0.0


def _progress(send: Send) -> Callable[[str, float], None]:
    return lambda stage, fraction: send({"type": "progress", "stage": stage, "fraction": round(min(max(fraction, 0.0), 1.0), 4)}, {})


def _send_face(face: Face, model: Model, send: Send) -> None:
    points = face.frame.to_object(face.landmarks)
    landmarks = {name: [float(x) for x in point] for name, point in zip(model.info.landmarks, points, strict=True)}
    header = {"type": "face", "confidence": float(face.confidence), "landmarks": landmarks, "warnings": list(face.warnings)}
    send(header, {"indices": np.ascontiguousarray(face.indices, np.int32)})
