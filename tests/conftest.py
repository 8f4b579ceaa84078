# SPDX-License-Identifier: GPL-3.0-or-later
"""What all tests share: where modules are found, and models made once per run."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

ROOT = Path(__file__).resolve().parents[1]
for folder in (
    ROOT / "tests",
    ROOT,
):  # the root comes first, so that `backend` is the package and not tests/backend
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))

# how fast a machine is says nothing about whether an example is right
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The decoder of a tiny pair that knows the ARKit conditions."""
    from fixtures import models

    from backend.face.shapes.shape_sets import load_sets

    return models.pair(tmp_path_factory.mktemp("tiny"), "tiny", list(load_sets()["arkit"].shapes))


@pytest.fixture(scope="session")
def slow(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The decoder of a pair that takes many seconds for a few thousand vertices."""
    from fixtures import models

    from backend.face.shapes.shape_sets import load_sets

    return models.pair(
        tmp_path_factory.mktemp("slow"), "slow", list(load_sets()["arkit"].shapes), work=4000
    )


_status = pytest.StashKey[int]()


def pytest_sessionfinish(session: pytest.Session, exitstatus: int | pytest.ExitCode) -> None:
    """Remember how the run ended."""
    session.config.stash[_status] = int(exitstatus)


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    """Leave at once where Blender is a module: taken down by Python it hangs now and then, most of
    all when failed tests still hold its objects.
    """
    if "bpy" in sys.modules and _status in config.stash:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(config.stash[_status])
