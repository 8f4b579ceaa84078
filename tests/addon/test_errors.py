# SPDX-License-Identifier: GPL-3.0-or-later
"""What is told of an exception: the backend's codes, a sentence in one line, and what to do."""

from __future__ import annotations

from blendshape_auto_generator.blendshape_addon.errors import AddonError, as_addon_error, sent
from blendshape_auto_generator.blendshape_addon.shared import BackendError


def test_an_exception_that_nobody_expected_is_internal_and_to_be_reported() -> None:
    told = as_addon_error(ValueError("two\nlines,  far apart"))
    assert (
        told.code == "internal"
        and "two lines, far apart" in told.message
        and told.fix == "Please report this with the console's text."
    )


def test_a_known_error_keeps_its_code_its_words_and_its_fix() -> None:
    known = AddonError("no_face", "No face.", "Turn the avatar upright.")
    assert as_addon_error(known) is known
    told = as_addon_error(
        BackendError("mesh_empty", "Nothing\nis there.", "Choose another object.")
    )
    assert (told.code, told.message, told.fix) == (
        "mesh_empty",
        "Nothing is there.",
        "Choose another object.",
    )
    memory = as_addon_error(MemoryError())
    assert memory.code == "out_of_memory" and memory.fix and "report" not in memory.fix


def test_a_code_of_another_release_is_internal_and_its_words_stay() -> None:
    assert (
        sent("no_face", "No face.", "Look.").code,
        sent("of_another_release", "No.", "Look.").code,
    ) == ("no_face", "internal")
    assert str(sent("of_another_release", "Why it was.", "Look.").message) == "Why it was."
