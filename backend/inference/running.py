# SPDX-License-Identifier: GPL-3.0-or-later
"""Running a session: in turns, several runs at once, again on another provider when one fails."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from ..errors import BackendError
from . import selftest
from .cancellation import Cancellation
from .runtime import first_line
from .sessions import Session
from .turns import TURNS

Floats = NDArray[np.float32]


def run_each(
    session: Session,
    pieces: Sequence[Mapping[str, Floats]],
    cancellation: Cancellation,
    take: Callable[[int, list[Floats]], None] = lambda index, outputs: None,
    *,
    progress: Callable[[float], None] = lambda fraction: None,
    pool: Executor | None = None,
) -> None:
    """One run for each piece, several at once.

    Args:
        session: What runs.
        pieces: The inputs of each run, by name.
        cancellation: Stops all of them.
        take: Gets a piece's number and its outputs, on the thread that ran it.
        progress: Gets the part that is done, 0 to 1, on the caller's thread.
        pool: Threads to run on; None for as many as the session has parallel runs.

    Raises:
        BackendError: As `run`.
    """
    at_once = min(session.parallel_runs, len(pieces))

    def one(index: int) -> None:
        take(index, run(session, pieces[index], cancellation, index >= len(pieces) - at_once))

    with (
        contextlib.nullcontext(pool) if pool or at_once < 2 else ThreadPoolExecutor(at_once, "run")
    ) as threads:
        for done, _ in enumerate(
            threads.map(one, range(len(pieces))) if threads else map(one, range(len(pieces))), 1
        ):
            progress(done / len(pieces))


def run(
    session: Session, feeds: Mapping[str, Floats], cancellation: Cancellation, last: bool = False
) -> list[Floats]:
    """All outputs of one run. A provider that fails or gives values that are not numbers is
    replaced and the run repeated.

    last: of several; then the processor's memory for them is given back.

    Raises BackendError: `cancelled`, `out_of_memory`, `provider_failed`, or `model_contract` when
    the model itself fails.
    """
    while True:
        provider, used = session.provider, session.session
        turn = (
            contextlib.nullcontext()
            if provider == "server"
            else TURNS[provider == "cpu"].take(cancellation)
        )
        with turn, cancellation.run_options() as options:
            if last and provider == "cpu" and not session.low_memory:  # which has no arena
                options.add_run_config_entry("memory.enable_memory_arena_shrinkage", "cpu:0")
            try:
                outputs = session.run(feeds, options)
                failure = (
                    ""
                    if provider == "cpu" or selftest.finite(outputs)
                    else "gave values that are not numbers"
                )
            except MemoryError:
                raise
            except Exception as error:  # as above
                if cancellation.is_set():
                    raise BackendError("cancelled", "The request was cancelled.", "") from error
                if provider == "cpu":
                    raise _explained(session, feeds, error) from error
                failure = f"failed during a run: {first_line(error)}"
        cancellation.check()
        if not failure:
            return outputs
        session.replace(used, failure)


def _explained(session: Session, feeds: Mapping[str, Floats], error: Exception) -> BackendError:
    text = first_line(error)
    if "allocate memory" in text or "bad_alloc" in text or "out of memory" in text.lower():
        fix = "Close other programs, or choose an object with fewer vertices."
        return BackendError(
            "out_of_memory", f"Memory ran out while {session.name} was running.", fix
        )
    shapes = ", ".join(f"{name} {list(value.shape)}" for name, value in feeds.items())
    return BackendError(
        "model_contract",
        f"{session.name} failed on {shapes}: {text}",
        "The model must accept any number of points; make those axes dynamic when exporting.",
    )
