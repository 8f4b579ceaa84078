# SPDX-License-Identifier: GPL-3.0-or-later
"""A network that learns on is held to what it said before, of the rigs that it knew alone."""

from __future__ import annotations

from typing import Any

import pytest

from backend.face.geometry.landmarks import NAMES
from backend.face.locate.points import CHANNELS

torch = pytest.importorskip("torch", reason="needs the environment of requirements/train.txt")

from scripts.train.keeping import change_of_decoder, change_of_encoder, frozen  # noqa: E402
from scripts.train.net import Decoder, Encoder  # noqa: E402
from scripts.train.sources import arkit_names  # noqa: E402

HEADS, VERTICES, POINTS = 2, 20, 50
NEW = 3  # place in RIGS from which on the old network knows none
KNOWN, OTHERS = (0, 1), (NEW, NEW + 1)
MADE = 2  # shapes that the makers of these heads made


def drawn(rigs: tuple[int, int]) -> dict[str, Any]:
    """A batch of two heads, of these rigs."""
    known = torch.zeros(HEADS, len(arkit_names()))
    known[:, :MADE] = 1
    generator = torch.Generator().manual_seed(2)
    points = torch.randn(HEADS, POINTS, CHANNELS, generator=generator)
    return {"rig": torch.tensor(rigs), "known": known, "points": points}


def inputs() -> list[Any]:
    """What a decoder sees of the heads' vertices."""
    generator = torch.Generator().manual_seed(1)
    rows = ((VERTICES, 3), (VERTICES, 3), (VERTICES, 6), (VERTICES, 2), (VERTICES, 6))
    shapes = (*rows, (3 * len(NAMES),))
    return [torch.randn(HEADS, *shape, generator=generator) for shape in shapes]


@pytest.mark.parametrize("kind", ["decoder", "encoder"])
def test_a_copy_is_what_the_network_was_and_learns_no_more(kind: str) -> None:
    net = Decoder(arkit_names()) if kind == "decoder" else Encoder()
    old = frozen(net)
    with torch.no_grad():
        next(net.parameters()).add_(1)
    assert not any(value.requires_grad for value in old.parameters())
    assert not torch.equal(next(net.parameters()), next(old.parameters()))


def test_a_decoder_is_held_to_shapes_of_rigs_it_knew_and_to_those_that_others_lack() -> None:
    net = Decoder(arkit_names()).eval()
    old = frozen(net)
    assert change_of_decoder(net, old, inputs(), drawn(KNOWN), NEW) == 0
    moved = frozen(old)
    with torch.no_grad():
        moved.offsets.bias[: 3 * MADE] += 1  # the shapes that makers made
    assert change_of_decoder(moved, old, inputs(), drawn(KNOWN), NEW) > 0
    assert change_of_decoder(moved, old, inputs(), drawn(OTHERS), NEW) == 0, "these are learnt"
    with torch.no_grad():
        moved.offsets.bias[3 * MADE :] += 1
    assert change_of_decoder(moved, old, inputs(), drawn(OTHERS), NEW) > 0


def test_an_encoder_is_held_to_what_it_said_of_rigs_that_it_knew() -> None:
    net = Encoder().eval()
    old = frozen(net)
    same = change_of_encoder(net, old, drawn(KNOWN), NEW)
    moved = frozen(old)
    with torch.no_grad():
        for value in moved.parameters():
            value.mul_(1.1)
    assert change_of_encoder(moved, old, drawn(KNOWN), NEW) > same
    assert change_of_encoder(moved, old, drawn(OTHERS), NEW) == 0, "others are learnt"
