# SPDX-License-Identifier: GPL-3.0-or-later
"""How many threads are fastest is found out by trying."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from .cancellation import Cancellation
from .running import run_each
from .sessions import Session
from .turns import MAX_PARALLEL_RUNS

Floats = NDArray[np.float32]

TRIALS, LONGEST_TRIAL = 2, 7  # tries of each at least, and at most
# in a try, for each thread: with one, a thread that a busy neighbour slows down makes two threads
# look no faster than one
TRIAL_RUNS = 3
CLEARLY = 1.35  # a median so much above the least is out of the race
ABOUT = 1.15  # and one so little above it is as good


def try_threads(
    session: Session,
    counts: Sequence[int],
    feeds: Mapping[str, Floats],
    cancellation: Cancellation | None = None,
) -> None:
    """Let a session keep the number of threads that does several runs fastest now.

    Only the CPU provider depends on it.

    Args:
        session: What is tried.
        counts: Numbers of threads to try.
        feeds: The inputs of one run, by name.
        cancellation: Ends the trial; the session keeps the number that it had.

    Raises:
        BackendError: `cancelled`.
    """
    stop = cancellation or Cancellation()
    if session.provider != "cpu" or list(counts) == [session.threads]:
        return
    pieces = [feeds] * (TRIAL_RUNS * min(max(counts), MAX_PARALLEL_RUNS))

    def work(count: int) -> Callable[[], object]:
        def tried() -> None:
            with ThreadPoolExecutor(count) as pool:
                run_each(session, pieces, stop, pool=pool)

        return tried

    session.use_threads(fastest({count: work(count) for count in counts}))


def fastest(works: Mapping[int, Callable[[], object]]) -> int:
    """Key of the work that is done fastest now, after one round to warm up; of about equals the
    highest key.

    Runs side by side do not wait for each other, so more of them are seldom slower; beside a busy
    neighbour two may be no faster than one for as long as a try takes, until the system has spread
    them over the cores. They run in turns, so that a busy moment hits all, and their medians count:
    the best run of two threads is one in which the neighbour happened to rest. What is clearly
    slower is not run again; where several stay close, more runs decide.
    """
    times: dict[int, list[float]] = {key: [] for key in works}
    open_ = sorted(works)
    for turn in range(1 + LONGEST_TRIAL):
        for key in open_:
            began = time.perf_counter()
            works[key]()
            if turn:
                times[key].append(time.perf_counter() - began)
        if turn >= TRIALS:
            least = min(statistics.median(times[key]) for key in open_)
            open_ = [key for key in open_ if statistics.median(times[key]) <= CLEARLY * least]
            if len(open_) == 1:
                break
    least = min(statistics.median(times[key]) for key in open_)
    return next(key for key in reversed(open_) if statistics.median(times[key]) <= ABOUT * least)
