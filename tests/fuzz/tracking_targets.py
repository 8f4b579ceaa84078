# SPDX-License-Identifier: GPL-3.0-or-later
"""Packets and recordings of strangers, as functions of bytes for targets.py."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

_KEYS = ["jawOpen", "jawLeft", "jawRight", "eyeLookInLeft", "aa", "Horn2"]
_MARK = b"\n--\n"  # between packets

Addon = Callable[[str], Any]


def packets(addon: Addon, data: bytes) -> None:
    """Bytes as packets, one after the other, to a face whose head and eyes turn, too."""
    module = addon("tracking.packets")
    state = module.State(addon("tracking.names").Routes(_KEYS), turning=True)
    told = data.split(_MARK)
    for packet in told:
        assert state.take(packet) in (module.TAKEN, module.PARTIAL, module.FOREIGN, module.BAD)
    assert state.counts.total() == len(told)
    values = state.values()
    assert values.keys() <= set(_KEYS) and all(0 <= value <= 1 for value in values.values())
    for turn in state.pose().values():
        assert math.isclose(sum(number * number for number in turn), 1, abs_tol=1e-6)


def recordings(addon: Addon, data: bytes) -> None:
    """Bytes as a recording of either app."""
    try:
        found = addon("tracking.recordings").read("Take", data)
    except addon("errors").AddonError as error:
        assert error.message and error.fix
        return
    assert (np.diff(found.times) > 0).all() and np.isfinite(found.values).all()
    for seconds in (-1.0, found.seconds / 2, found.seconds + 1):
        row = found.at(seconds)
        assert row.shape == (len(found.names),) and row.min() >= 0 and row.max() <= 1
        for turn in found.turns_at(seconds).values():
            assert math.isclose(sum(number * number for number in turn), 1, abs_tol=1e-6)


def seeds(name: str) -> list[bytes]:
    """Sound ones, to start from."""
    if name == "recordings":
        live = ["Timecode,BlendShapeCount,JawOpen,HeadYaw,HeadPitch,HeadRoll"]
        live += [f"10:00:0{second}:00.0,61,0.5,0.1,0,0" for second in range(3)]
        cap = ["info,x", "bs,jawOpen,eyeBlink_L", *(f"k,{t},{'0,' * 10}0.5,1" for t in (0, 16, 33))]
        return ["\n".join(rows).encode() for rows in (live, cap)]
    from fixtures import tracking

    turned = tracking.bone("Head", (0, 0.6, 0, 0.8))
    bits = tracking.bits({"JawX": -0.6}, 4, "FT/v2/")
    return [
        _MARK.join([tracking.vrchat({"JawOpen": 0.5, "EyeLeftX": -0.5}), *bits]),
        _MARK.join([tracking.vmc({"A": 1.0}), turned, tracking.bundle(*bits)]),
        tracking.ifacialmocap({"jawOpen": 0.5, "eyeLookInLeft": 0.25}),
    ]
