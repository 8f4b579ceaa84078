# SPDX-License-Identifier: GPL-3.0-or-later
"""Models that never end, when they are loaded or when they run: every wait for them ends, the child is gone, and others go on."""

from __future__ import annotations

from pathlib import Path

import pytest
from fixtures import models
from fixtures.child import Child

CONDITIONS = ["jawOpen", "eyeBlinkLeft"]


@pytest.fixture(scope="session", params=models.STUCK)
def stuck(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of each kind that never ends."""
    return models.stuck(tmp_path_factory.mktemp("stuck") / f"{request.param}.onnx", request.param, CONDITIONS)


def test_a_model_that_never_ends_holds_up_no_other(stuck: Path) -> None:
    with Child() as child:
        child.read()
        child.send("load", model=str(stuck))
        assert child.report("load", model=None)["model"].startswith("face"), "answered while the first is stuck"
        assert child.report("stats")["models"]
