# SPDX-License-Identifier: GPL-3.0-or-later
"""`settings`, `info`, `models`, `params`: what there is."""

from __future__ import annotations

import argparse
import json
from typing import Any

from ...errors import BackendError
from .options import add_model, add_settings, chosen_settings


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add these commands to the command line."""
    settings = commands.add_parser(
        "settings", help="show every setting, its value, where that comes from, and what is allowed"
    )
    settings.add_argument("--json", action="store_true", help="print JSON")
    add_settings(settings, "settings")
    settings.set_defaults(run=_settings)

    info = commands.add_parser("info", help="show versions, providers, hardware and the model")
    add_model(info)
    info.add_argument("--json", action="store_true", help="print JSON")
    add_settings(info, "info")
    info.set_defaults(run=_info)

    models = commands.add_parser(
        "models", help="list the models that can be named: the shipped one and those of model_dir"
    )
    models.add_argument("--json", action="store_true", help="print JSON")
    add_settings(models, "models")
    models.set_defaults(run=_models)

    params = commands.add_parser(
        "params", help="list every number of the face's stages: default, unit, range, source"
    )
    params.add_argument("--json", action="store_true", help="print JSON")
    params.set_defaults(run=_params)


def _settings(options: argparse.Namespace) -> int:
    from ...inference.settings import describe

    told = describe(chosen_settings(options))
    if options.json:
        print(json.dumps(told, indent=1, ensure_ascii=False))
    else:
        for name, entry in told.items():
            print(
                f"{name} = {entry['value']}   from {entry['from']}; {entry['allowed']}\n   "
                f" {entry['about']}"
            )
    return 0


def _info(options: argparse.Namespace) -> int:
    from dataclasses import asdict

    from ...inference.catalogue import find_model
    from ...inference.hardware import hardware
    from ...inference.loading import load_model
    from ...inference.runtime import available_providers
    from ..handlers import describe
    from ..server import versions

    settings = chosen_settings(options)
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

    from ...inference.catalogue import catalogue

    entries = catalogue(chosen_settings(options))
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

    from ...face.params.number import numbers

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
