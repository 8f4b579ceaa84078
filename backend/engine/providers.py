# SPDX-License-Identifier: GPL-3.0-or-later
"""Which execution provider a session is asked to use, and which one it really got.

ONNX Runtime only warns when a provider is missing or misconfigured and goes on with the CPU, so the active provider is compared with the
one asked for after every creation and both are reported.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..errors import BackendError

PROVIDER_VARIABLE = "BLENDSHAPE_PROVIDER"
CPU = "CPUExecutionProvider"
CUDA = "CUDAExecutionProvider"
DIRECTML = "DmlExecutionProvider"
COREML = "CoreMLExecutionProvider"

# Short name -> provider and its options. Valid option names: onnxruntime.ai, Execution Providers, CUDA / DirectML / CoreML.
PROVIDERS: dict[str, tuple[str, dict[str, str]]] = {
    "cpu": (CPU, {}),
    "cuda": (CUDA, {"arena_extend_strategy": "kSameAsRequested"}),
    "directml": (DIRECTML, {}),
    "coreml": (COREML, {"ModelFormat": "MLProgram", "MLComputeUnits": "ALL"}),
}

# CoreML compiles a model for every new number of points, which takes longer than the CPU needs; it is used when asked for only.
ORDER: dict[str, tuple[str, ...]] = {"linux": ("cuda", "cpu"), "win32": ("cuda", "directml", "cpu"), "darwin": ("cpu",)}


@dataclass(frozen=True)
class Choice:
    """name: short name. listed: what to hand to InferenceSession. reason: why this one. required: an error if it does not get active."""

    name: str
    listed: tuple[tuple[str, dict[str, str]], ...]
    reason: str
    required: bool

    @property
    def provider(self) -> str:
        """ONNX Runtime's name of the provider asked for."""
        return self.listed[0][0]


@dataclass(frozen=True)
class ProviderUse:
    """asked and active: ONNX Runtime's names. reason: why this one was asked for, or why another one is active."""

    asked: str
    active: str
    reason: str


def choose(available: Sequence[str], environment: Mapping[str, str] = os.environ, platform: str = sys.platform) -> Choice:
    """The provider to ask for: BLENDSHAPE_PROVIDER if set, else the first of this platform's order that the runtime was built with.

    Raises BackendError: `setting_invalid` for a name that is not in PROVIDERS, `provider_failed` when the named one is not available.
    """
    asked = environment.get(PROVIDER_VARIABLE, "").strip().lower()
    if asked and asked != "auto":
        if asked not in PROVIDERS:
            names = ", ".join(("auto", *PROVIDERS))
            raise BackendError("setting_invalid", f"{PROVIDER_VARIABLE} is {asked!r}.", f"Set it to one of {names}, or unset it.")
        if PROVIDERS[asked][0] not in available:
            raise BackendError(
                "provider_failed",
                f"The installed ONNX Runtime has no {PROVIDERS[asked][0]}; it has {', '.join(available)}.",
                f"Install a build of ONNX Runtime that has it, or unset {PROVIDER_VARIABLE}.",
            )
        return Choice(asked, _listed(asked), f"{PROVIDER_VARIABLE}={asked}", required=True)
    for name in ORDER.get(platform, ("cpu",)):
        if PROVIDERS[name][0] in available:
            return Choice(name, _listed(name), f"first of {', '.join(ORDER.get(platform, ('cpu',)))} that is available", required=False)
    raise BackendError("provider_failed", f"ONNX Runtime offers only {', '.join(available) or 'nothing'}.", "Reinstall onnxruntime.")


def compare(choice: Choice, active: Sequence[str]) -> ProviderUse:
    """What a new session got, from its get_providers(). Raises BackendError `provider_failed` if a required provider is not active."""
    first = active[0] if active else CPU
    if first == choice.provider:
        return ProviderUse(choice.provider, first, choice.reason)
    if choice.required:
        raise BackendError(
            "provider_failed",
            f"{choice.provider} was asked for but ONNX Runtime fell back to {first}.",
            f"Check the driver (the log says more), or unset {PROVIDER_VARIABLE}.",
        )
    return ProviderUse(choice.provider, first, f"{choice.provider} could not be started on this machine")


def _listed(name: str) -> tuple[tuple[str, dict[str, str]], ...]:
    return (PROVIDERS[name],) if name == "cpu" else (PROVIDERS[name], PROVIDERS["cpu"])
