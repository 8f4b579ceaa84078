# SPDX-License-Identifier: GPL-3.0-or-later
"""Hundreds of runs of the operator in one Blender with one child: does memory, do handles, threads
or temporary files grow?

python3 scripts/dev.py soak [--generations 1000] [--switches 100] [--record]

Every tenth generation is of the whole sample head, the others of a quarter of it; keys are now and
then removed and made anew. A switch is to another model file, which is loaded from the disk since
it was written after its last use. Slopes are least squares over the run without its first fifth, in
which pools fill. It fails (exit code 1) where growth is over the limits below.
"""

from __future__ import annotations

import argparse
import importlib
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from scripts.tools import reliability  # noqa: E402  (after the path is there)

WARM_UP = 0.2  # of the run
MODELS = 4  # files that switches go round
# what a run may grow by in all: less than one head's keys in memory, and none of what is counted in
# whole numbers
LIMITS = {
    "child_mb": 10.0,
    "blender_mb": 10.0,
    "child_handles": 1.0,
    "blender_handles": 1.0,
    "child_threads": 1.0,
    "temporary_files": 1.0,
}


def growth(steps: list[float], values: list[float]) -> dict[str, float]:
    """Slope per 1,000 steps with its standard error, and the growth over the run that the slope
    stands for; without the first fifth.
    """
    keep = int(len(steps) * WARM_UP)
    x, y = np.array(steps[keep:], np.float64), np.array(values[keep:], np.float64)
    if len(x) < 3 or x[-1] == x[0]:
        return {
            "first": values[0],
            "last": values[-1],
            "per_1000": 0.0,
            "error": 0.0,
            "over_run": 0.0,
        }
    slope, offset = np.polyfit(x, y, 1)
    rest = y - (slope * x + offset)
    error = float(np.sqrt((rest**2).sum() / (len(x) - 2) / ((x - x.mean()) ** 2).sum()))
    return {
        "first": round(float(y[0]), 2),
        "last": round(float(y[-1]), 2),
        "per_1000": round(float(slope) * 1000, 3),
        "error": round(error * 1000, 3),
        "over_run": round(float(slope * (x[-1] - x[0])), 3),
    }


def handles(process: Any) -> int:
    """Open descriptors, on Windows handles."""
    return int(process.num_handles() if sys.platform == "win32" else process.num_fds())


def files_in(folders: list[Path]) -> int:
    """Files below the folders that hold what Blender and the child write."""
    return sum(1 for folder in folders for path in folder.rglob("*") if path.is_file())


def model_files(folder: Path) -> list[Path]:
    """Copies of the shipped pair under other names; the decoders' paths."""
    shipped = ROOT / "backend" / "models"
    found = []
    for number in range(MODELS):
        for role in ("encoder", "decoder"):
            shutil.copyfile(shipped / f"face.{role}.onnx", folder / f"soak{number}.{role}.onnx")
        found.append(folder / f"soak{number}.decoder.onnx")
    return found


class Watch:
    """What is measured of this Blender and its child while it runs, by name in `series`."""

    def __init__(self, session: Any, scratch: Path) -> None:
        import psutil

        self._psutil, self.session, self.scratch = psutil, session, scratch
        self.blender = psutil.Process()
        self.child: Any = None
        self.steps: list[float] = []
        self.series: dict[str, list[float]] = {name: [] for name in LIMITS}

    def find_child(self) -> None:
        """Take the process that computes now."""
        if self.child is None or self.child.pid != self.session.backend.pid:
            self.child = self._psutil.Process(self.session.backend.pid)

    def look(self, step: int) -> None:
        """Measure everything once."""
        series = self.series
        self.steps.append(step)
        series["child_mb"].append(self.child.memory_info().rss / 2**20)
        series["blender_mb"].append(self.blender.memory_info().rss / 2**20)
        series["child_handles"].append(handles(self.child))
        series["blender_handles"].append(handles(self.blender))
        # the most so far: which number of threads a trial finds best comes and goes
        threads = float(self.child.num_threads())
        series["child_threads"].append(max([threads, *series["child_threads"][-1:]]))
        series["temporary_files"].append(files_in([self.scratch]))

    def children_left(self) -> int:
        """Processes that this one has started and that still run."""
        alive = self._psutil.Process().children(recursive=True)
        return sum(process.status() != self._psutil.STATUS_ZOMBIE for process in alive)


