# SPDX-License-Identifier: GPL-3.0-or-later
"""`generate`: shapes for a mesh in a file."""

from __future__ import annotations

import argparse
import json
import logging
import math
import sys
from pathlib import Path
from typing import Any

from ...errors import BackendError
from ...log import warn_once
from .options import add_model, add_settings, chosen_settings

log = logging.getLogger(__name__)


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the command line."""
    generate = commands.add_parser("generate", help="make shapes for the mesh in an .npz file")
    generate.add_argument(
        "mesh",
        type=Path,
        help=(
            ".npz with vertices (V,3), triangles (T,3), and if there are any head_weights (V,),"
            " mask (V,)"
        ),
    )
    generate.add_argument(
        "--set", default="", metavar="NAMES", help="shape sets, such as arkit or arkit,vrchat"
    )
    generate.add_argument(
        "--conditions", metavar="LIST", help='one key of your own: "jawOpen=0.6,mouthSmileLeft=0.3"'
    )
    generate.add_argument("--name", help="the name of that key")
    generate.add_argument(
        "--table",
        type=Path,
        metavar="FILE.json",
        help='keys of your own: {"Key": {"jawOpen": 0.6}}',
    )
    generate.add_argument(
        "--landmarks",
        type=Path,
        metavar="FILE.json",
        help='corrected landmarks: {"chin": [x, y, z]}, in the mesh\'s space',
    )
    _add_looks(generate)
    add_model(generate)
    generate.add_argument(
        "--out",
        type=Path,
        required=True,
        metavar="OUT.npz",
        help="gets names (N,) and deltas float32 (N,V,3)",
    )
    generate.add_argument("--json", action="store_true", help="print the report as JSON")
    add_settings(generate, "generate")
    generate.set_defaults(run=_generate)


def _add_looks(generate: argparse.ArgumentParser) -> None:
    """Add what changes how the shapes look."""
    generate.add_argument(
        "--strength", type=float, default=1.0, help="factor on all offsets (default 1)"
    )
    generate.add_argument(
        "--style",
        type=float,
        default=0.5,
        help="sizes of shapes, 0 subtle to 1 bold (default 0.5: as most makers have them)",
    )
    generate.add_argument(
        "--turn-eyes",
        action="store_true",
        help="let eyeLook shapes turn eyeballs also where the avatar has bones for that",
    )


def parse_conditions(text: str) -> dict[str, float]:
    """{condition: weight} from "jawOpen=0.6,mouthSmileLeft=0.3". Raises BackendError
    `table_invalid`.
    """
    row: dict[str, float] = {}
    for part in text.split(","):
        name, equals, value = part.partition("=")
        name = name.strip()
        try:
            weight = float(value)
        except ValueError:
            weight = math.nan
        if not equals or not name or not math.isfinite(weight):
            raise BackendError(
                "table_invalid",
                f"{part.strip()!r} is not NAME=NUMBER.",
                'Write for example "jawOpen=0.6,mouthSmileLeft=0.3".',
            )
        if name in row:
            raise BackendError(
                "table_invalid", f"{name} is given twice.", "Give every condition once."
            )
        row[name] = weight
    return row


def _generate(options: argparse.Namespace) -> int:
    from dataclasses import replace

    from ...files import read_landmarks, read_mesh, write_shapes
    from ...inference.catalogue import find_model
    from ..run_once import generate_deltas

    tables = _tables(options)
    _check_numbers(options)
    names = [name.strip() for name in options.set.split(",") if name.strip()]
    mesh = read_mesh(options.mesh)
    if options.landmarks:
        mesh = replace(mesh, landmarks=read_landmarks(options.landmarks))
    settings = chosen_settings(options)
    model = find_model(options.model, settings)
    shapes, deltas, report = generate_deltas(
        mesh,
        names,
        tables,
        settings,
        _show_progress,
        model_path=model,
        strength=options.strength,
        style=options.style,
        turn_eyes=options.turn_eyes,
    )
    write_shapes(options.out, shapes, deltas)
    if options.json:
        print(json.dumps(report, indent=1, ensure_ascii=False))
    else:
        print(
            f"{options.out}: {report['shapes']} shapes on {report['face_vertices']} of"
            f" {report['vertices']} vertices in {report['seconds']['total']:.2f} s on"
            f" {report['provider_active']}"
        )
        for warning in report["warnings"]:
            warn_once(log, warning)
    return 0


def _tables(options: argparse.Namespace) -> dict[str, Any]:
    """The user's keys, from the table and --conditions. Raises BackendError `table_invalid`."""
    from ...files import read_table

    tables: dict[str, Any] = {}
    if options.table:
        tables.update(read_table(options.table))
    if (options.conditions is None) != (options.name is None):
        raise BackendError(
            "table_invalid",
            "--conditions and --name belong together.",
            'Write --conditions "jawOpen=0.6" --name Key.',
        )
    if options.conditions is not None:
        if options.name in tables:
            raise BackendError(
                "table_invalid",
                f"The key {options.name!r} is in the table too.",
                "Choose another --name.",
            )
        tables[options.name] = parse_conditions(options.conditions)
    return tables


def _check_numbers(options: argparse.Namespace) -> None:
    if not math.isfinite(options.strength):
        raise BackendError(
            "setting_invalid",
            f"--strength {options.strength} is no number.",
            "Use one above 0, up to 10.",
        )
    if not math.isfinite(options.style):
        raise BackendError(
            "setting_invalid", f"--style {options.style} is no number.", "Use one from 0 to 1."
        )


def _show_progress(stage: str, fraction: float) -> None:
    if sys.stderr.isatty():
        sys.stderr.write(f"\r{stage:<8}{fraction:6.0%}" + ("\n" if fraction >= 1 else ""))
        sys.stderr.flush()
