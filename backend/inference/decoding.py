# SPDX-License-Identifier: GPL-3.0-or-later
"""Running a model: points to a latent, a face to offsets."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..values import WAY
from .cancellation import Cancellation
from .contract import PER_VERTEX, ModelInfo, broken, require_finite
from .models import Model
from .running import run_each
from .sessions import Session

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class _Asked:
    """What `shapes_of` is asked for, see there."""

    face: tuple[Floats, Floats, Floats, Floats, Floats]
    weights: Floats
    cancellation: Cancellation
    progress: Callable[[float], None]
    pool: Executor | None


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
                raise broken(
                    model.encoder.name,
                    f"gave latent {latent.shape} and confidence {confidence.shape} for"
                    f" {heads} heads",
                )
            if latent.shape[1] < 3 * len(model.info.landmarks):
                raise broken(
                    model.encoder.name,
                    f"gives {latent.shape[1]} numbers, too few for"
                    f" {len(model.info.landmarks)} landmarks",
                )
            require_finite(model.encoder.name, latent, confidence)
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
    *,
    pool: Executor | None = None,
) -> Floats:
    """Offsets float32 (N,F,3), canonical frame, for weights (N,K) over the model's conditions.

    face: vertices (F,3), normals (F,3), parts (F,6), lip_lid_side (F,2), opposite_edge (F,6),
    latent (1,L), all canonical. A pair is run once in chunks of vertices and only the product with
    the weights is kept; a plain model is run once per row. pool: threads to run on, None for its
    own number.

    Raises BackendError `model_contract` for outputs of a wrong shape or that are not finite,
    `cancelled`, `out_of_memory`.
    """
    asked = _Asked(face, weights, cancellation, progress, pool)
    if model.decoder is not None:
        return _decode(model.decoder, model.pieces(len(face[0])), asked)
    if model.plain is None:
        raise ValueError("the model has neither a decoder nor a plain session")
    return _run_plain(model.plain, model.info, asked)


def _decode(decoder: Session, pieces: Sequence[slice], asked: _Asked) -> Floats:
    *per_vertex, latent = asked.face
    weights = asked.weights
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
            raise broken(
                decoder.name,
                f"gave a basis {basis.shape} for {rows.stop - rows.start} vertices and"
                f" {known} conditions",
            )
        # a basis that is not finite shows in the product too, unless its weight is 0: look at the
        # basis itself
        require_finite(decoder.name, basis)
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
    run_each(decoder, feeds, asked.cancellation, take, progress=asked.progress, pool=asked.pool)
    return offsets


def _run_plain(session: Session, info: ModelInfo, asked: _Asked) -> Floats:
    face, weights = asked.face, asked.weights
    vertices, normals = face[0][None], face[1][None]
    wants_normals = any(entry.name == "normals" for entry in session.session.get_inputs())
    low, high, rest = (
        np.array([getattr(c, key) for c in info.conditions], np.float32)
        for key in ("minimum", "maximum", "default")
    )
    offsets = np.empty((len(weights), len(face[0]), 3), np.float32)

    def take(row: int, outputs: list[Floats]) -> None:
        output = outputs[0]
        if output.shape != vertices.shape:
            raise broken(session.name, f"gave {output.shape} for vertices {vertices.shape}")
        require_finite(session.name, output)
        offsets[row] = output[0]

    conditions = np.clip(np.where(weights != 0, weights, rest), low, high).astype(np.float32)
    shared = {"vertices": vertices} | ({"normals": normals} if wants_normals else {})
    run_each(
        session,
        [{**shared, "conditions": row[None]} for row in conditions],
        asked.cancellation,
        take,
        progress=asked.progress,
        pool=asked.pool,
    )
    return offsets
