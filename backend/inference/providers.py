# SPDX-License-Identifier: GPL-3.0-or-later
"""Execution providers: their names, the options that are valid for each, and the order in which
they are tried.

ONNX Runtime takes unknown option names of some providers silently and falls back to the CPU with
nothing but a printed line, so the options here are spelled out, and sessions.py compares what is
active with what was asked for. Sources of the option names: onnxruntime.ai, Execution Providers,
the page of each; nvidia.github.io/TensorRT-RTX-EP-ABI for TensorRT RTX.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..errors import BackendError
from .settings import PROVIDER_NAMES, Settings

CPU = "CPUExecutionProvider"
CUDA = "CUDAExecutionProvider"
TENSORRT = "TensorrtExecutionProvider"
DIRECTML = "DmlExecutionProvider"
OPENVINO = "OpenVINOExecutionProvider"
COREML = "CoreMLExecutionProvider"
WINDOWSML = "WindowsML"  # no provider of that name: Windows chooses among those it has installed

Shapes = Mapping[str, tuple[Sequence[int], Sequence[int], Sequence[int]]]


@dataclass(frozen=True)
class Target:
    """What a session is made for, as far as options depend on it. cache: folder for this engine,
    already made, or None.

    shapes: input -> its smallest, usual and largest shape. calibration: name of an int8 calibration
    table in `cache`, or "".
    """

    precision: str = "auto"
    device: int = 0
    threads: int = 0
    gpu_memory_mb: int = 2048
    cache: Path | None = None
    shapes: Shapes = field(default_factory=dict)
    calibration: str = ""
    intel_gpu: bool = False


@dataclass(frozen=True)
class Provider:
    """ort: ONNX Runtime's name. label: for people. package: what pip installs to get it. helpers:
    providers for what it leaves over.
    """

    ort: str
    label: str
    package: str
    options: Callable[[Target], dict[str, str]]
    helpers: tuple[str, ...] = ()
    sequential: bool = False


def _cuda(target: Target) -> dict[str, str]:
    return {
        "device_id": str(target.device),
        "gpu_mem_limit": str(
            target.gpu_memory_mb << 20
        ),  # of the arena; cuDNN's workspaces come on top
        "arena_extend_strategy": "kSameAsRequested",
        "cudnn_conv_algo_search": "HEURISTIC",
        "do_copy_in_default_stream": "1",
        "use_tf32": str(
            int(target.precision in ("fp16", "int8"))
        ),  # 10 bits: lids were off by 7 % of a blink where nobody had asked for less
    }


def _tensorrt(target: Target) -> dict[str, str]:
    options = {
        "device_id": str(target.device),
        "trt_max_workspace_size": str(target.gpu_memory_mb << 20),
        "trt_fp16_enable": str(int(target.precision == "fp16")),
        "trt_int8_enable": str(int(target.precision == "int8")),
        "trt_builder_optimization_level": "3",
    }
    if target.precision == "int8" and target.calibration:
        options["trt_int8_calibration_table_name"] = target.calibration
    if target.cache is not None:
        options |= {"trt_engine_cache_enable": "1", "trt_engine_cache_path": str(target.cache)}
        options |= {"trt_timing_cache_enable": "1", "trt_timing_cache_path": str(target.cache)}
    return options | {
        f"trt_profile_{key}_shapes": text for key, text in _profiles(target.shapes).items()
    }


def _tensorrt_rtx(target: Target) -> dict[str, str]:
    options = {
        "device_id": str(target.device),
        "nv_max_workspace_size": str(target.gpu_memory_mb << 20),
    }
    if target.cache is not None:
        options["nv_runtime_cache_path"] = str(target.cache)
    return options | {
        f"nv_profile_{key}_shapes": text for key, text in _profiles(target.shapes).items()
    }


def _directml(target: Target) -> dict[str, str]:
    if target.device:
        return {"device_id": str(target.device)}
    return {"performance_preference": "high_performance", "device_filter": "gpu"}


def _openvino(target: Target) -> dict[str, str]:
    device = "AUTO:GPU,CPU" if target.intel_gpu else "CPU"
    properties: dict[str, dict[str, Any]] = {}
    if not target.intel_gpu:
        properties["CPU"] = {"INFERENCE_NUM_THREADS": target.threads} if target.threads else {}
        if target.precision in ("auto", "fp32"):
            properties["CPU"]["INFERENCE_PRECISION_HINT"] = (
                "f32"  # else bf16 where the processor has it
            )
    options = {"device_type": device}
    if any(properties.values()):
        options["load_config"] = json.dumps(properties)
    if target.cache is not None:
        options["cache_dir"] = str(target.cache)
    return options


def _coreml(target: Target) -> dict[str, str]:
    options = {
        "ModelFormat": "MLProgram",
        "MLComputeUnits": "ALL",
        "RequireStaticInputShapes": "0",
        "EnableOnSubgraphs": "0",
    }
    return options | (
        {"ModelCacheDirectory": str(target.cache)} if target.cache is not None else {}
    )


def _qnn(target: Target) -> dict[str, str]:
    return {"backend_type": "htp"}


def _none(target: Target) -> dict[str, str]:
    # the CPU provider takes any key and heeds none: threads and arena are session options
    return {}


PROVIDERS: dict[str, Provider] = {
    "cpu": Provider(CPU, "CPU", "onnxruntime", _none),
    "tensorrt": Provider(TENSORRT, "TensorRT", "onnxruntime-gpu", _tensorrt, ("cuda",)),
    "cuda": Provider(CUDA, "CUDA", "onnxruntime-gpu", _cuda),
    "directml": Provider(DIRECTML, "DirectML", "onnxruntime-directml", _directml, sequential=True),
    "windowsml": Provider(WINDOWSML, "Windows ML", "onnxruntime-windowsml", _none),
    "openvino": Provider(OPENVINO, "OpenVINO", "onnxruntime-openvino", _openvino),
    "coreml": Provider(COREML, "CoreML", "onnxruntime", _coreml),
    "webgpu": Provider("WebGpuExecutionProvider", "WebGPU", "onnxruntime-ep-webgpu", _none),
    "nvtensorrtrtx": Provider(
        "NvTensorRTRTXExecutionProvider",
        "TensorRT RTX",
        "onnxruntime-ep-nv-tensorrt-rtx",
        _tensorrt_rtx,
    ),
    "qnn": Provider("QNNExecutionProvider", "QNN", "onnxruntime-qnn", _qnn),
}
if set(PROVIDERS) | {"auto"} != set(PROVIDER_NAMES):
    raise RuntimeError("settings.PROVIDER_NAMES and PROVIDERS differ")

# What `auto` tries, in order. WebGPU comes where it is installed; QNN wants quantised models and is
# used when asked for only.
ORDER: dict[str, tuple[str, ...]] = {
    "win32": (
        "nvtensorrtrtx",
        "tensorrt",
        "cuda",
        "directml",
        "windowsml",
        "openvino",
        "webgpu",
        "cpu",
    ),
    "linux": ("nvtensorrtrtx", "tensorrt", "cuda", "openvino", "webgpu", "cpu"),
    "darwin": ("coreml", "webgpu", "cpu"),
}

# Packages that bring a provider as a library beside plain onnxruntime, each with get_ep_name() and
# get_library_path().
PLUGINS: dict[str, str] = {
    "openvino": "onnxruntime_ep_openvino",
    "webgpu": "onnxruntime_ep_webgpu",
    "nvtensorrtrtx": "onnxruntime_ep_nv_tensorrt_rtx",
    "qnn": "onnxruntime_qnn",
}


@dataclass(frozen=True)
class Candidate:
    """A provider to try. name: short name. reason: why it is tried."""

    name: str
    reason: str

    @property
    def ort(self) -> str:
        """ONNX Runtime's name of the provider; the name itself for what is none."""
        return PROVIDERS[self.name].ort if self.name in PROVIDERS else self.name


