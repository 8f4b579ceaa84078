# SPDX-License-Identifier: GPL-3.0-or-later
"""Live tracking: packets that come in move the face, until it is stopped.

A socket that never waits is looked at from a timer of Blender's, without threads. It listens on
this computer alone, unless another address was asked for and Blender may go online. Nothing is ever
sent. Before a file is saved the keys are put back; the next packet moves them again.
"""

from __future__ import annotations

import contextlib
import ipaddress
import socket
import time
from typing import Any

import bpy

from ..blender_io.avatar_objects import find
from ..errors import AddonError, as_addon_error
from ..tracking.names import Routes
from ..tracking.osc import MOST_BYTES
from ..tracking.packets import BAD, TAKEN, State
from . import held, session
from .driven import Driven

LOCAL = "127.0.0.1"
TICK_SECONDS = 0.004  # between two looks at the socket
MOST_PACKETS = 128  # in one look; what more there is waits in the system, or is dropped there
MOST_SECONDS = 0.008  # for one look, so that the window stays alive
_TOLD_SECONDS = 0.5  # between two draws of the counts
_BUFFER = 1 << 18  # bytes that the system keeps for us
_SILENT_SECONDS = 3.0  # without a packet, after which the panel says so


class Receiver:
    """address, port: where it listens. values: of the keys, as they were shown last. heard_at: when
    a packet was taken last, seconds of time.monotonic, 0 for never.
    """

    def __init__(self, driven: Driven, address: str, port: int) -> None:
        self.driven, self.address, self.port = driven, address, port
        self.state = State(Routes(driven.keys), turning=driven.turning)
        self.values: dict[str, float] = {}
        self.heard_at = 0.0
        self._socket: Any = None
        self._told_at = 0.0
        self._rests = True

    def listen(self) -> None:
        """Open the port. Raises AddonError `port_unavailable`."""
        opened = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            opened.setblocking(False)
            with contextlib.suppress(OSError):
                opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER)
            opened.bind((self.address, self.port))
        except (OSError, OverflowError) as error:
            opened.close()
            raise AddonError(
                "port_unavailable",
                f"Port {self.port} of {self.address} cannot be listened to.",
                "Close the program that uses it, or choose another port in both.",
            ) from error
        self._socket = opened
        self.port = int(opened.getsockname()[1])

    def close(self) -> None:
        """Close the port."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def poll(self) -> bool:
        """Take what has come in, and show it. Returns whether the face is still there."""
        until, news = time.monotonic() + MOST_SECONDS, False
        for _ in range(MOST_PACKETS):
            packet = self._next()
            if packet is None:
                break
            if packet:
                news = self.state.take(packet) == TAKEN or news
            else:
                self.state.counts[BAD] += 1
            if time.monotonic() > until:  # only now: what was taken from the system is read
                break
        if not news and not (self._rests and self.heard_at):
            return True
        if news:
            self.heard_at = time.monotonic()
            self.values = self.state.values()
        self._rests = False
        self.driven.turn(self.state.pose())
        return self.driven.show(self.values)

    def rest(self) -> None:
        """Put the keys back until the next look."""
        self._rests = True
        self.driven.rest()

    def silent(self) -> bool:
        """Whether nothing has been heard for a while. For drawing."""
        return time.monotonic() - self.heard_at > _SILENT_SECONDS

    def to_be_told(self) -> bool:
        """Whether it is time to draw the counts again."""
        now = time.monotonic()
        if now - self._told_at < _TOLD_SECONDS:
            return False
        self._told_at = now
        return True

    def _next(self) -> bytes | None:
        """The next packet; empty for one that is too large, None where there is none."""
        try:
            packet: bytes = self._socket.recv(MOST_BYTES + 1)
        except (BlockingIOError, InterruptedError):
            return None
        except OSError:  # Windows says so of one that is larger than we read
            return b""
        return packet if len(packet) <= MOST_BYTES else b""


_receivers: list[Receiver] = []


def current() -> Receiver | None:
    """What is listening now."""
    return _receivers[0] if _receivers else None


def start(ob: bpy.types.Object, address: str, port: int, turning: bool = False) -> Receiver:
    """Move a face by what comes in. turning: bones of head and eyes, too. Raises AddonError:
    `usage`, `setting_invalid`, `port_unavailable`.
    """
    _check(address)
    held.release()
    receiver = Receiver(Driven(ob, turning), address, port)
    receiver.listen()
    held.begin(_end, moves=True)
    _receivers.append(receiver)
    bpy.app.timers.register(_tick, first_interval=0.0)
    return receiver


def stop() -> None:
    """Stop, and put everything back."""
    if _receivers:
        held.release()


def rest() -> bool:
    """Put the keys back until the next look, for a file that is saved or an undo. Returns whether
    something was listening.
    """
    receiver = current()
    if receiver is not None:
        receiver.rest()
    return receiver is not None


def _check(address: str) -> None:
    """Raises AddonError unless the address is this computer's own, or the user lets Blender go
    online.
    """
    try:
        found = ipaddress.IPv4Address(address)
    except ValueError as error:
        raise AddonError(
            "setting_invalid",
            f"{address!r} is no address.",
            f"Type four numbers, such as {LOCAL}.",
        ) from error
    if not found.is_loopback and not bpy.app.online_access:
        raise AddonError(
            "setting_invalid",
            f"{address} can be reached by other computers, and Blender is offline.",
            "Allow Online Access in Blender's preferences, or listen to 127.0.0.1.",
        )


def _end() -> None:
    """The show ends; `held` puts the keys back."""
    while _receivers:
        _receivers.pop().close()
    if bpy.app.timers.is_registered(_tick):
        bpy.app.timers.unregister(_tick)


def _tick() -> float | None:
    receiver = current()
    if receiver is None:
        return None
    try:
        _check(receiver.address)  # the user may have taken Blender offline meanwhile
        there = receiver.poll()
    except Exception as problem:  # whatever it was, the face is given back
        error, there = as_addon_error(problem), False
        session.status.end(find(receiver.driven.identity), str(error), error)
    if not there:
        stop()
        session.redraw(bpy.context)
        return None
    if receiver.to_be_told():
        session.redraw(bpy.context)
    return TICK_SECONDS
