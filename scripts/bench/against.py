# SPDX-License-Identifier: GPL-3.0-or-later
"""`dev.py bench --against REVISION`: is this tree faster or slower than that revision, and is the
difference more than chance?

Each round starts a fresh child of each side, this tree (`new`) and the revision (`old`), one after
the other, with the same meshes; who begins changes with each round. A figure's ratio is new / old:
below 1 this tree is faster or smaller. The ratio of the medians is the answer; the ratios of the
single rounds say how much they vary.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import shutil
import statistics
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

ROOT = Path(__file__).resolve().parents[2]
RUNNER = ROOT / "scripts" / "bench" / "runner.py"
# so that medians and quartiles are rounds that were run, and eight that agree are enough to be sure
ROUNDS = 9
SURE = 0.05  # a difference that chance makes less often than this is told as one
REPEAT = 3  # requests per mesh, child and round that count
# for one side of one round: a hundred times what it takes; a revision that hangs is an error, not a
# wait
SIDE_SECONDS = 900
SIDES = ("old", "new")

Floats = NDArray[np.float32]
Ints = NDArray[np.int32]


class NoComparisonError(Exception):
    """Why nothing could be compared, as a sentence."""


@dataclass(frozen=True)
class Ratio:
    """One figure. old, new: medians over the rounds, in seconds or MiB. ratio: new / old of these.
    lowest to highest: of the rounds' own ratios.

    chance: how probable it is that at least as many rounds agree about who is less if the sides do
    not differ (two-sided sign test).
    """

    old: float
    new: float
    ratio: float
    lowest: float
    lower_quartile: float
    upper_quartile: float
    highest: float
    chance: float

    @property
    def verdict(self) -> str:
        """In words."""
        if self.chance >= SURE:
            return "no difference to be seen"
        return "less" if self.ratio < 1 else "more"


def compare(old: Sequence[float], new: Sequence[float]) -> Ratio:
    """The figure of `old` and `new`, which have one positive value per round."""
    ratios = [b / a for a, b in zip(old, new, strict=True)]
    low, _, high = (
        statistics.quantiles(ratios, n=4, method="inclusive") if len(ratios) > 1 else ratios * 3
    )
    a, b = statistics.median(old), statistics.median(new)
    return Ratio(
        old=a,
        new=b,
        ratio=b / a,
        lowest=min(ratios),
        lower_quartile=low,
        upper_quartile=high,
        highest=max(ratios),
        chance=sign_test(sum(r < 1 for r in ratios), sum(r > 1 for r in ratios)),
    )


def sign_test(less: int, more: int) -> float:
    """How probable it is that fair coins fall so unevenly or more, `less` to one side and `more` to
    the other.
    """
    thrown, fewer = less + more, min(less, more)
    return min(1.0, 2 * sum(math.comb(thrown, k) for k in range(fewer + 1)) / float(2**thrown))


def git(*arguments: str) -> str:
    """What a git command about this repository prints. Raises NoComparisonError."""
    try:
        done = subprocess.run(
            ["git", "-C", str(ROOT), *arguments], capture_output=True, text=True, check=False
        )
    except OSError as error:
        raise NoComparisonError(f"git cannot be started: {error}.") from error
    if done.returncode:
        raise NoComparisonError(f"git {arguments[0]} failed: {done.stderr.strip()}")
    return done.stdout.strip()


def check_out(revision: str, folder: Path) -> str:
    """The backend of a revision in folder/backend; the revision's short name. Raises
    NoComparisonError.
    """
    commit = git("rev-parse", "--verify", "--end-of-options", f"{revision}^{{commit}}")
    packed = folder.with_suffix(".tar")
    git("archive", "--format=tar", f"--output={packed}", commit, "backend")
    with tarfile.open(packed) as archive:
        archive.extractall(folder, filter="data")
    packed.unlink()
    return git("rev-parse", "--short", commit)


def subdivided(vertices: Floats, triangles: Ints) -> tuple[Floats, Ints]:
    """Each triangle made four, by the middles of its edges: vertices (V,3) and triangles (T,3)."""
    edges = np.sort(
        np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]]), axis=1
    )
    unique, index = np.unique(edges, axis=0, return_inverse=True)
    ab, bc, ca = (index.reshape(3, -1) + len(vertices)).astype(np.int32)
    a, b, c = triangles.T
    made = [
        np.stack(corners, axis=1)
        for corners in ((a, ab, ca), (b, bc, ab), (c, ca, bc), (ab, bc, ca))
    ]
    return np.concatenate([vertices, vertices[unique].mean(axis=1)]).astype(
        np.float32
    ), np.concatenate(made)


def heads(quick: bool) -> dict[str, tuple[Floats, Ints]]:
    """The meshes by name: a drawn head of 10,000 and a realistic one of 20,000 vertices. quick: a
    small drawn one, to see that all works.
    """
    from scripts.samples import stylised
    from scripts.samples.head import build
    from scripts.samples.surface import HeadSpec

    drawn, triangles = stylised.head(np.random.default_rng(4))
    vertices = (drawn.vertices[:, [0, 2, 1]] * [1, -1, 1]).astype(
        np.float32
    )  # from Y up, looking along Z, to Blender's axes
    if quick:
        return {f"drawn, {len(vertices):,} vertices": (vertices, triangles)}
    head = build(HeadSpec(density=1.78))
    fans = [
        (polygon[0], polygon[i], polygon[i + 1])
        for polygon in head.polygons
        for i in range(1, len(polygon) - 1)
    ]
    meshes = [
        ("drawn", subdivided(vertices, triangles)),
        ("realistic", (head.vertices.astype(np.float32), np.array(fans, np.int32))),
    ]
    return {f"{name}, {len(mesh[0]):,} vertices": mesh for name, mesh in meshes}


def run_side(side: Path, meshes: Mapping[str, Path], repeat: int) -> dict[str, Any]:
    """One side of a round: what runner.py prints. Raises NoComparisonError with its last
    words.
    """
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    environment |= {
        "PYTHONPATH": str(side),
        "PYTHONPYCACHEPREFIX": str(side / "compiled"),
        "PYTHONNOUSERSITE": "1",
        "PYTHONUTF8": "1",
    }
    named = [f"{name}={path}" for name, path in meshes.items()]
    command = [sys.executable, "-P", str(RUNNER), str(repeat), *named]
    try:
        done = subprocess.run(
            command,
            cwd=side,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=SIDE_SECONDS,
            encoding="utf-8",
        )
    except subprocess.TimeoutExpired as error:
        raise NoComparisonError(
            f"The {side.name} side did not finish within {SIDE_SECONDS} s."
        ) from error
    if done.returncode:
        words = " / ".join(done.stderr.strip().splitlines()[-3:])
        raise NoComparisonError(
            f"The {side.name} side failed: {words or f'exit code {done.returncode}'}"
        )
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


@contextlib.contextmanager
def prepared(
    revision: str, meshes: Mapping[str, tuple[Floats, Ints] | Path]
) -> Iterator[tuple[Path, dict[str, Path], str]]:
    """A temporary folder with both sides and the meshes as files; the folder, the files by name,
    and the revision's short name.
    """
    with tempfile.TemporaryDirectory(prefix="bench-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        commit = check_out(revision, folder / "old")
        shutil.copytree(
            ROOT / "backend",
            folder / "new" / "backend",
            ignore=shutil.ignore_patterns("__pycache__"),
        )
        files = {}
        for number, (mesh, source) in enumerate(meshes.items()):
            files[mesh] = folder / f"{number}.npz"
            if isinstance(source, Path):
                shutil.copyfile(source, files[mesh])
            else:
                np.savez(files[mesh], vertices=source[0], triangles=source[1])
        yield folder, files, commit


def against(
    revision: str, meshes: Mapping[str, tuple[Floats, Ints] | Path], rounds: int = ROUNDS
) -> dict[str, Any]:
    """Compare; a dictionary for JSON with each figure's Ratio. Raises NoComparisonError."""
    with prepared(revision, meshes) as (folder, files, commit):
        smallest = min(files, key=lambda name: files[name].stat().st_size)
        for side in SIDES:
            run_side(
                folder / side, {smallest: files[smallest]}, 1
            )  # compiles the modules, which does not count
        told: dict[str, list[dict[str, Any]]] = {side: [] for side in SIDES}
        for number in range(rounds):
            for side in SIDES if number % 2 == 0 else reversed(SIDES):
                told[side].append(run_side(folder / side, files, REPEAT))
            print(f"round {number + 1} of {rounds}", file=sys.stderr, flush=True)
    shapes = {side: told[side][0]["shapes"] for side in SIDES}
    figures = {
        f"request, {name}": compare(
            *([row["request_s"][name] for row in told[side]] for side in SIDES)
        )
        for name in files
    }
    figures["cold start to first shapes"] = compare(
        *([row["cold_s"] for row in told[side]] for side in SIDES)
    )
    memory = compare(*([row["peak_mb"] for row in told[side]] for side in SIDES))
    return {
        "revision": revision,
        "commit": commit,
        "rounds": rounds,
        "load_average": round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None,
        "shapes": shapes,
        "seconds": {
            name: asdict(figure) | {"verdict": figure.verdict} for name, figure in figures.items()
        },
        "peak_memory_mb": asdict(memory) | {"verdict": memory.verdict},
    }


