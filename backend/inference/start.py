# SPDX-License-Identifier: GPL-3.0-or-later
"""Starting ONNX Runtime on a provider: the options of a session, and what goes wrong."""

from __future__ import annotations

import hashlib
import logging
import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .. import regular_file
from ..atomic import replace_file
from ..errors import BackendError
from ..log import warn_once
from . import hardware, providers, remote, runtime, selftest
from .engines import engine_cache
from .onnx_file import opset_of, read_model_file
from .settings import SEVERITIES, Settings

log = logging.getLogger(__name__)

MOST_ROWS = 4096
MOST_HEADS = {"points": 64}
MAX_CALIBRATION = 16 << 20  # bytes of a table, a line for each tensor
# one of the optimisations of the level `extended`: on the CPU its fused operator takes 1.1 ms, the
# sum and the norm that it stands for 0.15 ms
LEFT_OUT = ["SkipLayerNormFusion"]


class ModelBytes:
    """The bytes of a model, which lie in memory only where no file has them.

    Attributes:
        name: Of its file, for sentences.
        folder: Where that file lies, and an int8 calibration table; None for a model without one.
        hash: SHA-256, as hexadecimal digits.
    """

    def __init__(self, data: bytes, name: str, folder: Path | None = None) -> None:
        self.name, self.folder = name, folder
        self.hash = hashlib.sha256(data).hexdigest()
        self._data: bytes | None = data

    def let_go(self) -> None:
        """Leave the bytes to the file, if there is one: they are many, and seldom needed again."""
        if self.folder is not None and regular_file.is_regular(self.folder / self.name):
            self._data = None

    @property
    def data(self) -> bytes:
        """The model's bytes, read again where it came from a file. Raises BackendError
        `model_unreadable` when that file is another now.
        """
        if self._data is not None or self.folder is None:
            return self._data or b""
        data = read_model_file(self.folder / self.name)
        if hashlib.sha256(data).hexdigest() != self.hash:
            raise BackendError(
                "model_unreadable",
                f"{self.name} has changed since it was loaded.",
                "Try again: it is then loaded anew.",
            )
        return data


class UnfitError(Exception):
    """A provider that did not start: the sentence's end after its name, and ONNX Runtime's own
    words.
    """

    def __init__(self, text: str, why: str) -> None:
        super().__init__(text)
        self.why = why


