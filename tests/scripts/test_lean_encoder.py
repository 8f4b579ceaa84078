# SPDX-License-Identifier: GPL-3.0-or-later
"""An encoder with fewer steps computes what it computed, and other graphs are left alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from fixtures import models

from backend.inference.onnx_file import SHIPPED
from scripts.tools.lean_encoder import lean, rewrite

ROUNDING = 2e-5  # canonical units and likeness
STEPS = 350  # of the exported graph there are nine hundred


def outputs(model: onnx.ModelProto, points: np.ndarray) -> list[np.ndarray]:  # type: ignore[type-arg]
    session = ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return list(session.run(None, {"points": points}))


def test_a_lean_encoder_computes_the_same(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch", reason="needs the environment of requirements/train.txt")
    from scripts.tools.export_torch import write
    from scripts.train.export import WholeEncoder
    from scripts.train.net import Encoder

    torch.manual_seed(0)
    net = Encoder()
    with torch.no_grad():
        for weights in net.parameters():  # norms and biases begin as ones and zeros
            weights += 0.05 * torch.randn_like(weights)
    path = tmp_path / "a.encoder.onnx"
    write(
        WholeEncoder(net),
        {"points": torch.randn(2, 500, 7) * 0.7},
        ["latent", "confidence"],
        {"points": {0: "B", 1: "P"}, "latent": {0: "B"}, "confidence": {0: "B"}},
        path,
        metadata={"blendshape.contract": "encoder"},
    )
    before = onnx.load(path)
    rewrite(path)
    after = onnx.load(path)
    assert len(after.graph.node) < STEPS < len(before.graph.node)
    assert after.metadata_props == before.metadata_props
    rng = np.random.default_rng(0)
    for crops, points in ((1, 1024), (3, 128), (2, 1)):
        seen = rng.normal(0, 0.7, (crops, points, 7)).astype(np.float32)
        for one, other in zip(outputs(before, seen), outputs(after, seen), strict=True):
            np.testing.assert_allclose(other, one, atol=ROUNDING)


def test_the_shipped_encoder_is_lean() -> None:
    assert len(onnx.load(SHIPPED / "face.encoder.onnx").graph.node) < STEPS


@pytest.mark.parametrize("which", ["shipped", "tiny"])
def test_another_graph_is_refused(which: str, tmp_path: Path) -> None:
    path = SHIPPED / "face.encoder.onnx"
    if which == "tiny":
        path = tmp_path / "tiny.encoder.onnx"
        models.encoder(path, models.LANDMARKS)
    with pytest.raises(ValueError, match="its graph is another"):
        lean(onnx.load(path))
