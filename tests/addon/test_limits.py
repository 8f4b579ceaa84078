# SPDX-License-Identifier: GPL-3.0-or-later
"""How long the child may take is what the page says, and what is told of one that takes longer."""

from __future__ import annotations

import re
from pathlib import Path

from blendshape_auto_generator.blendshape_addon import shared
from blendshape_auto_generator.blendshape_addon.process import limits

ROOT = Path(__file__).resolve().parents[2]


def test_the_page_about_the_panel_says_how_long_everything_may_take() -> None:
    page = " ".join((ROOT / "docs" / "guide" / "panel.md").read_text(encoding="utf-8").split())
    stated = re.search(
        r"does not give up within (\d+) s.*a request may take (\d+) s and (\d+) more for every"
        r" 1,000 vertices, "
        r"the search that nobody asked for (\d+) s, and a step that keeps the window waiting"
        r" (\d+) s\.",
        page,
    )
    assert stated is not None
    cancel, request, more, look, window = map(float, stated.groups())
    assert (cancel, look, window) == (
        limits.CANCEL_SECONDS,
        limits.LOOK_SECONDS,
        limits.WINDOW_SECONDS,
    )
    assert (request, more) == (
        shared.seconds_for(0),
        shared.seconds_for(1000) - shared.seconds_for(0),
    )


def test_a_request_that_was_ended_is_told_with_the_time_it_took_and_what_to_do() -> None:
    own, other = (
        limits.unfinished("", 70_000, 740.0),
        limits.unfinished("/models/mine.onnx", 70_000, 740.0),
    )
    assert (
        own.code == "child_timeout"
        and "70,000 vertices did not finish within 740 s" in own.message
        and "--timeout" in own.fix
    )
    assert (
        other.code == "model_stuck"
        and "mine.onnx did not finish within 740 s" in other.message
        and "/models" not in other.message
    )
    assert (
        "mine.onnx" in limits.not_given_up("/models/mine.onnx").message
        and "its last work" in limits.not_given_up("").message
    )
