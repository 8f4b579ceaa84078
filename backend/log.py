# SPDX-License-Identifier: GPL-3.0-or-later
"""What goes wrong or is worth knowing, a line each with time, level and module, on stderr. The
add-on keeps the child's stderr as its log file.

A module says `log = logging.getLogger(__name__)`. Below `warning` nothing is written unless it is
asked for: a child that had nothing to say leaves no log file behind.
"""

from __future__ import annotations

import logging
import sys

FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"
LEVELS = ("debug", "info", "warning", "error")
_told: set[str] = set()


class _OneLine(logging.Formatter):
    """A message keeps to its line, whatever a file's name holds; only a traceback follows on lines
    of its own.
    """

    def formatMessage(self, record: logging.LogRecord) -> str:
        return super().formatMessage(record).replace("\r", "\\r").replace("\n", "\\n")


def begin(level: str = "warning") -> None:
    """Write what is at least of this level to stderr from here on; called again, it changes the
    level. level: one of LEVELS.
    """
    logger = logging.getLogger(__package__)
    if not logger.handlers:
        logging.raiseExceptions = (
            False  # a stderr that is full or gone is nothing to complain about on stderr
        )
        handler = logging.StreamHandler(sys.stderr)
        handler.setFormatter(_OneLine(FORMAT))
        logger.addHandler(handler)
        logger.propagate = False
    logger.setLevel(level.upper())


def warn_once(logger: logging.Logger, text: str) -> None:
    """Log a warning that every request would repeat: the first time only."""
    if text not in _told:
        _told.add(text)
        logger.warning("%s", text)
