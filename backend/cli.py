# SPDX-License-Identifier: GPL-3.0-or-later
"""`python -m backend`: serve the pipe, or work on files without Blender.

Exit codes: 0 done, 2 the input or a setting is wrong (one sentence on stderr), 1 anything else, 130 interrupted.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .errors import NOT_THE_INPUT, BackendError, as_backend_error

# numpy and onnxruntime are imported by the commands, so that --help is quick and `serve` can first set fd 1 aside


def main(arguments: Sequence[str]) -> int:
    """Run one command; returns the exit code."""
    options = _parser().parse_args(arguments)
    try:
        code: int = options.run(options)
        return code
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # `... | head`: whoever read stdout has enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # or the interpreter would complain once more when it flushes
        return 0
    except Exception as error:
        told = as_backend_error(error)
        if told.code == "internal":
            traceback.print_exc()
        print(f"error: {told} [{told.code}]", file=sys.stderr)
        return 1 if told.code in NOT_THE_INPUT else 2


def parse_conditions(text: str) -> dict[str, float]:
    """{condition: weight} from "jawOpen=0.6,mouthSmileLeft=0.3". Raises BackendError `table_invalid`."""
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
                "table_invalid", f"{part.strip()!r} is not NAME=NUMBER.", 'Write for example "jawOpen=0.6,mouthSmileLeft=0.3".'
            )
        if name in row:
            raise BackendError("table_invalid", f"{name} is given twice.", "Give every condition once.")
        row[name] = weight
    return row


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m backend", description="The computing half of BlendShape Auto-Generator.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    serve = commands.add_parser("serve", help="answer requests on stdin and stdout; the add-on starts this")
    serve.set_defaults(run=_serve)

    info = commands.add_parser("info", help="show versions, providers, hardware and the model")
    info.add_argument("--model", type=Path, help="a model file instead of the shipped one")
    info.add_argument("--json", action="store_true", help="print JSON")
    info.set_defaults(run=_info)

    generate = commands.add_parser("generate", help="make shapes for the mesh in an .npz file")
    generate.add_argument(
        "mesh", type=Path, help=".npz with vertices (V,3), triangles (T,3), and if there are any head_weights (V,), mask (V,)"
    )
    generate.add_argument("--set", default="", metavar="NAMES", help="shape sets, such as arkit or arkit,vrchat")
    generate.add_argument("--conditions", metavar="LIST", help='one key of your own: "jawOpen=0.6,mouthSmileLeft=0.3"')
    generate.add_argument("--name", help="the name of that key")
    generate.add_argument("--table", type=Path, metavar="FILE.json", help='keys of your own: {"Key": {"jawOpen": 0.6}}')
    generate.add_argument("--landmarks", type=Path, metavar="FILE.json", help='corrected landmarks: {"chin": [x, y, z]}, in the mesh\'s space')
    generate.add_argument("--strength", type=float, default=1.0, help="factor on all offsets (default 1)")
    generate.add_argument("--model", type=Path, help="a model file instead of the shipped one")
    generate.add_argument("--out", type=Path, required=True, metavar="OUT.npz", help="gets names (N,) and deltas float32 (N,V,3)")
    generate.add_argument("--json", action="store_true", help="print the report as JSON")
    generate.set_defaults(run=_generate)

    bench = commands.add_parser("bench", help="measure start, finding the face, the model, and a whole request")
    bench.add_argument("--mesh", type=Path, metavar="MESH.npz", help="an avatar; without one the model alone is measured, on a grid")
    bench.add_argument("--vertices", type=int, default=20_000, help="size of the grid (default 20000)")
    bench.add_argument("--model", type=Path, help="a model file instead of the shipped one")
    bench.add_argument("--threads", type=int, help="threads of a session (default: the physical cores)")
    bench.add_argument("--repeat", type=int, default=5, help="runs; the middle one counts (default 5)")
    bench.add_argument("--json", action="store_true", help="print JSON")
    bench.set_defaults(run=_bench)
    return parser


def _serve(options: argparse.Namespace) -> int:
    from .server import serve

    return serve()


def _info(options: argparse.Namespace) -> int:
    from dataclasses import asdict

    from .engine.hardware import hardware
    from .engine.models import load_model
    from .engine.sessions import available_providers
    from .handlers import describe
    from .server import versions

    report: dict[str, Any] = {"versions": versions(), "providers": available_providers(), "hardware": asdict(hardware())}
    failed: BackendError | None = None
    try:
        report["model"] = describe(load_model(options.model))
    except BackendError as error:  # the rest is what one needs to find out why
        failed = error
        report["model"] = {"error": error.code, "message": error.message, "fix": error.fix}
    if options.json:
        print(json.dumps(report, indent=1, ensure_ascii=False))
    else:
        _print_tree(report)
    if failed is not None:
        raise failed
    return 0


def _generate(options: argparse.Namespace) -> int:
    from dataclasses import replace

    from .files import read_landmarks, read_mesh, read_table, write_shapes
    from .run_once import generate_deltas

    tables = {}
    if options.table:
        tables.update(read_table(options.table))
    if (options.conditions is None) != (options.name is None):
        raise BackendError("table_invalid", "--conditions and --name belong together.", 'Write --conditions "jawOpen=0.6" --name Key.')
    if options.conditions is not None:
        if options.name in tables:
            raise BackendError("table_invalid", f"The key {options.name!r} is in the table too.", "Choose another --name.")
        tables[options.name] = parse_conditions(options.conditions)
    names = [name.strip() for name in options.set.split(",") if name.strip()]
    mesh = read_mesh(options.mesh)
    if options.landmarks:
        mesh = replace(mesh, landmarks=read_landmarks(options.landmarks))
    shapes, deltas, report = generate_deltas(mesh, names, tables, options.strength, options.model, _show_progress)
    write_shapes(options.out, shapes, deltas)
    if options.json:
        print(json.dumps(report, indent=1, ensure_ascii=False))
    else:
        print(
            f"{options.out}: {report['shapes']} shapes on {report['face_vertices']} of {report['vertices']} vertices "
            f"in {report['seconds']['total']:.2f} s on {report['provider_active']}"
        )
        for warning in report["warnings"]:
            print(f"warning: {warning}", file=sys.stderr)
    return 0


def _bench(options: argparse.Namespace) -> int:
    from .engine.benchmark import benchmark
    from .files import read_mesh

    report = benchmark(read_mesh(options.mesh) if options.mesh else None, options.vertices, options.model, options.threads, options.repeat)
    if options.json:
        print(json.dumps(report, indent=1))
    else:
        _print_tree(report)
    return 0


def _show_progress(stage: str, fraction: float) -> None:
    if sys.stderr.isatty():
        print(f"\r{stage:<8}{fraction:6.0%}", end="\n" if fraction >= 1 else "", file=sys.stderr, flush=True)


def _print_tree(value: dict[str, Any], indent: str = "") -> None:
    for key, entry in value.items():
        if isinstance(entry, dict):
            print(f"{indent}{key}:")
            _print_tree(entry, indent + "  ")
        elif isinstance(entry, list):
            print(f"{indent}{key}: " + ", ".join(str(e["name"]) if isinstance(e, dict) else str(e) for e in entry))
        else:
            print(f"{indent}{key}: {entry}")
