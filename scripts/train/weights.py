# SPDX-License-Identifier: GPL-3.0-or-later
"""The trained networks' weights as plain arrays, to train on from: the files that users get fold
them, and a checkpoint also holds what optimisers remember.

`scripts/train/weights/` has those of the shipped pair.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from .net import RIGS, UNSURE, Decoder, Encoder

SHIPPED = Path(__file__).with_suffix("")
UNLIKELY = -6.0  # the score (logit) of a rig that an encoder has never seen


def write(state: Mapping[str, Tensor], path: Path) -> None:
    """Write a network's state, arrays by the names that PyTorch gives them."""
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez(path, allow_pickle=False, **{name: value.numpy() for name, value in state.items()})


def _longer(before: Tensor, new: Tensor) -> Tensor:
    """A table with a row for each rig: those that it has, and `new` for the others."""
    return torch.cat([before, new.expand(len(RIGS) - len(before), *before.shape[1:])])


def begin(net: Encoder | Decoder, folder: Path = SHIPPED) -> int:
    """Give a network the weights of a folder, in place. A rig that they do not know begins with the
    style of heads of nobody known, and is thought unlikely.

    Returns:
        how many of RIGS they know, the first ones

    Raises:
        ValueError: they are of another network
    """
    path = folder / f"face.{'decoder' if isinstance(net, Decoder) else 'encoder'}.npz"
    with np.load(path, allow_pickle=False) as stored:
        given = {name: torch.from_numpy(stored[name]) for name in stored.files}
    rows = {"styles": given["styles"][RIGS.index(UNSURE)]} if "styles" in given else {}
    if isinstance(net, Encoder):
        last = f"looks.{len(net.looks) - 1}"
        rows = {f"{last}.weight": torch.zeros(1), f"{last}.bias": torch.tensor(UNLIKELY)}
    knows = min(len(given[name]) for name in rows)
    given |= {name: _longer(given[name], new) for name, new in rows.items()}
    wanted = {name: tuple(value.shape) for name, value in net.state_dict().items()}
    if wanted != {name: tuple(value.shape) for name, value in given.items()}:
        raise ValueError(f"{path} holds the weights of another network")
    net.load_state_dict(given)
    return knows
