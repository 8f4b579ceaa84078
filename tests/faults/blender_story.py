# SPDX-License-Identifier: GPL-3.0-or-later
"""What happens to a run in a Blender of its own, told by name; prints REPORT and JSON. python
blender_story.py STORY MODEL FOLDER
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

import bpy  # noqa: E402
import numpy as np  # noqa: E402
import psutil  # noqa: E402
from fixtures.meshes import figure  # noqa: E402

from scripts.generate import ALIAS, load_extension  # noqa: E402

extension = load_extension()
extension.register()
session = importlib.import_module(f"{ALIAS}.blendshape_addon.job.session")
job = importlib.import_module(f"{ALIAS}.blendshape_addon.job.generation")
key_writer = importlib.import_module(f"{ALIAS}.blendshape_addon.blender_io.key_writer")
AddonError = importlib.import_module(f"{ALIAS}.blendshape_addon.errors").AddonError
STORY, MODEL, FOLDER = sys.argv[1], sys.argv[2], Path(sys.argv[3])
report: dict[str, Any] = {"story": STORY}


def add_figure(rows: int = 24, columns: int = 32) -> bpy.types.Object:
    """The figure, the active object of an empty scene."""
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
    shape = figure(rows, columns)
    mesh = bpy.data.meshes.new("Body")
    mesh.from_pydata(shape.vertices.tolist(), [], shape.triangles.tolist())
    ob = bpy.data.objects.new("Body", mesh)
    bpy.context.collection.objects.link(ob)
    bpy.context.view_layer.objects.active = ob
    assert shape.head_weights is not None
    ob.vertex_groups.new(name="Head").add(
        np.flatnonzero(shape.head_weights).tolist(), 1.0, "REPLACE"
    )
    return ob


def state(ob: bpy.types.Object) -> str:
    """Everything about the keys and coordinates, as text."""
    keys = ob.data.shape_keys
    coordinates = np.empty(len(ob.data.vertices) * 3, np.float32)
    ob.data.vertices.foreach_get("co", coordinates)
    told = [coordinates.tobytes().hex()[:4000], len(coordinates)]
    for key in keys.key_blocks if keys else ():
        key.points.foreach_get("co", coordinates)
        told.append((key.name, key.value, hash(coordinates.tobytes())))
    return json.dumps(told)


def failing_at(key: int) -> Any:
    """What names each key's hidden record while it is written, running out of memory at a given
    key.
    """
    real, left = key_writer.attribute_of, [key]

    def attribute_of(name: str) -> Any:
        if sys._getframe(1).f_code.co_name == "_write":
            left[0] -= 1
            if left[0] == 0:
                raise MemoryError
        return real(name)

    return attribute_of


def out_of_memory(*_: object) -> None:
    raise MemoryError


def options(**more: Any) -> Any:
    return job.Options(sets=("arkit",), model=MODEL, **more)


def begun(ob: bpy.types.Object) -> Any:
    """A run that is on its way, as the modal operator has it."""
    started = job.Job(ob, options(), session.backend)
    while started.fraction == 0.0 and not started.finished:
        started.take(session.backend.poll())
        time.sleep(0.002)
    return started


def finish(started: Any) -> str:
    """Tick until the end; the error's code, or `done`."""
    try:
        while not started.finished:
            started.take(session.backend.poll())
            time.sleep(0.01)
        started.write()
    except AddonError as error:
        report["message"] = str(error)
        return str(error.code)
    return "done"


def click() -> bool:
    return bpy.ops.blendshapes.generate(sets={"arkit"}, model=MODEL) == {"FINISHED"}


def children() -> list[int]:
    return [
        p.pid
        for p in psutil.Process().children(recursive=True)
        if p.status() != psutil.STATUS_ZOMBIE
    ]


