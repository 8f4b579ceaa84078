# SPDX-License-Identifier: GPL-3.0-or-later
"""Training that begins with a shipped pair begins with what that pair computes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime
import pytest

from backend.face.geometry.landmarks import NAMES
from backend.face.locate.points import CHANNELS

torch = pytest.importorskip("torch", reason="needs the environment of requirements/train.txt")

from scripts.train.export import FlatDecoder, WholeEncoder  # noqa: E402
from scripts.train.net import Decoder, Encoder  # noqa: E402
from scripts.train.sources import arkit_names  # noqa: E402
from scripts.train.weights import begin  # noqa: E402

MODELS = Path(__file__).parents[2] / "backend" / "models"
NEAR = 2e-4  # canonical units, as an export allows


def _computed(kind: str, **inputs: np.ndarray) -> list[np.ndarray]:  # type: ignore[type-arg]
    session = onnxruntime.InferenceSession(str(MODELS / f"face.{kind}.onnx"))
    return list(session.run(None, inputs))


def test_a_run_begins_with_what_the_shipped_pair_computes() -> None:
    rng = np.random.default_rng(1)
    points = rng.normal(0, 0.7, (2, 300, CHANNELS)).astype(np.float32)
    latents, sure = _computed("encoder", points=points)
    encoder = Encoder()
    begin(encoder)
    with torch.no_grad():
        got = WholeEncoder(encoder.eval())(torch.from_numpy(points))
    assert np.abs(got[1].numpy() - sure).max() < NEAR
    landmarks = slice(0, 3 * len(NAMES))
    assert np.abs(got[0].numpy()[:, landmarks] - latents[:, landmarks]).max() < NEAR
    seen = {
        name: rng.normal(0, 0.7, (50, width)).astype(np.float32)
        for name, width in (
            ("vertices", 3),
            ("normals", 3),
            ("parts", 6),
            ("sides", 2),
            ("ways", 6),
        )
    }
    (basis,) = _computed("decoder", **seen, latent=latents[:1])
    decoder = Decoder(arkit_names())
    begin(decoder)
    with torch.no_grad():
        own = FlatDecoder(decoder.eval())(
            *(torch.from_numpy(value) for value in seen.values()), got[0][:1]
        )
    assert np.abs(own.numpy() - basis).max() < NEAR


def test_a_network_of_another_width_is_refused() -> None:
    with pytest.raises(ValueError, match="another network"):
        begin(Encoder(width=64))
