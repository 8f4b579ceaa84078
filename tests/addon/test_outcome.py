# SPDX-License-Identifier: GPL-3.0-or-later
"""What is told of each shape that was made: in words, and only where it is to be looked at."""

from __future__ import annotations

import bpy
import pytest
from blendshape_auto_generator.blendshape_addon.blender_io.key_writer import Written
from blendshape_auto_generator.blendshape_addon.blender_io.remembered import Told
from blendshape_auto_generator.blendshape_addon.job import outcome
from blendshape_auto_generator.blendshape_addon.translations_ja import JAPANESE
from blendshape_auto_generator.blendshape_addon.ui.results import alarming, size_text

EYES = 0.09  # metres between the outer corners


def note(name: str, size: float, sure: float = 1.0, unit: float = EYES) -> str:
    made = {name: outcome.Made(sure, size, [])}
    (result,) = outcome.results_of(Written(added=[name]), made, [], unit)
    return result.note


@pytest.mark.parametrize(
    ("name", "size", "told"),
    [
        ("mouthSmileLeft", 0.002, "weak"),
        ("mouthSmileLeft", 0.009, ""),
        ("noseSneerLeft", 0.002, ""),
        ("noseSneerLeft", 0.0002, "weak"),
        ("vrc.v_aa", 0.001, "weak"),
    ],
)
def test_a_movement_that_nobody_sees_is_called_weak(name: str, size: float, told: str) -> None:
    assert note(name, size) == told


def test_without_a_known_face_nothing_is_called_weak() -> None:
    assert note("mouthSmileLeft", 0.0001, unit=0.0) == ""


def test_a_doubtful_shape_is_still_worth_a_look() -> None:
    assert note("mouthSmileLeft", 0.001, 0.2) == "weak, worth a look"


def test_the_list_says_it_in_words_and_in_colour() -> None:
    weak, fine = Told("added", 1.0, "weak, worth a look", 0.002), Told("added", 1.0, "", 0.01)
    assert size_text(bpy.context, weak) == "weak: 2 mm" and alarming(weak)
    assert size_text(bpy.context, fine) == "1 cm" and not alarming(fine)
    assert alarming(Told("added", 1.0, "lids overlap", 0.01))


def test_poses_are_told_in_words_that_are_translated() -> None:
    told = [
        {"name": "both sides of mouthPress", "shapes": ["a", "b"], "value": 1.66, "words": "W."},
        {"name": "blink and squint left", "shapes": ["c", "d"], "value": 0.2, "words": "V."},
    ]
    both, lids = outcome.poses_of(told, {"a": "A"})
    assert both.keys == ("A", "b") and both.note == "doubles with its other side"
    assert both.said() == "Check A + b: combined movement is 166% of one side"
    assert lids.note == "lids overlap" and lids.renamed(str.upper).keys == ("C", "D")
    kinds = {*outcome.NOTES.values(), *outcome._POSES.values(), outcome.STILL, outcome.WEAK}
    assert kinds <= JAPANESE.keys()
