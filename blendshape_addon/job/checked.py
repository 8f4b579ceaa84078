# SPDX-License-Identifier: GPL-3.0-or-later
"""What about a scene keeps keys from being made, or from being right, told before the click."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import bpy

from ..blender_io.findings import Finding, listed
from ..blender_io.parts import NONE, Part
from ..typed import keys_of, mesh_of

ONLY_BEFORE = frozenset(
    {"MIRROR", "SUBSURF", "MULTIRES", "REMESH", "DECIMATE", "SOLIDIFY"}
)  # modifiers that are applied before there are keys


def scene_findings(
    ob: bpy.types.Object, parts: Sequence[Part] = (), out_of_reach: Sequence[Part] = ()
) -> list[Finding]:
    """About the face's object and the avatar's other objects. parts: all of them; out_of_reach:
    those that no key can be added to. Quick.
    """
    moving = [part.ob for part in parts if part.role != NONE]
    found = [*_absolute(ob), *_of_face(ob)]
    for other in moving:
        found += [*_absolute(other), *_mirrors(other, True)]
    found += _shared(ob, moving)
    if out_of_reach:
        names = tuple(part.ob.name for part in out_of_reach)
        found.append(Finding("part_not_editable", {"names": listed(names)}, names))
    following = tuple(part.ob.name for part in parts if part.why == "modifier")
    if following:
        found.append(Finding("part_follows", {"names": listed(following)}, following))
    return found


def _of_face(ob: bpy.types.Object) -> Iterator[Finding]:
    mesh = mesh_of(ob)
    users = mesh.users - mesh.use_fake_user
    if users > 1:
        yield Finding("mesh_shared", {"count": str(users), "mesh": repr(mesh.name)}, (ob.name,))
    yield from _mirrors(ob, False)
    for modifier in ob.modifiers:
        shown = modifier.type == "MIRROR" and modifier.show_viewport  # which is told already
        if modifier.type in ONLY_BEFORE and not shown and mesh.shape_keys is None:
            yield Finding("not_applicable", {"modifier": repr(modifier.name)}, (ob.name,))


def _mirrors(ob: bpy.types.Object, part: bool) -> Iterator[Finding]:
    if not any(modifier.type == "MIRROR" and modifier.show_viewport for modifier in ob.modifiers):
        return
    code = ("part_" if part else "") + (
        "mirrored" if mesh_of(ob).shape_keys is None else "mirrored_keys"
    )
    yield Finding(code, {"object": repr(ob.name)}, (ob.name,))


def _absolute(ob: bpy.types.Object) -> Iterator[Finding]:
    if mesh_of(ob).shape_keys is not None and not keys_of(ob).use_relative:
        yield Finding("absolute_keys", {"object": repr(ob.name)}, (ob.name,))


def _shared(ob: bpy.types.Object, moving: Sequence[bpy.types.Object]) -> Iterator[Finding]:
    """Parts that share a mesh with each other or with the face."""
    owners: dict[str, list[str]] = {}
    for other in (ob, *moving):
        owners.setdefault(mesh_of(other).name_full, []).append(other.name)
    for names in owners.values():
        if len(names) > 1:
            yield Finding("parts_share_mesh", {"names": listed(names)}, tuple(names))
