# SPDX-License-Identifier: GPL-3.0-or-later
"""Heights and fronts of a mesh are its points' quantiles."""

from __future__ import annotations

import numpy as np
import pytest

from backend.face.locate.proposals import quantile


@pytest.mark.parametrize("count", [1, 2, 3, 10, 999])
@pytest.mark.parametrize("share", [0.0, 0.001, 0.5, 0.95, 1.0])
def test_a_quantile_is_that_of_numpy(count: int, share: float) -> None:
    values = np.random.default_rng(count).normal(size=count)
    assert quantile(values, share) == pytest.approx(float(np.quantile(values, share)), abs=1e-12)
