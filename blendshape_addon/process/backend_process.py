# SPDX-License-Identifier: GPL-3.0-or-later
"""The child process that computes: started when first needed, reused, asked without blocking, and
ended for certain.

No bpy and no threads: `poll` returns at once, so that a timer can call it; `wait` blocks for
background mode. The child ends by itself when its stdin closes, which the system does when Blender
dies.
"""

from __future__ import annotations

import contextlib
import time
from collections import deque
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ..errors import AddonError
from ..shared import BackendError, seconds_for
from ..shared_protocol import PROTOCOL, Array, FrameReader, Message, frame
from . import pipe
from .child import Child, start_child, tail_of
from .exits import error_of, explain_exit
from .launch import Launch
from .limits import (
    CANCEL_SECONDS,
    SILENCE_SECONDS,
    StoppedError,
    not_given_up,
    unfinished,
)
from .open_requests import OpenRequests

HELLO_SECONDS = 60.0  # a cold disk and a virus scanner can take their time over the first import
# after the first, second, ... crash in a row, the last for all further ones
BACKOFF_SECONDS = (0.0, 0.0, 5.0, 15.0, 60.0)
STABLE_SECONDS = 10.0  # a child that lived so long and answered ends the row
# after asking, terminating, killing: so long may quitting and Stop hold Blender up, with a child
# that hangs
LADDER_SECONDS = (1.0, 0.3, 1.0)


