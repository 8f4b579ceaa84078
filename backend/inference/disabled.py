# SPDX-License-Identifier: GPL-3.0-or-later
"""Providers that this process does not use any more for a model, because they failed on it."""

from __future__ import annotations

from . import runtime

_disabled: dict[tuple[str, str], str] = {}  # (provider, model hash) -> why


def disable(provider: str, model_hash: str, reason: str) -> None:
    """Do not use a provider for a model until the process ends.

    Args:
        provider: Its short name.
        model_hash: SHA-256 of the model's file, as hexadecimal digits.
        reason: What it did, in words that follow its name.
    """
    _disabled[provider, model_hash] = reason


def why_disabled(provider: str, model_hash: str) -> str:
    """Why a provider is not used for a model, in words that follow its name; "" if it may be."""
    return _disabled.get((provider, model_hash), "")


def disabled_providers() -> dict[str, str]:
    """Why which providers are disabled for any model, by short name, and which plugins could not be
    registered.
    """
    return {
        **runtime.failed_plugins(),
        **{name: reason for (name, _), reason in _disabled.items()},
    }


def enable_all() -> None:
    """Forget which providers were disabled."""
    _disabled.clear()
