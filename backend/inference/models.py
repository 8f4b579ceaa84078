# SPDX-License-Identifier: GPL-3.0-or-later
"""Model files: what their metadata says, whether they keep the contract, and running them.

The contract is in docs/design/architecture.md, Model files. Nothing in a file is evaluated;
metadata is JSON or plain text.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import regular_file
from ..errors import BackendError
from ..limits import foreign_model
from ..values import WAY, is_number
from . import providers
from .cancellation import Cancellation
from .hardware import hardware, thread_counts
from .onnx_file import read_model_file
from .running import run, run_each
from .selftest import probe
from .sessions import Session, create
from .settings import Settings, resolve
from .trial import try_threads
from .variants import refusal, variant_path

Floats = NDArray[np.float32]

SHIPPED = Path(__file__).resolve().parent.parent / "models" / "face"
CONTRACT_VERSION = "1"
CHUNK = 1024  # vertices per decoder run on what is not the CPU
CHUNK_CPU = (
    256,
    512,
    # there several are on their way at once, smaller towards the end, so that no thread is left
    # waiting for another
)
# each is this part of what is left: guided self-scheduling (Polychronopoulos and Kuck 1987), but
# alike on any number of threads
GUIDED = 8
CHUNK_LOW = 128  # with little memory
SHORT_MB = (
    512  # so little free memory, or so little left below the ceiling, calls for the low-memory mode
)
TRIAL_POINTS = 1024  # what locating shows the encoder
MAX_CONDITIONS = 1024
# a decoder's inputs beside the latent, in this order
PER_VERTEX = {
    "vertices": (None, 3),
    "normals": (None, 3),
    "parts": (None, 6),
    "sides": (None, 2),
    "ways": (None, 6),
}
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


@dataclass(frozen=True)
class Model:
    """A loaded model. encoder finds the face; shapes come from `decoder`, or one at a time from
    `plain`. low_memory: smaller pieces.
    """

    info: ModelInfo
    encoder: Session
    decoder: Session | None
    plain: Session | None
    low_memory: bool = False
    precision: str = "fp32"
    precision_reason: str = ""

    def pieces(self, count: int) -> list[slice]:
        """The rows of each decoder run on `count` vertices."""
        least = most = CHUNK_LOW if self.low_memory else CHUNK
        if not self.low_memory and self.decoder is not None and self.decoder.provider == "cpu":
            least, most = CHUNK_CPU
        found, start = [], 0
        while start < count:
            end = min(start + max(least, min(most, (count - start) // GUIDED)), count)
            found.append(slice(start, end))
            start = end
        return found

    @property
    def parallel_runs(self) -> int:
        """Runs of the part that makes the shapes that are worth having on their way at once."""
        return self.parts[-1].parallel_runs

    @property
    def use(self) -> providers.ProviderUse:
        """Provider of the part that makes the shapes."""
        return (self.decoder or self.plain or self.encoder).use

    def warm_up(self, cancellation: Cancellation) -> None:
        """One run of every session, so that a first request pays for no set-up; a model that fails
        here will say so when it is used.
        """
        for part in self.parts:
            with contextlib.suppress(BackendError):
                run(part, probe(part.session.get_inputs()), cancellation)
        cancellation.check()

    @property
    def threads(self) -> int:
        """Threads of a session, see Session."""
        return self.encoder.threads

    def engine(self) -> dict[str, Any]:
        """What it runs on now, as plain data for reports."""
        use = self.use
        found = {
            "provider_asked": use.asked,
            "provider_active": use.active,
            "provider_reason": use.reason,
            "threads": self.threads,
        }
        found |= {
            "precision": self.precision,
            "precision_reason": self.precision_reason,
            "low_memory": self.encoder.low_memory,
        }
        placed = {part.name: dict(part.use.placement) for part in self.parts if part.use.placement}
        return found | ({"placement": placed} if placed else {})

    @property
    def parts(self) -> tuple[Session, ...]:
        """Its sessions."""
        return tuple(part for part in (self.encoder, self.decoder, self.plain) if part is not None)

    @property
    def sessions(self) -> int:
        """How many sessions it holds."""
        return len(self.parts)

    @property
    def slow(self) -> bool:
        """Whether runs have become much slower than they were, so that the threads should be tried
        again.
        """
        return any(part.slow for part in self.parts)

    def try_threads(self) -> None:
        """Find the number of threads that is fastest now, by the encoder, and use it for all
        sessions; nothing to do where it is fixed.
        """
        try_threads(
            self.encoder,
            thread_counts(self.encoder.settings.threads),
            probe(self.encoder.session.get_inputs(), TRIAL_POINTS),
        )
        for part in self.parts[1:]:
            if part.threads != self.encoder.threads:
                part.use_threads(self.encoder.threads)

    @property
    def warnings(self) -> list[str]:
        """What of the settings its sessions could not have, as sentences."""
        return list(dict.fromkeys(warning for part in self.parts for warning in part.warnings))

    def close(self) -> list[str]:
        """Let the sessions go; the paths of the profiles they wrote."""
        return [path for path in (part.close() for part in self.parts) if path]


def load_model(
    path: Path | None = None, settings: Settings | None = None, low_memory: bool | None = None
) -> Model:
    """Load the shipped pair, a pair by either of its files, or a plain model with the shipped
    encoder, and check the contract.

    settings: those of the environment if None. low_memory: smaller pieces and no arena: less memory
    for more time; None lets the settings decide. Where threads are not fixed there are as many as
    cores until `try_threads`.

    Raises BackendError: `model_missing`, `model_unreadable`, `model_contract`, `provider_failed`,
    `setting_invalid`.
    """
    settings = resolve() if settings is None else settings
    low_memory = short_of_memory(settings) if low_memory is None else low_memory
    # by its text: following a link would touch what the path names before it is known to be a plain
    # file
    if path is not None and path.absolute() not in (_shipped("encoder"), _shipped("decoder")):
        foreign_model()
    model = _load(path, settings, low_memory)
    return replace(model, low_memory=low_memory)


def short_of_memory(
    settings: Settings, free_mb: Callable[[], float] = lambda: hardware().free_memory_mb
) -> bool:
    """Whether a model is to be loaded in the low-memory mode: as the settings say, or where little
    is free or allowed.
    """
    if settings.low_memory != "auto":
        return settings.low_memory == "on"
    return settings.memory_mb < SHORT_MB or free_mb() < SHORT_MB


def _load(path: Path | None, settings: Settings, low_memory: bool) -> Model:
    most = thread_counts(settings.threads)[-1]

    def opened(file: Path) -> Session:
        return create(
            read_model_file(file),
            file.name,
            most,
            settings,
            low_memory=low_memory,
            folder=file.parent,
        )

    if path is None:
        return _load_pair(_shipped("encoder"), _shipped("decoder"), opened)
    for role, other in (("encoder", "decoder"), ("decoder", "encoder")):
        ending = f".{role}.onnx"
        if path.name.endswith(ending):
            sibling = path.with_name(path.name.removesuffix(ending) + f".{other}.onnx")
            return _load_pair(*((path, sibling) if role == "encoder" else (sibling, path)), opened)
    session, precision, why = _in_precision(path, opened)
    metadata = _metadata(session)
    contract = metadata.get("blendshape.contract", "plain")
    if contract in ("encoder", "decoder"):
        raise BackendError(
            "model_contract",
            f"{path.name} is one half of a pair.",
            "Name the files NAME.encoder.onnx and NAME.decoder.onnx in one folder.",
        )
    info = _check_plain(session, metadata, path)
    encoder, landmarks = _load_encoder(_shipped("encoder"), opened)
    info = replace(info, landmarks=landmarks)
    return Model(info, encoder, None, session, precision=precision, precision_reason=why)


def encode_with(
    model: Model, cancellation: Cancellation, pool: Executor | None = None
) -> Callable[[Floats], tuple[Floats, Floats]]:
    """The model's encoder as a function: points float32 (B,P,7), as `face.points.crop` gives them
    -> latent (B,L), confidence (B,). pool: threads to run on, None for its own number of them.
    """

    def encode(points: Floats) -> tuple[Floats, Floats]:
        points = np.ascontiguousarray(points, np.float32)
        step = 1 if model.encoder.provider == "cpu" else len(points)
        found: dict[int, tuple[Floats, Floats]] = {}

        def take(piece: int, outputs: list[Floats]) -> None:
            latent, confidence = outputs[:2]
            heads = len(points[piece * step : (piece + 1) * step])
            if latent.ndim != 2 or len(latent) != heads or confidence.size != heads:
                raise _broken(
                    model.encoder.name,
                    f"gave latent {latent.shape} and confidence {confidence.shape} for"
                    f" {heads} heads",
                )
            if latent.shape[1] < 3 * len(model.info.landmarks):
                raise _broken(
                    model.encoder.name,
                    f"gives {latent.shape[1]} numbers, too few for"
                    f" {len(model.info.landmarks)} landmarks",
                )
            _require_finite(model.encoder.name, latent, confidence)
            found[piece] = latent, confidence.reshape(-1)

        pieces = [{"points": points[start : start + step]} for start in range(0, len(points), step)]
        run_each(model.encoder, pieces, cancellation, take, pool=pool)
        latents, confidences = zip(*(found[piece] for piece in range(len(pieces))), strict=True)
        return np.concatenate(latents), np.concatenate(confidences)

    return encode


def shapes_of(
    model: Model,
    face: tuple[Floats, Floats, Floats, Floats, Floats],
    weights: Floats,
    cancellation: Cancellation,
    progress: Callable[[float], None] = lambda fraction: None,
    pool: Executor | None = None,
) -> Floats:
    """Offsets float32 (N,F,3), canonical frame, for weights (N,K) over the model's conditions.

    face: vertices (F,3), normals (F,3), parts (F,6), sides (F,2), ways (F,6), latent (1,L), all
    canonical. A pair is run once in chunks of vertices and only the product with the weights is
    kept; a plain model is run once per row. pool: threads to run on, None for its own number.

    Raises BackendError `model_contract` for outputs of a wrong shape or that are not finite,
    `cancelled`, `out_of_memory`.
    """
    if model.decoder is not None:
        return _decode(
            model.decoder, model.pieces(len(face[0])), face, weights, cancellation, progress, pool
        )
    if model.plain is None:
        raise ValueError("the model has neither a decoder nor a plain session")
    return _run_plain(model, model.plain, face, weights, cancellation, progress, pool)


def _decode(
    decoder: Session,
    pieces: Sequence[slice],
    face: tuple[Floats, Floats, Floats, Floats, Floats],
    weights: Floats,
    cancellation: Cancellation,
    progress: Callable[[float], None],
    pool: Executor | None,
) -> Floats:
    *per_vertex, latent = face
    vertices = per_vertex[0]
    count, known = len(vertices), weights.shape[1]
    offsets = np.empty((len(weights), count, 3), np.float32)
    picked = weights.argmax(axis=1)
    itself = np.array_equal(
        weights, np.eye(known, dtype=np.float32)[picked]
    )  # the basis is asked for, in some order
    in_order = itself and np.array_equal(picked, np.arange(known))

    def take(piece: int, outputs: list[Floats]) -> None:
        rows, basis = pieces[piece], outputs[0]
        if basis.shape != (rows.stop - rows.start, known, 3):
            raise _broken(
                decoder.name,
                f"gave a basis {basis.shape} for {rows.stop - rows.start} vertices and"
                f" {known} conditions",
            )
        # a basis that is not finite shows in the product too, unless its weight is 0: look at the
        # basis itself
        _require_finite(decoder.name, basis)
        if itself:
            columns = basis.view(WAY)[..., 0].T
            offsets.view(WAY)[:, rows, 0] = columns if in_order else columns[picked]
        else:
            columns = np.ascontiguousarray(basis.transpose(1, 0, 2)).reshape(known, -1)
            offsets[:, rows] = (weights @ columns).reshape(len(weights), rows.stop - rows.start, 3)

    feeds = [
        {name: array[rows] for name, array in zip(PER_VERTEX, per_vertex, strict=True)}
        | {"latent": latent}
        for rows in pieces
    ]
    run_each(decoder, feeds, cancellation, take, progress=progress, pool=pool)
    return offsets


def _run_plain(
    model: Model,
    session: Session,
    face: tuple[Floats, Floats, Floats, Floats, Floats],
    weights: Floats,
    cancellation: Cancellation,
    progress: Callable[[float], None],
    pool: Executor | None,
) -> Floats:
    vertices, normals = face[0][None], face[1][None]
    wants_normals = any(entry.name == "normals" for entry in session.session.get_inputs())
    low, high, rest = (
        np.array([getattr(c, key) for c in model.info.conditions], np.float32)
        for key in ("minimum", "maximum", "default")
    )
    offsets = np.empty((len(weights), len(face[0]), 3), np.float32)

    def take(row: int, outputs: list[Floats]) -> None:
        output = outputs[0]
        if output.shape != vertices.shape:
            raise _broken(session.name, f"gave {output.shape} for vertices {vertices.shape}")
        _require_finite(session.name, output)
        offsets[row] = output[0]

    conditions = np.clip(np.where(weights != 0, weights, rest), low, high).astype(np.float32)
    shared = {"vertices": vertices} | ({"normals": normals} if wants_normals else {})
    run_each(
        session,
        [{**shared, "conditions": row[None]} for row in conditions],
        cancellation,
        take,
        progress=progress,
        pool=pool,
    )
    return offsets


def _shipped(role: str) -> Path:
    return SHIPPED.with_name(f"{SHIPPED.name}.{role}.onnx")


def _load_encoder(path: Path, opened: Callable[..., Session]) -> tuple[Session, tuple[str, ...]]:
    """The encoder and its landmarks' names."""
    session = opened(path)
    return session, _check_encoder(session, _metadata(session))


