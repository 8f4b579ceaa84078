# SPDX-License-Identifier: GPL-3.0-or-later
"""Strength by region, parts of a named kind, and how sure a shape is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fixtures import served
from fixtures.meshes import figure
from fixtures.served import arrays_of

from backend.errors import BackendError
from backend.face.correct.roles import ROLES, hold_to, takes_part
from backend.face.shapes.regions import REGIONS, factors, region_of
from backend.face.shapes.shape_sets import load_sets

CONDITIONS = list(load_sets()["arkit"].shapes)


def test_every_arkit_shape_has_a_region_and_mouth_close_goes_with_the_jaw() -> None:
    assert {region_of(name) for name in CONDITIONS} == set(REGIONS)
    assert (
        region_of("mouthClose") == region_of("jawOpen") == "jaw"
        and region_of("condition_0") is None
    )


def test_factors_of_regions() -> None:
    found = dict(
        zip(CONDITIONS, factors({"jaw": 0.5, "eyes": 0}, CONDITIONS).tolist(), strict=True)
    )
    assert (
        found["jawOpen"] == found["mouthClose"] == 0.5
        and found["eyeBlinkLeft"] == 0
        and found["browInnerUp"] == 1
    )
    assert (factors(None, CONDITIONS) == 1).all()


@pytest.mark.parametrize(
    "wrong",
    [
        {"ears": 1},
        {"jaw": -1},
        {"jaw": "2"},
        {"jaw": float("nan")},
        {"jaw": 11},
        {"jaw": True},
        [1],
    ],
)
def test_wrong_regions_are_refused(wrong: Any) -> None:
    with pytest.raises(BackendError) as caught:
        factors(wrong, CONDITIONS)
    assert caught.value.code == "setting_invalid"


def test_a_region_changes_its_own_shapes_only_and_shapes_tell_how_sure_they_are(tiny: Path) -> None:
    mesh = figure()
    assert mesh.head_weights is not None
    arrays = arrays_of(mesh.vertices, mesh.triangles, head_weights=mesh.head_weights)
    with served.served() as child:
        plain = _shapes(served.ask(child, "generate", arrays, sets=["arkit"], model=str(tiny)))
        stronger = _shapes(
            served.ask(
                child, "generate", arrays, sets=["arkit"], model=str(tiny), regions={"jaw": 0.5}
            )
        )
        visemes = served.report(child, "generate", arrays, sets=["vrchat"], model=str(tiny))
        both = served.report(child, "generate", arrays, sets=["arkit"], model=str(tiny))
        refused = served.error(
            child, "generate", arrays, sets=["arkit"], model=str(tiny), regions={"ears": 1}
        )
    assert refused["code"] == "setting_invalid"
    assert both["combinations"] and visemes["combinations"] == {}, (
        "only what has a key of its own is driven with another"
    )
    np.testing.assert_allclose(stronger["jawOpen"][0], plain["jawOpen"][0] / 2, atol=2e-3)
    np.testing.assert_array_equal(stronger["browInnerUp"][0], plain["browInnerUp"][0])
    assert all(
        0 <= sure <= 1 and (sure > 0) == bool(offsets.any()) for offsets, sure in plain.values()
    )


def _shapes(answers: list[Any]) -> dict[str, tuple[Any, float]]:
    shapes = next(answer for answer in answers if answer.header["type"] == "shapes")
    rows = zip(shapes.arrays["offsets"], shapes.header["confidence"], strict=True)
    return dict(zip(shapes.header["names"], rows, strict=True))


@pytest.mark.parametrize(
    ("role", "condition", "moves"),
    [
        ("eyes", "eyeLookInLeft", True),
        ("eyes", "eyeBlinkLeft", False),
        ("lashes", "eyeBlinkLeft", True),
        ("lashes", "jawOpen", False),
        ("brows", "browDownLeft", True),
        ("brows", "jawOpen", False),
        ("teeth", "jawOpen", True),
        ("teeth", "mouthClose", False),
        ("teeth", "mouthSmileLeft", False),
        ("tongue", "tongueOut", True),
        ("tongue", "mouthPucker", False),
        ("face", "tongueOut", True),
        ("eyes", "condition_0", True),
    ],
)
def test_what_a_part_takes_part_in(role: str, condition: str, moves: bool) -> None:
    assert takes_part(role, condition) == moves


def test_teeth_stay_in_one_piece() -> None:
    rng = np.random.default_rng(1)
    vertices = rng.normal(size=(20, 3)).astype(np.float32)
    parts = np.repeat([[0, 0, 0, 1, 1, 1], [0, 1, 0, 1, 1, 1]], 10, axis=0).astype(np.float32)
    roles = np.full(20, ROLES.index("teeth"), np.int32)
    shapes = {
        name: rng.normal(size=(20, 3)).astype(np.float32) for name in ("jawOpen", "mouthSmileLeft")
    }
    hold_to(shapes, vertices, roles, parts)
    assert not shapes["mouthSmileLeft"].any()
    moved = vertices + shapes["jawOpen"]
    for piece in (slice(0, 10), slice(10, 20)):
        before = np.linalg.norm(vertices[piece, None] - vertices[None, piece], axis=2)
        np.testing.assert_allclose(
            np.linalg.norm(moved[piece, None] - moved[None, piece], axis=2), before, atol=1e-5
        )
