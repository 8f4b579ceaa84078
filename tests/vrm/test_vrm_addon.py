# SPDX-License-Identifier: GPL-3.0-or-later
"""Expressions in the data of the VRM add-on, which is the one of PyPI, in a Blender of its own."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
from blendshape_auto_generator.blendshape_addon.blender_io.standards import standards
from fixtures.meshes import figure
from fixtures.vrm_file import OWN_EXPRESSION, OWN_KEY, build

from .conftest import VERSIONS, content_of

STORY = Path(__file__).with_name("addon_story.py")
PINNED = "bpy-vrm-format==4.10.2"

pytestmark = [
    pytest.mark.network,
    pytest.mark.skipif(
        importlib.util.find_spec("bpy") is None, reason="the bpy module is not installed"
    ),
]


@pytest.fixture(scope="session")
def addon(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the VRM add-on."""
    folder = tmp_path_factory.mktemp("addon")
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--dest", str(folder), PINNED]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    if done.returncode:
        pytest.skip(f"no package index is at hand: {done.stderr[-200:]}")
    (wheel,) = folder.glob("*.whl")
    zipfile.ZipFile(wheel).extractall(folder)
    return folder


def told(addon: Path, tmp_path: Path, tiny: Path, old: bool, way: str) -> tuple[Any, Any]:
    """What the story saw, and the JSON of the file that it exported."""
    mesh = figure(12, 16)
    paths = [tmp_path / name for name in ("in.vrm", "out.vrm", "seen.json")]
    paths[0].write_bytes(build(mesh.vertices, mesh.triangles, old))
    words = [addon, paths[0], paths[1], tiny, way, paths[2]]
    done = subprocess.run(
        [sys.executable, str(STORY), *map(str, words)],
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-1500:] + done.stderr[-1500:]
    return json.loads(paths[2].read_text(encoding="utf-8")), content_of(paths[1].read_bytes())


@VERSIONS
def test_what_is_generated_is_bound(addon: Path, tmp_path: Path, tiny: Path, old: bool) -> None:
    seen, content = told(addon, tmp_path, tiny, old, "keys")
    kept = "Your own expressions were kept: {}."
    assert kept.format("aa") in seen["first"], "what the user bound"
    assert kept.format("aa") in seen["second"], "what was bound before is none of the user's"
    assert seen["value"] == 0.25 and seen["keys"] == 70
    assert seen["read_back"]["differ"] == [], "by our export, read back"
    assert seen["read_back"]["files"] == ["ours.vrm"]
    assert "Face" in seen["read_back"]["objects"] and "Stage" not in seen["read_back"]["objects"]
    custom = {name[0].upper() + name[1:] for name in standards()["arkit"]}
    if old:
        extension = content["extensions"]["VRM"]
        groups = extension["blendShapeMaster"]["blendShapeGroups"]
        bound = {group["name"]: group["binds"] for group in groups if group.get("binds")}
        assert custom | {"Surprised", OWN_EXPRESSION} < bound.keys()
        presets = {group["presetName"] for group in groups if group.get("binds")}
        assert {"a", "joy", "blink", "blink_l", "lookup"} < presets and len(presets) == 17
        assert extension["firstPerson"]["lookAtTypeName"] == "BlendShape"
        (own,) = bound[OWN_EXPRESSION]
        assert own["weight"] == pytest.approx(50)
    else:
        extension = content["extensions"]["VRMC_vrm"]
        expressions = extension["expressions"]
        assert custom | {OWN_EXPRESSION} == expressions["custom"].keys()
        bound = {
            name: one["morphTargetBinds"]
            for held in expressions.values()
            for name, one in held.items()
            if one.get("morphTargetBinds")
        }
        assert len(bound) == 17 + 52 + 1
        assert extension["lookAt"]["type"] == "expression"
        names = content["meshes"][content["nodes"][bound["aa"][0]["node"]]["mesh"]]
        assert names["extras"]["targetNames"][bound["aa"][0]["index"]] == OWN_KEY


def test_nothing_is_bound_where_it_is_off(addon: Path, tmp_path: Path, tiny: Path) -> None:
    seen, content = told(addon, tmp_path, tiny, False, "off")
    expressions = content["extensions"]["VRMC_vrm"]["expressions"]
    assert expressions["custom"].keys() == {OWN_EXPRESSION}
    assert not any("Your own expressions" in line for line in seen["first"])


LEAVING = """
import sys
sys.path.insert(0, {root!r})
import bpy
from scripts.batch import worker
assert worker.vrm_addon.enable_package()
print(bpy.app.tempdir, flush=True)
worker.leave(3)
"""


def test_a_blender_of_the_batch_ends_with_the_addon_enabled(addon: Path) -> None:
    script = LEAVING.format(root=str(STORY.parents[2]))
    command, environment = [sys.executable, "-c", script], {**os.environ, "PYTHONPATH": str(addon)}
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 3, done.stderr[-1500:]
    assert not Path(done.stdout.splitlines()[-1]).exists()


@pytest.mark.skipif(os.name == "nt", reason="it stands a shell script in for a Blender")
def test_the_batch_binds_where_the_addon_is_installed_as_a_package(
    addon: Path, tmp_path: Path, tiny: Path
) -> None:
    mesh = figure(12, 16)
    (tmp_path / "in.vrm").write_bytes(build(mesh.vertices, mesh.triangles, False))
    blender = tmp_path / "python-with-addon"
    blender.write_text(f'#!/bin/sh\nPYTHONPATH="{addon}" exec "{sys.executable}" "$@"\n', "utf-8")
    blender.chmod(0o755)
    tool = [sys.executable, STORY.parents[2] / "scripts" / "generate.py", tmp_path / "in.vrm"]
    asked = ["--set", "arkit,vrm1", "--vrm", "bind", "--model", tiny, "--blender", blender]
    words = [*tool, *asked, "--out", tmp_path / "out"]
    done = subprocess.run(
        [str(word) for word in words], capture_output=True, text=True, timeout=200, check=False
    )
    assert done.returncode == 0, done.stdout[-1500:] + done.stderr[-1500:]
    assert "not enabled" not in done.stdout + done.stderr
    made = (tmp_path / "out" / "in.blend").read_bytes()
    assert b"EyeBlinkLeft" in made, "as an expression; the key is called eyeBlinkLeft"
