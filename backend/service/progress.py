# SPDX-License-Identifier: GPL-3.0-or-later
"""How far a stage is, where its loops tell only that they go on."""

from __future__ import annotations

import time
from collections.abc import Callable

from ..inference.cancellation import Cancellation

EVERY_S = 0.2
STEP = 0.02  # of what is left, each time


class Progress:
    """Tells a stage's share of the whole, which never falls and ends at `most`.

    Args:
        tell: gets the share, 0 to 1
        cancellation: looked at each time
        least: share at the begin
        most: share at the end
    """

    def __init__(
        self,
        tell: Callable[[float], None],
        cancellation: Cancellation,
        least: float,
        most: float,
    ) -> None:
        self._tell, self._cancellation = tell, cancellation
        self._told, self._most, self._last = least, most, time.monotonic()

    def at(self, share: float) -> None:
        """So far it is. Raises BackendError `cancelled`."""
        self._cancellation.check()
        self._told, self._last = max(self._told, share), time.monotonic()
        self._tell(self._told)

    def goes_on(self) -> None:
        """It goes on: a little nearer to the end. Raises BackendError `cancelled`."""
        self._cancellation.check()
        if time.monotonic() - self._last >= EVERY_S:
            self.at(self._told + STEP * (self._most - self._told))
