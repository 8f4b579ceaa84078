# SPDX-License-Identifier: GPL-3.0-or-later
"""Loaded models, kept as long as memory allows: by model, provider and precision, the least
recently used goes first.
"""

from __future__ import annotations

import gc
import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from .. import regular_file
from ..errors import BackendError
from . import hardware
from .cancellation import Cancellation
from .loading import SHIPPED, load_model, short_of_memory
from .models import Model
from .settings import Settings

GROWTH = 8  # loading takes about so many times the size of the files, measured on the shipped pair
RETRY_S = (
    120.0  # the threads are tried again after so long, since a neighbour may have come or gone
)
# where nobody leaves a moment for a trial for so long, a request waits for one
OVERDUE_S = 2 * RETRY_S


@dataclass
class _Entry:
    """A loaded model, who uses it, when it was loaded, last used and last tried, and the trial that
    is on its way.
    """

    model: Model
    idle_s: float
    users: int = 0
    loaded: float = 0.0
    used: float = 0.0
    tried: float = -math.inf
    trial: Cancellation | None = None

    def due(self, now: float) -> bool:
        """Whether the number of threads should be tried: for the first time, or since it was used
        and runs have become slow or a while has passed.
        """
        again = self.used > self.tried and (self.model.slow or now - self.tried >= RETRY_S)
        return self.trial is None and (self.tried == -math.inf or again)

    def overdue(self, now: float) -> bool:
        """Whether it should long have been tried."""
        return self.due(now) and now - max(self.tried, self.loaded) >= OVERDUE_S


@dataclass(frozen=True)
class _Key:
    """What tells one loaded model from another. stamp: of its file, so that a changed file is
    loaded again.
    """

    path: str
    stamp: float
    settings: Settings = field(default_factory=Settings)
    low_memory: bool = False


