# SPDX-License-Identifier: GPL-3.0-or-later
"""How the benchmark times works and watches memory, and the head that it measures with."""

from __future__ import annotations

import math
import statistics
import threading
import time
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from backend.face.geometry.landmarks import NAMES
from backend.face.geometry.mesh import AvatarMesh
from backend.inference import hardware

# repetitions where ratios near their targets are compared: beside a busy neighbour single ones
# differ by a third
LEAST = 9
BUDGET_S = 6.0  # a cell is repeated at most so long
_RADII, _CENTRE = np.array([1.1, 1.5, 1.2]), np.array([0.0, -0.4, -1.0])


def egg_head(count: int) -> AvatarMesh:
    """A head without a face, about `count` vertices, in canonical units, with all landmarks told,
    so that it needs no search.
    """
    columns = max(8, int(math.sqrt(count)))
    rows = max(4, round(count / columns))
    polar, around = np.meshgrid(
        np.linspace(0.01, np.pi - 0.01, rows),
        np.arange(columns) * 2 * np.pi / columns,
        indexing="ij",
    )
    unit = np.stack(
        [np.sin(polar) * np.sin(around), np.cos(polar), np.sin(polar) * np.cos(around)], axis=-1
    ).reshape(-1, 3)
    index = np.arange(rows * columns).reshape(rows, columns)
    a, b, c, d = index[:-1], np.roll(index, -1, 1)[:-1], index[1:], np.roll(index, -1, 1)[1:]
    triangles = np.concatenate(
        [np.stack([a, c, b], -1).reshape(-1, 3), np.stack([b, c, d], -1).reshape(-1, 3)]
    ).astype(np.int32)
    flat = {
        "mouth_left": (0.35, -1.0),
        "mouth_right": (-0.35, -1.0),
        "lip_upper": (0.0, -0.95),
        "lip_lower": (0.0, -1.1),
    }
    flat |= {"nose_tip": (0.0, -0.5), "chin": (0.0, -1.6)}
    for side, sign in (("left", 1.0), ("right", -1.0)):
        places = {
            "eye_inner": (0.3, 0.0),
            "eye_outer": (0.7, 0.0),
            "lid_upper": (0.5, 0.1),
            "lid_lower": (0.5, -0.1),
        }
        for name, (x, y) in {**places, "brow_inner": (0.2, 0.3), "brow_outer": (0.8, 0.3)}.items():
            flat[f"{name}_{side}"] = (sign * x, y)
    landmarks = {name: _on_egg(*flat[name]) for name in NAMES}
    vertices = np.ascontiguousarray(unit * _RADII + _CENTRE, np.float32)
    return AvatarMesh(
        vertices=vertices, triangles=triangles, up=(0.0, 1.0, 0.0), landmarks=landmarks
    )


def _on_egg(x: float, y: float) -> tuple[float, float, float]:
    left = 1 - (x / _RADII[0]) ** 2 - ((y - _CENTRE[1]) / _RADII[1]) ** 2
    return x, y, float(_CENTRE[2] + _RADII[2] * math.sqrt(max(left, 0.0)))


def spread(times: Sequence[float]) -> dict[str, float]:
    """mean, std, min, max, p50 and p99 of seconds, to 0.1 ms."""
    ordered = sorted(times)
    found = {
        "mean": statistics.fmean(times),
        "std": statistics.pstdev(times),
        "min": ordered[0],
        "max": ordered[-1],
    }
    found |= {
        "p50": statistics.median(times),
        "p99": ordered[max(0, math.ceil(0.99 * len(ordered)) - 1)],
    }
    return {name: round(value, 4) for name, value in found.items()}


def in_turns(works: Mapping[str, Callable[[], object]], repeat: int) -> dict[str, list[float]]:
    """Seconds of each work, run in turns so that a busy moment hits all of them; one round to warm
    up; at most BUDGET_S after two rounds.
    """
    times: dict[str, list[float]] = {name: [] for name in works}
    began = time.perf_counter()
    for round_ in range(repeat + 1):
        for name, work in works.items():
            start = time.perf_counter()
            work()
            if round_:
                times[name].append(time.perf_counter() - start)
        if round_ >= 2 and time.perf_counter() - began > BUDGET_S * len(works):
            break
    return times


class Peak:
    """Highest resident memory of this process while it is entered, in MiB, looked at every few
    milliseconds.
    """

    def __init__(self) -> None:
        self.before = self.peak = 0.0
        self._done = threading.Event()

    def __enter__(self) -> Peak:
        self.before = self.peak = hardware.memory_mb()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._done.wait(0.005):
            self.peak = max(self.peak, hardware.memory_mb())
