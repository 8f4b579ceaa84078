# SPDX-License-Identifier: GPL-3.0-or-later
"""Files of the batch command: opening or importing one, saving and exporting under a temporary name
that is renamed when complete.
"""

from __future__ import annotations

import contextlib
import errno
import os
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import bpy

from ..errors import AddonError
from ..foreign import READABLE
from ..shared import leftovers, replace_file, temporary_beside
from . import export_check, file_export
from .importing import import_file, last_line, unreadable
from .vrm_source import VrmSource

_FULL = {errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC)}
# Blender reports only text, of the C library in the system's language: these are the untranslated
# ones
_FULL_WORDS = (
    *(os.strerror(number).lower() for number in _FULL),
    "no space left",
    "file too large",
)
_PIECE = 1 << 20
_ZSTD = b"\x28\xb5\x2f\xfd"


def check_readable(path: Path) -> None:
    """Raise AddonError unless the file is there and of a known type: `input_missing`,
    `format_unknown`.
    """
    if not path.is_file():
        raise AddonError("input_missing", f"There is no file {path}.", "Check the path.")
    if path.suffix.lower() not in READABLE:
        raise AddonError(
            "format_unknown",
            f"{path} is not of a type that can be read.",
            f"Types are {', '.join(READABLE)}.",
        )


def read_scene(path: Path, source: VrmSource | None = None) -> tuple[str, ...]:
    """Replace what is open by a .blend file (its scripts are not run), or by an empty scene with an
    imported file. source: of a .vrm that is to be written again. Returns what is lost by that.

    Raises AddonError: `input_missing`, `input_unreadable`, `format_unknown`, with a source
    `vrm_unwritable` and `vrm_unmatched`.
    """
    check_readable(path)
    lost: tuple[str, ...] = ()
    try:
        if path.suffix.lower() == ".blend":
            bpy.ops.wm.open_mainfile(filepath=str(path), load_ui=False, use_scripts=False)
            return lost
        bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True, load_ui=False)
        with in_window():
            if source is None:
                lost = import_file(path)
            else:
                lost = import_file(path, number=True)
                source.take_numbers()
    except RuntimeError as error:
        raise unreadable(path, str(error)) from error
    if not bpy.data.objects:
        raise AddonError(
            "input_unreadable",
            f"{path} holds no objects, or it is damaged.",
            "Open it in Blender, and export it again if that fails.",
        )
    return lost


def close_scene() -> None:
    """Let go of what is open, before a Python that has Blender as a module ends: with drivers of a
    file still there it hangs for ever.
    """
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True, load_ui=False)


@contextlib.contextmanager
def in_window() -> Iterator[None]:
    """A context with a window: `blender FILE --command` starts without one, and then operators and
    exporters miss the active object.
    """
    windows = bpy.context.window_manager.windows
    if bpy.context.window is None and len(windows):
        with bpy.context.temp_override(window=windows[0]):
            yield
    else:
        yield


def is_compressed(path: Path) -> bool:
    """True for a .blend file that is compressed."""
    with path.open("rb") as file:
        return file.read(4) == _ZSTD


def write_scene(
    target: Path, compress: bool, exported: Path | None, content: bytes | None = None
) -> dict[str, float]:
    """Write what is open to `target` as a copy, and to `exported` (.glb or .fbx) unless None: both
    whole, or neither. content: what is written there instead. Seconds of each, and of waiting for
    the disk.

    Raises AddonError: `disk_full`, `output_unwritable`.
    """
    seconds: dict[str, float] = {}
    with contextlib.ExitStack() as stack:
        began = time.perf_counter()
        temporary = stack.enter_context(_renamed(target))
        bpy.ops.wm.save_as_mainfile(filepath=str(temporary), copy=True, compress=compress)
        seconds["save"] = time.perf_counter() - began
        if exported is not None:
            began = time.perf_counter()
            beside = stack.enter_context(_renamed(exported))
            if content is None:
                file_export.write(
                    beside, (), True, file_export.kind_of(file_export.BY_NAME, beside)
                )
            else:
                beside.write_bytes(content)
            seconds["export"] = time.perf_counter() - began
        began = time.perf_counter()
    seconds["settle"] = time.perf_counter() - began
    return seconds


