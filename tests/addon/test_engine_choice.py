# SPDX-License-Identifier: GPL-3.0-or-later
"""The choice of a provider in the preferences, and what the panel says about the one that ran."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from blendshape_auto_generator.blendshape_addon.job import session
from blendshape_auto_generator.blendshape_addon.process.launch import Settings
from blendshape_auto_generator.blendshape_addon.ui import preferences

from backend.inference.settings import SETTINGS
from backend.inference.settings import Settings as BackendSettings

REPORT = {
    "provider_asked": "CPUExecutionProvider",
    "provider_active": "CPUExecutionProvider",
    "provider_reason": "first",
    "threads": 2,
    "precision": "fp32",
    "low_memory": False,
}


def test_the_preferences_offer_what_the_backend_knows() -> None:
    assert [name for name, *_ in preferences.PROVIDERS] == list(SETTINGS["provider"].choices)
    assert [name for name, *_ in preferences.PRECISIONS] == list(SETTINGS["precision"].choices)
    known = vars(BackendSettings())
    assert {
        name: value for name, value in vars(Settings()).items() if name != "python"
    }.items() <= known.items(), "the same names and defaults"


def test_only_what_was_changed_goes_to_the_child() -> None:
    assert Settings().preferences() == {}
    changed = {
        "provider": "cuda",
        "strict": True,
        "precision": "fp16",
        "threads": 2,
        "memory_mb": 900,
    }
    assert Settings("/p", "cuda", True, "fp16", 2, 900).preferences() == changed


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({}, "Computed on CPU, 2 threads, fp32"),
        ({"threads": 1, "low_memory": True}, "Computed on CPU, fp32, low memory"),
        (
            {"provider_asked": "CUDAExecutionProvider", "provider_active": "CUDAExecutionProvider"},
            "Computed on CUDA, fp32",
        ),
        (
            {"provider_asked": "CUDAExecutionProvider", "provider_reason": "no driver"},
            "Computed on CPU, 2 threads, fp32, not CUDA: no driver",
        ),
    ],
)
def test_the_panel_says_what_computed_and_why(changes: dict[str, Any], line: str) -> None:
    assert session.engine_line({**REPORT, **changes}) == line
    another = "not CUDA" in line or "low memory" in line
    assert session.engine_is_another({**REPORT, **changes}) is another


def test_the_line_fits_a_real_report(body: Any, tiny: Path) -> None:
    from blendshape_auto_generator.blendshape_addon.job.generation import (
        Options,
        generate_for_object,
    )

    outcome = generate_for_object(body, Options(model=str(tiny)), session.backend)
    assert session.engine_line(outcome.report).startswith("Computed on CPU")
