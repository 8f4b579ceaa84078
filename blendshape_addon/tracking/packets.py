# SPDX-License-Identifier: GPL-3.0-or-later
"""Packets of face tracking, from bytes to values: VRChat's OSC, the VMC protocol, iFacialMocap's
text. What a packet is shows in its first byte, so one port takes all three.

Packets come from anybody. One that is malformed, too large, or not about a face changes nothing,
and is counted.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from .bits import Bits, bit_of
from .names import Routes, spread
from .osc import MOST_BYTES, Message, PacketError, Value, messages

PARAMETERS = "/avatar/parameters/"
_VERSION = "v2/"  # of VRCFaceTracking, before a parameter's name; templates put folders before it
_FOLDER = "FT/"
_VALUE, _APPLY = "/VMC/Ext/Blend/Val", "/VMC/Ext/Blend/Apply"
LONGEST_NAME = 64  # characters
MOST_TOKENS = 512  # of iFacialMocap's text
LARGEST = 1e6  # a value beyond is no value
# What a packet can be; partial: it has bits of numbers whose other bits have not been heard yet
TAKEN, PARTIAL, FOREIGN, BAD = "taken", "partial", "foreign", "bad"


@dataclass(frozen=True)
class Heard:
    """One value under the name that was sent, or, with the name `` and nothing pending, that what
    was sent before is to be shown now. pending: to be shown only then. truth: of a
    parameter of VRChat's, whether it was sent as true or false, which a bit has to be.
    """

    name: str
    value: float = 0.0
    pending: bool = False
    truth: bool | None = None


class State:
    """What is tracked now. tracked: folded name -> value, as `Routes.values` takes it. counts: how
    many packets were taken, partial, foreign or bad.
    """

    def __init__(self, routes: Routes) -> None:
        self.routes = routes
        self.tracked: dict[str, float] = {}
        self.counts: Counter[str] = Counter()
        self._pending: dict[str, float] = {}
        self._bits = Bits()

    def take(self, packet: bytes) -> str:
        """Take a packet: whole, or not at all. Returns what it was."""
        kind = self._take(packet)
        self.counts[kind] += 1
        return kind

    def _take(self, packet: bytes) -> str:
        try:
            told = list(heard(packet))
        except PacketError:
            return BAD
        if any(one.truth is False and self._bit_of(one) is not None for one in told):
            return BAD
        kinds = {self._take_one(one) for one in told}
        return next((kind for kind in (TAKEN, PARTIAL) if kind in kinds), FOREIGN)

    def _take_one(self, one: Heard) -> str:
        if not one.name:
            about_us = bool(self._pending)
            self.tracked.update(self._pending)
            self._pending.clear()
            return TAKEN if about_us else FOREIGN
        if self.routes.known(one.name):  # so what is kept is no more than the mesh has keys
            self._set(one.name, one.value, one.pending)
            return TAKEN
        bit = self._bit_of(one)
        if bit is None:
            return FOREIGN
        value = self._bits.take(*bit, one.value == 1.0)
        if value is None:
            return PARTIAL
        self._set(bit[0], value, False)
        return TAKEN

    def _set(self, name: str, value: float, pending: bool) -> None:
        (self._pending if pending else self.tracked).update(
            (part, each) for part, each in spread(name, value) if part in self.routes.heard
        )

    def _bit_of(self, one: Heard) -> tuple[str, int] | None:
        """The parameter of which it is a bit, and which bit, if that parameter moves a key."""
        bit = None if one.truth is None or self.routes.known(one.name) else bit_of(one.name)
        return bit if bit is not None and self.routes.known(bit[0]) else None


def heard(packet: bytes) -> Iterator[Heard]:
    """What a packet says, in order. Raises PacketError, before or between."""
    if len(packet) > MOST_BYTES:
        raise PacketError("too large")
    if packet.startswith((b"/", b"#")):
        return _of_osc(messages(packet))
    return _of_text(packet)


def _of_osc(told: Iterable[Message]) -> Iterator[Heard]:
    for message in told:
        if message.address == _APPLY:
            yield Heard("")
        elif message.address == _VALUE:
            if len(message.values) != 2 or not isinstance(message.values[0], str):
                raise PacketError("no name and value")
            yield Heard(_name(message.values[0]), _number(message.values[1]), True)
        elif message.address.startswith(PARAMETERS):
            name = _parameter(message.address)
            numbers = [value for value in message.values if isinstance(value, float | int)]
            if len(numbers) == len(message.values) == 1 and 0 < len(name) <= LONGEST_NAME:
                yield Heard(name, _number(numbers[0]), truth=isinstance(numbers[0], bool))


def _parameter(address: str) -> str:
    """The name of a parameter, without the folders of a template and VRCFaceTracking's version."""
    name = address.removeprefix(PARAMETERS)
    folders, version, after = name.rpartition(_VERSION)
    if version and (not folders or folders.endswith("/")):
        return after
    return name.removeprefix(_FOLDER)


def _of_text(packet: bytes) -> Iterator[Heard]:
    """mouthSmile_R-12|...|=head#1.5,...|rightEye#...|; with & for - in the second version."""
    try:
        text = packet.decode("ascii")
    except UnicodeDecodeError as error:
        raise PacketError("no text") from error
    tokens = [token for token in text.strip().split("|") if token]
    if not 0 < len(tokens) <= MOST_TOKENS:
        raise PacketError("no text of shapes")
    for token in tokens:
        if "#" in token:
            continue  # head and eyes as bones
        name, mark, number = token.rpartition("&" if "&" in token else "-")
        if name.endswith("-") and mark == "-":  # less than nothing
            name, number = name[:-1], f"-{number}"
        try:
            value = float(number)
        except ValueError as error:
            raise PacketError("a shape without its number") from error
        yield Heard(_name(name), _number(value) / 100)


def _name(name: str) -> str:
    if not 0 < len(name) <= LONGEST_NAME:
        raise PacketError("no name")
    return name


def _number(value: Value) -> float:
    if value is None or isinstance(value, str):
        raise PacketError("no number")
    if not math.isfinite(value) or abs(value) > LARGEST:
        raise PacketError("no number")
    return float(value)
