# SPDX-License-Identifier: GPL-3.0-or-later
"""How long sessions, requests and starts of the child take on this machine; see
docs/design/benchmark.md.

    python3 scripts/dev.py bench --child [--mesh MESH.npz] [--quick] [--json] [--plot FILE.svg]

It needs neither Blender nor the add-on.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

# numpy's own threads would fight with ONNX Runtime's, as in backend/__main__.py
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from backend import streams  # noqa: E402  (after the path is there)
from backend.errors import NOT_THE_INPUT, BackendError  # noqa: E402
from backend.files import read_mesh, write_text  # noqa: E402
from backend.inference.catalogue import find_model  # noqa: E402
from backend.service.commands.options import add_settings, chosen_settings  # noqa: E402
from scripts.bench.benchmark import Plan, benchmark  # noqa: E402
from scripts.bench.show import plot, text  # noqa: E402


def make_parser() -> argparse.ArgumentParser:
    """The options of this program."""
    parser = argparse.ArgumentParser(
        prog="dev.py bench --child",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--mesh",
        type=Path,
        metavar="MESH.npz",
        help="an avatar; without one, a head that says where its landmarks are",
    )
    parser.add_argument(
        "--vertices",
        default="10000,15000,20000,70000",
        metavar="LIST",
        help="sizes of heads (default %(default)s)",
    )
    parser.add_argument(
        "--batch", default="1,4,8", metavar="LIST", help="heads at a time (default %(default)s)"
    )
    parser.add_argument(
        "--providers",
        default="",
        metavar="LIST",
        help="providers to measure (default: all that are there)",
    )
    parser.add_argument(
        "--precisions",
        default="",
        metavar="LIST",
        help="precisions to measure (default: fp32,fp16,int8)",
    )
    parser.add_argument(
        "--model",
        metavar="MODEL",
        help="a model file, or a name out of `models`, instead of the shipped one",
    )
    parser.add_argument("--repeat", type=int, default=5, help="runs of each (default 5)")
    parser.add_argument(
        "--quick",
        action="store_true",
        help="small heads and few runs: shows that it works, not how fast",
    )
    parser.add_argument("--plot", type=Path, metavar="FILE.svg", help="draw seconds over vertices")
    parser.add_argument("--out", type=Path, metavar="FILE.json", help="write the JSON there, too")
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables")
    add_settings(parser, "bench")
    return parser


def main(arguments: Sequence[str]) -> int:
    """Measure; 2 where the input or a setting is wrong, with one sentence on stderr."""
    options = make_parser().parse_args(arguments)
    try:
        return measure(options)
    except BackendError as error:
        print(f"error: {error} [{error.code}]", file=sys.stderr)
        return 1 if error.code in NOT_THE_INPUT else 2


def measure(options: argparse.Namespace) -> int:
    """Measure what the options say, and tell it. Raises BackendError."""
    plan = Plan(
        vertices=_numbers(options.vertices, "--vertices"),
        batches=_numbers(options.batch, "--batch"),
        providers=_names(options.providers),
        precisions=_names(options.precisions),
        repeat=options.repeat,
        quick=options.quick,
    )
    settings = chosen_settings(options)
    mesh = read_mesh(options.mesh) if options.mesh else None
    report = benchmark(plan, mesh, find_model(options.model, settings), settings)
    told = json.dumps(report, indent=1)
    if options.out:
        write_text(options.out, told + "\n")
    if options.plot:
        write_text(options.plot, plot(report))
    print(told if options.json else text(report))
    return 0


def _names(listed: str) -> tuple[str, ...]:
    return tuple(name.strip().lower() for name in listed.split(",") if name.strip())


def _numbers(listed: str, option: str) -> tuple[int, ...]:
    try:
        return tuple(int(text) for text in _names(listed))
    except ValueError:
        raise BackendError(
            "setting_invalid",
            f"{option} {listed} is not a list of numbers.",
            "Write for example 10000,20000.",
        ) from None


if __name__ == "__main__":
    sys.exit(streams.run(lambda: main(sys.argv[1:])))
