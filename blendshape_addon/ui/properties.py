# SPDX-License-Identifier: GPL-3.0-or-later
"""What the panel edits, saved with the file, and what it shows. The operators have the same
properties, for scripts.

`options` is what bpy.props takes: the operator passes SKIP_SAVE, else Blender would fill in its
last values instead of the panel's. Model and table are only used as chosen.py says, since a file
that somebody sent has its own.
"""

from collections.abc import Callable, Sequence
from typing import Annotated, Literal

import bpy

from ..job import chosen, preview

# Identifier, name, description, number as a flag, and count of shapes, in the order of
# backend/face/shapes/shape_sets.json; the test suite compares
_SETS = (
    ("arkit", "ARKit", "The 52 face tracking shapes of Apple ARKit", 1, 52),
    ("vrchat", "VRChat visemes", "The 15 mouth shapes of VRChat's lip sync", 2, 15),
    ("vrm0", "VRM 0.x", "Vowels, blinks, looks and emotions under the names of VRM 0.x", 4, 16),
    ("vrm1", "VRM 1.0", "Vowels, blinks, looks and emotions under the names of VRM 1.0", 8, 17),
    (
        "unified",
        "Unified Expressions",
        "Base and blended face tracking shapes of VRCFaceTracking",
        16,
        132,
    ),
    ("sranipal", "SRanipal", "Face tracking shapes of HTC's SRanipal", 32, 46),
    ("mmd", "MMD", "Japanese names that MMD dance worlds ask for", 64, 34),
)
SETS = tuple(row[:4] for row in _SETS)
COUNTS = {row[0]: row[4] for row in _SETS}

