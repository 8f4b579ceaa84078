# SPDX-License-Identifier: GPL-3.0-or-later
"""What the preferences draw, with a layout that writes down what is asked of it."""

from __future__ import annotations

import re
import sys
from fnmatch import fnmatchcase
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import bpy
import pytest
from blendshape_auto_generator.blendshape_addon.job import session
from blendshape_auto_generator.blendshape_addon.ops import runtime_operators
from blendshape_auto_generator.blendshape_addon.ui import guide, preferences

from scripts import help_pages


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
    assert "pip: Downloading" in kept and "blendshapes.prepare_runtime" not in kept


def test_the_guide_is_a_click_away_where_it_was_built(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    links = {"Guide", "Troubleshooting", "wm.url_open"}
    monkeypatch.setattr(guide, "FOLDER", tmp_path / "nothing")
    assert links.isdisjoint(drawn()) and guide.address(guide.GUIDE) == ""
    monkeypatch.setattr(guide, "FOLDER", tmp_path)
    help_pages.write(tmp_path)
    assert links <= set(drawn())
    prefix, mapping = guide._manual()
    pattern, page = mapping[0]
    assert fnmatchcase("bpy.ops.blendshapes.generate", pattern)
    assert prefix + page == guide.address(guide.GUIDE) != ""
    pages = (guide.TROUBLES, guide.ERRORS, guide.first_page(), *guide._FIRST.values())
    assert all(guide.address(page) for page in pages)


def test_pages_that_ship_lead_only_to_what_ships(tmp_path: Path) -> None:
    help_pages.write(tmp_path)
    pages = sorted(tmp_path.rglob("*.html"))
    anchors = {
        page: set(re.findall(r'<h\d id="([^"]+)"', page.read_text(encoding="utf-8")))
        for page in pages
    }
    targets = 0
    for page in pages:
        text = page.read_text(encoding="utf-8")
        assert "<title></title>" not in text
        for target in re.findall(r'(?:href|src)="([^"]+)"', text):
            if re.match("[a-z]+:", target):
                continue
            file, _mark, anchor = target.partition("#")
            there = (page.parent / file).resolve() if file else page
            assert there.is_file(), f"{page.name}: {target}"
            assert not anchor or anchor in anchors[there], f"{page.name}: {target}"
            targets += 1
    assert targets > 150
