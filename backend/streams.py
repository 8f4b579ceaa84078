# SPDX-License-Identifier: GPL-3.0-or-later
"""What a command prints, where nobody may be reading: a full disk behind stdout, a reader that has
gone, or no stdout at all.

The command goes on, as its work is files; at the end one sentence says so, and the exit code is not
0.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable
from typing import Any, cast

UNTOLD = 1  # exit code of a command that has done its work, but could not tell of it
_NAMES = ("stdin", "stdout", "stderr")


def run(work: Callable[[], int]) -> int:
    """Do `work`, which prints as it likes; its exit code, or UNTOLD if that is 0 and something
    could not be printed. SystemExit becomes its code.
    """
    missing = _fill_gaps()
    before = sys.stdout, sys.stderr
    out, err = (_Patient(name, getattr(sys, name), name in missing) for name in _NAMES[1:])
    sys.stdout, sys.stderr = cast(Any, out), cast(Any, err)
    try:
        try:
            code = work()
        except SystemExit as leaving:  # argparse
            if isinstance(leaving.code, str):
                err.write(f"{leaving.code}\n")
            code = leaving.code if isinstance(leaving.code, int) else int(leaving.code is not None)
        out.flush()
        if out.trouble:
            err.write(f"What it says cannot be written to stdout: {out.trouble}.\n")
        err.flush()
    finally:
        sys.stdout, sys.stderr = before
    return code or (UNTOLD if out.trouble or err.trouble else 0)


class _Patient:
    """A text stream that remembers the first thing that went wrong with it, and then says nothing
    more.
    """

    def __init__(self, name: str, stream: Any, missing: bool) -> None:
        self._number = _NAMES.index(name)
        self._stream, self._missing = stream, missing
        self.trouble = ""
        with contextlib.suppress(
            AttributeError, OSError, ValueError
        ):  # a stand-in, such as a test's, has its own ways
            stream.reconfigure(
                errors="backslashreplace"
            )  # a name may hold letters that the terminal's encoding lacks

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        """Write, if that is possible."""
        if self._missing and text:
            self.trouble = "it is closed"
        elif not self.trouble:
            self._try(lambda: self._stream.write(text))
        return len(text)

    def flush(self) -> None:
        """Flush, if that is possible."""
        if not self._missing and not self.trouble:
            self._try(self._stream.flush)

    def _try(self, step: Callable[[], object]) -> None:
        try:
            step()
        except (OSError, ValueError) as error:
            self.trouble = getattr(error, "strerror", None) or str(error)
            with contextlib.suppress(OSError), open(os.devnull, "wb") as nowhere:  # noqa: PTH123
                os.dup2(
                    nowhere.fileno(), self._number
                )  # what is still in its buffer must not fail again when Python ends


def _fill_gaps() -> set[str]:
    """Open what of stdin, stdout and stderr is closed, on nothing: else the next file that is
    opened takes its number and gets what C code prints. Their names.
    """
    missing = set()
    for number, name in enumerate(_NAMES):
        try:
            os.fstat(number)
        except OSError:
            missing.add(name)
            opened = os.open(os.devnull, os.O_RDWR)
            if opened != number:
                os.dup2(opened, number)
                os.close(opened)
        if getattr(sys, name) is None and number:
            setattr(sys, name, os.fdopen(os.dup(number), "w", encoding="utf-8"))
    return missing