class Starter:
    """Starts InferenceSessions of one model.

    Attributes:
        warned: By short name of a provider, what of the settings could not be had with it.
        calibrated: Whether the last session on TensorRT has an int8 calibration table.
    """

    def __init__(self, model: ModelBytes, settings: Settings, low_memory: bool) -> None:
        self.model, self.settings, self.low_memory = model, settings, low_memory
        self.warned: dict[str, list[str]] = {}
        self.calibrated = False

    def connect(self, reference: Any) -> Any:
        """A session on the server. Raises UnfitError when it is of no use."""
        try:
            return remote.RemoteSession(reference, self.model.name, self.model.hash, self.settings)
        except BackendError:
            raise
        except Exception as error:  # tritonclient's and grpc's
            raise UnfitError(
                f"cannot be used: {runtime.first_line(error)}", runtime.first_line(error)
            ) from error

    def start_cpu(self) -> Any:
        try:
            return self.start("cpu", 1)
        except UnfitError as error:
            raise BackendError(
                "model_unreadable",
                f"ONNX Runtime {runtime.runtime_version()} cannot load {self.model.name}, which is"
                f" for opset {opset_of(self.model.data)}: {error.why}",
                "Export the model again, for an opset that the installed ONNX Runtime supports; 17"
                " runs everywhere.",
            ) from error

    def start(self, name: str, threads: int) -> Any:
        """An InferenceSession on one provider. Raises UnfitError when it does not start or is not
        the active one.
        """
        provider = providers.PROVIDERS[name]
        self.warned[name] = []
        options = self._options(name, threads)
        devices = providers.plugin_devices(runtime.ort, name)
        try:
            target = self._target(name, threads)
            if name == "windowsml":
                options.set_provider_selection_policy(
                    runtime.ort.OrtExecutionProviderDevicePolicy.PREFER_GPU
                )
                return _without_bytes(
                    runtime.ort.InferenceSession(self.model.data, options, enable_fallback=0)
                )
            chosen = provider.options(target)
            if self.settings.device and name != "cpu" and not devices and "device_id" not in chosen:
                self._warn(
                    name, f"{provider.label} takes the device that it finds, so device is not used."
                )
            if devices:
                options.add_provider_for_devices([self._device(devices)], chosen)
                session = runtime.ort.InferenceSession(self.model.data, options, enable_fallback=0)
            else:
                listed = providers.listed(name, target, runtime.available())
                left_out = (
                    LEFT_OUT
                    if name == "cpu"
                    and self.settings.graph_optimization not in ("disable", "basic")
                    else None
                )
                session = runtime.ort.InferenceSession(
                    self.model.data,
                    options,
                    providers=listed,
                    disabled_optimizers=left_out,
                    enable_fallback=0,
                )
        except (MemoryError, UnfitError):
            raise
        except Exception as error:  # ONNX Runtime's exceptions share no base class
            raise UnfitError(
                f"could not be started: {runtime.first_line(error)}", runtime.first_line(error)
            ) from error
        active = list(session.get_providers())
        if active[:1] != [provider.ort]:
            raise UnfitError(
                f"could not be started, ONNX Runtime fell back to {', '.join(active)}",
                "it fell back",
            )
        return _without_bytes(session)

    def _device(self, devices: Sequence[Any]) -> Any:
        """The device of a plugin's that the setting names by its number among the GPUs; the
        plugin's first for 0. Raises UnfitError.
        """
        gpus = [
            device
            for device in devices
            if device.device.type == runtime.ort.OrtHardwareDeviceType.GPU
        ]
        if not self.settings.device:
            return devices[0]
        if self.settings.device >= len(gpus):
            raise UnfitError(
                f"has no GPU number {self.settings.device}, only {len(gpus)} of them",
                "there is no such device",
            )
        return gpus[self.settings.device]

    def _options(self, name: str, threads: int) -> Any:
        """SessionOptions for one provider. Raises BackendError `setting_invalid` for what this ONNX
        Runtime does not know.
        """
        options = runtime.ort.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = self.settings.inter_op_threads
        options.log_severity_level = SEVERITIES.index(self.settings.log_severity)
        options.graph_optimization_level = _level(self.settings.graph_optimization)
        options.execution_mode = runtime.ort.ExecutionMode.__members__[
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
                    folder / f"{self.model.name}-{name}-{secrets.token_hex(8)}"
                )
            except OSError as error:
                self._warn(
                    name,
                    f"There is no profile: {folder} cannot be made: {error.strerror or error}.",
                )
        if name in ("cuda", "tensorrt") and hasattr(runtime.ort, "preload_dlls"):
            runtime.ort.preload_dlls()  # finds CUDA and cuDNN in the wheels beside onnxruntime-gpu
        if providers.PROVIDERS[name].sequential:  # DirectML wants both, see its documentation
            options.enable_mem_pattern = False
            options.execution_mode = runtime.ort.ExecutionMode.ORT_SEQUENTIAL
            if self.settings.execution_mode != "sequential":
                self._warn(
                    name,
                    f"{providers.PROVIDERS[name].label} runs sequentially only, so execution_mode"
                    " is not used.",
                )
        return options

    def _warn(self, name: str, text: str) -> None:
        """Keep a sentence for reports while this provider is the active one, and log it."""
        self.warned[name].append(text)
        warn_once(log, text)

    def _target(self, name: str, threads: int) -> providers.Target:
        gpus = hardware.gpus()
        folder = engine_cache(
            self.settings,
            name,
            self.model.hash,
            f"ort{runtime.runtime_version()}",
            gpus[0] if gpus else "cpu",
        )
        if folder is None and providers.keeps_engines(name):
            self._warn(
                name,
                f"Engines compiled for {providers.PROVIDERS[name].label} are not kept: there is no"
                " cache folder that can be written to.",
            )
        shapes: dict[str, tuple[list[int], list[int], list[int]]] = {}
        if name in ("tensorrt", "nvtensorrtrtx"):
            inputs = self.start("cpu", 1).get_inputs()
            shapes = selftest.largest_shapes(inputs, MOST_HEADS, MOST_ROWS // 2, MOST_ROWS)
        table = (
            self.model.folder / f"{Path(self.model.name).stem}.calibration"
            if self.model.folder is not None
            else None
        )
        self.calibrated = (
            name == "tensorrt"
            and folder is not None
            and table is not None
            and regular_file.is_regular(table)
        )
        if self.calibrated and folder is not None and table is not None:
            try:
                replace_file(
                    folder / table.name, regular_file.read(table, MAX_CALIBRATION)
                )  # TensorRT looks for it among its engines
            except OSError as error:
                raise UnfitError(
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
            calibration=table.name if self.calibrated and table is not None else "",
            intel_gpu=any(gpu.startswith("Intel") for gpu in gpus),
        )


def _without_bytes(session: Any) -> Any:
    """An InferenceSession that holds its model once: ONNX Runtime's Python part keeps the bytes for
    a fallback to other providers, which is switched off here.
    """
    if getattr(session, "_model_bytes", None) is not None:
        session._model_bytes = None
    return session


def _level(name: str) -> Any:
    """ONNX Runtime's graph optimisation level. Raises BackendError `setting_invalid` for one that
    this version does not have.
    """
    levels = runtime.ort.GraphOptimizationLevel.__members__
    found = levels.get("ORT_DISABLE_ALL" if name == "disable" else f"ORT_ENABLE_{name.upper()}")
    if found is None:
        what = f"ONNX Runtime {runtime.runtime_version()} has no graph optimisation level {name!r}."
        raise BackendError(
            "setting_invalid", what, "Set graph_optimization to disable, basic, extended or all."
        )
    return found
