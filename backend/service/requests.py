# SPDX-License-Identifier: GPL-3.0-or-later
"""The queue of requests, and the thread that reads them from the pipe."""

from __future__ import annotations

import logging
import os
import queue
import threading
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

from ..errors import BackendError
from ..protocol import Message, ProtocolError, read_message

if TYPE_CHECKING:
    from ..inference.cancellation import Cancellation

log = logging.getLogger(__name__)

MAX_WAITING = 16  # requests that may be open
SHAPES = 67  # the two sets of most requests, for an estimate of what a request needs
# with the errors of frames that were no requests; a parent that sends more is out of its mind or
# does not read
MAX_QUEUED = 64


@dataclass
class Request:
    """One entry of the queue: a message, or the error that is to be its answer. id: None where the
    sender gave no usable one.
    """

    id: int | None
    content: Message | BackendError
    cancellation: Cancellation

    @property
    def needs_mb(self) -> float:
        """Roughly the memory that it will take: its arrays, and the offsets of its shapes three
        times over; 0 for one without a mesh.
        """
        if not isinstance(self.content, Message) or "vertices" not in self.content.arrays:
            return 0.0
        return (
            float(
                sum(array.nbytes for array in self.content.arrays.values())
                + self.content.arrays["vertices"].nbytes * SHAPES * 3
            )
            / 2**20
        )


class Requests:
    """Requests that wait or run, each with its Cancellation; filled by the reader, emptied by the
    workers.

    memory_mb: what the meshes that are worked on together may need; a single one may need more.
    """

    def __init__(self, cancellation: type[Cancellation], memory_mb: float = 1024.0) -> None:
        self._new, self._memory = cancellation, memory_mb
        self._queue: deque[Request] = deque()
        self._running: list[Request] = []
        self._open: dict[int, Cancellation] = {}
        self._changed = threading.Condition()
        self.ended = threading.Event()

    def put(self, content: Message | BackendError) -> None:
        """Queue a request, or the error of a frame that was none. Raises queue.Full after
        MAX_QUEUED.
        """
        request = Request(None, content, self._new())
        with self._changed:
            if len(self._queue) >= MAX_QUEUED:
                raise queue.Full
            if isinstance(content, Message):
                self._admit(request, content)
            self._queue.append(request)
            self._changed.notify()

    def _admit(self, request: Request, message: Message) -> None:
        """Give the request its id and open it, or replace its content by the reason why not."""
        number = message.header.get("id")
        if type(number) is not int:
            request.content = BackendError(
                "protocol", "A request must have an integer id.", "Number the requests."
            )
        elif number in self._open:
            request.content = BackendError(
                "protocol",
                f"A request with the id {number} is still open.",
                "Use a new id for every request.",
            )
        elif len(self._open) >= MAX_WAITING:
            request.id = number
            request.content = BackendError(
                "protocol",
                f"More than {MAX_WAITING} requests are waiting.",
                "Read answers before sending more.",
            )
        else:
            request.id = number
            self._open[number] = request.cancellation

    def get(self) -> Request:
        """The next request; waits for one that there is memory for. Those without a mesh may go
        before one that waits for memory.
        """
        with self._changed:
            while True:
                busy = sum(request.needs_mb for request in self._running)
                for request in self._queue:
                    if not request.needs_mb or not busy or busy + request.needs_mb <= self._memory:
                        self._queue.remove(request)
                        self._running.append(request)
                        return request
                    busy = self._memory  # later ones with a mesh do not overtake
                self._changed.wait()

    def close(self, request: Request) -> None:
        """The request is about to have its last answer."""
        with self._changed:
            self._running.remove(request)
            if request.id is not None and self._open.get(request.id) is request.cancellation:
                del self._open[request.id]
            self._changed.notify_all()

    def wait_for_others(self, request: Request) -> None:
        """Return when no other request is worked on."""
        with self._changed:
            self._changed.wait_for(lambda: self._running == [request])

    def cancel(self, number: object) -> None:
        """Cancel a request that waits or runs; others are let be, since an answer may have crossed
        the cancel on its way.
        """
        with self._changed:
            cancellation = self._open.get(number) if isinstance(number, int) else None
        if cancellation is not None:
            cancellation.set()


def read_requests(stream: BinaryIO, requests: Requests) -> None:
    """Read frames until the stream ends, then end the process."""
    try:
        while True:
            try:
                message = read_message(stream)
            except ProtocolError as error:
                if not error.in_step:
                    raise
                requests.put(error)
                continue
            if message is None:
                os._exit(0)
            if message.header["type"] == "cancel":
                requests.cancel(message.header.get("target"))
            else:
                requests.put(message)
    except (ProtocolError, queue.Full) as error:
        log.error("the pipe cannot be read any further: %s", error or "too many requests")
        os._exit(3)
    except BaseException:  # without a reader the process would wait for ever
        log.exception("the thread that reads the pipe failed")
        os._exit(3)
