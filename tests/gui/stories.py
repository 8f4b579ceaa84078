# SPDX-License-Identifier: GPL-3.0-or-later
"""What a user does, one function per story. Each gets the hand and a dictionary to write down what
was seen.
"""

import sys
import time
from typing import Any

import bpy
import numpy as np
from hand import Hand, Steps
from mathutils import Vector

TAB = "BlendShapes"
ADVANCED = "BLENDSHAPES_PT_options"
GENERATE = "bpy.ops.blendshapes.generate"
MARGIN = 1.15
ARROW = 0.77  # of the sidebar's width: the arrow of the destinations


def the_object() -> bpy.types.Object:
    """The mesh that the stories are about."""
    ob = bpy.context.view_layer.objects.active
    assert ob is not None
    return ob


def keys() -> list[str]:
    """Names of its shape keys."""
    shape_keys = the_object().data.shape_keys
    return [] if shape_keys is None else [key.name for key in shape_keys.key_blocks]


def status() -> Any:
    """What the add-on knows about its runs, which the panel shows."""
    name = next(
        name
        for name in sys.modules
        if name.endswith("blendshape_auto_generator.blendshape_addon.job.session")
    )
    return sys.modules[name].status


def face_view(hand: Hand) -> Steps:
    """Look at the head from the front, in the colours of its materials."""
    space = hand.area.spaces.active
    space.shading.color_type = "MATERIAL"
    space.overlay.show_floor = space.overlay.show_axis_x = space.overlay.show_axis_y = False
    view, ob = space.region_3d, the_object()
    corners = [ob.matrix_world @ Vector(corner) for corner in ob.bound_box]
    low, high = (
        Vector([pick(corner[axis] for corner in corners) for axis in range(3)])
        for pick in (min, max)
    )
    size = min(high.z - low.z, 1.35 * (high.x - low.x))  # of a whole avatar the upper part
    view.view_perspective = "ORTHO"
    view.view_rotation = (0.7071, 0.7071, 0.0, 0.0)
    view.view_location = ((low.x + high.x) / 2, (low.y + high.y) / 2, high.z - size / 2)
    view.view_distance = 1.9 * MARGIN * size
    yield from hand.wait(8)


def begin(hand: Hand, panel: str = "") -> Steps:
    """The tab, the face, and what the panel says about it, after which nothing moves below the
    mouse.
    """
    yield from hand.open_tab(TAB, panel)
    yield from face_view(hand)
    yield from hand.until(looked_for, 100, "a face, or that there is none,")
    yield from hand.wait(8)


def pictures_drawn(hand: Hand) -> Steps:
    """Wait until every picture of a shape that is seen is drawn."""
    name = next(
        name
        for name in sys.modules
        if name.endswith("blendshape_auto_generator.blendshape_addon.job.pictures")
    )
    pictures = sys.modules[name]
    yield from hand.wait(4)
    yield from hand.until(lambda: not pictures.busy(), 60, "the pictures")
    yield from hand.wait(4)


def tick_only(hand: Hand, wanted: set[str]) -> Steps:
    """Choose exactly these sets by clicking their boxes, which are under Advanced."""
    yield from hand.find(".sets_")
    places = yield from hand.look()
    for place, text in places:
        if chosen() == wanted:
            return
        if "blendshapes" in text and ".sets" in text:
            before = chosen()
            yield from hand.click(place)
            changed = chosen() ^ before
            if changed and not changed <= before ^ wanted:
                yield from hand.click(place)
    if chosen() != wanted:
        raise LookupError(
            f"{wanted} could not be chosen by clicking, only {chosen()}; there is {places}"
        )


def chosen() -> set[str]:
    """The sets that are ticked."""
    return set(bpy.context.scene.blendshapes.sets)


