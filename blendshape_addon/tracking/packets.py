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
from .turns import LOOKS, PARTS, Turn, of_angles, of_unity, pose, with_looks

PARAMETERS = "/avatar/parameters/"
_VERSION = "v2/"  # of VRCFaceTracking, before a parameter's name; templates put folders before it
_FOLDER = "FT/"
_VALUE, _APPLY = "/VMC/Ext/Blend/Val", "/VMC/Ext/Blend/Apply"
_BONE = "/VMC/Ext/Bone/Pos"
LONGEST_NAME = 64  # characters
MOST_TOKENS = 512  # of iFacialMocap's text
LARGEST = 1e6  # a value beyond is no value
# What a packet can be; partial: it has bits of numbers whose other bits have not been heard yet
TAKEN, PARTIAL, FOREIGN, BAD = "taken", "partial", "foreign", "bad"


@dataclass(frozen=True)
class Heard:
    """One value under the name that was sent, or, with the name `` and nothing pending, that what
    was sent before is to be shown now. pending: to be shown only then. truth: of a
    parameter of VRChat's, whether it was sent as true or false, which a bit has to be. turn:
    instead of a value, of what is named, one of `turns.PARTS`.
    """

    name: str
    value: float = 0.0
    pending: bool = False
    truth: bool | None = None
    turn: Turn | None = None


class State:
    """What is tracked now. tracked: folded name -> value, as `Routes.values` takes it. turns: of
    head and eyes. counts: how many packets were taken, partial, foreign or bad.
    """

    def __init__(self, routes: Routes, turning: bool = False) -> None:
        """turning: turns of head and eyes are wanted."""
        self.routes, self._turning = routes, turning
        self._wanted = routes.heard | LOOKS if turning else routes.heard
        self.tracked: dict[str, float] = {}
        self.turns: dict[str, Turn] = {}
        self.counts: Counter[str] = Counter()
        self._pending: dict[str, float] = {}
        self._bits = Bits()

    def values(self) -> dict[str, float]:
        """Key -> its value, 0 to 1."""
        return self.routes.values(with_looks(self.tracked, self.turns))

    def pose(self) -> dict[str, Turn]:
        """How bones are to be turned, as `turns.pose` says it; nothing where that is not wanted."""
        return pose(self.tracked, self.turns) if self._turning else {}

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
        if one.turn is not None:
            if not self._turning:
                return FOREIGN
            self.turns[one.name] = one.turn
            return TAKEN
        if self._known(one.name):  # so what is kept is no more than the mesh has keys
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
            (part, each) for part, each in spread(name, value) if part in self._wanted
        )

    def _known(self, name: str) -> bool:
        return any(part in self._wanted for part, _value in spread(name, 0.0))

    def _bit_of(self, one: Heard) -> tuple[str, int] | None:
        """The parameter of which it is a bit, and which bit, if that parameter moves a key."""
        bit = None if one.truth is None or self._known(one.name) else bit_of(one.name)
        return bit if bit is not None and self._known(bit[0]) else None


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
        elif message.address == _BONE:
            yield from _bone(message)
        elif message.address.startswith(PARAMETERS):
            name = _parameter(message.address)
            numbers = [value for value in message.values if isinstance(value, float | int)]
            if len(numbers) == len(message.values) == 1 and 0 < len(name) <= LONGEST_NAME:
                yield Heard(name, _number(numbers[0]), truth=isinstance(numbers[0], bool))


def _bone(message: Message) -> Iterator[Heard]:
    """The turn of head, neck or an eye, from the pose that its parent has."""
    name = message.values[0] if message.values else None
    if not isinstance(name, str) or name.casefold() not in PARTS:
        return
    numbers = [_number(value) for value in message.values[1:]]
    if len(numbers) != 7:  # the place, which is not used, and a quaternion
        raise PacketError("no pose of a bone")
    turn = of_unity(*numbers[3:])
    if turn is not None:
        yield Heard(name.casefold(), turn=turn)


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
            yield from _angles(token)
            continue
        name, mark, number = token.rpartition("&" if "&" in token else "-")
        if name.endswith("-") and mark == "-":  # less than nothing
            name, number = name[:-1], f"-{number}"
        try:
            value = float(number)
        except ValueError as error:
            raise PacketError("a shape without its number") from error
        yield Heard(_name(name), _number(value) / 100)


def _angles(token: str) -> Iterator[Heard]:
    """=head# and an eye's: degrees about ARKit's axes, which go to the face's left, up, forward;
    of the head its place, too.
    """
    name, _mark, told = token.partition("#")
    name = name.removeprefix("=").casefold()
    if name not in PARTS:
        return
    try:
        numbers = [_number(float(number)) for number in told.split(",")]
    except ValueError as error:
        raise PacketError("an angle without its number") from error
    if not 3 <= len(numbers) <= 6:
        raise PacketError("not three angles")
    down, left, away = (math.radians(number) for number in numbers[:3])
    yield Heard(name, turn=of_angles(left, down, -away))


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
