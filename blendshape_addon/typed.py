# SPDX-License-Identifier: GPL-3.0-or-later
"""Blender's values with the types that they have where the extension uses them, and its properties
declared with theirs.

Who calls has made sure of what a function here takes for granted; most often an operator's `poll`
has.
"""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar, cast

import bpy

if TYPE_CHECKING:
    from bpy.stub_internal.rna_enums import IconItems, ObjectModeItems, OperatorReturnItems

    from .ui.preferences import BlendShapesPreferences
    from .ui.properties import BlendShapesObject, BlendShapesSettings, BlendShapesWindow

    Icon = IconItems
    Mode = ObjectModeItems
    Returned = set[OperatorReturnItems]  # what an operator's methods return

    class OperatorMixin(bpy.types.Operator):
        """What several operators share."""

    class PanelMixin(bpy.types.Panel):
        """What several panels share."""
else:
    Icon, Mode, Returned = str, str, set
    # Blender takes a class for an operator or a panel as soon as it is derived from one; what only
    # others are derived from must not be
    OperatorMixin = PanelMixin = object

# the name under which the extension's properties hang on scenes, objects and the window manager
PROPERTY = "blendshapes"
_Handler = TypeVar("_Handler", bound=Callable[..., None])


def persistent(handler: _Handler) -> _Handler:
    """A handler that stays when another file is opened."""
    return cast("_Handler", bpy.app.handlers.persistent(handler))


def mesh_of(ob: bpy.types.Object) -> bpy.types.Mesh:
    """The mesh of a mesh object."""
    return cast("bpy.types.Mesh", ob.data)


def keys_of(ob: bpy.types.Object) -> bpy.types.Key:
    """The shape keys of a mesh object that has some."""
    return cast("bpy.types.Key", mesh_of(ob).shape_keys)


def armature_of(ob: bpy.types.Object) -> bpy.types.Armature:
    """The bones of an armature object."""
    return cast("bpy.types.Armature", ob.data)


def positions_of(mesh: bpy.types.Mesh) -> Any:
    """The mesh's own coordinates, for foreach_get and foreach_set; what an attribute holds depends
    on its kind.
    """
    attribute: Any = mesh.attributes["position"]
    return attribute.data


def as_its_type(modifier: bpy.types.Modifier) -> Any:
    """A modifier with the properties of its type."""
    return modifier


def active_object(context: bpy.types.Context) -> bpy.types.Object:
    """The active object, where there is one."""
    return cast("bpy.types.Object", context.object)


def status_text(context: bpy.types.Context, text: str | None) -> None:
    """Show a text in the window's status bar, or Blender's own again."""
    if context.workspace is not None:
        context.workspace.status_text_set(text)


def own_operators() -> Any:
    """`bpy.ops.blendshapes`, which the extension registers itself."""
    operators: Any = bpy.ops
    return operators.blendshapes


def of_scene(context: bpy.types.Context) -> BlendShapesSettings:
    """What the panel edits: `scene.blendshapes`."""
    return settings_of(context.scene)


def settings_of(scene: bpy.types.Scene) -> BlendShapesSettings:
    """The same of any scene."""
    return cast("BlendShapesSettings", _ours(scene))


def of_object(ob: bpy.types.Object) -> BlendShapesObject:
    """What is kept with an object: `object.blendshapes`."""
    return cast("BlendShapesObject", _ours(ob))


def of_window(context: bpy.types.Context) -> BlendShapesWindow:
    """What is only shown: `window_manager.blendshapes`."""
    return cast("BlendShapesWindow", _ours(context.window_manager))


def preferences_of(addon: bpy.types.Addon) -> BlendShapesPreferences:
    """The extension's own preferences."""
    return cast("BlendShapesPreferences", addon.preferences)


def _ours(holder: Any) -> object:
    return getattr(holder, PROPERTY)


def declare(cls: type) -> None:
    """Make a class ready for Blender, which reads properties from annotations: `x: Annotated[float,
    FloatProperty()]` becomes `x: FloatProperty()`.

    Its bases, too. So types are checked as anywhere else, and each property is still declared once.
    """
    for base in cls.__mro__:
        if not base.__module__.startswith(f"{__package__}."):
            continue  # Blender's own, and those that come with Python
        hints = inspect.get_annotations(
            base, eval_str=True
        )  # of modules whose annotations are text
        declared = {
            name: hint.__metadata__[0]
            for name, hint in hints.items()
            if hasattr(hint, "__metadata__")
        }
        if declared:
            base.__annotations__ = {**hints, **declared}


def describe(cls: type) -> None:
    """Give an operator its docstring as its tooltip, in one line: Blender would show the line
    breaks of the source.
    """
    if issubclass(cls, bpy.types.Operator) and cls.__doc__ and "bl_description" not in vars(cls):
        cls.bl_description = " ".join(cls.__doc__.split())


def forget_hints() -> None:
    """Empty the caches of Python's typing module. They hold what `Annotated` was given, Blender's
    properties among it, for longer than Blender's module lives; where that is a module of a Python,
    the process would then hang when it ends.
    """
    for clear in getattr(typing, "_cleanups", ()):
        clear()
