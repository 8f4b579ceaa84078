# SPDX-License-Identifier: GPL-3.0-or-later
"""Every tunable number of `backend/face` is a parameter with unit, range and source."""

from __future__ import annotations

import ast
import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from backend.face.params import number as params

FACE = Path(__file__).resolve().parents[3] / "backend" / "face"
ROOT = FACE.parents[1]
TABLES = ("correct/fields.json", "shapes/confidence.json")
# what counts, halves, doubles, squares, cubes or signs, and is no choice
PLAIN = {0, 1, 2, 3, 0.5}
# below it a number keeps from dividing by nought or tells rounding from movement
GUARD = 1e-6
# a constant of a module that says how numbers are laid out or packed; another would be a mistake
LAYOUT = {
    "MIXERS": "the constants of SplitMix64",
    "CHANNELS": "numbers of a point that the encoder's input has",
    "AXIS_PLACES": "what makes one number of a cell's three, 21 bits each",
    "LOW_HALF": "the lower half of a number that packs two",
    "WIDTHS": "columns of a decoder's inputs, one after the other",
    "NORMAL": "those of them that are a normal",
    "ACROSS": "three coordinates each across the mouth and across the eye, an input of the decoder",
}
# a constant that bounds what a request may ask for: another refuses requests and moves no vertex
LIMITS = {
    "MAX_FACTOR": "of a region's strength, as the panel offers it",
    "MAX_KEYS": "of a user's table",
    "MAX_NAME_BYTES": "what Blender cuts names of shape keys to",
    "MAX_WEIGHT": "of a condition in a user's table",
}


def tunable(source: str) -> list[float]:
    """The numbers of a module that are neither plain nor guards, and no choice by where they stand:
    places in an array, exponents (an area's root, a cube), the bits by which a variable is shifted,
    which packs several numbers into one (1 << 14 is a size, and a choice), and constants of
    `LAYOUT` and `LIMITS`.
    """
    tree = ast.parse(source)
    places = {
        id(inner)
        for node in ast.walk(tree)
        for fixed in _no_choice(node)
        for inner in ast.walk(fixed)
    }
    return [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant)
        and isinstance(node.value, int | float)
        and not isinstance(node.value, bool)
        and id(node) not in places
        and abs(node.value) not in PLAIN
        and abs(node.value) > GUARD
    ]


def _no_choice(node: ast.AST) -> Iterator[ast.AST]:
    """What of a node holds numbers that are no choice."""
    if isinstance(node, ast.Subscript):
        yield node.slice
    if isinstance(node, ast.BinOp) and (
        isinstance(node.op, ast.Pow)
        or (
            isinstance(node.op, ast.LShift | ast.RShift) and not isinstance(node.left, ast.Constant)
        )
    ):
        yield node.right
    if isinstance(node, ast.AugAssign) and isinstance(node.op, ast.LShift | ast.RShift):
        yield node.value
    if isinstance(node, ast.Assign) and all(
        isinstance(target, ast.Name) and target.id in LAYOUT | LIMITS for target in node.targets
    ):
        yield node.value


def test_numbers_outside_params_are_none() -> None:
    found = Counter(
        {
            file.relative_to(FACE).as_posix(): len(tunable(file.read_text(encoding="utf-8")))
            for file in FACE.rglob("*.py")
            if FACE / "params" not in file.parents
        }
    )
    assert {name: count for name, count in found.items() if count} == {}


def test_a_number_in_an_expression_is_found_and_a_place_is_not() -> None:
    assert tunable("SHARE = 0.3\nx = y[4] * 7 + 1e-9 + 2") == [0.3, 7]


def test_exponents_bits_and_layouts_are_no_choice() -> None:
    source = "CHANNELS = 7\nx = (4 * y**1.5) << 32\nOTHER = 7\nz = 1.5 ** w\nSIZE = 1 << 14"
    assert sorted(tunable(source)) == [1.5, 4, 7, 14]


def test_number_of_every_parameter_has_words_and_a_range() -> None:
    table = list(params.numbers())
    assert len({(each.group, each.name) for each in table}) == len(table) > 0
    for each in table:
        assert each.low <= each.default <= each.high and each.source and each.unit


def test_number_outside_of_its_range_is_refused() -> None:
    with pytest.raises(ValueError, match="is not between"):
        params.number(2.0, "share", 0, 1, "chosen")


def test_source_of_a_parameter_names_pages_and_scripts_that_exist() -> None:
    named = {
        (f"{each.group}.{each.name}", path)
        for each in params.numbers()
        for path in re.findall(r"\b(?:docs|scripts)/[\w./]+\.(?:md|py)", each.source)
    }
    assert (
        len(named) > 20
        and {(who, path) for who, path in named if not (ROOT / path).exists()} == set()
    )


def table_numbers(value: Any, path: str) -> Iterator[tuple[str, float]]:
    """The numbers of a JSON value, each with the names that lead to it."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from table_numbers(inner, f"{path}.{name}" if path else name)
    elif isinstance(value, list):
        for inner in value:
            yield from table_numbers(inner, path)
    elif isinstance(value, int | float):
        yield path, float(value)


@pytest.mark.parametrize("name", TABLES)
def test_number_of_a_table_lies_in_the_range_of_its_kind(name: str) -> None:
    table = json.loads((FACE / name).read_text(encoding="utf-8"))
    kinds = table.pop("numbers")
    assert all(kind["unit"] and re.search(r"\d heads", kind["source"]) for kind in kinds.values())
    found = list(table_numbers(table, ""))
    assert found
    for path, value in found:
        kind = max((kind for kind in kinds if f"{path}.".startswith(f"{kind}.")), key=len)
        assert kinds[kind]["low"] <= value <= kinds[kind]["high"], path
