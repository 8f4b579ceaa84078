# SPDX-License-Identifier: GPL-3.0-or-later
"""What a glTF file or a VRM says that Blender's importer does not keep: names of morph targets, and
VRM's own data. Imports no bpy.

Exporters put the names into different places. The glTF specification leaves that open and
recommends the mesh's `extras.targetNames`; UniVRM 0.x also wrote them into the primitives' extras
and into each target; where there are none, VRM's expressions name single morph targets.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

MAX_JSON = 1 << 26  # bytes: the JSON part of a large avatar has one or two million
MOST_TARGETS = 10_000
_GLB, _JSON = b"glTF", b"JSON"
_INSIDE = ("extras", "extra")  # of a target, where names may be
FULL = 0.99  # of a morph target's weight: an expression that binds one so far is that morph target


@dataclass(frozen=True)
class Morphs:
    """A mesh's morph targets. mesh: its name as Blender gives it; names: of each target, empty
    where the file has none or the importer finds it.
    """

    mesh: str
    names: tuple[str, ...]


@dataclass(frozen=True)
class Facts:
    """morphs: of the meshes that have targets. lost: what the importer drops, in sentences."""

    morphs: tuple[Morphs, ...] = ()
    lost: tuple[str, ...] = ()


def facts(path: Path) -> Facts:
    """Of a .gltf, .glb or .vrm file; nothing for one that is damaged, which the importer tells
    better.
    """
    try:
        data = json.loads(_text(path))
    except (OSError, ValueError, RecursionError, struct.error):
        return Facts()
    if not isinstance(data, dict):
        return Facts()
    return Facts(
        tuple(entry for entry in _all_morphs(data) if any(entry.names)), tuple(_lost(data))
    )


def readable(path: Path, told: Facts) -> bytes | None:
    """The bytes of a .glb or .vrm file with its names where Blender's importer looks for them, and
    without those inside of targets, at which it breaks off (UniVRM's first versions wrote such
    files); None where nothing has to be changed. Raises OSError.
    """
    if not told.morphs:
        return None
    data = path.read_bytes()
    if data[:4] != _GLB:
        return None
    (size,) = struct.unpack_from("<I", data, 12)
    content = json.loads(data[20 : 20 + size])
    named = {
        number: morphs for number, morphs in enumerate(_all_morphs(content)) if any(morphs.names)
    }
    for number, morphs in named.items():
        mesh = content["meshes"][number]
        known = _target_names(mesh)
        names = [
            name or _at(known, place) or f"target_{place}"
            for place, name in enumerate(morphs.names)
        ]
        mesh["extras"] = {**_dict(mesh, "extras"), "targetNames": names}
        for primitive in _listed(mesh, "primitives"):
            for target in _listed(primitive, "targets"):
                for key in _INSIDE:
                    target.pop(key, None)
    text = json.dumps(content).encode()
    text += b" " * (-len(text) % 4)
    rest = data[20 + size :]
    return (
        _GLB
        + struct.pack("<II", 2, 20 + len(text) + len(rest))
        + struct.pack("<I", len(text))
        + _JSON
        + text
        + rest
    )


def _all_morphs(data: Mapping[str, Any]) -> list[Morphs]:
    of_vrm = _vrm_names(data)
    return [
        Morphs(_name(mesh, f"Mesh_{number}"), _names(mesh, of_vrm.get(number, {})))
        for number, mesh in enumerate(_listed(data, "meshes"))
    ]


def _text(path: Path) -> bytes:
    """The JSON of the file. Raises OSError, ValueError and struct.error for what is none."""
    with path.open("rb") as file:
        start = file.read(20)
        if start[:4] != _GLB:
            return start + file.read(MAX_JSON)
        size, kind = struct.unpack("<I4s", start[12:20])
        if kind != _JSON or size > MAX_JSON:
            raise ValueError("no JSON comes first")
        return file.read(size)


def _names(mesh: Mapping[str, Any], of_vrm: Mapping[int, str]) -> tuple[str, ...]:
    """Names of the targets of a mesh, where the importer does not find them."""
    primitives = _listed(mesh, "primitives")
    count = min(
        max((len(_listed(primitive, "targets")) for primitive in primitives), default=0),
        MOST_TARGETS,
    )
    known = _target_names(mesh)
    found = []
    for number in range(count):
        if number < len(known) and known[number]:
            found.append("")
            continue
        places = [
            *(_at(_target_names(primitive), number) for primitive in primitives),
            *_in_targets(primitives, number),
            of_vrm.get(number, ""),
        ]
        found.append(next((name for name in places if name), ""))
    return tuple(found)


def _target_names(holder: Mapping[str, Any]) -> list[str]:
    extras = holder.get("extras")
    names = extras.get("targetNames") if isinstance(extras, dict) else None
    return [_clean(name) for name in names] if isinstance(names, list) else []


def _in_targets(primitives: list[dict[str, Any]], number: int) -> Iterator[str]:
    """The name that a target has in itself."""
    for primitive in primitives:
        targets = primitive["targets"] if isinstance(primitive.get("targets"), list) else []
        target = (
            targets[number] if number < len(targets) and isinstance(targets[number], dict) else {}
        )
        for key in _INSIDE:
            extras = target.get(key)
            yield _clean(extras.get("name")) if isinstance(extras, dict) else ""


def _vrm_names(data: Mapping[str, Any]) -> dict[int, dict[int, str]]:
    """mesh -> target -> the expression that is this target alone, of VRM 0.x and 1.0."""
    found: dict[int, dict[int, str]] = {}
    old = _dict(_extension(data, "VRM"), "blendShapeMaster")
    for group in _listed(old, "blendShapeGroups"):
        binds = _listed(group, "binds")
        if len(binds) == 1 and _number(binds[0].get("weight")) >= 100 * FULL:
            _remember(
                found,
                binds[0].get("mesh"),
                binds[0].get("index"),
                _clean(group.get("name")) or _clean(group.get("presetName")),
            )
    nodes = _listed(data, "nodes")
    expressions = _dict(_extension(data, "VRMC_vrm"), "expressions")
    for kind in ("preset", "custom"):
        for name, expression in _dict(expressions, kind).items():
            binds = _listed(expression, "morphTargetBinds") if isinstance(expression, dict) else []
            node = binds[0].get("node") if len(binds) == 1 else None
            if (
                isinstance(node, int)
                and 0 <= node < len(nodes)
                and _number(binds[0].get("weight")) >= FULL
            ):
                _remember(found, nodes[node].get("mesh"), binds[0].get("index"), _clean(name))
    return found


def _remember(found: dict[int, dict[int, str]], mesh: object, target: object, name: str) -> None:
    if isinstance(mesh, int) and isinstance(target, int) and name:
        found.setdefault(mesh, {}).setdefault(target, name)


def _lost(data: Mapping[str, Any]) -> Iterator[str]:
    old, new = _extension(data, "VRM"), _extension(data, "VRMC_vrm")
    if not old and not new:
        return
    springs = old.get("secondaryAnimation") or _extension(data, "VRMC_springBone")
    kept = ["humanoid", "expressions", *(["spring bones"] if springs else []), "licence"]
    words = f"{', '.join(kept[:-1])} and {kept[-1]}"
    yield (
        f"What makes this file a VRM ({words}) is not kept: to keep it, open the file with the VRM"
        " add-on for Blender and generate there."
    )


def _extension(data: Mapping[str, Any], name: str) -> dict[str, Any]:
    return _dict(_dict(data, "extensions"), name)


def _dict(holder: Mapping[str, Any], name: str) -> dict[str, Any]:
    value = holder.get(name)
    return value if isinstance(value, dict) else {}


def _listed(holder: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    """The objects of a list, others as empty ones, so that numbers still count."""
    value = holder.get(name)
    return (
        [entry if isinstance(entry, dict) else {} for entry in value]
        if isinstance(value, list)
        else []
    )


def _at(names: list[str], number: int) -> str:
    return names[number] if number < len(names) else ""


def _name(mesh: Mapping[str, Any], other: str) -> str:
    return _clean(mesh.get("name")) or other


def _clean(name: object) -> str:
    """A name as one line without blanks around it, "" for what is no text."""
    return (
        "".join(letter for letter in name if letter.isprintable()).strip()
        if isinstance(name, str)
        else ""
    )


def _number(value: object) -> float:
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else 0.0
