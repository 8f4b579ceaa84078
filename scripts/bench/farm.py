# SPDX-License-Identifier: GPL-3.0-or-later
"""What several Blenders at once bring, what the batch itself costs, and whether children are better
shared.

python3 scripts/dev.py farm-bench [--heads 30] [--jobs 2] [--data FOLDER] [--json]

The heads are avatars (FOLDER with those of this project's developers; without them the repository's
own head), each scaled, turned and re-tessellated in a way of its own. They are made once, in
build/farm-bench. Times mean something only on a machine that does nothing else; the load is
reported.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "build" / "farm-bench"
AVATARS = ROOT.parent / "shared"
GENERATE = ROOT / "scripts" / "generate.py"


def make_heads(count: int, data: Path) -> None:
    """Write `count` heads as .blend files, in a process that has bpy."""
    sys.path.insert(0, str(ROOT))
    import math

    import bpy
    from mathutils import Matrix

    from scripts.samples.object import add_sample_head
    from scripts.samples.surface import HeadSpec

    (FOLDER / "heads").mkdir(parents=True, exist_ok=True)
    ruler = data / "eval" / "avatar_eval.py"
    avatars = sorted((data / "data" / "avatars").glob("*.npz")) if ruler.exists() else []
    for number in range(count):
        target = FOLDER / "heads" / f"head{number:02}.blend"
        if target.exists():
            continue
        if avatars:
            source = avatars[number % len(avatars)]
            built = FOLDER / f"{source.stem}.blend"
            if not built.exists():
                subprocess.run(
                    [sys.executable, str(ruler), "build", str(source), str(built)],
                    check=True,
                    stdout=subprocess.DEVNULL,
                )
            bpy.ops.wm.open_mainfile(filepath=str(built), load_ui=False, use_scripts=False)
        else:
            bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
            add_sample_head(HeadSpec())
        change = Matrix.Rotation(math.radians(7 * number), 4, "Z") @ Matrix.Scale(
            (0.01, 0.5, 1.0, 2.0, 100.0)[number % 5], 4
        )
        for ob in bpy.data.objects:
            if ob.type in ("MESH", "ARMATURE"):
                held: Any = ob.data
                held.transform(change)
        meshes = [ob for ob in bpy.data.objects if ob.type == "MESH"]
        for ob in meshes if number % 3 else ():
            _remesh(bpy, ob, 0.6 + 0.05 * (number % 7))
        bpy.ops.wm.save_as_mainfile(filepath=str(target))


def _remesh(bpy: Any, ob: Any, ratio: float) -> None:
    """Other triangles for the same surface: some are collapsed."""
    bpy.context.view_layer.objects.active = ob
    modifier = ob.modifiers.new("Decimate", "DECIMATE")
    modifier.ratio = ratio
    while ob.modifiers[0] != modifier:
        bpy.ops.object.modifier_move_up(modifier=modifier.name)
    bpy.ops.object.modifier_apply(modifier=modifier.name)


def timed_run(jobs: int, heads: Path) -> tuple[float, dict[str, Any], dict[str, bytes]]:
    """Seconds of a run from nothing, its report, and the exported files."""
    out, report = FOLDER / f"out{jobs}", FOLDER / f"report{jobs}.json"
    shutil.rmtree(out, ignore_errors=True)
    line = [
        sys.executable,
        str(GENERATE),
        str(heads),
        "--set",
        "arkit,vrchat",
        "--out",
        str(out),
        "--export",
        "glb",
        "--jobs",
        str(jobs),
    ]
    began = time.monotonic()
    done = subprocess.run(
        [*line, "--report", str(report)], capture_output=True, text=True, check=False
    )
    seconds = time.monotonic() - began
    if done.returncode:
        print(done.stdout[-1500:] + done.stderr[-1500:], file=sys.stderr)
        raise SystemExit(1)
    return (
        seconds,
        json.loads(report.read_text(encoding="utf-8")),
        {path.name: path.read_bytes() for path in out.glob("*.glb")},
    )


def children(count: int) -> dict[str, float]:
    """Requests a minute of one child that works on two at a time, and of two children that work on
    one each; the same head, in turns.
    """
    sys.path.insert(0, str(ROOT))
    import itertools
    import threading

    import numpy as np

    from scripts.bench.runner import LARGER
    from scripts.samples.head import build
    from scripts.tools.client import Client

    sample = build()
    triangles = [
        (face[0], face[i], face[i + 1]) for face in sample.polygons for i in range(1, len(face) - 1)
    ]
    arrays: dict[str, Any] = {
        "vertices": np.ascontiguousarray(sample.vertices, np.float32),
        "triangles": np.array(triangles, np.int32),
    }

    sizes = itertools.count(1)

    def ask(client: Client, times: int) -> None:
        for _ in range(times):
            # another size each time: a face that was found is not looked for again
            size = np.float32(1 + next(sizes) * LARGER)
            other = arrays | {"vertices": arrays["vertices"] * size}
            client.report("generate", {"sets": ["arkit"]}, other)

    def minute(clients: list[Client]) -> float:
        threads = [threading.Thread(target=ask, args=(client, count)) for client in clients]
        began = time.monotonic()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return 60 * count * len(clients) / (time.monotonic() - began)

    shared = {"threads": 1, "workers": 2}
    with (
        Client(preferences=shared) as one,
        Client(preferences={"threads": 1}) as two,
        Client(preferences={"threads": 1}) as three,
    ):
        for client in (one, two, three):
            ask(client, 1)
        rounds = [(minute([one, one]), minute([two, three])) for _ in range(2)]
    return {
        "one_child_shared": statistics.median(r[0] for r in rounds),
        "a_child_each": statistics.median(r[1] for r in rounds),
    }


def figures_of(jobs: int, chosen: Path) -> dict[str, Any]:
    """What both runs take, and whether they write the same bytes."""
    load = 0.0
    if sys.platform != "win32":  # which knows no load
        load = os.getloadavg()[0]
    one, first, outputs = timed_run(1, chosen)
    many, second, others = timed_run(jobs, chosen)
    spent = [row["seconds"] for row in (*first["files"], *second["files"])]
    overheads = [1000 * seconds["overhead"] for seconds in spent]
    around = [
        1000 * sum(seconds[name] for name in ("overhead", "gather", "write", "figures"))
        for seconds in spent
    ]
    memory = [row["memory_mb"] for row in (*first["files"], *second["files"])]
    last, begun = (second["files"][place]["memory_mb"] for place in (-1, 0))
    return {
        "heads": len(first["files"]),
        "jobs": jobs,
        "load_at_start": round(load, 2),
        "one_after_another_s": round(one, 1),
        "at_once_s": round(many, 1),
        "throughput_ratio": round(one / many, 2),
        "overhead_median_ms": round(statistics.median(overheads), 1),
        "overhead_most_ms": round(max(overheads), 1),
        "with_gather_and_write_median_ms": round(statistics.median(around), 1),
        "memory_of_a_job_mb": round(max(memory)),
        "memory_of_the_last_to_the_first": round(last / begun, 2),
        "same_bytes": outputs == others,
        "requests_a_minute": {name: round(value, 1) for name, value in children(2).items()},
    }


def heads_for(count: int, data: Path) -> Path:
    """A folder with that many heads, made in a process of its own."""
    line = [sys.executable, __file__, "--make", "--heads", str(count), "--data", str(data)]
    subprocess.run(line, check=True, stdout=subprocess.DEVNULL)
    chosen = FOLDER / "chosen"
    shutil.rmtree(chosen, ignore_errors=True)
    chosen.mkdir(parents=True)
    for path in sorted((FOLDER / "heads").glob("*.blend"))[:count]:
        os.link(path, chosen / path.name)
    return chosen


def main() -> int:
    """Measure and print; the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--heads", type=int, default=30, help="how many (default 30)")
    parser.add_argument(
        "--jobs", type=int, default=2, help="Blenders at once, against one (default 2)"
    )
    parser.add_argument(
        "--data",
        type=Path,
        default=AVATARS,
        metavar="FOLDER",
        help="folder with the shared avatars",
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--make", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.make:
        make_heads(options.heads, options.data)
        return 0
    figures = figures_of(options.jobs, heads_for(options.heads, options.data))
    if options.json:
        print(json.dumps(figures, indent=1))
    else:
        for name, value in figures.items():
            print(f"{name.replace('_', ' ')}: {value}")
    return 0 if figures["same_bytes"] else 1


if __name__ == "__main__":
    sys.exit(main())
