# SPDX-License-Identifier: GPL-3.0-or-later
"""Bones by the names that avatars really have."""

from __future__ import annotations

import pytest
from blendshape_auto_generator.blendshape_addon.blender_io.head_bones import role, roles, sides
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Head", "head"),
        ("head", "head"),
        ("頭", "head"),
        ("J_Bip_C_Head", "head"),
        ("mixamorig:Head", "head"),
        ("Bip01 Head", "head"),
        ("bip001_head", "head"),
        ("ValveBiped.Bip01_Head1", "head"),
        ("DEF-head", "head"),
        ("CC_Base_Head", "head"),
        ("Neck", "neck"),
        ("首", "neck"),
        ("J_Bip_C_Neck", "neck"),
        ("Jaw", "jaw"),
        ("あご", "jaw"),
        ("LeftEye", "left_eye"),
        ("Eye_L", "left_eye"),
        ("eye.R", "right_eye"),
        ("左目", "left_eye"),
        ("目.R", "right_eye"),
        ("J_Adj_R_FaceEye", "right_eye"),
        ("CC_Base_L_Eye", "left_eye"),
        ("mixamorig:RightEye", "right_eye"),
        ("両目", None),
        ("Eye", None),
        ("HeadTop_End", None),
        ("Eye_L_end", None),
        ("Hips", None),
        ("Forehead", None),
        ("LeftArm", None),
    ],
)
def test_roles_of_common_names(name: str, expected: str | None) -> None:
    assert role(name) == expected


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("J_Bip_L_UpperArm", "J_Bip_R_UpperArm"),
        ("rig:mixamorig:LeftFoot", "rig:mixamorig:RightFoot"),
        ("左腕", "右腕"),
        ("thigh.L", "thigh.R"),
        ("CC_Base_L_Hand", "CC_Base_R_Hand"),
    ],
)
def test_sides_are_of_bones_that_both_have(left: str, right: str) -> None:
    names = ["Hips", left, "Sword.L", right, "Head"]
    assert sides(names) == {"left_side": [left], "right_side": [right]}
    assert sides(names[:3]) == {}


def test_the_rigs_own_statement_wins_and_the_first_counts() -> None:
    names = ["Hips", "Kopf", "Head", "Eye_L", "LeftEye"]
    assert roles(names, {"head": "Kopf", "neck": "not there"}) == {
        "head": "Kopf",
        "left_eye": "Eye_L",
    }


@given(st.text())
def test_any_name_is_taken(name: str) -> None:
    assert role(name) in {None, "head", "neck", "jaw", "left_eye", "right_eye"}
