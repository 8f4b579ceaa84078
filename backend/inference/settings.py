# SPDX-License-Identifier: GPL-3.0-or-later
"""Every setting of the engine in one table, and one precedence: call, preferences, environment,
file, default.

A call is what a request or the command line names; preferences are what the add-on hands over when
it starts the child; the environment holds BLENDSHAPE_<NAME>; the file is JSON, {"name": value}.
ONNX Runtime itself takes nearly anything silently, so a name or value that is not in the table is
told with the allowed ones: as an error where it was chosen for this call or in the preferences, as
a warning where it comes from the environment or the file. Those may be years old and somebody
else's; they are left out, and the work goes on.
"""

from __future__ import annotations

import difflib
import json
import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from .. import regular_file
from ..errors import BackendError
from ..log import LEVELS, begin, warn_once
from .folders import config_folder
from .kinds import Kind, value_of

log = logging.getLogger(__name__)

PREFIX = "BLENDSHAPE_"
FILE_VARIABLE = "BLENDSHAPE_CONFIG"
MAX_THREADS = 256
MAX_FILE = 1 << 20
_PREFERENCES, _CALL = "the preferences", "the call"


@dataclass(frozen=True)
class Settings:
    """What may be chosen; see SETTINGS for what each means and may be. sources: name -> where its
    value comes from, `default` left out.

    warnings: what the environment or the file says that was left out, as sentences.
    """

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
    graph_optimization: str = "all"
    execution_mode: str = "sequential"
    inter_op_threads: int = 1
    log_severity: str = "error"
    log_level: str = "warning"
    sources: tuple[tuple[str, str], ...] = ()
    warnings: tuple[str, ...] = ()

    def source(self, name: str) -> str:
        """Where a setting's value comes from, in words for a reason: `BLENDSHAPE_THREADS`, `the
        preferences`, `the default`.
        """
        return dict(self.sources).get(name, "the default")


PROVIDER_NAMES = (
    "auto",
    "cpu",
    "tensorrt",
    "cuda",
    "directml",
    "windowsml",
    "openvino",
    "coreml",
    "webgpu",
    "nvtensorrtrtx",
    "qnn",
)
SEVERITIES = ("verbose", "info", "warning", "error", "fatal")  # ONNX Runtime's, by number
OPTIMIZATIONS = ("disable", "basic", "extended", "layout", "all")
_SWITCH = ("true", "false")

SETTINGS: dict[str, Kind] = {
    "provider": Kind("execution provider; auto takes the platform's order", choices=PROVIDER_NAMES),
    "strict": Kind("true: the provider that was asked for, or an error", choices=_SWITCH),
    "precision": Kind(
        "auto takes the model as it is; others need a measured variant beside it",
        choices=("auto", "fp32", "fp16", "int8"),
    ),
    "device": Kind("number of the GPU, from 0, of a provider that can be told one", low=0, high=63),
    "threads": Kind(
        "threads of a session; 0 takes as many as cores, and after a first request the fastest by"
        " trial",
        low=0,
        high=MAX_THREADS,
    ),
    "memory_mb": Kind(
        "resident memory that loaded models may bring the process to", low=128, high=1 << 20
    ),
    "gpu_memory_mb": Kind(
        "memory that CUDA's arena and TensorRT's workspace may take", low=128, high=1 << 20
    ),
    "low_memory": Kind(
        "smaller pieces, no arena, one model at a time; auto chooses it when memory is short",
        choices=("auto", "on", "off"),
    ),
    "idle_s": Kind(
        "seconds without a request after which models are let go; 0 keeps them", low=0, high=86_400
    ),
    "workers": Kind("requests that are worked on at the same time", low=1, high=16),
    "model_dir": Kind("folder with models that can be named", path=True),
    "cache_dir": Kind("folder of compiled engines", path=True),
    "profile": Kind("folder that gets ONNX Runtime's profile of every session", path=True),
    "placement": Kind("true: report which provider runs how many nodes", choices=_SWITCH),
    "metrics": Kind("file that gets the metrics as Prometheus text after every request", path=True),
    "server": Kind(
        "server that runs the sessions, Triton or another that speaks KServe v2; see"
        " docs/reference/settings.md",
        address=True,
    ),
    "server_ca": Kind(
        "file with the certificates that a grpcs server is checked against; nothing for the"
        " system's",
        path=True,
    ),
    "server_timeout_s": Kind("seconds that one run on a server may take", low=0.01, high=3600),
    "graph_optimization": Kind(
        "how far ONNX Runtime rewrites a model before it runs it; less helps to find a fault",
        choices=OPTIMIZATIONS,
    ),
    "execution_mode": Kind(
        "parallel: operators of one run that do not wait for each other may run at once",
        choices=("sequential", "parallel"),
    ),
    "inter_op_threads": Kind(
        "operators of one run at once where execution_mode is parallel; 0 for as many as cores",
        low=0,
        high=MAX_THREADS,
    ),
    "log_severity": Kind(
        "from which severity on ONNX Runtime's sessions write to stderr",
        choices=SEVERITIES,
        numbered=True,
    ),
    "log_level": Kind("from which level on the backend itself writes to stderr", choices=LEVELS),
}


