# SPDX-License-Identifier: GPL-3.0-or-later
"""Work in pieces that can be given up between them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from ..face.geometry.mirror import Each
from ..inference.cancellation import Cancellation


def until_cancelled(each: Each, cancellation: Cancellation) -> Each:
    """`map`, or that of an executor, that looks for a cancel before each piece of work."""

    def run(work: Callable[[Any], Any], pieces: Iterable[Any]) -> Iterable[Any]:
        def one(piece: Any) -> Any:
            cancellation.check()
            return work(piece)

        return each(one, pieces)

    return run
