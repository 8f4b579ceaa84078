# SPDX-License-Identifier: GPL-3.0-or-later
"""Tools for one shape of the results: its strength, its other side, back to what was generated,
made anew, sculpted.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Annotated

import bpy

from ..blender_io import remembered, tuned
from ..blender_io.generated import attribute_of, ownership
from ..blender_io.landmark_store import found_landmarks
from ..blender_io.mesh_arrays import base_coordinates
from ..blender_io.mesh_io import check_editable
from ..blender_io.mirroring import mirrored
from ..blender_io.modes import object_mode
from ..blender_io.naming import other_side
from ..blender_io.parts import avatar_parts, moving
from ..blender_io.tuned import MAX_STRENGTH, Tuned
from ..errors import AddonError
from ..job import live, preview, sculpting, session
from ..job.options import Options
from ..job.outcome import Outcome
from ..translations import error_text, tr
from ..typed import OperatorMixin, Returned, active_object, keys_of, mesh_of
from .asking import OfMesh
from .operators import asked_before
from .option_properties import shape_property
from .run import OF_OPERATOR, Run


def chosen(context: bpy.types.Context, name: str = "") -> str:
    """The key that is meant: the one of that name, else the one that is shown, else the active
    one; nothing where that is none of the results.
    """
    ob = context.object
    if ob is None or ob.type != "MESH" or mesh_of(ob).shape_keys is None:
        return ""
    active = ob.active_shape_key
    name = name or preview.shown() or (active.name if active is not None else "")
    return name if name in remembered.listed(ob) else ""


class OfShape(OperatorMixin):
    """An operator on one of the results."""

    key_name: Annotated[str, shape_property(OF_OPERATOR)]

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Needs a key that was generated here, and no run in progress."""
        if not OfMesh.poll.__func__(cls, context):  # type: ignore[attr-defined]
            return False
        ob = active_object(context)
        if not remembered.any_listed(ob):
            cls.poll_message_set("No keys were generated on this mesh")
            return False
        return True


class _AtOnce(OfShape):
    """One that writes the key on the face and on its parts, at once."""

    def execute(self, context: bpy.types.Context) -> Returned:
        """Write it; a key that was shown is shown again."""
        ob, shown = active_object(context), self._shown()
        name = chosen(context, self.key_name)
        try:
            if not name:
                raise AddonError("usage", "No shape is chosen.", "Click one in Results.")
            told = self._change(context, ob, name)
        except AddonError as error:
            self.report({"ERROR"}, error_text(error))
            return {"CANCELLED"}
        if shown:
            preview.start(ob, shown)
        if not told:
            return {"CANCELLED"}
        self.report({"INFO"}, told)
        return {"FINISHED"}

    def _shown(self) -> str:
        """The key that is shown, and again afterwards."""
        return preview.shown()

    def _change(self, context: bpy.types.Context, ob: bpy.types.Object, name: str) -> str:
        """What was done in a sentence, empty for nothing. Raises AddonError."""
        raise NotImplementedError


def put_away(ob: bpy.types.Object) -> None:
    """Nothing that is only shown is written into keys."""
    preview.stop()
    now = live.current()
    if now is not None:
        now.rest()


def _objects(ob: bpy.types.Object) -> list[bpy.types.Object]:
    """The face and its parts that have keys, each mesh once."""
    face = check_editable(ob)
    parts = [part.ob for part in moving(avatar_parts(face, found_landmarks(face)))]
    meshes = {mesh_of(one): one for one in (*reversed(parts), face)}
    return [one for one in (face, *parts) if meshes.get(mesh_of(one)) == one]


def _having(ob: bpy.types.Object, name: str) -> Iterator[bpy.types.Object]:
    for one in _objects(ob):
        if mesh_of(one).shape_keys is not None and name in keys_of(one).key_blocks:
            yield one


