# SPDX-License-Identifier: GPL-3.0-or-later
"""Who may import whom: the contracts of pyproject.toml, held by import-linter."""

from __future__ import annotations

from pathlib import Path

from importlinter import cli

WRONG = """
[importlinter]
root_package = backend
[importlinter:contract:1]
name = The other way round
type = layers
containers = backend.face
layers =
    geometry
    analyse
"""


def test_modules_import_only_what_their_layer_may_know() -> None:
    assert cli.lint_imports(no_cache=True, no_logo=True) == 0, (
        "what was printed says which import is wrong"
    )


def test_an_import_of_a_higher_layer_is_found(tmp_path: Path) -> None:
    config = tmp_path / "importlinter.ini"
    config.write_text(WRONG, encoding="utf-8")
    assert cli.lint_imports(str(config), no_cache=True, no_logo=True) == 1
