# SPDX-License-Identifier: GPL-3.0-or-later
"""`python -m backend`: serve the pipe, or work on files without Blender.

Exit codes: 0 done, 2 the input or a setting is wrong (one sentence on stderr), 1 anything else, 130
interrupted.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import logging
import math
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .. import regular_file, streams
from ..errors import NOT_THE_INPUT, BackendError, as_backend_error
from ..limits import MAX_TIMEOUT, seconds_for
from ..log import begin, warn_once
from .supervise import SUPERVISED, supervise

if TYPE_CHECKING:
    from ..inference.settings import Settings

# numpy and onnxruntime are imported by the commands, so that --help is quick and `serve` can first
# set fd 1 aside

log = logging.getLogger(__name__)

BENCH_SECONDS = 7200.0  # all cells take a quarter of an hour on two cores
BYTES_OF_VERTEX = (
    12  # in a mesh's file, at least: its coordinates; faces and compression about cancel out
)

_ONE_MODEL = (
    "model_dir",
    "precision",
    "strict",
    "low_memory",
    "memory_mb",
    "log_severity",
    "log_level",
)
_TIMEOUT = "seconds after which the command is ended (default with --model: what suits the mesh)"
# Settings that count for a command, where not all do; what is given beside them is refused. Other
# requests, and idle times between them, are there for a child only.
HEEDED: dict[str, tuple[str, ...]] = {
    "models": ("model_dir", "log_level"),
    "export-ort": _ONE_MODEL,
    "export-triton": _ONE_MODEL,
}
IGNORED: dict[str, tuple[str, ...]] = {
    "generate": ("workers", "idle_s"),
    "info": ("workers", "idle_s", "metrics"),
}


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
    if options.command == "bench":
        return BENCH_SECONDS
    vertices = 0
    with contextlib.suppress(OSError):  # what is wrong with the file is told by who reads it
        vertices = (
            regular_file.status(options.mesh).st_size // BYTES_OF_VERTEX
            if options.command == "generate"
            else 0
        )
    return seconds_for(vertices)


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 0 < seconds < MAX_TIMEOUT:
        raise argparse.ArgumentTypeError(f"{text} s cannot be waited for: give a number above 0")
    return seconds


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


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m backend", description="The computing half of BlendShape Auto-Generator."
    )
    parser.add_argument(SUPERVISED, action="store_true", help=argparse.SUPPRESS)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

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

    settings = commands.add_parser(
        "settings", help="show every setting, its value, where that comes from, and what is allowed"
    )
    settings.add_argument("--json", action="store_true", help="print JSON")
    _add_settings(settings, "settings")
    settings.set_defaults(run=_settings)

    info = commands.add_parser("info", help="show versions, providers, hardware and the model")
    info.add_argument(
        "--model",
        metavar="MODEL",
        help="a model file, or a name out of `models`, instead of the shipped one",
    )
    info.add_argument("--timeout", type=_seconds, metavar="S", help=_TIMEOUT)
    info.add_argument("--json", action="store_true", help="print JSON")
    _add_settings(info, "info")
    info.set_defaults(run=_info)

    models = commands.add_parser(
        "models", help="list the models that can be named: the shipped one and those of model_dir"
    )
    models.add_argument("--json", action="store_true", help="print JSON")
    _add_settings(models, "models")
    models.set_defaults(run=_models)

    params = commands.add_parser(
        "params", help="list every number of the face's stages: default, unit, range, source"
    )
    params.add_argument("--json", action="store_true", help="print JSON")
    params.set_defaults(run=_params)

    export = commands.add_parser(
        "export-ort",
        help="write a model in ONNX Runtime's own format, for builds of it without the ONNX parser",
    )
    export.add_argument(
        "--model",
        metavar="MODEL",
        help="a model file, or a name out of `models`, instead of the shipped one",
    )
    export.add_argument("--timeout", type=_seconds, metavar="S", help=_TIMEOUT)
    export.add_argument(
        "--out",
        type=Path,
        required=True,
        metavar="FOLDER",
        help="gets NAME.encoder.ort and NAME.decoder.ort, or NAME.ort",
    )
    _add_settings(export, "export-ort")
    export.set_defaults(run=_export_ort)

    export = commands.add_parser(
        "export-triton", help="write a model as a repository for Triton or another KServe v2 server"
    )
    export.add_argument(
        "--model",
        metavar="MODEL",
        help="a model file, or a name out of `models`, instead of the shipped one",
    )
    export.add_argument("--timeout", type=_seconds, metavar="S", help=_TIMEOUT)
    export.add_argument(
        "--out",
        type=Path,
        required=True,
        metavar="FOLDER",
        help="gets a folder for each session: config.pbtxt and 1/model.onnx",
    )
    _add_settings(export, "export-triton")
    export.set_defaults(run=_export_triton)

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
    generate.add_argument(
        "--model",
        metavar="MODEL",
        help="a model file, or a name out of `models`, instead of the shipped one",
    )
    generate.add_argument("--timeout", type=_seconds, metavar="S", help=_TIMEOUT)
    generate.add_argument(
        "--out",
        type=Path,
        required=True,
        metavar="OUT.npz",
        help="gets names (N,) and deltas float32 (N,V,3)",
    )
    generate.add_argument("--json", action="store_true", help="print the report as JSON")
    _add_settings(generate, "generate")
    generate.set_defaults(run=_generate)

    if find_spec("..inference.benchmark", __package__) is not None:  # the extension's zip has none
        _add_bench(commands)
    return parser


def _add_bench(commands: Any) -> None:
    """Add the command that measures, to argparse's subparsers."""
    bench = commands.add_parser(
        "bench",
        help="measure sessions, requests and starts on this machine; see docs/design/benchmark.md",
    )
    bench.add_argument(
        "--mesh",
        type=Path,
        metavar="MESH.npz",
        help="an avatar; without one, a head that says where its landmarks are",
    )
    bench.add_argument(
        "--vertices",
        default="10000,15000,20000,70000",
        metavar="LIST",
        help="sizes of heads (default %(default)s)",
    )
    bench.add_argument(
        "--batch", default="1,4,8", metavar="LIST", help="heads at a time (default %(default)s)"
    )
    bench.add_argument(
        "--providers",
        default="",
        metavar="LIST",
        help="providers to measure (default: all that are there)",
    )
    bench.add_argument(
        "--precisions",
        default="",
        metavar="LIST",
        help="precisions to measure (default: fp32,fp16,int8)",
    )
    bench.add_argument(
        "--model",
        metavar="MODEL",
        help="a model file, or a name out of `models`, instead of the shipped one",
    )
    bench.add_argument("--timeout", type=_seconds, metavar="S", help=_TIMEOUT)
    bench.add_argument("--repeat", type=int, default=5, help="runs of each (default 5)")
    bench.add_argument(
        "--quick",
        action="store_true",
        help="small heads and few runs: shows that it works, not how fast",
    )
    bench.add_argument("--plot", type=Path, metavar="FILE.svg", help="draw seconds over vertices")
    bench.add_argument("--out", type=Path, metavar="FILE.json", help="write the JSON there, too")
    bench.add_argument("--json", action="store_true", help="print JSON instead of tables")
    _add_settings(bench, "bench")
    bench.set_defaults(run=_bench)


