# SPDX-License-Identifier: GPL-3.0-or-later
"""Writing loaded models for other runtimes."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from ..atomic import temporary_beside
from ..errors import BackendError
from ..files import write_bytes
from . import runtime, selftest
from .loading import load_model
from .models import Model
from .remote import server_name
from .sessions import Session
from .settings import SEVERITIES, Settings

MOST_HEADS = 64
ALLOWED = 1e-4  # of the largest output, between a model and what was written of it


def export_ort(path: Path | None, out: Path, settings: Settings) -> list[Path]:
    """Write a model's sessions in ONNX Runtime's own format, with the basic graph optimisations,
    and compare; the paths.

    That format needs no ONNX parser and suits small builds of ONNX Runtime. Raises BackendError: as
    load_model does, `output_unwritable`, `model_contract` when what was written computes something
    else.
    """
    model = load_model(path, _plain(settings))
    _folder(out)
    return [_write(part, out) for part in _own_parts(model, path)]


def export_triton(path: Path | None, out: Path, settings: Settings) -> list[Path]:
    """Write a model's sessions as a model repository of Triton's, which other KServe v2 servers
    read too; the folders.

    Sessions with an axis that counts heads get dynamic batching; the decoder has none, its rows are
    vertices. Raises BackendError: as load_model does, `output_unwritable`.
    """
    model = load_model(path, _plain(settings))
    folders: list[Path] = []
    for part in _own_parts(model, path):
        folder = out / server_name(part.name)
        _folder(folder / "1")
        write_bytes(folder / "1" / "model.onnx", part.data)
        write_bytes(folder / "config.pbtxt", triton_config(part).encode())
        folders.append(folder)
    return folders


def _plain(settings: Settings) -> Settings:
    """The settings to load a model with that is only looked at."""
    return replace(settings, provider="cpu", server="", profile="", placement=False)


def triton_config(part: Session) -> str:
    """config.pbtxt of a session, see Model Configuration in Triton's user guide."""
    inputs, outputs = part.session.get_inputs(), part.session.get_outputs()
    batched = all(
        len(entry.shape) > 1 and not isinstance(entry.shape[0], int)
        for entry in (*inputs, *outputs)
    )  # not a decoder's latent

    def listed(kind: str, entries: Sequence[Any]) -> str:
        rows = []
        for entry in entries:
            axes = ", ".join(
                str(axis) if isinstance(axis, int) else "-1"
                for axis in entry.shape[1 if batched else 0 :]
            )
            rows.append(f'  {{ name: "{entry.name}" data_type: TYPE_FP32 dims: [ {axes} ] }}')
        return f"{kind} [\n" + ",\n".join(rows) + "\n]\n"

    text = (
        f'name: "{server_name(part.name)}"\nbackend: "onnxruntime"\nmax_batch_size:'
        f" {MOST_HEADS if batched else 0}\n"
    )
    text += listed("input", inputs) + listed("output", outputs)
    if batched:
        text += (
            f"dynamic_batching {{ preferred_batch_size: [ 4, 8, {MOST_HEADS} ]"
            " max_queue_delay_microseconds: 2000 }\n"
        )
    text += "instance_group [ { count: 1 kind: KIND_AUTO } ]\n"
    return text + f'parameters {{ key: "sha256" value: {{ string_value: "{part.hash}" }} }}\n'


def _own_parts(model: Model, path: Path | None) -> tuple[Session, ...]:
    """The sessions that belong to the model's own files; a plain model is located with the shipped
    encoder, which is not its own.
    """
    return (model.plain,) if model.plain is not None and path is not None else model.parts


def _write(part: Session, out: Path) -> Path:
    ort: Any = runtime.ort
    target = out / f"{Path(part.name).stem}.ort"
    severity = SEVERITIES.index(part.settings.log_severity)
    options, quiet = ort.SessionOptions(), ort.SessionOptions()
    options.log_severity_level = quiet.log_severity_level = severity
    options.graph_optimization_level = (
        ort.GraphOptimizationLevel.ORT_ENABLE_BASIC
    )  # others are for the processor they were made on
    options.add_session_config_entry("session.save_model_format", "ORT")
    temporary = temporary_beside(target, ".ort")  # ONNX Runtime opens what is there, a link too
    options.optimized_model_filepath = str(temporary)
    try:
        ort.InferenceSession(part.data, options, providers=["CPUExecutionProvider"])
        written = ort.InferenceSession(
            temporary.read_bytes(), quiet, providers=["CPUExecutionProvider"]
        )
        _compare(part, written, target.name)
        temporary.replace(target)
    except BackendError:
        raise
    except Exception as error:  # ONNX Runtime's exceptions share no base class
        what = f"{target} cannot be written: {runtime.first_line(error)}."
        raise BackendError(
            "output_unwritable", what, "Choose a folder that exists and that you may write to."
        ) from error
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
    return target


def _compare(part: Session, written: Any, name: str) -> None:
    """Raise BackendError `model_contract` where what was written computes something else."""
    feeds = selftest.probe(part.session.get_inputs())
    for right, found in zip(part.session.run(None, feeds), written.run(None, feeds), strict=True):
        if np.abs(found - right).max() > ALLOWED * np.abs(right).max():
            raise BackendError(
                "model_contract",
                f"{name} computes something else than {part.name}.",
                "Please report this with the model.",
            )


def _folder(out: Path) -> None:
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        fix = "Choose a folder that exists and that you may write to."
        raise BackendError(
            "output_unwritable", f"{out} cannot be made: {error.strerror or error}.", fix
        ) from error
