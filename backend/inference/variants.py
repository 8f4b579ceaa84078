# SPDX-License-Identifier: GPL-3.0-or-later
"""Variants of a model in another precision: a file beside it, used only when it was measured and
keeps the model's quality.

`NAME.decoder.onnx` may have `NAME.decoder.int8.onnx` and `NAME.decoder.fp16.onnx`, made by
scripts/tools/quantise.py. Their metadata `blendshape.variant` is JSON: `precision`, `of` (SHA-256
of the file it was made from), `method`, `mae_rise` (relative rise of the mean error on heads with
known shapes), `time` (part of the model's time on the CPU), `heads`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from .. import regular_file
from ..values import is_number

MAX_RISE = 0.02  # of the mean error; beyond it a variant is not offered
PRECISIONS = ("fp16", "int8")
KEY = "blendshape.variant"


def variant_path(path: Path, precision: str) -> Path:
    """Where a model's variant lies: NAME.decoder.onnx -> NAME.decoder.int8.onnx."""
    return path.with_name(f"{path.stem}.{precision}{path.suffix}")


def refusal(metadata: Mapping[str, str], precision: str, original: str) -> str:
    """Why a variant with this metadata is not used for the model with the hash `original`, in words
    after its name; "" if it is.
    """
    try:
        told = json.loads(metadata.get(KEY, ""))
    except (ValueError, RecursionError):
        told = None
    if not isinstance(told, dict):
        return f"has no metadata {KEY} that says how it was measured"
    rise = told.get("mae_rise")
    if told.get("precision") != precision:
        return f"says it is {told.get('precision')!r:.20}, not {precision}"
    if told.get("of") != original:
        return "was made from another model"
    if not is_number(rise):
        return "does not tell its error"
    if rise >= MAX_RISE:
        return f"raises the mean error by {rise:.1%}, more than {MAX_RISE:.0%}"
    return ""


def beside(path: Path) -> list[str]:
    """Precisions that a model has a variant's file for."""
    return [
        precision
        for precision in PRECISIONS
        if regular_file.is_regular(variant_path(path, precision))
    ]
