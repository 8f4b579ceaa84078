# SPDX-License-Identifier: GPL-3.0-or-later
"""What can be asked for, as properties that Blender shows. The operators have them, for scripts;
the scene has the same, which the panel edits.

`options` is what bpy.props takes: the operator passes SKIP_SAVE, else Blender would fill in its
last values instead of the panel's. Model and table are only used as chosen.py says, since a file
that somebody sent has its own.
"""

from collections.abc import Callable
from typing import Literal

import bpy

# Identifier, name, description, number as a flag, and count of shapes, in the order of
# backend/face/shapes/shape_sets.json; the test suite compares
SET_ROWS = (
    ("arkit", "ARKit", "The 52 face tracking shapes of Apple ARKit", 1, 52),
    ("vrchat", "VRChat Visemes", "The 15 mouth shapes of VRChat's lip sync", 2, 15),
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
SETS = tuple(row[:4] for row in SET_ROWS)
COUNTS = {row[0]: row[4] for row in SET_ROWS}

REGIONS = (
    ("brows", "Brows", "Strength of the shapes that move the brows"),
    ("eyes", "Eyes", "Strength of blinks, looks, squints and wide eyes; 1 closes the lids"),
    ("cheeks", "Cheeks and Nose", "Strength of cheeks and nose"),
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
VRM_WAYS = (
    ("off", "Off", "Expressions are left alone"),
    (
        "bind",
        "Bind",
        "Bind presets and Perfect Sync's 52 to the keys; expressions of your own are kept",
    ),
    ("bones", "Bind, Eyes by Bones", "The same, and eyes follow what they look at with bones"),
    ("keys", "Bind, Eyes by Keys", "The same, and eyes follow what they look at with keys"),
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
        name="Turn Eyeballs That Have Bones",
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
        name="Face Group",
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
        name="Custom Set",
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


def vrm_property(options: Flags = NONE) -> object:
    """What becomes of the VRM add-on's expressions."""
    return bpy.props.EnumProperty(
        name="VRM Expressions",
        description="What becomes of the expressions that the VRM add-on keeps on the armature",
        items=VRM_WAYS,
        default="off",
        options=set(options),
    )


def shape_property(options: Flags = NONE) -> object:
    """Which key."""
    return bpy.props.StringProperty(
        name="Shape",
        description="Name of the shape key; empty: the one that is shown, else the active one",
        maxlen=63,
        options=set(options),
    )
