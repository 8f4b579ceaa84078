# SPDX-License-Identifier: GPL-3.0-or-later
"""The loop inside a Blender of the batch: a job on each line of its channel, its row on a line
back, until there are no more.

It claims and records its file itself, not whoever sent it: if the sender is killed, nobody else
begins the file before this one is done with it.
"""

from __future__ import annotations

import faulthandler
import importlib
import json
import os
import shutil
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

import bpy
import numpy as np

ROOT = Path(__file__).resolve().parents[2]
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

from scripts.batch.channel import named  # noqa: E402
from scripts.batch.figures import Floats, sparsity  # noqa: E402
from scripts.batch.pool import BACKEND_PYTHON  # noqa: E402
from scripts.batch.store import Store  # noqa: E402
from scripts.generate import ALIAS, load_extension  # noqa: E402

extension: Any = load_extension()
if not hasattr(bpy.types.Scene, "blendshapes"):  # an installed extension has registered itself
    extension.register()
commands: Any = importlib.import_module(f"{ALIAS}.blendshape_addon.job.commands")
scene_files: Any = importlib.import_module(f"{ALIAS}.blendshape_addon.blender_io.scene_files")
vrm_addon: Any = importlib.import_module(f"{ALIAS}.blendshape_addon.blender_io.vrm_addon")
session: Any = importlib.import_module(f"{ALIAS}.blendshape_addon.job.session")
launch: Any = importlib.import_module(f"{ALIAS}.blendshape_addon.process.launch")
backend_process: Any = importlib.import_module(f"{ALIAS}.blendshape_addon.process.backend_process")
Options: Any = importlib.import_module(f"{ALIAS}.blendshape_addon.job.generation").Options
# that whoever sent a job has to end it before this process ends itself: twice what it needs
GRACE_SECONDS = 6.0
SHEET_TILE, SHEET_SAMPLES = (
    96,
    2,
)  # of a contact sheet for the page: most of the time of a file that has one


def serve(lines: IO[str], answers: IO[str]) -> int:
    """Answer until there are no more lines; the exit code."""
    wanted: Any = None
    try:
        for line in lines:
            job = json.loads(line)
            _end_after(job["limit"])
            asked = {**job["asked"], "sets": tuple(job["asked"]["sets"])}
            try:
                if wanted is None:
                    session.backend.start(patient=True)
                    if asked["vrm"] != "off":
                        vrm_addon.enable_package()
                    wanted = Options(**asked)
                    commands.check_sets(wanted, session.backend)
                    if wanted.model:
                        commands.check_model(wanted.model, session.backend, job["timeout"])

                def limited(seconds: float, number: int = job["id"]) -> None:
                    answers.write(json.dumps({"id": number, "limit": seconds}) + "\n")
                    answers.flush()
                    _end_after(seconds)

                row = _work(job, Options(**asked), limited)
            except Exception as problem:
                error = commands.told(problem)
                # a model that never ends is the file's trouble, as when it does so later: the next
                # file is tried
                of_file = (wanted is not None and "target" in job) or error.code == "model_stuck"
                row = {"status": "failed" if of_file else "refused", "error": error.as_dict()}
            answers.write(
                json.dumps({"id": job["id"], "row": row}) + "\n"
            )  # in ASCII: a path may hold bytes that are no text
            answers.flush()
            faulthandler.cancel_dump_traceback_later()
    finally:
        session.backend.stop()
        scene_files.close_scene()
    return 0


def _end_after(seconds: float) -> None:
    """If whoever would end this process is gone itself, a file that hangs must not keep its claim
    for ever.
    """
    faulthandler.dump_traceback_later(seconds + GRACE_SECONDS, exit=True, file=2)


def _work(job: dict[str, Any], wanted: Any, limited: Callable[[float], None]) -> dict[str, Any]:
    """One job. Without a target it only asks whether what is wanted can be made at all."""
    if "target" not in job:
        return {
            "status": "ready",
            "blender": bpy.app.version_string,
            "backend": session.backend.hello["versions"],
        }
    if job.get("store") is None:
        return {**_make(job, wanted, limited), "fresh": True}
    store, name = Store(Path(job["store"])), job["name"]
    targets = [Path(path) for path in (job["target"], job["exported"]) if path]
    with store.claim(name) as mine:
        if not mine:
            return {"status": "claimed"}
        verdict = store.judge(
            name, job["source_digest"], job["settings_digest"], targets, job["overwrite"]
        )
        if verdict.state in ("done", "edited") and verdict.row is not None:
            # of the same run it is when whoever asked first was lost and this one's Blender went on
            row = {
                **verdict.row,
                "status": "done" if verdict.row.get("run") == job["run"] else "skipped",
            }
            if job["sheet"] and not Path(job["sheet"]).exists():
                _draw(row, Path(job["sheet"]), targets[0])
            return row
        if verdict.state == "refused":
            raise commands.AddonError(
                "output_exists",
                verdict.reason,
                "Choose another folder for --out, or give --overwrite.",
            )
        for target in targets:
            target.parent.mkdir(parents=True, exist_ok=True)
            scene_files.remove_leftovers(target)
        before = store.start(name, job["source_digest"], job["settings_digest"], targets)
        try:
            row = _make(job, wanted, limited)
        except BaseException:
            store.give_up(name, before)
            raise
        store.finish(name, job["source_digest"], job["settings_digest"], targets, row)
        return {**row, "fresh": True}


