# SPDX-License-Identifier: GPL-3.0-or-later
"""Public functions of `backend/face` that take arrays say in `Args:` what each argument is."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

FACE = Path(__file__).resolve().parents[3] / "backend" / "face"
SOURCES = sorted(FACE.rglob("*.py"))
ARRAYS = {"Floats", "Doubles", "Ints", "Flags", "Indices", "NDArray", "Reals", "Rows"}
SHAPE = re.compile(r"\((?:\.\.\.|[A-Z0-9])[A-Z0-9a-z+,.]*,[A-Z0-9a-z,.]*\)")


def public(tree: ast.Module) -> Iterator[ast.FunctionDef]:
    """Functions of a module and methods of its classes, without private and inner ones."""
    for node in tree.body:
        inside = node.body if isinstance(node, ast.ClassDef) else [node]
        yield from (
            each
            for each in inside
            if isinstance(each, ast.FunctionDef) and not each.name.startswith("_")
        )


def takes_arrays(argument: ast.arg) -> bool:
    """Whether its type names one of an array."""
    return argument.annotation is not None and any(
        isinstance(node, ast.Name) and node.id in ARRAYS for node in ast.walk(argument.annotation)
    )


def missing(source: str) -> dict[str, list[str]]:
    """Function -> arguments that its docstring does not name in `Args:`. One that takes a single
    argument may state its shape in the sentence; a method that several classes have is described
    in one of them.
    """
    found: dict[str, list[str]] = {}
    described = set()
    for function in public(ast.parse(source)):
        given = function.args
        arguments = [*given.posonlyargs, *given.args, *given.kwonlyargs]
        arguments = [each for each in arguments if each.arg not in ("self", "cls")]
        doc = ast.get_docstring(function) or ""
        if not any(map(takes_arrays, arguments)) or (len(arguments) == 1 and SHAPE.search(doc)):
            continue
        listed = doc.partition("Args:")[2]
        lacking = [
            each.arg
            for each in arguments
            if not re.search(rf"^ *(?:\w+, )*{each.arg}(?:, \w+)*:", listed, re.MULTILINE)
        ]
        if lacking:
            found[function.name] = lacking
        else:
            described.add(function.name)
    return {name: lacking for name, lacking in found.items() if name not in described}


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.relative_to(FACE).as_posix())
def test_args_of_public_functions_are_described(path: Path) -> None:
    assert missing(path.read_text(encoding="utf-8")) == {}


def test_an_argument_that_is_not_described_is_found() -> None:
    two = 'def f(a: Floats, b: int):\n    """Sum.\n\n    Args:\n        a: (N,)\n    """\n'
    one = 'def g(a: Floats):\n    """Half of points (N,3)."""\ndef h(a: Floats):\n    """Half."""\n'
    assert missing(two + one) == {"f": ["b"], "h": ["a"]}
