# SPDX-License-Identifier: GPL-3.0-or-later
"""Models that can be named: those in the folder of the setting model_dir, and the shipped one.
Several versions may lie side by side.
"""

from __future__ import annotations

import re
import stat
from dataclasses import dataclass
from pathlib import Path

from .. import regular_file
from ..errors import BackendError
from .loading import SHIPPED
from .onnx_file import metadata_of
from .settings import Settings
from .variants import beside

_VERSION = re.compile(r"^(.+?)-v?(\d+(?:\.\d+)*)$")


@dataclass(frozen=True)
class Entry:
    """A model's file. name: with its version, such as face-1.1. precisions: those it has variants
    for. problem: why it cannot be used.
    """

    name: str
    path: str
    contract: str
    precisions: tuple[str, ...]
    megabytes: float
    problem: str = ""

    @property
    def family(self) -> str:
        """The name without the version."""
        match = _VERSION.match(self.name)
        return match[1] if match else self.name

    @property
    def version(self) -> tuple[int, ...]:
        """The version as numbers, () for none."""
        match = _VERSION.match(self.name)
        return tuple(map(int, match[2].split("."))) if match else ()


def catalogue(settings: Settings) -> list[Entry]:
    """The shipped model, then those of model_dir by name and version. Raises BackendError
    `input_missing` for a folder that is not there.
    """
    entries = [_entry(SHIPPED.with_name(f"{SHIPPED.name}.decoder.onnx"))]
    if settings.model_dir:
        folder = Path(settings.model_dir)
        if not _is_folder(folder):
            raise BackendError(
                "input_missing",
                f"There is no folder {folder} (model_dir).",
                f"Correct {settings.source('model_dir')}.",
            )
        files = [
            path
            for path in folder.glob("*.onnx")
            if not re.search(r"\.(encoder|fp16|int8)\.onnx$", path.name)
        ]
        entries += sorted(map(_entry, files), key=lambda entry: (entry.family, entry.version))
    return entries


def find_model(asked: str | Path | None, settings: Settings) -> Path | None:
    """The file of a model: a path is taken as it is, a name such as `face-1.1` or, for the newest
    version, `face` is looked up; None for none.

    Raises BackendError: `model_missing` for a name that there is not, `model_unreadable` for a path
    where no model may lie.
    """
    if asked is None or str(asked) == "":
        return None
    text = str(asked)
    if text.endswith((".onnx", ".ONNX")) or "/" in text or "\\" in text:
        try:
            regular_file.check_name(text)  # before anything asks the disk about it
        except regular_file.RefusedError as error:
            raise BackendError(
                "model_unreadable", f"The model {text[:300]} {error.reason}.", error.fix
            ) from None
        return Path(text)
    entries = catalogue(settings)
    fit = [entry for entry in entries if entry.name == text]
    fit = fit or sorted(
        (entry for entry in entries if entry.family == text), key=lambda entry: entry.version
    )
    if not fit:
        names = ", ".join(entry.name for entry in entries)
        raise BackendError(
            "model_missing",
            f"There is no model {text!r}.",
            f"Models are {names}; or give the path of an .onnx file.",
        )
    return Path(fit[-1].path)


def _is_folder(path: Path) -> bool:
    try:
        return stat.S_ISDIR(regular_file.status(path).st_mode)
    except OSError:
        return False


def _entry(path: Path) -> Entry:
    """What a file's metadata says; a file that is no model gets its problem told."""
    stem = path.name.removesuffix(".onnx").removesuffix(".decoder")
    try:
        metadata = metadata_of(path)
        size = regular_file.status(path).st_size / 2**20
    except (BackendError, OSError) as error:
        problem = error.message if isinstance(error, BackendError) else str(error)
        return Entry(stem, str(path), "", (), 0.0, problem=problem)
    contract = (
        "pair"
        if path.name.endswith(".decoder.onnx")
        else metadata.get("blendshape.contract", "plain")
    )
    return Entry(
        metadata.get("blendshape.name") or stem,
        str(path),
        contract,
        tuple(beside(path)),
        round(size, 2),
    )
