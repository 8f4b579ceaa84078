# SPDX-License-Identifier: GPL-3.0-or-later
"""Which skips are expected: expected_skips.toml."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path

TABLE = Path(__file__).with_name("expected_skips.toml")
NEVER = "never"  # the section of what is no expected skip


def sections() -> dict[str, dict[str, str]]:
    """Section -> pattern of a reason -> why."""
    return tomllib.loads(TABLE.read_text(encoding="utf-8"))


def unexpected(
    reasons: Iterable[str], table: Mapping[str, Mapping[str, str]] | None = None
) -> list[str]:
    """The reasons that no section but `never` expects, each once."""
    expected = [
        pattern
        for section, patterns in (sections() if table is None else table).items()
        if section != NEVER
        for pattern in patterns
    ]
    return sorted(
        {reason for reason in reasons if not any(re.search(each, reason) for each in expected)}
    )
