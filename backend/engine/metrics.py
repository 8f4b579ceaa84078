# SPDX-License-Identifier: GPL-3.0-or-later
"""How long stages and requests took, how much memory they needed, and whether that keeps the targets; as JSON and as Prometheus text."""

from __future__ import annotations

import contextlib
import math
import threading
from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from . import hardware

KEPT = 1024  # percentiles are those of the last so many
SECONDS_PER_SHAPE = 3.0
MEMORY_MB = 2048.0
PER_MINUTE = 10.0


class Series:
    """Seconds of one stage: count, sum and largest of all, and the last KEPT ones."""

    def __init__(self) -> None:
        self.count, self.total, self.largest = 0, 0.0, 0.0
        self._last: deque[float] = deque(maxlen=KEPT)

    def add(self, value: float) -> None:
        """One more."""
        self.count += 1
        self.total += value
        self.largest = max(self.largest, value)
        self._last.append(value)

    def summary(self) -> dict[str, float]:
        """count, mean, p50, p95, p99 and max; seconds to 0.1 ms."""
        ordered = sorted(self._last)
        found = {f"p{share}": quantile(ordered, share / 100) for share in (50, 95, 99)}
        return {"count": self.count, "mean": round(self.total / max(self.count, 1), 4), **found, "max": round(self.largest, 4)}


def quantile(ordered: Sequence[float], share: float) -> float:
    """The value below which `share` of the sorted values lie (nearest rank), 0 for none."""
    return round(ordered[max(0, math.ceil(len(ordered) * share) - 1)], 4) if ordered else 0.0


def targets(seconds: float, shapes: int, peak_mb: float) -> dict[str, Any]:
    """One request against the targets: seconds per shape, peak memory, and how many such requests a minute takes."""
    found = {
        "seconds_per_shape": round(seconds / max(shapes, 1), 4),
        "peak_memory_mb": round(peak_mb, 1),
        "per_minute": round(60 / max(seconds, 1e-6), 1),
    }
    kept = found["seconds_per_shape"] <= SECONDS_PER_SHAPE and peak_mb <= MEMORY_MB and found["per_minute"] >= PER_MINUTE
    return {**found, "met": kept}


class Metrics:
    """Everything since the process began; safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._series: dict[tuple[str, str, str], Series] = {}
        self._errors: dict[str, int] = {}
        self._met = self._missed = 0
        self.requests = 0

    def begin(self) -> None:
        """A request arrived."""
        with self._lock:
            self.requests += 1

    def done(self, kind: str, report: Mapping[str, Any]) -> None:
        """A request of a kind ended well: its `seconds` by stage, `total` among them, its provider, and its targets if it has any."""
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
        """As plain data: requests, errors by code, targets, and a row for each kind, stage and provider."""
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

    def prometheus(self, gauges: Mapping[str, float]) -> str:
        """The same as Prometheus text (format 0.0.4), with gauges by name."""
        told = self.summary()
        lines = ["# TYPE blendshape_requests_total counter", f"blendshape_requests_total {told['requests']}"]
        lines.append("# TYPE blendshape_errors_total counter")
        lines += [f'blendshape_errors_total{{code="{code}"}} {count}' for code, count in sorted(told["errors"].items())]
        lines.append("# TYPE blendshape_targets_total counter")
        lines += [f'blendshape_targets_total{{met="{key}"}} {told["targets"][name]}' for key, name in (("true", "met"), ("false", "missed"))]
        lines.append("# TYPE blendshape_seconds summary")
        for row in told["stages"]:
            labels = f'request="{row["request"]}",stage="{row["stage"]}",provider="{row["provider"]}"'
            lines += [f'blendshape_seconds{{{labels},quantile="0.{share}"}} {row[f"p{share}"]}' for share in (50, 95, 99)]
            lines.append(f"blendshape_seconds_sum{{{labels}}} {row['mean'] * row['count']:.4f}")
            lines.append(f"blendshape_seconds_count{{{labels}}} {row['count']}")
        lines.append("# TYPE blendshape_seconds_max gauge")
        for row in told["stages"]:
            labels = f'request="{row["request"]}",stage="{row["stage"]}",provider="{row["provider"]}"'
            lines.append(f"blendshape_seconds_max{{{labels}}} {row['max']}")
        for name, value in {**gauges, "memory_mb": hardware.memory_mb(), "peak_memory_mb": hardware.peak_memory_mb()}.items():
            lines += [f"# TYPE blendshape_{name} gauge", f"blendshape_{name} {value:.1f}"]
        return "\n".join(lines) + "\n"

    def write(self, path: str, gauges: Mapping[str, float]) -> None:
        """Replace a file by the Prometheus text, as the textfile collector of node_exporter reads it; a file that cannot be written is let be."""
        target = Path(path)
        with contextlib.suppress(OSError):
            part = target.with_name(f"{target.name}.part")
            part.write_text(self.prometheus(gauges), encoding="utf-8")
            part.replace(target)
