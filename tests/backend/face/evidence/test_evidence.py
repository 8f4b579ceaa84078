# SPDX-License-Identifier: GPL-3.0-or-later
"""Names as arrays: what is refused, and what each vertex is by them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.errors import BackendError
from backend.face.evidence.evidence import (
    Evidence,
    bone_classes,
    check,
    classes_of,
    evidence_of,
    hanging_bones,
    worn_or_hair,
)
from backend.face.evidence.names import CLASSES, NAME_LIMITS

TRIANGLES = np.array([[0, 1, 2], [2, 3, 4], [4, 5, 0]], np.int32)


def ints(*values: int) -> Any:
    return np.array(values, np.int32)


def named(found: Any) -> list[str]:
    return [CLASSES[number] for number in found]


def test_a_request_without_evidence_has_none() -> None:
    assert (
        evidence_of(None, {}) is None
        and evidence_of({}, {"vertices": np.zeros((3, 3), np.float32)}) is None
    )


def test_names_and_arrays_become_evidence() -> None:
    found = evidence_of(
        {"materials": ["Face", "Hair" * 100]}, {"triangle_materials": ints(0, 1, 1)}
    )
    assert (
        found is not None
        and found.materials == ("Face", ("Hair" * 100)[: NAME_LIMITS.longest])
        and found.bones == ()
        and found.vertex_bones is None
    )
    check(found, 6, 3)


@pytest.mark.parametrize(
    ("names", "arrays"),
    [
        ([], {}),
        ("Hair", {}),
        ({"colours": ["red"]}, {}),
        ({"materials": "Hair"}, {}),
        ({"materials": ["Hair", 1]}, {}),
        ({"bones": ["b"] * (NAME_LIMITS.most + 1)}, {}),
        ({}, {"vertex_bones": np.zeros(6, np.float32)}),
        ({}, {"bone_places": ints(0, 0, 0)}),
    ],
)
def test_what_has_another_form_is_refused(names: Any, arrays: dict[str, Any]) -> None:
    with pytest.raises(BackendError) as error:
        evidence_of(names, arrays)
    assert error.value.code == "protocol"


@pytest.mark.parametrize(
    "wrong",
    [
        Evidence(triangle_materials=ints(0, 1), materials=("a", "b")),
        Evidence(triangle_materials=ints(0, 1, 2), materials=("a", "b")),
        Evidence(triangle_materials=ints(0, 1, -2), materials=("a", "b")),
        Evidence(vertex_bones=ints(0, 0, 0, 0, 0, 0)),
        Evidence(vertex_objects=ints(0), objects=("a",)),
        Evidence(bones=("a", "b"), bone_parents=ints(-1)),
        Evidence(bones=("a", "b"), bone_parents=ints(-1, 2)),
        Evidence(bones=("a",), bone_places=np.zeros((2, 3), np.float32)),
        Evidence(materials=("a",), transparent=ints(1, 0)),
    ],
)
def test_arrays_that_do_not_fit_the_mesh_are_refused(wrong: Evidence) -> None:
    with pytest.raises(BackendError) as error:
        check(wrong, 6, 3)
    assert error.value.code == "mesh_invalid"


def test_a_vertex_is_of_hair_if_all_its_triangles_are() -> None:
    own = Evidence(triangle_materials=ints(0, 1, 1), materials=("Face", "Hair"))
    found = classes_of(own, TRIANGLES, 7)
    assert named(found.material) == ["skin", "skin", "skin", "hair", "hair", "hair", ""]
    assert worn_or_hair(found).tolist() == [False, False, False, True, True, True, False]


def test_what_one_name_calls_a_part_of_a_face_is_no_hair() -> None:
    own = Evidence(triangle_materials=ints(0, 0, 0), materials=("Hair",))
    for bone in ("J_Adj_L_FaceEye", "DEF-brow.L", "jaw", "Teeth"):
        other = replace(own, vertex_bones=ints(0, 0, 0, 1, 1, 1), bones=("Head", bone))
        assert worn_or_hair(classes_of(other, TRIANGLES, 6)).tolist() == [True] * 3 + [False] * 3
    brows = replace(own, vertex_objects=ints(0, 0, 0, 0, 0, 0), objects=("Eyebrows",))
    assert not worn_or_hair(classes_of(brows, TRIANGLES, 6)).any()
    scalp = Evidence(
        triangle_materials=ints(0, 0, 1),
        materials=("Skin", "Hair"),
        vertex_objects=ints(0, 0, 0, 0, 0, 0),
        objects=("Hair",),
    )
    assert worn_or_hair(classes_of(scalp, TRIANGLES, 6)).tolist() == [
        False,
        False,
        False,
        False,
        False,
        True,
    ]


def test_bones_below_a_bone_of_hair_are_of_hair() -> None:
    own = Evidence(
        bones=("Head", "HairRoot", "Bone.001", "Bone.002", "Ribbon", "x"),
        bone_parents=ints(-1, 0, 1, 2, 0, 4),
    )
    assert named(bone_classes(own)) == ["head", "hair", "hair", "hair", "accessory", "accessory"]


def test_two_bones_that_mirror_each_other_below_the_head_are_its_eyes() -> None:
    places = np.array([[0, 0, 0], [0.03, -0.1, 0.1], [-0.03, -0.1, 0.1]], np.float32)
    own = Evidence(
        bones=("頭", "Bone", "Bone.001"), bone_parents=ints(-1, 0, 0), bone_places=places
    )
    assert named(bone_classes(own)) == ["head", "eye", "eye"]
    askew = replace(
        own, bone_places=places + np.array([[0, 0, 0], [0, 0, 0.1], [0, 0, 0]], np.float32)
    )
    assert named(bone_classes(askew)) == ["head", "", ""]
    three = Evidence(
        bones=(*own.bones, "Bone.002"),
        bone_parents=ints(-1, 0, 0, 0),
        bone_places=np.concatenate([places, places[:1]]),
    )
    assert named(bone_classes(three)) == ["head", "", "", ""]


def test_a_chain_of_nameless_bones_below_the_head_hangs() -> None:
    own = Evidence(
        bones=("Hips", "Head", "Bone", "Bone.001", "Bone.002", "Jaw", "Bone.003"),
        bone_parents=ints(-1, 0, 1, 2, 1, 1, 5),
    )
    assert hanging_bones(own, bone_classes(own)).tolist() == [
        False,
        False,
        True,
        True,
        False,
        False,
        False,
    ]


def test_bones_in_a_ring_hang_on_nothing() -> None:
    own = Evidence(
        bones=("Head", "a", "b"),
        bone_parents=ints(-1, 2, 1),
        bone_places=np.zeros((3, 3), np.float32),
    )
    check(own, 6, 3)
    found = bone_classes(own)
    assert named(found) == ["head", "", ""] and not hanging_bones(own, found).any()


@settings(deadline=None, max_examples=50)
@given(st.data())
def test_any_evidence_that_fits_says_something_of_each_vertex(data: st.DataObject) -> None:
    count, texts = (
        data.draw(st.integers(1, 12)),
        st.lists(
            st.text(max_size=20) | st.sampled_from(["Hair", "頭", "eye", "jaw", "Bone"]), max_size=6
        ),
    )
    names = {kind: data.draw(texts) for kind in ("materials", "bones", "groups", "objects")}
    triangles = np.array(
        data.draw(st.lists(st.tuples(*[st.integers(0, count - 1)] * 3), max_size=8)), np.int32
    ).reshape(-1, 3)

    def places(kind: str, size: int) -> Any:
        return np.array(
            data.draw(
                st.lists(st.integers(-1, len(names[kind]) - 1), min_size=size, max_size=size)
            ),
            np.int32,
        )

    arrays = {
        "triangle_materials": places("materials", len(triangles)),
        "vertex_bones": places("bones", count),
        "vertex_groups": places("groups", count),
        "vertex_objects": places("objects", count),
        "bone_parents": places("bones", len(names["bones"])),
        "bone_places": np.zeros((len(names["bones"]), 3), np.float32),
    }
    own = evidence_of(names, arrays)
    assert own is not None
    check(own, count, len(triangles))
    assert worn_or_hair(classes_of(own, triangles, count)).shape == (count,)
