# SPDX-License-Identifier: GPL-3.0-or-later
"""How long the main job takes from the call inside Blender to written keys, and what the child
needs.

    python3 scripts/dev.py bench [--blend FILE.blend] [--object NAME] [--repeat 5] [-- --quick
        --json --plot FILE.svg]
    python3 scripts/dev.py bench --against REVISION [--rounds 9] [--mesh FILE.npz] [--blend
        FILE.blend] [--json] [--quick]

The first line includes starting the child. Then child.py measures the child alone, with the same
object; with --child nothing else is measured, and neither Blender nor the add-on is needed. With
--against the backend of this tree and that of a revision of Git work in turns on the same heads,
see against.py.
"""

from __future__ import annotations

import argparse
import importlib
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

import numpy as np  # noqa: E402  (after the path is there)

from scripts.bench import against, child  # noqa: E402


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--blend", type=Path, help="file with an avatar; the sample head otherwise")
    parser.add_argument("--object", help="the object with the face; the active one otherwise")
    parser.add_argument(
        "--repeat",
        type=int,
        default=5,
        help="calls; the middle one of those after the first counts",
    )
    parser.add_argument(
        "--against",
        metavar="REVISION",
        help="compare with a revision instead: its request times, cold start and memory",
    )
    parser.add_argument("--rounds", type=int, default=against.ROUNDS, help="of --against")
    parser.add_argument(
        "--mesh",
        type=Path,
        help="of --against: one more mesh, vertices (V,3) and triangles (T,3) in an .npz file",
    )
    parser.add_argument("--json", action="store_true", help="of --against: print JSON")
    parser.add_argument(
        "--quick",
        action="store_true",
        help="of --against: a small head alone, to see that it works",
    )
    parser.add_argument("engine", nargs="*", help="handed on to child.py, after --")
    parser.add_argument(
        "--child", nargs=argparse.REMAINDER, help="the child alone; all that follows is child.py's"
    )
    options = parser.parse_args()
    if options.child is not None:
        return child.main(options.child)
    if options.against is None:
        return measure(options)
    if options.rounds < 1:
        parser.error("--rounds must be 1 or more")
    return compare(options)


def compare(options: argparse.Namespace) -> int:
    """This tree against a revision, as text or JSON."""
    with tempfile.TemporaryDirectory() as folder:
        meshes: dict[str, Any] = dict(against.heads(options.quick))
        if options.mesh:
            meshes[options.mesh.stem] = options.mesh
        if options.blend:
            meshes[options.blend.stem] = Path(folder) / "blend.npz"
            _, ob, mesh_io, close = opened(options)
            np.savez(meshes[options.blend.stem], **mesh_io.gather(ob, "", False).arrays())
            close()
        try:
            report = against.against(options.against, meshes, options.rounds)
        except (against.NoComparisonError, OSError) as error:
            print(error, file=sys.stderr)
            return 1
    print(json.dumps(report, indent=1) if options.json else against.text(report))
    return 0


def opened(
    options: argparse.Namespace,
) -> tuple[Callable[[str], Any], Any, Any, Callable[[], None]]:
    """The extension registered and the object chosen: a function that gives the add-on's modules,
    the object, mesh_io, and what ends it.
    """
    import bpy

    from scripts.generate import ALIAS, load_extension
    from scripts.samples.object import add_sample_head

    extension = load_extension()
    extension.register()  # its properties hold the landmarks

    def module(name: str) -> Any:
        return importlib.import_module(f"{ALIAS}.blendshape_addon.{name}")

    if options.blend:
        bpy.ops.wm.open_mainfile(filepath=str(options.blend), use_scripts=False)
        ob = (
            bpy.data.objects[options.object]
            if options.object
            else bpy.context.view_layer.objects.active
        )
    else:
        bpy.ops.wm.read_factory_settings(use_empty=True)
        ob = add_sample_head()

    def close() -> None:
        module("blender_io.scene_files").close_scene()
        extension.unregister()  # Blender crashes at its end when classes are left

    return module, ob, module("blender_io.mesh_io"), close


def measure(options: argparse.Namespace) -> int:
    """The main job inside Blender, then the child alone."""
    module, ob, mesh_io, close = opened(options)
    job, session = module("job.generation"), module("job.session")
    wanted = job.Options(sets=("arkit", "vrchat"))
    seconds = []
    for _ in range(options.repeat):
        ob.shape_key_clear()
        start = time.perf_counter()
        outcome = job.generate_for_object(ob, wanted, session.backend)
        seconds.append(time.perf_counter() - start)
    session.backend.stop()
    gathered = mesh_io.gather(ob, "", False).arrays()
    close()
    print(outcome.line)
    print(f"first call, child's start included  {seconds[0]:7.3f} s")
    if len(seconds) > 1:
        print(
            f"later calls, median of {len(seconds) - 1:<13}{statistics.median(seconds[1:]):7.3f} s"
        )
    for stage, value in outcome.seconds.items():
        for name, took in value.items() if isinstance(value, dict) else [("", value)]:
            print(f"  {stage + ' ' + name:<34}{took:7.3f} s")
    print(f"child's peak memory                 {outcome.report['peak_memory_mb']:7.1f} MB")
    with tempfile.TemporaryDirectory() as folder:
        mesh = Path(folder) / "mesh.npz"
        np.savez(mesh, **gathered)
        command = [
            sys.executable,
            child.__file__,
            "--mesh",
            str(mesh),
            "--repeat",
            str(options.repeat),
            *options.engine,
        ]
        return subprocess.run(command, cwd=ROOT, check=False).returncode


if __name__ == "__main__":
    from backend import streams

    sys.exit(streams.run(main))