def two_heads(bpy: Any) -> tuple[Any, Any]:
    """The sample head, and one of a quarter of it."""
    from scripts.samples.object import add_sample_head

    bpy.ops.wm.read_factory_settings(use_empty=True)
    whole, small = add_sample_head(name="Whole"), add_sample_head(name="Small")
    bpy.context.view_layer.objects.active = small
    thinner: Any = small.modifiers.new("Decimate", "DECIMATE")
    thinner.ratio = 0.25
    bpy.ops.object.modifier_apply(modifier="Decimate")
    return whole, small


def renewed(decoder: Path) -> str:
    """The path of a pair whose files were written just now, so that the child loads them anew."""
    for role in ("encoder", "decoder"):
        other = decoder.with_name(decoder.name.replace("decoder", role))
        other.write_bytes(other.read_bytes())
    return str(decoder)


def soak(generations: int, switches: int, say: bool = True) -> dict[str, Any]:
    """Run it in this process, which becomes a Blender; figures for reliability.record."""
    scratch = Path(tempfile.mkdtemp(prefix="soak-"))
    # so that everything temporary, Blender's and the child's too, can be counted
    tempfile.tempdir = str(scratch)
    os.environ.update(dict.fromkeys(("TMPDIR", "TEMP", "TMP", "XDG_CACHE_HOME"), str(scratch)))
    models = model_files(Path(tempfile.mkdtemp(prefix="models-")))

    import bpy

    from scripts.generate import ALIAS, load_extension

    root = load_extension()
    root.register()
    session = importlib.import_module(f"{ALIAS}.blendshape_addon.job.session")
    whole, small = two_heads(bpy)
    operators: Any = bpy.ops
    watch = Watch(session, scratch)
    failed, switched, model = 0, 0, ""
    began = time.monotonic()
    for step in range(1, generations + 1):
        if switched < switches and step * switches // generations > switched:
            model, switched = renewed(models[switched % MODELS]), switched + 1
        bpy.context.view_layer.objects.active = whole if step % 10 == 0 else small
        if step % 25 == 0:
            operators.blendshapes.remove()
        done = operators.blendshapes.generate(sets={"arkit", "vrchat"}, model=model)
        failed += done != {"FINISHED"}
        watch.find_child()
        if step % max(generations // 100, 1) == 0:
            watch.look(step)
            if say:
                last = (f"{name} {values[-1]:.1f}" for name, values in watch.series.items())
                print(f"{step:6d}  " + "  ".join(last), flush=True)
    seconds = time.monotonic() - began
    root.unregister()
    left = watch.children_left()
    shutil.rmtree(scratch, ignore_errors=True)
    figures = {name: growth(watch.steps, values) for name, values in watch.series.items()}
    return {
        "command": f"python3 scripts/dev.py soak --generations {generations} --switches {switches}",
        "generations": generations,
        "switches": switched,
        "failed": failed,
        "seconds": round(seconds, 1),
        "children_left": left,
        "growth": figures,
        "grown": [name for name, limit in LIMITS.items() if figures[name]["over_run"] > limit],
    }


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--generations", type=int, default=1000)
    parser.add_argument("--switches", type=int, default=100)
    parser.add_argument(
        "--record", action="store_true", help="write the figures into docs/design/reliability.md"
    )
    options = parser.parse_args()
    found = soak(options.generations, options.switches)
    print(
        f"\n{found['generations']} generations, {found['switches']} switches,"
        f" {found['failed']} failed, {found['seconds']:.0f} s"
    )
    for name, figures in found["growth"].items():
        grown = "GROWS" if name in found["grown"] else "steady"
        print(
            f"{name:16} {figures['per_1000']:9.3f} +- {figures['error']:.3f} per 1,000;"
            f" {figures['over_run']:+.3f} in all: {grown}"
        )
    if options.record:
        reliability.record("soak", found)
    return int(bool(found["grown"] or found["failed"] or found["children_left"]))


if __name__ == "__main__":
    sys.exit(main())