def export_scene(
    target: Path,
    objects: Sequence[bpy.types.Object] = (),
    animation: bool = True,
    kind: str = file_export.BY_NAME,
) -> list[str]:
    """Export what is seen, with its shape keys, to a file, whole or not at all, and read it back:
    what it holds otherwise, in sentences. Raises AddonError: `disk_full`, `output_unwritable`,
    `usage`.

    target: .glb, .fbx or .vrm, as the kind asks. objects: these alone; without, everything.
    animation: with actions. kind: the name of one of `file_export.KINDS`.
    """
    wanted = file_export.kind_of(kind, target)
    with in_window(), _renamed(target) as temporary:
        return export_check.differences(
            temporary, file_export.write(temporary, objects, animation, wanted)
        )


def prepare_folder(folder: Path) -> None:
    """Make the folder unless it is there, and try that it can be written. Raises AddonError:
    `disk_full`, `output_unwritable`.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=folder, prefix=".blendshapes-"):
            pass
    except OSError as error:
        raise unwritable(folder, error) from error


def write_text(target: Path, text: str) -> None:
    """Write a UTF-8 file whole or not at all. Raises AddonError: `disk_full`,
    `output_unwritable`.
    """
    try:
        replace_file(
            target, text.encode("utf-8", "backslashreplace")
        )  # a path may hold bytes that are no text; in JSON \\udcff says so
    except OSError as error:
        raise unwritable(target, error) from error


@contextlib.contextmanager
def _renamed(target: Path) -> Iterator[Path]:
    """A temporary path beside `target` that becomes it if the block inside succeeds, and is removed
    if not.
    """
    # not a folder of its own: Blender keeps paths of pictures relative to the file that it writes
    temporary = temporary_beside(target, target.suffix)
    try:
        yield temporary
        if temporary.is_symlink() or not temporary.is_file() or not temporary.stat().st_size:
            raise AddonError(
                "output_unwritable", f"{target} was not written.", "The console's text tells why."
            )
        _settle(temporary)
        temporary.replace(target)
    except OSError as error:
        raise unwritable(target, error) from error
    # Blender's reason for a failed save is often that of a later call, so look for oneself
    except RuntimeError as error:
        raise (
            _full(target) if not _room(target.parent) else _failed(target, last_line(str(error)))
        ) from error
    finally:
        for left in (temporary, Path(f"{temporary}@")):  # Blender itself writes to NAME@ first
            with contextlib.suppress(OSError):
                left.unlink(missing_ok=True)


def remove_leftovers(target: Path) -> None:
    """Remove what a run that was killed left of writing `target`; for who knows that nobody is
    writing it now.
    """
    for left in leftovers(target):
        with contextlib.suppress(OSError):
            left.unlink(missing_ok=True)


def _settle(path: Path) -> None:
    """See that the file is on the disk before it takes its name, so that a power cut leaves no
    empty output.
    """
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def _room(folder: Path) -> bool:
    """True unless writing as much as the shape keys need into the folder finds the disk full."""
    needed = _PIECE + sum(
        12 * len(key.reference_key.points) * len(key.key_blocks) for key in bpy.data.shape_keys
    )
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            for _ in range(0, needed, _PIECE):
                file.write(bytes(_PIECE))
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        return error.errno not in _FULL
    return True


def unwritable(target: Path, error: OSError) -> AddonError:
    """The error of a file or folder that cannot be written: `disk_full` or `output_unwritable`."""
    return _full(target) if error.errno in _FULL else _failed(target, error.strerror or str(error))


def _failed(target: Path, reason: str) -> AddonError:
    if any(word in reason.lower() for word in _FULL_WORDS):
        return _full(target)
    return AddonError(
        "output_unwritable",
        f"{target} cannot be written: {reason}.",
        "Choose a folder that you may write to.",
    )


def _full(target: Path) -> AddonError:
    return AddonError(
        "disk_full",
        f"The disk is full, {target} was not written.",
        "Free some space, or choose another folder.",
    )
