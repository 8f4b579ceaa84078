# SPDX-License-Identifier: GPL-3.0-or-later
"""The figures of docs/reliability.md: what the commands measured is kept in docs/reliability.json, and the page's tables are made from it.

python3 scripts/dev.py reliability            faults, bad inputs and determinism are run and recorded, then the page is written
python3 scripts/dev.py reliability --page     the page alone

`dev.py soak`, `fuzz` and `matrix` record theirs when they are given --record.
"""

from __future__ import annotations

import datetime
import json
import os
import platform
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
FIGURES = ROOT / "docs" / "reliability.json"


def machine() -> str:
    """The machine that figures come from, in a few words."""
    names = [line.partition(":")[2].strip() for line in _lines(Path("/proc/cpuinfo")) if line.startswith("model name")]
    return f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores{', ' + names[0] if names else ''}"


def record(section: str, figures: dict[str, Any]) -> None:
    """Keep the figures of one command, with date and machine."""
    known: dict[str, Any] = json.loads(FIGURES.read_text(encoding="utf-8")) if FIGURES.exists() else {}
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    known[section] = {"date": today, "machine": machine(), **figures}
    FIGURES.write_text(json.dumps(dict(sorted(known.items())), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def _lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines() if path.exists() else []
