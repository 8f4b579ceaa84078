# SPDX-License-Identifier: GPL-3.0-or-later
"""Creating and running ONNX Runtime sessions: threads, providers, cancellation, errors as sentences."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import BackendError
from . import providers

try:
    import onnxruntime as ort
except Exception as error:  # a broken wheel raises ImportError, OSError or its own types, "DLL load failed" among them
    raise BackendError(
        "runtime_missing",
        f"ONNX Runtime cannot be imported: {error}.",
        "Reinstall the extension for this platform (on Windows also the Microsoft Visual C++ runtime), or run: pip install onnxruntime.",
    ) from error

Floats = NDArray[np.float32]

TRIALS = 3


class Cancellation:
    """Set from any thread; stops the running session and whatever checks it between runs."""

    def __init__(self) -> None:
        self._event = threading.Event()
        self._lock = threading.Lock()
        self._running: Any = None

    def set(self) -> None:
        """Cancel: a running session stops after its current kernel."""
        with self._lock:
            self._event.set()
            if self._running is not None:
                self._running.terminate = True

    def is_set(self) -> bool:
        """Whether `set` was called."""
        return self._event.is_set()

    def check(self) -> None:
        """Raise BackendError `cancelled` if `set` was called."""
        if self._event.is_set():
            raise BackendError("cancelled", "The request was cancelled.", "")

    @contextmanager
    def run_options(self) -> Iterator[Any]:
        """RunOptions for one run, which `set` terminates. Raises BackendError `cancelled` if it was set before."""
        options = ort.RunOptions()
        with self._lock:
            self.check()
            self._running = options
        try:
            yield options
        finally:
            with self._lock:
                self._running = None


@dataclass(frozen=True)
class Session:
    """An InferenceSession with what it was asked for and what it got. name: of its file, for sentences."""

    name: str
    session: Any
    use: providers.ProviderUse
    threads: int


def runtime_version() -> str:
    """Version of onnxruntime."""
    return str(ort.__version__)


def available_providers() -> list[str]:
    """Providers that the installed ONNX Runtime was built with."""
    return [str(name) for name in ort.get_available_providers()]


def create(data: bytes, name: str, threads: int, choice: providers.Choice | None = None) -> Session:
    """A session for a model's bytes. `choice` defaults to providers.choose.

    Raises BackendError: `model_unreadable` when ONNX Runtime refuses the model, `provider_failed`, `setting_invalid`.
    """
    choice = choice or providers.choose(available_providers())
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    if choice.provider == providers.CUDA and hasattr(ort, "preload_dlls"):
        ort.preload_dlls()  # finds CUDA and cuDNN in the wheels beside onnxruntime-gpu
    if choice.provider == providers.DIRECTML:  # DirectML wants both, see its documentation
        options.enable_mem_pattern = False
        options.execution_mode = ort.ExecutionMode.ORT_SEQUENTIAL
    try:
        session = ort.InferenceSession(data, options, providers=list(choice.listed))
    except MemoryError:
        raise
    except Exception as error:  # ONNX Runtime's exceptions share no base class
        raise BackendError(
            "model_unreadable",
            f"ONNX Runtime cannot load {name}: {first_line(error)}",
            "Export the model again, for an opset that the installed ONNX Runtime supports.",
        ) from error
    return Session(name, session, providers.compare(choice, session.get_providers()), threads)


def fastest(sessions: Sequence[Session], feeds: Mapping[str, Floats]) -> Session:
    """The session that runs `feeds` fastest now, after one run to warm up.

    More threads are not always faster: where another process keeps a core busy, two threads took twice the time of one here.
    """
    if len(sessions) == 1:
        return sessions[0]
    cancellation = Cancellation()
    times: list[float] = []
    for session in sessions:
        run(session, feeds, cancellation)
        began = time.perf_counter()
        for _ in range(TRIALS):
            run(session, feeds, cancellation)
        times.append(time.perf_counter() - began)
    return sessions[times.index(min(times))]


def run(session: Session, feeds: Mapping[str, Floats], cancellation: Cancellation) -> list[Floats]:
    """All outputs of one run. Raises BackendError: `cancelled`, `out_of_memory`, or `model_contract` when the model itself fails."""
    with cancellation.run_options() as options:
        try:
            outputs: list[Floats] = session.session.run(None, dict(feeds), options)
        except MemoryError:
            raise
        except Exception as error:  # as above
            if cancellation.is_set():
                raise BackendError("cancelled", "The request was cancelled.", "") from error
            text = first_line(error)
            if "allocate memory" in text or "bad_alloc" in text or "out of memory" in text.lower():
                fix = "Close other programs, or choose an object with fewer vertices."
                raise BackendError("out_of_memory", f"Memory ran out while {session.name} was running.", fix) from error
            shapes = ", ".join(f"{name} {list(value.shape)}" for name, value in feeds.items())
            raise BackendError(
                "model_contract",
                f"{session.name} failed on {shapes}: {text}",
                "The model must accept any number of points; make those axes dynamic when exporting.",
            ) from error
    cancellation.check()
    return outputs


def first_line(error: BaseException) -> str:
    """The first line of an exception's text, without ONNX Runtime's prefix, at most 300 characters."""
    text = (str(error).strip() or type(error).__name__).splitlines()[0]
    return text.removeprefix("[ONNXRuntimeError] : ")[:300]
