# SPDX-License-Identifier: GPL-3.0-or-later
"""The main job from the built zip: ARKit's 52 shapes and VRChat's 15 visemes on the sample head,
and a picture of them.

python3 scripts/dev.py demo
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
OUT = ROOT / "out"
sys.path.insert(0, str(ROOT))


@contextmanager
def timed(what: str) -> Iterator[None]:
    """Print how long a step took."""
    start = time.monotonic()
    yield
    print(f"{time.monotonic() - start:6.1f} s  {what}", flush=True)


def main() -> int:
    from scripts import build
    from scripts.bench import blender_profile

    OUT.mkdir(exist_ok=True)
    with timed("extension zip (dist)"):
        archive = build.build([build.this_platform()])[0]
    with tempfile.TemporaryDirectory(prefix="blendshape_profile_") as folder:
        blender_profile.enter(Path(folder))
        with timed("Blender started, extension installed into a throw-away profile"):
            import bpy

            bpy.ops.wm.read_factory_settings(use_empty=True)
            blender_profile.install(archive)
        from scripts.contact_sheet import render_sheet
        from scripts.samples.object import add_sample_head

        with timed("sample head modelled"):
            ob = add_sample_head()
        with timed("shape keys generated"):
            operators: Any = bpy.ops
            done = operators.blendshapes.generate(sets={"arkit", "vrchat"})
        mesh: Any = ob.data
        if done != {"FINISHED"} or mesh.shape_keys is None:
            print("No shape keys were made; the message above says why.", file=sys.stderr)
            return 1
        print(
            f"          {len(mesh.shape_keys.key_blocks) - 1} shape keys on"
            f" {len(mesh.vertices):,} vertices"
        )
        with timed("out/demo.blend saved"):
            bpy.ops.wm.save_as_mainfile(filepath=str(OUT / "demo.blend"))
        with timed("out/demo.png rendered"):
            render_sheet(ob, OUT / "demo.png")
        bpy.ops.preferences.addon_disable(module=blender_profile.EXTENSION)
    return 0


if __name__ == "__main__":
    from backend import streams

    sys.exit(streams.run(main))
