# SPDX-License-Identifier: GPL-3.0-or-later
"""Options that several commands have: settings, a model, a time limit."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from ...errors import BackendError
from ...limits import MAX_TIMEOUT

if TYPE_CHECKING:
    from ...inference.settings import Settings

_ONE_MODEL = (
    "model_dir",
    "precision",
    "strict",
    "low_memory",
    "memory_mb",
    "log_severity",
    "log_level",
)
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


def add_settings(command: argparse.ArgumentParser, name: str) -> None:
    """Add the arguments for settings to a command of this name."""
    from ...inference.settings import PROVIDER_NAMES

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


def chosen_settings(options: argparse.Namespace) -> Settings:
    """The settings of a command. Raises BackendError `setting_invalid`, also for one that would
    have no effect.
    """
    from ...inference.settings import SETTINGS, begin_log, resolve

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


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 0 < seconds < MAX_TIMEOUT:
        raise argparse.ArgumentTypeError(f"{text} s cannot be waited for: give a number above 0")
    return seconds


def add_model(command: argparse.ArgumentParser) -> None:
    """Add the options that say which model, and how long it may take."""
    command.add_argument(
        "--model",
        metavar="MODEL",
        help="a model file, or a name out of `models`, instead of the shipped one",
    )
    command.add_argument(
        "--timeout",
        type=_seconds,
        metavar="S",
        help=(
            "seconds after which the command is ended (default with --model: what suits the mesh)"
        ),
    )
