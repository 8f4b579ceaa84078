# SPDX-License-Identifier: GPL-3.0-or-later
"""The pictures of the panel in docs/guide, made anew: a story in a real window, and rings around
what one clicks.

.venv/bin/python scripts/tools/gui_test_pictures.py [--blender 5.2] [--keep]     needs Linux and
    root, see
    docs/design/window-tests.md
"""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from scripts.tools import gui_test_machine as gui  # noqa: E402

IMAGES = ROOT / "docs" / "images"
SIZE = (1440, 860)
RING = (255, 64, 64)
RADIUS = 17  # pixels
QUALITY = 88
STEPS = ("install", "select", "generate", "result", "check")
# Story, its picture, window, UI scale, and the picture's name in docs/images
OTHERS = (
    ("layout", "result", (1600, 900), 1.0, "panel_1600x900.jpg"),
    ("layout", "result", (1600, 900), 2.0, "panel_2x.jpg"),
    ("layout", "result", (1000, 700), 1.0, "panel_1000x700.jpg"),
    ("live_story", "live", SIZE, 1.0, "live.jpg"),
    ("by_hand_story", "guide", SIZE, 1.0, "landmarks.jpg"),
    ("select_japanese_story", "select", SIZE, 1.0, "2_select.ja.jpg"),
)


def ringed(path: Path, places: Sequence[Sequence[int]]) -> Image.Image:
    """A picture with a ring around each place, given in pixels from the top left."""
    picture = Image.open(path).convert("RGB")
    draw = ImageDraw.Draw(picture)
    for x, y in places:
        for colour, width, radius in (((0, 0, 0), 6, RADIUS + 1), (RING, 4, RADIUS)):
            draw.ellipse(
                (x - radius, y - radius, x + radius, y + radius), outline=colour, width=width
            )
    return picture


def save_drawn_head(path: Path) -> None:
    """Write a .blend with the drawn head; Blender as a module makes it, since a window's has no
    SciPy.
    """
    import bpy

    from scripts.samples.drawn_object import add_drawn_head

    bpy.ops.wm.read_factory_settings(use_empty=True)
    add_drawn_head()
    bpy.ops.wm.save_as_mainfile(filepath=str(path), compress=False)


def of_first_face(machine: gui.Machine, run: Path) -> bool:
    """Make the five pictures of the first face; false where the story fails, which is told."""
    seen = machine.play("readme_story", "head.blend", SIZE, seconds=600)
    if "error" in seen:
        print(seen["error"], file=sys.stderr)
        return False
    for number, shot in enumerate(seen["shots"], 1):
        picture = ringed(run / shot["file"], shot["places"])
        picture.save(IMAGES / f"{number}_{shot['name']}.jpg", quality=QUALITY)
    return True


def of_story(machine: gui.Machine, run: Path, *row: Any) -> bool:
    """Make the picture of a row of OTHERS; false where its story fails, which is told."""
    story, picture, size, scale, name = row
    seen = machine.play(story, "head.blend", size, scale, seconds=600)
    if "error" in seen:
        print(seen["error"], file=sys.stderr)
        return False
    ringed(run / seen[picture], seen.get("places", ())).save(IMAGES / name, quality=QUALITY)
    return True


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--blender", choices=list(gui.RELEASES), default="5.2", help="which Blender to show"
    )
    parser.add_argument(
        "--keep", action="store_true", help="use the extension and file that the last run has left"
    )
    parser.add_argument("--only", choices=("readme", "others"), help="some of the pictures")
    options = parser.parse_args()
    run = gui.FOLDER / f"run-{options.blender}"
    if not options.keep:
        shutil.rmtree(run, ignore_errors=True)
        run.mkdir(parents=True)
    try:
        machine = (
            gui.Machine(gui.install(options.blender), run)
            if options.keep
            else gui.machine(options.blender, run)
        )
    except gui.Unavailable as reason:
        print(f"No pictures: {reason}.", file=sys.stderr)
        return 1
    if not options.keep:
        save_drawn_head(run / "drawn.blend")
        command = ["blender", "-b", "--python", f"{gui.REPOSITORY}/tests/gui/make_head.py", "--"]
        machine.execute([*command, f"{gui.RUN}/head.blend", f"{gui.RUN}/drawn.blend"])
    IMAGES.mkdir(parents=True, exist_ok=True)
    made = []
    if options.only != "others":
        made.append(of_first_face(machine, run))
    if options.only != "readme":
        made += [of_story(machine, run, *row) for row in OTHERS]
    return int(not all(made))


if __name__ == "__main__":
    sys.exit(main())
