# SPDX-License-Identifier: GPL-3.0-or-later
"""Where CI is set, a skip whose reason is not expected fails the run."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import skips

TESTS = Path(__file__).resolve().parent
ROOT = TESTS.parent
SOURCES = [path for path in sorted(TESTS.rglob("*.py")) if path != Path(__file__).resolve()]


def texts(node: ast.expr) -> Iterator[str]:
    """The literal text of a reason; what an f-string fills in counts as `x`."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.JoinedStr):
        yield "".join(
            part.value if isinstance(part, ast.Constant) and isinstance(part.value, str) else "x"
            for part in node.values
        )
    elif isinstance(node, ast.BoolOp):
        for value in node.values:
            yield from texts(value)


def reasons(path: Path) -> Iterator[str]:
    """The reasons for skipping that a file of tests names."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            given = [word.value for word in node.keywords if word.arg == "reason"]
            if called == "pytest.skip":
                given += node.args[:1]
            if called in ("pytest.skip", "pytest.mark.skipif", "pytest.importorskip"):
                for reason in given:
                    yield from texts(reason)


def test_every_reason_is_in_the_table_and_every_row_has_a_reason() -> None:
    named = {reason for path in SOURCES for reason in reasons(path)}
    patterns = [pattern for section in skips.sections().values() for pattern in section]
    missing = [each for each in named if not any(re.search(one, each) for one in patterns)]
    assert missing == [], f"say in {skips.TABLE.name} why these may be skipped"
    other = "network namespaces need root"  # made by a function
    stale = [one for one in patterns if not any(re.search(one, each) for each in {*named, other})]
    assert stale == [], f"take these out of {skips.TABLE.name}"


def test_a_reason_that_never_counts_is_unexpected() -> None:
    table = {"system": {"are POSIX": ""}, "never": {"not installed": ""}}
    told = ["pipes are POSIX", "bpy is not installed", "no idea", "no idea"]
    assert skips.unexpected(told, table) == ["bpy is not installed", "no idea"]


@pytest.mark.parametrize(
    ("reason", "where", "code"),
    [("no idea", "1", 1), ("no idea", "", 0), ("signals are POSIX", "1", 0)],
)
def test_an_unexpected_skip_fails_ci(reason: str, where: str, code: int, tmp_path: Path) -> None:
    test = tmp_path / "test_it.py"
    test.write_text(f"import pytest\n\n\ndef test_it():\n    pytest.skip({reason!r})\n")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    done = subprocess.run(
        [*command, "-c", str(ROOT / "pyproject.toml"), "-p", "conftest", str(test)],
        cwd=tmp_path,
        env={**os.environ, "CI": where, "PYTHONPATH": str(TESTS)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == code, done.stdout + done.stderr
    assert (reason in done.stdout.partition("unexpected skips")[2]) == bool(code)
