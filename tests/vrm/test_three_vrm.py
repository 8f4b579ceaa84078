# SPDX-License-Identifier: GPL-3.0-or-later
"""Written files before gltf-validator, and in three-vrm in a browser."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from blendshape_auto_generator.blendshape_addon.blender_io.expression_plan import (
    PRESETS,
    planned,
)
from blendshape_auto_generator.blendshape_addon.blender_io.standards import standards
from blendshape_auto_generator.blendshape_addon.vrm.patch import patched
from blendshape_auto_generator.blendshape_addon.vrm.targets import Change
from fixtures.vrm_file import OWN_EXPRESSION, OWN_KEY

from .browser import CHROMIUM, INSTALLED, NODE, issues, look, save
from .conftest import VERSIONS, content_of, small

needs_npm = pytest.mark.skipif(
    not (INSTALLED and NODE), reason="gltf-validator is not here (npm ci in tests/vrm/js)"
)
needs_browser = pytest.mark.skipif(
    not (INSTALLED and CHROMIUM),
    reason="three-vrm or Chromium is not here (npm ci in tests/vrm/js)",
)
SIZE = 0.01  # metres that each key moves a vertex


def write(path: Path, old: bool, normals: bool) -> tuple[Path, Path]:
    """The small file, and the same with a key for each shape of VRM and ARKit."""
    data = small(old, normals)
    path.with_suffix(".in.vrm").write_bytes(data)
    content = content_of(data)
    points = content["meshes"][1]["primitives"][0]["attributes"]["POSITION"]
    names = dict.fromkeys((*standards()["vrm1"], *standards()["arkit"]))
    moved = {}
    for number, name in enumerate(names):
        values = np.zeros((content["accessors"][points]["count"], 3), np.float32)
        values[number % 90, number % 3] = SIZE
        moved[name] = {points: values}
    path.write_bytes(patched(data, [Change(1, (OWN_KEY,), moved)], planned)[0])
    return path.with_suffix(".in.vrm"), path


@needs_npm
@VERSIONS
@pytest.mark.parametrize("normals", [False, True])
def test_the_validator_finds_nothing_new(tmp_path: Path, old: bool, normals: bool) -> None:
    before, after = write(tmp_path / "avatar.vrm", old, normals)
    assert issues(after) == issues(before)
    assert not [code for code, severity in issues(after) if severity == 0]


@needs_npm
def test_the_validator_is_one(tmp_path: Path) -> None:
    _before, after = write(tmp_path / "avatar.vrm", False, False)
    data = after.read_bytes()
    (tmp_path / "wrong.vrm").write_bytes(data.replace(b'"max":[0.', b'"max":[1.', 1))
    assert ("ACCESSOR_MAX_MISMATCH", 0) in issues(tmp_path / "wrong.vrm")


@needs_browser
@VERSIONS
def test_every_expression_moves_a_vertex(tmp_path: Path, old: bool) -> None:
    _before, path = write(tmp_path / "avatar.vrm", old, True)
    found = look(path, ["", "happy"])
    custom = {name[0].upper() + name[1:] for name in standards()["arkit"]}
    presets = {("Surprised" if old and name == "surprised" else name) for name in PRESETS}
    assert found["moved"].keys() == presets | custom | {OWN_EXPRESSION}
    own = {name: found["moved"].pop(name) for name in ("aa", OWN_EXPRESSION)}
    assert found["moved"] == pytest.approx(dict.fromkeys(found["moved"], SIZE), rel=1e-4)
    assert own == pytest.approx(dict.fromkeys(own, 0.002), rel=1e-4), "half of the user's key"
    save(found["picture"], tmp_path / "picture.png")
    assert (tmp_path / "picture.png").read_bytes().startswith(b"\x89PNG")
