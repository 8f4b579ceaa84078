# SPDX-License-Identifier: GPL-3.0-or-later
"""A user's hand and eye inside Blender: mouse, keys, what is below the mouse, pictures of the
screen.
"""

import subprocess
import time
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import bpy
from bpy_extras.view3d_utils import location_3d_to_region_2d

Steps = Generator[None, None, None]
Place = tuple[int, int]
EDGE = 20  # pixels at the lower edge, where a click would take hold of the area's border
STEP = 9  # pixels at UI scale 1; a button is 20 high


class Hand:
    """Works in the first window's 3D view and its sidebar. Methods that are generators need `yield
    from`.
    """

    def __init__(self, folder: Path, prefix: str) -> None:
        self.folder, self.prefix = folder, prefix
        self.window = bpy.context.window_manager.windows[0]
        self.moved_to: Place = (0, 0)

    @property
    def area(self) -> bpy.types.Area:
        """The largest 3D view."""
        areas = [area for area in self.window.screen.areas if area.type == "VIEW_3D"]
        return max(areas, key=lambda area: area.width * area.height)

    @property
    def sidebar(self) -> bpy.types.Region:
        """The 3D view's sidebar."""
        return next(region for region in self.area.regions if region.type == "UI")

    @property
    def view(self) -> bpy.types.Region:
        """The 3D view without what lies upon it."""
        return next(region for region in self.area.regions if region.type == "WINDOW")

    def place_of(self, point: tuple[float, float, float]) -> Place:
        """Where a point of the world is on the screen."""
        space: Any = self.area.spaces.active
        found = location_3d_to_region_2d(self.view, space.region_3d, point)
        if found is None:
            raise LookupError(f"{point} is not in the view")
        return round(self.view.x + found[0]), round(self.view.y + found[1])

    @property
    def scale(self) -> float:
        """How much larger than usual the interface is drawn."""
        return bpy.context.preferences.system.ui_scale

    def wait(self, ticks: int = 4) -> Steps:
        """Let Blender draw."""
        for _ in range(ticks):
            self.area.tag_redraw()
            yield

    def until(self, true: Callable[[], object], seconds: float, what: str) -> Steps:
        """Wait for something, without drawing; TimeoutError when it does not come."""
        end = time.monotonic() + seconds
        while not true():
            if time.monotonic() > end:
                raise TimeoutError(f"{what} did not come within {seconds:.0f} s")
            yield

    def move(self, place: Place) -> Steps:
        """Move the mouse there."""
        self.moved_to = place
        self.window.event_simulate(type="MOUSEMOVE", value="NOTHING", x=place[0], y=place[1])
        yield

    def click(self, place: Place) -> Steps:
        """Click the left button there."""
        yield from self.move(place)
        yield
        self.press_button(place)
        yield
        self.release_button(place)
        yield
        yield

    def press_button(self, place: Place) -> None:
        """Press the left mouse button."""
        self.window.event_simulate(type="LEFTMOUSE", value="PRESS", x=place[0], y=place[1])

    def release_button(self, place: Place) -> None:
        """Let the left mouse button go."""
        self.window.event_simulate(type="LEFTMOUSE", value="RELEASE", x=place[0], y=place[1])

    def drag(self, place: Place, right: int) -> Steps:
        """Press at a place, pull to the right by so many pixels, let go."""
        yield from self.move(place)
        yield
        self.press_button(place)
        yield
        for part in range(1, 9):
            yield from self.move((place[0] + right * part // 8, place[1]))
        self.release_button(self.moved_to)
        yield
        yield

    def key(self, name: str, ctrl: bool = False, shift: bool = False) -> Steps:
        """Press and release a key, the mouse being where it was left."""
        x, y = self.moved_to
        for value in ("PRESS", "RELEASE"):
            window: Any = self.window  # the names of keys are too many to be typed here
            window.event_simulate(type=name, value=value, x=x, y=y, ctrl=ctrl, shift=shift)
            yield
        yield

    def write(self, text: str) -> Steps:
        """Write into the field that is being edited, and confirm."""
        x, y = self.moved_to
        window: Any = self.window
        for letter in text:
            for value, typed in (("PRESS", letter), ("RELEASE", None)):
                window.event_simulate(type=letter.upper(), value=value, unicode=typed, x=x, y=y)
                yield
        yield from self.key("RET")

    def wheel(self, up: bool, times: int) -> Steps:
        """Turn the wheel with the mouse over the sidebar's margin, since a list below it would take
        the wheel.
        """
        region = self.sidebar
        yield from self.move((region.x + 3, region.y + region.height // 2))
        for _ in range(times):
            x, y = self.moved_to
            self.window.event_simulate(
                type="WHEELUPMOUSE" if up else "WHEELDOWNMOUSE", value="PRESS", x=x, y=y
            )
            yield

    def open_tab(self, tab: str, panel: str = "") -> Steps:
        """Open the sidebar on a tab, which exists only once it has been drawn, with one of its
        sub-panels open and first.

        Blender tells nobody where a panel's header is, so that panel is registered anew as one that
        starts open.
        """
        if panel:
            cls = getattr(bpy.types, panel)
            bpy.utils.unregister_class(cls)
            cls.bl_options = set()
            cls.bl_order = -1
            bpy.utils.register_class(cls)
        self.area.spaces.active.show_region_ui = True
        for _ in range(100):
            yield from self.wait(1)
            try:
                sidebar: Any = self.sidebar
                sidebar.active_panel_category = tab
                break
            except TypeError:
                continue
        yield from self.wait()

    def below_mouse(self) -> str:
        """The operator or property of the button below the mouse, as Blender's own "Copy ..." would
        put it, or "".
        """
        manager = bpy.context.window_manager
        with bpy.context.temp_override(window=self.window, area=self.area, region=self.sidebar):
            buttons: Any = (
                (bpy.ops.ui.copy_python_command_button, {}),
                (bpy.ops.ui.copy_data_path_button, {"full_path": True}),
            )
            for operator, options in buttons:
                if operator.poll():
                    manager.clipboard = ""
                    operator(**options)
                    if manager.clipboard:
                        return str(manager.clipboard)
        return ""

    def look(self, across: float = 0.4) -> Generator[None, None, list[tuple[Place, str]]]:
        """Go down the sidebar as it is scrolled; places and what is there, from top to bottom."""
        found: list[tuple[Place, str]] = []
        region = self.sidebar
        x = region.x + round(region.width * across)
        for y in range(region.y + region.height - 4, region.y + EDGE, -round(STEP * self.scale)):
            yield from self.move((x, y))
            yield
            text = self.below_mouse()
            if text:
                found.append(((x, y), text))
        return found

    def find(
        self, text: str, across: float = 0.4, from_top: bool = True
    ) -> Generator[None, None, Place]:
        """The first button in the sidebar whose operator or property contains the text, scrolling
        down as far as need be.
        """
        seen: set[str] = set()
        last: list[str] = []
        if from_top:
            yield from self.wheel(True, 30)
        for _ in range(12):
            yield from self.wait(2)
            region = self.sidebar
            x = region.x + round(region.width * across)
            screen: list[str] = []
            for y in range(
                region.y + region.height - 4, region.y + EDGE, -round(STEP * self.scale)
            ):
                yield from self.move((x, y))
                yield
                here = self.below_mouse()
                screen.append(here)
                if text in here:
                    return x, y
            if screen == last:  # it scrolls no further
                break
            seen |= set(screen)
            last = screen
            yield from self.wheel(False, 8)
        raise LookupError(f"there is no button with {text!r} in the sidebar, only {sorted(seen)}")

    def picture(self, name: str) -> str:
        """Save what is on the screen; the file's name."""
        file = f"{self.prefix}_{name}.png"
        subprocess.run(["import", "-window", "root", str(self.folder / file)], check=True)
        return file

    def running(self) -> bool:
        """True while the generating operator runs."""
        return any(
            "blendshapes" in operator.bl_idname.lower() for operator in self.window.modal_operators
        )
