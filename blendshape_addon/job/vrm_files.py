# SPDX-License-Identifier: GPL-3.0-or-later
"""Expressions of VRM: in a .vrm that the batch command writes again with the new keys, and in the
data of the VRM add-on.
"""

from __future__ import annotations

from pathlib import Path

import bpy

from ..blender_io import vrm_addon
from ..blender_io.vrm_source import VrmSource
from ..errors import AddonError
from ..translations import tr
from ..vrm.expressions import Bound
from .outcome import Outcome

_SHOWN = 4  # names in a sentence


def source_of(path: Path, exported: Path | None) -> VrmSource | None:
    """The file that is to be written again, if that is wanted. Raises AddonError `vrm_needed`,
    `vrm_unwritable`, `input_missing`.
    """
    if exported is None or exported.suffix.lower() != ".vrm":
        return None
    try:
        return VrmSource(path)
    except OSError as error:
        raise AddonError(
            "input_missing", f"{path} cannot be read: {error.strerror}.", "Check the path."
        ) from error


def written(source: VrmSource | None, outcome: Outcome) -> tuple[bytes | None, Bound | None]:
    """The new file and what was bound, where there is a source. Raises AddonError
    `vrm_unmatched`, `vrm_unwritable`.
    """
    if source is None:
        return None, None
    everything = {outcome.object: outcome.written, **outcome.parts}
    return source.written(
        {
            name: {done.key_of(shape) for shape in (*done.added, *done.updated)}
            for name, done in everything.items()
        }
    )


def bound_here(face: bpy.types.Object, how: str) -> list[str]:
    """Bind expressions in the VRM add-on's data; what to know about it. how: see Options.vrm."""
    if how == "off":
        return []
    if not vrm_addon.enabled():
        return [tr("The VRM add-on for Blender is not enabled, so no expressions were bound.")]
    if vrm_addon.data_of(face) is None:
        return [tr("{name} has no armature, so no expressions were bound.").format(name=face.name)]
    return told(vrm_addon.bind(face, how))


def told(bound: Bound | None) -> list[str]:
    """A line about the expressions that were left as they are."""
    if bound is None or not bound.kept:
        return []
    more = len(bound.kept) - _SHOWN
    names = ", ".join(bound.kept[:_SHOWN])
    if more > 0:
        names = tr("{shown} and {count} more").format(shown=names, count=more)
    return [tr("Your own expressions were kept: {names}.").format(names=names)]
