# SPDX-License-Identifier: GPL-3.0-or-later
"""Long loops tell that they go on, whoever wants to know: what listens may show it, and may end the
work by raising.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_LISTENS = threading.local()


@contextmanager
def heard_by(listener: Callable[[], None]) -> Iterator[None]:
    """Call `listener` at every tick of this thread."""
    before = getattr(_LISTENS, "listener", None)
    _LISTENS.listener = listener
    try:
        yield
    finally:
        _LISTENS.listener = before


def tick() -> None:
    """Work goes on. Raises what the listener raises."""
    listener = getattr(_LISTENS, "listener", None)
    if listener is not None:
        listener()