def resolve(
    call: Mapping[str, Any] | None = None,
    preferences: Mapping[str, Any] | None = None,
    environment: Mapping[str, str] | None = None,
) -> Settings:
    """The settings by precedence: call, preferences, environment, file, default. None in call or
    preferences stands for "not given".

    environment: os.environ if None; its BLENDSHAPE_CONFIG names the file. Raises BackendError
    `setting_invalid` for what call or preferences say; what is wrong with the environment or the
    file is in the result's `warnings`.
    """
    environment = os.environ if environment is None else environment
    variables = {
        key[len(PREFIX) :].lower(): value.strip()
        for key, value in environment.items()
        if key.upper().startswith(PREFIX)
    }
    variables.pop(FILE_VARIABLE[len(PREFIX) :].lower(), None)
    warnings: list[str] = []
    path, content = _file(environment, warnings)
    values: dict[str, Any] = {}
    sources: dict[str, str] = {}
    for source, layer, chosen in (
        (f"the file {path}", content, False),
        (PREFIX, {name: value for name, value in variables.items() if value}, False),
        (_PREFERENCES, preferences or {}, True),
        (_CALL, call or {}, True),
    ):
        for name, value in layer.items():
            where = f"{PREFIX}{name.upper()}" if source == PREFIX else source
            try:
                _require_known(name, where)
                if value is not None:
                    values[name] = value_of(
                        SETTINGS[name], type(_DEFAULTS[name]), name, value, where
                    )
                    sources[name] = where
            except BackendError as error:
                if chosen:
                    raise
                warnings.append(f"{error.message} It is left out. {error.fix}")
    return Settings(**values, sources=tuple(sorted(sources.items())), warnings=tuple(warnings))


def begin_log(settings: Settings) -> None:
    """Write the log at the settings' level from here on, and their warnings to it."""
    begin(settings.log_level)
    tell(settings)


def tell(settings: Settings) -> None:
    """Log what was left out of the environment or the file: each once in this process."""
    for warning in settings.warnings:
        warn_once(log, warning)


def describe(settings: Settings) -> dict[str, dict[str, Any]]:
    """Every setting with its value, where that comes from and what is allowed, as plain data."""
    return {
        name: {
            "value": getattr(settings, name),
            "from": settings.source(name),
            "allowed": kind.allowed,
            "about": kind.about,
        }
        for name, kind in SETTINGS.items()
    }


def chosen(settings: Settings) -> dict[str, Any]:
    """What was chosen for this call or in the preferences: the preferences of a child that is to
    work alike, in the same environment.
    """
    return {
        name: getattr(settings, name)
        for name, source in settings.sources
        if source in (_PREFERENCES, _CALL)
    }


def _file(
    environment: Mapping[str, str], warnings: list[str]
) -> tuple[Path | None, Mapping[str, Any]]:
    """The settings file and what is in it. Why nothing of it counts is added to `warnings`: a file
    that was named must be there, the user's own need not.
    """
    named = environment.get(FILE_VARIABLE, "").strip()
    folder = None if named else config_folder(environment)
    if not named and folder is None:
        warnings.append(
            "There is no home folder, so no settings file was looked for. Set HOME, or name a file"
            f" in {FILE_VARIABLE}."
        )
        return None, {}
    path = Path(named) if folder is None else folder / "settings.json"
    example = 'Write for example {"threads": 2}.'
    try:
        content = json.loads(
            regular_file.read(path, MAX_FILE, anywhere=not named).decode("utf-8-sig")
        )
        if isinstance(content, dict):
            return path, content
        warnings.append(f"{path} holds no object of settings, so none were read from it. {example}")
    except FileNotFoundError:
        if named:
            warnings.append(f"There is no settings file {path}. Correct or unset {FILE_VARIABLE}.")
    except regular_file.TooLargeError:
        warnings.append(
            f"{path} is too large for settings and was not read. It may have {MAX_FILE >> 20} MiB."
        )
    except regular_file.RefusedError as error:
        warnings.append(f"{path} {error.reason}, so no settings were read from it. {error.fix}")
    except OSError as error:
        warnings.append(f"{path} cannot be read, so no settings were: {error.strerror or error}.")
    except (ValueError, RecursionError):
        warnings.append(f"{path} is not JSON, so no settings were read from it. {example}")
    return None, {}


def _require_known(name: str, where: str) -> None:
    if name not in SETTINGS:
        near = difflib.get_close_matches(name, SETTINGS, 1)
        fix = f"Did you mean {near[0]}? " if near else ""
        raise BackendError(
            "setting_invalid",
            f"There is no setting {name!r:.60} ({where}).",
            f"{fix}Settings are {', '.join(SETTINGS)}.",
        )


_DEFAULTS: dict[str, Any] = {field.name: field.default for field in fields(Settings)}
