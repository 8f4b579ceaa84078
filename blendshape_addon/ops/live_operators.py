# SPDX-License-Identifier: GPL-3.0-or-later
"""The sliders of the live conditions, made from the model's metadata, and the operators around
them.
"""

from collections.abc import Callable, Sequence
from typing import Annotated

import bpy
import numpy as np

from ..errors import AddonError, as_addon_error
from ..job import chosen, face_view, inspection, live, preview, session
from ..job.options import Options
from ..shared_protocol import Message
from ..translations import error_text, tr
from ..typed import OperatorMixin, Returned, active_object, of_scene, of_window
from .asking import Asking

HOLDER = "blendshapes_live"
_sliders: list[type] = []  # the registered class, at most one


class BLENDSHAPES_OT_live_start(Asking, bpy.types.Operator):
    """Compute all expressions once; then each slider shows on the face at once, and nothing is
    written until you keep it
    """

    bl_idname = "blendshapes.live_start"
    bl_label = "Start Preview"
    bl_options = {"REGISTER"}

    _work: live.Preparation

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> Returned:
        """From the window: wait in the background of the event loop."""
        if bpy.app.background:
            return self.execute(context)
        try:
            self._work = self._begin(context)
        except Exception as error:
            return self._failed(error)
        return self._wait(context)

    def _step(
        self, context: bpy.types.Context, messages: Sequence[Message]
    ) -> Callable[[], Returned] | None:
        ready = self._work.take(messages)
        return None if ready is None else lambda: self._ready(ready)

    def execute(self, context: bpy.types.Context) -> Returned:
        """From scripts and in background mode: wait."""
        try:
            work = self._begin(context)
            ready = None
            while ready is None:
                ready = work.take(session.backend.wait(0.5))
        except Exception as error:
            return self._failed(error)
        return self._ready(ready)

    def _begin(self, context: bpy.types.Context) -> live.Preparation:
        inspection.stop()
        preview.stop()
        live.end()
        return live.Preparation(
            context.object, options_of(context), session.backend, patient=bpy.app.background
        )

    def _ready(self, ready: live.Live) -> Returned:
        session.clear_status()
        live.begin(ready)
        show_sliders(ready)
        face_view.show(bpy.context, active_object(bpy.context), ready.landmarks)
        self.report(
            {"INFO"},
            tr("{count} expression sliders are ready").format(count=len(ready.conditions)),
        )
        return {"FINISHED"}


def _live() -> live.Live:
    """The live conditions, where there are some."""
    now = live.current()
    if now is None:
        raise AddonError("usage", "There are no expression sliders.", "Start them first.")
    return now


class _WhileLive(OperatorMixin):
    """An operator that needs live conditions."""

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Needs live conditions."""
        return live.current() is not None and not session.status.running


class BLENDSHAPES_OT_live_keep(_WhileLive, bpy.types.Operator):
    """Store the face as it is shown as a shape key of this name, at value 0"""

    bl_idname = "blendshapes.live_keep"
    bl_label = "Keep as Shape Key"
    bl_options = {"REGISTER", "UNDO"}

    key_name: Annotated[
        str,
        bpy.props.StringProperty(
            name="Name", description="Name of the new shape key", maxlen=63, options={"SKIP_SAVE"}
        ),
    ]

    def execute(self, context: bpy.types.Context) -> Returned:
        """Keep it."""
        name = self.key_name or of_window(context).live_name
        try:
            _live().keep(name)
        except Exception as problem:
            self.report({"ERROR"}, error_text(as_addon_error(problem)))
            return {"CANCELLED"}
        reset_sliders()
        self.report({"INFO"}, tr("Kept as {name}").format(name=name))
        return {"FINISHED"}


class BLENDSHAPES_OT_live_reset(_WhileLive, bpy.types.Operator):
    """Put all sliders back, so that the face rests"""

    bl_idname = "blendshapes.live_reset"
    bl_label = "Reset Sliders"
    bl_options = {"INTERNAL"}

    def execute(self, context: bpy.types.Context) -> Returned:
        """Reset."""
        reset_sliders()
        _live().rest()
        return {"FINISHED"}


class BLENDSHAPES_OT_live_end(_WhileLive, bpy.types.Operator):
    """Stop the expression sliders; the face is as it was before"""

    bl_idname = "blendshapes.live_end"
    bl_label = "Stop Expression Sliders"
    bl_options = {"REGISTER"}

    def execute(self, context: bpy.types.Context) -> Returned:
        """End."""
        end()
        return {"FINISHED"}


def end() -> None:
    """Stop the sliders: the face rests, and the 3D view is as it was."""
    live.end()
    hide_sliders()
    face_view.give_back(bpy.context)
    session.redraw(bpy.context)


def options_of(context: bpy.types.Context) -> Options:
    """Where the face is, as the panel says it."""
    scene = of_scene(context)
    return Options(
        group=scene.group,
        use_selection=scene.use_selection,
        parts=scene.parts,
        model=chosen.model(context),
    )


def show_sliders(ready: live.Live) -> None:
    """Register a property per condition, with the range and default that the model states."""
    hide_sliders()
    fields = {
        f"c{index}": bpy.props.FloatProperty(
            name=condition.name,
            description=tr("Strength of this expression"),
            default=condition.default,
            min=condition.minimum,
            max=condition.maximum,
            update=_moved,
        )
        for index, condition in enumerate(ready.conditions)
    }
    cls = type("BlendShapesSliders", (bpy.types.PropertyGroup,), {"__annotations__": fields})
    bpy.utils.register_class(cls)
    _sliders.append(cls)
    setattr(bpy.types.WindowManager, HOLDER, bpy.props.PointerProperty(type=cls))
    reset_sliders()


def reset_sliders() -> None:
    """All sliders at their defaults, without showing it."""
    ready, sliders = live.current(), getattr(bpy.context.window_manager, HOLDER, None)
    if ready is None or sliders is None:
        return
    for index in range(len(ready.conditions)):
        sliders.property_unset(f"c{index}")
    ready.weights = np.array([condition.default for condition in ready.conditions], np.float32)


def hide_sliders() -> None:
    """Unregister them."""
    if hasattr(bpy.types.WindowManager, HOLDER):
        delattr(bpy.types.WindowManager, HOLDER)
    while _sliders:
        bpy.utils.unregister_class(_sliders.pop())


def _moved(sliders: bpy.types.PropertyGroup, context: bpy.types.Context) -> None:
    """A slider was moved: show the face."""
    ready = live.current()
    if ready is None:
        return
    try:
        ready.show(
            np.array(
                [getattr(sliders, f"c{index}") for index in range(len(ready.conditions))],
                np.float32,
            )
        )
    except AddonError as error:
        session.status.end(context.object, str(error), error)
        live.end()
