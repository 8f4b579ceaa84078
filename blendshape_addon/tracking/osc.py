# SPDX-License-Identifier: GPL-3.0-or-later
"""Open Sound Control 1.0, from the bytes of one packet: messages and bundles of them.

Strict, since anybody can send a packet: what is not exactly as the specification says is refused
whole. Nothing is waited for, started or written to a log, which is why this is not python-osc.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

MOST_BYTES = 8192  # of a packet; tracking sends one to two thousand
MOST_MESSAGES = 512
DEEPEST = 4  # bundles in bundles
_BUNDLE = b"#bundle\0"
_SIZES = {"i": 4, "f": 4, "r": 4, "c": 4, "m": 4, "h": 8, "t": 8, "d": 8}
_FORMATS = {"i": ">i", "f": ">f", "h": ">q", "d": ">d"}
_PLAIN = {"T": True, "F": False, "N": None, "I": None}

Value = float | bool | str | None


class PacketError(ValueError):
    """A packet that is not as its protocol says."""


@dataclass(frozen=True)
class Message:
    """values: numbers, texts and truths; None for what tracking has no use for."""

    address: str
    values: tuple[Value, ...]


def messages(packet: bytes) -> list[Message]:
    """The messages of a packet, in order. Raises PacketError."""
    if len(packet) > MOST_BYTES:
        raise PacketError("too large")
    found: list[Message] = []
    for message in _messages(packet, 0):
        found.append(message)
        if len(found) > MOST_MESSAGES:
            raise PacketError("too many messages")
    return found


def _messages(packet: bytes, depth: int) -> Iterator[Message]:
    if not packet or len(packet) % 4:
        raise PacketError("not in words of four bytes")
    if not packet.startswith(_BUNDLE):
        yield _message(packet)
        return
    if depth >= DEEPEST or len(packet) < 16:
        raise PacketError("a bundle that is cut, or too deep")
    place = 16  # after its name and its time
    while place < len(packet):
        size = int.from_bytes(packet[place : place + 4], "big")
        place += 4
        if not 0 < size <= len(packet) - place:
            raise PacketError("a part that is longer than its bundle")
        yield from _messages(packet[place : place + size], depth + 1)
        place += size


def _message(packet: bytes) -> Message:
    address, place = _text(packet, 0)
    if not address.startswith("/"):
        raise PacketError("no address")
    if place == len(packet):  # of senders from before there were types
        return Message(address, ())
    types, place = _text(packet, place)
    if not types.startswith(","):
        raise PacketError("no types")
    values: list[Value] = []
    for kind in types[1:]:
        value, place = _value(packet, place, kind)
        values.append(value)
    if place != len(packet):
        raise PacketError("more bytes than its types say")
    return Message(address, tuple(values))


def _value(packet: bytes, place: int, kind: str) -> tuple[Value, int]:
    if kind in _PLAIN:
        return _PLAIN[kind], place
    if kind in "sS":
        return _text(packet, place)
    size = _SIZES.get(kind, 0)
    if kind == "b":
        size = 4 + int.from_bytes(packet[place : place + 4], "big")
        size += -size % 4
    if not size or place + size > len(packet):
        raise PacketError("a value that is cut, or of no known type")
    if kind not in _FORMATS:
        return None, place + size
    return struct.unpack_from(_FORMATS[kind], packet, place)[0], place + size


def _text(packet: bytes, place: int) -> tuple[str, int]:
    end = packet.find(b"\0", place)
    after = end + 4 - end % 4
    if end < 0 or after > len(packet) or any(packet[end:after]):
        raise PacketError("a text without its end")
    try:
        return packet[place:end].decode("utf-8"), after
    except UnicodeDecodeError as error:
        raise PacketError("a text that is none") from error
