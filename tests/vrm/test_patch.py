# SPDX-License-Identifier: GPL-3.0-or-later
"""A .vrm with more morph targets and expressions: all else in it is as before."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest
from blendshape_auto_generator.blendshape_addon.errors import AddonError
from blendshape_auto_generator.blendshape_addon.vrm.arrays import floats
from blendshape_auto_generator.blendshape_addon.vrm.expressions import Expression
from blendshape_auto_generator.blendshape_addon.vrm.glb import pack, parse
from blendshape_auto_generator.blendshape_addon.vrm.patch import patched, with_overrides
from blendshape_auto_generator.blendshape_addon.vrm.targets import Change
from fixtures.vrm_file import FACE_NODE, OWN_EXPRESSION, OWN_KEY

from .conftest import VERSIONS, binary_of, content_of, small

FACE = 1  # its mesh
CHANGED = {"accessors", "bufferViews", "buffers", "meshes", "extensions"}


def offsets(data: bytes, *rows: int) -> dict[int, Any]:
    """Movement of a few vertices of the face, by its accessor of positions."""
    content = content_of(data)
    points = content["meshes"][FACE]["primitives"][0]["attributes"]["POSITION"]
    values = np.zeros((content["accessors"][points]["count"], 3), np.float32)
    for row in rows:
        values[row] = (0.01, -0.02, 0.001 * (row + 1))
    return {points: values}


def plan(version: str, names: Mapping[str, bool]) -> Sequence[Any]:
    """Three presets, and two expressions of their own."""
    return [
        Expression("aa", "a", False, {"jawOpen": 1.0}),
        Expression("happy", "joy", False, {"smile": 1.0}),
        Expression("ih", "i", False, {"jawOpen": 0.25, "smile": 0.5}),
        Expression("jawOpen", "", True, {"jawOpen": 1.0}),
        Expression("surprised", "", False, {"smile": 1.0}),
        Expression("blink", "blink", False, {"nowhere": 1.0}),
    ]


def change(data: bytes, **more: Any) -> Any:
    moved = {"jawOpen": offsets(data, 4, 9), "smile": offsets(data, 150)}
    return Change(FACE, (OWN_KEY,), {**moved, **more.get("moved", {})}, more.get("replaced", {}))


@VERSIONS
@pytest.mark.parametrize("normals", [False, True])
def test_all_but_targets_and_expressions_is_as_before(old: bool, normals: bool) -> None:
    data = small(old, normals)
    written, bound = patched(data, [change(data)], plan)
    before, after = content_of(data), content_of(written)
    assert {name for name in after if before.get(name) != after[name]} == CHANGED
    assert before.keys() == after.keys()
    for kind in ("accessors", "bufferViews"):
        assert after[kind][: len(before[kind])] == before[kind]
    assert binary_of(written).startswith(binary_of(data)) and len(written) % 4 == 0
    name, held = ("VRM", "blendShapeMaster") if old else ("VRMC_vrm", "expressions")
    extension = copy.deepcopy(after["extensions"])
    extension[name][held] = before["extensions"][name][held]
    assert extension == before["extensions"]
    for mesh, was in zip(after["meshes"], before["meshes"], strict=True):
        for one, other in zip(mesh["primitives"], was["primitives"], strict=True):
            targets = one.pop("targets", [])
            assert targets[: len(other.get("targets", []))] == other.pop("targets", [])
        mesh.get("extras", {}).pop("targetNames", None)
        was.get("extras", {}).pop("targetNames", None)
        assert mesh == was
    assert bound.made == ("happy", "ih", "jawOpen", "surprised") and bound.kept == ("aa",)


@VERSIONS
def test_targets_come_after_those_that_are_there(old: bool) -> None:
    data = small(old)
    written, _bound = patched(data, [change(data)], plan)
    mesh = content_of(written)["meshes"][FACE]
    assert mesh["extras"] == {"targetNames": [OWN_KEY, "jawOpen", "smile"], "by": "user"}
    first, second = (part["targets"] for part in mesh["primitives"])
    assert first == second and len(first) == 3, "they share vertices, so they share targets"
    glb = parse(written)
    (wanted,) = offsets(data, 4, 9).values()
    assert np.array_equal(floats(glb, first[1]["POSITION"]), wanted)
    accessor = glb.content["accessors"][first[1]["POSITION"]]
    assert accessor["sparse"]["count"] == 2 and accessor["max"][0] == float(np.float32(0.01))
    assert "NORMAL" not in first[1]


def test_normals_turn_where_those_of_the_others_do() -> None:
    data = small(normals=True)
    points = offsets(data)
    (tilted,) = points.values()
    place = parse(data)
    (number,) = points
    positions = floats(place, number)
    tilted[:, 2] = 0.3 * positions[:, 0]  # a shear: normals along +Z turn to -X
    written, _bound = patched(data, [change(data, moved={"tilt": points})], plan)
    glb = parse(written)
    part = glb.content["meshes"][FACE]["primitives"][0]
    turned = floats(glb, part["targets"][3]["NORMAL"])
    facing = floats(glb, part["attributes"]["NORMAL"])
    forwards = facing[:, 2] > 0.9
    assert forwards.any() and (turned[forwards, 0] < -0.2).all()
    still = floats(glb, part["targets"][1]["NORMAL"])
    assert 2 <= np.count_nonzero(still.any(axis=1)) < 40, "only around what moves"


def test_a_target_is_written_anew_in_its_place() -> None:
    data = small()
    anew = {OWN_KEY: offsets(data, 7)}
    written, _bound = patched(data, [change(data, moved=anew, replaced={OWN_KEY: 0})], plan)
    glb = parse(written)
    mesh = glb.content["meshes"][FACE]
    assert mesh["extras"]["targetNames"] == [OWN_KEY, "jawOpen", "smile"]
    values = floats(glb, mesh["primitives"][1]["targets"][0]["POSITION"])
    assert np.flatnonzero(values.any(axis=1)).tolist() == [7]


def test_presets_of_1_0() -> None:
    data = small()
    written, _bound = patched(data, [change(data)], plan)
    before = content_of(data)["extensions"]["VRMC_vrm"]["expressions"]
    expressions = content_of(written)["extensions"]["VRMC_vrm"]["expressions"]
    assert expressions["preset"]["aa"] == before["preset"]["aa"], "the user's own"
    assert expressions["custom"][OWN_EXPRESSION] == before["custom"][OWN_EXPRESSION]
    assert expressions["preset"]["happy"]["morphTargetBinds"] == [
        {"node": FACE_NODE, "index": 2, "weight": 1.0}
    ]
    assert expressions["preset"]["ih"]["morphTargetBinds"] == [
        {"node": FACE_NODE, "index": 1, "weight": 0.25},
        {"node": FACE_NODE, "index": 2, "weight": 0.5},
    ]
    assert expressions["custom"].keys() == {OWN_EXPRESSION, "JawOpen"}
    assert "blink" not in expressions["preset"], "there is no key for it"


def test_clips_of_0_x() -> None:
    data = small(old=True)
    written, _bound = patched(data, [change(data)], plan)
    before = content_of(data)["extensions"]["VRM"]["blendShapeMaster"]["blendShapeGroups"]
    groups = content_of(written)["extensions"]["VRM"]["blendShapeMaster"]["blendShapeGroups"]
    assert groups[0] == before[0] and groups[2] == before[2], "the user's own"
    found = {(group["name"], group["presetName"]): group["binds"] for group in groups}
    assert found["Joy", "joy"] == [{"mesh": 1, "index": 2, "weight": 100.0}]
    assert found["I", "i"] == [
        {"mesh": 1, "index": 1, "weight": 25.0},
        {"mesh": 1, "index": 2, "weight": 50.0},
    ]
    assert found["JawOpen", "unknown"] and found["Surprised", "unknown"]


@pytest.mark.parametrize(("closed", "wanted"), [(1.0, "block"), (0.2, None)])
def test_an_emotion_that_closes_the_eyes_keeps_blinks_away(
    closed: float, wanted: str | None
) -> None:
    blink = np.eye(4, 3, dtype=np.float32)
    keys = {"happy": blink * np.float32(closed), "blink": blink, "aa": np.roll(blink, 1)}
    found = with_overrides(
        [Expression(name, "", False, {name: 1.0}) for name in keys], keys.__getitem__
    )
    assert found[0].overrides.get("overrideBlink") == wanted
    assert found[1].overrides == found[2].overrides == {}


def test_weights_get_a_place_for_each_new_target() -> None:
    glb = parse(small())
    glb.content["meshes"][FACE]["weights"] = [0.5]
    glb.content["nodes"][FACE_NODE]["weights"] = [0.25]
    data = pack(glb)
    written = content_of(patched(data, [change(data)], plan)[0])
    assert written["meshes"][FACE]["weights"] == [0.5, 0, 0]
    assert written["nodes"][FACE_NODE]["weights"] == [0.25, 0, 0]


def test_an_animation_of_the_face_is_told() -> None:
    glb = parse(small())
    channel = {"sampler": 0, "target": {"node": FACE_NODE, "path": "weights"}}
    glb.content["animations"] = [{"channels": [channel], "samplers": [{}]}]
    data = pack(glb)
    with pytest.raises(AddonError, match="animation") as told:
        patched(data, [change(data)], plan)
    assert told.value.code == "vrm_unwritable"


def test_a_file_without_vrm_is_told() -> None:
    glb = parse(small())
    del glb.content["extensions"]
    with pytest.raises(AddonError, match="nothing of VRM"):
        patched(pack(glb), [], plan)


def test_a_primitive_without_targets_gets_as_many_as_the_others() -> None:
    glb = parse(small())
    del glb.content["meshes"][FACE]["primitives"][1]["targets"]
    data = pack(glb)
    again = parse(patched(data, [change(data)], plan)[0])
    first, second = again.content["meshes"][FACE]["primitives"]
    assert len(first["targets"]) == len(second["targets"]) == 3
    assert not floats(again, second["targets"][0]["POSITION"]).any()
    assert first["targets"][1:] == second["targets"][1:]


def test_names_are_where_the_file_has_them_and_on_the_mesh() -> None:
    glb = parse(small())
    mesh = glb.content["meshes"][FACE]
    del mesh["extras"]
    mesh["primitives"][0]["extras"] = {"targetNames": [OWN_KEY], "other": 1}
    data = pack(glb)
    written = content_of(patched(data, [change(data)], plan)[0])["meshes"][FACE]
    names = [OWN_KEY, "jawOpen", "smile"]
    assert written["extras"] == {"targetNames": names}
    assert written["primitives"][0]["extras"] == {"targetNames": names, "other": 1}
    assert "extras" not in written["primitives"][1]
