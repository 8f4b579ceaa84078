# SPDX-License-Identifier: GPL-3.0-or-later
"""Talking to a child from asyncio, see client.py."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator, Mapping
from typing import Any, cast

from backend.errors import BackendError
from backend.protocol import Array, FrameReader, Message, frame
from scripts.tools import client
from scripts.tools.client import PACKAGE, error_of, gone

AT_ONCE = 1 << 20  # bytes that are read from the pipe at once


class AsyncClient:
    """The same for asyncio: `async with AsyncClient() as client: async for message in
    client.answers(client.send(...))`.
    """

    def __init__(
        self, python: str = sys.executable, preferences: Mapping[str, Any] | None = None
    ) -> None:
        self._command = client.command(python, preferences)
        self._answers: dict[int, asyncio.Queue[Message | None]] = {}
        self._last_id = 0
        self._ended = False
        self.hello: dict[str, Any] = {}

    async def __aenter__(self) -> AsyncClient:
        self.process = await asyncio.create_subprocess_exec(
            *self._command,
            cwd=PACKAGE.parent,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            limit=AT_ONCE,
        )
        self._arriving = self._messages()
        try:
            first = await asyncio.wait_for(anext(self._arriving, None), client.HELLO_SECONDS)
        except TimeoutError:
            self.process.kill()
            first = None
        if first is None or first.header["type"] == "error":
            error = gone(await self.process.wait()) if first is None else error_of(first)
            raise error
        self.hello = first.header
        self._sorting = asyncio.create_task(self._sort())
        return self

    async def __aexit__(self, *_: object) -> None:
        cast(asyncio.StreamWriter, self.process.stdin).close()
        try:
            await asyncio.wait_for(self.process.wait(), 3)
        except TimeoutError:
            self.process.kill()
            await self.process.wait()
        await self._sorting

    async def send(
        self,
        type_: str,
        fields: Mapping[str, Any] | None = None,
        arrays: Mapping[str, Array] | None = None,
    ) -> int:
        """Send a request, waiting while the pipe is full; its number."""
        self._last_id += 1
        number = self._last_id
        self._answers[number] = asyncio.Queue()
        await self._write({**(fields or {}), "type": type_, "id": number}, arrays)
        return number

    async def cancel(self, number: int) -> None:
        """Ask the child to give a request up; that one ends with the error `cancelled`."""
        await self._write({"type": "cancel", "target": number}, None)

    async def answers(self, number: int) -> AsyncIterator[Message]:
        """A request's answers up to `done`. Raises BackendError where the request ended with an
        error.
        """
        try:
            while True:
                message = (
                    None
                    if self._ended and self._answers[number].empty()
                    else await self._answers[number].get()
                )
                if message is None:
                    raise gone(self.process.returncode)
                if message.header["type"] == "error":
                    raise error_of(message)
                yield message
                if message.header["type"] == "done":
                    return
        finally:
            self._answers.pop(number, None)

    async def ask(
        self,
        type_: str,
        fields: Mapping[str, Any] | None = None,
        arrays: Mapping[str, Array] | None = None,
    ) -> list[Message]:
        """Send a request and wait for all its answers; when the waiting task is cancelled, so is
        the request.
        """
        number = await self.send(type_, fields, arrays)
        try:
            return [message async for message in self.answers(number)]
        except asyncio.CancelledError:
            await self.cancel(number)
            raise

    async def _write(self, header: Mapping[str, Any], arrays: Mapping[str, Array] | None) -> None:
        stdin = cast(asyncio.StreamWriter, self.process.stdin)
        try:
            stdin.writelines(frame(header, arrays))
            await stdin.drain()
        except (ConnectionError, RuntimeError) as error:
            raise gone(self.process.returncode) from error

    async def _messages(self) -> AsyncIterator[Message]:
        """All frames up to the end of the child, or up to what is none."""
        stdout, reader = cast(asyncio.StreamReader, self.process.stdout), FrameReader()
        with contextlib.suppress(BackendError):
            while data := await stdout.read(AT_ONCE):
                for message in reader.feed(data):
                    yield message

    async def _sort(self) -> None:
        """Read until the child ends."""
        try:
            async for message in self._arriving:
                waiting = self._answers.get(message.header.get("id") or 0)
                if waiting is not None:
                    waiting.put_nowait(message)
        finally:
            self._ended = True
            for waiting in self._answers.values():
                waiting.put_nowait(None)
