# SPDX-License-Identifier: GPL-3.0-or-later
"""Each number of the face's stages can be moved, and what that changes is reported."""

from __future__ import annotations

from pathlib import Path

import pytest

from backend.face.params import number as params
from backend.face.params.geometry import SMOOTHING
from scripts.tools import sensitivity


def numbers() -> dict[str, params.Number]:
    return {f"{each.group}.{each.name}": each for each in params.numbers()}


def test_moves_are_a_fifth_within_the_range() -> None:
    assert sensitivity.moves(numbers()["geometry.Smoothing.share"]) == pytest.approx(
        {"less": 0.6, "more": 0.9}
    )


def test_moves_of_every_number_leave_it_and_its_range_alone() -> None:
    for key, each in numbers().items():
        found = sensitivity.moves(each)
        assert found, key
        for value in found.values():
            assert each.low <= value <= each.high and value != each.default, key
            assert type(value) is type(each.default), key


def test_a_moved_number_is_seen_by_its_stage_and_put_back() -> None:
    share = SMOOTHING.share
    with pytest.raises(KeyError), sensitivity.moved(numbers()["geometry.Smoothing.share"], 0.5):
        assert SMOOTHING.share == 0.5
        raise KeyError
    assert SMOOTHING.share == share


def test_measure_reports_a_group_and_goes_on_where_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    every, lines = sensitivity.heads(), list[str]()
    out = tmp_path / "found.json"
    some = {"blocky": every["blocky"]}
    found = sensitivity.measure(some, ["geometry.Smoothing"], out, lines.append)
    at_once, share = "geometry.Smoothing.bytes_at_once", "geometry.Smoothing.share"
    assert list(found) == [at_once, share]
    for way in ("less", "more"):
        assert sensitivity.changed(found[share][way]["heads"]["blocky"])
        assert not sensitivity.changed(found[at_once][way]["heads"]["blocky"])
    assert "blocky" in lines[1] and SMOOTHING.share == 0.75
    monkeypatch.setattr(sensitivity, "tried", lambda *_: pytest.fail("is known already"))
    assert sensitivity.measure(some, ["geometry.Smoothing"], out, lines.append) == found
    assert lines[:2] == lines[2:]
