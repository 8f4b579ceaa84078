# SPDX-License-Identifier: GPL-3.0-or-later
"""The session runs of a request, and the same runs cut and joined in other ways."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.face.geometry.mesh import AvatarMesh
from backend.face.shapes.shape_sets import load_sets, parse_table
from backend.inference.cancellation import Cancellation
from backend.inference.contract import PASSES, PER_VERTEX
from backend.inference.models import CHUNK, Model
from backend.inference.sessions import Session
from backend.service.asked import Asked
from backend.service.generate import generate

Floats = NDArray[np.float32]
HEADS = 32  # crops that a bare run of the encoder sees at once


def recorded_runs(
    model: Model, mesh: AvatarMesh, arkit: int, table: Any
) -> list[tuple[Session, dict[str, Floats]]]:
    """The session runs of one request: which session, and with what."""
    runs: list[tuple[Session, dict[str, Floats]]] = []

    def recording(part: Session) -> Callable[..., Any]:
        real = part.run

        def record(feeds: Mapping[str, Floats], options: Any) -> Any:
            runs.append((part, dict(feeds)))
            return real(feeds, options)

        return record

    tables = {"arkit": load_sets()["arkit"].shapes} if arkit else {"table": parse_table(table)}
    for part in model.parts:
        setattr(part, "run", recording(part))  # noqa: B010  (mypy does not let a method be assigned)
    try:
        for _ in generate(mesh, Asked(tables), model, lambda *_: None, Cancellation()):
            pass
    finally:
        for part in model.parts:
            delattr(part, "run")
    return runs


def pieces_of(feeds: Mapping[str, Floats], pieces: Sequence[slice] = ()) -> list[dict[str, Floats]]:
    """A decoder's feeds piece by piece, CHUNK vertices at a time if not told."""
    count = len(feeds[next(iter(PER_VERTEX))])
    even = [slice(start, start + CHUNK) for start in range(0, count, CHUNK)]
    return [
        {n: a[rows] if n in PER_VERTEX else a for n, a in feeds.items()} for rows in pieces or even
    ]


def joined(pieces: Sequence[Mapping[str, Floats]]) -> dict[str, Floats]:
    """A decoder's feeds at once."""
    return {
        n: np.concatenate([piece[n] for piece in pieces]) if n in PER_VERTEX else a
        for n, a in pieces[0].items()
    }


def alike(feeds: Sequence[Mapping[str, Floats]]) -> list[list[Mapping[str, Floats]]]:
    """A decoder's feeds, those in one list that may be joined: of one pass, and of both."""
    one = [feed for feed in feeds if PASSES in feed]
    both = [feed for feed in feeds if PASSES not in feed]
    return [some for some in (one, both) if some]


def together(feeds: Sequence[Mapping[str, Floats]]) -> list[dict[str, Floats]]:
    """An encoder's feeds, crops of one size together."""
    points = [feed["points"] for feed in feeds]
    alike = [
        np.concatenate([crops for crops in points if crops.shape[1] == count])
        for count in sorted({crops.shape[1] for crops in points})
    ]
    return [
        {"points": crops[start : start + HEADS]}
        for crops in alike
        for start in range(0, len(crops), HEADS)
    ]
