# SPDX-License-Identifier: GPL-3.0-or-later
"""What the add-on keeps in a file lives through another version of Blender: 4.2 to 5.2, and back as
far as Blender itself can.

The other Blenders are those that `dev.py matrix` sets up; without them the same is done with this
one alone.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from scripts import dev

ROOT = Path(__file__).resolve().parents[2]
STORY = Path(__file__).with_name("upgrade_story.py")


def python_of(version: str) -> Path:
    return (
        Path(sys.executable) if version == "this" else dev.python_of(ROOT / f"build/bpy-{version}")
    )


def play(version: str, task: str, blend: Path, model: Path) -> dict[str, Any]:
    seen = blend.with_suffix(f".{task}.json")
    command: list[str | Path] = [
        python_of(version),
        STORY,
        task,
        blend,
        model,
        seen,
        sys.executable,
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=280, check=False)
    assert seen.exists(), done.stdout[-2000:] + done.stderr[-3000:]
    found: dict[str, Any] = json.loads(seen.read_text(encoding="utf-8"))
    return found


@pytest.mark.parametrize(("before", "after"), [("this", "this"), ("4.2", "5.2")])
def test_a_file_of_one_blender_in_another(
    before: str, after: str, tmp_path: Path, tiny: Path
) -> None:
    for version in (before, after):
        if not python_of(version).exists():
            pytest.skip(f"bpy {version} is not set up here (dev.py matrix)")
    blend = tmp_path / "kept.blend"
    made = play(before, "make", blend, tiny)["made"]
    seen = play(after, "look", blend, tiny)
    opened, updated = seen["opened"], seen["updated"]
    print(
        f"\n{made['version']} -> {opened['version']}: {len(opened['keys'])} keys,"
        f" {len(opened['ours'])} of them ours"
    )
    assert {**opened, "version": ""} == {**made, "version": ""}
    assert (
        len(made["ours"]) == 15
        and "vrc.v_oh" not in made["ours"]
        and "vrc.v_ee" in made["ours"]
        and made["drivers"] == 1
    )
    assert made["landmarks"] == {"chin": [0.0, -0.09, 1.53]} and made["all_landmarks"] == 18
    assert updated["keys"] == made["keys"] and updated["values"] == made["values"], (
        "updated, not made twice"
    )
    assert updated["jaw"] == pytest.approx(made["jaw"], rel=1e-3)
    assert updated["edited"] == pytest.approx(made["edited"]), "hand edits are kept"
    assert seen["removed"] == ["Basis", "Mine", "vrc.v_oh"]
