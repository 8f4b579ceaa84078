# SPDX-License-Identifier: GPL-3.0-or-later
"""Every setting of the engine in one table, and one precedence: call, preferences, environment, file, default.

A call is what a request or the command line names; preferences are what the add-on hands over when it starts the child; the environment
holds BLENDSHAPE_<NAME>; the file is JSON, {"name": value}. A name or value that is not in the table is an error that tells the allowed
ones: ONNX Runtime itself takes nearly anything silently.
"""

from __future__ import annotations

import difflib
import json
import math
import os
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from ..errors import BackendError
from ..values import is_number

PREFIX = "BLENDSHAPE_"
FILE_VARIABLE = "BLENDSHAPE_CONFIG"
FOLDER = "blendshape-auto-generator"
MAX_THREADS = 256
MAX_FILE = 1 << 20
_ADDRESS = re.compile(r"grpcs?://[0-9A-Za-z.\[\]:_-]+:[0-9]{1,5}")
_TRUE, _FALSE = ("1", "true", "yes", "on"), ("0", "false", "no", "off")


@dataclass(frozen=True)
class Settings:
    """What may be chosen; see SETTINGS for what each means and may be. sources: name -> where its value comes from, `default` left out."""

    provider: str = "auto"
    strict: bool = False
    precision: str = "auto"
    device: int = 0
    threads: int = 0
    memory_mb: int = 2048
    gpu_memory_mb: int = 2048
    low_memory: str = "auto"
    idle_s: float = 300.0
    workers: int = 2
    model_dir: str = ""
    cache_dir: str = ""
    profile: str = ""
    placement: bool = False
    metrics: str = ""
    server: str = ""
    server_ca: str = ""
    server_timeout_s: float = 30.0
    sources: tuple[tuple[str, str], ...] = ()

    def source(self, name: str) -> str:
        """Where a setting's value comes from, in words for a reason: `BLENDSHAPE_THREADS`, `the preferences`, `the default`."""
        return dict(self.sources).get(name, "the default")


@dataclass(frozen=True)
class Kind:
    """What a setting may be: one of `choices`, a number from `low` to `high`, a path, or an address of a server."""

    about: str
    choices: tuple[str, ...] = ()
    low: float = 0
    high: float = 0
    path: bool = False
    address: bool = False

    @property
    def allowed(self) -> str:
        """The allowed values in words."""
        if self.choices:
            return ", ".join(self.choices)
        if self.address:
            return "grpc://HOST:PORT, grpcs://HOST:PORT (with TLS), or nothing"
        return "a path, or nothing" if self.path else f"a number from {self.low:g} to {self.high:g}"


PROVIDER_NAMES = ("auto", "cpu", "tensorrt", "cuda", "directml", "windowsml", "openvino", "coreml", "webgpu", "nvtensorrtrtx", "qnn")
_SWITCH = ("true", "false")

SETTINGS: dict[str, Kind] = {
    "provider": Kind("execution provider; auto takes the platform's order", choices=PROVIDER_NAMES),
    "strict": Kind("true: the provider that was asked for, or an error", choices=_SWITCH),
    "precision": Kind("auto takes the model as it is; others need a measured variant beside it", choices=("auto", "fp32", "fp16", "int8")),
    "device": Kind("number of the GPU", low=0, high=63),
    "threads": Kind("threads of a session; 0 finds the fastest by trial", low=0, high=MAX_THREADS),
    "memory_mb": Kind("resident memory that loaded models may bring the process to", low=128, high=1 << 20),
    "gpu_memory_mb": Kind("memory of a GPU provider's arena", low=128, high=1 << 20),
    "low_memory": Kind("smaller pieces, no arena, one model at a time; auto chooses it when memory is short", choices=("auto", "on", "off")),
    "idle_s": Kind("seconds without a request after which models are let go; 0 keeps them", low=0, high=86_400),
    "workers": Kind("requests that are worked on at the same time", low=1, high=16),
    "model_dir": Kind("folder with models that can be named", path=True),
    "cache_dir": Kind("folder of compiled engines", path=True),
    "profile": Kind("folder that gets ONNX Runtime's profile of every session", path=True),
    "placement": Kind("true: report which provider runs how many nodes", choices=_SWITCH),
    "metrics": Kind("file that gets the metrics as Prometheus text after every request", path=True),
    "server": Kind("server that runs the sessions, Triton or another that speaks KServe v2; see docs/engine.md", address=True),
    "server_ca": Kind("file with the certificates that a grpcs server is checked against; nothing for the system's", path=True),
    "server_timeout_s": Kind("seconds that one run on a server may take", low=0.01, high=3600),
}


