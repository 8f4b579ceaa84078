# SPDX-License-Identifier: GPL-3.0-or-later
"""Names in `backend` and `scripts` are plain: none of the words that only one author understood."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SOURCES = sorted(
    path for folder in ("backend", "scripts") for path in (ROOT / folder).rglob("*.py")
)
# what the names meant, and how that is called
PRIVATE = {
    "bodies": "rigid_parts, or what they are",
    "expected": "confidence, or wanted",
    "familiar": "model_trust, learnt",
    "freedom": "movement_mask",
    "ground": "skin, or surface",
    "kept": "what it is: chosen, stored, before",
    "kept_to": "hold_to",
    "lane": "thread",
    "lanes": "workers",
    "plate": "flat_eye, or flat part",
    "plates": "flat_features",
    "seam": "slit",
    "seams": "face_skin",
    "set_aside": "disabled",
    "sheets": "layers; contact sheets are sheets",
    "sides": "lip_lid_side",
    "there": "what it is: existing, near, surface",
    "touch": "apply",
    "ways": "opposite_edge, towards",
}
# `sides` and `ways` remain names of inputs in model files, see backend/inference/contract.py
ALLOWED = {"scripts/demo.py": {"sheets"}}  # it draws contact sheets


def names(source: str) -> Iterator[str]:
    """Names that a module gives to variables, fields, parameters, functions and classes."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield node.attr
        elif isinstance(node, ast.arg):
            yield node.arg
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name


def private(source: str) -> set[str]:
    """Private words among them. Constants are not: SIDES are left and right."""
    return {name for name in names(source) if name.lstrip("_") in PRIVATE}


def path_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", SOURCES, ids=path_of)
def test_names_are_plain(path: Path) -> None:
    found = private(path.read_text(encoding="utf-8")) - ALLOWED.get(path_of(path), set())
    assert found == set(), {name: f"say {PRIVATE[name.lstrip('_')]}" for name in found}


def test_private_words_are_found_wherever_a_name_is_given() -> None:
    source = (
        "def touch(plate):\n    self.ways = _there = 1\n    for sides in SIDES:\n        pass\n"
        "class A:\n    expected: int = 1\n\nx = f(kept=lanes)\n"
    )
    assert private(source) == {"touch", "plate", "ways", "_there", "sides", "expected"}
