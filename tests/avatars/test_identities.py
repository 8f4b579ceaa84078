# SPDX-License-Identifier: GPL-3.0-or-later
"""New people of the rigs that were learnt, against the shapes of their makers. Needs the shared
training heads, which are not in the repository.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from scripts.train.evaluate import predicted
from scripts.train.held_out import head
from scripts.train.measures import contact_measures
from scripts.train.scores import score

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT.parent / "shared" / "data"
MODEL = ROOT / "backend" / "models" / "face.decoder.onnx"

pytestmark = [
    pytest.mark.skipif(not DATA.is_dir(), reason="the shared heads are not here (../shared)"),
    pytest.mark.slow,
]


@pytest.mark.parametrize("name", ["ict2", "ict3", "makehuman2"])
def test_lids_close_and_shapes_are_their_makers(name: str) -> None:
    rig = head(name, DATA)
    shapes, marks = predicted(rig, MODEL)
    mean, _each = score(rig, shapes, marks)
    assert mean["core"] > 0.97 and mean["rel"] < 0.2
    assert contact_measures(rig, shapes)["lids"] < 0.02
