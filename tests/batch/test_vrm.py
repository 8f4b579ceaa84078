# SPDX-License-Identifier: GPL-3.0-or-later
"""`--export vrm`: the file that was read, with keys and expressions in it."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fixtures.meshes import figure
from fixtures.vrm_file import build

from backend.face.shapes.shape_sets import load_sets

from .conftest import Run, leftovers, write_head

VRM = ("--export", "vrm", "--set", "arkit,vrm1")
CHANGED = {"accessors", "bufferViews", "buffers", "meshes", "extensions"}


def write_vrm(path: Path, old: bool = False) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    mesh = figure(12, 16)
    path.write_bytes(build(mesh.vertices, mesh.triangles, old))
    return path


def content_of(path: Path) -> dict[str, Any]:
    data = path.read_bytes()
    (size,) = struct.unpack_from("<I", data, 12)
    found: dict[str, Any] = json.loads(data[20 : 20 + size])
    return found


def test_presets_and_the_fifty_two_are_bound(tmp_path: Path, generate: Callable[..., Run]) -> None:
    folder, out = tmp_path / "in", tmp_path / "out"
    files = {old: write_vrm(folder / f"old_{old}.vrm", old) for old in (False, True)}
    run = generate(folder, out, *VRM)
    assert run.code == 0, run.said
    for old, path in files.items():
        before, after = content_of(path), content_of(out / path.name)
        assert {name for name in after if before.get(name) != after[name]} == CHANGED
        shapes = load_sets()["arkit"].shapes
        custom = {name[0].upper() + name[1:] for name in shapes}
        if old:
            groups = after["extensions"]["VRM"]["blendShapeMaster"]["blendShapeGroups"]
            bound = {group["name"] for group in groups if group["binds"]}
            assert custom | {"Joy", "Surprised", "Blink", "Blink_L", "MyPose"} <= bound
        else:
            expressions = after["extensions"]["VRMC_vrm"]["expressions"]
            assert custom < expressions["custom"].keys()
            assert len(expressions["preset"]) == 17
    rows = run.report["files"]
    assert all(len(row["expressions"]["made"]) == 68 for row in rows)
    assert all(row["expressions"]["kept"] == ["aa"] for row in rows)
    assert "is not kept" not in run.said and leftovers(out) == []


def test_it_is_the_same_again_and_then_skipped(
    tmp_path: Path, generate: Callable[..., Run]
) -> None:
    path = write_vrm(tmp_path / "in" / "a.vrm")
    for name in ("one", "two"):
        assert generate(path, tmp_path / name, *VRM).code == 0
    one, two = (tmp_path / name / "a.vrm" for name in ("one", "two"))
    assert one.read_bytes() == two.read_bytes()
    again = generate(path, tmp_path / "one", *VRM)
    assert again.states == {"a": "skipped"}
    once_more = generate(one, tmp_path / "three", *VRM)
    assert once_more.code == 0, "what was written can be read"
    (row,) = once_more.report["files"]
    assert len(row["expressions"]["made"]) == 68 and not row["keys"]["added"]
    before, after = (content_of(path)["extensions"] for path in (one, tmp_path / "three" / "a.vrm"))
    assert before == after


@pytest.mark.parametrize(
    ("name", "code"), [("head.obj", "vrm_needed"), ("broken.vrm", "vrm_unwritable")]
)
def test_what_cannot_become_a_vrm_is_told(
    tmp_path: Path, generate: Callable[..., Run], name: str, code: str
) -> None:
    path = tmp_path / name
    if path.suffix == ".obj":
        write_head(path)
    else:
        data = write_vrm(path).read_bytes()
        path.write_bytes(data.replace(b'"VRMC_vrm"', b'"VRMX_vrm"'))
    run = generate(path, tmp_path / "out", *VRM)
    assert run.code == 2 and run.states == {path.stem: code}
    assert not list((tmp_path / "out").glob("*.*"))
