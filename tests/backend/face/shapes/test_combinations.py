# SPDX-License-Identifier: GPL-3.0-or-later
"""Poses of several shapes: those that hold are told from those that do not, on heads whose openings
are known.
"""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from backend.face.analyse.head import head_of
from backend.face.analyse.surface import Surface, surface_of
from backend.face.correct import contacts
from backend.face.geometry.mesh import loose_parts, part_boxes, weld
from backend.face.shapes.combinations import (
    DRIVEN,
    PAIRS,
    Combination,
    combinations,
    held_squints,
)
from backend.face.shapes.confidence import confidence_of, cosines
from backend.face.shapes.shape_sets import load_sets
from scripts.samples.anatomy import OPENINGS, Anatomy
from scripts.samples.modelled import BUILDERS, anatomy

Floats = NDArray[np.float32]


Head = tuple[Anatomy, Surface, dict[str, Floats]]


@pytest.fixture(scope="module", params=[None, 1], ids=["default", "seed1"])
def head(request: pytest.FixtureRequest) -> Head:
    """A modelled head, what contacts read from it, and its own shapes with contacts that hold."""
    made, triangles = anatomy(
        None if request.param is None else np.random.default_rng(request.param), 0.0
    )
    built = {name: offsets for make in BUILDERS for name, offsets in make(made).items()}
    lips = (made.landmarks["lip_upper"] + made.landmarks["lip_lower"]) / 2
    by_turn = np.where(
        made.opening == OPENINGS.index("mouth"),
        np.sin(made.turn),
        np.sign(made.vertices[:, 1] - lips[1]),
    )
    sides = np.stack([by_turn, np.zeros(len(by_turn))], axis=1).astype(np.float32)
    parts = part_boxes(made.vertices, loose_parts(made.vertices, triangles))
    there = surface_of(
        made.vertices, triangles, weld(made.vertices), parts, sides, landmarks=made.landmarks
    )
    shapes = {name: offsets.astype(np.float32) for name, offsets in built.items() if name in DRIVEN}
    for name, more in contacts.corrections(head_of(there, made.landmarks), shapes).items():
        if name in shapes:
            shapes[name] = shapes[name] + more
    return made, there, shapes


def by_name(found: list[Combination]) -> dict[str, Combination]:
    return {pose.name: pose for pose in found}


def test_shapes_with_contacts_hold(head: Head) -> None:
    made, there, shapes = head
    found = by_name(combinations(head_of(there, made.landmarks), shapes))
    assert {
        "blink and squint left",
        "blink and squint right",
        "closed mouth on an open jaw",
    } <= set(found)
    assert all(pose.good for pose in found.values()), found


@pytest.mark.parametrize(
    ("condition", "factor", "name"),
    [
        ("eyeSquintLeft", 4.0, "blink and squint left"),
        ("eyeBlinkRight", 2.0, "blink and squint right"),
        ("mouthClose", 0.2, "closed mouth on an open jaw"),
    ],
)
def test_what_does_not_hold_is_seen(head: Head, condition: str, factor: float, name: str) -> None:
    made, there, shapes = head
    changed = {**shapes, condition: shapes[condition] * np.float32(factor)}
    found = by_name(combinations(head_of(there, made.landmarks), changed))
    assert (
        not found[name].good
        and condition in found[name].conditions
        and all(part in found[name].words for part in found[name].conditions)
    )
    assert all(pose.good for other, pose in found.items() if other != name)


@pytest.mark.parametrize("factor", [1.0, 2.0, 3.0, 6.0])
def test_squints_are_held_where_a_blink_would_pass_the_other_lid(head: Head, factor: float) -> None:
    made, there, shapes = head
    looked = head_of(there, made.landmarks)
    squints = ("eyeSquintLeft", "eyeSquintRight")
    large = {**shapes, **{name: shapes[name] * np.float32(factor) for name in squints}}
    held = held_squints(looked, large)
    before, after = (by_name(combinations(looked, s)) for s in (large, {**large, **held}))
    names = ("blink and squint left", "blink and squint right")
    assert all(after[name].good for name in names)
    if all(before[name].good for name in names):
        assert held == {}
    else:
        assert max(after[name].value for name in names) > 0.17, "no smaller than they must be"
        ratio = [np.linalg.norm(held[n]) / np.linalg.norm(large[n]) for n in squints]
        assert ratio[0] == pytest.approx(ratio[1]) and ratio[0] < 1


def test_halves_that_add_up_are_seen(head: Head) -> None:
    made, there, shapes = head
    for name in PAIRS:
        both = {f"{name}Left": shapes["jawOpen"], f"{name}Right": shapes["jawOpen"]}
        pose = by_name(combinations(head_of(there, made.landmarks), both))[f"both sides of {name}"]
        assert not pose.good and pose.value == pytest.approx(2.0)
        assert (
            pose.conditions == tuple(both)
            and pose.words == f"{name}Left + {name}Right: combined movement is 200% of one side"
        )


def test_every_arkit_shape_is_known_and_names_of_others_are_not_judged() -> None:
    names = list(load_sets()["arkit"].shapes)
    sure = confidence_of([*names, "tongueUp", "browInnerUpLeft", "condition_0"])
    assert sure.dtype == np.float32 and (sure > 0.3).all() and (sure <= 1).all() and sure[-1] == 1
    assert {name.removesuffix("Left").removesuffix("Right") for name in names} == set(cosines())