@dataclass(frozen=True)
class ProviderUse:
    """asked and active: ONNX Runtime's names. reason: why this one was asked for, or why another
    one is active. placement: nodes by provider.
    """

    asked: str
    active: str
    reason: str
    placement: tuple[tuple[str, int], ...] = ()


def candidates(
    settings: Settings, offered: Sequence[str], platform: str = sys.platform
) -> tuple[str, list[Candidate]]:
    """ONNX Runtime's name of the provider that is asked for, and the providers to try in order; the
    CPU is last unless `strict` rules it out.

    offered: short names of what this ONNX Runtime can start. Raises BackendError `provider_failed`
    when a strictly asked one is not offered.
    """
    order = ORDER.get(platform, ("cpu",))
    ranked = [name for name in order if name in offered]
    if "cpu" not in offered:
        raise BackendError(
            "provider_failed",
            f"ONNX Runtime offers only {', '.join(offered) or 'nothing'}.",
            "Reinstall onnxruntime.",
        )
    asked = settings.provider
    if asked == "auto":
        if settings.strict:
            ranked = ranked[:1]
        why = f"first of {', '.join(order)} that is available"
        return PROVIDERS[ranked[0]].ort, [Candidate(name, why) for name in ranked]
    provider = PROVIDERS[asked]
    named = f"asked for by {settings.source('provider')}"
    if asked not in offered:
        missing = (
            f"{provider.ort} was {named}, but the installed ONNX Runtime has only"
            f" {', '.join(offered)}"
        )
        if settings.strict:
            fix = (
                f"Choose a Python with {provider.package}, or another provider, or switch strict"
                " off."
            )
            raise BackendError("provider_failed", f"{missing}.", fix)
        return provider.ort, [Candidate(name, missing) for name in ranked]
    rest = [] if settings.strict or asked == "cpu" else ranked
    return provider.ort, [
        Candidate(asked, named),
        *(Candidate(name, "") for name in rest if name != asked),
    ]