def _add_settings(command: argparse.ArgumentParser, name: str) -> None:
    """Add the arguments for settings to a command of this name."""
    from ..inference.settings import PROVIDER_NAMES

    group = command.add_argument_group(
        "settings",
        "see `python -m backend settings`; they go before the environment and the settings file",
    )
    group.add_argument("--provider", help=f"one of {', '.join(PROVIDER_NAMES)}")
    group.add_argument("--precision", help="auto, fp32, fp16 or int8")
    group.add_argument("--threads", help="threads of a session; auto finds the fastest by trial")
    group.add_argument(
        "--server",
        metavar="URL",
        help=(
            "run the sessions on a Triton or KServe v2 server: grpc://HOST:PORT or"
            " grpcs://HOST:PORT"
        ),
    )
    group.add_argument(
        "--setting", action="append", default=[], metavar="NAME=VALUE", help="any setting"
    )
    command.set_defaults(command=name)


def _chosen(options: argparse.Namespace) -> Settings:
    """The settings of a command. Raises BackendError `setting_invalid`, also for one that would
    have no effect.
    """
    from ..inference.settings import SETTINGS, begin_log, resolve

    call: dict[str, Any] = {
        name: getattr(options, name) for name in ("provider", "precision", "threads", "server")
    }
    for text in options.setting:
        name, equals, value = text.partition("=")
        if not equals:
            raise BackendError(
                "setting_invalid",
                f"{text!r} is not NAME=VALUE.",
                "Write for example --setting memory_mb=1024.",
            )
        call[name.strip()] = value
    settings = resolve(call)
    heeded = [
        name
        for name in HEEDED.get(options.command, tuple(SETTINGS))
        if name not in IGNORED.get(options.command, ())
    ]
    for name in (name for name, value in call.items() if value is not None and name not in heeded):
        fix = f"Leave it out. Settings that count there are {', '.join(heeded)}."
        raise BackendError("setting_invalid", f"{name} has no effect on `{options.command}`.", fix)
    begin_log(settings)
    return settings


