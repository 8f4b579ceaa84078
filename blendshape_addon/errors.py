# SPDX-License-Identifier: GPL-3.0-or-later
"""Errors of the add-on: of the backend's table of codes, told in the add-on's words."""

from __future__ import annotations

from .shared import CODES, NOT_THE_INPUT, BackendError, as_backend_error

__all__ = ("DEATHS", "NOT_THE_INPUT", "AddonError", "as_addon_error", "sent")

# The child was there and is gone. A file at which that happens is tried once more; one that took
# too long, or too much memory, is not.
DEATHS = frozenset({"child_died"})


class AddonError(BackendError):
    """An error that is told to the user: `code` is stable, `message` says what is wrong, `fix` what
    to do.
    """


def as_addon_error(error: BaseException) -> AddonError:
    """The error as it is told: an unknown exception becomes `internal` with its text in one line,
    MemoryError `out_of_memory`.
    """
    if isinstance(error, AddonError):
        return error
    told = as_backend_error(error)
    fix = "Please report this with the console's text." if told.code == "internal" else told.fix
    return AddonError(told.code, " ".join(told.message.split()), fix)


def sent(code: str, message: str, fix: str) -> AddonError:
    """The error that a child tells; one of another release may use a code that this table lacks,
    which becomes `internal`.
    """
    return AddonError(code if code in CODES else "internal", message, fix)
