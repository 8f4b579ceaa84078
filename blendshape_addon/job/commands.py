# SPDX-License-Identifier: GPL-3.0-or-later
"""The batch command: the same job over files, with a report. Used by `blender --command
blendshapes` and scripts/generate.py.

Exit codes: 0 all done, 1 some inputs failed or something broke, 2 wrong usage or nothing but bad
input (a sentence on stderr for each).
"""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import bpy

from ..blender_io import key_export, scene_files
from ..errors import DEATHS, NOT_THE_INPUT, AddonError, as_addon_error
from ..foreign import one_line
from ..process.backend_process import Backend
from ..process.exits import error_of
from ..process.limits import StoppedError
from ..shared import seconds_for, streams
from ..typed import mesh_of
from . import vrm_files
from .arguments import asked, free_names, note_of, parser
from .choosing import choose
from .generation import generate_for_object
from .options import Options
from .outcome import Outcome


@dataclass(frozen=True)
class Task:
    """One input and where its results go. opened: it is the file that Blender already has open."""

    source: Path
    target: Path
    exported: Path | None
    opened: bool
    notes: tuple[str, ...] = ()


def run_command(arguments: Sequence[str]) -> int:
    """`blender [FILE.blend] --command blendshapes ARGUMENTS`; the exit code."""
    return streams.run(lambda: main(arguments, "blender --command blendshapes"))


def main(arguments: Sequence[str], prog: str) -> int:
    """Run the batch with the child of this Blender; the exit code, see above."""
    from . import session

    try:
        options = parser(prog).parse_args(list(arguments))
        wanted = Options(**asked(options))
        tasks = _tasks(options)
        session.backend.start(patient=True)
        check_sets(wanted, session.backend)
        stuck = _stuck(wanted, session.backend, options.timeout)
        rows = (
            [] if stuck is None else [_failed(tasks[0], stuck)]
        )  # its time is up; each of the others has its own
        rows += [_run(task, options, wanted, session.backend) for task in tasks[len(rows) :]]
        if options.report is not None:
            failures = sum("error" in row for row in rows)
            report = {"files": rows, "done": len(rows) - failures, "failed": failures}
            scene_files.write_text(
                options.report, json.dumps(report, indent=1, ensure_ascii=False) + "\n"
            )
    except SystemExit as leaving:  # argparse: --help
        return int(leaving.code or 0)
    except KeyboardInterrupt:
        return 130
    except Exception as problem:
        error = told(problem)
        print(one_line(f"error: {error} [{error.code}]"), file=sys.stderr, flush=True)
        return 1 if error.code in NOT_THE_INPUT else 2
    finally:
        session.backend.stop()
    return exit_code(rows)


def exit_code(rows: Sequence[dict[str, Any]]) -> int:
    codes = [row["error"]["code"] for row in rows if "error" in row]
    if not codes:
        return 0
    return 2 if len(codes) == len(rows) and not NOT_THE_INPUT.intersection(codes) else 1


def _tasks(options: argparse.Namespace) -> list[Task]:
    """Inputs with their outputs. Raises AddonError for what concerns all of them: `usage`,
    `output_unwritable`, `disk_full`.
    """
    opened = not options.inputs
    if opened and not bpy.data.filepath:
        raise AddonError(
            "usage", "No input is given and no file is open.", "Name one or more files."
        )
    inputs = (
        [Path(bpy.data.filepath)]
        if opened
        else list(dict.fromkeys(path.absolute() for path in options.inputs))
    )
    folder = options.out.absolute()
    scene_files.prepare_folder(folder)
    if options.report is not None:
        scene_files.prepare_folder(options.report.absolute().parent)
        if any(_same(options.report, path) for path in inputs):
            raise AddonError(
                "output_is_input",
                f"The report {options.report} would replace an input.",
                "Choose another name.",
            )
    tasks: list[Task] = []
    for path, name in zip(inputs, free_names(inputs), strict=True):
        exported = folder / f"{name}.{options.export}" if options.export else None
        tasks.append(Task(path, folder / f"{name}.blend", exported, opened, note_of(path, name)))
    return tasks


def check_sets(wanted: Options, backend: Backend) -> None:
    """Raise AddonError `unknown_set` before any file is touched."""
    while backend.hello is None:
        backend.wait(0.5)
    known = backend.hello["sets"]
    for name in wanted.sets:
        if name not in known:
            raise AddonError(
                "unknown_set",
                f"There is no shape set {name!r}.",
                f"Choose from {', '.join(known)}.",
            )


def _stuck(wanted: Options, backend: Backend, seconds: float | None) -> AddonError | None:
    """The error of a model that does not come to an end when it is loaded and run once; it is the
    first file's. Raises AddonError for others.
    """
    try:
        if wanted.model:
            check_model(wanted.model, backend, seconds)
    except StoppedError as error:
        return error
    return None


def check_model(path: str, backend: Backend, seconds: float | None = None) -> None:
    """Raise the child's error for a model that cannot be used, before any file is touched, and
    StoppedError for one that takes more seconds.
    """
    backend.start(patient=True)
    request = backend.send("load", {"model": path}, seconds=seconds)
    while True:
        for message in backend.wait(0.5):
            if message.header.get("id") == request and message.header["type"] == "error":
                raise error_of(message)
            if message.header.get("id") == request and message.header["type"] == "done":
                return