def _load_pair(encoder_path: Path, decoder_path: Path, opened: Callable[..., Session]) -> Model:
    encoder, landmarks = _load_encoder(encoder_path, opened)
    decoder, precision, why = _in_precision(decoder_path, opened)
    metadata = _metadata(decoder)
    _require_contract(decoder, metadata, "decoder")
    _require_inputs(decoder, {**PER_VERTEX, "latent": (1, None)})
    conditions = _conditions(metadata, decoder.name)
    _require_output(decoder, (None, len(conditions) if conditions else None, 3), "basis")
    if not conditions:
        last = decoder.session.get_outputs()[0].shape[1]
        if not isinstance(last, int):
            raise _broken(
                decoder.name,
                "names no conditions (metadata blendshape.conditions) and its output does not tell"
                " their number",
            )
        conditions = _numbered(last, decoder.name)
    given, wanted = encoder.session.get_outputs()[0].shape[-1], _input(decoder, "latent").shape[-1]
    if isinstance(given, int) and isinstance(wanted, int) and given != wanted:
        raise _broken(
            decoder.name,
            f"wants a latent of {wanted} numbers but {encoder.name} gives {given}; they are not"
            " from one training",
        )
    if isinstance(given, int) and given < 3 * len(landmarks):
        raise _broken(
            encoder.name, f"gives {given} numbers, too few for its {len(landmarks)} landmarks"
        )
    name = metadata.get("blendshape.name") or decoder_path.name.removesuffix(".decoder.onnx")
    info = ModelInfo(name, str(decoder_path), "pair", conditions, landmarks, _about(metadata))
    return Model(info, encoder, decoder, None, precision=precision, precision_reason=why)