def listed(name: str, target: Target, offered: Sequence[str]) -> list[tuple[str, dict[str, str]]]:
    """What to hand to InferenceSession: the provider with its options, its helpers where offered,
    and the CPU for what is left over.
    """
    names = [name, *(helper for helper in PROVIDERS[name].helpers if helper in offered)]
    found = [(PROVIDERS[each].ort, PROVIDERS[each].options(target)) for each in names]
    return found if name == "cpu" else [*found, (CPU, {})]


def offered_by(ort: Any, platform: str = sys.platform) -> list[str]:
    """Short names of the providers that this ONNX Runtime can be asked for: built in, or a plugin
    with at least one device.
    """
    built_in = set(ort.get_available_providers())
    devices = {device.ep_name for device in _devices(ort)}
    found = [
        name
        for name, provider in PROVIDERS.items()
        if provider.ort in built_in or provider.ort in devices
    ]
    if platform == "win32" and any(
        device.device.type != ort.OrtHardwareDeviceType.CPU for device in _devices(ort)
    ):
        found.append("windowsml")
    return found


def register_plugins(ort: Any) -> dict[str, str]:
    """Register the libraries of installed plugin packages; short name -> what went wrong, for those
    that could not be registered.
    """
    failed: dict[str, str] = {}
    for name, module in PLUGINS.items():
        if importlib.util.find_spec(module) is None or not hasattr(
            ort, "register_execution_provider_library"
        ):
            continue
        try:
            package = importlib.import_module(module)
            ort.register_execution_provider_library(
                package.get_ep_name(), package.get_library_path()
            )
        except Exception as error:  # a library that does not load is a provider that is not there
            failed[name] = " ".join(str(error).split())[:300]
    return failed


def plugin_devices(ort: Any, name: str) -> list[Any]:
    """The devices of a provider that came as a plugin, [] for one that is built in."""
    if PROVIDERS[name].ort in ort.get_available_providers():
        return []
    return [device for device in _devices(ort) if device.ep_name == PROVIDERS[name].ort]


def keeps_engines(name: str) -> bool:
    """Whether a provider compiles engines that are worth keeping."""
    return name not in ("cpu", "cuda", "directml", "windowsml", "webgpu")


def _devices(ort: Any) -> list[Any]:
    return list(ort.get_ep_devices()) if hasattr(ort, "get_ep_devices") else []


def _profiles(shapes: Shapes) -> dict[str, str]:
    """TensorRT's texts: "input:1x2x3,other:4x5", for min, opt and max."""
    if not shapes:
        return {}
    texts = (
        [f"{name}:{'x'.join(map(str, triple[index]))}" for name, triple in shapes.items()]
        for index in range(3)
    )
    return dict(zip(("min", "opt", "max"), map(",".join, texts), strict=True))
