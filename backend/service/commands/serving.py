# SPDX-License-Identifier: GPL-3.0-or-later
"""`serve`: answer requests on the pipe; `compile`: get Python ready for that."""

from __future__ import annotations

import argparse
import contextlib
import importlib
import json
import os
import pkgutil

from ...errors import BackendError


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the command line."""
    serve = commands.add_parser(
        "serve", help="answer requests on stdin and stdout; the add-on starts this"
    )
    serve.add_argument(
        "--preferences",
        metavar="JSON",
        default="{}",
        help='settings that go before the environment: {"threads": 2}',
    )
    serve.set_defaults(run=_serve)
    compile_ = commands.add_parser(
        "compile", help="let Python compile all modules, which it does once; the add-on starts this"
    )
    compile_.set_defaults(run=_compile)


def _compile(options: argparse.Namespace) -> int:
    """Import all there is, beside whatever else the machine has to do."""
    if hasattr(os, "nice"):
        os.nice(10)
    package = importlib.import_module(__package__.split(".")[0])
    for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        with contextlib.suppress(ImportError):  # what is for another system, or not installed
            importlib.import_module(found.name)
    return 0


def _serve(options: argparse.Namespace) -> int:
    from .. import parent, stdio

    pipe = stdio.claim()  # first: native code looks at descriptor 0 while it is loaded
    parent.watch(pipe[0].fileno())  # and this: the server's imports take seconds on a cold disk
    from ..server import serve

    try:
        preferences = json.loads(options.preferences)
    except ValueError:
        preferences = None
    if not isinstance(preferences, dict):
        raise BackendError(
            "setting_invalid",
            "--preferences is not a JSON object.",
            'Write for example {"threads": 2}.',
        )
    return serve(preferences, pipe)
