# SPDX-License-Identifier: GPL-3.0-or-later
"""The export of an avatar by where it goes, checked before and read back after."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import bpy
from bpy_extras.io_utils import ExportHelper

from ..blender_io import file_export, key_export, scene_files
from ..blender_io.avatar_objects import avatar_objects
from ..errors import AddonError
from ..translations import error_text, tr
from ..typed import OperatorMixin, Returned, active_object, of_scene
from .asking import OfMesh
from .vrchat_operators import look, put_previews_away

if TYPE_CHECKING:
    Helper = OperatorMixin
else:
    Helper = ExportHelper

# Where shapes are made for -> where the file goes
_OF_SETS = {
    frozenset({"arkit", "vrm0", "vrm1"}): "vrm",
    frozenset({"unified", "vrchat"}): "resonite",
}
_ENDINGS = {kind.ending for kind in file_export.KINDS}


class BLENDSHAPES_OT_export(OfMesh, Helper, bpy.types.Operator):
    """Export the avatar for where it goes, so that all shape keys arrive"""

    bl_idname = "blendshapes.export"
    bl_label = "Export Avatar..."
    bl_options = {"REGISTER"}

    filename_ext = ".fbx"
    check_extension = None  # `check` sees to it
    kind: Annotated[
        str,
        bpy.props.EnumProperty(
            name="For",
            description="Where the file goes, which says its format, scale and normals",
            items=[
                *((kind.name, kind.label, kind.description) for kind in file_export.KINDS),
                (file_export.BY_NAME, "By File Name", "What the ending of the file's name says"),
            ],
            default=file_export.BY_NAME,
        ),
    ]
    only_avatar: Annotated[
        bool,
        bpy.props.BoolProperty(
            name="Only This Avatar",
            description="Leave out what does not belong to the avatar of the active mesh",
            default=True,
        ),
    ]
    animation: Annotated[
        bool,
        bpy.props.BoolProperty(
            name="Animation",
            description="Export actions with it; Unity's avatars need none",
            default=False,
        ),
    ]
    filter_glob: Annotated[
        str, bpy.props.StringProperty(default="*.fbx;*.glb;*.vrm", options={"HIDDEN"})
    ]

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> Returned:
        """Ask, beginning with where the sets that are chosen go."""
        own: Any = self
        if not own.properties.is_property_set("kind"):
            own.kind = _OF_SETS.get(frozenset(of_scene(context).sets), "unity")
        return super().invoke(context, event)

    def check(self, context: bpy.types.Context) -> bool:
        """The file is called as the choice asks. Returns whether that changed its name."""
        own: Any = self
        path = Path(own.filepath)
        wanted = str(self._named(path))
        changed = bool(path.name) and wanted != own.filepath
        if changed:
            own.filepath = wanted
        return changed

    def execute(self, context: bpy.types.Context) -> Returned:
        """Export."""
        own: Any = self  # `filepath` comes from ExportHelper
        path = self._named(Path(bpy.path.abspath(own.filepath)))
        kind = file_export.kind_of(self.kind, path)
        put_previews_away()
        try:
            face = active_object(context)
            objects = avatar_objects(face) if self.only_avatar else ()
            if kind.ending == ".vrm":
                file_export.check_vrm([face])
            if kind.ending == ".fbx":
                self._check(face)
            differ = scene_files.export_scene(path, objects, self.animation, kind.name)
        except AddonError as error:
            self.report({"ERROR"}, error_text(error))
            return {"CANCELLED"}
        for sentence in (*key_export.lost(), *differ):
            self.report({"WARNING"}, sentence)
        if not differ:
            self.report({"INFO"}, tr("Read back: all keys are there, in order, and move alike"))
        self.report(
            {"INFO"},
            tr("{path} written: {keys}").format(
                path=path, keys=key_export.exported(_meshes(objects)) or tr("no shape keys")
            ),
        )
        return {"FINISHED"}

    def _named(self, path: Path) -> Path:
        """The file with the ending that the choice asks for."""
        kind = file_export.kind_of(self.kind, path)
        if path.suffix.lower() == kind.ending:
            return path
        return (
            path.with_suffix(kind.ending)
            if path.suffix.lower() in _ENDINGS
            else path.with_name(f"{path.name}{kind.ending}")
        )

    def _check(self, face: bpy.types.Object) -> None:
        """Look for what would trip Unity over, which the panel shows."""
        problems = [finding for finding in look(face) if finding.level in ("warning", "error")]
        if problems:
            told = tr("{count} issues found, see Check & Export").format(count=len(problems))
            self.report({"WARNING"}, told)


def _meshes(objects: Sequence[bpy.types.Object]) -> list[bpy.types.Object]:
    """Those that are exported: what is seen, of these objects if there are some."""
    return [ob for ob in key_export.visible_meshes() if not objects or ob in objects]


CLASSES = (BLENDSHAPES_OT_export,)
