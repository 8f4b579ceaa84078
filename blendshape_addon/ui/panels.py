# SPDX-License-Identifier: GPL-3.0-or-later
"""The sidebar tab, from top to bottom in the order in which one works."""

import bpy

from ..job import chosen, face_view, inspection, session
from ..ops.look_operators import BLENDSHAPES_OT_give_view_back
from ..ops.operators import (
    BLENDSHAPES_OT_generate,
    BLENDSHAPES_OT_remove,
    BLENDSHAPES_OT_update,
)
from ..ops.option_properties import COUNTS, REGIONS, SETS
from ..translations import tr
from ..typed import of_object, of_scene
from .presets import BLENDSHAPES_MT_presets
from .tab import OfMeshTab, Tab, progress_text, text_width
from .target import draw_named, draw_outcome, draw_target, faceless

ROLES = {
    "auto": "face",
    "face": "face",
    "eyes": "eyes",
    "lashes": "lashes",
    "brows": "brows",
    "teeth": "teeth",
    "tongue": "tongue",
    "none": "ignored",
}


class BLENDSHAPES_PT_generate(Tab, bpy.types.Panel):
    """What will happen on which mesh, sets, strength, Generate, and what came of it."""

    bl_idname = "BLENDSHAPES_PT_generate"
    bl_label = "BlendShapes"

    def draw(self, context: bpy.types.Context) -> None:
        """Draw."""
        layout, scene, status = self.layout, of_scene(context), session.status
        width = text_width(context)
        draw_target(layout, context, width)
        for named in chosen.asked(context.scene):
            draw_named(layout, named, width)
        row = layout.row(align=True)
        row.enabled = not status.running
        row.prop(scene, "destination", text="")
        row.menu(BLENDSHAPES_MT_presets.bl_idname, text="", icon="PRESET")
        row = layout.row()
        row.scale_y = 1.5
        if status.running:
            row.progress(factor=status.fraction, text=progress_text(), type="BAR", translate=False)
            layout.label(
                text="Esc cancels", icon="X"
            )  # the icon of the key would say Esc once more
            return
        row.enabled = not faceless(context)  # the reason is in the box above, with what helps
        count = sum(COUNTS[name] for name in scene.sets)
        row.operator(
            BLENDSHAPES_OT_generate.bl_idname,
            text=tr("Generate Shape Keys ({count})").format(count=count),
            icon="SHAPEKEY_DATA",
            translate=False,
        )
        row = layout.row(align=True)
        row.operator(BLENDSHAPES_OT_update.bl_idname, text="Regenerate", icon="FILE_REFRESH")
        row.operator(BLENDSHAPES_OT_remove.bl_idname, text="Remove", icon="TRASH")
        if face_view.kept(context):
            layout.operator(BLENDSHAPES_OT_give_view_back.bl_idname, icon="LOOP_BACK")
        draw_outcome(layout, context, width)


class BLENDSHAPES_PT_regions(OfMeshTab, bpy.types.Panel):
    """How strong the shapes are, altogether and by region of the face."""

    bl_idname = "BLENDSHAPES_PT_regions"
    bl_label = "Tune"

    def draw(self, context: bpy.types.Context) -> None:
        """Draw."""
        layout, scene = self.layout, of_scene(context)
        layout.enabled = not session.status.running
        column = layout.column(align=True)
        column.prop(scene, "strength", slider=True)
        column.prop(scene, "style", slider=True)
        column = layout.column(align=True)
        for name, *_ in REGIONS:
            column.prop(scene, name, slider=True)


class BLENDSHAPES_PT_parts(OfMeshTab, bpy.types.Panel):
    """What else belongs to the face."""

    bl_idname = "BLENDSHAPES_PT_parts"
    bl_label = "Separate Parts"

    def draw(self, context: bpy.types.Context) -> None:
        """Draw."""
        layout, scene = self.layout, of_scene(context)
        layout.enabled = not session.status.running
        layout.prop(scene, "parts")
        seen = inspection.look(context)
        parts = seen.parts if seen is not None else []
        if not parts:
            layout.label(text="No other objects belong to this avatar", icon="INFO")
        column = layout.column(align=True)
        column.enabled = scene.parts
        for name, role, why in parts:
            ob = bpy.data.objects.get(name)
            if ob is None:
                continue
            row = column.split(factor=0.55, align=True)
            row.label(text=name, icon="OUTLINER_OB_MESH", translate=False)
            automatic = f"{tr('Automatic')}: {tr(ROLES.get(role, role))}"
            row.prop_menu_enum(
                of_object(ob),
                "part",
                text=automatic if why != "user" else tr(ROLES.get(role, role)).capitalize(),
                translate=False,
            )


class BLENDSHAPES_PT_options(OfMeshTab, bpy.types.Panel):
    """Sets by themselves, and what most runs leave alone."""

    bl_idname = "BLENDSHAPES_PT_options"
    bl_label = "Advanced"

    def draw(self, context: bpy.types.Context) -> None:
        """Draw."""
        layout, scene = self.layout, of_scene(context)
        layout.enabled = not session.status.running
        layout.label(text="Custom")
        column = layout.column(align=True)
        for name, *_ in SETS:
            row = column.row(align=True)
            row.prop(scene, f"sets_{name}")
            count = row.row(align=True)
            count.alignment = "RIGHT"
            count.label(text=str(COUNTS[name]), translate=False)
        column = layout.column(align=True)  # of the whole width, which their words need
        for name in ("alias", "turn_eyes", "overwrite", "use_selection"):
            column.prop(scene, name)
        layout.use_property_split = True
        layout.use_property_decorate = False
        for name in ("naming", "guide"):
            layout.prop(scene, name)
        layout.prop(scene, "vrm", text="VRM")  # the whole name would be cut
        layout.prop_search(scene, "group", context.object, "vertex_groups")
        unchosen = {
            named.kind for named in chosen.asked(context.scene)
        }  # Blender looks at the disk for what is drawn as a path
        for name in ("table", "conditions", "key_name", "model"):
            if name not in unchosen:
                layout.prop(scene, name)
