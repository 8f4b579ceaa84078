# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings of the extension that do not belong to a file."""

from typing import Annotated

import bpy

from ..job import session
from ..ops import runtime_operators
from ..translations import tr
from . import guide
from .report import BLENDSHAPES_OT_copy_report

PROVIDERS = (
    ("auto", "Automatic", "Fastest working device"),
    ("cpu", "CPU", "The processor"),
    (
        "tensorrt",
        "TensorRT",
        (
            "NVIDIA; needs a Python with onnxruntime-gpu and TensorRT; the first run compiles for"
            " minutes"
        ),
    ),
    ("cuda", "CUDA", "NVIDIA; needs a Python with onnxruntime-gpu"),
    ("directml", "DirectML", "Windows; needs a Python with onnxruntime-directml"),
    ("windowsml", "Windows ML", "Windows; needs a Python with onnxruntime-windowsml"),
    (
        "openvino",
        "OpenVINO",
        "Intel; needs a Python with onnxruntime-openvino or onnxruntime-ep-openvino",
    ),
    ("coreml", "CoreML", "Apple"),
    ("webgpu", "WebGPU", "Needs a Python with onnxruntime-ep-webgpu"),
    (
        "nvtensorrtrtx",
        "TensorRT RTX",
        "NVIDIA RTX; needs a Python with onnxruntime-ep-nv-tensorrt-rtx",
    ),
    ("qnn", "QNN", "Qualcomm; needs a Python with onnxruntime-qnn and a quantised model"),
)
PRECISIONS = (
    ("auto", "As the Model Is", "The model's own precision"),
    ("fp32", "32 Bits", "Full precision"),
    ("fp16", "16 Bits", "Half precision, where the model has a variant that keeps its quality"),
    ("int8", "8 Bits", "Whole numbers, where the model has a variant that keeps its quality"),
)


def _restart(self: bpy.types.AddonPreferences, context: bpy.types.Context) -> None:
    """The next request starts a child with the new settings."""
    session.backend.stop()


def _make_whole(self: "BlendShapesPreferences", name: str) -> None:
    """Keep a path that was picked relative to the open file as a whole one: relative to another
    file, it would be that file's choice.
    """
    path = bpy.path.abspath(getattr(self, name))
    if path != getattr(self, name):
        setattr(self, name, path)


def _forget_model(self: "BlendShapesPreferences", context: bpy.types.Context) -> None:
    """Another model."""
    _make_whole(self, "model")


def _forget_python(self: "BlendShapesPreferences", context: bpy.types.Context) -> None:
    """Another Python: what was remembered no longer holds."""
    _make_whole(self, "python")
    self.python_known = ""
    session.backend.stop()


class BlendShapesPreferences(bpy.types.AddonPreferences):
    """Shown under Edit > Preferences > Add-ons."""

    bl_idname = session.ROOT_PACKAGE

    model: Annotated[
        str,
        bpy.props.StringProperty(
            name="Model",
            description="A model file instead of the shipped one",
            subtype="FILE_PATH",
            update=_forget_model,
        ),
    ]
    provider: Annotated[
        str,
        bpy.props.EnumProperty(
            name="Device",
            description="Execution provider of ONNX Runtime",
            items=PROVIDERS,
            default="auto",
            update=_restart,
        ),
    ]
    strict: Annotated[
        bool,
        bpy.props.BoolProperty(
            name="No Fallback",
            description="An error instead of another provider when the chosen one does not work",
            default=False,
            update=_restart,
        ),
    ]
    precision: Annotated[
        str,
        bpy.props.EnumProperty(
            name="Precision",
            description="Precision of the computation",
            items=PRECISIONS,
            default="auto",
            update=_restart,
        ),
    ]
    memory_mb: Annotated[
        int,
        bpy.props.IntProperty(
            name="Memory (MB)",
            description="Memory up to which models stay loaded",
            default=2048,
            min=128,
            max=1 << 20,
            update=_restart,
        ),
    ]
    threads: Annotated[
        int,
        bpy.props.IntProperty(
            name="Threads",
            description="Threads that compute; 0 chooses by itself",
            default=0,
            min=0,
            max=256,
            update=_restart,
        ),
    ]
    python: Annotated[
        str,
        bpy.props.StringProperty(
            name="Python",
            description=(
                "A Python with numpy, psutil and a build of onnxruntime of your choice, instead of"
                " Blender's own"
            ),
            subtype="FILE_PATH",
            update=_forget_python,
        ),
    ]
    inspect: Annotated[
        bool,
        bpy.props.BoolProperty(
            name="Detect Face Automatically",
            description="Tell where the face is as soon as the sidebar shows a mesh",
            default=True,
        ),
    ]
    frame: Annotated[
        bool,
        bpy.props.BoolProperty(
            name="Frame the Face",
            description="Set the 3D view to the face while shapes, sliders or landmarks are shown",
            default=True,
        ),
    ]
    pictures: Annotated[
        bool,
        bpy.props.BoolProperty(
            name="Pictures of Shapes",
            description=(
                "Show a small picture of each shape in Results, for which textures are read"
            ),
            default=True,
        ),
    ]
    python_known: Annotated[
        str, bpy.props.StringProperty(name="What the Python offers", options={"HIDDEN"})
    ]

    def draw(self, context: bpy.types.Context) -> None:
        """Draw the settings, and what runs now."""
        layout = self.layout
        row = layout.row()
        guide.draw_link(row, guide.first_page(), "Guide", "HELP")
        guide.draw_link(row, guide.TROUBLES, "Troubleshooting", "QUESTION")
        row.operator(BLENDSHAPES_OT_copy_report.bl_idname, icon="COPYDOWN")
        website = session.website()
        if website:
            row.operator("wm.url_open", text="Website", icon="URL").url = website
        layout.use_property_split = True
        column = layout.column()
        for name in ("inspect", "frame", "pictures"):
            column.prop(self, name)
        layout.separator()
        for name in ("model", "provider", "strict", "precision", "threads", "memory_mb", "python"):
            layout.prop(self, name)
        self._draw_runtime(layout)
        hello = session.backend.hello
        if hello is not None:
            versions = hello["versions"]
            running = tr("Running: onnxruntime {runtime}, Python {python}").format(
                runtime=versions["onnxruntime"], python=versions["python"]
            )
            layout.label(text=running, icon="CHECKMARK", translate=False)
        if session.backend.log is not None:
            log = tr("Log: {path}").format(path=session.backend.log)
            layout.label(text=log, translate=False)

    def _draw_runtime(self, layout: bpy.types.UILayout) -> None:
        """The second runtime: what is known of it, and what can be done about it."""
        status = session.status
        if status.preparing:
            layout.progress(
                factor=status.prepared, text=status.preparing, type="BAR", translate=False
            )
            layout.label(text="Esc cancels", icon="X")
            return
        python = self.python
        if runtime_operators.still_known(self.python_known, python):
            known = runtime_operators.describe_known(self.python_known)
            checked = tr("Checked: {what}").format(what=known)
            layout.label(text=checked, icon="CHECKMARK", translate=False)
        elif python:
            layout.label(text="Not checked yet", icon="QUESTION")
        row = layout.row()
        if python:
            row.operator(runtime_operators.BLENDSHAPES_OT_check_python.bl_idname)
        row.operator(runtime_operators.BLENDSHAPES_OT_prepare_runtime.bl_idname, icon="IMPORT")
        if session.prepared_runtimes():
            row.operator(runtime_operators.BLENDSHAPES_OT_remove_runtime.bl_idname, icon="TRASH")
