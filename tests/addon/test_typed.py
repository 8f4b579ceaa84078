# SPDX-License-Identifier: GPL-3.0-or-later
"""What is declared with a type is what Blender knows as a property."""

from __future__ import annotations

import inspect
from typing import Annotated, Any

import bpy
from blendshape_auto_generator.blendshape_addon import registration
from blendshape_auto_generator.blendshape_addon.typed import declare


def properties(cls: type) -> set[str]:
    """The properties that Blender knows of a registered class; those of an operator are asked for
    by its name.
    """
    own: Any = cls
    if issubclass(cls, bpy.types.Operator):
        return set(
            getattr(bpy.ops.blendshapes, own.bl_idname.removeprefix("blendshapes."))
            .get_rna_type()
            .properties.keys()
        )
    return set(own.bl_rna.properties.keys())


def test_every_declared_property_is_blenders() -> None:
    counted = 0
    for cls in registration.CLASSES:
        for base in cls.__mro__:
            if base.__module__.startswith("blendshape_auto_generator."):
                names = [
                    name
                    for name, hint in inspect.get_annotations(base).items()
                    if "_PropertyDeferred" in type(hint).__name__
                ]
                assert not [
                    hint
                    for hint in inspect.get_annotations(base).values()
                    if hasattr(hint, "__metadata__") or "Annotated" in str(hint)
                ]
                assert set(names) <= properties(cls), cls
                counted += len(names)
    assert counted > 80


def test_text_and_inherited_annotations_are_declared_once() -> None:
    asked = bpy.props.BoolProperty()

    class Base:
        strength: Annotated[float, bpy.props.FloatProperty()]
        plain: int

    class Derived(Base):
        mirror: Annotated[bool, asked]

    Base.__module__ = Derived.__module__ = declare.__module__
    Base.__annotations__ = {"strength": Annotated[float, bpy.props.FloatProperty()], "plain": "int"}
    Derived.__annotations__ = {"mirror": Annotated[bool, asked]}
    for _ in range(2):  # registered again
        declare(Derived)
        assert Derived.__annotations__ == {"mirror": asked}
        assert set(Base.__annotations__) == {"strength", "plain"} and not hasattr(
            Base.__annotations__["strength"], "__metadata__"
        )
