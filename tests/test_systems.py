# SPDX-License-Identifier: GPL-3.0-or-later
"""The tests themselves run on Windows and macOS: what only some systems have is asked for behind a
mark that skips with its reason.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parent
FILES = sorted(
    path
    for path in TESTS.rglob("*.py")
    if path.relative_to(TESTS).parts[0] not in ("gui", "fixtures")
)  # gui-test is Linux's alone

POSIX_MODULES = {"resource", "fcntl", "pty", "termios", "tty", "pwd", "grp"}
POSIX_NAMES = {
    "os": {
        "fork",
        "mkfifo",
        "geteuid",
        "getuid",
        "killpg",
        "getpgid",
        "setsid",
        "statvfs",
        "WIFEXITED",
        "uname",
    },
    "signal": {
        "SIGKILL",
        "SIGSTOP",
        "SIGCONT",
        "SIGXFSZ",
        "SIGHUP",
        "SIGALRM",
        "SIGUSR1",
        "SIGUSR2",
        "SIGQUIT",
        "SIGTSTP",
    },
}
LINKS = {"symlink_to", "symlink", "hardlink_to"}  # which Windows allows to some accounts only
ASKS = (
    "os.name",
    "sys.platform",
    "hasattr(os",
    "geteuid",
    "skip",
    "posix",
    "linux",
    "links",
    "needs_",
    "usefixtures",
)  # in a mark or a condition


def uses(node: ast.AST) -> Iterator[str]:
    """What a piece of a test uses that not every system has."""
    for inner in ast.walk(node):
        if isinstance(inner, ast.Import):
            yield from (alias.name for alias in inner.names if alias.name in POSIX_MODULES)
        if isinstance(inner, ast.ImportFrom) and inner.module in POSIX_MODULES:
            yield str(inner.module)
        if isinstance(inner, ast.Attribute):
            if isinstance(inner.value, ast.Name) and inner.attr in POSIX_NAMES.get(
                inner.value.id, set()
            ):
                yield f"{inner.value.id}.{inner.attr}"
            if inner.attr in LINKS:
                yield inner.attr


def asked(node: ast.AST) -> bool:
    """Whether a piece of code asks where it runs."""
    return any(word in ast.unparse(node) for word in ASKS)


def unguarded(source: str) -> Iterator[str]:
    """Lines of a test module that would fail on another system instead of being skipped: outside
    functions when it is collected, inside when run.
    """
    tree = ast.parse(source)
    whole = any(
        isinstance(node, ast.Assign)
        and "pytestmark" in ast.unparse(node.targets[0])
        and asked(node.value)
        for node in tree.body
    )
    for node in tree.body:
        if isinstance(node, ast.FunctionDef):
            for mark in node.decorator_list:
                yield from (f"line {mark.lineno}: {what}" for what in uses(mark) if not asked(mark))
            if (
                whole
                or not node.name.startswith("test_")
                or any(asked(mark) for mark in node.decorator_list)
            ):
                continue
            conditions = [
                inner.test if isinstance(inner, ast.If) else inner
                for inner in ast.walk(node)
                if isinstance(inner, ast.If | ast.Call)
            ]
            if not any(asked(condition) for condition in conditions if not list(uses(condition))):
                yield from (f"line {node.lineno}, {node.name}: {what}" for what in uses(node))
        elif not isinstance(node, ast.ClassDef) and not asked(node):
            later = {
                what
                for inner in ast.walk(node)
                if isinstance(inner, ast.Lambda)
                for what in uses(inner)
            }  # nobody calls these yet
            yield from (f"line {node.lineno}: {what}" for what in uses(node) if what not in later)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(TESTS)))
def test_what_only_some_systems_have_is_asked_for(path: Path) -> None:
    assert list(unguarded(path.read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("import resource", True),
        ("@pytest.mark.parametrize('n', [signal.SIGKILL])\ndef test_a(n): pass", True),
        ("def test_a(tmp_path):\n    (tmp_path / 'a').symlink_to('b')", True),
        (
            (
                "@pytest.mark.skipif(os.name == 'nt', reason='')\ndef test_a(tmp_path):\n   "
                " os.mkfifo(tmp_path)"
            ),
            False,
        ),
        (
            (
                "pytestmark = pytest.mark.skipif(os.name != 'posix', reason='')\ndef test_a():\n   "
                " os.fork()"
            ),
            False,
        ),
        ("def test_a():\n    pytest.importorskip('resource')\n    import resource", False),
        ("def test_a(path):\n    if os.name != 'nt':\n        path.symlink_to('b')", False),
        (
            (
                "@pytest.mark.skipif(os.name != 'posix' or os.geteuid() == 0, reason='')\ndef"
                " test_a(): pass"
            ),
            False,
        ),
    ],
)
def test_the_search_finds_them(source: str, found: bool) -> None:
    assert bool(list(unguarded(source))) == found