def resolve(
    call: Mapping[str, Any] | None = None,
    preferences: Mapping[str, Any] | None = None,
    environment: Mapping[str, str] | None = None,
) -> Settings:
    """The settings by precedence: call, preferences, environment, file, default. None in call or preferences stands for "not given".

    environment: os.environ if None; its BLENDSHAPE_CONFIG names the file. Raises BackendError `setting_invalid`, `input_missing`.
    """
    environment = os.environ if environment is None else environment
    variables = {key[len(PREFIX) :].lower(): value.strip() for key, value in environment.items() if key.upper().startswith(PREFIX)}
    variables.pop(FILE_VARIABLE[len(PREFIX) :].lower(), None)
    layers: list[tuple[str, Mapping[str, Any]]] = [(f"the file {path}" if path else "", content) for path, content in [_file(environment)]]
    layers += [
        (PREFIX, {name: value for name, value in variables.items() if value}),
        ("the preferences", preferences or {}),
        ("the call", call or {}),
    ]
    values: dict[str, Any] = {}
    sources: dict[str, str] = {}
    for source, layer in layers:
        for name, value in layer.items():
            where = f"{PREFIX}{name.upper()}" if source == PREFIX else source
            if name not in SETTINGS:
                near = difflib.get_close_matches(name, SETTINGS, 1)
                fix = f"Did you mean {near[0]}? " if near else ""
                raise BackendError("setting_invalid", f"There is no setting {name!r} ({where}).", f"{fix}Settings are {', '.join(SETTINGS)}.")
            if value is not None:
                values[name] = _value(name, value, where)
                sources[name] = where
    return Settings(**values, sources=tuple(sorted(sources.items())))


def describe(settings: Settings) -> dict[str, dict[str, Any]]:
    """Every setting with its value, where that comes from and what is allowed, as plain data."""
    return {
        name: {"value": getattr(settings, name), "from": settings.source(name), "allowed": kind.allowed, "about": kind.about}
        for name, kind in SETTINGS.items()
    }


def config_folder(environment: Mapping[str, str] | None = None) -> Path:
    """Where a user's settings of programs lie: %APPDATA%, ~/Library/Application Support, or XDG_CONFIG_HOME."""
    return _user_folder("APPDATA", "Application Support", "XDG_CONFIG_HOME", ".config", environment)


def cache_folder(settings: Settings, environment: Mapping[str, str] | None = None) -> Path:
    """Where compiled engines are kept: the setting cache_dir, or the user's cache folder."""
    return Path(settings.cache_dir) if settings.cache_dir else _user_folder("LOCALAPPDATA", "Caches", "XDG_CACHE_HOME", ".cache", environment)


def _user_folder(windows: str, mac: str, xdg: str, default: str, environment: Mapping[str, str] | None) -> Path:
    environment = os.environ if environment is None else environment
    if sys.platform == "win32":
        return Path(environment.get(windows) or Path.home()) / FOLDER
    if sys.platform == "darwin":
        return Path.home() / "Library" / mac / FOLDER
    return Path(environment.get(xdg) or Path.home() / default) / FOLDER


def _file(environment: Mapping[str, str]) -> tuple[Path | None, Mapping[str, Any]]:
    """The settings file and what is in it; a file that was named must be there, the user's own need not."""
    named = environment.get(FILE_VARIABLE, "").strip()
    path = Path(named) if named else config_folder(environment) / "settings.json"
    try:
        if path.stat().st_size > MAX_FILE:
            raise BackendError("setting_invalid", f"{path} is too large for settings.", f"It may have {MAX_FILE >> 20} MiB.")
        content = json.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        if named:
            raise BackendError("input_missing", f"There is no settings file {path}.", f"Correct or unset {FILE_VARIABLE}.") from None
        return None, {}
    except OSError as error:
        raise BackendError("input_missing", f"{path} cannot be read: {error.strerror or error}.", "Check its permissions.") from error
    except (ValueError, RecursionError) as error:
        raise BackendError("setting_invalid", f"{path} is not JSON.", 'Write for example {"threads": 2}.') from error
    if not isinstance(content, dict):
        raise BackendError("setting_invalid", f"{path} holds no object of settings.", 'Write for example {"threads": 2}.')
    return path, content


def _value(name: str, value: object, where: str) -> Any:
    """The value in the setting's type; text is parsed, as it comes from the environment."""
    kind, type_ = SETTINGS[name], type(_DEFAULTS[name])
    found: Any = None
    if type_ is bool:
        text = str(value).strip().lower()
        found = True if text in _TRUE else False if text in _FALSE else None
    elif type_ is str and isinstance(value, str) and "\0" not in value:
        text = value.strip()
        if kind.path or (kind.address and (not text or _ADDRESS.fullmatch(text))):
            found = text
        elif text.lower() in kind.choices:
            found = text.lower()
    elif type_ in (int, float) and not isinstance(value, bool):
        found = _number(value, type_)
        if found is not None and not (kind.low <= found <= kind.high):
            found = None
    if found is None:
        shown = f"{value!r:.80}"
        raise BackendError("setting_invalid", f"{name} is {shown} ({where}), which is not allowed.", f"Allowed: {kind.allowed}.")
    return found


def _number(value: object, type_: type) -> int | float | None:
    if isinstance(value, str):
        text = value.strip()
        if text.lower() == "auto":
            return 0
        try:
            number = float(text) if text.isascii() else math.nan
        except ValueError:
            return None
    elif is_number(value):
        number = float(value)
    else:
        return None
    if not math.isfinite(number) or (type_ is int and number != int(number)):
        return None
    return type_(number)  # type: ignore[no-any-return]


_DEFAULTS: dict[str, Any] = {field.name: field.default for field in fields(Settings)}
