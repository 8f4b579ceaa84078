# SPDX-License-Identifier: GPL-3.0-or-later
"""How long stages and requests took, how much memory they needed, and whether that keeps the
targets; as JSON and as Prometheus text.
"""

from __future__ import annotations

import logging
import math
import threading
from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..errors import BackendError
from ..files import write_text
from ..log import warn_once
from . import hardware

log = logging.getLogger(__name__)

MOST_TIMES = 1024  # percentiles are those of the last so many
SECONDS_PER_SHAPE = 3.0
MEMORY_MB = 2048.0
PER_MINUTE = 10.0
SHARES = (50, 95, 99)  # percentiles that are told
# Name and type of each family of the Prometheus text, and what its HELP line says; gauges and
# counters of others come beside these
HELP: dict[str, str] = {
    "requests_total": "Requests that arrived.",
    "errors_total": "Requests that ended with an error, by its code.",
    "targets_total": "Requests that met or missed the targets for time and memory.",
    "seconds": (
        "Seconds of each stage, by kind of request and provider; quantiles are those of the last"
        f" {MOST_TIMES}."
    ),
    "seconds_max": "The longest so far.",
    "sessions": "Sessions of ONNX Runtime that are loaded.",
    "models_evicted_total": "Models that were let go because memory was short.",
    "thread_trials_total": "Trials of the number of threads.",
    "memory_mb": "Resident memory now, in MiB.",
    "peak_memory_mb": "Highest resident memory so far, in MiB.",
}


class Series:
    """Seconds of one stage: count, sum and largest of all, and the last MOST_TIMES ones."""

    def __init__(self) -> None:
        self.count, self.total, self.largest = 0, 0.0, 0.0
        self._last: deque[float] = deque(maxlen=MOST_TIMES)

    def add(self, value: float) -> None:
        """One more. What is negative or no number counts as 0: a sum must never fall."""
        value = value if 0 <= value < math.inf else 0.0
        self.count += 1
        self.total += value
        self.largest = max(self.largest, value)
        self._last.append(value)

    def summary(self) -> dict[str, float]:
        """count, sum, mean, p50, p95, p99 and max; seconds to 0.1 ms, but the sum as it is."""
        ordered = sorted(self._last)
        found = {f"p{share}": quantile(ordered, share / 100) for share in SHARES}
        return {
            "count": self.count,
            "sum": self.total,
            "mean": round(self.total / max(self.count, 1), 4),
            **found,
            "max": round(self.largest, 4),
        }


def quantile(ordered: Sequence[float], share: float) -> float:
    """The value below which `share` of the sorted values lie (nearest rank), 0 for none."""
    return round(ordered[max(0, math.ceil(len(ordered) * share) - 1)], 4) if ordered else 0.0


def targets(seconds: float, shapes: int, peak_mb: float) -> dict[str, Any]:
    """One request against the targets: seconds per shape, peak memory, and how many such requests a
    minute takes.
    """
    found = {
        "seconds_per_shape": round(seconds / max(shapes, 1), 4),
        "peak_memory_mb": round(peak_mb, 1),
        "per_minute": round(60 / max(seconds, 1e-6), 1),
    }
    met = (
        found["seconds_per_shape"] <= SECONDS_PER_SHAPE
        and peak_mb <= MEMORY_MB
        and found["per_minute"] >= PER_MINUTE
    )
    return {**found, "met": met}


