# SPDX-License-Identifier: GPL-3.0-or-later
"""All pictures of the README and of docs, made by the product as it is now.

python3 scripts/dev.py pictures [--only alive,demo,...]

`alive`, `before_after` and `demo` need nothing more than the demo does. `panel` needs Linux, root
and debootstrap, see docs/design/window-tests.md. What cannot be made is told, and the old picture
stays. docs/images/versions.json says of each picture what made it, with which version.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw, ImageFont

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

IMAGES = ROOT / "docs" / "images"
VERSIONS = IMAGES / "versions.json"
KINDS = ("alive", "before_after", "demo", "panel")
PANEL = ("2_select", "3_generate", "4_result", "5_check")
WINDOWS = ("1_install", "panel_1600x900", "panel_2x", "panel_1000x700", "live", "landmarks")
HEAD, SIDE = 440, 250  # pixels: the head's square, the sliders beside it
COLOURS_OF_GIF = 96
QUALITY = 85
DEMO_WIDTH = 1200
PAPER, INK, BAR, TRACK = (230, 239, 248), (40, 34, 52), (229, 105, 140), (206, 217, 230)  # sRGB
SLIDERS = (
    "eyeBlinkLeft",
    "eyeBlinkRight",
    "eyeLookOutLeft",
    "eyeLookInLeft",
    "eyeWideLeft",
    "browInnerUp",
    "jawOpen",
    "mouthSmileLeft",
    "mouthSmileRight",
    "mouthPucker",
    "vrc.v_aa",
    "vrc.v_ih",
    "vrc.v_ou",
    "vrc.v_e",
    "vrc.v_oh",
)


def sliders(values: Mapping[str, float]) -> Image.Image:
    """Some keys and their values, as Blender's list of shape keys has them."""
    picture = Image.new("RGB", (SIDE, HEAD), PAPER)
    draw, small = ImageDraw.Draw(picture), ImageFont.load_default(12)
    draw.text((12, 14), "67 shape keys, one click", INK, ImageFont.load_default(16))
    step = (HEAD - 62) / len(SLIDERS)
    for place, name in enumerate(SLIDERS):
        top, value = 50 + place * step, values.get(name, 0.0)
        draw.text((12, top), name, INK, small)
        left, right, middle = 124, SIDE - 14, top + 8
        draw.rounded_rectangle((left, middle - 5, right, middle + 5), 5, TRACK)
        if value > 0.02:
            end = left + 10 + (right - left - 10) * min(value, 1.0)
            draw.rounded_rectangle((left, middle - 5, end, middle + 5), 5, BAR)
    return picture


def alive(stage: Any) -> None:
    """The moving picture: the head, and sliders that move it."""
    from scripts.show import film

    shots, holds = [], []
    for pose, hold, turn in film.frames():
        whole = Image.new("RGB", (HEAD + SIDE, HEAD), PAPER)
        whole.paste(stage.shot(pose, turn), (0, 0))
        whole.paste(sliders(pose), (HEAD, 0))
        shots.append(whole)
        holds.append(hold)
    palette = shots[0].quantize(COLOURS_OF_GIF, Image.Quantize.MEDIANCUT)
    flat = [shot.quantize(palette=palette, dither=Image.Dither.NONE) for shot in shots]
    flat[0].save(
        IMAGES / "alive.gif",
        save_all=True,
        append_images=flat[1:],
        duration=holds,
        loop=0,
        optimize=True,
    )


