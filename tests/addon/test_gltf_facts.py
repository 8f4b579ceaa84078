# SPDX-License-Identifier: GPL-3.0-or-later
"""Names of morph targets from every place where exporters put them, VRM's data that is lost, and
files that are none.
"""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import bpy
import pytest
from blendshape_auto_generator.blendshape_addon.blender_io import guides, scene_files
from blendshape_auto_generator.blendshape_addon.blender_io.gltf_facts import Facts, facts
from blendshape_auto_generator.blendshape_addon.errors import AddonError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

Json = dict[str, Any]


def parts(path: Path) -> tuple[Json, bytes]:
    """The JSON of a .glb, and what follows it."""
    data = path.read_bytes()
    (size,) = struct.unpack_from("<I", data, 12)
    return json.loads(data[20 : 20 + size]), data[20 + size :]


def write_glb(path: Path, content: Json, rest: bytes = b"") -> Path:
    """A .glb, or a .vrm, of a JSON and what follows it."""
    text = json.dumps(content).encode()
    text += b" " * (-len(text) % 4)
    path.write_bytes(
        b"glTF"
        + struct.pack("<II", 2, 20 + len(text) + len(rest))
        + struct.pack("<I", len(text))
        + b"JSON"
        + text
        + rest
    )
    return path


@pytest.fixture
def exported(body: Any, tmp_path: Path) -> tuple[Json, bytes]:
    """The figure with two keys as a .glb, without their names."""
    for name in ("Basis", "one", "two"):
        key = body.shape_key_add(name=name, from_mix=False)
        key.points[0].co.x += 0.01 if name != "Basis" else 0
    bpy.ops.export_scene.gltf(filepath=str(tmp_path / "plain.glb"), export_morph_normal=False)
    content, rest = parts(tmp_path / "plain.glb")
    for mesh in content["meshes"]:
        assert mesh["extras"].pop("targetNames") == ["one", "two"]
    for accessor in content["accessors"]:
        accessor.pop("name", None)
    return content, rest


def with_names(content: Json, place: str) -> Json:
    """The names あ and Blink where some exporter puts them."""
    names = ["あ", "Blink"]
    mesh = content["meshes"][0]
    if place == "the mesh":
        mesh["extras"] = {"targetNames": names}
    elif place == "the primitives":
        for primitive in mesh["primitives"]:
            primitive["extras"] = {"targetNames": names}
    elif place in ("extras of the targets", "extra of the targets"):
        for primitive in mesh["primitives"]:
            for target, name in zip(primitive["targets"], names, strict=True):
                target[place.split()[0]] = {"name": name}
    elif place == "VRM 0.x groups":
        groups = [
            {"name": name, "binds": [{"mesh": 0, "index": number, "weight": 100}]}
            for number, name in enumerate(names)
        ]
        groups.append(
            {
                "name": "Both",
                "binds": [
                    {"mesh": 0, "index": 0, "weight": 100},
                    {"mesh": 0, "index": 1, "weight": 100},
                ],
            }
        )
        groups.append({"name": "Half", "binds": [{"mesh": 0, "index": 0, "weight": 50}]})
        content["extensions"] = {
            "VRM": {
                "blendShapeMaster": {"blendShapeGroups": groups},
                "secondaryAnimation": {"boneGroups": []},
            }
        }
    else:
        node = next(number for number, node in enumerate(content["nodes"]) if node.get("mesh") == 0)
        binds = [
            {"morphTargetBinds": [{"node": node, "index": number, "weight": 1.0}]}
            for number in (0, 1)
        ]
        content["extensions"] = {
            "VRMC_vrm": {"expressions": {"preset": {"あ": binds[0]}, "custom": {"Blink": binds[1]}}}
        }
    return content


PLACES = (
    "the mesh",
    "the primitives",
    "extras of the targets",
    "extra of the targets",
    "VRM 0.x groups",
    "VRM 1.0 expressions",
)


@pytest.mark.parametrize("suffix", [".vrm", ".glb"])
@pytest.mark.parametrize("place", PLACES)
def test_names_are_read_wherever_they_are(
    exported: tuple[Json, bytes], tmp_path: Path, place: str, suffix: str
) -> None:
    content, rest = exported
    path = write_glb(tmp_path / f"avatar{suffix}", with_names(content, place), rest)
    lost = scene_files.read_scene(path)
    (keys,) = (mesh.shape_keys for mesh in bpy.data.meshes if mesh.shape_keys is not None)
    assert [key.name for key in keys.key_blocks] == ["Basis", "あ", "Blink"]
    assert bool(lost) == place.startswith("VRM")


@pytest.mark.parametrize(
    ("node", "names"), [(0, ("Smile",)), (1, ()), (2, ()), (-1, ()), (True, ()), ("0", ())]
)
def test_an_expression_is_of_a_node_that_there_is(
    tmp_path: Path, node: object, names: tuple[str, ...]
) -> None:
    expressions = {
        "custom": {"Smile": {"morphTargetBinds": [{"node": node, "index": 0, "weight": 1.0}]}}
    }
    content: Json = {
        "meshes": [{"name": "Face", "primitives": [{"targets": [{}]}]}],
        "nodes": [{"mesh": 0}, {}],
        "extensions": {"VRMC_vrm": {"expressions": expressions}},
    }
    found = facts(write_glb(tmp_path / "avatar.vrm", content))
    assert [morphs.names for morphs in found.morphs] == ([names] if names else []) and found.lost


