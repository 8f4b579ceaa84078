# SPDX-License-Identifier: GPL-3.0-or-later
"""Loading a model: the shipped pair, another pair, or a plain model, in the precision asked for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from .. import regular_file
from ..errors import BackendError
from ..limits import foreign_model
from .contract import ModelInfo, about, check_decoder, check_encoder, check_pair, check_plain
from .hardware import hardware, thread_counts
from .models import Model
from .onnx_file import read_model_file
from .sessions import Session, create
from .settings import Settings, resolve
from .variants import refusal, variant_path

SHIPPED = Path(__file__).resolve().parent.parent / "models" / "face"
SHORT_MB = (
    512  # so little free memory, or so little left below the ceiling, calls for the low-memory mode
)


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
    info = check_plain(session, metadata, path)
    encoder, landmarks = _load_encoder(_shipped("encoder"), opened)
    info = replace(info, landmarks=landmarks)
    return Model(info, encoder, None, session, precision=precision, precision_reason=why)


def _shipped(role: str) -> Path:
    return SHIPPED.with_name(f"{SHIPPED.name}.{role}.onnx")


def _load_encoder(path: Path, opened: Callable[..., Session]) -> tuple[Session, tuple[str, ...]]:
    """The encoder and its landmarks' names."""
    session = opened(path)
    return session, check_encoder(session, _metadata(session))


def _load_pair(encoder_path: Path, decoder_path: Path, opened: Callable[..., Session]) -> Model:
    encoder, landmarks = _load_encoder(encoder_path, opened)
    decoder, precision, why = _in_precision(decoder_path, opened)
    metadata = _metadata(decoder)
    conditions = check_decoder(decoder, metadata)
    check_pair(encoder, decoder, landmarks)
    name = metadata.get("blendshape.name") or decoder_path.name.removesuffix(".decoder.onnx")
    info = ModelInfo(
        name=name,
        path=str(decoder_path),
        contract="pair",
        conditions=conditions,
        landmarks=landmarks,
        about=about(metadata),
    )
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


def _metadata(session: Session) -> dict[str, str]:
    try:
        return dict(session.session.get_modelmeta().custom_metadata_map)
    except UnicodeDecodeError as error:
        raise BackendError(
            "model_unreadable",
            f"The metadata of {session.name} is not UTF-8.",
            "Copy or export the file again.",
        ) from error
