# SPDX-License-Identifier: GPL-3.0-or-later
"""A session: a model on the first provider that proves itself.

A provider that cannot be started, computes something else than the CPU, or fails during a run is
disabled for this model until the process ends; the next one takes over and the run is repeated, so
that no request is lost. What happened is in `Session.use.reason`.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import BackendError
from . import providers, remote, runtime, selftest
from .disabled import disable, why_disabled
from .settings import Settings
from .start import ModelBytes, Starter, UnfitError
from .turns import MAX_PARALLEL_RUNS

Floats = NDArray[np.float32]
log = logging.getLogger(__name__)

SLOWER = 1.6  # a run that takes so much longer than the fastest of its size counts as late
LATE_RUNS = 24  # so many late runs in a row, and the number of threads is tried again


class Session:
    """An InferenceSession that can change its provider. name: of its file, for sentences.

    threads: on the CPU, where ONNX Runtime works on one thread a run, runs at once: two of one
    thread each end before two on two threads, one after the other, and a busy neighbour keeps up
    only one of them. Elsewhere the threads of ONNX Runtime for what stays on the CPU.

    use: provider asked for and active, and why. provider: short name of the active one. session:
    ONNX Runtime's object.
    """

    def __init__(
        self, model: ModelBytes, settings: Settings, threads: int, low_memory: bool = False
    ) -> None:
        """Start on the first provider that proves itself.

        Raises:
            BackendError: `model_unreadable` when ONNX Runtime refuses the model,
                `provider_failed`.
        """
        self.name, self.hash = model.name, model.hash
        self.settings, self.threads, self.low_memory = settings, threads, low_memory
        self._model, self._starter = model, Starter(model, settings, low_memory)
        self._lock = threading.Lock()
        self._best: dict[int, float] = {}
        self._late = 0
        self.session: Any = None
        self.provider = ""
        self.use = providers.ProviderUse("", "", "")
        self._choose()
        model.let_go()

    @property
    def data(self) -> bytes:
        """The model's bytes.

        Raises:
            BackendError: `model_unreadable` when its file is another now.
        """
        return self._model.data

    @property
    def warnings(self) -> tuple[str, ...]:
        """What of the settings could not be had with the active provider, as sentences."""
        return tuple(self._starter.warned.get(self.provider, ()))

    @property
    def makes_precision(self) -> bool:
        """Whether the active provider itself brings the model to the precision that is asked
        for.
        """
        if self.provider == "tensorrt":
            return self.settings.precision == "fp16" or (
                self.settings.precision == "int8" and self._starter.calibrated
            )
        return False

    @property
    def slow(self) -> bool:
        """Whether the last runs took much longer than runs of their size once did."""
        return self._late >= LATE_RUNS

    def takes(self, name: str) -> bool:
        """Whether a run on the processor may set a number of the model that has a default."""
        known = self.session.get_overridable_initializers() if self.provider == "cpu" else ()
        return any(entry.name == name for entry in known)

    def run(self, feeds: Mapping[str, Floats], options: Any) -> list[Floats]:
        """One run of ONNX Runtime's; raises what that raises."""
        session = self.session
        began = time.perf_counter()
        outputs: list[Floats] = session.run(None, dict(feeds), options)
        self._judge(sum(array.size for array in feeds.values()), time.perf_counter() - began)
        return outputs

    def replace(self, failed: Any, reason: str) -> None:
        """Disable the active provider because `failed`, its InferenceSession, did; go on with the
        next.

        Raises BackendError `provider_failed` when strictly that one was asked for.
        """
        with self._lock:
            if self.session is not failed:
                return  # another request has already seen to it
            disable(self.provider, self.hash, reason)
            log.warning("%s is disabled for %s: it %s", self.provider, self.name, reason)
            self._choose()

    @property
    def parallel_runs(self) -> int:
        """Runs that are worth having on their way at once."""
        return min(self.threads, MAX_PARALLEL_RUNS) if self.provider == "cpu" else 1

    def use_threads(self, threads: int) -> None:
        """Use so many threads from the next run on; on the CPU only."""
        if self.provider == "cpu":
            self.threads = threads
            self._best, self._late = {}, 0  # times with other threads say nothing about these

    def alone(self) -> Any:
        """An InferenceSession that works on one run with all threads, as ONNX Runtime does by
        itself: what the benchmark compares with.
        """
        return self._starter.start("cpu", self.threads) if self.provider == "cpu" else self.session

    def close(self) -> str:
        """Let the session go; the profile's path if one was written, else ""."""
        session, self.session = self.session, None
        if isinstance(session, remote.RemoteSession):
            session.close()
        return str(session.end_profiling()) if session is not None and self.settings.profile else ""

    def _judge(self, size: int, seconds: float) -> None:
        best = self._best.get(size)
        self._late = 0 if best is None or seconds <= SLOWER * best else self._late + 1
        if (best is None or seconds < best) and (size in self._best or len(self._best) < 64):
            self._best[size] = seconds

    def _choose(self) -> None:
        """Start the first candidate that starts and passes the self-test."""
        offered = runtime.available()
        asked, tries = providers.candidates(self.settings, offered)
        notes: list[str] = []
        reference: Any = None
        if self.settings.server:
            asked = self.settings.server
            tries = [
                providers.Candidate("server", f"asked for by {self.settings.source('server')}"),
                *([] if self.settings.strict else tries),
            ]
        for candidate in tries:
            reason = why_disabled(candidate.name, self.hash)
            if not reason:
                if candidate.name == "cpu":
                    self._take(
                        "cpu",
                        self._starter.start_cpu(),
                        asked,
                        "; ".join([*notes, *([candidate.reason] if not notes else [])]),
                    )
                    return
                try:
                    reference = reference or self._starter.start("cpu", self.threads)
                    session = (
                        self._starter.start(candidate.name, self.threads)
                        if candidate.name != "server"
                        else self._starter.connect(reference)
                    )
                    reason = selftest.examine(
                        self.name,
                        self.settings,
                        session,
                        reference,
                        may_be_slow=candidate.name == "server",
                    )
                except UnfitError as error:
                    reason = str(error)
            if not reason:
                self._take(
                    candidate.name,
                    session,
                    asked,
                    "; ".join([*notes, candidate.reason]).strip("; "),
                )
                return
            disable(candidate.name, self.hash, reason)
            log.info("%s is disabled for %s: it %s", candidate.name, self.name, reason)
            notes.append(
                f"{self.settings.server if candidate.name == 'server' else candidate.ort} {reason}"
            )
        self._starter.start_cpu()  # a model that no provider can load is told as such
        fix = (
            "Look at the server, or switch strict off."
            if self.settings.server
            else "Look at the driver and at the log, or switch strict off."
        )
        raise BackendError("provider_failed", f"{'; '.join(notes)}.", fix)

    def _take(self, name: str, session: Any, asked: str, reason: str) -> None:
        active = self.settings.server if name == "server" else providers.PROVIDERS[name].ort
        if name == "windowsml":
            active = str(session.get_providers()[0])
        self.session, self.provider = session, name
        self.use = providers.ProviderUse(
            asked,
            active,
            reason,
            _placement(session) if self.settings.placement and name != "server" else (),
        )
        self._best, self._late = {}, 0
        log.info("%s runs on %s (%s)", self.name, active, reason)


def create(
    data: bytes,
    name: str,
    threads: int,
    settings: Settings | None = None,
    *,
    low_memory: bool = False,
    folder: Path | None = None,
) -> Session:
    """A session for a model's bytes, on the first provider that proves itself.

    Args:
        data: The model's file.
        name: Of that file, for sentences.
        threads: As Session's.
        settings: Those that nobody has chosen if None.
        low_memory: No arena: less memory for more time.
        folder: Where the file lies, to read it again, with its int8 calibration table.

    Raises:
        BackendError: `model_unreadable`, `provider_failed`.
    """
    return Session(ModelBytes(data, name, folder), settings or Settings(), threads, low_memory)


def _placement(session: Any) -> tuple[tuple[str, int], ...]:
    """Number of nodes by provider, () where this ONNX Runtime does not tell."""
    if not hasattr(session, "get_provider_graph_assignment_info"):
        return ()
    counts: dict[str, int] = {}
    for part in session.get_provider_graph_assignment_info():
        counts[str(part.ep_name)] = counts.get(str(part.ep_name), 0) + len(part.get_nodes())
    return tuple(counts.items())
