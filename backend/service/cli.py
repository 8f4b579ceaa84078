# SPDX-License-Identifier: GPL-3.0-or-later
"""`python -m backend`: serve the pipe, or work on files without Blender.

Exit codes: 0 done, 2 the input or a setting is wrong (one sentence on stderr), 1 anything else, 130
interrupted.
"""

from __future__ import annotations

import argparse
import contextlib
import logging
import sys
from collections.abc import Sequence

from .. import regular_file, streams
from ..errors import NOT_THE_INPUT, as_backend_error
from ..limits import seconds_for
from ..log import begin
from .commands import describing, exporting, generating, serving
from .supervise import SUPERVISED, supervise

# numpy and onnxruntime are imported by the commands, so that --help is quick and `serve` can first
# put fd 1 out of reach

log = logging.getLogger(__name__)

BYTES_OF_VERTEX = (
    12  # in a mesh's file, at least: its coordinates; faces and compression about cancel out
)


def main(arguments: Sequence[str]) -> int:
    """Run one command; returns the exit code."""
    return streams.run(lambda: _run(arguments))


def _run(arguments: Sequence[str]) -> int:
    begin()
    options = _parser().parse_args(arguments)
    try:
        if options.supervised:
            _work_for_supervisor()
        elif getattr(options, "timeout", None) or getattr(
            options, "model", None
        ):  # the shipped model comes to an end by itself
            return supervise(
                arguments, options.timeout or _seconds_of(options), options.model or ""
            )
        code: int = options.run(options)
        return code
    except KeyboardInterrupt:
        return 130
    except Exception as error:
        told = as_backend_error(error)
        if told.code == "internal":
            log.exception("%s", told)
        print(f"error: {told} [{told.code}]", file=sys.stderr)
        return 1 if told.code in NOT_THE_INPUT else 2


def _work_for_supervisor() -> None:
    """End with the process that started this one, and by too much memory."""
    from .. import limits
    from . import parent, server

    parent.watch()
    server.bound_memory()
    limits.watch_memory()


def _seconds_of(options: argparse.Namespace) -> float:
    """Seconds that a command may take by itself, see limits.seconds_for."""
    vertices = 0
    with contextlib.suppress(OSError):  # what is wrong with the file is told by who reads it
        vertices = (
            regular_file.status(options.mesh).st_size // BYTES_OF_VERTEX
            if options.command == "generate"
            else 0
        )
    return seconds_for(vertices)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m backend", description="The computing half of BlendShape Auto-Generator."
    )
    parser.add_argument(SUPERVISED, action="store_true", help=argparse.SUPPRESS)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    for group in (serving, describing, exporting, generating):
        group.add(commands)
    return parser
