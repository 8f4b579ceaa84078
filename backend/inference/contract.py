# SPDX-License-Identifier: GPL-3.0-or-later
"""The contract of model files: what they must take and give, and what their metadata says.

It is written down in docs/design/architecture.md, Model files. Nothing in a file is evaluated;
metadata is JSON or plain text.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import BackendError
from ..values import is_number
from .sessions import Session

Floats = NDArray[np.float32]

CONTRACT_VERSION = "1"
MAX_CONDITIONS = 1024
# a decoder's inputs beside the latent, in this order; the names stand in model files: `sides` is
# `lip_lid_side` of face/locate/face.py, `ways` its `opposite_edge`
PER_VERTEX = {
    "vertices": (None, 3),
    "normals": (None, 3),
    "parts": (None, 6),
    "sides": (None, 2),
    "ways": (None, 6),
}
# a number of a decoder that a run may set to 1, where it has it: see scripts/tools/one_pass.py
PASSES = "passes"
_FIX = (
    "See Model files in docs/design/architecture.md, correct the export, and check it with:"
    " python -m backend info --model FILE"
)


@dataclass(frozen=True)
class Condition:
    """One of a model's inputs that a user may turn: its name, range and value at rest."""

    name: str
    minimum: float = 0.0
    maximum: float = 1.0
    default: float = 0.0


@dataclass(frozen=True)
class ModelInfo:
    """What is known of a model from its metadata. contract: `plain` or `pair`. about: licence,
    attribution, scores and the like, as text.
    """

    name: str
    path: str
    contract: str
    conditions: tuple[Condition, ...]
    landmarks: tuple[str, ...]
    about: Mapping[str, str] = field(default_factory=dict)

    @property
    def condition_names(self) -> tuple[str, ...]:
        """Names of the conditions in the model's order."""
        return tuple(condition.name for condition in self.conditions)


def check_encoder(session: Session, metadata: Mapping[str, str]) -> tuple[str, ...]:
    """The landmarks' names of an encoder that keeps the contract."""
    _require_contract(session, metadata, "encoder")
    _require_inputs(session, {"points": (None, None, 7)})
    outputs = session.session.get_outputs()
    if len(outputs) < 2:
        raise broken(session.name, "must have two outputs, latent (B, L) and confidence (B, 1)")
    _require_output(session, (None, None), "latent")
    names = _json(metadata, "blendshape.landmarks", session.name)
    if (
        not isinstance(names, list)
        or not names
        or not all(isinstance(name, str) and name for name in names)
        or len(set(names)) < len(names)
    ):
        raise broken(
            session.name,
            "has no list of different landmark names in its metadata blendshape.landmarks",
        )
    return tuple(names)


def check_plain(session: Session, metadata: Mapping[str, str], path: Path) -> ModelInfo:
    """What is known of a plain model that keeps the contract; it has no landmarks of its own."""
    _require_contract(session, metadata, "plain")
    wanted: dict[str, tuple[int | None, ...]] = {
        "vertices": (None, None, 3),
        "conditions": (None, None),
    }
    if any(entry.name == "normals" for entry in session.session.get_inputs()):
        wanted["normals"] = (None, None, 3)
    _require_inputs(session, wanted)
    _require_output(session, (None, None, 3), "the offsets")
    conditions = _conditions(metadata, session.name)
    count = _input(session, "conditions").shape[-1]
    if not conditions:
        if not isinstance(count, int):
            raise broken(
                session.name,
                "names no conditions (metadata blendshape.conditions) and its input does not tell"
                " their number",
            )
        conditions = _numbered(count, session.name)
    if isinstance(count, int) and count != len(conditions):
        raise broken(
            session.name, f"takes {count} conditions but its metadata names {len(conditions)}"
        )
    return ModelInfo(
        name=metadata.get("blendshape.name") or path.stem,
        path=str(path),
        contract="plain",
        conditions=conditions,
        landmarks=(),
        about=about(metadata),
    )


def check_decoder(session: Session, metadata: Mapping[str, str]) -> tuple[Condition, ...]:
    """The conditions of a decoder that keeps the contract."""
    _require_contract(session, metadata, "decoder")
    _require_inputs(session, {**PER_VERTEX, "latent": (1, None)})
    conditions = _conditions(metadata, session.name)
    _require_output(session, (None, len(conditions) if conditions else None, 3), "basis")
    if not conditions:
        last = session.session.get_outputs()[0].shape[1]
        if not isinstance(last, int):
            raise broken(
                session.name,
                "names no conditions (metadata blendshape.conditions) and its output does not tell"
                " their number",
            )
        conditions = _numbered(last, session.name)
    return conditions


def check_pair(encoder: Session, decoder: Session, landmarks: Sequence[str]) -> None:
    """Raise BackendError `model_contract` where two halves do not fit each other."""
    given, wanted = encoder.session.get_outputs()[0].shape[-1], _input(decoder, "latent").shape[-1]
    if isinstance(given, int) and isinstance(wanted, int) and given != wanted:
        raise broken(
            decoder.name,
            f"wants a latent of {wanted} numbers but {encoder.name} gives {given}; they are not"
            " from one training",
        )
    if isinstance(given, int) and given < 3 * len(landmarks):
        raise broken(
            encoder.name, f"gives {given} numbers, too few for its {len(landmarks)} landmarks"
        )