def _in_precision(path: Path, opened: Callable[[Path], Session]) -> tuple[Session, str, str]:
    """The session of a model's file in the precision that its settings ask for, the precision it
    has, and why another than was asked for.

    TensorRT makes fp16 of the model itself, and int8 where it has a calibration table; for all else
    a measured variant is needed. Raises BackendError `setting_invalid` where the precision is asked
    for strictly and there is none.
    """
    session = opened(path)
    asked = session.settings.precision
    if asked in ("auto", "fp32"):
        return session, "fp32", ""
    if session.makes_precision:
        measured = "" if asked == "fp16" else "; its error on faces was not measured"
        return session, asked, f"made by {session.use.active}{measured}"
    beside = variant_path(path, asked)
    if not regular_file.is_regular(beside):
        why = f"there is no variant {beside.name} of {path.name}"
    else:
        variant = opened(beside)
        refused = refusal(_metadata(variant), asked, session.hash)
        if not refused:
            return variant, asked, ""
        why = f"{beside.name} {refused}"
    if session.settings.strict:
        fix = (
            "Make one with scripts/tools/quantise.py, choose precision auto, or switch strict off."
        )
        raise BackendError("setting_invalid", f"{asked} was asked for, but {why}.", fix)
    return session, "fp32", why


def _check_encoder(session: Session, metadata: Mapping[str, str]) -> tuple[str, ...]:
    """The landmarks' names of an encoder that keeps the contract."""
    _require_contract(session, metadata, "encoder")
    _require_inputs(session, {"points": (None, None, 7)})
    outputs = session.session.get_outputs()
    if len(outputs) < 2:
        raise _broken(session.name, "must have two outputs, latent (B, L) and confidence (B, 1)")
    _require_output(session, (None, None), "latent")
    names = _json(metadata, "blendshape.landmarks", session.name)
    if (
        not isinstance(names, list)
        or not names
        or not all(isinstance(name, str) and name for name in names)
        or len(set(names)) < len(names)
    ):
        raise _broken(
            session.name,
            "has no list of different landmark names in its metadata blendshape.landmarks",
        )
    return tuple(names)


