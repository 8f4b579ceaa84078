# SPDX-License-Identifier: GPL-3.0-or-later
"""Creating and running ONNX Runtime sessions: providers and what happens when one fails, threads,
turns, cancellation, errors as sentences.

A provider that cannot be started, computes something else than the CPU, or fails during a run is
set aside for this model until the process ends; the next one takes over and the run is repeated, so
that no request is lost. What happened is in `Session.use.reason`.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import secrets
import statistics
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import regular_file
from ..atomic import replace_file
from ..errors import BackendError
from ..log import warn_once
from . import hardware, providers, remote, selftest
from .onnx_file import opset_of, read_model_file
from .settings import SEVERITIES, Settings

try:
    import onnxruntime as ort
# a broken wheel raises ImportError, OSError or its own types, "DLL load failed" among them
except Exception as error:
    raise BackendError(
        "runtime_missing",
        f"ONNX Runtime cannot be imported: {error}.",
        "Reinstall the extension for this platform (on Windows also the Microsoft Visual C++"
        " runtime), or run: pip install onnxruntime.",
    ) from error

Floats = NDArray[np.float32]
log = logging.getLogger(__name__)

TRIALS, LONGEST_TRIAL = 2, 7  # tries of each at least, and at most
# in a try, for each thread: with one, a thread that a busy neighbour slows down makes two threads
# look no faster than one
TRIAL_RUNS = 3
CLEARLY, ABOUT = (
    1.35,
    1.15,
)  # a median so much above the least is out of the race, and one so little above it is as good
SLOWER = 1.6  # a run that takes so much longer than the fastest of its size counts as late
PATIENCE_S = 0.5
LATE_RUNS = 24  # so many late runs in a row, and the number of threads is tried again
SLACK = 1.1  # `auto` leaves a provider that takes so much longer than the CPU
MOST_ROWS = 4096
MOST_HEADS = {"points": 64}
LANES = 8  # runs at most that are on their way at once on the CPU: each takes memory
MAX_CALIBRATION = 16 << 20  # bytes of a table, a line for each tensor
# one of the optimisations of the level `extended`: on the CPU its fused operator takes 1.1 ms, the
# sum and the norm that it stands for 0.15 ms
LEFT_OUT = ["SkipLayerNormFusion"]


class Turns:
    """So many runs at a time, in the order in which they ask: requests that are worked on together
    advance run by run, none starves.

    Runs that take longer than PATIENCE_S no longer keep the others waiting; they go on beside them.
    """

    def __init__(self, places: int = 1) -> None:
        self._lock = threading.Lock()
        self._waiting: deque[threading.Event] = deque()
        self._free = places
        self._since = 0.0

    @contextmanager
    def take(self, cancellation: Cancellation) -> Iterator[None]:
        """Wait for one's turn. Raises BackendError `cancelled` while waiting."""
        mine = threading.Event()
        with self._lock:
            if self._free:
                self._free -= 1
                self._give(mine)
            else:
                self._waiting.append(mine)
        try:
            while not mine.wait(0.01) and time.monotonic() - self._since < PATIENCE_S:
                cancellation.check()
            yield
        finally:
            with self._lock:
                if mine in self._waiting:  # gave up, or went beside
                    self._waiting.remove(mine)
                elif self._waiting:
                    self._give(self._waiting.popleft())
                else:
                    self._free += 1

    def _give(self, turn: threading.Event) -> None:
        self._since = time.monotonic()
        turn.set()


class Cancellation:
    """Set from any thread; stops the running session and whatever checks it between runs."""

    def __init__(self) -> None:
        self._event = threading.Event()
        self._lock = threading.Lock()
        self._running: list[Any] = []

    def set(self) -> None:
        """Cancel: running sessions stop after their current kernels."""
        with self._lock:
            self._event.set()
            for options in self._running:
                options.terminate = True

    def is_set(self) -> bool:
        """Whether `set` was called."""
        return self._event.is_set()

    def check(self) -> None:
        """Raise BackendError `cancelled` if `set` was called."""
        if self._event.is_set():
            raise BackendError("cancelled", "The request was cancelled.", "")

    @contextmanager
    def run_options(self) -> Iterator[Any]:
        """RunOptions for one run, which `set` terminates. Raises BackendError `cancelled` if it was
        set before.
        """
        options = ort.RunOptions()
        with self._lock:
            self.check()
            self._running.append(options)
        try:
            yield options
        finally:
            with self._lock:
                self._running.remove(options)


