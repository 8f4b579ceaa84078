# SPDX-License-Identifier: GPL-3.0-or-later
"""The main job from the built zip: ARKit's 52 shapes and VRChat's 15 visemes on a drawn head and on
a realistic one, and a picture of them.

python3 scripts/dev.py demo
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import bpy

ROOT = Path(__file__).resolve().parents[1]
OUT = ROOT / "out"
sys.path.insert(0, str(ROOT))

SETS = {"arkit", "vrchat"}
APART = 0.6  # metres, between the two heads


@contextmanager
def timed(what: str) -> Iterator[None]:
    """Print how long a step took."""
    start = time.monotonic()
    yield
    print(f"{time.monotonic() - start:6.1f} s  {what}", flush=True)


@contextmanager
def product() -> Iterator[Any]:
    """Blender as a module with an empty file, and the extension in it as users have it: built,
    installed from its zip into a throw-away profile. Yields bpy.
    """
    from scripts import build
    from scripts.bench import blender_profile

    with timed("extension zip (dist)"):
        archive = build.build([build.this_platform()])[0]
    with tempfile.TemporaryDirectory(prefix="blendshape_profile_") as folder:
        blender_profile.enter(Path(folder))
        with timed("Blender started, extension installed into a throw-away profile"):
            import bpy

            bpy.ops.wm.read_factory_settings(use_empty=True)
            blender_profile.install(archive)
        yield bpy
        bpy.ops.preferences.addon_disable(module=blender_profile.EXTENSION)


def generate(bpy: Any, ob: bpy.types.Object) -> bool:
    """Make the keys of SETS on the object; false if none were made, which is told."""
    bpy.context.view_layer.objects.active = ob
    with timed(f"shape keys generated on {ob.name}"):
        done = bpy.ops.blendshapes.generate(sets=SETS)
    mesh: Any = ob.data
    if done != {"FINISHED"} or mesh.shape_keys is None:
        print("No shape keys were made; the message above says why.", file=sys.stderr)
        return False
    print(
        f"          {len(mesh.shape_keys.key_blocks) - 1} shape keys on"
        f" {len(mesh.vertices):,} vertices"
    )
    return True


def sheets(heads: list[bpy.types.Object], out: Path) -> None:
    """The contact sheets of all heads in one picture, one below the other."""
    from PIL import Image

    from scripts.contact_sheet import render_sheet

    pictures = []
    with tempfile.TemporaryDirectory() as folder:
        for ob in heads:
            others = [other for other in heads if other is not ob]
            for other in others:
                other.hide_set(True)
            path = Path(folder) / f"{ob.name}.png"
            render_sheet(ob, path)
            for other in others:
                other.hide_set(False)
            with Image.open(path) as picture:
                pictures.append(picture.convert("RGB"))
    whole = Image.new("RGB", (pictures[0].width, sum(each.height for each in pictures)))
    top = 0
    for each in pictures:
        whole.paste(each, (0, top))
        top += each.height
    whole.save(out)


def main() -> int:
    OUT.mkdir(exist_ok=True)
    with product() as bpy:
        from scripts.samples.drawn_object import add_drawn_head
        from scripts.samples.object import add_sample_head

        with timed("heads modelled"):
            heads = [add_drawn_head(), add_sample_head()]
            heads[1].location.x = APART
        if not all(generate(bpy, ob) for ob in heads):
            return 1
        with timed("out/demo.blend saved"):
            bpy.ops.wm.save_as_mainfile(filepath=str(OUT / "demo.blend"))
        with timed("out/demo.png rendered"):
            sheets(heads, OUT / "demo.png")
    return 0


if __name__ == "__main__":
    from backend import streams

    sys.exit(streams.run(main))