def _check_plain(session: Session, metadata: Mapping[str, str], path: Path) -> ModelInfo:
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
            raise _broken(
                session.name,
                "names no conditions (metadata blendshape.conditions) and its input does not tell"
                " their number",
            )
        conditions = _numbered(count, session.name)
    if isinstance(count, int) and count != len(conditions):
        raise _broken(
            session.name, f"takes {count} conditions but its metadata names {len(conditions)}"
        )
    return ModelInfo(
        metadata.get("blendshape.name") or path.stem,
        str(path),
        "plain",
        conditions,
        (),
        _about(metadata),
    )


def _require_contract(session: Session, metadata: Mapping[str, str], contract: str) -> None:
    found = metadata.get("blendshape.contract", contract if contract == "plain" else None)
    if found != contract:
        raise _broken(
            session.name,
            f"says it is {found or 'nothing'} in its metadata blendshape.contract, not {contract}",
        )
    version = metadata.get("blendshape.version", CONTRACT_VERSION)
    if version != CONTRACT_VERSION:
        raise _broken(
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
        raise _broken(
            session.name,
            f"has the inputs {', '.join(sorted(found)) or 'none'}; it must have"
            f" {', '.join(sorted(wanted))}",
        )
    for name, shape in wanted.items():
        entry = found[name]
        if entry.type != "tensor(float)":
            raise _broken(session.name, f"takes {name} as {entry.type}; it must be float32")
        if not _fits(entry.shape, shape):
            raise _broken(
                session.name,
                f"takes {name} with the axes {_axes(entry.shape)}; they must be {_axes(shape)}",
            )
    for name in ("points", *PER_VERTEX):
        if name in found and isinstance(found[name].shape[-2], int):
            raise _broken(
                session.name,
                f"takes exactly {found[name].shape[-2]} rows of {name}; that axis must be dynamic",
            )


def _require_output(session: Session, shape: tuple[int | None, ...], what: str) -> None:
    outputs = session.session.get_outputs()
    if not outputs or outputs[0].type != "tensor(float)":
        raise _broken(session.name, f"must give {what} as float32 in its first output")
    if outputs[0].shape and not _fits(outputs[0].shape, shape):
        raise _broken(
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


def _metadata(session: Session) -> dict[str, str]:
    try:
        return dict(session.session.get_modelmeta().custom_metadata_map)
    except UnicodeDecodeError as error:
        raise BackendError(
            "model_unreadable",
            f"The metadata of {session.name} is not UTF-8.",
            "Copy or export the file again.",
        ) from error


def _about(metadata: Mapping[str, str]) -> dict[str, str]:
    keys = ("frame", "trained_on", "licence", "attribution", "scores")
    return {key: metadata[f"blendshape.{key}"] for key in keys if f"blendshape.{key}" in metadata}


def _json(metadata: Mapping[str, str], key: str, name: str) -> object:
    """The value of a JSON entry, None if it is absent."""
    if key not in metadata:
        return None
    try:
        value: object = json.loads(metadata[key])
    except (ValueError, RecursionError) as error:
        raise _broken(
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
        raise _broken(
            name,
            f"must list 1 to {MAX_CONDITIONS} conditions in its metadata blendshape.conditions",
        )
    conditions = tuple(_condition(entry, name) for entry in listed)
    if len({condition.name for condition in conditions}) < len(conditions):
        raise _broken(name, "names a condition twice in its metadata blendshape.conditions")
    return conditions


def _condition(entry: object, model: str) -> Condition:
    entry = {"name": entry} if isinstance(entry, str) else entry
    if not isinstance(entry, dict) or not isinstance(entry.get("name"), str) or not entry["name"]:
        raise _broken(model, "has a condition without a name in its metadata blendshape.conditions")
    numbers = [entry.get("min", 0.0), entry.get("max", 1.0), entry.get("default", 0.0)]
    if not all(is_number(n) for n in numbers):
        raise _broken(
            model, f"gives the condition {entry['name']} a range that is not made of numbers"
        )
    low, high, default = (float(n) for n in numbers)
    if not low <= default <= high:
        raise _broken(
            model,
            f"gives the condition {entry['name']} the default {default} outside of {low} to {high}",
        )
    return Condition(entry["name"], low, high, default)


def _numbered(count: int, name: str) -> tuple[Condition, ...]:
    if not 1 <= count <= MAX_CONDITIONS:
        raise _broken(name, f"takes {count} conditions; it must be 1 to {MAX_CONDITIONS}")
    return tuple(Condition(f"condition_{index}") for index in range(count))


def _require_finite(name: str, *arrays: Floats) -> None:
    for array in arrays:
        if not np.isfinite(array).all():
            raise BackendError(
                "model_contract",
                f"{name} gave values that are not numbers.",
                "Use another model; this one is damaged.",
            )


def _broken(name: str, what: str) -> BackendError:
    return BackendError("model_contract", f"{name} {what}.", _FIX)
