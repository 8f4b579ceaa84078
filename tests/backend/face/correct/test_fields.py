# SPDX-License-Identifier: GPL-3.0-or-later
"""Fields and refined landmarks on modelled heads, where the truth is known by construction."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest

from backend.face.analyse.face_skin import face_skin
from backend.face.analyse.head import head_of
from backend.face.analyse.opening_sides import lip_lid_side, opposite_edge, opposites
from backend.face.analyse.surface import Surface, bulky, surface_of
from backend.face.correct import blend, fields
from backend.face.correct.closing import closing, moved_lids
from backend.face.correct.mouth import Mouth, mouth_of, oval
from backend.face.geometry.frame import Floats
from backend.face.geometry.mesh import loose_parts, part_boxes, weld
from backend.face.locate import refine
from backend.face.params.correct import BLEND
from scripts.samples.anatomy import PARTS, Anatomy
from scripts.samples.modelled import BUILDERS, anatomy
from scripts.samples.rig import Ints

SEEDS = (None, 3, 5)


@dataclass(frozen=True)
class Made:
    head: Anatomy
    triangles: Ints
    parts: Floats
    there: Surface
    shapes: dict[str, Floats]


def made(seed: int | None) -> Made:
    head, triangles = anatomy(None if seed is None else np.random.default_rng([7, seed]), 1.0)
    v, labels = head.vertices, loose_parts(head.vertices, triangles)
    boxes = part_boxes(v, labels)
    there = surface_of(
        v,
        triangles,
        weld(v),
        boxes,
        lip_lid_side(v, triangles, head.landmarks),
        landmarks=head.landmarks,
    )
    return Made(
        head,
        triangles,
        boxes,
        there,
        {name: offsets for make in BUILDERS for name, offsets in make(head).items()},
    )


def cosine(a: Floats, b: Floats) -> float:
    return float((a * b).sum() / np.sqrt((a * a).sum() * (b * b).sum() + 1e-18))


@pytest.mark.parametrize("seed", SEEDS)
def test_fields_move_what_their_names_say(seed: int | None) -> None:
    one = made(seed)
    mouth = mouth_of(one.there, one.head.landmarks)
    still = {0.0: "noseSneer", 1.0: "cheekSquint"}.get(mouth.large, "none")  # no mouth's there
    for name, offsets in fields.mouth_fields(mouth).items():
        far = float(np.linalg.norm(offsets, axis=1).max())
        assert np.isfinite(offsets).all(), name
        assert far == 0 if name.startswith(still) else far > 1e-4, name
        assert not offsets[~one.there.skins[0]].any(), name
    smile = fields.mouth_fields(mouth)["mouthSmileLeft"]
    corner = np.linalg.norm(one.head.vertices - one.head.landmarks["mouth_left"], axis=1).argmin()
    assert smile[corner, 0] > 0 and smile[corner, 1] > 0
    assert np.abs(smile[one.head.vertices[:, 0] < -0.05]).max() < 1e-6


@pytest.mark.parametrize("seed", SEEDS)
def test_fields_agree_with_the_shapes_by_construction(seed: int | None) -> None:
    one = made(seed)
    found = fields.mouth_fields(mouth_of(one.there, one.head.landmarks))
    skin = one.there.skins[0]
    names = (
        "mouthSmileLeft",
        "mouthFrownRight",
        "mouthStretchLeft",
        "mouthUpperUpRight",
        "mouthShrugUpper",
    )
    assert np.mean([cosine(found[name][skin], one.shapes[name][skin]) for name in names]) > 0.6


def test_a_model_that_agrees_is_believed_and_one_that_does_not_is_mixed() -> None:
    one = made(None)
    lid = head_of(one.there, one.head.landmarks).lids["left"]
    field = fields.lid_fields(lid, "left", 1.0)
    blink = {"eyeBlinkLeft": field["eyeBlinkLeft"]}
    assert blend.trust(blink, blink) == pytest.approx(1)
    away = {"eyeBlinkLeft": -blink["eyeBlinkLeft"]}
    assert blend.trust(away, blink) == pytest.approx(BLEND.doubted)
    little = {"eyeBlinkLeft": 0.01 * blink["eyeBlinkLeft"]}
    assert blend.trust(little, blink) == pytest.approx(1)
    assert blend.trust_moving(blink, blink) == pytest.approx(1)
    assert blend.trust_moving(little, blink) == pytest.approx(0.01)


def test_a_sneer_that_a_model_only_hints_at_is_the_fields() -> None:
    one = made(3)
    head = head_of(one.there, one.head.landmarks)
    near, raised = fields.fields_of(head, 0.0).brows
    hint = np.zeros_like(one.head.vertices)
    hint[near] = 0.01 * raised["noseSneerLeft"]
    found = blend.mixed(head, {"noseSneerLeft": hint})["noseSneerLeft"]
    assert np.abs(found[near]).max() > 0.9 * np.abs(raised["noseSneerLeft"]).max()


def test_a_small_mouth_takes_fields_and_a_wide_one_the_model() -> None:
    small, wide = made(5), made(None)
    for one, kept in ((small, False), (wide, True)):
        big = mouth_of(one.there, one.head.landmarks).large
        assert (big > 0.8) is kept
        nothing = {name: np.zeros_like(offsets) for name, offsets in one.shapes.items()}
        found = blend.mixed(head_of(one.there, one.head.landmarks), nothing)["mouthSmileLeft"]
        assert bool(np.abs(found).max() < 0.01) is kept


def test_sneers_of_small_drawn_faces_are_the_brows_and_cheek_squints_the_mouths_corners() -> None:
    small, wide = made(3), made(None)
    for one, drawn in ((small, True), (wide, False)):
        head = head_of(one.there, one.head.landmarks)
        v, at = one.head.vertices, one.head.landmarks
        assert (mouth_of(one.there, at).large < 0.1) is drawn
        model = dict.fromkeys(("noseSneerLeft", "cheekSquintLeft"), 0.2 * one.shapes["jawOpen"])
        found = blend.mixed(head, model)
        corner = np.linalg.norm(v - at["mouth_left"], axis=1).argmin()
        above = (v[:, 1] > at["lid_upper_left"][1]) & (v[:, 0] > 0)
        assert bool(found["noseSneerLeft"][above, 1].min() < -0.05) is drawn
        assert bool(found["cheekSquintLeft"][corner, 1] > 0.005) is drawn


def test_lids_of_small_drawn_faces_hardly_follow_the_eye() -> None:
    for seed, drawn in ((3, True), (None, False)):
        one = made(seed)
        head = head_of(one.there, one.head.landmarks)
        lid = head.lids["left"]
        looks = {"eyeBlinkLeft": closing(lid, np.zeros_like(one.head.vertices))}
        looks["eyeLookDownLeft"] = moved_lids(lid, -0.4, 0.0)
        looks["eyeLookInLeft"] = looks["eyeLookOutLeft"] = np.zeros_like(one.head.vertices)
        found = blend.mixed(head, looks)
        high = float(lid.gap.max() * lid.opening.unit[1])
        follows = float(-found["eyeLookDownLeft"][:, 1].min()) / high
        assert (follows < 0.15) is drawn and (follows > 0.3) is not drawn
        rises = float(found["eyeLookOutLeft"][:, 1].max()) / high
        assert (0.02 < rises < 0.1) is drawn and (rises < 1e-3) is not drawn


def test_smiles_of_small_drawn_mouths_do_not_go_back_and_upper_lips_roll_down() -> None:
    for seed, drawn in ((3, True), (None, False)):
        one = made(seed)
        mouth = mouth_of(one.there, one.head.landmarks)
        found = fields.mouth_fields(mouth)
        back = {
            name: float(-found[name][:, 2].min() / np.linalg.norm(found[name], axis=1).max())
            for name in ("mouthSmileLeft", "mouthRollUpper")
        }
        assert (back["mouthSmileLeft"] < 0.05) is drawn and (back["mouthRollUpper"] < 0.2) is drawn


@pytest.mark.parametrize("seed", [None, 3, 4])
@pytest.mark.parametrize("shift", [0.0, 0.15, -0.15])
def test_landmarks_of_eyes_find_the_opening(seed: int | None, shift: float) -> None:
    one = made(seed)
    at = dict(one.head.landmarks)
    high = at["lid_upper_left"][1] - at["lid_lower_left"][1]
    for name in ("eye_inner_left", "eye_outer_left", "lid_upper_left", "lid_lower_left"):
        at[name] = at[name] + np.array([0, shift * high, 0], np.float32)
    skin = face_skin(one.head.vertices, loose_parts(one.head.vertices, one.triangles), at)
    found = refine.eyes(one.head.vertices, one.triangles, skin, at)
    if one.head.habits.decal:  # no opening
        assert not found
        return
    for name in ("lid_upper_left", "lid_lower_left"):
        assert abs(found[name][1] - one.head.landmarks[name][1]) < 0.3 * high, name


@pytest.mark.parametrize(("taller", "taken"), [(1.0, True), (6.0, False)])
def test_a_crack_is_no_opening(taller: float, taken: bool) -> None:
    one = made(None)
    at = dict(one.head.landmarks)
    for side in (
        "left",
        "right",
    ):  # seen by lids that are much farther apart, the opening between them is but a crack
        up, low = at[f"lid_upper_{side}"], at[f"lid_lower_{side}"]
        at[f"lid_upper_{side}"], at[f"lid_lower_{side}"] = (
            (up + low) / 2 + sign * taller * (up - low) / 2 for sign in (1, -1)
        )
    skin = face_skin(one.head.vertices, loose_parts(one.head.vertices, one.triangles), at)
    assert bool(refine.eyes(one.head.vertices, one.triangles, skin, at)) is taken


@pytest.mark.parametrize("seed", [None, 3])
def test_landmarks_of_the_mouth_find_the_slit(seed: int | None) -> None:
    one = made(seed)
    at = dict(one.head.landmarks)
    for name in ("lip_upper", "lip_lower"):
        at[name] = at[name] + np.array([0, 0.04, 0], np.float32)
    v = one.head.vertices
    skin = face_skin(v, loose_parts(v, one.triangles), at)
    side = lip_lid_side(v, one.triangles, at)
    found = refine.mouth(
        v,
        skin,
        side[:, 0],
        opposite_edge(v, opposites(v, one.triangles, at, side), side)[:, :3],
        at,
    )
    for name in ("lip_upper", "lip_lower"):
        assert abs(found[name][1] - one.head.landmarks[name][1]) < 0.03, name
    for name in ("mouth_left", "mouth_right"):
        half = abs(one.head.landmarks[name][0])
        assert abs(abs(found[name][0]) - half) < 0.3 * half, name


@pytest.mark.parametrize("kept", ["upper", "lower", "neither", "both"])
def test_a_slit_has_two_lips_or_no_landmark_moves(kept: str) -> None:
    one = made(None)
    at, v = dict(one.head.landmarks), one.head.vertices
    skin = face_skin(v, loose_parts(v, one.triangles), at)
    side = lip_lid_side(v, one.triangles, at)[:, 0]
    across = opposite_edge(
        v,
        opposites(v, one.triangles, at, lip_lid_side(v, one.triangles, at)),
        lip_lid_side(v, one.triangles, at),
    )[:, :3]
    gone = {"upper": side < 0, "lower": side > 0, "neither": side != 0, "both": side > 2}[kept]
    assert bool(refine.mouth(v, skin & ~gone, side, across, at)) is (kept == "both")


@pytest.mark.parametrize(("side", "ends"), [(-0.1, True), (-0.24, False)], ids=["end", "lip"])
def test_a_slit_of_few_vertices_ends_in_its_last_one_where_that_is_of_both_lips(
    side: float, ends: bool
) -> None:
    x = np.array([-0.45, -0.3, -0.15, 0, 0.15, 0.3, 0.45])
    upper, lower = (np.stack([x, 0 * x + high, 0 * x], 1) for high in (0.02, -0.02))
    corners = np.array([[-0.6, 0, 0], [0.6, 0, 0]])
    vertices = np.concatenate([upper, lower, corners]).astype(np.float32)
    sides = np.concatenate([0 * x + 0.5, 0 * x - 0.5, [side, side]]).astype(np.float32)
    across = np.where(sides[:, None] > 0, [0, -0.04, 0], [0, 0.04, 0]).astype(np.float32)
    places = {"mouth_left": 1.0, "mouth_right": -1.0, "lip_upper": 0.0, "lip_lower": 0.0}
    at = {name: np.array([place, 0, 0], np.float32) for name, place in places.items()}
    found = refine.mouth(vertices, np.ones(len(vertices), bool), sides, across, at)
    assert ("mouth_left" in found) is ends
    if ends:
        for name in ("mouth_left", "mouth_right"):
            assert found[name][0] == pytest.approx(0.6 * places[name], abs=0.01)


@pytest.mark.parametrize("seed", [3, 5, 13])
def test_a_mouth_that_was_taken_for_too_wide_ends_where_its_lips_grow_together(seed: int) -> None:
    one = made(seed)
    true = abs(one.head.landmarks["mouth_left"][0])
    at = {
        n: p * np.array([1.6, 1, 1], np.float32) if n in ("mouth_left", "mouth_right") else p
        for n, p in one.head.landmarks.items()
    }
    v = one.head.vertices
    skin = face_skin(v, loose_parts(v, one.triangles), at)
    side = lip_lid_side(v, one.triangles, at)
    found = refine.mouth(
        v,
        skin,
        side[:, 0],
        opposite_edge(v, opposites(v, one.triangles, at, side), side)[:, :3],
        at,
    )
    for name in ("mouth_left", "mouth_right"):
        assert abs(abs(found[name][0]) - true) < 0.2 * true, name


def test_corners_of_an_eye_stay_where_its_opening_only_seems_to_end() -> None:
    one = made(3)
    at = one.head.landmarks
    half_open = (
        one.head.vertices[:, 0]
        > at["lid_upper_left"][0] + 0.3 * (at["eye_outer_left"] - at["lid_upper_left"])[0]
    )
    kept = one.triangles[
        ~half_open[one.triangles].any(axis=1)
    ]  # the mesh has its outer part of the eye cut off
    skin = face_skin(one.head.vertices, loose_parts(one.head.vertices, one.triangles), at)
    assert "eye_outer_left" not in refine.eyes(one.head.vertices, kept, skin, at)


def test_a_familiar_head_is_the_models_alone() -> None:
    one = made(3)
    nothing = {name: np.zeros_like(one.head.vertices) for name in one.shapes}
    strange, known = (
        blend.mixed(head_of(one.there, one.head.landmarks), nothing, familiar)
        for familiar in (0.0, 1.0)
    )
    assert np.abs(strange["mouthSmileLeft"]).max() > 0.01
    for name in ("mouthSmileLeft", "eyeBlinkLeft", "browInnerUp"):
        assert not known[name].any(), name


def test_hair_before_the_face_keeps_still_and_a_shell_on_it_is_no_hair() -> None:
    one = made(3)
    v, skin = one.head.vertices, one.there.skins[0]
    shell = v[skin] * np.float32(1.005)
    hair = v[skin] + np.array([0, 0, 0.25], np.float32)
    vertices = np.concatenate([v, shell, hair]).astype(np.float32)
    owner = np.concatenate(
        [
            one.there.owner,
            np.full(len(shell), one.there.owner.max() + 1),
            np.full(len(hair), one.there.owner.max() + 2),
        ]
    )
    box = np.concatenate([(shell.max(axis=0) + shell.min(axis=0)) / 2, np.ptp(shell, axis=0) / 2])
    parts = np.concatenate([one.parts, np.tile(box, (len(shell) + len(hair), 1))]).astype(
        np.float32
    )
    found = bulky(
        vertices,
        owner.astype(np.int32),
        parts,
        np.concatenate([skin, np.zeros(len(shell) + len(hair), bool)]),
    )
    assert found[-len(hair) :].all()
    assert not found[: -len(hair)].any()


def test_a_drawn_mouth_opens_in_an_oval() -> None:
    x = np.array([0, 0, 0, 0.9, -0.9, 0, 3], np.float32)
    y = np.array([0.05, -0.05, 0.05, 0, 0, 2, 0], np.float32)
    depth = np.array([0, 0, -1, 0, 0, 0, 0], np.float32)
    away = np.hypot(np.maximum(np.abs(x) - 1, 0), y)
    nowhere, upper = np.zeros(3, np.float32), (y > 0).astype(np.float32)[:, None]
    m = Mouth(
        np.zeros((7, 3), np.float32),
        x,
        y,
        away,
        depth,
        upper,
        np.ones((7, 1), np.float32),
        0.2,
        0.0,
        nowhere,
        nowhere,
        nowhere,
    )
    top, bottom, bag, left, right, above, cheek = oval(m)
    assert top[1] > 0.1 and not bottom.any(), "the upper lip rises, the lower one goes with the jaw"
    assert left[0] > 0.1 and left[1] > 0.05 and right == pytest.approx(left * [-1, 1, 1]), (
        "corners go out and do not fall"
    )
    assert not np.abs(np.stack([bag, above, cheek])).max() > 1e-6


def test_a_shy_mouth_grows_bolder_and_one_that_does_nothing_does_not() -> None:
    one = made(None)
    full = one.shapes["mouthSmileLeft"]
    size = [
        float(
            np.abs(
                blend.mixed(
                    head_of(one.there, one.head.landmarks), {"mouthSmileLeft": full * np.float32(k)}
                )["mouthSmileLeft"]
            ).max()
        )
        for k in (0.0, 0.4, 1.0)
    ]
    assert size[0] < 0.02 < 0.6 * size[2] < size[1] <= 1.05 * size[2]


def test_a_tongue_comes_out_below_the_upper_lip() -> None:
    one = made(None)
    tongue = one.head.part == PARTS.index("tongue")
    out = one.shapes["tongueOut"].copy()
    out[tongue, 1] += 0.25  # as a model may do that does not know the mouth
    marks = one.head.landmarks
    found = blend.mixed(head_of(one.there, marks), {"tongueOut": out})["tongueOut"]
    there = one.head.vertices[tongue] + found[tongue]
    lips = (marks["lip_upper"] + marks["lip_lower"]) / 2
    outside = there[:, 2] > lips[2]
    assert outside.any() and np.quantile(there[outside, 1], 0.8) < lips[1] + 0.02


@pytest.mark.parametrize("model_trust", [0.0, 1.0])
def test_gums_and_teeth_stay_when_the_tongue_comes_out(model_trust: float) -> None:
    one = made(3)
    mouth = ~one.there.skins[0] & (one.head.part != PARTS.index("tongue"))
    mouth &= one.head.vertices[:, 1] < one.head.landmarks["nose_tip"][1]
    near = mouth_of(one.there, one.head.landmarks)
    mouth &= (near.away < 1) & (np.abs(near.x) < 1)
    out = one.shapes["tongueOut"].copy()
    out[mouth, 2] = 0.05
    head = head_of(one.there, one.head.landmarks)
    found = blend.mixed(head, {"tongueOut": out}, model_trust)["tongueOut"]
    assert mouth.any() and not found[mouth].any()
    assert found[one.head.part == PARTS.index("tongue"), 2].max() > 0.1


@pytest.mark.parametrize("model_trust", [0.0, 1.0])
def test_what_is_inside_a_wide_mouth_keeps_still_when_lips_move(model_trust: float) -> None:
    """A model that does not know a piece of teeth, gums and tongue led it along with the lips."""
    one = made(None)
    mouth = mouth_of(one.there, one.head.landmarks)
    inside = ~one.there.skins[0] & (mouth.away < 1) & (mouth.depth < -0.3)
    led = {name: np.full_like(one.head.vertices, 0.1) for name in ("mouthLeft", "mouthPucker")}
    found = blend.mixed(head_of(one.there, one.head.landmarks), led, model_trust)
    assert mouth.large > 0.9 and inside.any()
    assert all(np.abs(found[name][inside]).max() < 0.1 * 0.1 for name in led)
    jaw = {"jawLeft": np.full_like(one.head.vertices, 0.1)}
    head = head_of(one.there, one.head.landmarks)
    assert blend.mixed(head, jaw, model_trust)["jawLeft"][inside].any()


@pytest.mark.parametrize(("drawn", "share"), [(0.0, 1.0), (1.0, 0.7)])
def test_the_tongue_of_a_drawn_head_goes_less_far_than_the_jaw(drawn: float, share: float) -> None:
    one = made(None)
    tongue = one.head.part == PARTS.index("tongue")
    shapes = {name: one.shapes[name].copy() for name in ("jawOpen", "tongueOut")}
    head = head_of(one.there, one.head.landmarks)
    plain = blend.mixed(head, {name: shape.copy() for name, shape in shapes.items()})
    found = blend.mixed(head, shapes, drawn=drawn)
    size = [np.linalg.norm(each["jawOpen"][tongue]) for each in (found, plain)]
    assert size[1] > 0 and size[0] == pytest.approx(share * size[1], rel=0.02)


@pytest.mark.parametrize("stuck", ["still", "one vertex"])
def test_a_tongue_that_the_model_does_not_know_comes_out_in_one_piece(stuck: str) -> None:
    one = made(None)
    tongue = np.flatnonzero(one.head.part == PARTS.index("tongue"))
    out = np.zeros_like(one.head.vertices)
    out[tongue, 2] = 1e-4
    if stuck == "one vertex":  # which a factor would drag far out
        out[tongue[one.head.vertices[tongue, 2].argmax()], 2] = 0.1
    marks, half = one.head.landmarks, mouth_of(one.there, one.head.landmarks).half
    moved = blend.mixed(head_of(one.there, marks), {"tongueOut": out})["tongueOut"][tongue]
    there = (
        one.head.vertices[tongue, 2]
        + moved[:, 2]
        - (marks["lip_upper"] + marks["lip_lower"])[2] / 2
    )
    assert 0.2 * half < there.max() < half
    assert np.ptp(moved[:, 2]) < 0.5 * moved[:, 2].mean()
    kept = blend.mixed(head_of(one.there, marks), {"tongueOut": out}, 1.0)["tongueOut"][tongue]
    assert np.abs(kept).max() < 0.3  # of heads like those learnt the model is believed


def test_a_sneer_does_not_part_the_lips_of_unfamiliar_heads() -> None:
    one = made(5)
    mouth = mouth_of(one.there, one.head.landmarks)
    lifted = {
        "noseSneerLeft": np.tile(np.array([0, 0.1, 0], np.float32), (len(one.head.vertices), 1))
    }
    lips = one.there.skins[0] & (mouth.away < 0.1)
    assert not blend.mixed(head_of(one.there, one.head.landmarks), lifted)["noseSneerLeft"][
        lips
    ].any()
    assert (
        blend.mixed(head_of(one.there, one.head.landmarks), lifted, 1.0)["noseSneerLeft"][
            lips, 1
        ].min()
        > 0.05
    )


def flat_skin() -> tuple[Surface, Mouth]:
    """A sheet of skin with a mouth 0.4 wide at y = -1, its rows 0.1 apart along x."""
    half = 0.2
    x, y = np.meshgrid(np.linspace(-0.4, 0.4, 9), np.linspace(-2.4, -0.6, 181))
    v = np.stack([x.ravel(), y.ravel(), 0 * x.ravel()], axis=1).astype(np.float32)
    count = len(v)
    marks = {
        "mouth_left": (half, -1, 0),
        "mouth_right": (-half, -1, 0),
        "lip_upper": (0, -1, 0),
        "lip_lower": (0, -1, 0),
    }
    at = {
        n: np.array(p, np.float32)
        for n, p in (marks | {"chin": (0, -1.7, 0), "nose_tip": (0, -0.5, 0.1)}).items()
    }
    skin, none, own = np.ones(count, bool), np.zeros(count, bool), np.zeros(count, np.int32)
    each, boxes = np.arange(count, dtype=np.int32), np.zeros((count, 6), np.float32)
    there = Surface(
        v,
        np.zeros((0, 3), np.int32),
        each,
        own,
        np.zeros((count, 2), np.float32),
        [skin, skin],
        none,
        own,
        boxes,
        {},
    )
    return there, mouth_of(there, at)


@pytest.mark.parametrize("fall", [0.5, 1.1, 1.9])
def test_a_still_chin_is_not_folded_by_a_small_mouth_that_opens_far(fall: float) -> None:
    there, mouth = flat_skin()
    v, below = there.vertices, there.vertices[:, 1] < -1
    opened = np.zeros_like(v)
    opened[below, 1] = -fall * mouth.half
    jaw = blend.with_jaw(opened, there, mouth, np.zeros(len(v), bool))
    column = np.flatnonzero(below & (v[:, 0] == 0))
    heights = (v + jaw)[column, 1]
    assert (np.diff(heights[np.argsort(v[column, 1])]) > 0).all()
    assert (
        jaw[column[np.argsort(v[column, 1])[-1]], 1] < -0.9 * fall * mouth.half
    )  # the lip itself goes all the way


def test_chin_of_a_drawn_head_stays_when_its_wide_mouth_opens() -> None:
    there, mouth = flat_skin()
    mouth = replace(mouth, large=1.0)
    v = there.vertices
    below, none = v[:, 1] < -1, np.zeros(len(v), bool)
    opened = np.zeros_like(v)
    opened[below, 1] = -mouth.half
    chin = below & (np.abs(v[:, 1] + 1.7) < 0.05) & (v[:, 0] == 0)
    lip = below & (v[:, 1] > -1.02) & (v[:, 0] == 0)
    falls = {
        drawn: blend.with_jaw(opened, there, mouth, none, drawn)[:, 1] for drawn in (0.0, 0.5, 1.0)
    }
    assert falls[0.0][chin] == pytest.approx(-mouth.half)
    assert (falls[1.0][chin] > 0.5 * falls[0.0][chin]).all()
    assert (falls[0.5][chin] > falls[0.0][chin]).all() and (
        falls[0.5][chin] < falls[1.0][chin]
    ).all()
    assert (falls[1.0][lip] < -0.9 * mouth.half).all()
