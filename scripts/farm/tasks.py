# SPDX-License-Identifier: GPL-3.0-or-later
"""What a Dask worker does with a file: hands it to a Blender of its own, which stays for the next
one.
"""

from __future__ import annotations

import atexit
import functools
import os
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from scripts.batch.pool import (
    BatchError,
    Blender,
    Refused,
    add_overhead,
    blender_command,
    row_of,
    worker_environment,
)
from scripts.batch.store import code_digest, model_digest

# environment variable of a worker machine: its Blender, or a Python that has bpy
PROGRAM = "GENERATE_BLENDER"
_lock = threading.Lock()
_blenders: dict[str, Blender] = {}


def work(
    request: Mapping[str, Any], files: Mapping[str, bytes] | None, farm: Mapping[str, Any]
) -> dict[str, Any]:
    """A file's row under `row`, and its outputs {suffix: bytes} under `outputs` where the input
    came along.

    request: what worker.py gets; files: name -> bytes, the input first, or None where input and
    output lie in a folder that all machines share; farm: `settings`, `memory`, `timeout`,
    `code_digest`, `model_digest`.
    """
    began = time.perf_counter()
    where = f"{socket.gethostname()}:{os.getpid()}"
    if (_code(), model_digest(request["asked"]["model"])) != (
        farm["code_digest"],
        farm["model_digest"],
    ):
        error = BatchError(
            "other_version",
            f"The worker {where} has another version of the code or the model.",
            "Bring all machines to the same.",
        )
        return {
            "row": {"status": "failed", "error": error.as_dict(), "worker": where},
            "outputs": {},
        }
    try:
        with _lock, tempfile.TemporaryDirectory(prefix="blendshapes-") as folder:
            blender = _blender(farm)
            request = dict(request) if files is None else _unpacked(request, files, Path(folder))
            row, started = row_of(blender, request, farm["timeout"])
            outputs = {} if files is None or row["status"] != "done" else _collected(request)
    except Refused as error:
        return {
            "row": {"status": "failed", "error": error.as_dict(), "worker": where},
            "outputs": {},
            "refused": True,
        }
    except BatchError as error:
        return {
            "row": {"status": "failed", "error": error.as_dict(), "worker": where},
            "outputs": {},
        }
    except (
        OSError
    ) as error:  # its scratch folder is full, say; raised on, it would pass for a lost connection
        told = BatchError(
            "output_unwritable",
            f"The worker {where} failed: {error}.",
            "Look at that machine's disk.",
        )
        return {
            "row": {"status": "failed", "error": told.as_dict(), "worker": where},
            "outputs": {},
        }
    if row.pop("fresh", False):
        add_overhead(row, time.perf_counter() - began, started)
    return {"row": {"worker": where, **row}, "outputs": outputs}


@functools.cache
def _code() -> str:
    return code_digest()


def _blender(farm: Mapping[str, Any]) -> Blender:
    """This process's Blender for these settings; one with others ends."""
    program = os.environ.get(PROGRAM, sys.executable)
    wanted = repr((program, sorted(farm["settings"].items()), farm["memory"]))
    if wanted not in _blenders:
        _end_all()
        # one thread each: a worker machine runs a worker for every core
        _blenders[wanted] = Blender(
            blender_command(program), worker_environment(farm["settings"], 1), farm["memory"]
        )
    return _blenders[wanted]


def _end_all() -> None:
    for blender in _blenders.values():
        blender.end()
    _blenders.clear()


atexit.register(_end_all)


def _unpacked(
    request: Mapping[str, Any], files: Mapping[str, bytes], folder: Path
) -> dict[str, Any]:
    """The request for copies in a folder of this machine's own."""
    source, out = folder / "in", folder / "out"
    out.mkdir()
    for name, data in files.items():
        path = (source / name).resolve()
        if source.resolve() not in path.parents:
            raise BatchError(
                "input_missing",
                f"{name} is outside the input's folder.",
                "Put it into the input's folder.",
            )
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    exported = request["exported"]
    return {
        **request,
        "store": None,
        "source": str(source / next(iter(files))),
        "target": str(out / Path(request["target"]).name),
        "exported": str(out / Path(exported).name) if exported else None,
        "sheet": str(out / "sheet.jpg") if request["sheet"] else None,
    }


def _collected(request: Mapping[str, Any]) -> dict[str, bytes]:
    """The outputs; a sheet that could not be drawn is none."""
    made = {name: Path(request[name]) for name in ("target", "exported", "sheet") if request[name]}
    return {
        name: path.read_bytes() for name, path in made.items() if name != "sheet" or path.exists()
    }