def _run(
    task: Task, options: argparse.Namespace, wanted: Options, backend: Backend
) -> dict[str, Any]:
    """One file, from reading to writing; its row of the report. A failure becomes the row's
    `error`.
    """
    row: dict[str, Any] = {"input": str(task.source)}
    name = task.source.name
    try:
        row.update(_process_again(task, options, wanted, backend))
        print(one_line(f"{name}: {row['line']}; {task.target}"), flush=True)
        for warning in row["warnings"]:
            print(one_line(f"{name}: warning: {warning}"), file=sys.stderr, flush=True)
    except Exception as problem:
        return _failed(task, told(problem))
    return row


def _failed(task: Task, error: AddonError) -> dict[str, Any]:
    """The row of a file that failed, and a line that says so."""
    print(
        one_line(f"{task.source.name}: error: {error} [{error.code}]"), file=sys.stderr, flush=True
    )
    return {"input": str(task.source), "error": error.as_dict()}


def _process_again(
    task: Task, options: argparse.Namespace, wanted: Options, backend: Backend
) -> dict[str, Any]:
    """`process`, and once more, in the time that is left, if the child died at it: it may have been
    another program that took the memory.
    """
    began = time.monotonic()
    try:
        return process(
            task, options.object, wanted, options.overwrite, backend, timeout=options.timeout
        )
    except AddonError as error:
        if error.code not in DEATHS:
            raise
        left = None if options.timeout is None else options.timeout - (time.monotonic() - began)
        return {
            **process(task, options.object, wanted, options.overwrite, backend, timeout=left),
            "tried": [error.as_dict()],
        }


def process(
    task: Task,
    name: str,
    wanted: Options,
    overwrite: bool,
    backend: Backend,
    *,
    timeout: float | None = None,
    limited: Callable[[float], None] = lambda seconds: None,
) -> dict[str, Any]:
    """One file, from reading to writing; its row of the report. name: the mesh object, or empty.
    timeout: seconds for all of it, or what suits the vertices of its meshes, which `limited` is
    told. Raises AddonError.
    """
    _check_outputs(task, overwrite)
    seconds: dict[str, Any] = {}
    began = time.perf_counter()
    scene_files.check_readable(task.source)
    compress = task.source.suffix.lower() == ".blend" and scene_files.is_compressed(task.source)
    source = vrm_files.source_of(task.source, task.exported)
    lost = () if task.opened else scene_files.read_scene(task.source, source)
    seconds["import"] = time.perf_counter() - began

    with scene_files.in_window(), _limit(backend, seconds["import"], timeout, limited):
        began = time.perf_counter()
        ob, chosen_by = choose(name, wanted, backend)
        seconds["choose"] = time.perf_counter() - began
        outcome = generate_for_object(ob, wanted, backend)
        seconds.update(outcome.seconds)
        content, bound = vrm_files.written(source, outcome)
        seconds.update(scene_files.write_scene(task.target, compress, task.exported, content))
    row = _row(task, outcome, chosen_by, seconds)
    if bound is not None:
        row["expressions"] = vars(bound)
    row["warnings"] = [
        *task.notes,
        *(lost if source is None else vrm_files.told(bound)),
        *row["warnings"],
        *(key_export.lost() if task.exported is not None and source is None else ()),
    ]
    return row


@contextlib.contextmanager
def _limit(
    backend: Backend, spent: float, timeout: float | None, limited: Callable[[float], None]
) -> Iterator[None]:
    """What the child is asked inside may take what is left of a file's time after so many seconds
    for reading it. Raises AddonError.
    """
    vertices = sum(
        len(mesh_of(ob).vertices) for ob in bpy.context.scene.objects if ob.type == "MESH"
    )
    seconds = seconds_for(vertices) if timeout is None else timeout - spent
    if seconds <= 0:
        raise AddonError(
            "child_timeout",
            f"Reading the file took {spent:.1f} s; no time is left for its shapes.",
            "Give more with --timeout.",
        )
    limited(seconds)
    backend.allow(seconds)
    try:
        yield
    finally:
        backend.allow(None)


def _row(task: Task, outcome: Outcome, chosen_by: str, seconds: dict[str, Any]) -> dict[str, Any]:
    report = outcome.report
    from_child = (
        "vertices",
        "face_vertices",
        "shapes",
        "confidence",
        "provider_asked",
        "provider_active",
        "provider_reason",
        "threads",
        "model",
    )
    return {
        "line": outcome.line,
        "output": str(task.target),
        "export": None if task.exported is None else str(task.exported),
        "object": outcome.object,
        "object_chosen_by": chosen_by,
        **{name: report[name] for name in from_child},
        "keys": vars(outcome.written),
        "seconds": {
            name: round(value, 4) if isinstance(value, float) else value
            for name, value in seconds.items()
        },
        "combinations": report.get("combinations", {}),
        "peak_memory_mb": report["peak_memory_mb"],
        "landmarks": outcome.landmarks,
        "warnings": outcome.warnings,
    }


def _check_outputs(task: Task, overwrite: bool) -> None:
    """Raise AddonError: `output_is_input`, `output_exists`."""
    for target in (task.target, task.exported):
        if target is None:
            continue
        if _same(target, task.source):
            raise AddonError(
                "output_is_input",
                f"{target} is the input itself.",
                "Choose another folder for --out.",
            )
        if target.exists() and not overwrite:
            raise AddonError(
                "output_exists",
                f"{target} is already there.",
                "Choose another folder for --out, or give --overwrite.",
            )


def _same(first: Path, second: Path) -> bool:
    return first.exists() and second.exists() and first.samefile(second)


def told(problem: Exception) -> AddonError:
    error = as_addon_error(problem)
    if error.code == "internal":
        traceback.print_exception(problem)
    return error
