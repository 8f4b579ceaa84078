# SPDX-License-Identifier: GPL-3.0-or-later
"""The VRChat check's judgement, on plain data."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from backend.face.shapes.shape_sets import load_sets
from scripts.generate import load_extension

load_extension()
BLENDER_IO = "blendshape_auto_generator.blendshape_addon.blender_io"
vrchat, facts, names, shapes = (
    importlib.import_module(f"{BLENDER_IO}.vrchat_{name}")
    for name in ("check", "avatar", "names", "shapes")
)

SETS = {name: list(set_.shapes) for name, set_ in load_sets().items()}
ROLES = frozenset({"head", "neck", "left_eye", "right_eye"})
Floats = NDArray[np.float32]


def shape(number: int, vertices: int = 200) -> Floats:
    """Offsets of a shape that moves a tenth of the vertices, each number its own way."""
    offsets = np.zeros((vertices, 3), np.float32)
    chosen = np.random.default_rng(number).permutation(vertices)[: vertices // 10]
    offsets[chosen] = np.random.default_rng(number + 1000).normal(size=(len(chosen), 3)) * 0.01
    return offsets


def good(**changes: Any) -> Any:
    """An avatar that is as it should be."""
    names = [*SETS["arkit"], *SETS["vrchat"], "vrc.v_ee"]
    offsets = {name: shape(number) for number, name in enumerate(names)}
    return facts.Avatar(
        **{
            "name": "Body",
            "offsets": offsets,
            "sets": SETS,
            "bones": ROLES | {"jaw"},
            "triangles": 20_000,
            **changes,
        }
    )


def found(avatar: Any, code: str) -> Any:
    """The first finding of a code that is not `ok`, or None."""
    return next(
        (
            finding
            for finding in vrchat.check(avatar)
            if finding.code == code and finding.level != "ok"
        ),
        None,
    )


def without(avatar: Any, *names: str) -> dict[str, Floats]:
    return {name: offsets for name, offsets in avatar.offsets.items() if name not in names}


def test_a_good_avatar_has_nothing_to_be_mended() -> None:
    assert [finding for finding in vrchat.check(good()) if finding.level != "ok"] == []


@pytest.mark.parametrize("name", ["Face", "body", "Body.001"])
def test_the_mesh_is_called_body(name: str) -> None:
    assert found(good(name=name), "mesh_name").fix == "rename_mesh"
    assert "Body_2" in found(good(name=name, objects=frozenset({"Body"})), "mesh_name").text


def test_names_in_the_wrong_case() -> None:
    avatar = good()
    wrong = {
        ("EyeBlinkLeft" if name == "eyeBlinkLeft" else name): offsets
        for name, offsets in avatar.offsets.items()
    }
    assert found(good(offsets=wrong), "name_case").on == ("EyeBlinkLeft",)
    assert names.wrong_names(good(offsets=wrong)) == {"EyeBlinkLeft": "eyeBlinkLeft"}


def test_all_names_of_arkit_with_capitals_are_mended_though_another_set_spells_some_so() -> None:
    pascal = {
        name[0].upper() + name[1:]: shape(number) for number, name in enumerate(SETS["arkit"])
    }
    assert names.wrong_names(good(offsets=pascal)) == {
        name[0].upper() + name[1:]: name for name in SETS["arkit"]
    }


def test_names_of_two_sets_that_differ_in_case_live_side_by_side() -> None:
    both = {
        name: shape(number)
        for number, name in enumerate(
            dict.fromkeys([*SETS["arkit"], *SETS["unified"], *SETS["vrchat"]])
        )
    }
    assert names.wrong_names(good(offsets=both)) == {}


def test_copies_with_numbers() -> None:
    avatar = good()
    offsets = {
        **avatar.offsets,
        "jawOpen.001": avatar.offsets["jawOpen"].copy(),
        "mouthLeft.001": shape(77),
        "Fang.001": shape(78),
    }
    assert found(good(offsets=offsets), "duplicates").on == ("jawOpen.001",)
    assert "mouthLeft.001" in found(good(offsets=offsets), "numbered").text
    assert "Fang" not in found(good(offsets=offsets), "numbered").text


def test_visemes_missing_empty_and_alike() -> None:
    avatar = good()
    none = found(good(offsets=without(avatar, *SETS["vrchat"])), "visemes")
    assert none.fix == "make_visemes" and "vrc.v_aa and 14 others" in none.text
    assert found(good(offsets=without(avatar, "vrc.v_th")), "visemes").on == ("vrc.v_th",)
    empty = {**avatar.offsets, "vrc.v_sil": np.zeros_like(avatar.offsets["vrc.v_sil"])}
    assert found(good(offsets=empty), "visemes_empty").on == ("vrc.v_sil",)
    alike = {**avatar.offsets, "vrc.v_rr": avatar.offsets["vrc.v_ch"].copy()}
    assert "vrc.v_ch and vrc.v_rr" in found(good(offsets=alike), "visemes_alike").text


def test_the_template_s_name_of_a_viseme_is_only_a_note() -> None:
    assert found(good(offsets=without(good(), "vrc.v_ee")), "viseme_alias").level == "note"


def test_visemes_in_the_sdk_s_case_count() -> None:
    avatar = good()
    sdk = {
        name.replace("vrc.v_pp", "vrc.v_PP"): offsets for name, offsets in avatar.offsets.items()
    }
    assert found(good(offsets=sdk), "visemes") is None


def test_bones() -> None:
    assert found(good(bones=None), "bones").level == "warning"
    assert "left eye and right eye" in found(good(bones=frozenset({"head"})), "bones").text
    assert found(good(bones=ROLES), "jaw_bone").level == "note"


@pytest.mark.parametrize(
    ("triangles", "pc", "mobile"),
    [
        (7_500, "Excellent", "Excellent"),
        (7_501, "Excellent", "Good"),
        (15_001, "Excellent", "Poor"),
        (32_001, "Good", "Very Poor"),
        (70_000, "Good", "Very Poor"),
        (70_001, "Very Poor", "Very Poor"),
    ],
)
def test_ranks(triangles: int, pc: str, mobile: str) -> None:
    assert (vrchat.rank(triangles, "PC"), vrchat.rank(triangles, "Android and iOS")) == (pc, mobile)


def test_size_follows_what_moves() -> None:
    def megabytes(avatar: Any) -> float:
        text = next(finding.text for finding in vrchat.check(avatar) if finding.code == "size")
        return float(text.split(" MB in Unity")[0].split()[-1])

    names = SETS["arkit"]
    sparse = {name: shape(number, 30_000) for number, name in enumerate(names)}
    dense = {name: shape(number, 30_000) + np.float32(0.001) for number, name in enumerate(names)}
    assert megabytes(good(offsets=dense)) == pytest.approx(
        10 * megabytes(good(offsets=sparse)), rel=0.05
    )
    assert found(good(offsets=sparse), "size") is None
    assert found(good(offsets=dense), "size").level == "warning"


def test_dust_is_found_but_a_silence_is_not_dust() -> None:
    avatar = good()
    dusty = {
        name: np.where(offsets == 0, np.float32(1e-7), offsets)
        for name, offsets in avatar.offsets.items()
    }
    assert set(found(good(offsets=dusty), "dust").on) == set(dusty)
    assert found(avatar, "dust") is None


def test_lids_that_go_through_each_other() -> None:
    blink = np.zeros((200, 3), np.float32)
    blink[:20, 2] = -0.01
    squint, lower = 0.4 * blink, np.zeros_like(blink)
    lower[20:40, 2] = 0.004
    assert shapes.lid_travel(blink, 0.9, squint, 1.0) == pytest.approx(1.3)
    assert shapes.lid_travel(blink, 0.9, lower, 1.0) == pytest.approx(0.9)
    offsets = {
        **good().offsets,
        "eyeBlinkLeft": blink,
        "eyeSquintLeft": squint,
        "mouthSmileLeft": lower,
    }
    assert found(good(offsets=offsets), "blink_conflict").on == ("eyeBlinkLeft", "eyeSquintLeft")


def test_what_an_export_would_take_along() -> None:
    assert found(
        good(states={"jawOpen": facts.State(value=0.5), "mouthLeft": facts.State()}), "values"
    ).on == ("jawOpen",)
    assert "Subsurf" in found(good(modifiers=("Subsurf",)), "modifiers").text


def test_an_avatar_without_keys() -> None:
    findings = vrchat.check(good(offsets={}))
    assert {finding.code for finding in findings if finding.level == "error"} == {"visemes"}


def texts(avatar: Any, code: str) -> list[str]:
    return [finding.text for finding in vrchat.check(avatar) if finding.code == code]


def test_findings_come_in_the_order_of_the_work_and_a_good_avatar_is_told_so() -> None:
    assert [finding.code for finding in vrchat.check(good())] == [
        "mesh_name",
        "names_arkit",
        "visemes",
        "bones",
        "triangles",
        "size",
        "blink_conflict",
    ]
    assert "_2" not in found(good(name="Face"), "mesh_name").text


def test_what_is_not_told_is_none() -> None:
    bare = facts.Avatar("Body", {}, SETS)
    assert texts(bare, "triangles") == [
        "0 triangles: Excellent on PC, Excellent on Android and iOS"
    ]
    assert texts(bare, "bones") == [
        "There is no armature: VRChat wants a humanoid with at least hips, spine, chest, neck and"
        " head"
    ]
    assert not {
        "size",
        "blink_conflict",
        "values",
        "modifiers",
        "duplicates",
        "numbered",
        "name_case",
    } & {finding.code for finding in vrchat.check(bare)}


@pytest.mark.parametrize(
    ("platform", "ranks"),
    [
        ("PC", {32_000: "Excellent", 32_001: "Good", 70_000: "Good", 70_001: "Very Poor"}),
        (
            "Android and iOS",
            {
                7_500: "Excellent",
                10_000: "Good",
                10_001: "Medium",
                15_000: "Medium",
                15_001: "Poor",
                20_000: "Poor",
                20_001: "Very Poor",
            },
        ),
    ],
)
def test_ranks_end_where_vrchat_says(platform: str, ranks: dict[int, str]) -> None:
    assert {triangles: vrchat.rank(triangles, platform) for triangles in ranks} == ranks
    assert (
        found(good(triangles=20_000), "triangles"),
        found(good(triangles=70_001), "triangles").level,
    ) == (None, "warning")
    assert (
        found(good(triangles=20_001), "triangles").level
        == "note"
        == found(good(triangles=70_000), "triangles").level
    ), "no tick beside Very Poor"


def test_the_size_is_counted_by_vertex_and_shape() -> None:
    half = np.zeros((200_000, 3), np.float32)
    half[::2, 1] = 0.01
    [text] = texts(good(offsets={"jawOpen": half}), "size")
    assert text.startswith("1 shapes move 50 % of all vertices: 4.0 MB in Unity, about ")
    assert float(text.split("about ")[1].split()[0]) < 1.0, "a hundred thousand alike compress well"
    noise = np.random.default_rng(3).normal(size=(400_000, 3)).astype(np.float32)
    large = found(good(offsets={"jawOpen": noise}), "size")
    assert (
        large.text.endswith("a good part of what Android and iOS allow")
        and float(large.text.split("about ")[1].split()[0]) > 8
    )


def test_dust_is_told_from_a_twentieth_on() -> None:
    offsets = np.zeros((1000, 3), np.float32)
    offsets[:95, 0] = 0.01
    for count, dusty in ((4, False), (6, True)):
        dust = offsets.copy()
        dust[500 : 500 + count, 2] = 5e-7
        told = found(good(offsets={"jawOpen": dust}), "dust")
        assert (told is not None) is dusty
        assert told is None or (
            told.on == ("jawOpen",) and told.text.startswith("6 movements are too small")
        )
    assert found(good(offsets={"jawOpen": dust}, extent=0.01), "dust") is None, (
        "on so small an avatar they are seen"
    )
    dust[500:506, 2] = 1.5e-6
    assert (
        found(good(offsets={"jawOpen": dust}), "dust") is None
        and found(good(offsets={"jawOpen": dust}, extent=2.0), "dust") is not None
    )


def test_a_set_is_meant_where_half_of_it_is_there_the_fullest_first() -> None:
    sets = {"vrchat": SETS["vrchat"], "one": ["A", "B", "C", "D"], "two": ["a2", "b2"]}
    offsets = {name: shape(0) for name in ("a", "b", "A2", "B2")}
    assert names.intended_sets(facts.Avatar("Body", offsets, sets)) == ["two", "one"]
    assert names.intended_sets(
        facts.Avatar("Body", {name: shape(0) for name in ("a", "A2")}, sets)
    ) == ["two"]


def test_long_lists_are_cut_and_say_how_much_is_left() -> None:
    assert "vrc.v_aa" not in found(good(offsets=without(good(), "vrc.v_sil")), "visemes").text
    four, five = (
        found(good(offsets=without(good(), *SETS["vrchat"][:n])), "visemes").text for n in (4, 5)
    )
    assert (
        "more" not in four
        and "and 1 more" in five
        and f"5 of {len(SETS['vrchat'])} visemes" in five
    )


@pytest.mark.parametrize(("factor", "copy"), [(1 + 5e-6, True), (1 + 5e-5, False)])
def test_two_shapes_are_one_where_nobody_sees_a_difference(factor: float, copy: bool) -> None:
    offsets = {**good().offsets, "jawOpen.001": good().offsets["jawOpen"] * np.float32(factor)}
    assert (found(good(offsets=offsets), "duplicates") is not None) is copy
    assert (found(good(offsets=offsets), "numbered") is None) is copy


@pytest.mark.parametrize(("squint", "through"), [(0.19, False), (0.21, True)])
def test_lids_may_go_a_tenth_too_far(squint: float, through: bool) -> None:
    blink = np.zeros((200, 3), np.float32)
    blink[:20, 2], blink[20:40, 2] = -0.01, -0.004  # the second half are no lids
    other = blink * np.float32(squint)
    other[20:40, 2] = -1.0
    for side in ("Left", "Right"):
        told = found(
            good(offsets={f"eyeBlink{side}": blink, f"eyeSquint{side}": other}), "blink_conflict"
        )
        assert (told is not None) is through
        assert told is None or (
            told.on == (f"eyeBlink{side}", f"eyeSquint{side}") and "to 111 %" in told.text
        )
    assert (
        texts(good(offsets={"eyeBlinkLeft": blink, "mouthLeft": other}), "blink_conflict") == []
    ), "one of a pair says nothing"
    assert shapes.lid_travel(np.zeros_like(blink), 0.9, other, 1.0) == 0


def test_bones_that_are_there_are_not_asked_for() -> None:
    assert texts(good(bones=ROLES | {"jaw"}), "jaw_bone") == [] and texts(good(), "bones") == [
        "Head and eye bones are there"
    ]
    assert "No bone was recognised for head;" in found(good(bones=ROLES - {"head"}), "bones").text
    assert "head, left eye and right eye" in found(good(bones=frozenset({"jaw"})), "bones").text


def test_a_finding_stays_what_it_was_when_it_was_made() -> None:
    for told, name in ((found(good(name="Face"), "mesh_name"), "level"), (good(), "triangles")):
        with pytest.raises(AttributeError):
            setattr(told, name, None)


def test_the_alias_is_asked_for_only_beside_its_viseme() -> None:
    assert found(good(), "viseme_alias") is None
    assert found(good(offsets=without(good(), "vrc.v_e", "vrc.v_ee")), "viseme_alias") is None
    assert found(good(offsets=without(good(), "vrc.v_ee")), "viseme_alias").on == ("vrc.v_e",)


def suffixed(name: str) -> str:
    for side in ("Left", "Right"):
        if name.endswith(side) and name != side:
            return f"{name.removesuffix(side)}_{side[0]}"
    return name


def renamed(change: Any, count: int = 52) -> Any:
    """An avatar whose first ARKit names are spelled otherwise."""
    changed = {name: change(name) for name in SETS["arkit"][:count]}
    return good(
        offsets={changed.get(name, name): offsets for name, offsets in good().offsets.items()}
    )


@pytest.mark.parametrize(
    "change",
    [
        suffixed,
        lambda name: name[0].upper() + name[1:],
        str.upper,
        lambda name: suffixed(name).replace("_", "."),
        lambda name: f"{name[:3]}_{name[3:]}",
    ],
)
def test_names_that_templates_do_not_know_are_counted_and_renamed(change: Any) -> None:
    avatar = renamed(change)
    exact = sum(change(name) == name for name in SETS["arkit"])
    told = found(avatar, "names_arkit")
    assert (
        told.text.startswith(
            f"{exact} of 52 names of ARKit are there exactly; {52 - exact} are spelled otherwise"
        )
        and told.fix == "rename_keys"
    )
    assert names.wrong_names(avatar) == {
        change(name): name for name in SETS["arkit"] if change(name) != name
    }
    assert found(avatar, "names") is None and found(avatar, "unknown") is None


def test_missing_names_are_counted_and_generated() -> None:
    told = found(good(offsets=without(good(), *SETS["arkit"][:3])), "names_arkit")
    assert (
        told.text.startswith(
            "49 of 52 names of ARKit are there exactly; 3 are missing: eyeBlinkLeft, "
        )
        and told.fix == "make_missing"
    )
    unified = {name: shape(number) for number, name in enumerate(SETS["unified"][1:])}
    assert found(good(offsets=unified), "names_unified").text.startswith(
        f"{len(unified)} of {len(SETS['unified'])} names of Unified Expressions"
    )


def test_keys_that_move_nothing_are_no_tick() -> None:
    empty = {**good().offsets, "tongueOut": np.zeros((200, 3), np.float32)}
    told = found(good(offsets=empty), "names_arkit")
    assert (
        told.level == "note"
        and told.text == "52 of 52 names of ARKit are there exactly; 1 move nothing: tongueOut"
    )
    lash = facts.Other("Tongue", {"tongueOut": True})
    assert (
        "1 move nothing on this mesh: tongueOut"
        in found(good(offsets=empty, others=(lash,)), "names_arkit").text
    )


@pytest.mark.parametrize(
    "names",
    [
        ("eyeBlinkLeft", "eyeBlinkRight"),
        ("Fcl_MTH_A", "Fcl_EYE_Close"),
        ("\u3042", "\u307e\u3070\u305f\u304d"),
    ],
)
def test_a_rig_of_a_few_keys_is_told_what_tracking_would_have(names: tuple[str, ...]) -> None:
    avatar = good(
        offsets={name: shape(number) for number, name in enumerate((*names, *SETS["vrchat"]))}
    )
    have = sum(name in SETS["arkit"] for name in names)
    assert (
        found(avatar, "names").level == "note"
        and f"{have} of 52 names of ARKit" in found(avatar, "names").text
    )


def test_unknown_keys_are_no_tick() -> None:
    avatar = good(offsets={**good().offsets, "Fang": shape(900), "Breast_big": shape(901)})
    assert (
        found(avatar, "unknown").level == "note"
        and "2 keys have names of no standard" in found(avatar, "unknown").text
    )


def test_sranipal_s_own_names_stay() -> None:
    both = {
        **good().offsets,
        **{name: shape(number + 400) for number, name in enumerate(SETS["sranipal"])},
    }
    both.pop("jawOpen")
    assert names.wrong_names(good(offsets=both)) == {}


def test_keys_on_other_objects_are_named() -> None:
    lash = facts.Other("lash", {"eyeBlinkLeft": True, "eyeBlinkRight": True, "jawOpen": False})
    told = found(good(others=(lash, facts.Other("Hair"))), "parts")
    assert (
        told.fix == "join_parts"
        and told.on == ("lash",)
        and "lash (2: eyeBlinkLeft, eyeBlinkRight)" in told.text
    )
    for other in (
        facts.Other("Dress", {"Breast_big": True}),  # no template looks for it
        facts.Other("lash", {"eyeBlinkLeft": False}),
        facts.Other("lash", {"eyeBlinkLeft": True}, hidden=True),
        facts.Other("Body.001", {}, same_mesh=True),
    ):
        assert found(good(others=(other,)), "parts") is None
    own = good(
        offsets={**good().offsets, "Mine": shape(5)},
        others=(facts.Other("Teeth", {"Mine": True}),),
    )
    assert found(own, "parts").on == ("Teeth",), "a key that the face has, too"


def test_body_may_be_another_mesh_of_the_avatar() -> None:
    body = facts.Other("Body", dict.fromkeys(good().offsets, True))
    told = found(good(name="lash", offsets={"eyeBlinkLeft": shape(1)}, others=(body,)), "mesh_name")
    assert told.fix == "" and "another mesh" in told.text
    naked = facts.Other("Body", {"Breast_big": True})
    assert (
        found(good(name="Face", others=(naked,), objects=frozenset({"Body"})), "mesh_name").fix
        == "rename_mesh"
    )


@pytest.mark.parametrize(
    ("state", "code", "fix"),
    [
        ({"muted": True}, "muted", "unmute_keys"),
        ({"group": "Left"}, "masked", "bake_keys"),
        ({"relative": "jawOpen"}, "relative", "bake_keys"),
        ({"high": 0.5}, "range", "widen_range"),
        ({"low": 0.2}, "range", "widen_range"),
        ({"locked": True}, "locked", ""),
        ({"driven": True}, "driven", ""),
    ],
)
def test_what_keeps_a_key_from_arriving_is_said(state: dict[str, Any], code: str, fix: str) -> None:
    told = found(good(states={"mouthLeft": facts.State(**state), "jawOpen": facts.State()}), code)
    assert (
        told.on == ("mouthLeft",)
        and told.fix == fix
        and "mouthLeft" in told.text
        and "jawOpen" not in told.text
    )


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"absolute": True}, "absolute"),
        ({"pinned": "jawOpen"}, "pinned"),
        ({"hidden": True}, "hidden"),
        ({"armatures": ("Rig", "Rig.001")}, "armatures"),
        ({"others": (facts.Other("Body.001", same_mesh=True),)}, "same_mesh"),
        ({"others": (facts.Other("Old", {"jawOpen": True}, hidden=True),)}, "hidden_parts"),
        ({"others": (facts.Other("Lash", values=("Curl",)),)}, "values_parts"),
        ({"others": (facts.Other("Lash", modifiers=("Mirror",)),)}, "modifiers"),
    ],
)
def test_the_whole_avatar_is_looked_at(changes: dict[str, Any], code: str) -> None:
    assert found(good(**changes), code) is not None and found(good(), code) is None


def test_values_that_something_sets_are_not_reset() -> None:
    driven = {"jawOpen": facts.State(value=0.5, driven=True)}
    assert (
        found(good(states=driven), "values").fix == ""
        and found(good(states={"jawOpen": facts.State(value=0.5, muted=True)}), "values") is None
    )


def test_a_second_face_is_no_part() -> None:
    old = facts.Other("Old", dict.fromkeys(SETS["arkit"], True))
    avatar = good(others=(old, facts.Other("lash", {"eyeBlinkLeft": True})))
    assert (
        found(avatar, "second_face").on == ("Old",)
        and found(avatar, "second_face").fix == ""
        and found(avatar, "parts").on == ("lash",)
    )


def test_a_rig_of_one_standard_is_not_asked_for_another() -> None:
    for set_ in ("unified", "arkit", "sranipal", "vrm1", "mmd"):
        avatar = facts.Avatar(
            "Body", {name: shape(number) for number, name in enumerate(SETS[set_])}, SETS
        )
        assert names.intended_sets(avatar) == [set_] and names.wrong_names(avatar) == {}
        counted = [finding for finding in vrchat.check(avatar) if finding.code.startswith("names_")]
        assert all(finding.level == "ok" and finding.code == f"names_{set_}" for finding in counted)


def test_the_same_key_in_two_spellings_is_said() -> None:
    offsets = good().offsets
    two = {
        **offsets,
        "eyeBlink_L": offsets["eyeBlinkLeft"].copy(),
        "JAWOPEN": shape(600),
        "JawOpen": offsets["jawOpen"].copy(),
    }
    told = found(good(offsets=two), "twice")
    assert told.on == ("eyeBlink_L",) and told.level == "note" and found(good(), "twice") is None
    folded = [names.folded(name) for name in SETS["mmd"]]
    assert len(set(folded)) == len(folded), "none of MMD's names is another in other letters"
