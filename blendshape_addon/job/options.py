# SPDX-License-Identifier: GPL-3.0-or-later
"""What a job is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from .tables import Table


@dataclass(frozen=True)
class Options:
    """What is asked for. sets: names; table: the user's own keys; strength: factor, regions:
    {region: factor}; group or use_selection: where the face is; parts: move the avatar's other
    objects along; naming: a style of naming.STYLES; alias: also vrc.v_ee; guide: `off`, `size` or
    `shape`, what the user's own keys decide; only_existing: update what is there, add nothing;
    style: sizes of shapes, 0 subtle to 1 bold; turn_eyes: looks turn eyeballs also where bones do.
    vrm: what becomes of the expressions of the VRM add-on, `off` or `bind`, or `bones` or `keys`,
    which eyes are to follow then. only: attributes of the keys that are written, empty for all;
    plain: without the strengths that single keys have.
    """

    sets: tuple[str, ...] = ("arkit",)
    table: Table | None = None
    strength: float = 1.0
    group: str = ""
    use_selection: bool = False
    overwrite: bool = False
    model: str = ""
    regions: Mapping[str, float] = field(default_factory=dict)
    parts: bool = True
    naming: str = "auto"
    alias: bool = False
    guide: str = "off"
    only_existing: bool = False
    style: float = 0.5
    turn_eyes: bool = False
    vrm: str = "off"
    only: frozenset[str] = frozenset()
    plain: bool = False
