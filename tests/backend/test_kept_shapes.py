# SPDX-License-Identifier: GPL-3.0-or-later
"""What is made of six heads stays as it was looked at, shape by shape: a change of a rule or a number that moves anything is seen here."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from fixtures import kept_shapes

KEPT: dict[str, Any] = json.loads(kept_shapes.KEPT.read_text(encoding="utf-8"))
CLOSE = 2e-3  # canonical units: other versions of NumPy and ONNX Runtime differ by 1e-6 a vertex


@pytest.fixture(scope="module")
def heads() -> dict[str, Any]:
    return kept_shapes.heads()


@pytest.mark.parametrize("head", KEPT)
def test_a_head_gets_the_shapes_that_it_got(head: str, heads: dict[str, Any]) -> None:
    got, kept = kept_shapes.shapes_of(heads[head]), KEPT[head]
    assert got["vertices"] == kept["vertices"] and got["warnings"] == kept["warnings"]
    for what in ("frame", "landmarks", "freedom", "confidence", "sure"):
        np.testing.assert_allclose(got[what], kept[what], atol=CLOSE, err_msg=what)
    assert got["combinations"] == pytest.approx(kept["combinations"], abs=2e-3)
    assert list(got["shapes"]) == list(kept["shapes"])
    other = {name: np.abs(np.subtract(got["shapes"][name], sums)).max() for name, sums in kept["shapes"].items()}
    assert max(other.values()) <= CLOSE, {name: round(value, 4) for name, value in other.items() if value > CLOSE}
