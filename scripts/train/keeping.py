# SPDX-License-Identifier: GPL-3.0-or-later
"""What a network keeps while it goes on learning: it is held to what the one that it began as says
of everything that this one knows (learning without forgetting, Li and Hoiem 2016).
"""

from __future__ import annotations

import copy
from typing import TypeVar

import torch
from torch import Tensor, nn

from backend.face.geometry.landmarks import NAMES

from .batches import Batch
from .net import RIGS, UNSURE, Decoder, Encoder

# canonical units: the least size of a shape that an error is measured in; smaller ones are noise
LEAST = 0.03
LOOK = 0.03  # how much it counts whose head it is, as in the loss of what is learnt
ANSWERS = 3 * len(NAMES)  # numbers of the latent that are landmarks

Net = TypeVar("Net", Encoder, Decoder)


def frozen(net: Net) -> Net:
    """A copy of the network as it is, which does not learn."""
    old: Net = copy.deepcopy(net)
    old.eval()
    old.requires_grad_(False)
    return old


def _charbonnier(error: Tensor) -> Tensor:
    """Of errors (..., 3): distance, squared where it is small, (...)."""
    far = error.square().sum(-1)
    return (far + 0.01).sqrt() - 0.1 + 0.5 * far


def change_of_decoder(
    net: Decoder, old: Decoder, seen: list[Tensor], batch: Batch, new: int
) -> Tensor:
    """How far the shapes of the style that strangers get are from those of the old network, in
    units of each shape's size: all shapes of rigs that it knows, and of the others those that their
    makers did not make. A mean, without unit.

    Args:
        net: the network that learns
        old: the one that it began as
        seen: the decoder's inputs of the batch, in their order
        batch: what was drawn
        new: place in RIGS from which on the old network knows none
    """
    unsure = RIGS.index(UNSURE)
    count = len(batch["rig"])
    with torch.no_grad():
        before = old(*seen, old.styles[unsure].expand(count, -1)).float()
    basis = net(*seen, net.styles[unsure].expand(count, -1)).float()
    size = before.norm(dim=-1).amax(dim=1).clamp(min=LEAST)
    error = _charbonnier((basis - before) / size[:, None, :, None]).mean(1)
    counts = ((batch["rig"] < new)[:, None] | (batch["known"] == 0)).float()
    return (error * counts).sum() / counts.sum().clamp(min=1)


def change_of_encoder(net: Encoder, old: Encoder, batch: Batch, new: int) -> Tensor:
    """How far landmarks, confidence and likeness of scenes that the old network knows are from what
    it says. A sum of the same losses as those of what is learnt.

    Args:
        net: the network that learns
        old: the one that it began as
        batch: what was drawn
        new: place in RIGS from which on the old network knows none
    """
    points = batch["points"]
    with torch.no_grad():
        before, trusted = (t.float() for t in old(points))
    latent, sure = (t.float() for t in net(points))
    known = (batch["rig"] < new).float()
    seen = known * (trusted[:, 0] > 0.5).float()
    far = (latent - before)[:, :ANSWERS].unflatten(1, (-1, 3)).square().sum(-1)
    doubt = nn.functional.binary_cross_entropy(
        sure[:, 0].clamp(1e-5, 1 - 1e-5), trusted[:, 0], reduction="none"
    )
    look = -(before[:, ANSWERS:] * latent[:, ANSWERS:].clamp(min=1e-6).log()).sum(1)
    parts = [
        (value * where).sum() / where.sum().clamp(min=1)
        for value, where in (((far + 1e-5).sqrt().mean(1), seen), (doubt, known), (look, seen))
    ]
    return parts[0] + 0.2 * parts[1] + LOOK * parts[2]