TURNS = {
    True: Turns(min(hardware.thread_counts()[-1], LANES)),
    False: Turns(),
}  # on the CPU, and on what runs one thing at a time
_ASIDE: dict[tuple[str, str], str] = {}  # (provider, model hash) -> why it is not used any more
_PLUGINS_FAILED: dict[str, str] = {}
_prepare = threading.Lock()
_prepared = False


class Session:
    """An InferenceSession that can change its provider. name: of its file, for sentences.

    threads: on the CPU, where ONNX Runtime works on one thread a run, runs at once: two of one
    thread each end before two on two threads, one after the other, and a busy neighbour keeps up
    only one of them. Elsewhere the threads of ONNX Runtime for what stays on the CPU.

    use: provider asked for and active, and why. provider: short name of the active one. session:
    ONNX Runtime's object.
    """

    def __init__(
        self,
        data: bytes,
        name: str,
        settings: Settings,
        threads: int,
        low_memory: bool = False,
        folder: Path | None = None,
    ) -> None:
        """folder: where the model lies, to read it again, and its int8 calibration table. Raises
        BackendError: `model_unreadable` when ONNX Runtime refuses the model, `provider_failed`.
        """
        self.name, self.settings, self.threads, self.low_memory = (
            name,
            settings,
            threads,
            low_memory,
        )
        self._folder = folder
        self._data: bytes | None = data
        self.hash = hashlib.sha256(data).hexdigest()
        self._lock = threading.Lock()
        self._best: dict[int, float] = {}
        self._late = 0
        self.session: Any = None
        self.provider = ""
        self._calibrated = False
        self.use = providers.ProviderUse("", "", "")
        self._warned: dict[str, list[str]] = {}
        self._choose()
        if folder is not None and regular_file.is_regular(folder / name):
            self._data = None  # as large as the model, and seldom needed again

    @property
    def data(self) -> bytes:
        """The model's bytes, read again where it came from a file. Raises BackendError
        `model_unreadable` when that file is another now.
        """
        if self._data is not None or self._folder is None:
            return self._data or b""
        data = read_model_file(self._folder / self.name)
        if hashlib.sha256(data).hexdigest() != self.hash:
            raise BackendError(
                "model_unreadable",
                f"{self.name} has changed since it was loaded.",
                "Try again: it is then loaded anew.",
            )
        return data

    @property
    def warnings(self) -> tuple[str, ...]:
        """What of the settings could not be had with the active provider, as sentences."""
        return tuple(self._warned.get(self.provider, ()))

    @property
    def makes_precision(self) -> bool:
        """Whether the active provider itself brings the model to the precision that is asked
        for.
        """
        if self.provider == "tensorrt":
            return self.settings.precision == "fp16" or (
                self.settings.precision == "int8" and self._calibrated
            )
        return False

    @property
    def slow(self) -> bool:
        """Whether the last runs took much longer than runs of their size once did."""
        return self._late >= LATE_RUNS

    def run(self, feeds: Mapping[str, Floats], options: Any) -> list[Floats]:
        """One run of ONNX Runtime's; raises what that raises."""
        session = self.session
        began = time.perf_counter()
        outputs: list[Floats] = session.run(None, dict(feeds), options)
        self._judge(sum(array.size for array in feeds.values()), time.perf_counter() - began)
        return outputs

    def replace(self, failed: Any, reason: str) -> None:
        """Set the active provider aside because `failed`, its InferenceSession, did; go on with the
        next.

        Raises BackendError `provider_failed` when strictly that one was asked for.
        """
        with self._lock:
            if self.session is not failed:
                return  # another request has already seen to it
            _ASIDE[self.provider, self.hash] = reason
            log.warning("%s is set aside for %s: it %s", self.provider, self.name, reason)
            self._choose()

    @property
    def lanes(self) -> int:
        """Runs that are worth having on their way at once."""
        return min(self.threads, LANES) if self.provider == "cpu" else 1

    def try_threads(self, counts: Sequence[int], feeds: Mapping[str, Floats]) -> None:
        """Keep the number of threads that does several runs of `feeds` fastest now; only the CPU
        provider depends on it.
        """
        if self.provider != "cpu" or list(counts) == [self.threads]:
            return
        pieces = [feeds] * (TRIAL_RUNS * min(max(counts), LANES))

        def work(count: int) -> Callable[[], object]:
            def tried() -> None:
                with ThreadPoolExecutor(count) as pool:
                    run_each(self, pieces, Cancellation(), pool=pool)

            return tried

        self.threads = fastest({count: work(count) for count in counts})
        self._best, self._late = (
            {},
            0,
        )  # the trial's own runs, too many at once, say nothing about those to come

    def with_threads(self, threads: int) -> None:
        """Use so many threads from the next run on."""
        if self.provider == "cpu" and threads != self.threads:
            self.threads = threads
            self._best, self._late = {}, 0

    def alone(self) -> Any:
        """An InferenceSession that works on one run with all threads, as ONNX Runtime does by
        itself: what the benchmark compares with.
        """
        return self._start("cpu", self.threads) if self.provider == "cpu" else self.session

    def close(self) -> str:
        """Let the session go; the profile's path if one was written, else ""."""
        session, self.session = self.session, None
        if isinstance(session, remote.RemoteSession):
            session.close()
        return str(session.end_profiling()) if session is not None and self.settings.profile else ""

    def _judge(self, size: int, seconds: float) -> None:
        best = self._best.get(size)
        self._late = 0 if best is None or seconds <= SLOWER * best else self._late + 1
        if (best is None or seconds < best) and (size in self._best or len(self._best) < 64):
            self._best[size] = seconds

    def _choose(self) -> None:
        """Start the first candidate that starts and passes the self-test."""
        offered = available()
        asked, tries = providers.candidates(self.settings, offered)
        notes: list[str] = []
        reference: Any = None
        if self.settings.server:
            asked = self.settings.server
            tries = [
                providers.Candidate("server", f"asked for by {self.settings.source('server')}"),
                *([] if self.settings.strict else tries),
            ]
        for candidate in tries:
            reason = _ASIDE.get((candidate.name, self.hash), "")
            if not reason:
                if candidate.name == "cpu":
                    self._take(
                        "cpu",
                        self._start_cpu(),
                        asked,
                        "; ".join([*notes, *([candidate.reason] if not notes else [])]),
                    )
                    return
                try:
                    reference = reference or self._start("cpu", self.threads)
                    session = (
                        self._start(candidate.name, self.threads)
                        if candidate.name != "server"
                        else self._connect(reference)
                    )
                    reason = self._examine(candidate, session, reference)
                except _UnfitError as error:
                    reason = str(error)
            if not reason:
                self._take(
                    candidate.name,
                    session,
                    asked,
                    "; ".join([*notes, candidate.reason]).strip("; "),
                )
                return
            _ASIDE[candidate.name, self.hash] = reason
            log.info("%s is set aside for %s: it %s", candidate.name, self.name, reason)
            notes.append(
                f"{self.settings.server if candidate.name == 'server' else candidate.ort} {reason}"
            )
        self._start_cpu()  # a model that no provider can load is told as such
        fix = (
            "Look at the server, or switch strict off."
            if self.settings.server
            else "Look at the driver and at the log, or switch strict off."
        )
        raise BackendError("provider_failed", f"{'; '.join(notes)}.", fix)

    def _take(self, name: str, session: Any, asked: str, reason: str) -> None:
        active = self.settings.server if name == "server" else providers.PROVIDERS[name].ort
        if name == "windowsml":
            active = str(session.get_providers()[0])
        self.session, self.provider = session, name
        self.use = providers.ProviderUse(
            asked,
            active,
            reason,
            _placement(session) if self.settings.placement and name != "server" else (),
        )
        self._best, self._late = {}, 0
        log.info("%s runs on %s (%s)", self.name, active, reason)

    def _connect(self, reference: Any) -> Any:
        """A session on the server. Raises _UnfitError when it is of no use."""
        try:
            return remote.RemoteSession(reference, self.name, self.hash, self.settings)
        except BackendError:
            raise
        except Exception as error:  # tritonclient's and grpc's
            raise _UnfitError(f"cannot be used: {first_line(error)}", first_line(error)) from error

    def _start_cpu(self) -> Any:
        try:
            return self._start("cpu", 1)
        except _UnfitError as error:
            raise BackendError(
                "model_unreadable",
                f"ONNX Runtime {runtime_version()} cannot load {self.name}, which is for opset"
                f" {opset_of(self.data)}: {error.why}",
                "Export the model again, for an opset that the installed ONNX Runtime supports; 17"
                " runs everywhere.",
            ) from error

    def _start(self, name: str, threads: int) -> Any:
        """An InferenceSession on one provider. Raises _UnfitError when it does not start or is not
        the active one.
        """
        provider = providers.PROVIDERS[name]
        self._warned[name] = []
        options = self._options(name, threads)
        devices = providers.plugin_devices(ort, name)
        try:
            target = self._target(name, threads)
            if name == "windowsml":
                options.set_provider_selection_policy(
                    ort.OrtExecutionProviderDevicePolicy.PREFER_GPU
                )
                return ort.InferenceSession(self.data, options, enable_fallback=0)
            chosen = provider.options(target)
            if self.settings.device and name != "cpu" and not devices and "device_id" not in chosen:
                self._warn(
                    name, f"{provider.label} takes the device that it finds, so device is not used."
                )
            if devices:
                options.add_provider_for_devices([self._device(devices)], chosen)
                session = ort.InferenceSession(self.data, options, enable_fallback=0)
            else:
                listed = providers.listed(name, target, available())
                left_out = (
                    LEFT_OUT
                    if name == "cpu"
                    and self.settings.graph_optimization not in ("disable", "basic")
                    else None
                )
                session = ort.InferenceSession(
                    self.data,
                    options,
                    providers=listed,
                    disabled_optimizers=left_out,
                    enable_fallback=0,
                )
        except (MemoryError, _UnfitError):
            raise
        except Exception as error:  # ONNX Runtime's exceptions share no base class
            raise _UnfitError(
                f"could not be started: {first_line(error)}", first_line(error)
            ) from error
        active = list(session.get_providers())
        if active[:1] != [provider.ort]:
            raise _UnfitError(
                f"could not be started, ONNX Runtime fell back to {', '.join(active)}",
                "it fell back",
            )
        return session

    def _device(self, devices: Sequence[Any]) -> Any:
        """The device of a plugin's that the setting names by its number among the GPUs; the
        plugin's first for 0. Raises _UnfitError.
        """
        gpus = [device for device in devices if device.device.type == ort.OrtHardwareDeviceType.GPU]
        if not self.settings.device:
            return devices[0]
        if self.settings.device >= len(gpus):
            raise _UnfitError(
                f"has no GPU number {self.settings.device}, only {len(gpus)} of them",
                "there is no such device",
            )
        return gpus[self.settings.device]

    def _options(self, name: str, threads: int) -> Any:
        """SessionOptions for one provider. Raises BackendError `setting_invalid` for what this ONNX
        Runtime does not know.
        """
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = self.settings.inter_op_threads
        options.log_severity_level = SEVERITIES.index(self.settings.log_severity)
        options.graph_optimization_level = _level(self.settings.graph_optimization)
        options.execution_mode = ort.ExecutionMode.__members__[
            f"ORT_{self.settings.execution_mode.upper()}"
        ]
        # threads spin for 0.1 s and more after a run, in the way of numpy and of neighbours: 1.6x
        # the time of two threads on a busy machine
        options.add_session_config_entry("session.force_spinning_stop", "1")
        if self.low_memory:
            options.enable_cpu_mem_arena = False
            options.enable_mem_pattern = False
        if self.settings.placement:
            options.add_session_config_entry("session.record_ep_graph_assignment_info", "1")
        if self.settings.profile:
            folder = Path(self.settings.profile)
            try:
                folder.mkdir(parents=True, exist_ok=True)
                options.enable_profiling = True
                # ONNX Runtime adds the time to the second and opens what is there: a name that
                # nobody can foresee
                options.profile_file_prefix = str(
                    folder / f"{self.name}-{name}-{secrets.token_hex(8)}"
                )
            except OSError as error:
                self._warn(
                    name,
                    f"There is no profile: {folder} cannot be made: {error.strerror or error}.",
                )
        if name in ("cuda", "tensorrt") and hasattr(ort, "preload_dlls"):
            ort.preload_dlls()  # finds CUDA and cuDNN in the wheels beside onnxruntime-gpu
        if providers.PROVIDERS[name].sequential:  # DirectML wants both, see its documentation
            options.enable_mem_pattern = False
            options.execution_mode = ort.ExecutionMode.ORT_SEQUENTIAL
            if self.settings.execution_mode != "sequential":
                self._warn(
                    name,
                    f"{providers.PROVIDERS[name].label} runs sequentially only, so execution_mode"
                    " is not used.",
                )
        return options

    def _warn(self, name: str, text: str) -> None:
        """Keep a sentence for reports while this provider is the active one, and log it."""
        self._warned[name].append(text)
        warn_once(log, text)

    def _target(self, name: str, threads: int) -> providers.Target:
        gpus = hardware.gpus()
        folder = providers.engine_cache(
            self.settings, name, self.hash, f"ort{runtime_version()}", gpus[0] if gpus else "cpu"
        )
        if folder is None and providers.keeps_engines(name):
            self._warn(
                name,
                f"Engines compiled for {providers.PROVIDERS[name].label} are not kept: there is no"
                " cache folder that can be written to.",
            )
        shapes: dict[str, tuple[list[int], list[int], list[int]]] = {}
        if name in ("tensorrt", "nvtensorrtrtx"):
            inputs = self._start("cpu", 1).get_inputs()
            shapes = selftest.largest_shapes(inputs, MOST_HEADS, MOST_ROWS // 2, MOST_ROWS)
        table = (
            self._folder / f"{Path(self.name).stem}.calibration"
            if self._folder is not None
            else None
        )
        self._calibrated = (
            name == "tensorrt"
            and folder is not None
            and table is not None
            and regular_file.is_regular(table)
        )
        if self._calibrated and folder is not None and table is not None:
            try:
                replace_file(
                    folder / table.name, regular_file.read(table, MAX_CALIBRATION)
                )  # TensorRT looks for it among its engines
            except OSError as error:
                raise _UnfitError(
                    "could not be started: its calibration table cannot be copied:"
                    f" {error.strerror or error}",
                    "no table",
                ) from error
        return providers.Target(
            precision=self.settings.precision,
            device=self.settings.device,
            threads=threads,
            gpu_memory_mb=self.settings.gpu_memory_mb,
            cache=folder,
            shapes=shapes,
            calibration=table.name if self._calibrated and table is not None else "",
            intel_gpu=any(gpu.startswith("Intel") for gpu in gpus),
        )

    def _examine(self, candidate: providers.Candidate, session: Any, reference: Any) -> str:
        """Why a provider is not fit, in words after its name: other numbers than the CPU's, a
        failure, or for `auto` that it is slower.
        """
        spent = {True: 0.0, False: 0.0}
        for rows in (
            selftest.ROWS,
            selftest.ROWS * 3 - 1,
        ):  # a second size, because some compile anew for every size
            feeds = selftest.probe(reference.get_inputs(), rows)
            try:
                expected = reference.run(None, feeds)
            except Exception:
                # the model does not take a small head; what it does take is found out by running it
                return ""
            if not selftest.finite(expected):
                return ""  # the model's fault, not the provider's
            try:
                got = session.run(None, feeds)
            except Exception as error:
                return f"failed on a small head: {first_line(error)}"
            wrong = selftest.differs(self.name, expected, got, self.settings.precision)
            if wrong:
                return wrong
            for one, is_cpu in ((session, False), (reference, True)):
                began = time.perf_counter()
                for _ in range(TRIALS):
                    one.run(None, feeds)
                spent[is_cpu] += time.perf_counter() - began
        if (
            self.settings.provider == "auto"
            and candidate.name != "server"
            and spent[False] > SLACK * spent[True]
        ):
            return (
                f"is slower than the CPU here: {spent[False] / TRIALS * 500:.1f} ms a run against"
                f" {spent[True] / TRIALS * 500:.1f} ms"
            )
        return ""


class _UnfitError(Exception):
    """A provider that did not start: the sentence's end after its name, and ONNX Runtime's own
    words.
    """

    def __init__(self, text: str, why: str) -> None:
        super().__init__(text)
        self.why = why


def _level(name: str) -> Any:
    """ONNX Runtime's graph optimisation level. Raises BackendError `setting_invalid` for one that
    this version does not have.
    """
    levels = ort.GraphOptimizationLevel.__members__
    found = levels.get("ORT_DISABLE_ALL" if name == "disable" else f"ORT_ENABLE_{name.upper()}")
    if found is None:
        what = f"ONNX Runtime {runtime_version()} has no graph optimisation level {name!r}."
        raise BackendError(
            "setting_invalid", what, "Set graph_optimization to disable, basic, extended or all."
        )
    return found


def runtime_version() -> str:
    """Version of onnxruntime."""
    return str(ort.__version__)


def available_providers() -> list[str]:
    """Providers that the installed ONNX Runtime was built with, and those of its plugins that have
    a device, by ONNX Runtime's names.
    """
    built_in = [str(name) for name in ort.get_available_providers()]
    return built_in + [
        name
        for name in (providers.PROVIDERS[short].ort for short in available())
        if name not in built_in
    ]


def available() -> list[str]:
    """Short names of the providers that sessions can be asked to use; the first call registers
    plugins.
    """
    global _prepared
    with _prepare:
        if not _prepared:
            _PLUGINS_FAILED.update(providers.register_plugins(ort))
            _prepared = True
    return providers.offered_by(ort)


def set_aside() -> dict[str, str]:
    """Providers that were set aside in this process, by short name, and plugins that could not be
    registered: why.
    """
    return {**_PLUGINS_FAILED, **{name: reason for (name, _), reason in _ASIDE.items()}}


def give_second_chance() -> None:
    """Forget which providers were set aside."""
    _ASIDE.clear()


def create(
    data: bytes,
    name: str,
    threads: int,
    settings: Settings | None = None,
    low_memory: bool = False,
    folder: Path | None = None,
) -> Session:
    """A session for a model's bytes, on the first provider that proves itself; arguments as
    Session's.

    Raises BackendError: `model_unreadable`, `provider_failed`.
    """
    return Session(data, name, settings or Settings(), threads, low_memory, folder)


def fastest(works: Mapping[int, Callable[[], object]]) -> int:
    """Key of the work that is done fastest now, after one round to warm up; of about equals the
    highest key.

    Runs side by side do not wait for each other, so more of them are seldom slower; beside a busy
    neighbour two may be no faster than one for as long as a try takes, until the system has spread
    them over the cores. They run in turns, so that a busy moment hits all, and their medians count:
    the best run of two threads is one in which the neighbour happened to rest. What is clearly
    slower is not run again; where several stay close, more runs decide.
    """
    times: dict[int, list[float]] = {key: [] for key in works}
    open_ = sorted(works)
    for turn in range(1 + LONGEST_TRIAL):
        for key in open_:
            began = time.perf_counter()
            works[key]()
            if turn:
                times[key].append(time.perf_counter() - began)
        if turn >= TRIALS:
            least = min(statistics.median(times[key]) for key in open_)
            open_ = [key for key in open_ if statistics.median(times[key]) <= CLEARLY * least]
            if len(open_) == 1:
                break
    least = min(statistics.median(times[key]) for key in open_)
    return next(key for key in reversed(open_) if statistics.median(times[key]) <= ABOUT * least)


def run_each(
    session: Session,
    pieces: Sequence[Mapping[str, Floats]],
    cancellation: Cancellation,
    take: Callable[[int, list[Floats]], None] = lambda index, outputs: None,
    progress: Callable[[float], None] = lambda fraction: None,
    pool: Executor | None = None,
) -> None:
    """One run for each piece, as many at once as the session has lanes, or on the threads of
    `pool`. take: gets a piece's number and its outputs, on the thread that ran it. progress: gets
    the part that is done, on the caller's thread. Raises as `run`.
    """
    lanes = min(session.lanes, len(pieces))

    def one(index: int) -> None:
        take(index, run(session, pieces[index], cancellation, index >= len(pieces) - lanes))

    with (
        contextlib.nullcontext(pool) if pool or lanes < 2 else ThreadPoolExecutor(lanes, "lane")
    ) as threads:
        for done, _ in enumerate(
            threads.map(one, range(len(pieces))) if threads else map(one, range(len(pieces))), 1
        ):
            progress(done / len(pieces))


def run(
    session: Session, feeds: Mapping[str, Floats], cancellation: Cancellation, last: bool = False
) -> list[Floats]:
    """All outputs of one run. A provider that fails or gives values that are not numbers is
    replaced and the run repeated.

    last: of several; then the processor's memory for them is given back.

    Raises BackendError: `cancelled`, `out_of_memory`, `provider_failed`, or `model_contract` when
    the model itself fails.
    """
    while True:
        provider, used = session.provider, session.session
        turn = (
            contextlib.nullcontext()
            if provider == "server"
            else TURNS[provider == "cpu"].take(cancellation)
        )
        with turn, cancellation.run_options() as options:
            if last and provider == "cpu" and not session.low_memory:  # which has no arena
                options.add_run_config_entry("memory.enable_memory_arena_shrinkage", "cpu:0")
            try:
                outputs = session.run(feeds, options)
                failure = (
                    ""
                    if provider == "cpu" or selftest.finite(outputs)
                    else "gave values that are not numbers"
                )
            except MemoryError:
                raise
            except Exception as error:  # as above
                if cancellation.is_set():
                    raise BackendError("cancelled", "The request was cancelled.", "") from error
                if provider == "cpu":
                    raise _explained(session, feeds, error) from error
                failure = f"failed during a run: {first_line(error)}"
        cancellation.check()
        if not failure:
            return outputs
        session.replace(used, failure)


def _explained(session: Session, feeds: Mapping[str, Floats], error: Exception) -> BackendError:
    text = first_line(error)
    if "allocate memory" in text or "bad_alloc" in text or "out of memory" in text.lower():
        fix = "Close other programs, or choose an object with fewer vertices."
        return BackendError(
            "out_of_memory", f"Memory ran out while {session.name} was running.", fix
        )
    shapes = ", ".join(f"{name} {list(value.shape)}" for name, value in feeds.items())
    return BackendError(
        "model_contract",
        f"{session.name} failed on {shapes}: {text}",
        "The model must accept any number of points; make those axes dynamic when exporting.",
    )


def _placement(session: Any) -> tuple[tuple[str, int], ...]:
    """Number of nodes by provider, () where this ONNX Runtime does not tell."""
    if not hasattr(session, "get_provider_graph_assignment_info"):
        return ()
    counts: dict[str, int] = {}
    for part in session.get_provider_graph_assignment_info():
        counts[str(part.ep_name)] = counts.get(str(part.ep_name), 0) + len(part.get_nodes())
    return tuple(counts.items())


def first_line(error: BaseException) -> str:
    """The first line of an exception's text, without ONNX Runtime's prefix, at most 300
    characters.
    """
    text = (str(error).strip() or type(error).__name__).splitlines()[0]
    return text.removeprefix("[ONNXRuntimeError] : ")[:300]
