# SPDX-License-Identifier: GPL-3.0-or-later
"""What each request does: from a message to answers. Knows neither pipes nor threads; `send` takes
the answers.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import BackendError
from ..face import pipeline
from ..face.correct.sizes import STYLE
from ..face.locate.face import EFFORTS, Face
from ..face.shapes.shape_sets import Table, choose_sets, load_sets, parse_table
from ..inference import hardware
from ..inference.cancellation import Cancellation
from ..inference.catalogue import find_model
from ..inference.disabled import disabled_providers
from ..inference.metrics import Metrics, targets
from ..inference.models import Model
from ..inference.pool import Pool
from ..inference.settings import Settings, resolve, tell
from ..protocol import Array, Message
from ..values import is_number
from .asked import Asked
from .found import FoundFaces
from .generate import Shapes, find_face, generate
from .mesh_of_request import mesh_of
from .report import Report, new_report

Send = Callable[[Mapping[str, Any], Mapping[str, Array]], None]

log = logging.getLogger(__name__)

AT_START = ("workers", "log_level")  # settings of the process
PROGRESS_S = 0.05  # seconds between two messages about one stage


class Handlers:
    """Answers requests, several at a time if asked from several threads; holds the loaded models
    and the metrics.

    preferences: settings that the add-on chose; they go before the environment and after a
    request's own `settings`. settings: all of them, where they are known; then requests bring none.
    """

    def __init__(
        self, preferences: Mapping[str, Any] | None = None, settings: Settings | None = None
    ) -> None:
        self.preferences, self._settings = dict(preferences or {}), settings
        self._metrics_file = ""
        self.pool = Pool()
        self._found = FoundFaces()
        self.metrics = Metrics()
        self.sets = load_sets()

    @property
    def requests(self) -> int:
        """How many requests there were."""
        return self.metrics.requests

    def handle(self, message: Message, send: Send, cancellation: Cancellation) -> None:
        """Work on one request and send its answers up to `done`. Raises BackendError, which the
        caller sends as `error`.
        """
        self.metrics.begin()
        kinds = {
            "load": self._load,
            "locate": self._locate,
            "generate": self._generate,
            "stats": self._stats,
        }
        kind = kinds.get(message.header["type"])
        if kind is None:
            known = ", ".join((*kinds, "cancel", "shutdown"))
            raise BackendError(
                "protocol",
                f"There is no request {message.header['type'][:50]!r}.",
                f"Requests are {known}.",
            )
        settings = self.settings(message.header)
        self._metrics_file = settings.metrics
        began = time.perf_counter()
        report = kind(message, settings, send, cancellation)
        self.metrics.done(message.header["type"], report)
        problem = self._write_metrics(settings.metrics)
        warnings = [
            *settings.warnings,
            *report.get("warnings", []),
            *([problem] if problem else []),
        ]
        if warnings:
            report["warnings"] = warnings
        log.info("%s took %s s", message.header["type"], round(time.perf_counter() - began, 4))
        send({"type": "done", "report": report}, {})

    def failed(self, code: str) -> None:
        """Count a request that ended with an error; the metrics file says so, too."""
        self.metrics.failed(code)
        self._write_metrics(self._metrics_file)

    def settings(self, header: Mapping[str, Any]) -> Settings:
        """The settings of a request. Raises BackendError: `protocol`, `setting_invalid`."""
        call = header.get("settings") or {}
        if not isinstance(call, dict):
            raise BackendError(
                "protocol", "settings must be an object.", 'Send for example {"threads": 2}.'
            )
        for name in (name for name in AT_START if name in call):
            raise BackendError(
                "setting_invalid",
                f"{name} counts when the backend starts, not for a request.",
                "Put it into the preferences.",
            )
        if self._settings is not None:
            return self._settings
        settings = resolve(call, self.preferences)
        tell(settings)
        return settings

    def idle(self) -> int:
        """Try the threads of models that are new, let go of those that were not used for long; how
        many. To be called now and then.
        """
        self.pool.try_threads()
        return self.pool.release_idle()

    def close(self) -> None:
        """Let go of everything."""
        self._found.clear()
        self.pool.close()

    def _load(
        self, message: Message, settings: Settings, send: Send, cancellation: Cancellation
    ) -> dict[str, Any]:
        start = time.perf_counter()
        with self.pool.lease(_path(message.header, settings), settings) as model:
            model.warm_up(cancellation)
        self.pool.try_threads()
        report = describe(model)
        if model.warnings:
            report["warnings"] = model.warnings
        report["seconds"] = {"load": round(time.perf_counter() - start, 4)}
        report["peak_memory_mb"] = round(hardware.peak_memory_mb(), 1)
        return report

    def _locate(
        self, message: Message, settings: Settings, send: Send, cancellation: Cancellation
    ) -> dict[str, Any]:
        mesh, effort = mesh_of(message), message.header.get("effort", "full")
        if effort not in EFFORTS:
            raise BackendError(
                "protocol",
                f"effort must be one of {', '.join(EFFORTS)}.",
                "Leave it out to look for faces of every direction.",
            )
        start = time.perf_counter()
        with self.pool.lease(_path(message.header, settings), settings) as model:
            report = new_report(mesh, model)
            report.seconds["load"] = time.perf_counter() - start
            face = find_face(
                mesh,
                model,
                report,
                _progress(send),
                cancellation,
                effort=effort,
                found=self._found,
            )
            if model.plain is None:
                with report.stage("rest"):
                    report.found(pipeline.at_rest(face, mesh, model.info.landmarks))
            report.seconds["total"] = time.perf_counter() - start
            _send_face(face, model, send)
            return report.as_dict()

    def _generate(
        self, message: Message, settings: Settings, send: Send, cancellation: Cancellation
    ) -> dict[str, Any]:
        mesh, header = mesh_of(message), message.header
        tables = self._tables(header)
        strength = header.get("strength", 1.0)
        if not is_number(strength):
            raise BackendError("protocol", "strength must be a number.", "Send one above 0.")
        style, turn_eyes = header.get("style", STYLE), header.get("turn_eyes", False)
        if not is_number(style):
            raise BackendError("protocol", "style must be a number.", "Send one from 0 to 1.")
        if not isinstance(turn_eyes, bool):
            raise BackendError(
                "protocol",
                "turn_eyes must be true or false.",
                "Leave it out for avatars whose eyes are turned by bones.",
            )
        asked = Asked(tables, float(strength), header.get("regions"), float(style), turn_eyes)
        start = time.perf_counter()
        with self.pool.lease(_path(header, settings), settings) as model:
            loaded = time.perf_counter() - start
            results = generate(mesh, asked, model, _progress(send), cancellation, found=self._found)
            for result in results:
                if isinstance(result, Face):
                    _send_face(result, model, send)
                elif isinstance(result, Shapes):
                    sure = [round(float(value), 3) for value in result.confidence]
                    send(
                        {
                            "type": "shapes",
                            "set": result.set_name,
                            "names": result.names,
                            "confidence": sure,
                        },
                        {"offsets": result.offsets},
                    )
                elif isinstance(result, Report):
                    result.seconds = {
                        "load": loaded,
                        **result.seconds,
                        "total": result.seconds["total"] + loaded,
                    }
                    report = result.as_dict()
                    return {
                        **report,
                        "targets": targets(
                            report["seconds"]["total"], report["shapes"], report["peak_memory_mb"]
                        ),
                    }
        raise AssertionError("generate ends with a Report")

    def _tables(self, header: Mapping[str, Any]) -> dict[str, Table]:
        names = header.get("sets", [])
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            raise BackendError(
                "protocol", "sets must be a list of names.", 'Send for example ["arkit"].'
            )
        tables = choose_sets(names, self.sets)
        if header.get("table") is not None:
            tables["table"] = parse_table(header["table"])
        return tables

    def _stats(
        self, message: Message, settings: Settings, send: Send, cancellation: Cancellation
    ) -> dict[str, Any]:
        pool = self.pool.stats()
        report = {
            **self.metrics.summary(),
            **pool,
            "set_aside": disabled_providers(),
            "memory_mb": round(hardware.memory_mb(), 1),
            "peak_memory_mb": round(hardware.peak_memory_mb(), 1),
        }
        if message.header.get("format") == "prometheus":
            report["prometheus"] = self.metrics.prometheus(self._others())
        return report

    def _write_metrics(self, path: str) -> str:
        return self.metrics.write(path, self._others()) if path else ""

    def _others(self) -> dict[str, float]:
        """What Prometheus is told beside the metrics' own."""
        pool = self.pool.stats()
        return {
            "sessions": pool["sessions"],
            "models_evicted_total": pool["evicted"],
            "thread_trials_total": pool["thread_trials"],
        }


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
        **model.engine(),
    }


