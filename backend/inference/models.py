# SPDX-License-Identifier: GPL-3.0-or-later
"""A loaded model: its sessions, and what they run on."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import Any

from ..errors import BackendError
from . import providers
from .cancellation import Cancellation
from .contract import ModelInfo
from .hardware import thread_counts
from .running import run
from .selftest import probe
from .sessions import Session
from .trial import try_threads

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
TRIAL_POINTS = 1024  # what locating shows the encoder


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
                run(part, probe(part.session.get_inputs()), cancellation, last=True)
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

    def try_threads(self, cancellation: Cancellation | None = None) -> None:
        """Find the number of threads that is fastest now, by the encoder, and use it for all
        sessions; nothing to do where it is fixed.

        Raises:
            BackendError: `cancelled`; then it stays as it is.
        """
        try_threads(
            self.encoder,
            thread_counts(self.encoder.settings.threads),
            probe(self.encoder.session.get_inputs(), TRIAL_POINTS),
            cancellation,
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
