# SPDX-License-Identifier: GPL-3.0-or-later
"""The child process: frames on stdin and stdout, a thread that reads, and the main thread that works.

The reader answers nothing itself, so that a cancel is seen at once whatever the worker and the pipe are doing. The end of stdin ends the
process, also during a run: that is how it learns that its parent has died.
"""

from __future__ import annotations

import os
import platform
import queue
import signal
import sys
import threading
import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO

from . import VERSION
from .errors import BackendError, as_backend_error
from .protocol import PROTOCOL, Array, Message, ProtocolError, read_message, write_message

if TYPE_CHECKING:
    from .engine.sessions import Cancellation
    from .handlers import Handlers

MAX_WAITING = 16  # requests that may be open
MAX_QUEUED = 64  # with the errors of frames that were no requests; a parent that sends more is out of its mind or does not read


def claim_pipe() -> tuple[BinaryIO, BinaryIO]:
    """Binary stdin and stdout for frames only; whatever prints, native libraries included, goes to stderr from here on."""
    if sys.platform == "win32":
        import msvcrt

        for descriptor in (0, 1):
            msvcrt.setmode(descriptor, os.O_BINARY)
    frames = os.dup(1)
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    if sys.platform == "win32":
        msvcrt.setmode(frames, os.O_BINARY)
    return os.fdopen(0, "rb", buffering=0, closefd=False), os.fdopen(frames, "wb", buffering=0)


class Answers:
    """Writes answers; a parent that is gone ends the process."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream

    def send(self, header: Mapping[str, Any], arrays: Mapping[str, Array] | None = None) -> None:
        """Write one frame."""
        try:
            write_message(self._stream, header, arrays)
        except OSError:
            os._exit(0)

    def error(self, request: object, error: BackendError) -> None:
        """Write an `error` for a request; `request` is None where no id is known."""
        self.send({"type": "error", "id": request, "code": error.code, "message": error.message, "fix": error.fix})


@dataclass
class Request:
    """One entry of the queue: a message, or the error that is to be its answer. id: None where the sender gave no usable one."""

    id: int | None
    content: Message | BackendError
    cancellation: Cancellation


class Requests:
    """Requests that wait or run, each with its Cancellation; filled by the reader, emptied by the worker."""

    def __init__(self, cancellation: type[Cancellation]) -> None:
        self._new = cancellation
        self._queue: queue.Queue[Request] = queue.Queue(MAX_QUEUED)
        self._open: dict[int, Cancellation] = {}
        self._lock = threading.Lock()

    def put(self, content: Message | BackendError) -> None:
        """Queue a request, or the error of a frame that was none. Raises queue.Full after MAX_QUEUED."""
        request = Request(None, content, self._new())
        if isinstance(content, Message):
            with self._lock:
                self._admit(request, content)
        self._queue.put_nowait(request)

    def _admit(self, request: Request, message: Message) -> None:
        """Give the request its id and open it, or replace its content by the reason why not."""
        number = message.header.get("id")
        if type(number) is not int:
            request.content = BackendError("protocol", "A request must have an integer id.", "Number the requests.")
        elif number in self._open:
            request.content = BackendError("protocol", f"A request with the id {number} is still open.", "Use a new id for every request.")
        elif len(self._open) >= MAX_WAITING:
            request.id = number
            request.content = BackendError(
                "protocol", f"More than {MAX_WAITING} requests are waiting.", "Read answers before sending more."
            )
        else:
            request.id = number
            self._open[number] = request.cancellation

    def get(self) -> Request:
        """The next request; waits for one."""
        return self._queue.get()

    def close(self, request: Request) -> None:
        """The request is about to have its last answer."""
        with self._lock:
            if request.id is not None and self._open.get(request.id) is request.cancellation:
                del self._open[request.id]

    def cancel(self, number: object) -> None:
        """Cancel a request that waits or runs; others are let be, since an answer may have crossed the cancel on its way."""
        with self._lock:
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
        print(f"the pipe cannot be read any further: {error or 'too many requests'}", file=sys.stderr, flush=True)
        os._exit(3)
    except BaseException:  # without a reader the process would wait for ever
        traceback.print_exc()
        os._exit(3)


def serve() -> int:
    """Say hello, then answer requests until `shutdown` or the end of stdin. Returns the exit code."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C in Blender's terminal reaches its children too; the parent decides
    stdin, stdout = claim_pipe()
    answers = Answers(stdout)
    try:
        from .engine.sessions import Cancellation
        from .handlers import Handlers

        handlers = Handlers()
        answers.send(_hello(handlers))
    except Exception as error:
        traceback.print_exc()
        answers.error(None, as_backend_error(error))
        return 2
    requests = Requests(Cancellation)
    threading.Thread(target=read_requests, args=(stdin, requests), name="reader", daemon=True).start()
    while True:
        request = requests.get()
        if isinstance(request.content, Message) and request.content.header["type"] == "shutdown":
            answers.send({"type": "done", "id": request.id, "report": {"requests": handlers.requests}})
            return 0
        failed = _answer(handlers, request, answers)
        requests.close(request)
        if failed is not None:
            answers.error(request.id, failed)
        del request, failed  # arrays may be large, also those that a traceback holds, and the next request far away


def _answer(handlers: Handlers, request: Request, answers: Answers) -> BackendError | None:
    """Work on one request; the error that is to be its answer, or None."""
    if isinstance(request.content, BackendError):
        return request.content
    try:
        request.cancellation.check()
        handlers.handle(request.content, lambda header, arrays: answers.send({**header, "id": request.id}, arrays), request.cancellation)
    except BackendError as error:
        return error
    except Exception as error:
        traceback.print_exc()
        return as_backend_error(error)
    return None


def versions() -> dict[str, str]:
    """Version of the backend, of Python and of each package it uses."""
    import numpy
    import psutil

    from .engine.sessions import runtime_version

    return {
        "backend": VERSION,
        "python": platform.python_version(),
        "numpy": numpy.__version__,
        "onnxruntime": runtime_version(),
        "psutil": psutil.__version__,
    }


def _hello(handlers: Handlers) -> dict[str, Any]:
    from .engine.sessions import available_providers

    return {
        "type": "hello",
        "protocol": PROTOCOL,
        "versions": versions(),
        "providers": available_providers(),
        "sets": {name: len(shape_set.shapes) for name, shape_set in handlers.sets.items()},
        "pid": os.getpid(),
    }
