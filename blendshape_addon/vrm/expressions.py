# SPDX-License-Identifier: GPL-3.0-or-later
"""Expressions of VRM 1.0 and blend shape clips of VRM 0.x that name morph targets, in a file's
JSON.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .glb import Json, mapping, objects, unwritable
from .targets import Target

OLD, NEW = "VRM", "VRMC_vrm"
OVERRIDES = ("overrideBlink", "overrideLookAt", "overrideMouth")
_BINDS_OLD = ("binds", "materialValues")
_BINDS_NEW = ("morphTargetBinds", "materialColorBinds", "textureTransformBinds")
CLIPS = {"blink_l": "Blink_L", "blink_r": "Blink_R", "lookup": "LookUp", "lookdown": "LookDown",
          "lookleft": "LookLeft", "lookright": "LookRight"}  # fmt: skip


@dataclass(frozen=True)
class Expression:
    """What is bound. name: a preset of VRM 1.0, or a name of its own; old: the preset of VRM 0.x,
    where there is one; custom: whether it is no preset of VRM 1.0; keys: key -> how far it is on, 0
    to 1; overrides: what is kept from moving the face meanwhile, as VRM 1.0 names it.
    """

    name: str
    old: str
    custom: bool
    keys: Mapping[str, float]
    overrides: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Bound:
    """Names of the expressions that were bound, and of those that were there already."""

    made: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()


def version_of(content: Mapping[str, Any]) -> str:
    """OLD or NEW. Raises AddonError `vrm_unwritable` for a file that is neither."""
    extensions = mapping(content, "extensions")
    for name in (NEW, OLD):
        if name in extensions:
            mapping(extensions, name)
            return name
    raise unwritable("it says nothing of VRM")


def bind(
    content: Json, expressions: Sequence[Expression], targets: Mapping[str, Sequence[Target]]
) -> Bound:
    """Write the expressions into a file's JSON. One that is there already and does something else
    is kept. targets: the morph targets of each key. Raises AddonError `vrm_unwritable`.
    """
    names: dict[bool, list[str]] = {True: [], False: []}
    extension = content["extensions"][version_of(content)]
    for expression in expressions:
        binds = [
            (target, weight)
            for key, weight in expression.keys.items()
            for target in _moving(targets.get(key, ()))
        ]
        if not binds:
            continue
        if version_of(content) == OLD:
            made = _bind_old(extension, expression, binds)
        else:
            made = _bind_new(content, extension, expression, binds)
        names[made].append(expression.name)
    return Bound(tuple(names[True]), tuple(names[False]))


def _moving(targets: Sequence[Target]) -> Sequence[Target]:
    """Those of a key's targets that move something, or all where none does."""
    return [target for target in targets if target.moves] or targets


def _bind_old(extension: Json, expression: Expression, binds: list[tuple[Target, float]]) -> bool:
    master = extension.setdefault("blendShapeMaster", {})
    groups = objects(mapping(extension, "blendShapeMaster"), "blendShapeGroups")
    master["blendShapeGroups"] = groups
    preset = expression.old or "unknown"
    same = [
        group
        for group in groups
        if (_text(group, "presetName") or "unknown") == preset
        and (expression.old or _text(group, "name") == expression.name.casefold())
    ]
    wanted = [
        {"mesh": target.mesh, "index": target.place, "weight": 100 * weight}
        for target, weight in binds
    ]
    if any(group.get(name) for group in same for name in _BINDS_OLD):
        return any(group.get("binds") == wanted for group in same)
    if not same:
        name = CLIPS.get(preset, preset.capitalize()) if expression.old else titled(expression.name)
        same = [{"name": name, "presetName": preset, "materialValues": [], "isBinary": False}]
        groups.extend(same)
    same[0]["binds"] = wanted
    return True


def _bind_new(
    content: Json, extension: Json, expression: Expression, binds: list[tuple[Target, float]]
) -> bool:
    expressions = mapping(extension, "expressions")
    extension["expressions"] = expressions
    kind = "custom" if expression.custom else "preset"
    held = mapping(expressions, kind)
    expressions[kind] = held
    name = next(
        (name for name in held if name.casefold() == expression.name.casefold()),
        expression.name if not expression.custom else titled(expression.name),
    )
    there = mapping(held, name)
    wanted = [
        {"node": number, "index": target.place, "weight": weight}
        for target, weight in binds
        for number, node in enumerate(objects(content, "nodes"))
        if node.get("mesh") == target.mesh
    ]
    if any(there.get(kind_) for kind_ in _BINDS_NEW):
        return bool(there.get(_BINDS_NEW[0]) == wanted)
    held[name] = {
        "isBinary": False,
        **dict.fromkeys(OVERRIDES, "none"),
        **there,
        **expression.overrides,
        "morphTargetBinds": wanted,
    }
    return True


def titled(name: str) -> str:
    """A name of its own with a capital first, as the apps of Perfect Sync have it."""
    return name[:1].upper() + name[1:]


def _text(holder: Mapping[str, Any], name: str) -> str:
    value = holder.get(name)
    return value.casefold() if isinstance(value, str) else ""
