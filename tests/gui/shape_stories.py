# SPDX-License-Identifier: GPL-3.0-or-later
"""What a user does with the shapes that were made, one function per story, as in stories.py."""

from __future__ import annotations

import itertools
import sys
import time
from pathlib import Path
from typing import Any

import bpy
import numpy as np
from hand import Hand, Steps
from mathutils import Vector
from stories import (
    GENERATE,
    TAB,
    begin,
    click_to_keys,
    coordinates,
    keys,
    looked_for,
    pictures_drawn,
    previewed,
    the_object,
)


def module(name: str) -> Any:
    """A module of the installed extension, by the end of its name."""
    whole = f"blendshape_auto_generator.blendshape_addon.{name}"
    return next(one for key, one in sys.modules.items() if key.endswith(whole))


def blocks() -> dict[str, list[str]]:
    """Names of the file's data-blocks of the kinds that a picture of a scene would need."""
    kinds = ("scenes", "objects", "meshes", "materials", "images", "cameras", "worlds", "lights")
    return {kind: sorted(block.name for block in getattr(bpy.data, kind)) for kind in kinds}


def tiles() -> dict[str, Any]:
    """Pictures by their keys' names, float32 (H,W,4)."""
    found = {}
    for (_identity, name), one in module("job.pictures")._pictures.items():
        pixels = np.empty(len(one.preview.image_pixels_float), np.float32)
        one.preview.image_pixels_float.foreach_get(pixels)
        found[name] = pixels.reshape(*reversed(one.preview.image_size), 4)
    return found


