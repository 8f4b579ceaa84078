# SPDX-License-Identifier: GPL-3.0-or-later
"""Scripts of users reach modules of the add-on by their names alone."""

from __future__ import annotations

import importlib
from typing import Any

import pytest

from scripts.generate import load_extension

load_extension()
addon: Any = importlib.import_module("blendshape_auto_generator.blendshape_addon")


@pytest.mark.parametrize("name", ["session", "parts", "vrchat_operators", "preview", "mesh_io"])
def test_getattr_of_a_module_gives_the_one_of_its_package(name: str) -> None:
    assert getattr(addon, name).__name__.endswith(f".{name}")


def test_getattr_of_job_gives_what_generation_has() -> None:
    generation = importlib.import_module(f"{addon.__name__}.job.generation")
    assert addon.job.generate_for_object is generation.generate_for_object


@pytest.mark.parametrize("name", ["nothing", "_hidden", "os"])
def test_getattr_of_anything_else_is_an_attribute_error(name: str) -> None:
    assert not hasattr(addon, name) and not hasattr(addon.job, name)
