# SPDX-License-Identifier: GPL-3.0-or-later
"""What the panel edits, saved with the file, and what it shows."""

from collections.abc import Sequence
from typing import Annotated

import bpy

from ..job import chosen, preview, receiving
from ..ops.option_properties import (
    SET_ROWS,
    alias_property,
    conditions_property,
    group_property,
    guide_property,
    key_name_property,
    model_property,
    naming_property,
    overwrite_property,
    parts_property,
    region_property,
    selection_property,
    sets_property,
    strength_property,
    style_property,
    table_property,
    turn_eyes_property,
    vrm_property,
)

# Where the avatar goes: identifier, name, description, sets. The last is what anything else is
# called
DESTINATIONS: tuple[tuple[str, str, str, frozenset[str]], ...] = (
    (
        "vrchat_tracking",
        "VRChat Face Tracking",
        "ARKit's names and the 15 visemes, as templates take them",
        frozenset({"arkit", "vrchat"}),
    ),
    (
        "vrchat_visemes",
        "VRChat Visemes Only",
        "Lip sync without face tracking",
        frozenset({"vrchat"}),
    ),
    (
        "vrm",
        "VRM / VSeeFace / Warudo",
        "Perfect Sync, and the expressions of VRM 0.x and 1.0",
        frozenset({"arkit", "vrm0", "vrm1"}),
    ),
    ("resonite", "Resonite", "Unified Expressions and visemes", frozenset({"unified", "vrchat"})),
    ("chilloutvr", "ChilloutVR", "SRanipal's names and visemes", frozenset({"sranipal", "vrchat"})),
    ("mmd", "MMD", "Japanese names that MMD dance worlds ask for", frozenset({"mmd"})),
    ("everything", "Everything", "All sets", frozenset(row[0] for row in SET_ROWS)),
    ("custom", "Custom", "The sets that are ticked under Advanced", frozenset()),
)

PARTS = (
    ("AUTO", "Automatic", "Recognised by its name, its materials or its place on the face"),
    ("FACE", "As the Face", "Moves with the face, like skin"),
    ("EYES", "Eyes", "Turns with the look and rests otherwise"),
    ("LASHES", "Lashes", "Follows the lids"),
    ("BROWS", "Brows", "Follows the brows"),
    ("TEETH", "Teeth", "Follows the jaw in one piece"),
    ("TONGUE", "Tongue", "Follows jaw and tongue"),
    ("NONE", "Ignore", "Left alone"),
)


SOURCES = (
    ("vrchat", "VRChat OSC", "VRCFaceTracking's parameters, or ARKit's names as parameters"),
    ("vmc", "VMC Protocol", "VSeeFace, Warudo, VMagicMirror and others"),
    ("ifacialmocap", "iFacialMocap", "The iPhone app, and others that send as it does"),
)


def _set_box(name: str) -> object:
    """One set as a check box; the truth is in `sets`."""
    label, description = next((row[1], row[2]) for row in SET_ROWS if row[0] == name)

    def ticked(self: "BlendShapesSettings") -> bool:
        return name in self.sets

    def tick(self: "BlendShapesSettings", value: bool) -> None:
        self.sets = self.sets | {name} if value else self.sets - {name}

    return bpy.props.BoolProperty(name=label, description=description, get=ticked, set=tick)


def destination_property() -> object:
    """The sets by where the avatar goes; the truth is in `sets`."""

    def told(self: "BlendShapesSettings") -> int:
        return next(
            (number for number, row in enumerate(DESTINATIONS) if row[3] == self.sets),
            len(DESTINATIONS) - 1,
        )

    def choose(self: "BlendShapesSettings", number: int) -> None:
        self.sets = set(DESTINATIONS[number][3]) or self.sets

    items = [
        (name, label, description, number)
        for number, (name, label, description, _sets) in enumerate(DESTINATIONS)
    ]
    return bpy.props.EnumProperty(
        name="For",
        description="Where the avatar goes, which says what shapes it needs",
        items=items,
        get=told,
        set=choose,
    )


class BlendShapesSettings(bpy.types.PropertyGroup):
    """`scene.blendshapes`."""

    sets: Annotated[set[str], sets_property()]
    strength: Annotated[float, strength_property()]
    style: Annotated[float, style_property()]
    turn_eyes: Annotated[bool, turn_eyes_property()]
    vrm: Annotated[str, vrm_property()]
    brows: Annotated[float, region_property(0)]
    eyes: Annotated[float, region_property(1)]
    cheeks: Annotated[float, region_property(2)]
    mouth: Annotated[float, region_property(3)]
    jaw: Annotated[float, region_property(4)]
    tongue: Annotated[float, region_property(5)]
    group: Annotated[str, group_property()]
    use_selection: Annotated[bool, selection_property()]
    overwrite: Annotated[bool, overwrite_property()]
    conditions: Annotated[str, conditions_property()]
    key_name: Annotated[str, key_name_property()]
    table: Annotated[str, table_property(update=chosen.picked("table"))]
    model: Annotated[str, model_property(update=chosen.picked("model"))]
    parts: Annotated[bool, parts_property()]
    naming: Annotated[str, naming_property()]
    alias: Annotated[bool, alias_property()]
    guide: Annotated[str, guide_property()]
    destination: Annotated[str, destination_property()]
    sets_arkit: Annotated[bool, _set_box("arkit")]
    sets_vrchat: Annotated[bool, _set_box("vrchat")]
    sets_vrm0: Annotated[bool, _set_box("vrm0")]
    sets_vrm1: Annotated[bool, _set_box("vrm1")]
    sets_unified: Annotated[bool, _set_box("unified")]
    sets_sranipal: Annotated[bool, _set_box("sranipal")]
    sets_mmd: Annotated[bool, _set_box("mmd")]


