# SPDX-License-Identifier: GPL-3.0-or-later
"""The page of figures is what was recorded, and what is said of determinism holds on a run."""

from __future__ import annotations

import json

from scripts.tools import determinism, reliability, soak


def test_the_page_is_made_from_the_figures() -> None:
    known = json.loads(reliability.FIGURES.read_text(encoding="utf-8"))
    assert reliability.PAGE.read_text(encoding="utf-8") == reliability.page(known)
    assert set(known) <= set(reliability.SECTIONS)
    assert all({"date", "machine", "command"} <= set(figures) for figures in known.values())


def test_a_slope_is_found_and_noise_is_told() -> None:
    steps = [float(step) for step in range(0, 1000, 10)]
    rising = soak.growth(steps, [100 + 0.05 * step + step % 3 for step in steps])
    assert (
        abs(rising["per_1000"] - 50) < 3
        and abs(rising["over_run"] - 40) < 3
        and 0 < rising["error"] < 2
    )
    assert soak.growth(steps, [7.0] * len(steps))["per_1000"] == 0


def test_the_same_head_gives_the_same_bits_and_changes_that_do_not_matter_hardly_any() -> None:
    found = determinism.measure()
    assert found["again"] and found["other_process"]
    assert max(found["changes"].values()) <= determinism.LIMIT, found["changes"]
