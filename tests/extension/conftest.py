# SPDX-License-Identifier: GPL-3.0-or-later
"""The built zip, and one environment per supported Blender."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from scripts import build, dev

ROOT = Path(__file__).resolve().parents[2]
BLENDERS = {"4.2": "bpy==4.2.23", "4.5": "bpy==4.5.15", "5.0": "bpy==5.0.1"}


@pytest.fixture(scope="session")
def archive() -> Path:
    """The zip for this platform, built once per run."""
    try:
        return build.build([build.this_platform()])[0]
    except subprocess.CalledProcessError as error:
        pytest.skip(f"the pinned wheels could not be downloaded: {error}")


@pytest.fixture(scope="session", params=list(BLENDERS))
def blender(request: pytest.FixtureRequest) -> Path:
    """A Python with one version of Blender as a module and nothing of ours: onnxruntime and psutil come from the zip's wheels alone."""
    try:
        return dev.make_venv(ROOT / "build" / f"bpy-{request.param}", f"{BLENDERS[request.param]}\nnumpy==1.26.4\n")
    except subprocess.CalledProcessError as error:
        pytest.skip(f"{BLENDERS[request.param]} could not be installed: {error}")
