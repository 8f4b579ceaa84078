# SPDX-License-Identifier: GPL-3.0-or-later
"""What the panel edits; saved with the file. The operator has the same properties, for scripts.

`options` is what bpy.props takes: the operator passes SKIP_SAVE, else Blender would fill in its last values instead of the panel's.
"""

import bpy

# In the order of backend/face/shape_sets.json; the test suite compares the two
SETS = (
    ("arkit", "ARKit", "The 52 face tracking shapes of Apple ARKit", 1),
    ("vrchat", "VRChat visemes", "The 15 mouth shapes of VRChat's lip sync", 2),
    ("vrm0", "VRM 0.x", "Vowels, blinks, looks and emotions under the names of VRM 0.x", 4),
    ("vrm1", "VRM 1.0", "Vowels, blinks, looks and emotions under the names of VRM 1.0", 8),
    ("unified", "Unified Expressions", "Base and blended face tracking shapes of VRCFaceTracking", 16),
    ("sranipal", "SRanipal", "Face tracking shapes of HTC's SRanipal", 32),
    ("mmd", "MMD", "Japanese names that MMD dance worlds ask for", 64),
)
NONE: frozenset[str] = frozenset()


def sets_property(options: frozenset[str] = NONE) -> object:
    """Which shape sets."""
    return bpy.props.EnumProperty(
        name="Sets", description="Shape sets to make", items=SETS, options={"ENUM_FLAG", *options}, default={"arkit", "vrchat"}
    )


def strength_property(options: frozenset[str] = NONE) -> object:
    """Factor on all movements."""
    return bpy.props.FloatProperty(
        name="Strength",
        description="Factor on all movements; 1 is the full expression",
        default=1.0,
        min=0.01,
        max=10.0,
        soft_max=2.0,
        options=set(options),
    )


def group_property(options: frozenset[str] = NONE) -> object:
    """Vertex group that the face is inside of."""
    return bpy.props.StringProperty(
        name="Face group", description="Only vertices of this vertex group can be the face; empty: found by itself", options=set(options)
    )


def selection_property(options: frozenset[str] = NONE) -> object:
    """Use the selection instead of a group."""
    return bpy.props.BoolProperty(
        name="Only selected vertices",
        description="Look for the face among the vertices that are selected in edit mode",
        options=set(options),
    )


def overwrite_property(options: frozenset[str] = NONE) -> object:
    """Replace keys that the user made."""
    return bpy.props.BoolProperty(
        name="Overwrite hand-made keys",
        description="Also replace keys of the same name that you made or edited; otherwise they are kept",
        options=set(options),
    )


def conditions_property(options: frozenset[str] = NONE) -> object:
    """A key of the user's own."""
    return bpy.props.StringProperty(
        name="Conditions", description='Weights of a key of your own, such as "jawOpen=0.6,mouthSmileLeft=0.3"', options=set(options)
    )


def key_name_property(options: frozenset[str] = NONE) -> object:
    """The name of that key."""
    return bpy.props.StringProperty(
        name="Key name", description="Name of the key that has these conditions", maxlen=63, options=set(options)
    )


def table_property(options: frozenset[str] = NONE) -> object:
    """A JSON file of the user's own keys."""
    return bpy.props.StringProperty(
        name="Table", description="JSON file with keys of your own: name, conditions, weights", subtype="FILE_PATH", options=set(options)
    )


def model_property(options: frozenset[str] = NONE) -> object:
    """A model file."""
    return bpy.props.StringProperty(
        name="Model", description="Model file; empty: the one of the preferences", subtype="FILE_PATH", options=set(options)
    )


class BlendShapesSettings(bpy.types.PropertyGroup):
    """`scene.blendshapes`."""

    sets: sets_property()
    strength: strength_property()
    group: group_property()
    use_selection: selection_property()
    overwrite: overwrite_property()
    conditions: conditions_property()
    key_name: key_name_property()
    table: table_property()
    model: model_property()
