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
WINDOWS = (
    "1_install",
    "2_select.ja",
    "panel_1600x900",
    "panel_2x",
    "panel_1000x700",
    "live",
    "landmarks",
)
LANGUAGES = ("", ".ja")  # in the names of pictures; the README is in both
WORDS = {
    "": {
        "sliders": "67 shape keys, one click",
        "before": "Before: a neutral mesh",
        "after": "After: 67 shape keys from one click",
        "first": "0 shape keys, no landmarks placed,",
        "second": "no base mesh, nothing painted",
    },
    ".ja": {
        "sliders": "ワンクリックで 67 個",
        "before": "ビフォー: 無表情のメッシュ",
        "after": "アフター: ワンクリックで 67 個のシェイプキー",
        "first": "シェイプキー 0 個、ランドマークなし、",
        "second": "素体なし、ペイントなし",
    },
}
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


def font(language: str, size: int) -> Any:
    """A font with the language's letters: Pillow's own, or the one that Blender has for
    Japanese.
    """
    if not language:
        return ImageFont.load_default(size)
    import bpy

    utilities: Any = bpy.utils  # the stubs lack this one
    folder = Path(utilities.system_resource("DATAFILES", path="fonts"))
    return ImageFont.truetype(str(next(folder.glob("Noto Sans CJK*"))), size)


def sliders(values: Mapping[str, float], language: str) -> Image.Image:
    """Some keys and their values, as Blender's list of shape keys has them."""
    picture = Image.new("RGB", (SIDE, HEAD), PAPER)
    draw, small = ImageDraw.Draw(picture), ImageFont.load_default(12)
    draw.text((12, 14), WORDS[language]["sliders"], INK, font(language, 16))
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


def alive(stage: Any) -> list[str]:
    """The moving picture: the head, and sliders that move it. Its names by language."""
    from scripts.show import film

    heads = [(stage.shot(pose, turn), pose, hold) for pose, hold, turn in film.frames()]
    return [film_of(heads, language) for language in LANGUAGES]


def film_of(heads: list[tuple[Image.Image, Mapping[str, float], int]], language: str) -> str:
    """The film with words in a language; its name. heads: pictures, their keys' values, and how
    long each is seen in ms.
    """
    shots = []
    for head, pose, _hold in heads:
        whole = Image.new("RGB", (HEAD + SIDE, HEAD), PAPER)
        whole.paste(head, (0, 0))
        whole.paste(sliders(pose, language), (HEAD, 0))
        shots.append(whole)
    palette = shots[0].quantize(COLOURS_OF_GIF, Image.Quantize.MEDIANCUT)
    flat = [shot.quantize(palette=palette, dither=Image.Dither.NONE) for shot in shots]
    name = f"alive{language}.gif"
    flat[0].save(
        IMAGES / name,
        save_all=True,
        append_images=flat[1:],
        duration=[hold for _head, _pose, hold in heads],
        loop=0,
        optimize=True,
    )
    return name


def before_after(stage: Any) -> list[str]:
    """The neutral head, and six of what its keys can do. The names by language."""
    from scripts.show import film

    poses = (
        (film.LAUGH, 0.0),
        (film.SMILE | {"eyeBlinkLeft": 1.0}, -film.SWAY),
        ({"vrc.v_aa": 1.0}, film.SWAY),
        (film.SURPRISE, 0.0),
        (film.LEFT, -film.SWAY),
        ({"vrc.v_oh": 1.0} | film.both("browOuterUp", 0.5), film.SWAY),
    )
    neutral, shots = stage.shot({}), [stage.shot(pose, turn) for pose, turn in poses]
    return [compared(neutral, shots, language) for language in LANGUAGES]


def compared(neutral: Image.Image, shots: list[Image.Image], language: str) -> str:
    """Before and after in one picture, with words in a language; its name."""
    words, small, told = font(language, 24), font(language, 16), WORDS[language]
    side, tile, top = 440, 294, 44
    whole = Image.new("RGB", (side + 20 + 3 * tile, top + 2 * tile), (255, 255, 255))
    draw = ImageDraw.Draw(whole)
    draw.text((8, 8), told["before"], INK, words)
    draw.text((side + 28, 8), told["after"], INK, words)
    whole.paste(neutral.resize((side, side)), (0, top))
    draw.text((8, top + side + 14), told["first"], INK, small)
    draw.text((8, top + side + 36), told["second"], INK, small)
    for place, shot in enumerate(shots):
        row, column = divmod(place, 3)
        whole.paste(shot.resize((tile, tile)), (side + 20 + column * tile, top + row * tile))
    name = f"before_after{language}.jpg"
    whole.save(IMAGES / name, quality=QUALITY)
    return name


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
                made += alive(stage)
            if "before_after" in wanted:
                made += before_after(stage)
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
    counts = {"alive": 2, "before_after": 2, "demo": 1, "panel": len(WINDOWS) + len(PANEL)}
    missing = sum(counts[kind] for kind in wanted) - len(made)
    print(
        f"Made {', '.join(made) or 'nothing'}." + f" {missing} could not be made." * bool(missing)
    )
    return int(bool(missing))


if __name__ == "__main__":
    from backend import streams

    sys.exit(streams.run(main))
