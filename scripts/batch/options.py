# SPDX-License-Identifier: GPL-3.0-or-later
"""The arguments of the batch, and the settings that they ask for."""

from __future__ import annotations

import argparse
import importlib.util
import sys

from .extension import AddonError, parser

SHAPING = (
    "precision",
    "provider",
    "device",
    "graph_optimization",
)  # of the backend's settings those that may change a shape


def make_parser(prog: str) -> argparse.ArgumentParser:
    """The command's own arguments and those of the batch."""
    made = parser(prog)
    _add_files(made)
    _add_machines(made)
    return made


def _add_files(made: argparse.ArgumentParser) -> None:
    """Add what is said of many files."""
    group = made.add_argument_group(
        "many files", "see docs/guide/batch.md; inputs may be files, folders and patterns"
    )
    group.add_argument(
        "--jobs",
        type=int,
        default=0,
        metavar="N",
        help="Blenders at once (default: as many as cores and memory allow)",
    )
    group.add_argument(
        "--memory",
        type=float,
        default=2048.0,
        metavar="MB",
        help="memory that a Blender and its child may take (default 2048)",
    )
    group.add_argument(
        "--sheets",
        action="store_true",
        help="draw a contact sheet of every face for the report's page",
    )
    group.add_argument(
        "--blender",
        default="",
        metavar="PROGRAM",
        help="a Blender, or a Python that has bpy, instead of this one",
    )
    group.add_argument(
        "--backend-python",
        default="",
        metavar="PROGRAM",
        help="a Python with another build of ONNX Runtime, as in the preferences",
    )
    group.add_argument(
        "--server",
        default="",
        metavar="ADDRESS",
        help="grpc://HOST:PORT of a Triton server that has the model",
    )
    group.add_argument(
        "--setting",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="a setting of the backend, see docs/reference/settings.md",
    )


def _add_machines(made: argparse.ArgumentParser) -> None:
    """Add what is said of many machines."""
    farm = made.add_argument_group("many machines", "needs the packages of requirements/farm.txt")
    farm.add_argument(
        "--scheduler",
        default="",
        metavar="ADDRESS",
        help="tcp://HOST:PORT or tls://HOST:PORT of a Dask scheduler",
    )
    farm.add_argument(
        "--send",
        action="store_true",
        help="send files along instead of reading and writing a folder that all machines share",
    )
    farm.add_argument(
        "--retries",
        type=int,
        default=3,
        metavar="N",
        help="times that a file is given to another worker after its was lost",
    )
    farm.add_argument(
        "--insecure",
        action="store_true",
        help=(
            "without TLS to a scheduler on another machine: whoever is on the way can take its"
            " place"
        ),
    )
    farm.add_argument(
        "--tls-ca", default="", metavar="FILE", help="certificate of the authority (PEM)"
    )
    farm.add_argument(
        "--tls-cert", default="", metavar="FILE", help="certificate of this machine (PEM)"
    )
    farm.add_argument("--tls-key", default="", metavar="FILE", help="its key (PEM)")


def settings_of(options: argparse.Namespace) -> dict[str, str]:
    """The backend's settings that are given; the children get them with their environment, which
    the backend only warns about, so they are looked at here. Raises AddonError: `usage`,
    `setting_invalid`.
    """
    settings: dict[str, str] = {}
    for text in options.setting:
        name, equals, value = text.partition("=")
        if not equals or not name.strip().isidentifier():
            raise AddonError(
                "usage",
                f"--setting {text} is not NAME=VALUE.",
                "Write for example --setting precision=fp32.",
            )
        settings[name.strip().lower()] = value.strip()
    if options.server:
        settings["server"] = options.server
    if settings:
        from backend.errors import BackendError
        from backend.inference.settings import resolve

        try:
            resolve(settings, environment={})
        except BackendError as error:
            raise AddonError(error.code, error.message, error.fix) from error
    return settings


def this_blender() -> str:
    """The Blender that this runs in, or this Python if it has bpy. Raises AddonError `usage`."""
    bpy = sys.modules.get("bpy")
    if bpy is not None and bpy.app.binary_path:
        return str(bpy.app.binary_path)
    if importlib.util.find_spec("bpy") is not None:
        return sys.executable
    raise AddonError(
        "usage",
        "This needs Blender or the bpy module.",
        "Run it with the Python that scripts/dev.py set up, or name a Blender with --blender.",
    )
