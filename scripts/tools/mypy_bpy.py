# SPDX-License-Identifier: GPL-3.0-or-later
"""A plugin for mypy: what Blender always has. Its stubs call every pointer optional, also those
that are never None where the extension's code runs.

Named here one by one; everything else that may be None stays so, the object of the context first of
all.
"""

from __future__ import annotations

from collections.abc import Callable

from mypy.plugin import AttributeContext, Plugin
from mypy.typeops import make_simplified_union
from mypy.types import NoneType, Type, UnionType, get_proper_type

# Blender gives a context with these to all operators, panels, handlers and modules, without a
# window as well
CONTEXT = (
    "blend_data",
    "collection",
    "preferences",
    "scene",
    "tool_settings",
    "view_layer",
    "window_manager",
)
# Set before `draw` is called, which is the only method that looks at it
DRAWN = ("AddonPreferences", "Menu", "Operator", "Panel")
OF_A_SCENE = ("collection", "render", "view_settings", "world_settings")
NEVER_NONE = {
    *(f"bpy.types.Context.{name}" for name in CONTEXT),
    *(f"bpy.types.{name}.layout" for name in DRAWN),
    *(f"bpy.types.Scene.{name}" for name in OF_A_SCENE),
}


def _without_none(context: AttributeContext) -> Type:
    """The attribute's type less None."""
    kind = get_proper_type(context.default_attr_type)
    if not isinstance(kind, UnionType):
        return kind
    return make_simplified_union(
        [item for item in kind.items if not isinstance(get_proper_type(item), NoneType)]
    )


class BlenderPlugin(Plugin):
    """Takes None away from the attributes in NEVER_NONE."""

    def get_attribute_hook(self, fullname: str) -> Callable[[AttributeContext], Type] | None:
        return _without_none if fullname in NEVER_NONE else None


def plugin(_version: str) -> type[Plugin]:
    """What mypy asks for."""
    return BlenderPlugin