def _path(header: Mapping[str, Any], settings: Settings) -> Path | None:
    asked = header.get("model")
    if asked is not None and (not isinstance(asked, str) or "\0" in asked):
        raise BackendError(
            "protocol", "model must be a path, a name or null.", "Send null for the shipped model."
        )
    return find_model(asked, settings)


def _progress(send: Send) -> Callable[[str, float], None]:
    """Sends how far a request is, when a stage begins, at the end, and between no more often than a
    panel draws: each wakes the other process.
    """
    told, last = "", 0.0

    def progress(stage: str, fraction: float) -> None:
        nonlocal told, last
        now = time.monotonic()
        if stage != told or fraction >= 1 or now - last >= PROGRESS_S:
            told, last = stage, now
            send(
                {
                    "type": "progress",
                    "stage": stage,
                    "fraction": round(min(max(fraction, 0.0), 1.0), 4),
                },
                {},
            )

    return progress


def _send_face(face: Face, model: Model, send: Send) -> None:
    points = face.frame.to_object(face.landmarks)
    landmarks = {
        name: [float(x) for x in point]
        for name, point in zip(model.info.landmarks, points, strict=True)
    }
    header = {
        "type": "face",
        "confidence": float(face.confidence),
        "landmarks": landmarks,
        "warnings": list(face.warnings),
    }
    send(header, {"indices": np.ascontiguousarray(face.indices, np.int32)})
