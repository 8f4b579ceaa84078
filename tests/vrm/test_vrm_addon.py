# SPDX-License-Identifier: GPL-3.0-or-later
"""Expressions in the data of the VRM add-on, which is the one of PyPI, in a Blender of its own."""

from __future__ import annotations

import importlib.util
import json
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
