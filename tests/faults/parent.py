# SPDX-License-Identifier: GPL-3.0-or-later
"""A Blender without the rest of Blender: starts the child as the add-on does, brings it to a
moment, and says so.

python parent.py LOG MOMENT BY MODEL

MOMENT: start, idle, load, run, forked (another process holds the pipe, too). BY: main, or thread:
who starts the child. Prints the child's number, that of a process it forked or 0, then READY.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from fixtures.meshes import figure  # noqa: E402  (after the path is there)

from scripts.generate import load_extension  # noqa: E402

load_extension()

from blendshape_auto_generator.blendshape_addon.process.backend_process import Backend  # noqa: E402  (after the alias is there)
from blendshape_auto_generator.blendshape_addon.process.launch import Settings, plan  # noqa: E402

LOG, MOMENT, BY, MODEL = Path(sys.argv[1]), sys.argv[2], sys.argv[3], sys.argv[4]
backend = Backend(lambda: plan(ROOT, LOG, Settings()))


def ask(kind: str, **fields: Any) -> None:
    """Send a request about the figure that takes many seconds, and wait until the child is deep in
    it.
    """
    mesh = figure(60, 80)
    assert mesh.head_weights is not None
    arrays = (
        {"vertices": mesh.vertices, "triangles": mesh.triangles, "head_weights": mesh.head_weights}
        if kind == "generate"
        else None
    )
    backend.send(
        kind,
        fields | {"model": MODEL, "bones": {k: list(v) for k, v in mesh.bones.items()}},
        arrays,
    )
    found = kind == "load"
    while not found:  # after the face comes the model's run
        found = any(message.header["type"] == "face" for message in backend.wait(0.1))
    end = time.monotonic() + 0.5
    while time.monotonic() < end:
        assert all(message.header["type"] == "progress" for message in backend.wait(0.05)), (
            "done already"
        )


def main() -> None:
    backend.start()
    forked = 0
    if MOMENT == "forked":
        if sys.platform == "win32":
            return
        forked = os.fork()
        if not forked:
            time.sleep(60)
            os._exit(0)
    print(backend.pid, forked, flush=True)
    while MOMENT != "start" and backend.hello is None:
        backend.wait(0.1)
    if MOMENT == "load":
        ask("load")
    elif MOMENT == "run":
        ask("generate", sets=["arkit"], table=None, up=[0, 0, 1])
    print("READY", flush=True)
    while True:
        backend.wait(0.05)


if __name__ == "__main__":
    if BY == "thread":
        threading.Thread(target=main).start()
    else:
        main()