class Pool:
    """Loaded models. memory: resident MiB of this process; free: MiB that the machine has left;
    both can be replaced in tests.
    """

    def __init__(
        self,
        memory: Callable[[], float] = hardware.memory_mb,
        free: Callable[[], float] = lambda: hardware.hardware().free_memory_mb,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._memory, self._free, self._clock = memory, free, clock
        self._entries: OrderedDict[_Key, _Entry] = OrderedDict()
        self._lock = threading.RLock()
        self._loading: dict[
            tuple[str, float], threading.Lock
        ] = {}  # one for each model's file: one that loads for ever holds up no other
        self.evicted = self.released = self.trials = 0
        self.profiles: list[str] = []

    @contextmanager
    def lease(self, path: Path | None, settings: Settings) -> Iterator[Model]:
        """The model at `path`, or the shipped one for None; it stays loaded while it is used.
        Raises as models.load_model does.
        """
        entry = self._loaded(path, settings) or self._load(path, settings)
        try:
            yield entry.model
        finally:
            with self._lock:
                entry.users -= 1
                entry.used = self._clock()
                if self._memory() > settings.memory_mb:
                    self._make_room(settings.memory_mb, 0.0)

    def try_threads(self) -> int:
        """Find the fastest number of threads of models that nobody uses now and that were never
        tried, or not for long; how many. No request waits for it: cores are the best guess, and the
        trial takes longer than a wrong one. A request that comes meanwhile ends it, until the next
        time.
        """
        with self._lock:
            now = self._clock()
            chosen = [each for each in self._entries.values() if not each.users and each.due(now)]
            for entry in chosen:
                self._claim_trial(entry)
        for entry in chosen:
            try:
                self._try(entry)
            finally:
                with self._lock:
                    entry.users -= 1
        return len(chosen)

    def release_idle(self) -> int:
        """Let go of models that nobody has used for their settings' idle_s; how many."""
        with self._lock:
            now = self._clock()
            idle = [
                key
                for key, e in self._entries.items()
                if not e.users and e.idle_s and now - e.used >= e.idle_s
            ]
            for key in idle:
                self._drop(key)
            self.released += len(idle)
            return len(idle)

    def close(self) -> None:
        """Let everything go; profiles are written now."""
        with self._lock:
            for key in list(self._entries):
                self._drop(key)

    def stats(self) -> dict[str, Any]:
        """Counts, and for each loaded model what it runs on."""
        with self._lock:
            loaded = [
                {
                    "model": entry.model.info.name,
                    "provider": entry.model.use.active,
                    "precision": entry.model.precision,
                    "threads": entry.model.threads,
                    "low_memory": key.low_memory,
                    "in_use": entry.users,
                    "idle_s": round(self._clock() - entry.used, 1),
                }
                for key, entry in self._entries.items()
            ]
            sessions = sum(entry.model.sessions for entry in self._entries.values())
            return {
                "sessions": sessions,
                "models": loaded,
                "evicted": self.evicted,
                "released": self.released,
                "thread_trials": self.trials,
                "profiles": list(self.profiles),
            }

    def _loaded(self, path: Path | None, settings: Settings) -> _Entry | None:
        """The entry of a model that is loaded, now used once more, its threads tried again if that
        is overdue; None for one that is not.
        """
        with self._lock:
            self._forget_changed(path)
            key = self._key(path, settings)
            entry = self._entries.get(key)
            if entry is None:
                return None
            if entry.trial is not None:
                entry.trial.set()
            overdue = not entry.users and entry.overdue(self._clock())
            if overdue:
                self._claim_trial(entry)
            else:
                entry.users += 1
            self._entries.move_to_end(key)
            entry.used, entry.idle_s = self._clock(), settings.idle_s
        if overdue:
            try:
                self._try(entry)
            except BaseException:
                with self._lock:
                    entry.users -= 1
                raise
        return entry

    def _load(self, path: Path | None, settings: Settings) -> _Entry:
        """Load a model and use it. Others can be used and loaded meanwhile: compiling may take
        minutes, and some models are never done.
        """
        with self._lock:
            loading = self._loading.setdefault((str(path), _stamp(path)), threading.Lock())
        with loading:
            entry = self._loaded(path, settings)
            if entry is not None:
                return entry  # someone else was quicker
            with self._lock:
                key = self._key(path, settings)
                self._make_room(0.0 if key.low_memory else settings.memory_mb, _size(path) * GROWTH)
            entry = _Entry(
                load_model(path, settings, key.low_memory),
                settings.idle_s,
                users=1,
                loaded=self._clock(),
                used=self._clock(),
            )
            with self._lock:
                self._entries[key] = entry
            return entry

    def _claim_trial(self, entry: _Entry) -> None:
        """Under the lock: the entry is used from here on, and no other trial of it begins."""
        entry.users += 1
        entry.trial = Cancellation()
        self.trials += 1

    def _try(self, entry: _Entry) -> None:
        """Without the lock: a model that never ends a run would keep all others waiting."""
        trial = entry.trial or Cancellation()
        try:
            entry.model.try_threads(trial)
            entry.tried = self._clock()
        except BackendError:
            if not trial.is_set():
                raise
        finally:
            entry.trial = None
        hardware.trim_memory()  # the sessions that lost leave holes, 15 MB

    def _key(self, path: Path | None, settings: Settings) -> _Key:
        return _Key(
            str(path or SHIPPED), _stamp(path), _of_sessions(settings), self._is_short(settings)
        )

    def _is_short(self, settings: Settings) -> bool:
        return short_of_memory(settings, self._free)

    def _make_room(self, ceiling: float, needed_mb: float) -> None:
        """Drop models that nobody uses, the least recently used first, until `needed_mb` fit below
        the ceiling or none is left.
        """
        for key in [key for key, entry in self._entries.items() if not entry.users]:
            if self._memory() + needed_mb <= ceiling:
                return
            self._drop(key)
            self.evicted += 1

    def _forget_changed(self, path: Path | None) -> None:
        """Drop what was loaded from an older state of the file."""
        for key in [
            key
            for key, e in self._entries.items()
            if key.path == str(path) and key.stamp != _stamp(path) and not e.users
        ]:
            self._drop(key)

    def _drop(self, key: _Key) -> None:
        entry = self._entries.pop(key)
        self.profiles += entry.model.close()
        del entry
        # a session's memory is given back when the last reference goes, also from a cycle in a
        # traceback
        gc.collect()


def _of_sessions(settings: Settings) -> Settings:
    """The settings without those that make no difference to a session."""
    plain = Settings()
    return replace(
        settings,
        memory_mb=plain.memory_mb,
        idle_s=plain.idle_s,
        workers=plain.workers,
        metrics=plain.metrics,
        low_memory=plain.low_memory,
        log_level=plain.log_level,
        warnings=(),
        sources=tuple(entry for entry in settings.sources if entry[0] == "provider"),
    )


def _stamp(path: Path | None) -> float:
    """Changes when the model's file changes; 0 for the shipped one and for a file that is not
    there.
    """
    try:
        return regular_file.status(path).st_mtime if path else 0.0
    except OSError:
        return 0.0


def _size(path: Path | None) -> float:
    """MiB of a model's file, 8 where it is not known."""
    try:
        return regular_file.status(path).st_size / 2**20 if path else 8.0
    except OSError:
        return 8.0