def before_after(stage: Any) -> None:
    """The neutral head, and six of what its keys can do."""
    from scripts.show import film

    words, small = ImageFont.load_default(24), ImageFont.load_default(16)
    side, tile, top = 440, 294, 44
    whole = Image.new("RGB", (side + 20 + 3 * tile, top + 2 * tile), (255, 255, 255))
    draw = ImageDraw.Draw(whole)
    draw.text((8, 8), "Before: a neutral mesh", INK, words)
    draw.text((side + 28, 8), "After: 67 shape keys from one click", INK, words)
    whole.paste(stage.shot({}).resize((side, side)), (0, top))
    draw.text((8, top + side + 14), "0 shape keys, no landmarks placed,", INK, small)
    draw.text((8, top + side + 36), "no base mesh, nothing painted", INK, small)
    poses = (
        (film.LAUGH, 0.0),
        (film.SMILE | {"eyeBlinkLeft": 1.0}, -film.SWAY),
        ({"vrc.v_aa": 1.0}, film.SWAY),
        (film.SURPRISE, 0.0),
        (film.LEFT, -film.SWAY),
        ({"vrc.v_oh": 1.0} | film.both("browOuterUp", 0.5), film.SWAY),
    )
    for place, (pose, turn) in enumerate(poses):
        row, column = divmod(place, 3)
        whole.paste(
            stage.shot(pose, turn).resize((tile, tile)),
            (side + 20 + column * tile, top + row * tile),
        )
    whole.save(IMAGES / "before_after.jpg", quality=QUALITY)


def by_blender(wanted: set[str]) -> list[str]:
    """Make what needs Blender as a module alone; the names of pictures that were made."""
    from scripts import demo

    made: list[str] = []
    with demo.product() as bpy:
        from scripts.samples.drawn_object import add_drawn_head
        from scripts.samples.object import add_sample_head
        from scripts.show import film

        heads = [add_drawn_head()]
        if "demo" in wanted:
            heads.append(add_sample_head())
            heads[1].location.x = demo.APART
        if not all(demo.generate(bpy, ob) for ob in heads):
            return made
        if "demo" in wanted:
            demo.OUT.mkdir(exist_ok=True)
            demo.sheets(heads, demo.OUT / "demo.png")
            with Image.open(demo.OUT / "demo.png") as picture:
                size = (DEMO_WIDTH, round(picture.height * DEMO_WIDTH / picture.width))
                picture.convert("RGB").resize(size).save(IMAGES / "demo.jpg", quality=QUALITY)
            made.append("demo.jpg")
            heads[1].hide_render = True
        if wanted & {"alive", "before_after"}:
            stage = film.Stage(heads[0], HEAD)
            if "alive" in wanted:
                alive(stage)
                made.append("alive.gif")
            if "before_after" in wanted:
                before_after(stage)
                made.append("before_after.jpg")
    return made


def by_window() -> list[str]:
    """Make the pictures of the panel; the names of those that were made."""
    command, began = [sys.executable, "-m", "scripts.tools.gui_test_pictures"], time.time()
    subprocess.run(command, cwd=ROOT, check=False)
    names = [f"{name}.jpg" for name in (*WINDOWS, *PANEL)]
    return [name for name in names if (IMAGES / name).stat().st_mtime > began]


def record(made: list[str]) -> None:
    """Write into versions.json what was made, with which version of product, model and Blender."""
    import bpy

    manifest = tomllib.loads((ROOT / "blender_manifest.toml").read_text(encoding="utf-8"))
    known: dict[str, dict[str, str]] = json.loads(VERSIONS.read_text(encoding="utf-8"))
    for name in made:
        window = name.removesuffix(".jpg") in (*WINDOWS, *PANEL)
        known[name] = {
            "version": manifest["version"],
            "blender": "5.2, in a window" if window else bpy.app.version_string,
            "made_by": "python3 scripts/dev.py pictures",
        }
    text = json.dumps(dict(sorted(known.items())), indent=1, ensure_ascii=False)
    VERSIONS.write_text(text + "\n", encoding="utf-8")


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", default=",".join(KINDS), help=f"some of {', '.join(KINDS)}")
    wanted = set(parser.parse_args().only.split(","))
    if wanted - set(KINDS):
        parser.error(f"there is no picture called {', '.join(sorted(wanted - set(KINDS)))}")
    made = by_blender(wanted - {"panel"}) if wanted - {"panel"} else []
    if "panel" in wanted:
        made += by_window()
    record(made)
    counts = {"alive": 1, "before_after": 1, "demo": 1, "panel": len(WINDOWS) + len(PANEL)}
    missing = sum(counts[kind] for kind in wanted) - len(made)
    print(
        f"Made {', '.join(made) or 'nothing'}." + f" {missing} could not be made." * bool(missing)
    )
    return int(bool(missing))


if __name__ == "__main__":
    from backend import streams

    sys.exit(streams.run(main))