class Backend:
    """The one child of a Blender. `launch` is called at every start, so that changed settings take
    effect after `stop`.
    """

    def __init__(self, launch: Callable[[], Launch]) -> None:
        self._launch = launch
        self._child: Child | None = None
        self._reader = FrameReader()
        # pieces of frames: taking from one large buffer would move it, 0.1 s for 100 MB
        self._outbox: deque[memoryview] = deque()
        self._last_id = 0
        self._open = OpenRequests()
        self._ended = 0.0
        self._not_before, self._crashes = 0.0, 0
        self._log: Path | None = None
        self._pending: AddonError | None = None
        self.hello: dict[str, Any] | None = None

    @property
    def running(self) -> bool:
        """True if there is a child."""
        return self._child is not None

    @property
    def pid(self) -> int | None:
        """Process id of the child, or None."""
        return self._child.process.pid if self._child else None

    @property
    def log(self) -> Path | None:
        """The file with the child's stderr, or None before the first start."""
        return self._log

    def start(self, patient: bool = False) -> None:
        """Start the child unless it runs; one that has died since it was last needed is replaced.

        Soon after several crashes in a row a patient caller sleeps; for others AddonError
        `child_died` is raised.

        Also raises AddonError `child_start` if the program cannot be run.
        """
        if self.reap():
            return
        delay = self._not_before - time.monotonic()
        if delay > 0 and not patient:
            message = (
                f"The backend has just ended by itself; it can be started again in {delay:.0f} s."
            )
            raise AddonError(
                "child_died", message, "Wait a moment and try again; the log tells why it ended."
            )
        time.sleep(max(delay, 0.0))
        launch = self._launch()
        self._log = launch.log
        self._child = start_child(launch)
        self._reader, self._outbox, self._pending, self.hello = FrameReader(), deque(), None, None
        self._open.clear()
        self._ended = 0.0

    def reap(self) -> bool:
        """Take leave of a child that died while nobody waited for it: no need to trouble anybody
        with that. True if there is one still.
        """
        if (
            self._child is not None
            and not self._open.waiting()
            and self._child.process.poll() is not None
        ):
            self._abandon()
        return self._child is not None

    def send(
        self,
        type_: str,
        fields: Mapping[str, Any],
        arrays: Mapping[str, Array] | None = None,
        seconds: float | None = None,
    ) -> int:
        """Queue a request to the running child; its id. It leaves with this and the next calls of
        `poll`; until then its arrays must not change.

        seconds: that it may take; None: what suits its vertices.
        """
        self._last_id += 1
        arrays = arrays or {}
        self._outbox.extend(frame({**fields, "type": type_, "id": self._last_id}, arrays))
        vertices = len(arrays["vertices"]) if "vertices" in arrays else 0
        limit = seconds_for(vertices) if seconds is None else seconds
        self._open.add(self._last_id, str(fields.get("model") or ""), vertices, limit)
        return self._last_id

    def allow(self, seconds: float | None) -> None:
        """From now on all requests together may take so many seconds; None: each may take what
        suits its vertices.
        """
        self._open.allow(seconds)

    def cancel(self, request: int) -> None:
        """Ask the child to give up a request; that ends with the error `cancelled`. A child that
        does not answer is killed after CANCEL_SECONDS: by `poll`, or by `see_off` where nobody
        polls any more.
        """
        if self._child is not None and self._open.cancel(request, CANCEL_SECONDS):
            self._outbox.extend(frame({"type": "cancel", "target": request}))

    def see_off(self) -> bool:
        """Follow up on what was cancelled, and take no messages from those who wait for something
        else; True as long as there is more to do.
        """
        if self._open and not self._open.waiting():
            with contextlib.suppress(AddonError):  # nobody is left whom it concerns
                self.poll()
        return self._child is not None and any(one.cancelled for one in self._open)

    def poll(self, budget: float = 0.02) -> list[Message]:
        """Write what is queued and return the messages that are complete, without waiting for more
        than `budget` seconds inside a frame.

        Raises AddonError: `child_died`, `child_timeout` (no greeting, or no end with the
        extension's own model), `model_stuck`, `protocol`, or what a child that cannot work says
        about itself. In all cases the child is gone.
        """
        if self._pending is not None:
            error, self._pending = self._pending, None
            raise error
        child = self._child
        if child is None:
            return []
        end = time.monotonic() + budget
        messages: list[Message] = []
        try:
            while True:
                self._flush(child, end)
                ended = not self._receive(child, messages, end)
                busy = self._reader.inside or (self._outbox and self.hello is not None)
                if ended or not busy or time.monotonic() >= end:
                    break
                pipe.wait_readable(child.stdout, min(0.002, max(end - time.monotonic(), 0.0)))
            if ended:
                self._raise_death(child)
            messages += self._check(child)
        except AddonError as error:
            self._abandon(crashed=not isinstance(error, StoppedError))
            if not messages:
                raise
            self._pending = error  # first hand over what arrived before
        return messages

    def wait(self, seconds: float) -> list[Message]:
        """Like `poll`, but waits up to `seconds` for the first message."""
        end = time.monotonic() + seconds
        while True:
            messages = self.poll()
            left = end - time.monotonic()
            if messages or left <= 0 or self._child is None:
                return messages
            pipe.wait_readable(self._child.stdout, min(left, 0.05))

    def fail(self, error: AddonError) -> AddonError:
        """Kill a child that does not behave, as if it had crashed; the error, to be raised."""
        self._abandon()
        return error

    def stop(self) -> None:
        """End the child: ask, wait, terminate, wait, kill. Safe to call at any time and more than
        once.
        """
        child, self._child = self._child, None
        self._pending, self._not_before, self._crashes = None, 0.0, 0
        if child is None:
            return
        with contextlib.suppress(OSError):  # it may be gone already, which is what is wanted
            if self.hello is not None and not self._outbox:
                self._last_id += 1
                pipe.write_some(child.stdin, *frame({"type": "shutdown", "id": self._last_id}))
            child.stdin.close()
        child.end(LADDER_SECONDS)
        self.hello = None
        if child.process.returncode == 0 and not self.log_tail():
            child.log.unlink(missing_ok=True)

    def _flush(self, child: Child, end: float) -> None:
        """Write as much as the pipe takes until `end`; nothing before the greeting, when the child
        does not read yet.
        """
        try:
            while self._outbox and self.hello is not None:
                count = pipe.write_some(child.stdin, self._outbox[0])
                self._outbox[0] = self._outbox[0][count:]
                if not self._outbox[0]:
                    self._outbox.popleft()
                if count == 0 or time.monotonic() >= end:
                    return
        except BrokenPipeError:
            self._outbox.clear()  # the end of its stdout tells the rest

    def _receive(self, child: Child, messages: list[Message], end: float) -> bool:
        """Read what is there into `messages`, and stop soon after `end`; False at the end of the
        stream.
        """
        while True:
            data = pipe.read_available(child.stdout)
            if not data:
                return data is not None
            try:
                arrived = self._reader.feed(data)
            except BackendError as error:
                what = f"The backend's answer cannot be read. {error.message}"
                raise AddonError(
                    "protocol", what, "Reinstall the extension; the log tells more."
                ) from error
            for message in arrived:
                if self.hello is None:
                    self._greet(message)
                elif message.header["type"] == "error" and message.header.get("id") is None:
                    raise error_of(message)
                else:
                    messages.append(message)
                    self._open.heard(message.header)
            if time.monotonic() >= end:
                return True

    def _greet(self, message: Message) -> None:
        if message.header["type"] == "error":
            raise error_of(message)
        if message.header["type"] != "hello" or message.header.get("protocol") != PROTOCOL:
            spoken = message.header.get("protocol")
            raise AddonError(
                "protocol",
                f"The backend speaks protocol {spoken}, the add-on {PROTOCOL}.",
                "Reinstall the extension.",
            )
        self.hello = message.header
        self._open.begin()

    def _check(self, child: Child) -> list[Message]:
        """Raise AddonError for a child that is silent from the start, floods its log or does not
        end a request; kill one that does not give up what was cancelled, and give the answers that
        it owes.
        """
        if self.hello is None and child.patience.waited() > HELLO_SECONDS:
            message = f"The backend did not answer within {HELLO_SECONDS:.0f} s."
            raise AddonError(
                "child_timeout",
                message,
                "Look whether a virus scanner holds it up; the log tells more.",
            )
        child.check_log()
        self._open.check_budget(greeted=self.hello is not None)
        waiting = self._open.waiting()
        for one in self._open:
            greeted = self.hello is not None
            seconds = one.overdue(SILENCE_SECONDS) if greeted or not waiting else 0.0
            if seconds and not one.cancelled:
                raise unfinished(one.model, one.vertices, seconds)
            if seconds and waiting:
                raise not_given_up(one.model)
            if seconds:
                owed = self._open.owed()  # all of them cancelled, since nobody waits
                self._abandon(crashed=False)
                return owed
        return []

    def _raise_death(self, child: Child) -> None:
        """Raise AddonError for a child whose stream has ended, as soon as its exit code is known:
        that may be some ticks later.
        """
        now = time.monotonic()
        self._ended = self._ended or now
        code = child.process.poll()
        if code is not None:
            raise explain_exit(code, self.log_tail(), greeted=self.hello is not None)
        if now - self._ended > LADDER_SECONDS[0]:
            raise AddonError(
                "child_died",
                "The backend closed its pipe but went on running.",
                "Try again; it is started anew.",
            )

    def log_tail(self) -> str:
        """The last lines that the child wrote to stderr, at most 4 KiB; empty if there are none."""
        return tail_of(self._log)

    def _abandon(self, crashed: bool = True) -> None:
        """Kill what is left of the child; after a crash remember when the next may be started."""
        child, self._child = self._child, None
        if child is None:
            return
        if crashed:
            stable = self.hello is not None and time.monotonic() - child.started >= STABLE_SECONDS
            self._crashes = 1 if stable else self._crashes + 1
            self._not_before = (
                time.monotonic() + BACKOFF_SECONDS[min(self._crashes, len(BACKOFF_SECONDS)) - 1]
            )
        child.kill(LADDER_SECONDS[2])
        self._outbox.clear()
        self._open.clear()
        self.hello = None
