# SPDX-License-Identifier: GPL-3.0-or-later
"""Running a model: points to a latent, a face to offsets."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..values import WAY, Twins
from .cancellation import Cancellation
from .contract import PASSES, PER_VERTEX, ModelInfo, broken, require_finite
from .models import Model
from .running import run_each
from .sessions import Session

Floats = NDArray[np.float32]
Places = NDArray[np.intp]
ONE_PASS = np.array([1], np.int64)
AT_ONCE = 512  # points that the encoder sees in one run on the CPU, but one crop at least: small
# crops, each in a run of its own, take an eighth longer
_OTHER = {"Left": "Right", "Right": "Left", "left": "right", "right": "left"}
_SIDED = re.compile("(Left|Right|left|right)$")


@dataclass(frozen=True, kw_only=True)
class _Asked:
    """What `shapes_of` is asked for, see there."""

    face: tuple[Floats, Floats, Floats, Floats, Floats]
    weights: Floats
    cancellation: Cancellation
    progress: Callable[[float], None]
    pool: Executor | None
    twins: Twins | None = None


def encode_with(
    model: Model, cancellation: Cancellation, pool: Executor | None = None
) -> Callable[[Floats], tuple[Floats, Floats]]:
    """The model's encoder as a function: points float32 (B,P,7), as `face.points.crop` gives them
    -> latent (B,L), confidence (B,). pool: threads to run on, None for its own number of them.
    """

    def encode(points: Floats) -> tuple[Floats, Floats]:
        points = np.ascontiguousarray(points, np.float32)
        few = max(1, AT_ONCE // points.shape[1])
        step = few if model.encoder.provider == "cpu" else len(points)
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
    twins: Twins | None = None,
) -> Floats:
    """Offsets float32 (N,F,3), canonical frame, for weights (N,K) over the model's conditions.

    face: vertices (F,3), normals (F,3), parts (F,6), lip_lid_side (F,2), opposite_edge (F,6),
    latent (1,L), all canonical. A pair is run once in chunks of vertices and only the product with
    the weights is kept; a plain model is run once per row. pool: threads to run on, None for its
    own number.

    Raises BackendError `model_contract` for outputs of a wrong shape or that are not finite,
    `cancelled`, `out_of_memory`.
    """
    asked = _Asked(
        face=face,
        weights=weights,
        cancellation=cancellation,
        progress=progress,
        pool=pool,
        twins=twins,
    )
    if model.decoder is not None:
        return _decode(model, model.decoder, asked)
    if model.plain is None:
        raise ValueError("the model has neither a decoder nor a plain session")
    return _run_plain(model.plain, model.info, asked)


@dataclass(frozen=True)
class _Piece:
    """A run of the decoder.

    Args:
        rows: the vertices (R,) whose shapes it gives
        mirrored: int (R,), their mirror images, of which one pass gives the other half of both;
            None where the decoder looks at both sides of each itself
    """

    rows: slice | Places
    mirrored: Places | None = None

    @property
    def count(self) -> int:
        """Vertices that the decoder looks at."""
        rows = self.rows
        own = rows.stop - rows.start if isinstance(rows, slice) else len(rows)
        return own if self.mirrored is None else own + len(self.mirrored)


def _pieces(model: Model, decoder: Session, asked: _Asked) -> list[_Piece]:
    """The runs of a decoder, the larger first."""
    twins = asked.twins
    if twins is None:
        return [_Piece(rows) for rows in model.pieces(len(asked.face[0]))]
    if mirrored_conditions(model.info.condition_names) is None or not decoder.takes(PASSES):
        once = np.sort(np.concatenate([twins.left, twins.right, twins.alone]))
        return [_Piece(once[rows]) for rows in model.pieces(len(once))]
    return [
        *(_Piece(twins.left[rows], twins.right[rows]) for rows in model.pieces(len(twins.left))),
        *(_Piece(twins.alone[rows]) for rows in model.pieces(len(twins.alone))),
    ]


def mirrored_conditions(names: Sequence[str]) -> Places | None:
    """Which condition (K,) each of some names is in the mirror; None where one has none."""
    place = {name: index for index, name in enumerate(names)}
    swapped = [_SIDED.sub(lambda side: _OTHER[side[0]], name) for name in names]
    return np.array([place[name] for name in swapped]) if place.keys() >= set(swapped) else None


def _mirror_image(basis: Floats, other: Places) -> Floats:
    """A basis (R,K,3) in the mirror. other (K,): of `mirrored_conditions`. Three floats as one and
    x alone are quicker than rows of three.
    """
    swapped = np.take(np.ascontiguousarray(basis).view(WAY)[..., 0], other, axis=1)
    found: Floats = swapped.view(np.float32).reshape(basis.shape)
    np.negative(found[..., 0], out=found[..., 0])
    return found


def _decode(model: Model, decoder: Session, asked: _Asked) -> Floats:
    *per_vertex, latent = asked.face
    pieces = _pieces(model, decoder, asked)
    basis_of = _Basis(decoder.name, asked.weights, len(per_vertex[0]))
    other = mirrored_conditions(model.info.condition_names)

    def take(piece: int, outputs: list[Floats]) -> None:
        rows, mirrored = pieces[piece].rows, pieces[piece].mirrored
        basis = basis_of.checked(outputs[0], pieces[piece].count)
        if mirrored is None or other is None:
            basis_of.put(rows, basis)
            return
        half = len(basis) // 2
        one = _mirror_image(basis[half:], other)
        one += basis[:half]
        basis_of.put(rows, one)
        basis_of.put(mirrored, _mirror_image(one, other))

    feeds = _Feeds(pieces, per_vertex, latent)
    run_each(decoder, feeds, asked.cancellation, take, progress=asked.progress, pool=asked.pool)
    if asked.twins is not None:
        whole = basis_of.offsets.view(WAY)[..., 0]
        whole[:, asked.twins.copies] = whole[:, asked.twins.of]
    return basis_of.offsets


class _Feeds(Sequence[dict[str, Any]]):
    """The decoder's inputs for each piece, made when they are wanted: together they would be as
    large as the face.
    """

    def __init__(
        self, pieces: Sequence[_Piece], per_vertex: Sequence[Floats], latent: Floats
    ) -> None:
        self._pieces, self._per_vertex, self._latent = pieces, per_vertex, latent

    def __len__(self) -> int:
        return len(self._pieces)

    def __getitem__(self, index: Any) -> Any:
        piece = self._pieces[index]
        rows: Any = piece.rows
        if piece.mirrored is not None:
            rows = np.concatenate([rows, piece.mirrored])
        feed: dict[str, Any] = dict(
            zip(PER_VERTEX, (array[rows] for array in self._per_vertex), strict=True)
        )
        feed["latent"] = self._latent
        return feed if piece.mirrored is None else feed | {PASSES: ONE_PASS}


class _Basis:
    """Offsets (N,F,3) for weights (N,K), as a decoder's basis comes in."""

    def __init__(self, name: str, weights: Floats, count: int) -> None:
        self._name, self._weights, self._known = name, weights, weights.shape[1]
        self.offsets = np.empty((len(weights), count, 3), np.float32)
        self._picked = weights.argmax(axis=1)
        # the basis is asked for, in some order
        self._itself = np.array_equal(weights, np.eye(self._known, dtype=np.float32)[self._picked])
        self._in_order = self._itself and np.array_equal(self._picked, np.arange(self._known))

    def checked(self, basis: Floats, count: int) -> Floats:
        """A basis (R,K,3) of `count` vertices. Raises BackendError `model_contract` for another."""
        if basis.shape != (count, self._known, 3):
            raise broken(
                self._name,
                f"gave a basis {basis.shape} for {count} vertices and {self._known} conditions",
            )
        # a basis that is not finite shows in the product too, unless its weight is 0: look at the
        # basis itself
        require_finite(self._name, basis)
        return basis

    def put(self, rows: slice | Places, basis: Floats) -> None:
        """Fill in the offsets of some vertices (R,) by their basis (R,K,3)."""
        if self._itself:
            columns = np.ascontiguousarray(basis).view(WAY)[..., 0].T
            self.offsets.view(WAY)[:, rows, 0] = (
                columns if self._in_order else columns[self._picked]
            )
        else:
            columns = np.ascontiguousarray(basis.transpose(1, 0, 2)).reshape(self._known, -1)
            self.offsets[:, rows] = (self._weights @ columns).reshape(
                len(self._weights), len(basis), 3
            )


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
