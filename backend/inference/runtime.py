# SPDX-License-Identifier: GPL-3.0-or-later
"""The installed ONNX Runtime: its version, the providers that it can start, and its words."""

from __future__ import annotations

import threading
from typing import Any

from ..errors import BackendError
from . import providers

try:
    import onnxruntime
# a broken wheel raises ImportError, OSError or its own types, "DLL load failed" among them
except Exception as error:
    raise BackendError(
        "runtime_missing",
        f"ONNX Runtime cannot be imported: {error}.",
        "Reinstall the extension for this platform (on Windows also the Microsoft Visual C++"
        " runtime), or run: pip install onnxruntime.",
    ) from error

ort: Any = onnxruntime
_plugins_failed: dict[str, str] = {}  # short name -> why
_prepare = threading.Lock()
_prepared = False


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
            _plugins_failed.update(providers.register_plugins(ort))
            _prepared = True
    return providers.offered_by(ort)


def failed_plugins() -> dict[str, str]:
    """Plugins that could not be registered, by the short name of their provider: why."""
    return dict(_plugins_failed)


def first_line(error: BaseException) -> str:
    """The first line of an exception's text, without ONNX Runtime's prefix, at most 300
    characters.
    """
    text = (str(error).strip() or type(error).__name__).splitlines()[0]
    return text.removeprefix("[ONNXRuntimeError] : ")[:300]
