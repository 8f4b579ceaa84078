# SPDX-License-Identifier: GPL-3.0-or-later
"""`dev.py bench --against`: the arithmetic, and a real comparison of this tree with its own last
commit.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from scripts.bench import against

ROOT = Path(__file__).resolve().parents[2]


def bench(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [
        sys.executable,
        str(ROOT / "scripts" / "bench" / "bench.py"),
        "--quick",
        "--rounds",
        "1",
        *arguments,
    ]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)


@pytest.fixture
def repository() -> None:
    """Skips where the sources did not come by Git."""
    try:
        against.git("rev-parse", "--verify", "HEAD")
    except against.NoComparisonError as error:
        pytest.skip(f"no revision to compare with: {error}")


@pytest.mark.usefixtures("repository")
def test_both_sides_run_and_every_figure_has_its_ratio(tmp_path: Path) -> None:
    vertices, triangles = against.heads(quick=True).popitem()[1]
    np.savez(tmp_path / "mine.npz", vertices=vertices * 0.1, triangles=triangles)
    done = bench("--against", "HEAD", "--json", "--mesh", str(tmp_path / "mine.npz"))
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert (
        len(told["seconds"]) == 3
        and "request, mine" in told["seconds"]
        and "cold start to first shapes" in told["seconds"]
    )
    assert all(set(counts.values()) == {52} for counts in told["shapes"].values())
    for row in (*told["seconds"].values(), told["peak_memory_mb"]):
        assert row["old"] > 0 and row["ratio"] == pytest.approx(
            row["new"] / row["old"]
        ) == pytest.approx(row["lowest"])
    assert 20 < told["peak_memory_mb"]["old"] < 2000


@pytest.mark.usefixtures("repository")
def test_an_unknown_revision_is_one_sentence() -> None:
    done = bench("--against", "nonsense")
    assert (
        done.returncode == 1
        and "rev-parse" in done.stderr
        and len(done.stderr.strip().splitlines()) == 1
    )


def test_a_side_that_cannot_run_is_told_with_its_last_words(tmp_path: Path) -> None:
    (tmp_path / "old" / "backend").mkdir(parents=True)
    (tmp_path / "old" / "backend" / "protocol.py").write_text(
        "raise RuntimeError('too old')", encoding="utf-8"
    )
    with pytest.raises(against.NoComparisonError, match=r"old side failed.*too old"):
        against.run_side(tmp_path / "old", {}, 1)


def test_ratios_are_of_medians_and_their_spread_is_of_rounds() -> None:
    found = against.compare([1.0, 2.0, 4.0, 2.0, 2.0], [2.0, 2.0, 2.0, 3.0, 2.0])
    assert (found.old, found.new, found.ratio) == (2.0, 2.0, 1.0)
    assert (found.lowest, found.lower_quartile, found.upper_quartile, found.highest) == (
        0.5,
        1.0,
        1.5,
        2.0,
    )


@pytest.mark.parametrize(
    ("new", "verdict"),
    [
        ([0.9] * 9, "less"),
        ([1.1] * 8 + [0.9], "more"),
        ([0.9] * 7 + [1.1] * 2, "no difference to be seen"),
        ([1.0] * 9, "no difference to be seen"),
        ([0.5], "no difference to be seen"),
    ],
)
def test_a_difference_is_told_only_if_chance_hardly_makes_it(
    new: list[float], verdict: str
) -> None:
    assert against.compare([1.0] * len(new), new).verdict == verdict


def test_dividing_triangles_keeps_the_surface() -> None:
    vertices = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [1, 1, 0]], np.float32)
    more, triangles = against.subdivided(vertices, np.array([[0, 1, 2], [1, 3, 2]], np.int32))
    corners = more[triangles]
    areas = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])[:, 2] / 2
    assert len(more) == 9 and len(triangles) == 8 and np.allclose(areas, 1 / 8)
