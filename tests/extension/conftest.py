# SPDX-License-Identifier: GPL-3.0-or-later
"""The built zip, and one environment per supported Blender."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from scripts import build
from scripts.tools import matrix, rows

_ONLY = os.environ.get("BLENDER_ROW")  # what dev.py --blender names
BLENDERS = {
    row.name: row
    for row in rows.ROWS
    if row.bpy and (row.name == _ONLY if _ONLY else row.python == "3.11")
}  # `dev.py matrix` has all


@pytest.fixture(scope="session")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The zip for this platform, built once per run, and not in dist/, where a developer's own zips
    lie.
    """
    try:
        return build.build([build.this_platform()], tmp_path_factory.mktemp("zip"))[0]
    except subprocess.CalledProcessError as error:
        pytest.skip(f"the pinned wheels could not be downloaded: {error}")


@pytest.fixture(scope="session", params=list(BLENDERS))
def blender(request: pytest.FixtureRequest) -> Path:
    """A Python with one version of Blender as a module and nothing of ours: onnxruntime and psutil
    come from the zip's wheels alone.
    """
    try:
        return matrix.environment(BLENDERS[request.param])
    except LookupError as error:
        pytest.skip(f"Blender {request.param}: {error}")
