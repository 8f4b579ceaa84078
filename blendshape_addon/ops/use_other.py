# SPDX-License-Identifier: GPL-3.0-or-later
"""The button where another object has the face."""

from typing import Annotated

import bpy

from ..job import session
from ..translations import tr
from ..typed import Returned, active_object
from .asking import OfMesh


class BLENDSHAPES_OT_use_other(OfMesh, bpy.types.Operator):
    """Make the object that has a face the active one"""

    bl_idname = "blendshapes.use_other"
    bl_label = "Use the Other Object"
    bl_options = {"REGISTER", "UNDO"}

    name: Annotated[
        str,
        bpy.props.StringProperty(
            name="Object", description="The object's name", options={"SKIP_SAVE"}
        ),
    ]

    def execute(self, context: bpy.types.Context) -> Returned:
        """Choose it."""
        other = context.view_layer.objects.get(self.name)
        if other is None:
            self.report(
                {"ERROR"}, tr("There is no object {name} here.").format(name=repr(self.name))
            )
            return {"CANCELLED"}
        if active_object(context).mode != "OBJECT":
            bpy.ops.object.mode_set(mode="OBJECT")
        for ob in list(context.view_layer.objects):
            ob.select_set(ob == other)
        context.view_layer.objects.active = other
        session.clear_status()
        return {"FINISHED"}