def _make(job: dict[str, Any], wanted: Any, limited: Callable[[float], None]) -> dict[str, Any]:
    start = time.perf_counter()
    exported = Path(job["exported"]) if job["exported"] else None
    task = commands.Task(
        Path(job["source"]), Path(job["target"]), exported, False, tuple(job["notes"])
    )
    row: dict[str, Any] = commands.process(
        task,
        job["object"],
        wanted,
        True,
        session.backend,
        timeout=job["timeout"],
        limited=limited if job["timeout"] is None else lambda seconds: None,
    )
    row.update(
        status="done",
        run=job["run"],
        blender=bpy.app.version_string,
        host=socket.gethostname(),
        finished=round(time.time(), 1),
    )
    began = time.perf_counter()
    ob = bpy.data.objects[row["object"]]
    made = _coordinates(ob, {*row["keys"]["added"], *row["keys"]["updated"]})
    neutral = made.pop("")
    row["sparsity"] = sparsity(made.values(), neutral)
    row["seconds"]["figures"] = round(time.perf_counter() - began, 4)
    if job["sheet"]:
        began = time.perf_counter()
        _draw(row, Path(job["sheet"]))
        row["seconds"]["sheet"] = round(time.perf_counter() - began, 4)
    row["seconds"]["wall"] = round(time.perf_counter() - start, 4)
    return row


def _coordinates(ob: bpy.types.Object, names: set[str]) -> dict[str, Floats]:
    """Coordinates float32 (V,3) of the named keys in the object's space, and of the neutral face
    under an empty name.
    """
    found: dict[str, Floats] = {}
    mesh: Any = ob.data
    keys = mesh.shape_keys
    for block in keys.key_blocks if keys is not None else ():
        if block.name in names or block == keys.reference_key:
            flat = np.empty(len(block.points) * 3, np.float32)
            block.points.foreach_get("co", flat)
            found["" if block == keys.reference_key else block.name] = flat.reshape(-1, 3)
    found.setdefault("", np.empty((0, 3), np.float32))
    return found


def _draw(row: dict[str, Any], out: Path, made: Path | None = None) -> None:
    """The contact sheet of the row's shapes as a JPEG, whole or not at all. made: the file with
    them, where it is not open. The shapes are good without a sheet, so one that cannot be drawn is
    a warning.
    """
    sheet: Any = importlib.import_module(f"{ALIAS}.blendshape_addon.job.sheet")
    try:
        if made is not None:
            scene_files.read_scene(made)
        ob = bpy.data.objects[row["object"]]
        out.parent.mkdir(parents=True, exist_ok=True)
        sheet.render_sheet(
            ob,
            out,
            names={*row["keys"]["added"], *row["keys"]["updated"]},
            tile=SHEET_TILE,
            samples=SHEET_SAMPLES,
        )
    except Exception as problem:
        row["warnings"] = [
            *row["warnings"],
            f"The contact sheet could not be drawn: {commands.told(problem)}",
        ]


def main() -> int:
    """Answer on the channel; what is printed is only for the log."""
    channel = named()
    python = os.environ.get(BACKEND_PYTHON, "")
    if python:
        log = session.log_folder() / f"backend-{os.getpid()}.log"
        session.backend = backend_process.Backend(
            lambda: launch.plan(ROOT, log, launch.Settings(python=python))
        )
    return serve(channel.jobs, channel.answers)


def leave(code: int) -> None:
    """End this process. Where Blender is a module and has registered the VRM add-on, a thread of
    Blender's own still waits when the C library takes down what it waits for, and both do so for
    ever: then without that.
    """
    if vrm_addon.enabled() and not bpy.app.binary_path:
        shutil.rmtree(bpy.app.tempdir, ignore_errors=True)  # as Blender does at its end
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    sys.exit(code)


if __name__ == "__main__":
    leave(main())
