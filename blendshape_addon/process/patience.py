# SPDX-License-Identifier: GPL-3.0-or-later
"""How long we have listened in vain. A computer that sleeps, or a Blender that is stopped or busy,
is not the child's silence.
"""

from __future__ import annotations

import time

STEP_SECONDS = 2.0  # between two looks no more than this counts, whatever the clock says


class Patience:
    """Seconds since `heard`, as far as somebody looked now and then. No wall clock: setting the
    time changes nothing.
    """

    def __init__(self) -> None:
        self.heard()

    def heard(self) -> None:
        """The child has said something: begin anew."""
        self._waited, self._looked = 0.0, time.monotonic()

    def waited(self) -> float:
        """Seconds of silence up to this look."""
        now = time.monotonic()
        self._waited += min(max(now - self._looked, 0.0), STEP_SECONDS)
        self._looked = now
        return self._waited
