# SPDX-License-Identifier: GPL-3.0-or-later
"""Modules, functions and lists of arguments stay small; what is larger says why."""

from __future__ import annotations

import ast
import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
TABLE = Path(__file__).with_suffix(".toml")
SOURCES = sorted(
    path
    for folder in ("backend", "blendshape_addon", "scripts")
    for path in (ROOT / folder).rglob("*.py")
)
MOST_LINES = 350  # of a module
MOST_FUNCTION_LINES = 60  # from `def` to its last line
MOST_ARGUMENTS = 5  # positional ones, without self
LIMITS = {
    "modules": MOST_LINES,
    "functions": MOST_FUNCTION_LINES,
    "definitions": MOST_ARGUMENTS,
    "calls": MOST_ARGUMENTS,
}
KINDS = pytest.mark.parametrize("kind", LIMITS)

Function = ast.FunctionDef | ast.AsyncFunctionDef


def positional(function: Function) -> int:
    """How many arguments a function takes by position, `self` and `cls` apart."""
    names = [argument.arg for argument in (*function.args.posonlyargs, *function.args.args)]
    return len(names[1:] if names[:1] in (["self"], ["cls"]) else names)


def own_names(trees: Mapping[str, ast.Module]) -> set[str]:
    """Names of our functions and classes; those that take any number of arguments are left out."""
    names: set[str] = set()
    open_ended: set[str] = set()
    for tree in trees.values():
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef | Function):
                any_number = isinstance(node, Function) and node.args.vararg is not None
                (open_ended if any_number else names).add(node.name)
    return names - open_ended


def called(node: ast.Call) -> str:
    """The last part of what a call names, "" where it names nothing."""
    if isinstance(node.func, ast.Attribute):
        return node.func.attr
    return node.func.id if isinstance(node.func, ast.Name) else ""


def sizes(trees: Mapping[str, ast.Module], lines: Mapping[str, int]) -> Iterator[tuple[str, ...]]:
    """Kind, name and size of everything above its limit."""
    ours = own_names(trees)
    for path, tree in trees.items():
        yield "modules", path, str(lines[path])
        for node in ast.walk(tree):
            if isinstance(node, Function):
                name = f"{path}:{node.name}"
                length = (node.end_lineno or node.lineno) - node.lineno + 1
                yield "functions", name, str(length)
                yield "definitions", name, str(positional(node))
            elif isinstance(node, ast.Call) and called(node) in ours:
                given = [
                    argument for argument in node.args if not isinstance(argument, ast.Starred)
                ]
                yield "calls", f"{path}:{called(node)}", str(len(given))


def too_large(sources: Mapping[str, str]) -> dict[str, dict[str, int]]:
    """Kind -> name -> size of what is above its limit; of several alike the largest."""
    trees = {path: ast.parse(text) for path, text in sources.items()}
    found: dict[str, dict[str, int]] = {kind: {} for kind in LIMITS}
    for kind, name, size in sizes(trees, {path: t.count("\n") for path, t in sources.items()}):
        if int(size) > LIMITS[kind]:
            found[kind][name] = max(int(size), found[kind].get(name, 0))
    return found


@cache
def measured() -> dict[str, dict[str, int]]:
    """What is above its limit in the repository."""
    return too_large(
        {path.relative_to(ROOT).as_posix(): path.read_text("utf-8") for path in SOURCES}
    )


def allowed(kind: str) -> dict[str, str]:
    """What may be larger, and why."""
    table: dict[str, dict[str, str]] = tomllib.loads(TABLE.read_text(encoding="utf-8"))
    return table.get(kind, {})


@KINDS
def test_nothing_is_larger_than_its_limit(kind: str) -> None:
    large = {name: size for name, size in measured()[kind].items() if name not in allowed(kind)}
    assert large == {}, f"more than {LIMITS[kind]}, and {TABLE.name} does not say why: {large}"


@KINDS
def test_the_table_names_nothing_that_is_small(kind: str) -> None:
    assert set(allowed(kind)) - set(measured()[kind]) == set(), f"take these out of {TABLE.name}"


@KINDS
def test_what_is_allowed_says_why(kind: str) -> None:
    assert all(len(why) > 15 for why in allowed(kind).values())


def test_the_count_finds_what_is_too_large() -> None:
    wide = "def wide(a, b, c, d, e, f):\n" + "    a\n" * 60 + "\n\nwide(1, 2, 3, 4, 5, 6)\n"
    method = "class A:\n    def fits(self, a, b, c, d, e): ...\n\nprint(1, 2, 3, 4, 5, 6)\n"
    found = too_large({"a.py": wide, "b.py": method, "c.py": "1\n" * 351})
    assert found == {
        "modules": {"c.py": 351},
        "functions": {"a.py:wide": 61},
        "definitions": {"a.py:wide": 6},
        "calls": {"a.py:wide": 6},
    }