def main() -> None:
    ob = (
        add_figure(60, 80)
        if STORY in ("killed", "disabled", "closed", "child_killed")
        else add_figure()
    )
    if STORY == "killed":  # from outside, while it works
        print("READY", flush=True)
        begun(ob)
        print(f"CHILD {session.backend.pid}", flush=True)
        while True:
            session.backend.poll()
            time.sleep(0.01)
    elif STORY == "disabled":
        begun(ob)
        before = state(ob)
        extension.unregister()
        report["children"] = children()
        report["unchanged"] = state(ob) == before
        extension.register()
        report["next_click"] = click()
    elif STORY == "closed":  # another file is opened
        started = begun(ob)
        add_figure()
        report["code"] = finish(started)
        report["keys"] = bpy.context.view_layer.objects.active.data.shape_keys is not None
        report["next_click"] = click()
    elif STORY == "child_killed":
        started = begun(ob)
        before = state(ob)
        psutil.Process(session.backend.pid).kill()
        report["code"] = finish(started)
        report["unchanged"] = state(ob) == before
        report["next_click"] = click()
    elif STORY == "malformed":  # answers that are no answers: the file stays as it is
        codes = {}
        protocol = importlib.import_module(f"{ALIAS}.backend.protocol")
        before = state(ob)
        good = np.zeros((1, 0, 3), np.float32)
        for name, header, arrays in (
            ("progress without a stage", {"type": "progress"}, {}),
            ("progress in words", {"type": "progress", "stage": "x", "fraction": "much"}, {}),
            ("face without indices", {"type": "face"}, {}),
            (
                "landmarks that are none",
                {"type": "face", "landmarks": {"chin": 3}},
                {"indices": np.zeros(1, np.int32)},
            ),
            ("shapes without names", {"type": "shapes", "set": "arkit"}, {"offsets": good}),
            (
                "more names than shapes",
                {"type": "shapes", "set": "arkit", "names": ["a", "b"]},
                {"offsets": good},
            ),
            (
                "flat offsets",
                {"type": "shapes", "set": "arkit", "names": ["a"]},
                {"offsets": np.zeros(3, np.float32)},
            ),
            ("no report", {"type": "done"}, {}),
            ("a report of nothing", {"type": "done", "report": {}}, {}),
            ("a report that is a list", {"type": "done", "report": [1]}, {}),
        ):
            started = job.Job(ob, options(), session.backend, patient=True)
            try:
                started.take([protocol.Message({**header, "id": started._request}, arrays)])
                codes[name] = "taken"
            except AddonError as error:
                codes[name] = error.code
            session.backend.stop()
        report["codes"] = codes
        report["unchanged"] = state(ob) == before
        report["next_click"] = click()
    elif STORY == "half_written":  # a failure at any key leaves the file as it was
        assert click()
        ob.shape_key_add(name="Mine", from_mix=False).value = 0.5
        before, differing = state(ob), []
        real_name, real_record = key_writer.attribute_of, key_writer.record
        for broken in (
            1,
            2,
            30,
            52,
            60,
            67,
            0,
        ):  # updated keys first, then added ones, then the record of all
            key_writer.attribute_of = failing_at(broken)
            key_writer.record = real_record if broken else out_of_memory
            try:
                bpy.ops.blendshapes.generate(sets={"arkit", "vrchat"}, model=MODEL)
                differing.append(f"{broken} did not fail")
            except RuntimeError as error:
                report["message"] = str(error)
            key_writer.attribute_of, key_writer.record = real_name, real_record
            if state(ob) != before:
                differing.append(str(broken))
        report["differing"] = differing
        report["next_click"] = click()
    elif STORY == "two":  # two Blenders at once: this is one of them
        report["next_click"] = all(click() for _ in range(3))
        report["offsets"] = hash(state(ob)) if os.environ.get("PYTHONHASHSEED") == "0" else None
    extension.unregister()
    report["children_left"] = children()
    print("REPORT" + json.dumps(report), flush=True)


if __name__ == "__main__":
    main()