# Where the avatar goes: identifier, name, description, sets. The last is what anything else is
# called
DESTINATIONS: tuple[tuple[str, str, str, frozenset[str]], ...] = (
    (
        "vrchat_tracking",
        "VRChat face tracking",
        "ARKit's names and the 15 visemes, as templates take them",
        frozenset({"arkit", "vrchat"}),
    ),
    (
        "vrchat_visemes",
        "VRChat visemes only",
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
    ("everything", "Everything", "All sets", frozenset(row[0] for row in _SETS)),
    ("custom", "Custom", "The sets that are ticked under Advanced", frozenset()),
)

REGIONS = (
    ("brows", "Brows", "Strength of the shapes that move the brows"),
    ("eyes", "Eyes", "Strength of blinks, looks, squints and wide eyes; 1 closes the lids"),
    ("cheeks", "Cheeks and nose", "Strength of cheeks and nose"),
    ("mouth", "Mouth", "Strength of what the lips do"),
    ("jaw", "Jaw", "Strength of the jaw, and of the closed mouth that belongs to it"),
    ("tongue", "Tongue", "Strength of the tongue"),
)
NAMINGS = (
    (
        "auto",
        "Match Existing",
        (
            "Spell new keys as those that are there, and update keys that differ only in case or"
            " separators"
        ),
    ),
    ("standard", "Standard", "Exactly the names of the standard: eyeBlinkLeft"),
    (
        "pascal",
        "PascalCase",
        "Names that begin with a capital letter, as Perfect Sync asks for: EyeBlinkLeft",
    ),
    ("suffix", "_L/_R Suffix", "Left and right as suffixes: eyeBlink_L"),
)
GUIDES = (
    ("off", "Off", "Your own keys play no part"),
    (
        "size",
        "Amplitude",
        "Your own A, I, U, E, O and blink keys decide how large vowels, jaw and blinks are",
    ),
    (
        "shape",
        "Amplitude and Shape",
        (
            "As before, and where you have made a vowel or a blink yourself, your shape is used"
            " under the standard's name"
        ),
    ),
)
PARTS = (
    ("AUTO", "Automatic", "Recognised by its name, its materials or its place on the face"),
    ("FACE", "Face", "Moves with the face, like skin"),
    ("EYES", "Eyes", "Turns with the look and rests otherwise"),
    ("LASHES", "Lashes", "Follows the lids"),
    ("BROWS", "Brows", "Follows the brows"),
    ("TEETH", "Teeth", "Follows the jaw in one piece"),
    ("TONGUE", "Tongue", "Follows jaw and tongue"),
    ("NONE", "Ignore", "Left alone"),
)
Flags = frozenset[Literal["SKIP_SAVE"]]
NONE: Flags = frozenset()
Update = Callable[[bpy.types.PropertyGroup, bpy.types.Context], None]


def sets_property(options: Flags = NONE) -> object:
    """Which shape sets."""
    return bpy.props.EnumProperty(
        name="Sets",
        description="Shape sets to make",
        items=SETS,
        options={"ENUM_FLAG", *options},
        default={"arkit", "vrchat"},
    )


def strength_property(options: Flags = NONE) -> object:
    """Factor on all movements."""
    return bpy.props.FloatProperty(
        name="Strength",
        description="Overall strength; 1 is the full expression",
        default=1.0,
        min=0.01,
        max=10.0,
        soft_max=2.0,
        options=set(options),
    )


def style_property(options: Flags = NONE) -> object:
    """Sizes of all shapes, within what makers do."""
    return bpy.props.FloatProperty(
        name="Style",
        description=(
            "Sizes of all shapes within what makers of avatars do: 0 is subtle, 0.5 as most of"
            " them, 1 bold"
        ),
        default=0.5,
        min=0.0,
        max=1.0,
        options=set(options),
    )


def turn_eyes_property(options: Flags = NONE) -> object:
    """Whether looks turn eyeballs that bones turn."""
    return bpy.props.BoolProperty(
        name="Turn eyeballs that have bones",
        description=(
            "Let eyeLook shapes turn eyeballs also where bones do; without it they move only the"
            " lids of such avatars"
        ),
        options=set(options),
    )


def region_property(number: int, options: Flags = NONE) -> object:
    """Factor on the movements of one region."""
    _name, label, description = REGIONS[number]
    return bpy.props.FloatProperty(
        name=label,
        description=description,
        default=1.0,
        min=0.0,
        max=10.0,
        soft_max=2.0,
        options=set(options),
    )


def group_property(options: Flags = NONE) -> object:
    """Vertex group that the face is inside of."""
    return bpy.props.StringProperty(
        name="Face group",
        description="Only vertices of this vertex group can be the face; empty: found by itself",
        options=set(options),
    )


def selection_property(options: Flags = NONE) -> object:
    """Use the selection instead of a group."""
    return bpy.props.BoolProperty(
        name="Selected Vertices Only",
        description="Look for the face among the vertices that are selected in edit mode",
        options=set(options),
    )


def overwrite_property(options: Flags = NONE) -> object:
    """Replace keys that the user made."""
    return bpy.props.BoolProperty(
        name="Replace Edited Keys",
        description=(
            "Also replace keys of the same name that you made or edited; otherwise they are kept"
        ),
        options=set(options),
    )


def conditions_property(options: Flags = NONE) -> object:
    """A key of the user's own."""
    return bpy.props.StringProperty(
        name="Custom Mix",
        description='Weights of a key of your own, such as "jawOpen=0.6,mouthSmileLeft=0.3"',
        options=set(options),
    )


def key_name_property(options: Flags = NONE) -> object:
    """The name of that key."""
    return bpy.props.StringProperty(
        name="Key Name",
        description="Name of the key that has this mix",
        maxlen=63,
        options=set(options),
    )


def table_property(options: Flags = NONE, update: Update | None = None) -> object:
    """A JSON file of the user's own keys."""
    return bpy.props.StringProperty(
        name="Custom Set (JSON)",
        description="JSON file with keys of your own: name, expressions, weights",
        subtype="FILE_PATH",
        options=set(options),
        update=update,
    )


def model_property(options: Flags = NONE, update: Update | None = None) -> object:
    """A model file."""
    return bpy.props.StringProperty(
        name="Model File",
        description="Model file; empty: the one of the preferences",
        subtype="FILE_PATH",
        options=set(options),
        update=update,
    )


def parts_property(options: Flags = NONE) -> object:
    """Other objects of the avatar."""
    return bpy.props.BoolProperty(
        name="Include Separate Parts",
        description=(
            "Eyes, lashes, brows, teeth and tongue that are objects of their own get the keys that"
            " move them"
        ),
        default=True,
        options=set(options),
    )


def naming_property(options: Flags = NONE) -> object:
    """How keys are spelled."""
    return bpy.props.EnumProperty(
        name="Naming",
        description="How the keys are spelled",
        items=NAMINGS,
        default="auto",
        options=set(options),
    )


def alias_property(options: Flags = NONE) -> object:
    """A second name of a viseme."""
    return bpy.props.BoolProperty(
        name="Add vrc.v_ee Alias",
        description=(
            "Make vrc.v_e under the name vrc.v_ee as well, which the common face tracking template"
            " asks for"
        ),
        options=set(options),
    )


def guide_property(options: Flags = NONE) -> object:
    """The user's own keys as a guide."""
    return bpy.props.EnumProperty(
        name="Match My Keys",
        description="What your own vowels and blinks decide",
        items=GUIDES,
        default="off",
        options=set(options),
    )


def _set_box(name: str) -> object:
    """One set as a check box; the truth is in `sets`."""
    label, description = next((row[1], row[2]) for row in _SETS if row[0] == name)

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
            name="Set manually", description="Set manually; it is used as it is"
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
            name="Shape",
            description="Click a shape to see it on the face",
            get=preview.clicked,
            set=preview.click,
            min=-1,
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
    mirror: Annotated[
        bool,
        bpy.props.BoolProperty(
            name="Mirror Left/Right",
            description="Move the landmark on the other side of the face as well",
            default=True,
        ),
    ]