def _require_contract(session: Session, metadata: Mapping[str, str], contract: str) -> None:
    found = metadata.get("blendshape.contract", contract if contract == "plain" else None)
    if found != contract:
        raise broken(
            session.name,
            f"says it is {found or 'nothing'} in its metadata blendshape.contract, not {contract}",
        )
    version = metadata.get("blendshape.version", CONTRACT_VERSION)
    if version != CONTRACT_VERSION:
        raise broken(
            session.name,
            f"follows version {version[:20]} of the contract; this release knows version"
            f" {CONTRACT_VERSION}",
        )


def _require_inputs(session: Session, wanted: Mapping[str, tuple[int | None, ...]]) -> None:
    """Names, type and axes of all inputs; None stands for an axis that must take any size (or, if
    the model fixes it, is tested by running).
    """
    found = {entry.name: entry for entry in session.session.get_inputs()}
    if set(found) != set(wanted):
        raise broken(
            session.name,
            f"has the inputs {', '.join(sorted(found)) or 'none'}; it must have"
            f" {', '.join(sorted(wanted))}",
        )
    for name, shape in wanted.items():
        entry = found[name]
        if entry.type != "tensor(float)":
            raise broken(session.name, f"takes {name} as {entry.type}; it must be float32")
        if not _fits(entry.shape, shape):
            raise broken(
                session.name,
                f"takes {name} with the axes {_axes(entry.shape)}; they must be {_axes(shape)}",
            )
    for name in ("points", *PER_VERTEX):
        if name in found and isinstance(found[name].shape[-2], int):
            raise broken(
                session.name,
                f"takes exactly {found[name].shape[-2]} rows of {name}; that axis must be dynamic",
            )


def _require_output(session: Session, shape: tuple[int | None, ...], what: str) -> None:
    outputs = session.session.get_outputs()
    if not outputs or outputs[0].type != "tensor(float)":
        raise broken(session.name, f"must give {what} as float32 in its first output")
    if outputs[0].shape and not _fits(outputs[0].shape, shape):
        raise broken(
            session.name,
            f"gives {what} with the axes {_axes(outputs[0].shape)}; they must be {_axes(shape)}",
        )


def _input(session: Session, name: str) -> Any:
    return next(entry for entry in session.session.get_inputs() if entry.name == name)


def _fits(found: Sequence[object], wanted: Sequence[int | None]) -> bool:
    return len(found) == len(wanted) and all(
        w is None or not isinstance(f, int) or f == w for f, w in zip(found, wanted, strict=True)
    )


def _axes(shape: Sequence[object]) -> str:
    return "(" + ", ".join(str(axis) if isinstance(axis, int) else "any" for axis in shape) + ")"


def about(metadata: Mapping[str, str]) -> dict[str, str]:
    """Licence, attribution, scores and the like, as far as the metadata names them."""
    keys = ("frame", "trained_on", "licence", "attribution", "scores")
    return {key: metadata[f"blendshape.{key}"] for key in keys if f"blendshape.{key}" in metadata}


def _json(metadata: Mapping[str, str], key: str, name: str) -> object:
    """The value of a JSON entry, None if it is absent."""
    if key not in metadata:
        return None
    try:
        value: object = json.loads(metadata[key])
    except (ValueError, RecursionError) as error:
        raise broken(
            name, f"has metadata {key} that is not JSON ({type(error).__name__})"
        ) from error
    return value


def _conditions(metadata: Mapping[str, str], name: str) -> tuple[Condition, ...]:
    """The conditions that the metadata names, () if it names none; a list of strings stands for the
    range 0 to 1.
    """
    listed = _json(metadata, "blendshape.conditions", name)
    if listed is None:
        return ()
    if not isinstance(listed, list) or not 1 <= len(listed) <= MAX_CONDITIONS:
        raise broken(
            name,
            f"must list 1 to {MAX_CONDITIONS} conditions in its metadata blendshape.conditions",
        )
    conditions = tuple(_condition(entry, name) for entry in listed)
    if len({condition.name for condition in conditions}) < len(conditions):
        raise broken(name, "names a condition twice in its metadata blendshape.conditions")
    return conditions


def _condition(entry: object, model: str) -> Condition:
    entry = {"name": entry} if isinstance(entry, str) else entry
    if not isinstance(entry, dict) or not isinstance(entry.get("name"), str) or not entry["name"]:
        raise broken(model, "has a condition without a name in its metadata blendshape.conditions")
    numbers = [entry.get("min", 0.0), entry.get("max", 1.0), entry.get("default", 0.0)]
    if not all(is_number(n) for n in numbers):
        raise broken(
            model, f"gives the condition {entry['name']} a range that is not made of numbers"
        )
    low, high, default = (float(n) for n in numbers)
    if not low <= default <= high:
        raise broken(
            model,
            f"gives the condition {entry['name']} the default {default} outside of {low} to {high}",
        )
    return Condition(entry["name"], low, high, default)


def _numbered(count: int, name: str) -> tuple[Condition, ...]:
    if not 1 <= count <= MAX_CONDITIONS:
        raise broken(name, f"takes {count} conditions; it must be 1 to {MAX_CONDITIONS}")
    return tuple(Condition(f"condition_{index}") for index in range(count))


def require_finite(name: str, *arrays: Floats) -> None:
    """Raise BackendError `model_contract` where a model gave values that are not numbers."""
    for array in arrays:
        if not np.isfinite(array).all():
            raise BackendError(
                "model_contract",
                f"{name} gave values that are not numbers.",
                "Use another model; this one is damaged.",
            )


def broken(name: str, what: str) -> BackendError:
    """The error of a model that does not keep the contract. what: in words after its name."""
    return BackendError("model_contract", f"{name} {what}.", _FIX)
