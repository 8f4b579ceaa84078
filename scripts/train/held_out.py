# SPDX-License-Identifier: GPL-3.0-or-later
"""Heads that a model is measured on: rigs, new identities of them, other tessellations, modelled
heads.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np

from ..samples.modelled import modelled
from ..samples.rig import Rig
from . import sources
from .tessellations import decimated, identity, subdivided

COARSE = 0.4  # share of the vertices that a coarse tessellation keeps


RIGS: dict[str, Callable[[Path], Rig]] = {
    "ict": cache(sources.ict),
    "makehuman": cache(sources.makehuman),
    "vitruvian": cache(sources.vitruvian),
    "antonia": cache(sources.antonia),
    "gene": lambda f: sources.avatar(f, "gene"),
    "uka": lambda f: sources.avatar(f, "uka"),
    "godette": sources.godette,
}


HELD_OUT = {  # group -> heads that training never shows
    "identities": (
        *(f"{rig}{number}" for rig in ("ict", "makehuman", "vitruvian") for number in (1, 2, 3)),
        *("ict1-coarse", "makehuman1-fine", "makehuman2-coarse", "vitruvian1-coarse"),
    ),
    "modelled": tuple(f"modelled{number}" for number in (1, 2, 3, 4, 5, 6)),
    "avatars": ("gene", "uka", "godette"),
    "realistic": ("antonia",),
}


HEADS = tuple(name for names in HELD_OUT.values() for name in names)


def head(name: str, folder: Path) -> Rig:
    """The head of that name, see the top of evaluate.py. Raises KeyError for a rig that there is
    not.
    """
    base, _, way = name.partition("-")
    kind = base.rstrip("0123456789")
    seed = np.random.default_rng([99, int(base.removeprefix(kind) or 0)])
    if kind == "modelled":
        rig = modelled(seed)
    else:
        rig = RIGS[kind](folder)
        if base != kind:
            rig = identity(rig, seed)
    if way == "fine":
        return subdivided(rig)
    return decimated(rig, COARSE, seed) if way == "coarse" else rig


def named(heads: str) -> list[str]:
    """Names of heads from a list of heads and groups of heads with commas between them."""
    return [name for group in heads.split(",") for name in HELD_OUT.get(group, (group,))]