def _settings(options: argparse.Namespace) -> int:
    from ..inference.settings import describe

    told = describe(_chosen(options))
    if options.json:
        print(json.dumps(told, indent=1, ensure_ascii=False))
    else:
        for name, entry in told.items():
            print(
                f"{name} = {entry['value']}   from {entry['from']}; {entry['allowed']}\n   "
                f" {entry['about']}"
            )
    return 0


def _serve(options: argparse.Namespace) -> int:
    from . import parent, stdio

    pipe = stdio.claim()  # first: native code looks at descriptor 0 while it is loaded
    parent.watch(pipe[0].fileno())  # and this: the server's imports take seconds on a cold disk
    from .server import serve

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


def _info(options: argparse.Namespace) -> int:
    from dataclasses import asdict

    from ..inference.catalogue import find_model
    from ..inference.hardware import hardware
    from ..inference.loading import load_model
    from ..inference.runtime import available_providers
    from .handlers import describe
    from .server import versions

    settings = _chosen(options)
    report: dict[str, Any] = {
        "versions": versions(),
        "providers": available_providers(),
        "hardware": asdict(hardware()),
    }
    failed: BackendError | None = None
    try:
        model = load_model(find_model(options.model, settings), settings)
        report["model"] = describe(model)
        if model.warnings:
            report["model"]["warnings"] = model.warnings
        profiles = model.close()
        if profiles:
            report["model"]["profiles"] = profiles
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


def _models(options: argparse.Namespace) -> int:
    from dataclasses import asdict

    from ..inference.catalogue import catalogue

    entries = catalogue(_chosen(options))
    if options.json:
        print(json.dumps([asdict(entry) for entry in entries], indent=1, ensure_ascii=False))
        return 0
    for entry in entries:
        variants = f", also in {', '.join(entry.precisions)}" if entry.precisions else ""
        print(
            f"{entry.name}: "
            + (
                entry.problem
                or f"{entry.contract}, {entry.megabytes:g} MiB{variants}, {entry.path}"
            )
        )
    return 0


def _params(options: argparse.Namespace) -> int:
    from dataclasses import asdict

    from ..face.params.number import numbers

    table = list(numbers())
    if options.json:
        print(json.dumps([asdict(each) for each in table], indent=1, ensure_ascii=False))
        return 0
    for each in table:
        print(
            f"{each.group}.{each.name} = {each.default:g} {each.unit},"
            f" {each.low:g} to {each.high:g}: {each.source}"
        )
    return 0


def _export_ort(options: argparse.Namespace) -> int:
    from ..inference.catalogue import find_model
    from ..inference.export import export_ort

    settings = _chosen(options)
    for path in export_ort(find_model(options.model, settings), options.out, settings):
        print(path)
    return 0


def _export_triton(options: argparse.Namespace) -> int:
    from ..inference.catalogue import find_model
    from ..inference.export import export_triton

    settings = _chosen(options)
    for path in export_triton(find_model(options.model, settings), options.out, settings):
        print(path)
    return 0


def _generate(options: argparse.Namespace) -> int:
    from dataclasses import replace

    from ..files import read_landmarks, read_mesh, read_table, write_shapes
    from ..inference.catalogue import find_model
    from .run_once import generate_deltas

    tables = {}
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
    names = [name.strip() for name in options.set.split(",") if name.strip()]
    mesh = read_mesh(options.mesh)
    if options.landmarks:
        mesh = replace(mesh, landmarks=read_landmarks(options.landmarks))
    settings = _chosen(options)
    model = find_model(options.model, settings)
    asked = mesh, names, tables, options.strength, model, _show_progress, settings
    shapes, deltas, report = generate_deltas(
        *asked, style=options.style, turn_eyes=options.turn_eyes
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


def _bench(options: argparse.Namespace) -> int:
    from ..files import read_mesh, write_text
    from ..inference.bench_show import plot, text
    from ..inference.benchmark import Plan, benchmark
    from ..inference.catalogue import find_model

    plan = Plan(
        _numbers(options.vertices, "--vertices"),
        _numbers(options.batch, "--batch"),
        _names(options.providers),
        _names(options.precisions),
        options.repeat,
        options.quick,
    )
    settings = _chosen(options)
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


def _show_progress(stage: str, fraction: float) -> None:
    if sys.stderr.isatty():
        sys.stderr.write(f"\r{stage:<8}{fraction:6.0%}" + ("\n" if fraction >= 1 else ""))
        sys.stderr.flush()


def _print_tree(value: dict[str, Any], indent: str = "") -> None:
    for key, entry in value.items():
        if isinstance(entry, dict):
            print(f"{indent}{key}:")
            _print_tree(entry, indent + "  ")
        elif isinstance(entry, list | tuple):
            print(
                f"{indent}{key}: "
                + ", ".join(str(e["name"]) if isinstance(e, dict) else str(e) for e in entry)
            )
        else:
            print(f"{indent}{key}: {entry}")
