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

import skips  # noqa: E402  (after the path is there)

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


# what a fixture needs, so does every test that uses it
NEEDS = {
    "small": ("root",),  # mounts a disk
    "archive": ("network", "slow"),  # builds the zip with its wheels
    "actionlint": ("network",),
}


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests that use such a fixture."""
    for item in items:
        for fixture in getattr(item, "fixturenames", ()):
            for marker in NEEDS.get(fixture, ()):
                item.add_marker(marker)


_status = pytest.StashKey[int]()
_skipped: list[str] = []  # reasons


def _note(report: pytest.TestReport | pytest.CollectReport) -> None:
    if report.skipped and isinstance(report.longrepr, tuple) and not hasattr(report, "wasxfail"):
        _skipped.append(str(report.longrepr[2]).removeprefix("Skipped: "))


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Remember why a test was skipped."""
    _note(report)


def pytest_collectreport(report: pytest.CollectReport) -> None:
    """Remember why a file of tests was skipped."""
    _note(report)


def pytest_sessionfinish(session: pytest.Session, exitstatus: int | pytest.ExitCode) -> None:
    """Fail where CI skipped what it should run; remember how the run ended."""
    if os.environ.get("CI") and exitstatus == 0 and skips.unexpected(_skipped):
        session.exitstatus = exitstatus = pytest.ExitCode.TESTS_FAILED
    session.config.stash[_status] = int(exitstatus)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Name the skips that nobody expects where CI is set."""
    for reason in skips.unexpected(_skipped) if os.environ.get("CI") else ():
        terminalreporter.write_line(f"unexpected skips: {reason} (see tests/expected_skips.toml)")


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    """Leave at once where Blender is a module: taken down by Python it hangs now and then, most of
    all when failed tests still hold its objects.
    """
    if "bpy" in sys.modules and _status in config.stash:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(config.stash[_status])
