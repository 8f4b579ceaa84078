# SPDX-License-Identifier: GPL-3.0-or-later
"""What a user does with the shapes that were made, one function per story, as in stories.py."""

from __future__ import annotations

import itertools
import sys
from typing import Any

import bpy
import numpy as np
from hand import Hand, Steps
from stories import begin, click_to_keys, keys, the_object


def module(name: str) -> Any:
    """A module of the installed extension, by the end of its name."""
    whole = f"blendshape_auto_generator.blendshape_addon.{name}"
    return next(one for key, one in sys.modules.items() if key.endswith(whole))


def blocks() -> dict[str, list[str]]:
    """Names of the file's data-blocks of the kinds that a picture of a scene would need."""
    kinds = ("scenes", "objects", "meshes", "materials", "images", "cameras", "worlds", "lights")
    return {kind: sorted(block.name for block in getattr(bpy.data, kind)) for kind in kinds}


def drawn(hand: Hand) -> Steps:
    """Wait until every picture that is seen is drawn."""
    pictures = module("job.pictures")
    yield from hand.wait(4)
    yield from hand.until(lambda: not pictures.busy(), 60, "the pictures")
    yield from hand.wait(4)


def tiles() -> dict[str, Any]:
    """Pictures by their keys' names, float32 (H,W,4)."""
    found = {}
    for (_identity, name), one in module("job.pictures")._pictures.items():
        pixels = np.empty(len(one.preview.image_pixels_float), np.float32)
        one.preview.image_pixels_float.foreach_get(pixels)
        found[name] = pixels.reshape(*reversed(one.preview.image_size), 4)
    return found


def pictures_story(hand: Hand, seen: dict[str, object]) -> Steps:
    """Pictures of the shapes in Results: drawn while the window lives, again after a change, and
    not in Edit Mode; the search; nothing is left in the file.
    """
    pictures = module("job.pictures")
    yield from begin(hand)
    yield from click_to_keys(hand, seen)
    before = blocks()
    yield from drawn(hand)
    seen["picture"] = hand.picture("pictures")
    first = tiles()
    seen["names"] = sorted(first)
    seen["spread"] = {name: float(one[..., :3].std()) for name, one in first.items()}
    listed = [name for name in keys() if name in first]
    seen["differ"] = [
        float(np.abs(first[a] - first[b]).max()) for a, b in itertools.pairwise(listed)
    ]
    np.savez(hand.folder / f"{hand.prefix}_tiles.npz", **first)
    made, seen["work"], seen["read"] = pictures.figures()
    seen["left"] = {kind: names for kind, names in blocks().items() if names != before[kind]}
    seen["why"] = pictures.why()
    yield from hand.wait(20)
    seen["again"] = pictures.figures()[0] - made
    key = the_object().data.shape_keys.key_blocks[listed[0]]
    for point in key.points:
        point.co.z += 0.01
    the_object().data.update()
    yield from hand.wait(20)
    yield from drawn(hand)
    seen["after_change"] = pictures.figures()[0] - made
    seen["changed"] = [name for name, one in tiles().items() if (one != first[name]).any()]
    yield from hand.click((yield from hand.find(".search")))
    yield from hand.write("pucker")
    yield from drawn(hand)
    seen["searched"] = sorted(tiles().keys() - first.keys())
    seen["search"] = hand.picture("search")
    yield from hand.click((yield from hand.find(".search")))
    yield from hand.key("A", ctrl=True)
    yield from hand.write("jaw")
    yield from hand.move((hand.area.x + hand.area.width // 3, hand.area.y + hand.area.height // 2))
    yield from hand.key("TAB")  # at once, while pictures are asked for
    yield from hand.until(lambda: the_object().mode == "EDIT", 10, "Edit Mode")
    made = pictures.figures()[0]
    yield from hand.wait(40)
    seen["in_edit_mode"], seen["mode"] = pictures.figures()[0] - made, the_object().mode
    yield from hand.key("TAB")
    yield from drawn(hand)
    seen["after_edit_mode"] = sorted(name for name in tiles() if "jaw" in name)
    bpy.data.objects.remove(the_object())
    pictures.changed()
    yield from hand.wait(20)
    seen["after_removal"] = [pictures.why(), pictures.busy()]


def textured_story(hand: Hand, seen: dict[str, object]) -> Steps:
    """An avatar with pictures of its own whose keys are in the file: they are in Results, with
    pictures in the avatar's colours.
    """
    face = next(ob for ob in bpy.context.scene.objects if ob.type == "MESH" and ob.data.shape_keys)
    bpy.context.view_layer.objects.active = face
    yield from begin(hand)
    yield from drawn(hand)
    first = tiles()
    seen["picture"] = hand.picture("textured")
    seen["colours"] = {name: one[..., :3].mean(axis=(0, 1)).tolist() for name, one in first.items()}
    seen["spread"] = {name: float(one[..., :3].std()) for name, one in first.items()}
    _made, seen["work"], seen["read"] = module("job.pictures").figures()
    seen["why"] = module("job.pictures").why()
    np.savez(hand.folder / f"{hand.prefix}_tiles.npz", **first)
