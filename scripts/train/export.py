# SPDX-License-Identifier: GPL-3.0-or-later
"""Write the trained networks as the ONNX pair that the backend loads, and check that ONNX Runtime
computes the same.

python -m scripts.train.export --runs RUNS --out backend/models
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import torch
from torch import nn

from backend.face.geometry.landmarks import NAMES

from ..tools import lean_encoder, one_pass
from ..tools.export_torch import write
from .decoder_samples import LANDMARK_SWAP, MIRROR, swaps
from .net import CARTOON, RIGS, UNSURE, Decoder, Encoder
from .sources import arkit_names
from .weights import SHIPPED
from .weights import write as write_weights

HEAD_RADIUS = 2.3  # canonical units, half the diagonal of a head
ALLOWED = 1e-4  # of the head's radius, largest difference between PyTorch and ONNX Runtime
MODELLED = ("modelled", "stylised")  # kinds of heads that others may well look like
SURE = (
    0.85,
    0.98,
)  # likeness to a rig above which its style comes in, and from which on it is taken wholly
LEARNT = (
    "ict",
    "makehuman",
    "vitruvian",
)  # rigs of which training sees many identities: others may look like them by accident
# Likeness to drawn heads of the project's from which on a head is one, and surely: those kept out
# have 1 - 4e-7 and more, avatars that were left out and their warps (gene, uka, godette) 0.976 at
# most.
UNMISTAKABLE = (0.999, 0.9999)
ATTRIBUTION = (
    "ICT-FaceKit (c) 2020 USC Institute for Creative Technologies, MIT; MakeHuman/MPFB, CC0, its"
    " ARKit and viseme targets (c) Mika Suominen, MIT; Vitruvian, CC0; CG-CA Gene and CG-CA Uka (c)"
    " 2023 by Nagoya Institute of Technology, Moonshot R&D Goal 1 Avatar Symbiotic Society, CC-BY"
    " 4.0; Low-Poly Godette by SirRichard94, CC-BY 3.0; jeelizWeboji (c) Jeeliz, Apache-2.0;"
    " Polygonal Mind's avatars, CC0"
)


class WholeEncoder(nn.Module):
    """The encoder as the contract wants it: its latent (B,3L+R+1) ends with how far the head is one
    of those learnt: its likeness to the rig with many identities that it looks like most, or that
    it is unmistakably one of the drawn heads, whose shapes the decoder has learnt as well.
    """

    def __init__(self, net: Encoder) -> None:
        super().__init__()
        self.net = net
        self.register_buffer("learnt", torch.tensor([float(name in LEARNT) for name in RIGS]))

    def forward(self, points: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        latent, confidence = self.net(points)
        looks = latent[:, 3 * len(NAMES) :]
        drawn = looks[:, RIGS.index(UNSURE), None]
        drawn = ((drawn - UNMISTAKABLE[0]) / (UNMISTAKABLE[1] - UNMISTAKABLE[0])).clamp(0, 1)
        likeness = torch.maximum((looks * self.learnt).amax(dim=1, keepdim=True), drawn)
        return torch.cat([latent, likeness], dim=1), confidence


class FlatDecoder(nn.Module):
    """The decoder as the contract wants it, without a batch axis: (V,3), (V,3), (V,6), (V,2),
    (V,6), (1,3L+R+1) -> (V,K,3).

    The mean of what it says of the head and of its mirror image, so that a symmetric head gets
    symmetric shapes. It speaks in the style of the rig that the head looks like, by the latent's
    numbers behind the landmarks; where no likeness is sure, in that of the heads whose makers'
    habits were drawn at random: on heads that were left out it was nearest to the artists.

    Shares and offsets of both sides become the mean's basis in one product each: `Decoder.forward`
    over axes of one and three numbers, its mirror image and their mean took a quarter of ONNX
    Runtime's time.
    """

    def __init__(self, net: Decoder) -> None:
        super().__init__()
        self.net = net
        self.register_buffer("styles", net.styles.detach().clone())
        self.register_buffer(
            "told", torch.tensor([float(name not in (*MODELLED, *CARTOON)) for name in RIGS])
        )
        self.register_buffer("mirror", torch.from_numpy(MIRROR))
        other = torch.from_numpy(swaps(net.conditions)).long()

        def both(weights: torch.Tensor) -> list[torch.Tensor]:
            """Weights (...,K,3) as (...,3K) for the head and for its mirror image, half of each."""
            return [(w / 2).flatten(-2) for w in (weights, weights[..., other, :] * self.mirror)]

        self.register_buffer(
            "product", torch.cat(both(net.offsets.weight.detach().T.unflatten(1, (-1, 3))))
        )
        self.register_buffer("bias", sum(both(net.offsets.bias.detach().unflatten(0, (-1, 3)))))
        closing = (
            net.spread[None, :, :, None] * torch.eye(3)[:, None, None, :]
        )  # (3,C,K,3): a share of each axis goes to the same axis
        self.register_buffer("closing", torch.cat(both(closing.flatten(0, 1))))
        self.register_buffer("landmarks", torch.from_numpy(LANDMARK_SWAP).long())

    def forward(
        self,
        vertices: torch.Tensor,
        normals: torch.Tensor,
        parts: torch.Tensor,
        lip_lid_side: torch.Tensor,
        opposite_edge: torch.Tensor,
        latent: torch.Tensor,
    ) -> torch.Tensor:
        centres, extents = parts[:, :3], parts[:, 3:]
        landmarks = latent[:, : 3 * len(NAMES)].reshape(len(NAMES), 3)
        swapped = (landmarks[self.landmarks] * self.mirror).reshape(1, -1)
        looks = latent[:, 3 * len(NAMES) : 3 * len(NAMES) + len(RIGS)]
        sure = (
            ((looks * self.told).amax(dim=1, keepdim=True) - SURE[0]) / (SURE[1] - SURE[0])
        ).clamp(0, 1)
        style = sure * (looks @ self.styles) + (1 - sure) * self.styles[RIGS.index(UNSURE)]
        x, share, way, unit = self.net.hidden(
            torch.stack([vertices, vertices * self.mirror]),
            torch.stack([normals, normals * self.mirror]),
            torch.stack([parts, torch.cat([centres * self.mirror, extents], dim=1)]),
            torch.stack([lip_lid_side, lip_lid_side]),
            torch.stack([opposite_edge, opposite_edge * torch.cat([self.mirror, self.mirror])]),
            torch.cat([landmarks.reshape(1, -1), swapped]),
            style.expand(2, -1),
        )
        lids = (way.unsqueeze(3) * share.unsqueeze(2)).flatten(2)
        scale = unit[0].repeat_interleave(
            3
        )  # a condition's unit is that of its mirrored one in the mirror image
        basis = (torch.cat([x[0], x[1]], dim=1) @ self.product + self.bias) * scale + torch.cat(
            [lids[0], lids[1]], dim=1
        ) @ self.closing
        return basis.unflatten(1, (-1, 3))


def metadata(version: str) -> dict[str, str]:
    """What both files of a pair say of themselves."""
    return {
        "blendshape.version": "1",
        "blendshape.name": version,
        "blendshape.landmarks": json.dumps(NAMES),
        "blendshape.frame": json.dumps(
            {
                "axes": "+X left, +Y up, +Z front",
                "unit": "mean of eye distance and eyes-to-mouth",
                "centre": "between the eyes",
            }
        ),
        "blendshape.trained_on": (
            "ICT-FaceKit, MakeHuman, Vitruvian, Gene, Uka, Godette, four heads of jeelizWeboji, two"
            " avatars of Polygonal Mind, heads modelled by the project"
        ),
        "blendshape.attribution": ATTRIBUTION,
        "blendshape.licence": "GPL-3.0-or-later",
    }


def _write_pair(
    whole: WholeEncoder, decoder: Decoder, conditions: list[str], out: Path, version: str
) -> float:
    """Write both files; the largest difference between ONNX Runtime and PyTorch, canonical."""
    shared = metadata(version)
    rng = np.random.default_rng(0)

    def draw(*shape: int) -> torch.Tensor:
        return torch.from_numpy(rng.normal(0, 0.7, shape).astype(np.float32))

    out.mkdir(parents=True, exist_ok=True)
    difference = write(
        whole,
        {"points": draw(2, 500, 7)},
        ["latent", "confidence"],
        {"points": {0: "B", 1: "P"}, "latent": {0: "B"}, "confidence": {0: "B"}},
        out / "face.encoder.onnx",
        metadata=shared | {"blendshape.contract": "encoder"},
    )
    latent, _sure = whole(draw(1, 800, 7))
    named = [{"name": c, "min": 0, "max": 1, "default": 0} for c in conditions]
    other = write(
        FlatDecoder(decoder),
        {  # the names that the contract gives the inputs
            "vertices": draw(700, 3),
            "normals": draw(700, 3),
            "parts": draw(700, 6),
            "sides": draw(700, 2),
            "ways": draw(700, 6),
            "latent": latent.detach(),
        },
        ["basis"],
        {n: {0: "V"} for n in ("vertices", "normals", "parts", "sides", "ways", "basis")},
        out / "face.decoder.onnx",
        metadata=shared
        | {"blendshape.contract": "decoder", "blendshape.conditions": json.dumps(named)},
    )
    return max(difference, other)


def export(runs: Path, out: Path, weights: Path, version: str) -> None:
    """Write the pair of what two runs have learnt, and its weights.

    Raises:
        SystemExit: ONNX Runtime computes something else than PyTorch
    """
    conditions = arkit_names()
    states = {
        kind: torch.load(runs / f"{kind}.pt", map_location="cpu", weights_only=True)
        for kind in ("encoder", "decoder")
    }
    encoder, decoder = Encoder(), Decoder(conditions)
    encoder.load_state_dict(states["encoder"]["mean"])
    decoder.eval()
    decoder.load_state_dict(states["decoder"]["mean"])
    difference = _write_pair(WholeEncoder(encoder), decoder, conditions, out, version)
    for kind, net in (("encoder", encoder), ("decoder", decoder)):
        write_weights(net.state_dict(), weights / f"face.{kind}.npz")
    steps = {kind: state["step"] for kind, state in states.items()}
    print(
        f"steps {steps}; largest difference {difference:.2e} canonical units,"
        f" {difference / HEAD_RADIUS:.2e} of the head's radius"
    )
    if difference > ALLOWED * HEAD_RADIUS:
        raise SystemExit("ONNX Runtime computes something else than PyTorch.")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--runs", type=Path, required=True, help="folder with encoder.pt and decoder.pt"
    )
    parser.add_argument("--out", type=Path, required=True, help="folder for the pair")
    parser.add_argument(
        "--weights", type=Path, default=SHIPPED, help="folder for the weights to train on from"
    )
    parser.add_argument("--name", default="face-1.0", help="name and version in the metadata")
    a = parser.parse_args()
    export(a.runs, a.out, a.weights, a.name)
    lean_encoder.rewrite(a.out / "face.encoder.onnx")
    one_pass.rewrite(a.out / "face.decoder.onnx", [])


if __name__ == "__main__":
    main()
