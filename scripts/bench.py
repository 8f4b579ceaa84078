# SPDX-License-Identifier: GPL-3.0-or-later
"""How long the main job takes from the call inside Blender to written keys, and what the child needs.

    python3 scripts/dev.py bench [--blend FILE.blend] [--object NAME] [--repeat 5] [-- --quick --json --plot FILE.svg]

The first line includes starting the child. Then `python -m backend bench` measures the child alone, with the same object.
"""

from __future__ import annotations

import argparse
import importlib
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--blend", type=Path, help="file with an avatar; the sample head otherwise")
    parser.add_argument("--object", help="the object with the face; the active one otherwise")
    parser.add_argument("--repeat", type=int, default=5, help="calls; the middle one of those after the first counts")
    parser.add_argument("engine", nargs="*", help="handed on to `python -m backend bench`, after --")
    options = parser.parse_args()

    import bpy
    import numpy as np

    from scripts.generate import ALIAS, load_extension
    from scripts.sample_object import add_sample_head

    extension = load_extension()
    extension.register()  # its properties hold the landmarks
    mesh_io = importlib.import_module(f"{ALIAS}.blendshape_addon.mesh_io")
    job = importlib.import_module(f"{ALIAS}.blendshape_addon.job")
    session = importlib.import_module(f"{ALIAS}.blendshape_addon.session")
    if options.blend:
        bpy.ops.wm.open_mainfile(filepath=str(options.blend))
        ob = bpy.data.objects[options.object] if options.object else bpy.context.view_layer.objects.active
    else:
        bpy.ops.wm.read_factory_settings(use_empty=True)
        ob = add_sample_head()
    wanted = job.Options(sets=("arkit", "vrchat"))
    seconds = []
    for _ in range(options.repeat):
        ob.shape_key_clear()
        start = time.perf_counter()
        outcome = job.generate_for_object(ob, wanted, session.backend)
        seconds.append(time.perf_counter() - start)
    session.backend.stop()
    gathered = mesh_io.gather(ob, "", False).arrays()
    extension.unregister()  # Blender crashes at its end when classes are left
    print(outcome.line)
    print(f"first call, child's start included  {seconds[0]:7.3f} s")
    if len(seconds) > 1:
        print(f"later calls, median of {len(seconds) - 1:<13}{statistics.median(seconds[1:]):7.3f} s")
    for stage, value in outcome.seconds.items():
        for name, took in value.items() if isinstance(value, dict) else [("", value)]:
            print(f"  {stage + ' ' + name:<34}{took:7.3f} s")
    print(f"child's peak memory                 {outcome.report['peak_memory_mb']:7.1f} MB")
    with tempfile.TemporaryDirectory() as folder:
        mesh = Path(folder) / "mesh.npz"
        np.savez(mesh, **gathered)
        command = [sys.executable, "-m", "backend", "bench", "--mesh", str(mesh), "--repeat", str(options.repeat), *options.engine]
        return subprocess.run(command, cwd=ROOT, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
