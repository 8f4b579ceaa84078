# SPDX-License-Identifier: GPL-3.0-or-later
"""Numbers that come as bits: VRCFaceTracking sends a parameter as truths where an avatar has no
room for a number.

JawOpen1, JawOpen2, JawOpen4 and so on are worth 1, 2, 4 of a whole number, which is divided by the
largest that so many bits can say; JawXNegative is its sign. An avatar has as many as it likes, and
each is sent when it changes.
"""

from __future__ import annotations

import re

from ..blender_io.naming import folded

SIGN = 0  # stands for a sign among bits, which are worth 1 or more
MOST = 8  # bits; a whole parameter takes no more
_BIT = re.compile(r"(.*[^0-9])([0-9]{1,3})")
_NEGATIVE = "Negative"
_WORTHS = frozenset(1 << place for place in range(MOST))


def bit_of(name: str) -> tuple[str, int] | None:
    """The parameter and what the bit is worth, or SIGN; None for a name that is no bit's."""
    if name.endswith(_NEGATIVE):
        return name.removesuffix(_NEGATIVE), SIGN
    found = _BIT.fullmatch(name)
    if found is None or found[2].startswith("0") or int(found[2]) not in _WORTHS:
        return None
    return found[1], int(found[2])


class Bits:
    """What has been heard of each parameter's bits."""

    def __init__(self) -> None:
        self._heard: dict[str, dict[int, bool]] = {}

    def take(self, name: str, worth: int, on: bool) -> float | None:
        """Take a bit. Returns the number, -1 to 1; None as long as one of its bits is missing: the
        lowest, or one below the highest that was heard.
        """
        heard = self._heard.setdefault(folded(name), {})
        heard[worth] = on
        worths = heard.keys() - {SIGN}
        most = 2 * max(worths, default=0) - 1
        if sum(worths) != most:
            return None
        value = sum(worth for worth in worths if heard[worth]) / most
        return -value if heard.get(SIGN) else value
