# SPDX-License-Identifier: GPL-3.0-or-later
"""Which model and which table are used: those that the user chose since Blender started, and the
model of the preferences.

A .blend keeps the path that was chosen when it was saved. Whoever sent the file wrote it, so it
counts as a question: until the user says yes, nothing opens that path or looks at it. The answers
are kept here, as paths and not in any data of Blender's, where another file, an undo, a copied or a
linked scene could bring them along.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, cast

import bpy

from ..shared import regular_file
from ..translations import tr
from ..typed import OperatorMixin, Returned, settings_of
from . import session

KINDS = ("model", "table")
_chosen: set[tuple[str, str]] = set()  # kind and path


@dataclass(frozen=True)
class Named:
    """A path that a file names and that the user has not chosen. problem: why it cannot be used at
    all, or ``.
    """

    kind: str
    path: str
    problem: str

    @property
    def question(self) -> str:
        """What the panel asks, without the path."""
        return (
            tr("This file names the model")
            if self.kind == "model"
            else tr("This file names the table")
        )

    @property
    def told(self) -> str:
        """A sentence for a run that went on without it."""
        return (
            f"The {self.kind} {self.path[:300]!r} that this file names was not used: press Use It"
            " in the panel if you want it."
        )


def whole(path: str, scene: bpy.types.Scene | None = None) -> str:
    """The path with the folder of the .blend that it is relative to; by its text alone."""
    library = scene.library if scene is not None else None
    return str(
        bpy.path.abspath(path, library=library) if library is not None else bpy.path.abspath(path)
    )


def picked(kind: str) -> Callable[[bpy.types.PropertyGroup, bpy.types.Context], None]:
    """For a property of the scene: what is written into it, by hand or by a script, was chosen.
    Blender does not call this when it loads, links, copies or undoes.
    """

    def update(self: bpy.types.PropertyGroup, context: bpy.types.Context) -> None:
        choose(kind, whole(getattr(self, kind), cast("bpy.types.Scene", self.id_data)))

    return update


def choose(kind: str, path: str) -> None:
    """The user says that this model or table is to be used."""
    if path:
        _chosen.add((kind, path))


def forget() -> None:
    """Nothing was chosen."""
    _chosen.clear()


def of_scene(scene: bpy.types.Scene, kind: str) -> str:
    """The model or table that the scene names, if the user chose it; else ``."""
    path = _named(scene, kind)
    return path if (kind, path) in _chosen else ""


def of_preferences(context: bpy.types.Context) -> str:
    """The model of the preferences, `` for the shipped one. It is never relative to a file,
    whatever is open.
    """
    preferences = session.preferences(context)
    return str(preferences.model) if preferences is not None else ""


def model(context: bpy.types.Context) -> str:
    """The model that is used: the scene's if the user chose it, else that of the preferences, else
    `` for the shipped one.
    """
    return of_scene(context.scene, "model") or of_preferences(context)


def asked(scene: bpy.types.Scene) -> list[Named]:
    """What the file names and the user has not chosen."""
    found = []
    for kind in KINDS:
        path = _named(scene, kind)
        if path and (kind, path) not in _chosen:
            found.append(Named(kind, path, _problem(path)))
    return found


def _named(scene: bpy.types.Scene, kind: str) -> str:
    text = str(getattr(settings_of(scene), kind))
    return whole(text, scene) if text else ""


def _problem(path: str) -> str:
    try:
        regular_file.check_name(path)
    except regular_file.RefusedError as error:
        return error.reason
    return ""


class _Answer(OperatorMixin):
    """An answer to what the panel asks. Neither searched for nor repeated on another file: only a
    button that shows the path offers it.
    """

    bl_options = {"INTERNAL"}

    kind: Annotated[
        str,
        bpy.props.EnumProperty(
            name="Kind",
            description="What the file names",
            items=(
                ("model", "Model", "The model file"),
                ("table", "Table", "The file with keys of your own"),
            ),
            options={"SKIP_SAVE"},
        ),
    ]


class BLENDSHAPES_OT_use_named(_Answer, bpy.types.Operator):
    """Use this file until Blender is closed"""

    bl_idname = "blendshapes.use_named"
    bl_label = "Use It"

    path: Annotated[
        str,
        bpy.props.StringProperty(
            name="Path", description="The path that was shown", options={"SKIP_SAVE", "HIDDEN"}
        ),
    ]

    def execute(self, context: bpy.types.Context) -> Returned:
        """Use it, if it is still the one that was shown."""
        for named in asked(context.scene):
            if named.kind == self.kind and named.path == self.path and not named.problem:
                choose(named.kind, named.path)
                return {"FINISHED"}
        return {"CANCELLED"}


class BLENDSHAPES_OT_forget_named(_Answer, bpy.types.Operator):
    """Take the path out of this scene"""

    bl_idname = "blendshapes.forget_named"
    bl_label = "Leave It Out"
    bl_options = {"UNDO", "INTERNAL"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """A scene of another file cannot be changed."""
        return bool(context.scene.is_editable)

    def execute(self, context: bpy.types.Context) -> Returned:
        """Forget it."""
        setattr(settings_of(context.scene), self.kind, "")
        return {"FINISHED"}


CLASSES = (BLENDSHAPES_OT_use_named, BLENDSHAPES_OT_forget_named)
