# SPDX-License-Identifier: GPL-3.0-or-later
"""The child process: frames on stdin and stdout, a thread that reads, and some that work.

Requests start in the order in which they came, a few at a time; their runs take turns, so that a
large head does not hold up a small one. The reader answers nothing itself, so that a cancel is seen
at once whatever the worker and the pipe are doing. The end of stdin ends the process, also during a
run; parent.py sees to that before there is a reader, and where the end of stdin is not told.
"""

from __future__ import annotations

import contextlib
import logging
import os
import platform
import signal
import sys
import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, BinaryIO

from .. import VERSION, limits
from ..errors import BackendError, as_backend_error
from ..protocol import PROTOCOL, Array, Message, write_message
from . import stdio
from .requests import Request, Requests, read_requests

if TYPE_CHECKING:
    from .handlers import Handlers

log = logging.getLogger(__name__)

IDLE_LOOK_S = 5.0  # how often models that nobody uses are looked for
MOST_MEMORY = 0.75  # of the machine's


class Answers:
    """Writes answers; a parent that is gone ends the process."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._lock = threading.Lock()

    def send(self, header: Mapping[str, Any], arrays: Mapping[str, Array] | None = None) -> None:
        """Write one frame; frames of several requests do not mix."""
        try:
            with self._lock:
                write_message(self._stream, header, arrays)
        except OSError:
            os._exit(0)

    def error(self, request: object, error: BackendError) -> None:
        """Write an `error` for a request; `request` is None where no id is known."""
        self.send(
            {
                "type": "error",
                "id": request,
                "code": error.code,
                "message": error.message,
                "fix": error.fix,
            }
        )


def serve(
    preferences: Mapping[str, Any] | None = None, pipe: tuple[BinaryIO, BinaryIO] | None = None
) -> int:
    """Say hello, then answer requests until `shutdown` or the end of stdin. Returns the exit code.

    preferences: settings. pipe: streams for requests and answers; stdin and stdout if None.
    """
    signal.signal(
        signal.SIGINT, signal.SIG_IGN
    )  # Ctrl-C in Blender's terminal reaches its children too; the parent decides
    stdin, stdout = pipe or stdio.claim()
    _give_memory_back()
    bound_memory()
    limits.watch_memory()
    answers = Answers(stdout)
    try:
        from ..inference.cancellation import Cancellation
        from ..inference.settings import Settings, begin_log, resolve
        from .handlers import Handlers

        handlers = Handlers(preferences)
        try:
            settings = resolve(preferences=preferences)
        except BackendError:  # every request will be answered with it
            settings = Settings()
        begin_log(settings)
        answers.send(_hello(handlers))
    except Exception as error:
        log.exception("the backend cannot start")
        answers.error(None, as_backend_error(error))
        return 2
    requests = Requests(Cancellation, settings.memory_mb / 2)
    threading.Thread(
        target=read_requests, args=(stdin, requests), name="reader", daemon=True
    ).start()
    for number in range(settings.workers):
        threading.Thread(
            target=_work, args=(handlers, requests, answers), name=f"worker {number}", daemon=True
        ).start()
    while not requests.ended.wait(IDLE_LOOK_S):
        handlers.idle()
    return 0


def bound_memory() -> None:
    """Let this process have no more than MOST_MEMORY of the machine's: a model or a mesh that wants
    more gets `out_of_memory`.

    On Linux without a GPU; drivers of GPUs reserve more than they use, and other systems have no
    such limit.
    """
    if sys.platform != "linux":
        return
    import resource

    with contextlib.suppress(ImportError, OSError, ValueError):
        from ..inference.hardware import gpus

        if not gpus():
            most = int(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") * MOST_MEMORY)
            _, hard = resource.getrlimit(resource.RLIMIT_DATA)
            resource.setrlimit(
                resource.RLIMIT_DATA,
                (most if hard == resource.RLIM_INFINITY else min(most, hard), hard),
            )


def _give_memory_back() -> None:
    with contextlib.suppress(
        ImportError
    ):  # without psutil there is no hardware module; serve says so in a moment
        from ..inference.hardware import give_memory_back

        give_memory_back()


def _work(handlers: Handlers, requests: Requests, answers: Answers) -> None:
    """Answer requests one after the other until `shutdown`."""
    while not requests.ended.is_set():
        request = requests.get()
        if isinstance(request.content, Message) and request.content.header["type"] == "shutdown":
            requests.wait_for_others(request)
            handlers.close()
            answers.send(
                {"type": "done", "id": request.id, "report": {"requests": handlers.requests}}
            )
            requests.ended.set()
            return
        failed = _answer(handlers, request, requests, answers)
        if failed is not None:
            answers.error(request.id, failed)
        del (
            request,
            failed,
        )  # arrays may be large, also those that a traceback holds, and the next request far away


def _answer(
    handlers: Handlers, request: Request, requests: Requests, answers: Answers
) -> BackendError | None:
    """Work on one request and close it; the error that is to be its answer, or None."""
    failed = request.content if isinstance(request.content, BackendError) else None

    def send(header: Mapping[str, Any], arrays: Mapping[str, Array]) -> None:
        if header["type"] == "done":
            requests.close(
                request
            )  # before the answer, so that whoever reads it may use the id again
        answers.send({**header, "id": request.id}, arrays)

    try:
        if isinstance(request.content, Message):
            request.cancellation.check()
            handlers.handle(request.content, send, request.cancellation)
            return None
    except BackendError as error:
        failed = error
    except Exception as error:
        log.exception("a request failed in a way that has no code")
        failed = as_backend_error(error)
    requests.close(request)
    if failed is not None:
        handlers.failed(failed.code)
    return failed


def versions() -> dict[str, str]:
    """Version of the backend, of Python and of each package it uses."""
    import numpy
    import psutil

    from ..inference.runtime import runtime_version

    return {
        "backend": VERSION,
        "python": platform.python_version(),
        "numpy": numpy.__version__,
        "onnxruntime": runtime_version(),
        "psutil": psutil.__version__,
    }


def _hello(handlers: Handlers) -> dict[str, Any]:
    from ..inference.hardware import gpus
    from ..inference.runtime import available_providers

    return {
        "type": "hello",
        "protocol": PROTOCOL,
        "versions": versions(),
        "providers": available_providers(),
        "gpus": gpus(),
        "sets": {name: len(shape_set.shapes) for name, shape_set in handlers.sets.items()},
        "names": {name: list(shape_set.shapes) for name, shape_set in handlers.sets.items()},
        "pid": os.getpid(),
    }
