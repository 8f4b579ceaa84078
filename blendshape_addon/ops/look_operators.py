# SPDX-License-Identifier: GPL-3.0-or-later
"""Looking at shapes: the preview ended, poses shown, before and after while a key is held."""

from typing import Annotated, Final

import bpy

from ..job import face_view, preview, session
from ..translations import tr
from ..typed import Returned, active_object, keys_of, mesh_of
from .asking import OfMesh

HELD: Final = "Y"  # the key: Blender has nothing on it in Object Mode


class BLENDSHAPES_OT_stop_preview(bpy.types.Operator):
    """Put the values of all keys back as they were before the preview"""

    bl_idname = "blendshapes.stop_preview"
    bl_label = "Stop Preview"
    bl_options = {"INTERNAL"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Needs a preview."""
        return bool(preview.shown())

    def execute(self, context: bpy.types.Context) -> Returned:
        """Stop."""
        preview.end()
        return {"FINISHED"}


class BLENDSHAPES_OT_give_view_back(bpy.types.Operator):
    """Set the 3D view as it was before the face was shown"""

    bl_idname = "blendshapes.give_view_back"
    bl_label = "Back to Previous View"
    bl_options = {"INTERNAL"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Needs a view that was set and not moved since."""
        return face_view.kept(context)

    def execute(self, context: bpy.types.Context) -> Returned:
        """Give it back."""
        face_view.give_back(context)
        return {"FINISHED"}


class BLENDSHAPES_OT_show_pose(OfMesh, bpy.types.Operator):
    """Show the shapes of this pose together on the face"""

    bl_idname = "blendshapes.show_pose"
    bl_label = "Show This Pose"
    bl_options = {"INTERNAL"}

    number: Annotated[
        int,
        bpy.props.IntProperty(
            name="Number",
            description="Which of the poses that the last run warned of",
            options={"SKIP_SAVE"},
        ),
    ]

    def execute(self, context: bpy.types.Context) -> Returned:
        """Show it."""
        ob, poses = active_object(context), session.status.poses
        key = mesh_of(ob).shape_keys
        names = poses[self.number].keys if 0 <= self.number < len(poses) else ()
        if not names or key is None or not all(name in keys_of(ob).key_blocks for name in names):
            self.report({"ERROR"}, tr("The keys of this pose are not there any more"))
            return {"CANCELLED"}
        preview.start(ob, names[0], names[1:])
        if not preview.shown():
            self.report({"WARNING"}, preview.why())
            return {"CANCELLED"}
        face_view.show_posed(context, ob)
        return {"FINISHED"}


class BLENDSHAPES_OT_before_after(bpy.types.Operator):
    """Hold the key to see the face without the shape that is shown"""

    bl_idname = "blendshapes.before_after"
    bl_label = "Before and After"
    bl_options = {"INTERNAL"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Needs a preview; else the key does what it does without the extension."""
        return bool(preview.shown())

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> Returned:
        """The key went down."""
        self._key = event.type
        preview.hold_back(True)
        context.window_manager.modal_handler_add(self)
        return {"RUNNING_MODAL"}

    def modal(self, context: bpy.types.Context, event: bpy.types.Event) -> Returned:
        """Until it comes up again, or the window is left."""
        up = event.type == self._key and event.value == "RELEASE"
        if not up and event.type not in ("WINDOW_DEACTIVATE", "ESC") and preview.shown():
            return {"RUNNING_MODAL"}
        self.cancel(context)
        return {"FINISHED"}

    def cancel(self, context: bpy.types.Context) -> None:
        """Another file is opened, or the key is up."""
        preview.hold_back(False)


CLASSES = (
    BLENDSHAPES_OT_stop_preview,
    BLENDSHAPES_OT_give_view_back,
    BLENDSHAPES_OT_show_pose,
    BLENDSHAPES_OT_before_after,
)
