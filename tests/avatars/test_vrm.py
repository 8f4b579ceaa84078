# SPDX-License-Identifier: GPL-3.0-or-later
"""`--export vrm` on avatars of others, one of VRM 1.0 and one of 0.x, with the shipped model. Needs
the shared avatars, which are not in the repository.
"""

from __future__ import annotations

import json
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from vrm.browser import CHROMIUM, INSTALLED, NODE, issues, look

ROOT = Path(__file__).resolve().parents[2]
FILES = ROOT.parent / "shared" / "data" / "files"
NAMES = ("m3_neurohacker", "pm_crimsom")
CHANGED = {"accessors", "bufferViews", "buffers", "meshes", "extensions"}

pytestmark = [
    pytest.mark.skipif(not FILES.is_dir(), reason="the shared avatars are not here (../shared)"),
    pytest.mark.slow,
]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the files that the command writes."""
    out = tmp_path_factory.mktemp("vrm")
    command = [sys.executable, str(ROOT / "scripts" / "generate.py")]
    command += [str(FILES / f"{name}.vrm") for name in NAMES]
    command += ["--set", "arkit,vrm1", "--export", "vrm", "--out", str(out), "--jobs", "1"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=280)
    assert done.returncode == 0, done.stdout[-1500:] + done.stderr[-1500:]
    return out


def parts_of(path: Path) -> tuple[dict[str, Any], bytes]:
    """JSON and buffer."""
    data = path.read_bytes()
    (size,) = struct.unpack_from("<I", data, 12)
    content = json.loads(data[20 : 20 + size])
    return content, data[28 + size :][: content["buffers"][0]["byteLength"]]


@pytest.mark.parametrize("name", NAMES)
def test_all_but_targets_and_expressions_is_as_before(made: Path, name: str) -> None:
    before, bytes_before = parts_of(FILES / f"{name}.vrm")
    after, bytes_after = parts_of(made / f"{name}.vrm")
    assert bytes_after.startswith(bytes_before)
    assert before.keys() == after.keys()
    assert {part for part in after if before[part] != after[part]} == CHANGED
    for part in ("accessors", "bufferViews"):
        assert after[part][: len(before[part])] == before[part]
    for mesh, was in zip(after["meshes"], before["meshes"], strict=True):
        for one, other in zip(mesh["primitives"], was["primitives"], strict=True):
            targets, own = one.pop("targets"), other.pop("targets")
            assert targets[: len(own)] == own and len(targets) > len(own) + 60
            assert all(target.keys() == own[0].keys() for target in targets)
        named, names = (held.pop("extras")["targetNames"] for held in (mesh, was))
        assert named[: len(names)] == names and len(named) == len(targets)
        for held in (*mesh["primitives"], *was["primitives"]):
            held.get("extras", {}).pop("targetNames", None)
        assert mesh == was
    for extension, held in (("VRM", "blendShapeMaster"), ("VRMC_vrm", "expressions")):
        for content in (before, after):
            content["extensions"].get(extension, {}).pop(held, None)
    assert after["extensions"] == before["extensions"]


@pytest.mark.skipif(
    not (INSTALLED and NODE), reason="gltf-validator is not here (npm ci in tests/vrm/js)"
)
@pytest.mark.parametrize("name", NAMES)
def test_the_validator_finds_nothing_new(made: Path, name: str) -> None:
    assert issues(made / f"{name}.vrm") == issues(FILES / f"{name}.vrm")


@pytest.mark.skipif(
    not (INSTALLED and CHROMIUM),
    reason="three-vrm or Chromium is not here (npm ci in tests/vrm/js)",
)
@pytest.mark.parametrize("name", NAMES)
def test_every_expression_moves_a_vertex(made: Path, name: str) -> None:
    moved = look(made / f"{name}.vrm")["moved"]
    assert len(moved) >= 17 + 52
    assert [one for one, way in moved.items() if way < 1e-4] == (
        ["neutral"] if name == "m3_neurohacker" else []
    )
