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
from ..typed import as_its_type
from . import export_check, key_export
from .avatar_objects import selected
from .importing import import_file, last_line, unreadable, with_addon
from .modes import object_mode
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
                _export(beside)
            else:
                beside.write_bytes(content)
            seconds["export"] = time.perf_counter() - began
        began = time.perf_counter()
    seconds["settle"] = time.perf_counter() - began
    return seconds


def export_scene(
    target: Path, objects: Sequence[bpy.types.Object] = (), animation: bool = True
) -> list[str]:
    """Export what is seen, with its shape keys, to a .glb or .fbx file, whole or not at all, and
    read it back: what it holds otherwise, in sentences. Raises AddonError: `disk_full`,
    `output_unwritable`.

    objects: these alone; without, everything. animation: with actions.
    """
    with in_window(), _renamed(target) as temporary:
        return export_check.differences(temporary, _export(temporary, objects, animation))


def _export(
    path: Path, objects: Sequence[bpy.types.Object] = (), animation: bool = True
) -> list[export_check.Wanted]:
    """Export what is seen with its shape keys, which applied modifiers would drop; an armature is
    exported as a skin all the same. Returns what the file is to hold.

    For Unity scales are in the file's unit (FBX All), so that objects have the scale 1 there;
    transforms are not applied, which Blender's exporter does wrong where there are bones.
    """
    with (
        _armatures_shown(),
        object_mode(*key_export.visible_meshes()),
        key_export.as_files_hold_them(),
        selected(objects) if objects else contextlib.nullcontext(),
    ):
        wanted = export_check.wanted(
            ob for ob in key_export.visible_meshes() if not objects or ob in objects
        )
        if path.suffix == ".glb":
            with_addon("io_scene_gltf2")
            # normals of morph targets double the file, and toon shading looks better without
            bpy.ops.export_scene.gltf(
                filepath=str(path),
                export_format="GLB",
                use_visible=True,
                use_selection=bool(objects),
                export_animations=animation,
                export_morph=True,
                export_morph_normal=False,
                export_apply=False,
            )
        else:
            with_addon("io_scene_fbx")
            bpy.ops.export_scene.fbx(
                filepath=str(path),
                use_visible=True,
                use_selection=bool(objects),
                bake_anim=animation,
                use_mesh_modifiers=False,
                add_leaf_bones=False,
                apply_scale_options="FBX_SCALE_ALL",
                object_types={"ARMATURE", "MESH", "EMPTY"},
                mesh_smooth_type="OFF",  # normals say it, custom ones too
            )
        return wanted


@contextlib.contextmanager
def _armatures_shown() -> Iterator[None]:
    """What meshes that are seen hang on, armatures and parents, is seen as well for the time
    inside: riggers hide them, and an avatar needs them.
    """
    bpy.context.view_layer.update()
    needed: dict[str, bpy.types.Object] = {}
    for ob in bpy.context.scene.objects:
        if ob.type == "MESH" and ob.visible_get():
            todo = [
                ob.parent,
                *(
                    as_its_type(modifier).object
                    for modifier in ob.modifiers
                    if modifier.type == "ARMATURE"
                ),
            ]
            while todo:
                other = todo.pop()
                if other is not None and other.name_full not in needed:
                    needed[other.name_full] = other
                    todo.append(other.parent)
    hidden = [ob for ob in needed.values() if not ob.visible_get() and ob.type != "MESH"]
    before = [
        (ob, ob.hide_viewport, ob.name in bpy.context.view_layer.objects and ob.hide_get())
        for ob in hidden
    ]
    shelf = bpy.data.collections.new("Shown for the export")
    try:
        bpy.context.scene.collection.children.link(shelf)
        for ob in hidden:
            shelf.objects.link(ob)  # its own collections may be hidden
            ob.hide_viewport = False
        bpy.context.view_layer.update()
        for ob in hidden:
            ob.hide_set(False)
        bpy.context.view_layer.update()
        yield
    finally:
        for ob, monitor, eye in before:
            ob.hide_viewport = monitor
            ob.hide_set(eye)
        bpy.data.collections.remove(shelf)
        bpy.context.view_layer.update()


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
