# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs inside a Blender with a window: plays one story with simulated mouse and keys, and writes
what it saw as JSON.

blender --enable-event-simulate FILE.blend --python drive.py -- STORY REPORT.json UI_SCALE

A story is a generator; at each `yield` Blender's own event loop goes on. Buttons are found as a
user finds them, by going down the sidebar with the mouse: Blender tells which operator or property
the button below the mouse belongs to.
"""

import importlib
import json
import sys
import traceback
from pathlib import Path

import bpy

sys.path.insert(0, str(Path(__file__).resolve().parent))
TICK = 0.01


def main() -> None:
    """Register the timer that plays the story."""
    story, report, scale = sys.argv[sys.argv.index("--") + 1 :]
    hand = importlib.import_module("hand")
    names = ("stories", "shape_stories", "face_stories", "tour_stories", "profile_story")
    modules = [importlib.import_module(name) for name in names]
    bpy.context.preferences.view.ui_scale = float(scale)
    bpy.context.preferences.view.show_splash = False
    bpy.context.preferences.filepaths.use_auto_save_temporary_files = False
    user = hand.Hand(Path(report).parent, f"{story}_{bpy.app.version[0]}{bpy.app.version[1]}")
    seen: dict[str, object] = {"version": bpy.app.version_string, "python": sys.version.split()[0]}
    steps = next(getattr(one, story) for one in modules if hasattr(one, story))(user, seen)

    def tick() -> float | None:
        try:
            next(steps)
            return TICK
        except StopIteration:
            pass
        except Exception:
            seen["error"] = traceback.format_exc()
            user.picture("error")
        Path(report).write_text(json.dumps(seen, indent=1), encoding="utf-8")
        bpy.ops.wm.quit_blender()
        return None

    bpy.app.timers.register(tick, first_interval=1.0, persistent=True)


main()