def pictures_story(hand: Hand, seen: dict[str, object]) -> Steps:
    """Pictures of the shapes in Results: drawn while the window lives, again after a change, and
    not in Edit Mode; the search; nothing is left in the file.
    """
    pictures = module("job.pictures")
    yield from begin(hand)
    yield from click_to_keys(hand, seen)
    before = blocks()
    yield from pictures_drawn(hand)
    seen["picture"] = hand.picture("pictures")
    first = tiles()
    seen["names"] = sorted(first)
    seen["spread"] = {name: float(one[..., :3].std()) for name, one in first.items()}
    listed = [name for name in keys() if name in first]
    seen["differ"] = [
        float(np.abs(first[a] - first[b]).max()) for a, b in itertools.pairwise(listed)
    ]
    np.savez(hand.folder / f"{hand.prefix}_tiles.npz", **first)
    made, seen["work"], seen["read"] = pictures.figures()
    seen["left"] = {kind: names for kind, names in blocks().items() if names != before[kind]}
    seen["why"] = pictures.why()
    yield from hand.wait(20)
    seen["again"] = pictures.figures()[0] - made
    key = the_object().data.shape_keys.key_blocks[listed[0]]
    for point in key.points:
        point.co.z += 0.01
    the_object().data.update()
    yield from hand.wait(20)
    yield from pictures_drawn(hand)
    seen["after_change"] = pictures.figures()[0] - made
    seen["changed"] = [name for name, one in tiles().items() if (one != first[name]).any()]
    yield from hand.click((yield from hand.find(".search")))
    yield from hand.write("pucker")
    yield from pictures_drawn(hand)
    seen["searched"] = sorted(tiles().keys() - first.keys())
    seen["search"] = hand.picture("search")
    yield from hand.click((yield from hand.find(".search")))
    yield from hand.key("A", ctrl=True)
    yield from hand.write("jaw")
    yield from hand.move((hand.area.x + hand.area.width // 3, hand.area.y + hand.area.height // 2))
    yield from hand.key("TAB")  # at once, while pictures are asked for
    yield from hand.until(lambda: the_object().mode == "EDIT", 10, "Edit Mode")
    made = pictures.figures()[0]
    yield from hand.wait(40)
    seen["in_edit_mode"], seen["mode"] = pictures.figures()[0] - made, the_object().mode
    yield from hand.key("TAB")
    yield from pictures_drawn(hand)
    seen["after_edit_mode"] = sorted(name for name in tiles() if "jaw" in name)
    bpy.data.objects.remove(the_object())
    pictures.changed()
    yield from hand.wait(20)
    seen["after_removal"] = [pictures.why(), pictures.busy()]


def textured_story(hand: Hand, seen: dict[str, object]) -> Steps:
    """An avatar with pictures of its own whose keys are in the file: they are in Results, with
    pictures in the avatar's colours.
    """
    face = next(ob for ob in bpy.context.scene.objects if ob.type == "MESH" and ob.data.shape_keys)
    bpy.context.view_layer.objects.active = face
    yield from begin(hand)
    yield from pictures_drawn(hand)
    first = tiles()
    seen["picture"] = hand.picture("textured")
    seen["colours"] = {name: one[..., :3].mean(axis=(0, 1)).tolist() for name, one in first.items()}
    seen["spread"] = {name: float(one[..., :3].std()) for name, one in first.items()}
    _made, seen["work"], seen["read"] = module("job.pictures").figures()
    seen["why"] = module("job.pictures").why()
    np.savez(hand.folder / f"{hand.prefix}_tiles.npz", **first)


def strength_story(hand: Hand, seen: dict[str, object]) -> Steps:
    """The strength of one shape: its button opens a slider, which shows on the face as it is
    dragged; one Ctrl-Z takes it back.
    """
    yield from begin(hand)
    yield from click_to_keys(hand, seen)
    yield from hand.wait(6)
    yield from hand.click((yield from hand.find("blendshapes.key")))
    yield from hand.wait(8)
    name = previewed()
    before, rest = coordinates(name), coordinates("Basis")
    place = yield from hand.find("blendshapes.shape_strength", 0.25)
    yield from hand.click(place)
    yield from hand.wait(6)
    seen["popup"] = hand.picture("strength")
    for down in (56, 66, 76):  # the slider, below the popup's title and the shape's name
        aside = (place[0] + round(90 * hand.scale), place[1] - round(down * hand.scale))
        yield from hand.drag(aside, 60)
        yield from hand.wait(3)
        if np.abs(coordinates(name) - before).max() > 0:
            break
    after = coordinates(name)
    seen["dragged"] = hand.picture("strength_dragged")
    way = (before - rest).ravel()
    seen["factor"] = float((after - rest).ravel() @ way / (way @ way))
    seen["same_way"] = float(np.abs((after - rest).ravel() - seen["factor"] * way).max())
    seen["still_shown"] = previewed() == name
    yield from hand.move((place[0] + round(90 * hand.scale), place[1]))
    yield from hand.key("RET")
    yield from hand.move((hand.area.x + hand.area.width // 3, hand.area.y + 100))
    yield from hand.wait(6)
    seen["closed"] = hand.picture("strength_closed")
    yield from hand.key("Z", ctrl=True)
    yield from hand.wait(6)
    seen["undone"] = float(np.abs(coordinates(name) - before).max())


def preset_story(hand: Hand, seen: dict[str, object]) -> Steps:
    """A preset of one's own: saved by the menu beside the destination, and chosen from it."""
    yield from begin(hand)
    scene: Any = bpy.context.scene.blendshapes
    scene.sets, scene.jaw = {"mmd"}, 1.25
    yield from hand.wait()
    row = yield from hand.find(".destination")
    menu = (hand.sidebar.x + round(0.83 * hand.sidebar.width), row[1] - 4)
    yield from hand.click(menu)
    yield from hand.wait(4)
    seen["menu"] = hand.picture("preset_menu")
    yield from hand.click((menu[0] + 20, menu[1] - round(22 * hand.scale)))
    yield from hand.wait(6)
    seen["dialog"] = hand.picture("preset_dialog")
    x, y = hand.moved_to
    yield from hand.click((x - round(43 * hand.scale), y - round(10 * hand.scale)))  # the name
    yield from hand.write("worlds")
    yield from hand.wait(2)
    seen["named"] = hand.picture("preset_named")
    yield from hand.key("RET")
    yield from hand.wait(6)
    paths = bpy.utils.preset_paths("blendshapes")
    seen["files"] = sorted(path.name for one in paths for path in Path(one).glob("*.py"))
    scene.sets, scene.jaw = {"arkit"}, 1.0
    yield from hand.wait()
    yield from hand.click(menu)
    yield from hand.wait(4)
    seen["menu_again"] = hand.picture("preset_menu_again")
    yield from hand.click((menu[0] + 20, menu[1] - round(22 * hand.scale)))
    yield from hand.wait(4)
    seen["sets"], seen["jaw"] = sorted(scene.sets), scene.jaw


def export_story(hand: Hand, seen: dict[str, object]) -> Steps:
    """The export's dialog with its options, and a file with all keys."""
    bpy.context.preferences.view.filebrowser_display_type = "SCREEN"
    yield from begin(hand, "BLENDSHAPES_PT_vrchat")
    yield from click_to_keys(hand, seen)
    yield from hand.wait(6)
    yield from hand.click((yield from hand.find("blendshapes.export")))

    def browser() -> Any:
        areas = bpy.context.window_manager.windows[0].screen.areas
        return next((area for area in areas if area.type == "FILE_BROWSER"), None)

    yield from hand.until(lambda: browser() is not None, 20, "the file browser")
    for _ in range(10):
        browser().tag_redraw()
        yield
    seen["picture"] = hand.picture("export")
    operator = browser().spaces.active.active_operator
    seen["options"] = [operator.kind, operator.only_avatar, operator.animation]
    out = hand.folder / "out.fbx"
    out.unlink(missing_ok=True)
    browser().spaces.active.params.directory = bytes(hand.folder)
    browser().spaces.active.params.filename = out.name
    region = next(one for one in browser().regions if one.type == "WINDOW")
    with bpy.context.temp_override(window=hand.window, area=browser(), region=region):
        bpy.ops.file.execute()
    yield from hand.until(lambda: browser() is None and out.is_file(), 60, "the file")
    yield from hand.wait(4)
    content = out.read_bytes()
    seen["in_file"] = [name for name in keys()[1:] if name.encode() in content]
    seen["blender"] = hand.picture("exported")


def reload_story(hand: Hand, seen: dict[str, object]) -> Steps:
    """Results are the mesh's own: another object, another scene, undo, saved and loaded."""
    yield from begin(hand)
    yield from click_to_keys(hand, seen)
    yield from hand.wait(6)
    face = the_object()
    rows: dict[str, bool] = {}
    seen["rows"] = rows

    def look(name: str) -> Steps:
        yield from hand.wait(6)
        try:
            yield from hand.find("blendshapes.key")
            rows[name] = True
        except LookupError:
            rows[name] = False

    yield from look("made")
    with bpy.context.temp_override(window=hand.window, area=hand.area, region=hand.view):
        bpy.ops.mesh.primitive_cube_add()
    yield from look("another object")
    bpy.context.view_layer.objects.active = face
    yield from look("back")
    bpy.data.scenes.new("Other").collection.objects.link(face)
    hand.window.scene = bpy.data.scenes["Other"]
    bpy.context.view_layer.objects.active = face
    yield from look("another scene")
    hand.window.scene = bpy.data.scenes[0]
    bpy.context.view_layer.objects.active = face
    file = str(hand.folder / "kept.blend")
    bpy.ops.wm.save_as_mainfile(filepath=file)
    with bpy.context.temp_override(window=hand.window):
        bpy.ops.wm.open_mainfile(filepath=file)
    for _ in range(30):
        yield
    hand.window = bpy.context.window_manager.windows[0]
    yield from hand.open_tab(TAB)
    yield from look("loaded")
    yield from hand.click((yield from hand.find("blendshapes.key")))
    yield from hand.wait(6)
    seen["shown"] = previewed()
    yield from pictures_drawn(hand)
    seen["pictures"] = len(tiles())
    seen["picture"] = hand.picture("loaded")


def click_tab(hand: Hand) -> Steps:
    """Click the tab, which a user sees: its place depends on the words on the tabs above it."""
    sidebar: Any = hand.sidebar
    for down in range(round(150 * hand.scale), sidebar.height, round(36 * hand.scale)):
        yield from hand.click((sidebar.x + sidebar.width - 12, sidebar.y + sidebar.height - down))
        yield from hand.wait(3)
        if sidebar.active_panel_category == TAB:
            return


def zip_story(hand: Hand, seen: dict[str, object]) -> Steps:
    """From the zip to keys and a framed face: clicks and seconds."""
    began = time.perf_counter()
    yield from install(hand, seen)
    yield from four_clicks(hand, seen, began)


def install(hand: Hand, seen: dict[str, object]) -> Steps:
    """Install the zip, as Preferences > Get Extensions > Install from Disk does."""
    archive = next(hand.folder.glob("blendshape_auto_generator-*.zip"))
    began = time.perf_counter()
    bpy.ops.extensions.package_install_files(
        filepath=str(archive), repo="user_default", enable_on_install=True
    )
    seen["installed"] = time.perf_counter() - began
    for _ in range(6):
        yield


def four_clicks(hand: Hand, seen: dict[str, object], began: float, look: bool = True) -> Steps:
    """The mesh, the tab, Generate, a shape. began: when the time to the keys started. look: without
    it the last click is left out.
    """
    area, face, clicks = hand.area, the_object(), 0
    seen["mesh"] = face.name
    bpy.context.view_layer.objects.active = None
    face.select_set(False)
    middle = (area.x + area.width // 2, area.y + area.height // 2)
    yield from hand.wait(4)
    corners = [face.matrix_world @ Vector(corner) for corner in face.bound_box]
    center = sum(corners, Vector()) / 8
    yield from hand.click(hand.place_of(center))
    clicks += 1
    yield from hand.wait(4)
    seen["active"] = getattr(bpy.context.view_layer.objects.active, "name", "")
    yield from hand.move(middle)
    yield from hand.key("N")
    yield from hand.wait(6)
    yield from click_tab(hand)
    clicks += 1
    yield from hand.wait(8)
    sidebar: Any = hand.sidebar
    seen["tab"] = sidebar.active_panel_category
    seen["panel"] = hand.picture("zip_panel")
    yield from hand.until(looked_for, 60, "the face")
    yield from hand.wait(4)
    searched = time.perf_counter()
    generate = yield from hand.find(GENERATE)
    searched = time.perf_counter() - searched  # a user sees the button
    yield from hand.click(generate)
    clicks += 1
    yield from hand.until(lambda: len(keys()) > 1 and not hand.running(), 60, "the keys")
    seen["keys"] = len(keys()) - 1
    seen["seconds_to_keys"] = time.perf_counter() - began - searched
    yield from hand.wait(6)
    seen["clicks"] = clicks
    if not look:
        return
    view = hand.area.spaces.active.region_3d.view_distance
    yield from hand.click((yield from hand.find("blendshapes.key")))
    clicks += 1
    yield from hand.wait(8)
    seen["clicks"], seen["shown"] = clicks, previewed()
    seen["nearer"] = hand.area.spaces.active.region_3d.view_distance / view
    yield from pictures_drawn(hand)
    seen["framed"] = hand.picture("zip_framed")


def landmark_story(hand: Hand, seen: dict[str, object]) -> Steps:
    """A landmark is dragged and taken back with Ctrl-Z, which takes nothing else back; ESC ends."""
    yield from begin(hand, "BLENDSHAPES_PT_landmarks")
    yield from click_to_keys(hand, seen)
    yield from hand.wait(6)
    yield from hand.click((yield from hand.find("blendshapes.edit_landmarks")))
    yield from hand.until(hand.running, 30, "the operator")
    yield from hand.wait(8)
    face = the_object()

    def chin() -> Vector:
        return Vector(face.blendshapes.landmarks["chin"].place)

    before = chin()
    yield from hand.drag(hand.place_of(face.matrix_world @ before), 60)
    yield from hand.wait(4)
    seen["dragged"] = (chin() - before).length
    seen["picture"] = hand.picture("landmark")
    yield from hand.key("Z", ctrl=True)
    yield from hand.wait(6)
    face = the_object()
    seen["taken_back"] = (chin() - before).length
    seen["still_there"], seen["running"] = len(face.blendshapes.landmarks), hand.running()
    seen["keys_after"] = keys()
    yield from hand.key("ESC")
    yield from hand.until(lambda: not hand.running(), 10, "the end after ESC")
