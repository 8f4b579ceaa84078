# SPDX-License-Identifier: GPL-3.0-or-later
"""One side of one round of blender_against.py: the whole job in the bpy module, with the extension
and the backend of the tree that PYTHONPATH leads to.

python scripts/bench/inside.py FILE.blend CALLS

It imports nothing of its own tree, and of the side only what a script of a user's would. Prints a
line of JSON, for calls on the same mesh after one that does not count (`same`), and for calls on a
mesh that is a little larger each time, so that its face is looked for (`other`): the median of the
seconds that passed, and of the processor's seconds of Blender and the child together; how many keys
were made.
"""

from __future__ import annotations

import importlib
import json
import statistics
import sys
import time
from typing import Any

import bpy
import numpy as np
import psutil

LARGER = 2.0**-20  # as a share, from one mesh to the next


class Side:
    """The extension of this side, and the face's object."""

    def __init__(self, blend: str) -> None:
        generate = importlib.import_module("scripts.generate")
        self.extension = generate.load_extension()
        self.extension.register()
        self._modules = f"{generate.ALIAS}.blendshape_addon"
        self.job, self.session = self.module("job.generation"), self.module("job.session")
        bpy.ops.wm.open_mainfile(filepath=blend, use_scripts=False)
        self.ob: Any = bpy.context.view_layer.objects.active
        self.wanted = self.job.Options(sets=("arkit", "vrchat"))

    def module(self, name: str) -> Any:
        """A module of the add-on."""
        return importlib.import_module(f"{self._modules}.{name}")

    def call(self) -> tuple[float, float]:
        """The whole job on the mesh without keys: seconds, and the processor's."""
        self.ob.shape_key_clear()
        began, worked = time.perf_counter(), self._worked()
        self.job.generate_for_object(self.ob, self.wanted, self.session.backend)
        return time.perf_counter() - began, self._worked() - worked

    def grow(self) -> None:
        """Another mesh, by some units in the last place."""
        points = np.empty(3 * len(self.ob.data.vertices), np.float32)
        self.ob.shape_key_clear()
        self.ob.data.vertices.foreach_get("co", points)
        self.ob.data.vertices.foreach_set("co", points * np.float32(1 + LARGER))
        self.ob.data.update()

    def close(self) -> None:
        """End the child and leave nothing registered."""
        self.session.backend.stop()
        self.module("blender_io.scene_files").close_scene()
        self.extension.unregister()

    def _worked(self) -> float:
        pid = self.session.backend.pid
        of_child = psutil.Process(pid).cpu_times() if pid is not None else None
        child = of_child.user + of_child.system if of_child is not None else 0.0
        return time.process_time() + child


def main() -> None:
    """Measure, and print."""
    side, calls = Side(sys.argv[1]), int(sys.argv[2])
    try:
        side.call()
        same = [side.call() for _ in range(calls)]
        other = []
        for _ in range(calls):
            side.grow()
            other.append(side.call())
        keys = len(side.ob.data.shape_keys.key_blocks) - 1
    finally:
        side.close()
    found: dict[str, Any] = {"keys": keys}
    for name, rows in (("same", same), ("other", other)):
        seconds, work = zip(*rows, strict=True)
        found |= {f"{name}_s": statistics.median(seconds), f"{name}_work": statistics.median(work)}
    print(json.dumps(found))


if __name__ == "__main__":
    main()
