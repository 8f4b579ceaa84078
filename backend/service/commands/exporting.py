# SPDX-License-Identifier: GPL-3.0-or-later
"""`export-ort`, `export-triton`: a model in other formats."""

from __future__ import annotations

import argparse
from pathlib import Path

from .options import add_model, add_settings, chosen_settings


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add these commands to the command line."""
    export = commands.add_parser(
        "export-ort",
        help="write a model in ONNX Runtime's own format, for builds of it without the ONNX parser",
    )
    add_model(export)
    export.add_argument(
        "--out",
        type=Path,
        required=True,
        metavar="FOLDER",
        help="gets NAME.encoder.ort and NAME.decoder.ort, or NAME.ort",
    )
    add_settings(export, "export-ort")
    export.set_defaults(run=_export_ort)

    export = commands.add_parser(
        "export-triton", help="write a model as a repository for Triton or another KServe v2 server"
    )
    add_model(export)
    export.add_argument(
        "--out",
        type=Path,
        required=True,
        metavar="FOLDER",
        help="gets a folder for each session: config.pbtxt and 1/model.onnx",
    )
    add_settings(export, "export-triton")
    export.set_defaults(run=_export_triton)


def _export_ort(options: argparse.Namespace) -> int:
    from ...inference.catalogue import find_model
    from ...inference.export import export_ort

    settings = chosen_settings(options)
    for path in export_ort(find_model(options.model, settings), options.out, settings):
        print(path)
    return 0


def _export_triton(options: argparse.Namespace) -> int:
    from ...inference.catalogue import find_model
    from ...inference.export import export_triton

    settings = chosen_settings(options)
    for path in export_triton(find_model(options.model, settings), options.out, settings):
        print(path)
    return 0