class Metrics:
    """Everything since the process began; safe to use from several threads."""

    def __init__(self) -> None:
        self._lock, self._writing = threading.Lock(), threading.Lock()
        self._series: dict[tuple[str, str, str], Series] = {}
        self._errors: dict[str, int] = {}
        self._met = self._missed = 0
        self.requests = 0

    def begin(self) -> None:
        """A request arrived."""
        with self._lock:
            self.requests += 1

    def done(self, kind: str, report: Mapping[str, Any]) -> None:
        """A request of a kind ended well: its `seconds` by stage, `total` among them, its provider,
        and its targets if it has any.
        """
        with self._lock:
            provider = str(report.get("provider_active", ""))
            for stage, seconds in report.get("seconds", {}).items():
                self._series.setdefault((kind, stage, provider), Series()).add(float(seconds))
            if "targets" in report:
                self._met += bool(report["targets"]["met"])
                self._missed += not report["targets"]["met"]

    def failed(self, code: str) -> None:
        """A request ended with an error."""
        with self._lock:
            self._errors[code] = self._errors.get(code, 0) + 1

    def summary(self) -> dict[str, Any]:
        """As plain data: requests, errors by code, targets, and a row for each kind, stage and
        provider.
        """
        with self._lock:
            rows = [
                {"request": kind, "stage": stage, "provider": provider, **series.summary()}
                for (kind, stage, provider), series in sorted(self._series.items())
            ]
            return {
                "requests": self.requests,
                "errors": dict(self._errors),
                "targets": {
                    "seconds_per_shape": SECONDS_PER_SHAPE,
                    "memory_mb": MEMORY_MB,
                    "per_minute": PER_MINUTE,
                    "met": self._met,
                    "missed": self._missed,
                },
                "stages": rows,
            }

    def prometheus(self, others: Mapping[str, float]) -> str:
        """The same as Prometheus text (format 0.0.4), with other values by name: counters where
        that ends with `_total`, else gauges.
        """
        told = self.summary()
        lines: list[str] = []

        def family(name: str, kind: str) -> str:
            lines.extend(
                (f"# HELP blendshape_{name} {HELP[name]}", f"# TYPE blendshape_{name} {kind}")
            )
            return f"blendshape_{name}"

        def sample(name: str, value: float, **labels: str) -> None:
            inside = ",".join(f'{key}="{_escaped(text)}"' for key, text in labels.items())
            lines.append(f"{name}{{{inside}}} {value!r}" if labels else f"{name} {value!r}")

        sample(family("requests_total", "counter"), told["requests"])
        name = family("errors_total", "counter")
        for code, count in sorted(told["errors"].items()):
            sample(name, count, code=code)
        name = family("targets_total", "counter")
        sample(name, told["targets"]["met"], met="true")
        sample(name, told["targets"]["missed"], met="false")
        rows = [
            (row, {key: row[key] for key in ("request", "stage", "provider")})
            for row in told["stages"]
        ]
        name = family("seconds", "summary")
        for row, labels in rows:
            for share in SHARES:
                sample(name, row[f"p{share}"], **labels, quantile=f"{share / 100:g}")
            sample(f"{name}_sum", row["sum"], **labels)
            sample(f"{name}_count", row["count"], **labels)
        name = family("seconds_max", "gauge")
        for row, labels in rows:
            sample(name, row["max"], **labels)
        memory = {
            "memory_mb": round(hardware.memory_mb(), 1),
            "peak_memory_mb": round(hardware.peak_memory_mb(), 1),
        }
        for key, value in {**others, **memory}.items():
            sample(family(key, "counter" if key.endswith("_total") else "gauge"), value)
        return "\n".join(lines) + "\n"

    def write(self, path: str, others: Mapping[str, float]) -> str:
        """Replace a file by the Prometheus text, as the textfile collector of node_exporter reads
        it, whole or not at all.

        A file that cannot be written is let be: then a sentence that says so, else "".
        """
        try:
            with (
                self._writing
            ):  # or the older of two texts could be written last, and a counter fall
                write_text(Path(path), self.prometheus(others))
        except (BackendError, ValueError) as error:
            problem = (
                "The metrics were not written:"
                f" {error.message if isinstance(error, BackendError) else error}"
            )
            warn_once(log, problem)
            return problem
        return ""


def _escaped(text: str) -> str:
    """A label's value between its quotes."""
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