def test_what_is_lost_of_a_vrm_is_named(tmp_path: Path) -> None:
    old: Json = {"extensions": {"VRM": {"humanoid": {}, "secondaryAnimation": {"boneGroups": []}}}}
    new: Json = {"extensions": {"VRMC_vrm": {"specVersion": "1.0"}}}
    (line,) = facts(write_glb(tmp_path / "old.vrm", old)).lost
    assert "humanoid" in line and "spring bones" in line and "VRM add-on" in line
    (line,) = facts(write_glb(tmp_path / "new.vrm", new)).lost
    assert "spring" not in line
    assert facts(write_glb(tmp_path / "plain.glb", {"meshes": []})) == Facts()


def test_a_gltf_of_text_is_read_too(tmp_path: Path) -> None:
    path = tmp_path / "face.gltf"
    path.write_text(
        json.dumps(
            {
                "meshes": [
                    {
                        "name": "F",
                        "primitives": [{"targets": [{}], "extras": {"targetNames": ["x\ny"]}}],
                    }
                ]
            }
        ),
        encoding="utf-8",
    )
    (morphs,) = facts(path).morphs
    assert morphs.mesh == "F" and morphs.names == ("xy",), "a name is one line"


FIELDS = ("name", "mesh", "index", "node", "weight", "extras", "targetNames", "binds")
NO_JSON = b"glTF" + struct.pack("<IIII", 2, 99, 1 << 31, 7)
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(FIELDS), inner),
    max_leaves=8,
)
KEYS = st.sampled_from(
    [
        "meshes",
        "nodes",
        "extensions",
        "primitives",
        "targets",
        "VRM",
        "VRMC_vrm",
        "blendShapeMaster",
        "blendShapeGroups",
        "expressions",
        "preset",
    ]
)


@settings(
    max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    content=st.dictionaries(
        KEYS,
        JSON_VALUES
        | st.dictionaries(
            KEYS, JSON_VALUES | st.lists(st.dictionaries(KEYS, JSON_VALUES), max_size=3)
        ),
    )
)
def test_a_strange_file_tells_nothing_and_breaks_nothing(content: Json, tmp_path: Path) -> None:
    assert isinstance(facts(write_glb(tmp_path / "strange.glb", content)), Facts)


@pytest.mark.parametrize(
    "data", [b"", b"glTF", b"glTF" + bytes(16), NO_JSON, b"[" * 100_000, b"[1]", b"\xff\xfe"]
)
def test_a_damaged_file_tells_nothing(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "bad.glb").write_bytes(data)
    assert facts(tmp_path / "bad.glb") == Facts()


def test_a_name_with_the_meshs_before_it_is_a_vowel_all_the_same() -> None:
    assert (
        guides.role_of("Face.M_F00_000_00_Fcl_MTH_A") == "aa"
        and guides.role_of("Face.M_F00_000_00_Fcl_EYE_Close_L") == "blinkLeft"
    )
    assert guides.role_of("Face.M_F00_000_00") is None


@pytest.mark.parametrize(
    ("raised", "said"),
    [
        (KeyError("Character1_Reference"), "looks for 'Character1_Reference'"),
        (
            RuntimeError("Version 6100 unsupported, must be 7100 or later"),
            "Version 6100 unsupported",
        ),
        (
            ValueError("buffer size must be a multiple of element size"),
            "damaged or of an unusual kind (ValueError: buffer size",
        ),
        (StopIteration(), "damaged or of an unusual kind (StopIteration)"),
        (UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte"), "invalid start byte"),
    ],
)
def test_an_importer_that_breaks_off_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, raised: Exception, said: str
) -> None:
    class IMPORT_SCENE_OT_broken(bpy.types.Operator):
        """Break off."""

        bl_idname = "import_scene.broken"
        bl_label = "Broken"

        def execute(self, context: bpy.types.Context) -> Any:
            """As an importer does."""
            raise raised

    def broken(path: Path) -> tuple[str, ...]:
        operators: Any = bpy.ops.import_scene
        operators.broken()
        return ()

    bpy.utils.register_class(IMPORT_SCENE_OT_broken)
    try:
        monkeypatch.setattr(scene_files, "import_file", broken)
        (tmp_path / "a.fbx").write_bytes(b"x")
        with pytest.raises(AddonError) as caught:
            scene_files.read_scene(tmp_path / "a.fbx")
    finally:
        bpy.utils.unregister_class(IMPORT_SCENE_OT_broken)
    assert caught.value.code == "input_unreadable" and said in caught.value.message, (
        caught.value.message
    )
    assert (
        "Location" not in caught.value.message
        and "Traceback" not in caught.value.message
        and "export" in caught.value.fix
    )
