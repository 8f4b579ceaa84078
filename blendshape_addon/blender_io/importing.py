# SPDX-License-Identifier: GPL-3.0-or-later
"""Files of other programs, imported by Blender's own importers: with names where these look
for them, and in plain words what went wrong.
"""

from __future__ import annotations

import contextlib
import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import addon_utils
import bpy

from ..errors import AddonError
from ..vrm.glb import read_limited
from ..vrm.numbered import numbered
from . import gltf_facts

_EXCEPTION = re.compile(
    r"^(?:[a-z_]\w*\.)*((?!Location)[A-Z]\w*)(?:: (.*))?$", re.MULTILINE
)  # as Python ends a traceback

_NUMBER = re.compile(r"\.\d{3,}$")  # what Blender appends to names that are taken


def unreadable(path: Path, told: str) -> AddonError:
    """What Blender reported of a file that it could not read: its own words, or where its importer,
    a Python program, ended in an exception.
    """
    failed = _EXCEPTION.findall(told)
    if "Traceback" not in told or not failed:
        return AddonError(
            "input_unreadable",
            f"{path} cannot be read: {last_line(told)}.",
            "Open it in Blender, and export it again if that fails.",
        )
    kind, words = failed[-1]
    words = words.strip().rstrip(".")
    if kind == "KeyError":
        what = (
            f"it looks for {words.strip(chr(39))!r}, which the file refers to and does not hold"
            " where the importer expects it"
        )
    elif kind in ("RuntimeError", "Exception", "ImportError", "AssertionError") and words:
        what = words
    else:
        what = (
            f"the file is damaged or of an unusual kind ({kind}: {words})"
            if words
            else f"the file is damaged or of an unusual kind ({kind})"
        )
    fix = (
        "This is Blender's own importer: export the file again from the program that it comes from,"
        " also as .glb, or convert it with another program."
    )
    return AddonError(
        "input_unreadable",
        f"{path} cannot be imported by Blender {bpy.app.version_string}: {what}.",
        fix,
    )


def import_file(path: Path, number: bool = False) -> tuple[str, ...]:
    """Import a file into the open scene; what is lost by that, in sentences. number: of a .vrm,
    have each vertex say which one it is, see vrm.numbered. Raises AddonError `vrm_unwritable`.
    """
    if path.suffix.lower() == ".obj":
        bpy.ops.wm.obj_import(filepath=str(path))
        return ()
    if path.suffix.lower() == ".fbx":
        with_addon("io_scene_fbx")
        bpy.ops.import_scene.fbx(filepath=str(path))
        return ()
    with_addon("io_scene_gltf2")
    told = gltf_facts.facts(path)
    with _as_glb(path, told, number) as readable:
        # custom bone shapes would add a mesh object that is none of the avatar's
        bpy.ops.import_scene.gltf(filepath=str(readable), disable_bone_shape=True)
    if path.suffix.lower() == ".gltf":
        for morphs in told.morphs:
            _name_keys(morphs)
    return told.lost


def _name_keys(morphs: gltf_facts.Morphs) -> None:
    """Give the keys of imported meshes the names that the importer did not find; meshes are told by
    their names and their number of keys.
    """
    for mesh in bpy.data.meshes:
        if mesh.shape_keys is None or _NUMBER.sub("", mesh.name) != _NUMBER.sub("", morphs.mesh):
            continue
        keys = [key for key in mesh.shape_keys.key_blocks if key != mesh.shape_keys.reference_key]
        if len(keys) != len(morphs.names):
            continue
        for key, name in zip(keys, morphs.names, strict=True):
            if name:
                key.name = name


@contextlib.contextmanager
def _as_glb(path: Path, told: gltf_facts.Facts, number: bool) -> Iterator[Path]:
    """The path, or that of a copy with the ending that the importer wants of a .vrm, which is a
    .glb, with names where it looks for them, and with numbers if they are wanted.
    """
    changed = gltf_facts.readable(path, told)
    if number:
        changed = numbered(read_limited(path) if changed is None else changed)
    if path.suffix.lower() != ".vrm" and changed is None:
        yield path
        return
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / f"{path.stem}.glb"
        if changed is None:
            shutil.copyfile(path, copy)
        else:
            copy.write_bytes(changed)
        yield copy


def with_addon(name: str) -> None:
    """Make sure that one of Blender's own importers is enabled for this run."""
    if not addon_utils.check(name)[1]:
        addon_utils.enable(name, default_set=False)


def last_line(told: str) -> str:
    """The last line of what Blender reported, without its `Error:`."""
    lines = [line.strip() for line in told.splitlines() if line.strip()]
    return lines[-1].removeprefix("Error:").strip().rstrip(".") if lines else "no reason is given"
