# SPDX-License-Identifier: GPL-3.0-or-later
"""Every package is pinned, those that others bring as well: the locks hold the lists, and .venv
holds nothing else.
"""

from __future__ import annotations

import importlib.metadata
import sys
from pathlib import Path

import pytest

from scripts import dev
from scripts.tools import lock

BROUGHT_BY_CPYTHON = {"pip", "setuptools"}


@pytest.mark.parametrize("name", lock.LOCKS)
def test_a_lock_holds_what_its_lists_name(name: str) -> None:
    locked = lock.pins((lock.FOLDER / f"{name}.lock").read_text(encoding="utf-8"))
    for each in lock.LOCKS[name]:
        named = lock.pins((lock.FOLDER / f"{each}.txt").read_text(encoding="utf-8"))
        assert named and named.items() <= locked.items(), (
            f"{each}.txt has changed: run scripts/dev.py lock"
        )


def test_every_list_has_a_lock() -> None:
    assert {path.stem for path in lock.FOLDER.glob("*.txt")} == {
        name for lists in lock.LOCKS.values() for name in lists
    }
    assert {path.stem for path in lock.FOLDER.glob("*.lock")} == set(lock.LOCKS)


def test_a_lock_is_a_list_of_exact_versions() -> None:
    for path in lock.FOLDER.glob("*.lock"):
        text = path.read_text(encoding="utf-8")
        assert len(lock.pins(text)) == len(text.splitlines()) - 1, (
            f"{path.name}: a line is no pin, or a package is there twice"
        )


@pytest.mark.skipif(
    Path(sys.prefix) != dev.ROOT / ".venv", reason="this Python is not the one of .venv"
)
def test_all_that_is_in_the_environment_is_pinned() -> None:
    locked = lock.pins((lock.FOLDER / "dev.lock").read_text(encoding="utf-8"))
    found = lock.pins(
        "\n".join(
            f"{each.metadata['Name']}=={each.version}"
            for each in importlib.metadata.distributions()
        )
    )
    for name in BROUGHT_BY_CPYTHON | (
        set() if sys.platform == "linux" else set(found) - set(locked)
    ):
        found.pop(name, None)
    assert found.items() <= locked.items(), sorted(found.items() - locked.items())
