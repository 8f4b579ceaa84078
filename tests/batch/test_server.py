# SPDX-License-Identifier: GPL-3.0-or-later
"""A Triton server as what computes for a batch. Needs SERVING_PYTHON, the interpreter of an
environment with requirements/serving.txt.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from backend.inference.export import export_triton
from backend.inference.settings import resolve

from .conftest import ROOT, Run, load_module, outputs

SERVING = os.environ.get("SERVING_PYTHON", "")
pytestmark = pytest.mark.skipif(
    not SERVING, reason="SERVING_PYTHON names no Python with requirements/serving.txt"
)


def test_a_batch_computes_on_a_server_and_goes_on_without(
    heads: Path, tmp_path: Path, tiny: Path, generate: Callable[..., Run]
) -> None:
    triton: Any = load_module(ROOT / "tests" / "backend" / "test_triton.py")
    export_triton(tiny, tmp_path / "repository", resolve({"threads": 1}, environment={}))
    chosen = ("--backend-python", SERVING, "--jobs", 1)
    assert generate(heads, tmp_path / "here", *chosen).code == 0
    server = triton.Server(tmp_path / "repository")
    address = f"grpc://127.0.0.1:{server.port}"
    try:
        there = generate(
            heads, tmp_path / "there", *chosen, "--server", address, "--setting", "strict=true"
        )
    finally:
        server.stop()
    assert there.code == 0 and {row["provider_active"] for row in there.report["files"]} == {
        address
    }
    gone = generate(heads, tmp_path / "gone", *chosen, "--server", address)
    assert gone.code == 0 and {row["provider_active"] for row in gone.report["files"]} == {
        "CPUExecutionProvider"
    }
    assert all(address in row["provider_reason"] for row in gone.report["files"])
    assert outputs(tmp_path / "here") == outputs(tmp_path / "gone") and set(
        outputs(tmp_path / "there")
    ) == set(outputs(tmp_path / "here"))
    refused = generate(
        heads, tmp_path / "refused", *chosen, "--server", address, "--setting", "strict=true"
    )
    assert refused.code in (1, 2) and "provider_failed" in refused.said
