# SPDX-License-Identifier: GPL-3.0-or-later
"""One button for each finding that a button helps with: what would spoil the keys is mended before
they are made.
"""

from __future__ import annotations

from collections.abc import Iterator

import bpy

from ..blender_io.as_seen import expressions_shown
from ..blender_io.findings import listed
from ..blender_io.mesh_io import check_editable
from ..blender_io.modes import object_mode
from ..blender_io.parts import avatar_parts, moving
from ..errors import AddonError
from ..job import inspection, session
from ..translations import error_text, tr
from ..typed import OperatorMixin, Returned, active_object, keys_of, mesh_of


class Fix(OperatorMixin):
    """An operator that mends the active object and the avatar's other objects."""

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Needs a mesh, and no run in progress."""
        if session.status.running:
            cls.poll_message_set("A run is in progress")
            return False
        return context.object is not None and context.object.type == "MESH"

    def execute(self, context: bpy.types.Context) -> Returned:
        """Mend it, and look again."""
        try:
            told = self._mend(context)
        except (AddonError, RuntimeError) as error:
            self.report({"ERROR"}, error_text(error))
            return {"CANCELLED"}
        if not told:
            self.report({"INFO"}, tr("There was nothing to do"))
            return {"CANCELLED"}
        inspection.forget()
        self.report({"INFO"}, told)
        return {"FINISHED"}

    def _mend(self, context: bpy.types.Context) -> str:
        """What was done in a sentence, empty for nothing. Raises AddonError, RuntimeError."""
        raise NotImplementedError


def _objects(context: bpy.types.Context) -> list[bpy.types.Object]:
    """The face's object and the parts that move with it."""
    face = check_editable(active_object(context))
    return [
        face,
        *(part.ob for part in moving(avatar_parts(face, inspection.known_landmarks(face)))),
    ]


class BLENDSHAPES_OT_expressions_to_zero(Fix, bpy.types.Operator):
    """Set the keys that are expressions to 0 and unpin them, so that the face that is seen is the
    neutral one
    """

    bl_idname = "blendshapes.expressions_to_zero"
    bl_label = "Set Expressions to 0"
    bl_options = {"REGISTER", "UNDO"}

    def _mend(self, context: bpy.types.Context) -> str:
        done: list[str] = []
        for ob in _objects(context):
            names = expressions_shown(ob)
            for name in names:
                keys_of(ob).key_blocks[name].value = 0.0
            if names:
                ob.show_only_shape_key = False
            done += [name for name in names if name not in done]
        bpy.context.view_layer.update()
        held = [name for ob in _objects(context) for name in expressions_shown(ob)]
        if held:
            self.report(
                {"WARNING"},
                tr(
                    "An animation or a driver holds {names}: choose a frame at which the face is"
                    " neutral, or mute the driver."
                ).format(names=listed(dict.fromkeys(held))),
            )
        return tr("{count} expressions set to 0").format(count=len(done)) if done else ""


class BLENDSHAPES_OT_parts_single_user(Fix, bpy.types.Operator):
    """Give each part that shares its mesh with another one of its own, so that left and right can
    move by themselves
    """

    bl_idname = "blendshapes.parts_single_user"
    bl_label = "Make Parts Single-User"
    bl_options = {"REGISTER", "UNDO"}

    def _mend(self, context: bpy.types.Context) -> str:
        seen: list[bpy.types.Mesh] = []
        count = 0
        for ob in _objects(context):
            if mesh_of(ob) in seen:
                with object_mode(ob):
                    ob.data = mesh_of(ob).copy()
                count += 1
            seen.append(mesh_of(ob))
        return tr("{count} parts have a mesh of their own now").format(count=count) if count else ""


class BLENDSHAPES_OT_relative_keys(Fix, bpy.types.Operator):
    """Make absolute shape keys relative, as expressions are; how absolute ones play may change"""

    bl_idname = "blendshapes.relative_keys"
    bl_label = "Make Keys Relative"
    bl_options = {"REGISTER", "UNDO"}

    def _mend(self, context: bpy.types.Context) -> str:
        absolute = [
            ob
            for ob in _objects(context)
            if mesh_of(ob).shape_keys is not None and not keys_of(ob).use_relative
        ]
        for ob in absolute:
            keys_of(ob).use_relative = True
        return (
            tr("The keys of {count} objects are relative now").format(count=len(absolute))
            if absolute
            else ""
        )


class BLENDSHAPES_OT_apply_mirror(Fix, bpy.types.Operator):
    """Apply the Mirror modifiers of face and parts, so that left and right can move by themselves;
    possible while a mesh has no shape keys
    """

    bl_idname = "blendshapes.apply_mirror"
    bl_label = "Apply Mirror Modifiers"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Needs a Mirror modifier; the active mesh must have no keys if it has one."""
        if not super().poll(context):
            return False
        ob = active_object(context)
        if any(_mirrors(ob)) and mesh_of(ob).shape_keys is not None:
            cls.poll_message_set(
                "Blender applies no modifier to a mesh with shape keys: remove them first"
            )
            return False
        return any(
            any(_mirrors(other)) for other in context.view_layer.objects if other.type == "MESH"
        )

    def _mend(self, context: bpy.types.Context) -> str:
        left, count = [], 0
        for ob in _objects(context):
            names = list(_mirrors(ob))
            if names and mesh_of(ob).shape_keys is not None:
                left.append(ob.name)
                continue
            with object_mode(ob):
                for name in names:
                    with context.temp_override(
                        object=ob,
                        active_object=ob,
                        selected_objects=[ob],
                        selected_editable_objects=[ob],
                    ):
                        bpy.ops.object.modifier_apply(modifier=name)
            count += len(names)
        if left:
            problem = tr(
                "{names}: Blender applies no modifier to a mesh with shape keys. Remove the keys"
                " first."
            ).format(names=", ".join(map(repr, left)))
            if not count:
                raise RuntimeError(problem)
            self.report({"WARNING"}, problem)
        return tr("{count} Mirror modifiers applied").format(count=count) if count else ""


def _mirrors(ob: bpy.types.Object) -> Iterator[str]:
    return (modifier.name for modifier in ob.modifiers if modifier.type == "MIRROR")


BUTTONS = {
    "expressions_shown": BLENDSHAPES_OT_expressions_to_zero.bl_idname,
    "parts_share_mesh": BLENDSHAPES_OT_parts_single_user.bl_idname,
    "absolute_keys": BLENDSHAPES_OT_relative_keys.bl_idname,
    "mirrored": BLENDSHAPES_OT_apply_mirror.bl_idname,
    "part_mirrored": BLENDSHAPES_OT_apply_mirror.bl_idname,
}
CLASSES = (
    BLENDSHAPES_OT_expressions_to_zero,
    BLENDSHAPES_OT_parts_single_user,
    BLENDSHAPES_OT_relative_keys,
    BLENDSHAPES_OT_apply_mirror,
)