def text(report: Mapping[str, Any]) -> str:
    """The report as a table."""
    lines = [
        (
            f"this tree (new) against {report['revision']} ({report['commit']}, old),"
            f" {report['rounds']} rounds in turns, medians"
        ),
        f"{'':34}{'old':>9}{'new':>9}{'new/old':>9}   rounds: lowest, quartiles, highest",
    ]
    rows = [*report["seconds"].items(), ("peak memory of the child", report["peak_memory_mb"])]
    for name, row in rows:
        digits = 1 if row is report["peak_memory_mb"] else 3
        unit = "MiB" if digits == 1 else "s"
        spread = (
            f"{row['lowest']:.3f}  {row['lower_quartile']:.3f} to {row['upper_quartile']:.3f} "
            f" {row['highest']:.3f}"
        )
        lines.append(
            f"{f'{name}, {unit}':34}{row['old']:>9.{digits}f}{row['new']:>9.{digits}f}"
            f"{row['ratio']:>9.3f} "
            f"  {spread}   {row['verdict']}"
        )
    if report["shapes"]["old"] != report["shapes"]["new"]:
        lines.append(
            f"The sides made different numbers of shapes: {report['shapes']['old']} and"
            f" {report['shapes']['new']}."
        )
    return "\n".join(lines)