def click_to_keys(hand: Hand, seen: dict[str, object]) -> Steps:
    """Click Generate and measure until the keys are there, what the progress bar said, and the
    longest time for which nothing else could happen.
    """
    place = yield from hand.find(GENERATE)
    yield from hand.move(place)
    yield
    before = len(keys())
    hand.press_button(place)
    yield
    began = time.perf_counter()
    hand.release_button(place)
    last, gaps, fractions = began, [], set[float]()
    while len(keys()) <= before or hand.running():
        fractions.add(float(status().fraction))
        yield
        now = time.perf_counter()
        gaps.append(now - last)
        last = now
        if now - began > 100:
            raise TimeoutError("no keys came")
    seen["click_to_keys"], seen["fractions"] = last - began, sorted(fractions)
    seen["longest_gap"] = max(gaps)
    seen["longest_block"], seen["longest_work"] = status().longest_block, status().longest_work
    seen["keys"] = keys()


def main_story(hand: Hand, seen: dict[str, object]) -> Steps:
    """Open the tab, pick a set, Generate, ESC, Generate, check, undo, redo."""
    yield from begin(hand, ADVANCED)
    seen["panel"] = hand.picture("panel")
    yield from tick_only(hand, {"arkit"})
    seen["sets"] = sorted(chosen())
    place = yield from hand.find(GENERATE)
    yield from hand.click(place)
    yield from hand.until(hand.running, 30, "the operator")
    # before all else: the whole run takes a third of a second
    yield from hand.until(lambda: status().fraction > 0 or not hand.running(), 60, "progress")
    yield from hand.key("ESC")
    yield from hand.until(lambda: not hand.running(), 10, "the end after ESC")
    yield from hand.wait()
    seen["after_escape"] = keys()
    seen["escaped"] = hand.picture("escaped")
    yield from click_to_keys(hand, seen)
    yield from hand.wait(6)
    seen["result"] = hand.picture("result")
    seen["values"] = [key.value for key in the_object().data.shape_keys.key_blocks][1:]
    yield from hand.move((hand.area.x + hand.area.width // 3, hand.area.y + hand.area.height // 2))
    yield from hand.key("Z", ctrl=True)
    yield from hand.wait(6)
    seen["after_undo"] = keys()
    yield from hand.key("Z", ctrl=True, shift=True)
    yield from hand.wait(6)
    seen["after_redo"] = keys()


def live_story(hand: Hand, seen: dict[str, object]) -> Steps:
    """Live conditions: start, drag a slider, see the face move, keep it as a shape, end."""
    yield from begin(hand, "BLENDSHAPES_PT_live")
    yield from hand.click((yield from hand.find("blendshapes.live_start")))
    yield from hand.until(hand.running, 30, "the operator")
    yield from hand.until(lambda: not hand.running(), 100, "the conditions")
    yield from hand.wait()
    slider = yield from hand.find(".c0")
    before = rest_and_shown()
    yield from hand.drag(slider, hand.sidebar.width // 2)
    yield from hand.wait()
    after = rest_and_shown()
    seen["moved_before"], seen["moved"] = float(before), float(after)
    seen["live"] = hand.picture("live")
    seen["while_live"] = keys()
    yield from hand.click((yield from hand.find("blendshapes.live_keep", 0.8)))
    yield from hand.wait()
    seen["kept"] = keys()
    seen["kept_picture"] = hand.picture("kept")
    yield from hand.click((yield from hand.find("blendshapes.live_end", 0.8)))
    yield from hand.wait()
    seen["after_end"] = keys()


def rest_and_shown() -> float:
    """How far the face that is shown is from the face at rest, at most, in metres."""
    ob = the_object()
    shown = ob.evaluated_get(bpy.context.evaluated_depsgraph_get()).to_mesh()
    return max((a.co - b.co).length for a, b in zip(shown.vertices, ob.data.vertices, strict=True))


def vrchat_story(hand: Hand, seen: dict[str, object]) -> Steps:
    """Generate, then check for VRChat and let it rename the mesh; take that back."""
    yield from begin(hand, "BLENDSHAPES_PT_vrchat")
    yield from click_to_keys(hand, seen)
    yield from hand.click((yield from hand.find("blendshapes.vrchat_check")))
    yield from hand.wait()
    fix = yield from hand.find("mesh_name")
    seen["findings"] = hand.picture("vrchat")
    yield from hand.click(fix)
    yield from hand.wait()
    seen["renamed"] = the_object().name
    yield from hand.move((hand.area.x + hand.area.width // 3, hand.area.y + hand.area.height // 2))
    yield from hand.key("Z", ctrl=True)
    yield from hand.wait()
    seen["after_undo"] = the_object().name


def mend_story(hand: Hand, seen: dict[str, object]) -> Steps:
    """Keys without visemes, the check, and its button that generates them: with progress, while the
    window lives; then the finding is gone.
    """
    bpy.context.scene.blendshapes.sets = {"arkit"}
    yield from begin(hand, "BLENDSHAPES_PT_vrchat")
    yield from click_to_keys(hand, seen)
    yield from hand.click((yield from hand.find("blendshapes.vrchat_check")))
    yield from hand.wait()
    fix = yield from hand.find('vrchat_fix(code="visemes")')
    status().longest_work = 0.0
    hand.press_button(fix)
    yield
    hand.release_button(fix)
    yield from hand.until(hand.running, 30, "the operator")
    yield from hand.until(lambda: status().fraction > 0.1 or not hand.running(), 60, "progress")
    seen["progress"] = hand.picture("mending")
    yield from hand.until(lambda: not hand.running(), 100, "the end")
    yield from hand.wait(40)
    seen["mended"], seen["work"] = keys(), status().longest_work
    try:
        yield from hand.find('vrchat_fix(code="visemes")')
        seen["gone"] = False
    except LookupError:
        seen["gone"] = True


def timing(hand: Hand, seen: dict[str, object]) -> Steps:
    """Click to keys with ARKit alone, on a child that does not run yet and then on one that
    does.
    """
    yield from begin(hand, ADVANCED)
    yield from tick_only(hand, {"arkit"})
    first: dict[str, object] = {}
    yield from click_to_keys(hand, first)
    seen["first"] = first
    yield from hand.wait(6)
    seen["result"] = hand.picture("result")
    yield from hand.move((hand.area.x + hand.area.width // 3, hand.area.y + hand.area.height // 2))
    yield from hand.key("Z", ctrl=True)
    yield from hand.wait(6)
    seen["after_undo"] = keys()
    yield from click_to_keys(hand, seen)


def layout(hand: Hand, seen: dict[str, object]) -> Steps:
    """The panel before and after a run, for a look at it."""
    yield from begin(hand)
    seen["panel"] = hand.picture("panel")
    yield from click_to_keys(hand, seen)
    yield from hand.wait(6)
    yield from pictures_drawn(hand)
    seen["result"] = hand.picture("result")


def readme_story(hand: Hand, seen: dict[str, object]) -> Steps:
    """The five pictures of the README, each with the places in it that one clicks, in pixels from
    the top left.
    """
    height = hand.window.height
    shots: list[dict[str, object]] = []
    seen["shots"] = shots

    def shoot(name: str, *places: tuple[int, int]) -> None:
        shots.append(
            {
                "name": name,
                "file": hand.picture(name),
                "places": [(x, height - y) for x, y in places],
            }
        )

    def icon(place: tuple[int, int], down: int) -> tuple[int, int]:
        """The icon at the left of a button that was found at its upper edge."""
        return hand.sidebar.x + round(0.08 * hand.sidebar.width), place[1] - down

    area = hand.area
    area.type = "PREFERENCES"
    bpy.context.preferences.active_section = "EXTENSIONS"
    for _ in range(12):
        area.tag_redraw()
        yield
    arrow = (area.x + area.width - 24, area.y + area.height - 44)
    yield from hand.move((arrow[0] - 60, arrow[1] - 10))
    with bpy.context.temp_override(
        window=hand.window, area=area, region=next(r for r in area.regions if r.type == "WINDOW")
    ):
        bpy.ops.wm.call_menu("INVOKE_DEFAULT", name="USERPREF_MT_extensions_settings")
    for _ in range(12):
        yield
    shoot("install", (arrow[0] + 5, arrow[1] + 1), (arrow[0] - 130, arrow[1] - 108))
    yield from hand.key("ESC")
    area.type = "VIEW_3D"
    yield from hand.wait(8)

    yield from begin(hand, "BLENDSHAPES_PT_vrchat")
    first = yield from hand.find(".destination")
    generate = yield from hand.find(GENERATE)
    tab = (
        hand.sidebar.x + hand.sidebar.width - 12,
        hand.sidebar.y + hand.sidebar.height - 264,
    )  # below the four of Blender 5
    arrow = hand.sidebar.x + round(ARROW * hand.sidebar.width)
    shoot("select", tab, (arrow, first[1] - 6), icon(generate, 14))

    yield from hand.click(generate)
    yield from hand.until(hand.running, 30, "the operator")
    yield from hand.until(lambda: status().fraction > 0.3 or not hand.running(), 60, "progress")
    yield from hand.wait(2)
    shoot("generate")
    yield from hand.until(lambda: not hand.running(), 100, "the end")
    properties = next(area for area in hand.window.screen.areas if area.type == "PROPERTIES")
    properties.spaces.active.context = "DATA"
    yield from hand.wait(8)

    yield from hand.wheel(False, 6)
    row = yield from hand.find("blendshapes.key", from_top=False)
    yield from hand.click(row)
    yield from hand.wait(8)
    yield from pictures_drawn(hand)
    row = yield from hand.find("blendshapes.key", from_top=False)  # the tools below have moved it
    shoot("result", icon(row, 6))

    check = yield from hand.find("blendshapes.vrchat_check")
    yield from hand.click(check)
    yield from hand.wait(4)
    yield from hand.find("mesh_name")
    yield from hand.wheel(False, 8)
    fix = yield from hand.find("mesh_name", from_top=False)
    shoot("check", icon(fix, 6))


def looked_for() -> bool:
    """True when the panel knows whether there is a face."""
    name = next(
        name
        for name in sys.modules
        if name.endswith("blendshape_auto_generator.blendshape_addon.job.inspection")
    )
    found = sys.modules[name].look(bpy.context)
    return found is not None and found.state != "looking"


# Blender's monkey, on its left side and in the middle: the clicks that are asked for, in any order
SUZANNE = {
    "eye_inner_left": (0.195, -0.758, 0.227),
    "eye_inner_right": (-0.195, -0.758, 0.227),
    "eye_outer_left": (0.555, -0.672, 0.25),
    "lid_upper_left": (0.336, -0.75, 0.406),
    "lid_lower_left": (0.375, -0.727, 0.086),
    "mouth_left": (0.328, -0.598, -0.70),
    "lip_upper": (0.0, -0.734, -0.766),
    "lip_lower": (0.0, -0.688, -0.875),
    "nose_tip": (0.0, -0.828, -0.203),
    "chin": (0.0, -0.585, -0.978),
    "brow_inner_left": (0.177, -0.807, 0.496),
    "brow_outer_left": (0.611, -0.612, 0.524),
}


def by_hand_story(hand: Hand, seen: dict[str, object]) -> Steps:
    """Blender's monkey, in which no face is found: landmarks by clicks, a click beside and one
    taken back, then Generate.
    """
    for ob in list(bpy.context.scene.objects):
        bpy.data.objects.remove(ob)
    with bpy.context.temp_override(window=hand.window, area=hand.area, region=hand.view):
        bpy.ops.mesh.primitive_monkey_add()
    yield from begin(hand, ADVANCED)
    seen["no_face"] = hand.picture("no_face")
    yield from hand.click((yield from hand.find("blendshapes.place_landmarks")))
    yield from hand.until(hand.running, 30, "the operator")
    yield from hand.wait()
    asked: list[str] = []
    seen["asked"] = asked
    yield from hand.click(hand.place_of((0.0, 0.0, 3.0)))  # beside her: nothing is taken
    while hand.running() and len(asked) < 20:
        name = guide().wanted
        asked.append(name)
        yield from hand.click(hand.place_of(SUZANNE[name]))
        yield from hand.wait(2)
        if len(asked) == 4:
            seen["guide"] = hand.picture("guide")
            yield from hand.key("BACK_SPACE")
            yield from hand.wait(2)
    yield from hand.until(lambda: not hand.running(), 10, "the end after the last click")
    seen["landmarks"] = {
        mark.name: list(mark.place) for mark in the_object().blendshapes.landmarks if mark.corrected
    }
    yield from hand.until(looked_for, 100, "the face")
    yield from hand.wait(8)
    yield from tick_only(hand, {"arkit"})
    yield from click_to_keys(hand, seen)
    yield from hand.wait(6)
    seen["result"] = hand.picture("by_hand")
    blocks = the_object().data.shape_keys.key_blocks
    rest = [point.co.copy() for point in blocks[0].points]
    seen["sizes"] = {
        key.name: max((p.co - r).length for p, r in zip(key.points, rest, strict=True))
        for key in blocks[1:]
    }

    def moved(key: str, place: tuple[float, float, float]) -> list[float]:
        nearest = min(range(len(rest)), key=lambda index: (rest[index] - Vector(place)).length)
        way: Any = blocks[key].points[nearest].co - rest[nearest]
        return list(way)

    lid = SUZANNE["lid_upper_left"]
    seen["lids"] = [moved("eyeBlinkLeft", lid), moved("eyeBlinkRight", (-lid[0], *lid[1:]))]
    seen["jaw"] = moved("jawOpen", SUZANNE["lip_lower"])


def guide() -> Any:
    """What is drawn while landmarks are placed by hand."""
    name = next(
        name
        for name in sys.modules
        if name.endswith("blendshape_auto_generator.blendshape_addon.job.landmark_overlay")
    )
    return sys.modules[name].current()


def sheet_story(hand: Hand, seen: dict[str, object]) -> Steps:
    """A contact sheet: a second Blender renders, this one stays usable, ESC ends both."""
    key = the_object().shape_key_add(name="Basis", from_mix=False)
    key = the_object().shape_key_add(name="jawOpen", from_mix=False)
    key.points[0].co.z += 0.01
    yield from begin(hand, "BLENDSHAPES_PT_sheet")
    yield from hand.click((yield from hand.find("blendshapes.contact_sheet")))
    yield from hand.until(hand.running, 30, "the operator")
    for _ in range(60):
        yield
    seen["rendering"] = hand.running()
    yield from hand.key("ESC")
    yield from hand.until(lambda: not hand.running(), 30, "the end after ESC")
    yield from hand.wait()
    yield from hand.click((yield from hand.find("blendshapes.contact_sheet")))
    yield from hand.until(hand.running, 30, "the operator")
    yield from hand.until(lambda: not hand.running(), 400, "the sheet")
    files = sorted(hand.folder.glob("*_others.png"))
    seen["files"] = [path.name for path in files]
    seen["different"] = [spread(path) for path in files]
    yield from hand.wait()
    seen["open"] = (yield from hand.find("blendshapes.open_sheet")) is not None
    seen["done"] = hand.picture("sheet")


def shape_story(hand: Hand, seen: dict[str, object]) -> Steps:
    """One shape: shown, away while Y is held, mirrored and taken back, sculpted with one stroke,
    and back with one click.
    """
    yield from begin(hand)
    yield from click_to_keys(hand, seen)
    yield from hand.wait(6)
    yield from hand.click((yield from hand.find("blendshapes.key")))
    yield from hand.wait(8)
    name = previewed()
    seen["shown"] = name
    key = the_object().data.shape_keys.key_blocks[name]
    seen["tools"] = hand.picture("shape_tools")
    middle = (hand.area.x + hand.area.width // 3, hand.area.y + hand.area.height // 2)
    yield from hand.move(middle)
    values = [key.value]
    for value in ("PRESS", "RELEASE"):
        hand.window.event_simulate(type="Y", value=value, x=middle[0], y=middle[1])
        yield from hand.wait(4)
        values.append(key.value)
    seen["held"] = values
    before = coordinates(name)
    yield from hand.click((yield from hand.find("blendshapes.shape_mirror")))
    yield from hand.wait(6)
    seen["mirrored"] = float(np.abs(coordinates(name) - before).max())
    yield from hand.move(middle)
    yield from hand.key("Z", ctrl=True)
    yield from hand.wait(6)
    seen["mirror_undone"] = float(np.abs(coordinates(name) - before).max())
    yield from hand.click((yield from hand.find("blendshapes.key")))
    yield from hand.wait(6)
    yield from hand.click((yield from hand.find("blendshapes.sculpt_shape", 0.8)))
    yield from hand.wait(12)
    ob = the_object()
    seen["sculpting"] = [ob.mode, ob.active_shape_key.name, ob.show_only_shape_key]
    seen["sculpt"] = hand.picture("sculpt")
    take_a_brush(hand)
    seen["brush"] = bpy.context.tool_settings.sculpt.brush is not None
    yield from stroke(hand, middle)
    yield from hand.wait(6)
    yield from hand.click((yield from hand.find("blendshapes.sculpt_done")))
    yield from hand.wait(8)
    ob = the_object()
    seen["back"] = [ob.mode, ob.show_only_shape_key]
    seen["sculpted"] = float(np.abs(coordinates(name) - before).max())
    seen["kept"] = keys()


def edit_story(hand: Hand, seen: dict[str, object]) -> Steps:
    """A run in Edit Mode, and one Ctrl-Z: still in Edit Mode, without keys."""
    yield from begin(hand)
    middle = (hand.area.x + hand.area.width // 3, hand.area.y + hand.area.height // 2)
    yield from hand.move(middle)
    yield from hand.key("TAB")
    yield from hand.wait(6)
    seen["mode"] = the_object().mode
    yield from click_to_keys(hand, seen)
    yield from hand.wait(6)
    seen["mode_after"] = the_object().mode
    yield from hand.move(middle)
    yield from hand.key("Z", ctrl=True)
    yield from hand.wait(8)
    seen["mode_undone"], seen["undone"] = the_object().mode, keys()


def previewed() -> str:
    """The key that is shown on the face."""
    name = next(
        name
        for name in sys.modules
        if name.endswith("blendshape_auto_generator.blendshape_addon.job.preview")
    )
    return str(sys.modules[name].shown())


def coordinates(name: str) -> Any:
    """Where a key puts the vertices, (V,3)."""
    points = np.empty((len(the_object().data.vertices), 3), np.float32)
    the_object().data.shape_keys.key_blocks[name].points.foreach_get("co", points.reshape(-1))
    return points


def take_a_brush(hand: Hand) -> None:
    """Debian packages 4.3 without the brushes that Blender comes with: one of the file's own, as a
    user makes it.
    """
    if bpy.context.tool_settings.sculpt.brush is not None:
        return
    brush: Any = bpy.data.brushes.new("Own", mode="SCULPT")
    brush.asset_mark()
    with bpy.context.temp_override(window=hand.window, area=hand.area, region=hand.view):
        bpy.ops.brush.asset_activate(
            asset_library_type="LOCAL", relative_asset_identifier="Brush/Own"
        )


def stroke(hand: Hand, place: tuple[int, int]) -> Steps:
    """Draw across the face with the brush that is chosen."""
    x, y = place
    yield from hand.move((x, y))
    hand.window.event_simulate(type="LEFTMOUSE", value="PRESS", x=x, y=y)
    for step in range(1, 8):
        yield
        hand.window.event_simulate(type="MOUSEMOVE", value="NOTHING", x=x + 6 * step, y=y)
    yield
    hand.window.event_simulate(type="LEFTMOUSE", value="RELEASE", x=x + 42, y=y)
    yield


def spread(path: Any) -> float:
    """How much the first tile of a sheet differs from pixel to pixel, the standard deviation of its
    brightness, 0 to 1.
    """
    image: Any = bpy.data.images.load(str(path))
    flat = np.empty(len(image.pixels), np.float32)
    image.pixels.foreach_get(flat)
    width, height = image.size
    bpy.data.images.remove(image)
    return float(flat.reshape(height, width, 4)[height // 3 :, : width // 2, :3].mean(axis=2).std())