class BLENDSHAPES_OT_shape_strength(_AtOnce, bpy.types.Operator):
    """Make this shape stronger or weaker than it was generated; what you edited by hand stays"""

    bl_idname = "blendshapes.shape_strength"
    bl_label = "Shape Strength"
    bl_options = {"REGISTER", "UNDO"}

    strength: Annotated[
        float,
        bpy.props.FloatProperty(
            name="Strength",
            description="Of what was generated; 1 is as it was",
            default=1.0,
            min=0.0,
            max=MAX_STRENGTH,
            soft_max=2.0,
            options=set(OF_OPERATOR),
        ),
    ]
    shown: Annotated[
        str,
        bpy.props.StringProperty(
            name="Shown",
            description="The key that was shown when the slider was opened",
            options={"HIDDEN", *OF_OPERATOR},
        ),
    ]

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> Returned:
        """From the panel: a slider, which shows on the face as it is moved."""
        self.key_name, self.shown = chosen(context, self.key_name), preview.shown()
        if self.key_name and not self.properties.is_property_set("strength"):
            self.strength = tuned.strength_of(active_object(context), self.key_name)
        return context.window_manager.invoke_props_popup(self, event)

    def draw(self, context: bpy.types.Context) -> None:
        """The slider alone."""
        self.layout.label(text=self.key_name, translate=False)
        self.layout.prop(self, "strength", slider=True)

    def _shown(self) -> str:
        """As it was when the slider was opened: Blender takes each of its steps back by an undo,
        which ends the show.
        """
        return preview.shown() or self.shown

    def _change(self, context: bpy.types.Context, ob: bpy.types.Object, name: str) -> str:
        put_away(ob)
        objects = list(_having(ob, name))
        with object_mode(*objects):
            before = tuned.strength_of(ob, name)
            keys = [Tuned(one, name) for one in objects]
            if keys[0].made is None:
                keys[0].set_strength(self.strength)  # which tells why not
            for key in keys:
                if key.made is not None:
                    key.set_strength(self.strength)
        remembered.resize(ob, name, before, self.strength)
        return tr("{name}: strength {strength}").format(name=name, strength=f"{self.strength:.2f}")


class BLENDSHAPES_OT_shape_mirror(_AtOnce, bpy.types.Operator):
    """Make this shape the mirror image of the same shape on the other side of the face"""

    bl_idname = "blendshapes.shape_mirror"
    bl_label = "Mirror from Other Side"
    bl_options = {"REGISTER", "UNDO"}

    def _change(self, context: bpy.types.Context, ob: bpy.types.Object, name: str) -> str:
        put_away(ob)
        other = other_side(name, keys_of(ob).key_blocks.keys())
        if not other:
            raise AddonError(
                "usage", f"{name!r} has no key on the other side.", "Choose a left or right shape."
            )
        objects = _objects(ob)
        with object_mode(*objects):
            offsets = mirrored(ob, objects, name, other)
            strength = tuned.strength_of(ob, other)
            for one, moved in offsets.items():
                Tuned(one, name).replace(moved, strength)
        remembered.copy(ob, other, name)
        return tr("{name} is the mirror image of {other} now").format(name=name, other=other)


class _OneRun(OfShape, Run):
    """A run of the child that writes one key."""

    def _chosen(self, context: bpy.types.Context) -> Options:
        ob, name = active_object(context), chosen(context, self.key_name)
        if not name:
            raise AddonError("usage", "No shape is chosen.", "Click one in Results.")
        self._name, self._shown = name, preview.shown()
        with object_mode(ob):
            base, marks = base_coordinates(ob), {name: attribute_of(name)}
            if not tuned.alone_intact(ob, base, name):
                marks |= {own: mark for mark, own in ownership(ob, base).keys.items()}
        sets, table = asked_before(ob)
        return replace(
            self._taken(context),
            sets=sets,
            table=table,
            only_existing=True,
            overwrite=True,
            only=frozenset({marks[name]}),
        )

    def _done(self, context: bpy.types.Context, outcome: Outcome) -> Returned:
        done = super()._done(context, outcome)
        if self._shown:
            preview.start(active_object(context), self._shown)
        return done


