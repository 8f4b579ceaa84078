# SPDX-License-Identifier: GPL-3.0-or-later
"""Every panel of the tab, one after the other, as in stories.py: for a look at them, and all of it
in Japanese.
"""

from __future__ import annotations

import time
from pathlib import Path

import bpy
from hand import Hand, Steps
from shape_stories import click_tab, four_clicks, install, module
from stories import ARROW, GENERATE, begin, click_to_keys, pictures_drawn, status

PANELS = (
    "BLENDSHAPES_PT_results",
    "BLENDSHAPES_PT_face",
    "BLENDSHAPES_PT_regions",
    "BLENDSHAPES_PT_live",
    "BLENDSHAPES_PT_landmarks",
    "BLENDSHAPES_PT_parts",
    "BLENDSHAPES_PT_vrchat",
    "BLENDSHAPES_PT_sheet",
    "BLENDSHAPES_PT_options",
)


def open_all() -> None:
    """All sub-panels start open: to be called before the tab is drawn for the first time."""
    for name in PANELS:
        cls = getattr(bpy.types, name)
        bpy.utils.unregister_class(cls)
        cls.bl_options = set()
        bpy.utils.register_class(cls)


def tour(hand: Hand, seen: dict[str, object]) -> Steps:
    """All of the tab from top to bottom, with the check's findings."""
    yield from hand.click((yield from hand.find("blendshapes.vrchat_check")))
    yield from pictures_drawn(hand)
    yield from hand.wheel(True, 90)
    yield from hand.wait(4)
    last, shots = b"", []
    for number in range(12):
        yield from pictures_drawn(hand)
        file = hand.picture(f"tour_{number}")
        picture = (hand.folder / file).read_bytes()
        if picture == last:
            break
        last = picture
        shots.append(file)
        yield from hand.wheel(False, 12)
    seen["tour"] = shots


def otherwise() -> dict[str, str]:
    """Texts for which Blender has a translation of its own, which it takes instead of ours."""
    ours = module("translations_ja").JAPANESE
    told = {text: str(bpy.app.translations.pgettext_iface(text)) for text in ours}
    return {text: told[text] for text in ours if told[text] != ours[text]}


def preferences(hand: Hand, seen: dict[str, object]) -> Steps:
    """The extension's preferences."""
    area = hand.area
    area.type = "PREFERENCES"
    bpy.ops.preferences.addon_show(module=module("job.session").ROOT_PACKAGE)
    for window in list(bpy.context.window_manager.windows)[1:]:
        with bpy.context.temp_override(window=window):
            bpy.ops.wm.window_close()
    for _ in range(12):
        area.tag_redraw()
        yield
    seen["preferences"] = hand.picture("preferences")
    area.type = "VIEW_3D"
    yield from hand.wait(4)


def tour_story(hand: Hand, seen: dict[str, object]) -> Steps:
    """The whole tab after a run, in English."""
    open_all()
    yield from begin(hand)
    yield from click_to_keys(hand, seen)
    yield from hand.wait(6)
    yield from hand.click((yield from hand.find("blendshapes.key")))
    yield from hand.wait(8)
    yield from tour(hand, seen)
    yield from preferences(hand, seen)


def speak_japanese(hand: Hand) -> Steps:
    """Set Blender's interface to Japanese."""
    bpy.context.preferences.view.language = "ja_JP"
    bpy.context.preferences.view.use_translate_interface = True
    yield from hand.wait(4)


def select_japanese_story(hand: Hand, seen: dict[str, object]) -> Steps:
    """The picture of the Japanese README: the panel before the click, and where one clicks."""
    yield from speak_japanese(hand)
    hand.area.spaces.active.show_region_ui = True
    yield from hand.wait(8)
    yield from click_tab(hand)
    tab = hand.moved_to
    yield from begin(hand)
    left = hand.sidebar.x + round(0.08 * hand.sidebar.width)
    destination = yield from hand.find(".destination")
    generate = yield from hand.find(GENERATE)
    arrow = hand.sidebar.x + round(ARROW * hand.sidebar.width)
    places = (tab, (arrow, destination[1] - 6), (left, generate[1] - 14))
    seen["places"] = [(x, hand.window.height - y) for x, y in places]
    yield from hand.move((hand.area.x + hand.area.width // 3, hand.area.y + 100))
    yield from hand.wait(8)
    seen["select"] = hand.picture("select")


def japanese_story(hand: Hand, seen: dict[str, object]) -> Steps:
    """A whole avatar in a Japanese interface: the zip, four clicks, the keys, every panel, a
    contact sheet, the preferences.
    """
    yield from speak_japanese(hand)
    began = time.perf_counter()
    yield from install(hand, seen)
    open_all()
    yield from four_clicks(hand, seen, began)
    seen["told"] = status().result
    seen["otherwise"] = otherwise()
    yield from tour(hand, seen)
    yield from hand.click((yield from hand.find("blendshapes.contact_sheet")))
    yield from hand.until(hand.running, 30, "the operator")
    yield from hand.wait(20)
    seen["rendering"] = hand.picture("sheet_progress")
    yield from hand.until(lambda: not hand.running(), 400, "the sheet")
    yield from hand.wait(4)
    seen["open"] = (yield from hand.find("blendshapes.open_sheet")) is not None
    seen["sheet_told"] = hand.picture("sheet_done")
    seen["sheets"] = [Path(path).name for path in status().sheets]
    yield from preferences(hand, seen)
