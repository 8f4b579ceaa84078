# SPDX-License-Identifier: GPL-3.0-or-later
"""Talking to a child from Python: a blocking client for scripts, the benchmark and tests;
async_client.py has one for asyncio.

Both start `python -m backend serve`, number the requests, and give each request's answers back in
the order in which they came. Several requests may be in flight; the child works on them together
and each can be cancelled by its number.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO, cast

from backend.errors import BackendError
from backend.protocol import Array, Message, read_message, write_message
from backend.service.supervise import KILL_SECONDS

PACKAGE = Path(__file__).resolve().parents[2] / "backend"
LAST = ("done", "error")
HELLO_SECONDS = 60.0  # a cold disk and a virus scanner can take their time over the first import


def command(
    python: str = sys.executable, preferences: Mapping[str, Any] | None = None
) -> list[str]:
    """The command line that starts a child; its working folder must be the one that holds the
    package.
    """
    return [
        python,
        "-m",
        PACKAGE.name,
        "serve",
        "--preferences",
        json.dumps(dict(preferences or {})),
    ]


class Client:
    """A child and a thread that sorts its answers by request; use as a context manager. Calls may
    come from several threads.

    The child gets the whole environment of the program that uses this, and `environment` on top:
    that program decides. Raises BackendError: what the child says about itself instead of hello,
    and `internal` when it ends.
    """

    def __init__(
        self,
        python: str = sys.executable,
        preferences: Mapping[str, Any] | None = None,
        environment: Mapping[str, str] | None = None,
        stderr: int | None = None,
        *,
        program: Sequence[str] | None = None,
        lifetime: float | None = None,
    ) -> None:
        """Start the child and wait for its greeting.

        Args:
            python: The interpreter.
            preferences: Settings that go before the environment.
            environment: What is added to this process's environment.
            stderr: As subprocess's.
            program: What the interpreter is given instead of `-m backend serve`.
            lifetime: Seconds after which the child is killed, whatever it does.
        """
        self.process = subprocess.Popen(
            command(python, preferences) if program is None else [python, *program],
            cwd=PACKAGE.parent,
            env={**os.environ, **(environment or {})},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=stderr,
        )
        self._stdin, self._stdout = (
            cast(BinaryIO, self.process.stdin),
            cast(BinaryIO, self.process.stdout),
        )
        self._sending, self._changed = threading.Lock(), threading.Condition()
        self._lifetime = threading.Timer(lifetime or 0.0, self.process.kill)
        if lifetime is not None:
            self._lifetime.start()
        self._answers: dict[int, list[Message]] = {}
        self._unasked: list[Message] = []
        self._last_id, self._ended = 0, False
        try:
            with _ended_after(HELLO_SECONDS, self.process):
                first = read_message(self._stdout)
            if first is None:
                raise self._gone()
            if first.header["type"] == "error":
                raise error_of(first)
        except BaseException:
            self.close()
            raise
        self.hello = first.header
        threading.Thread(target=self._sort, name="answers", daemon=True).start()

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def send(
        self,
        type_: str,
        fields: Mapping[str, Any] | None = None,
        arrays: Mapping[str, Array] | None = None,
    ) -> int:
        """Send a request; its number."""
        with self._changed:
            self._last_id += 1
            number = self._last_id
            self._answers[number] = []
        self._write({**(fields or {}), "type": type_, "id": number}, arrays)
        return number

    def cancel(self, number: int) -> None:
        """Ask the child to give a request up; that one ends with the error `cancelled`."""
        self._write({"type": "cancel", "target": number}, None)

    def send_bytes(self, data: bytes) -> None:
        """Send anything, a frame or none."""
        with self._sending:
            self._stdin.write(data)
            self._stdin.flush()

    def unasked(self, seconds: float = 60.0) -> Message:
        """The next message that answers no request: errors of frames that could not be read.

        Raises:
            BackendError: `child_timeout` where none comes, `internal` where the child ends.
        """
        with self._changed:
            if not self._changed.wait_for(lambda: self._unasked or self._ended, seconds):
                raise BackendError("child_timeout", "The child said nothing.", "")
            if not self._unasked:
                raise self._gone()
            return self._unasked.pop(0)

    def answers(self, number: int, seconds: float | None = None) -> Iterator[Message]:
        """A request's answers up to `done`, see `messages`.

        Raises:
            BackendError: The error that the request ended with, or as `messages`.
        """
        for message in self.messages(number, seconds):
            if message.header["type"] == "error":
                raise error_of(message)
            yield message

    def messages(self, number: int, seconds: float | None = None) -> Iterator[Message]:
        """A request's answers, the last of them `done` or `error`.

        Args:
            number: The request's, from `send`.
            seconds: After which the child is killed, and with it all other requests; None waits for
                ever.

        Raises:
            BackendError: `child_timeout` where the request did not end, `internal` where the child
                did.
        """
        end = None if seconds is None else time.monotonic() + seconds
        while True:
            with self._changed:
                left = None if end is None else max(end - time.monotonic(), 0.0)
                if not self._changed.wait_for(lambda: self._answers[number] or self._ended, left):
                    self._kill()
                    raise BackendError(
                        "child_timeout",
                        f"The child did not finish within {seconds:g} s and was ended.",
                        "Start another.",
                    )
                if not self._answers[number]:
                    raise self._gone()
                message = self._answers[number].pop(0)
                if message.header["type"] in LAST:
                    del self._answers[number]
            yield message
            if message.header["type"] in LAST:
                return

    def ask(
        self,
        type_: str,
        fields: Mapping[str, Any] | None = None,
        arrays: Mapping[str, Array] | None = None,
        seconds: float | None = None,
    ) -> list[Message]:
        """Send a request and wait for all its answers, see `answers`."""
        return list(self.answers(self.send(type_, fields, arrays), seconds))

    def report(
        self,
        type_: str,
        fields: Mapping[str, Any] | None = None,
        arrays: Mapping[str, Array] | None = None,
        seconds: float | None = None,
    ) -> dict[str, Any]:
        """Send a request and wait for its report, see `answers`."""
        found: dict[str, Any] = self.ask(type_, fields, arrays, seconds)[-1].header["report"]
        return found

    def close(self) -> None:
        """End the child: it ends by itself when its stdin closes, and is killed if not."""
        self._lifetime.cancel()
        with contextlib.suppress(OSError):
            self._stdin.close()
        try:
            self.process.wait(3)
        except subprocess.TimeoutExpired:
            self._kill()
        with self._changed:
            if not self._ended and not hasattr(self, "hello"):
                self._stdout.close()

    def _kill(self) -> None:
        """End the child now; the system forgets it only after somebody asked how it ended."""
        self.process.kill()
        with contextlib.suppress(
            subprocess.TimeoutExpired
        ):  # it hangs in the system, on a disk that is gone for instance
            self.process.wait(KILL_SECONDS)

    def _write(self, header: Mapping[str, Any], arrays: Mapping[str, Array] | None) -> None:
        try:
            with self._sending:
                write_message(self._stdin, header, arrays)
        except OSError as error:
            raise self._gone() from error

    def _sort(self) -> None:
        """Read until the child ends."""
        try:
            with contextlib.suppress(BackendError, OSError, ValueError):
                while (message := read_message(self._stdout)) is not None:
                    with self._changed:
                        waiting = self._answers.get(message.header.get("id") or 0)
                        (self._unasked if waiting is None else waiting).append(message)
                        self._changed.notify_all()
        finally:
            with self._changed:
                self._ended = True
                self._changed.notify_all()
            self._stdout.close()

    def _gone(self) -> BackendError:
        return gone(self.process.poll())


@contextlib.contextmanager
def _ended_after(seconds: float, process: subprocess.Popen[bytes]) -> Iterator[None]:
    """Kill a process that takes more seconds over what is inside."""
    timer = threading.Timer(seconds, process.kill)
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def error_of(message: Message) -> BackendError:
    """The error that an `error` message holds."""
    header = message.header
    return BackendError(str(header["code"]), str(header["message"]), str(header["fix"]))


def gone(code: int | None) -> BackendError:
    """The error of a child that has ended."""
    return BackendError(
        "internal", f"The child ended with exit code {code}.", "Look at what it printed to stderr."
    )
