# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests that the child has not answered, and how long each may still take."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..shared_protocol import Message
from .limits import StoppedError, unfinished
from .patience import Patience


@dataclass
class _OpenRequest:
    """A request that is not over.

    Args:
        limit: seconds that it may take, from the greeting on, or from a cancel on
        model: as it was asked for
        vertices: how many it was sent
        taken: since it may be counted
        silent: since the child said something about it
        cancelled: whether nobody waits for it any more
    """

    limit: float
    model: str
    vertices: int
    taken: Patience = field(default_factory=Patience)
    silent: Patience = field(default_factory=Patience)
    cancelled: bool = False

    def begin(self) -> None:
        """Count from now on."""
        self.taken.heard()
        self.silent.heard()

    def overdue(self, silence: float) -> float:
        """The limit in seconds that is passed, 0 if none is. silence: that it may last."""
        if self.taken.waited() > self.limit:
            return self.limit
        return silence if self.silent.waited() > silence else 0.0


class OpenRequests:
    """All of a child's, by number."""

    def __init__(self) -> None:
        self._open: dict[int, _OpenRequest] = {}
        self._budget: tuple[float, Patience] | None = None

    def __bool__(self) -> bool:
        return bool(self._open)

    def __iter__(self) -> Iterator[_OpenRequest]:
        return iter(self._open.values())

    def add(self, number: int, model: str, vertices: int, limit: float) -> None:
        """Remember a request. model: as it was asked for; limit: seconds that it may take."""
        self._open[number] = _OpenRequest(limit, model, vertices)

    def clear(self) -> None:
        """Forget all."""
        self._open.clear()

    def allow(self, seconds: float | None) -> None:
        """From now on all together may take so many seconds; None: each what suits its vertices."""
        self._budget = None if seconds is None else (seconds, Patience())

    def begin(self) -> None:
        """Count all from now on: the child has greeted."""
        for one in self:
            one.begin()

    def heard(self, header: Mapping[str, Any]) -> None:
        """The child has said something about a request, or that it is over."""
        number = header.get("id")
        if isinstance(number, int) and number in self._open:
            self._open[number].silent.heard()
            if header["type"] in ("done", "error"):
                del self._open[number]

    def cancel(self, number: int, seconds: float) -> bool:
        """Nobody waits for it any more, and it may take so many seconds; False where there is no
        such request.
        """
        one = self._open.get(number)
        if one is None or one.cancelled:
            return False
        one.cancelled, one.limit = True, seconds
        one.begin()
        return True

    def waiting(self) -> list[_OpenRequest]:
        """Those whose answers somebody waits for."""
        return [one for one in self if not one.cancelled]

    def check_budget(self, greeted: bool) -> None:
        """Raise StoppedError where all together have taken too long."""
        waiting = self.waiting()
        if not waiting or self._budget is None or self._budget[1].waited() <= self._budget[0]:
            return
        if not greeted:
            message = f"The backend did not start within {self._budget[0]:g} s."
            raise StoppedError("child_timeout", message, "Give it more time, or look at the log.")
        raise unfinished(waiting[0].model, waiting[0].vertices, self._budget[0])

    def owed(self) -> list[Message]:
        """Answers to all, which were cancelled, in the place of a child that gives none."""
        cancelled = {
            "type": "error",
            "code": "cancelled",
            "message": "The request was cancelled.",
            "fix": "",
        }
        return [Message({**cancelled, "id": number}) for number in self._open]
