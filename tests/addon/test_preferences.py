# SPDX-License-Identifier: GPL-3.0-or-later
"""What the preferences draw, with a layout that writes down what is asked of it."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import bpy
import pytest
from blendshape_auto_generator.blendshape_addon.job import session
from blendshape_auto_generator.blendshape_addon.ops import runtime_operators
from blendshape_auto_generator.blendshape_addon.ui import preferences


class Layout:
    """Takes any call; texts, properties and operators are kept."""

    def __init__(self, kept: list[str] | None = None) -> None:
        self.kept: list[str] = [] if kept is None else kept

    def __getattr__(self, name: str) -> Any:
        def call(*arguments: Any, **more: Any) -> Layout:
            self.kept.extend(
                str(value) for value in (*arguments, more.get("text")) if isinstance(value, str)
            )
            return Layout(self.kept)

        return call


class Chosen(SimpleNamespace):
    """Stands for the preferences, which Blender makes only for an installed extension."""

    draw = preferences.BlendShapesPreferences.draw
    _draw_runtime = preferences.BlendShapesPreferences._draw_runtime


def drawn(**values: Any) -> list[str]:
    chosen = Chosen(layout=Layout(), **{"python": "", "python_known": "", **values})
    chosen.draw(bpy.context)
    return chosen.layout.kept


def test_every_setting_is_drawn() -> None:
    names = set(preferences.BlendShapesPreferences.__annotations__) - {"python_known"}
    assert names <= set(drawn())


def test_a_python_is_shown_as_checked_or_not() -> None:
    assert "Not checked yet" in drawn(python=sys.executable)
    assert (
        "blendshapes.check_python" in drawn(python=sys.executable)
        and "blendshapes.check_python" not in drawn()
    )
    hello = {
        "versions": {"onnxruntime": "1.2.3"},
        "providers": ["CUDAExecutionProvider", "AzureExecutionProvider", "CPUExecutionProvider"],
    }
    known = runtime_operators.known_of(Path(sys.executable), hello)
    assert "Checked: onnxruntime 1.2.3, CUDA, CPU" in drawn(
        python=sys.executable, python_known=known
    )


def test_progress_takes_the_place_of_the_buttons(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session.status, "preparing", "pip: Downloading")
    kept = drawn()
    assert "pip: Downloading  (Esc cancels)" in kept and "blendshapes.prepare_runtime" not in kept
