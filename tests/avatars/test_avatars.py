# SPDX-License-Identifier: GPL-3.0-or-later
"""The batch command on whole avatars, scored against the shapes of their artists. Needs the shared
avatars, which are not in the repository.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

ROOT = Path(__file__).resolve().parents[2]
SHARED = ROOT.parent / "shared"
RULER = SHARED / "eval" / "avatar_eval.py"
AVATARS = ("gene", "uka", "godette")
JAW = {"gene": "jawOpen", "uka": "jawOpen", "godette": "vrm_aa"}

pytestmark = [
    pytest.mark.skipif(not RULER.exists(), reason="the shared avatars are not here (../shared)"),
    pytest.mark.slow,
]


def run(*command: object) -> str:
    """A Python script's output; it must succeed."""
    done = subprocess.run(
        [sys.executable, *map(str, command)],
        capture_output=True,
        text=True,
        check=False,
        timeout=280,
    )
    assert done.returncode == 0, done.stdout[-1500:] + done.stderr[-1500:]
    return done.stdout


def generated(blend: Path, folder: Path) -> tuple[list[str], NDArray[np.float32]]:
    """Names and offsets (N,V,3) that the batch command makes for a file, as the ruler reads them
    back.
    """
    run(
        ROOT / "scripts" / "generate.py",
        blend,
        "--set",
        "arkit,vrchat",
        "--out",
        folder / "out",
        "--overwrite",
        "--report",
        folder / "report.json",
    )
    run(RULER, "extract", folder / "out" / blend.name, folder / f"{blend.stem}.npz")
    with np.load(folder / f"{blend.stem}.npz") as arrays:
        return [str(n) for n in arrays["names"]], arrays["deltas"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("avatars")
    for name in AVATARS:
        run(RULER, "build", SHARED / "data" / "avatars" / f"{name}.npz", made / f"{name}.blend")
    return made


@pytest.fixture(scope="module", params=AVATARS)
def avatar(
    request: pytest.FixtureRequest, folder: Path
) -> tuple[str, list[str], NDArray[np.float32], dict[str, Any]]:
    names, deltas = generated(folder / f"{request.param}.blend", folder)
    report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    return request.param, names, deltas, report["files"][0]


def test_all_keys_are_there_and_move_something(
    avatar: tuple[str, list[str], NDArray[np.float32], dict[str, Any]],
) -> None:
    name, names, deltas, row = avatar
    standards = json.loads((SHARED / "standards.json").read_text(encoding="utf-8"))
    wanted = [
        *standards["arkit_52"]["names"],
        *(v["name"] for v in standards["vrchat_visemes_15"]["order"]),
    ]
    assert set(wanted) <= set(names)
    assert row["shapes"] == len(wanted) == 67
    assert all(np.abs(deltas[names.index(n)]).max() > 0 for n in wanted), name


def test_nothing_outside_the_head_moves(
    avatar: tuple[str, list[str], NDArray[np.float32], dict[str, Any]],
) -> None:
    name, _names, deltas, _row = avatar
    with np.load(SHARED / "data" / "avatars" / f"{name}.npz", allow_pickle=False) as arrays:
        outside = arrays["head_weight"] <= 0.5
    assert not deltas[:, outside].any()


def test_the_ruler_is_content(
    avatar: tuple[str, list[str], NDArray[np.float32], dict[str, Any]], folder: Path
) -> None:
    name, _names, _deltas, _row = avatar
    run(
        RULER,
        "score",
        SHARED / "data" / "avatars" / f"{name}.npz",
        folder / f"{name}.npz",
        "--map",
        SHARED / "data" / "avatars" / "names.json",
        "--json",
        folder / f"{name}.json",
    )
    scores = json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))
    assert scores["mean"]["leak"] < 0.5
    assert scores["shapes"][JAW[name]]["cos"] > 0.5
    assert not scores["mean"]["missing"]


TURNED = np.array([[0, 0, 1], [0, 1, 0], [-1, 0, 0]], np.float32)  # glTF axes: x' = z, z' = -x
LYING = np.array([[1, 0, 0], [0, 0, -1], [0, 1, 0]], np.float32)


@pytest.mark.parametrize(
    ("variant", "scale", "rotation"),
    [
        ("x0.01", 0.01, None),
        ("x100", 100, None),
        ("turned", 1, TURNED),
        ("lying", 1, LYING),
        ("moved", 1, None),
        ("object_moved", 1, None),
        ("no_armature", 1, None),
    ],
)
def test_scale_place_heading_and_armature_do_not_change_the_shapes(
    variant: str, scale: float, rotation: NDArray[np.float32] | None, folder: Path
) -> None:
    reference = folder / "gene.npz"
    if not reference.exists():
        generated(folder / "gene.blend", folder)
    with np.load(reference) as arrays:
        expected = arrays["deltas"]
    run(
        ROOT / "tests" / "avatars" / "vary.py",
        folder / "gene.blend",
        folder / f"gene_{variant}.blend",
        variant,
    )
    _names, deltas = generated(folder / f"gene_{variant}.blend", folder)
    back = deltas / np.float32(scale)
    if rotation is not None:
        back = back @ rotation
    difference = np.linalg.norm(back - expected) / np.linalg.norm(expected)
    assert difference < 0.01, f"{difference:.4f}"