def _let_go(mark: "BlendShapesLandmark", _context: bpy.types.Context) -> None:
    mark.anchor = (0, 0, 0)


class BlendShapesLandmark(bpy.types.PropertyGroup):
    """A landmark on a face. Its `name` is the landmark's; `corrected`: the user placed it, so it is
    believed; `estimated`: it was told from those that he placed, and is believed with them. anchor,
    weights, height: what holds it on the mesh, see landmark_store.py; `place` is where it was when
    that was last looked at.
    """

    place: Annotated[
        Sequence[float],
        bpy.props.FloatVectorProperty(
            name="Place", description="In the object's space", size=3, subtype="XYZ", update=_let_go
        ),
    ]
    corrected: Annotated[
        bool,
        bpy.props.BoolProperty(
            name="Set Manually", description="Set manually; it is used as it is"
        ),
    ]
    estimated: Annotated[
        bool,
        bpy.props.BoolProperty(
            name="Estimated", description="It was told from the landmarks that the user placed"
        ),
    ]
    anchor: Annotated[Sequence[int], bpy.props.IntVectorProperty(size=3, options={"HIDDEN"})]
    weights: Annotated[Sequence[float], bpy.props.FloatVectorProperty(size=3, options={"HIDDEN"})]
    height: Annotated[float, bpy.props.FloatProperty(options={"HIDDEN"})]


class BlendShapesObject(bpy.types.PropertyGroup):
    """`object.blendshapes`."""

    part: Annotated[
        str,
        bpy.props.EnumProperty(
            name="Part",
            description="What this object is of the avatar's face",
            items=PARTS,
            default="AUTO",
        ),
    ]
    landmarks: Annotated[
        "bpy.types.bpy_prop_collection_idprop[BlendShapesLandmark]",
        bpy.props.CollectionProperty(type=BlendShapesLandmark),
    ]


class BlendShapesResult(bpy.types.PropertyGroup):
    """A shape of the last run. Its `name` is the key's."""

    confidence: Annotated[
        float,
        bpy.props.FloatProperty(
            name="Confidence",
            description="How sure the shape is, 0 to 1",
            min=0.0,
            max=1.0,
            subtype="FACTOR",
        ),
    ]
    note: Annotated[
        str, bpy.props.StringProperty(name="Note", description="What to know about the shape")
    ]
    state: Annotated[
        str,
        bpy.props.StringProperty(
            name="State", description="What became of it: added, updated or kept"
        ),
    ]


class BlendShapesWindow(bpy.types.PropertyGroup):
    """`window_manager.blendshapes`: what is shown and never saved. results, result: for scripts,
    what the last run made, on whatever mesh, and which of it to show on the active one. The panel's
    list reads the mesh's own keys, and shows them by `key`.
    """

    results: Annotated[
        "bpy.types.bpy_prop_collection_idprop[BlendShapesResult]",
        bpy.props.CollectionProperty(type=BlendShapesResult),
    ]
    result: Annotated[
        int,
        bpy.props.IntProperty(
            name="Shape",
            description="Which result to show on the face",
            default=-1,
            update=preview.show_result,
        ),
    ]
    key: Annotated[
        int,
        bpy.props.IntProperty(
            name="See This Shape on the Face",
            description="Click a shape to see it on the face",
            get=preview.clicked,
            set=preview.click,
            min=-1,
        ),
    ]
    search: Annotated[
        str,
        bpy.props.StringProperty(
            name="Search",
            description="Show only shapes whose names contain this",
            options={"TEXTEDIT_UPDATE"},
        ),
    ]
    live_name: Annotated[
        str,
        bpy.props.StringProperty(
            name="Name",
            description="Name of the shape key that is kept",
            default="Expression",
            maxlen=63,
        ),
    ]
    live_filter: Annotated[
        str,
        bpy.props.StringProperty(
            name="Filter",
            description="Show only expressions whose names contain this",
            options={"TEXTEDIT_UPDATE"},
        ),
    ]
    track_turn: Annotated[
        bool,
        bpy.props.BoolProperty(
            name="Turn Head and Eyes",
            description="Turn the bones of head and eyes, too, as far as the tracking says how;"
            " not those that something else turns, nor eyes that keys turn",
        ),
    ]
    track_source: Annotated[
        str,
        bpy.props.EnumProperty(
            name="Source",
            description="What sends the tracking, which says the usual port",
            items=SOURCES,
        ),
    ]
    track_address: Annotated[
        str,
        bpy.props.StringProperty(
            name="Address",
            description="Of this computer, where to listen; 127.0.0.1 is reached by its own"
            " programs alone, 0.0.0.0 by the network",
            default=receiving.LOCAL,
            maxlen=15,
        ),
    ]
    track_port: Annotated[
        int,
        bpy.props.IntProperty(
            name="Port",
            description="Where the tracking app sends to; 0 for its usual one",
            min=0,
            max=65535,
        ),
    ]
    mirror: Annotated[
        bool,
        bpy.props.BoolProperty(
            name="Mirror Left/Right",
            description="Move the landmark on the other side of the face as well",
            default=True,
        ),
    ]