class BLENDSHAPES_OT_shape_regenerate(_OneRun, bpy.types.Operator):
    """Make this shape anew with the present strengths, style and landmarks, also if you edited it;
    the others stay as they are
    """

    bl_idname = "blendshapes.shape_regenerate"
    bl_label = "Regenerate Shape"
    bl_options = {"REGISTER", "UNDO"}


class BLENDSHAPES_OT_shape_reset(_OneRun, bpy.types.Operator):
    """Put this shape back to what was generated: without its own strength and what you edited"""

    bl_idname = "blendshapes.shape_reset"
    bl_label = "Reset Shape"
    bl_options = {"REGISTER", "UNDO"}

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> Returned:
        """At once where it is known what was generated; else the child makes it anew."""
        return self._known(context) or Run.invoke(self, context, event)

    def execute(self, context: bpy.types.Context) -> Returned:
        """The same, from scripts."""
        return self._known(context) or Run.execute(self, context)

    def _chosen(self, context: bpy.types.Context) -> Options:
        return replace(super()._chosen(context), plain=True)

    def _known(self, context: bpy.types.Context) -> Returned | None:
        ob, name, shown = active_object(context), chosen(context, self.key_name), preview.shown()
        if not name:
            return None
        try:
            put_away(ob)
            objects = list(_having(ob, name))
            with object_mode(*objects):
                keys = [Tuned(one, name) for one in objects]
                if keys[0].made is None:
                    return None
                before = keys[0].strength
                for key in keys:
                    key.reset()
        except AddonError as error:
            self.report({"ERROR"}, error_text(error))
            return {"CANCELLED"}
        remembered.resize(ob, name, before, 1.0)
        remembered.mark(ob, name, "")
        if shown:
            preview.start(ob, shown)
        self.report({"INFO"}, tr("{name} is as it was generated").format(name=name))
        return {"FINISHED"}


class BLENDSHAPES_OT_sculpt_shape(OfShape, bpy.types.Operator):
    """Sculpt this shape: Sculpt Mode with its key shown and active; your edits are kept when the
    keys are generated again
    """

    bl_idname = "blendshapes.sculpt_shape"
    bl_label = "Sculpt Shape"
    bl_options = {"REGISTER", "UNDO"}

    def execute(self, context: bpy.types.Context) -> Returned:
        """Enter it."""
        name = chosen(context, self.key_name)
        try:
            if not name:
                raise AddonError("usage", "No shape is chosen.", "Click one in Results.")
            sculpting.start(context, active_object(context), name)
        except AddonError as error:
            self.report({"ERROR"}, error_text(error))
            return {"CANCELLED"}
        return {"FINISHED"}


class BLENDSHAPES_OT_sculpt_done(OfMesh, bpy.types.Operator):
    """Leave Sculpt Mode; what was shown before is shown again"""

    bl_idname = "blendshapes.sculpt_done"
    bl_label = "Finish Sculpting"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Needs a shape that is being sculpted."""
        return super().poll(context) and bool(sculpting.sculpted(active_object(context)))

    def execute(self, context: bpy.types.Context) -> Returned:
        """Leave it."""
        ob = active_object(context)
        name = sculpting.finish(context, ob)
        if name in keys_of(ob).key_blocks and sculpting.edited(ob, name):
            remembered.mark(ob, name, remembered.EDITED)
        session.redraw(context)
        return {"FINISHED"}


CLASSES = (
    BLENDSHAPES_OT_shape_strength,
    BLENDSHAPES_OT_shape_mirror,
    BLENDSHAPES_OT_shape_regenerate,
    BLENDSHAPES_OT_shape_reset,
    BLENDSHAPES_OT_sculpt_shape,
    BLENDSHAPES_OT_sculpt_done,
)
