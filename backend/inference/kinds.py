# SPDX-License-Identifier: GPL-3.0-or-later
"""What a setting may be, and what is made of a value that somebody gives."""

from __future__ import annotations

import difflib
import math
import re
from dataclasses import dataclass
from typing import Any

from ..errors import BackendError
from ..values import is_number

_ADDRESS = re.compile(r"grpcs?://[0-9A-Za-z.\[\]:_-]+:[0-9]{1,5}")
_TRUE, _FALSE = ("1", "true", "yes", "on"), ("0", "false", "no", "off")


@dataclass(frozen=True)
class Kind:
    """What a setting may be: one of `choices`, a number from `low` to `high`, a path, or an address
    of a server.

    numbered: a choice may be told by its number, too, counted from 0.
    """

    about: str
    choices: tuple[str, ...] = ()
    low: float = 0
    high: float = 0
    path: bool = False
    address: bool = False
    numbered: bool = False

    @property
    def allowed(self) -> str:
        """The allowed values in words."""
        if self.choices:
            return ", ".join(self.choices) + (
                f", or 0 to {len(self.choices) - 1}" if self.numbered else ""
            )
        if self.address:
            return "grpc://HOST:PORT, grpcs://HOST:PORT (with TLS), or nothing"
        return "a path, or nothing" if self.path else f"a number from {self.low:g} to {self.high:g}"


def value_of(kind: Kind, type_: type, name: str, value: object, where: str) -> Any:
    """The value in a setting's type; text is parsed, as it comes from the environment.

    Args:
        kind: What the setting may be.
        type_: The type of its default.
        name: The setting's, for sentences.
        value: What was given.
        where: Who gave it, for sentences.

    Raises:
        BackendError: `setting_invalid`.
    """
    found: Any = None
    if kind.numbered and is_number(value):
        value = f"{value:g}"
    if type_ is bool:
        text = str(value).strip().lower()
        found = True if text in _TRUE else False if text in _FALSE else None
    elif type_ is str and isinstance(value, str) and "\0" not in value:
        text = value.strip()
        if kind.path or (kind.address and (not text or _ADDRESS.fullmatch(text))):
            found = text
        elif text.lower() in kind.choices:
            found = text.lower()
        elif kind.numbered and text in map(str, range(len(kind.choices))):
            found = kind.choices[int(text)]
    elif type_ in (int, float) and not isinstance(value, bool):
        found = _number(value, type_)
        if found is not None and not (kind.low <= found <= kind.high):
            found = None
    if found is None:
        shown = f"{value!r:.80}"
        near = difflib.get_close_matches(str(value).strip().lower(), kind.choices, 1)
        fix = (
            f"Did you mean {near[0]}? Allowed: {kind.allowed}."
            if near
            else f"Allowed: {kind.allowed}."
        )
        raise BackendError(
            "setting_invalid", f"{name} is {shown} ({where}), which is not allowed.", fix
        )
    return found


def _number(value: object, type_: type) -> int | float | None:
    if isinstance(value, str):
        text = value.strip()
        if text.lower() == "auto":
            return 0
        try:
            number = float(text) if text.isascii() else math.nan
        except ValueError:
            return None
    elif is_number(value):
        number = float(value)
    else:
        return None
    if not math.isfinite(number) or (type_ is int and number != int(number)):
        return None
    return type_(number)  # type: ignore[no-any-return]
