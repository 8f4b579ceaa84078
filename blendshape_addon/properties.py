# SPDX-License-Identifier: GPL-3.0-or-later
"""What the panel edits; saved with the file. The operator has the same properties, for scripts."""

import bpy

# In the order of backend/face/shape_sets.json; the test suite compares the two
SETS = (
    ("arkit", "ARKit", "The 52 face tracking shapes of Apple ARKit", 1),
    ("vrchat", "VRChat visemes", "The 15 mouth shapes of VRChat's lip sync", 2),
)


def sets_property() -> object:
    """Which shape sets."""
    return bpy.props.EnumProperty(name="Sets", description="Shape sets to make", items=SETS, options={"ENUM_FLAG"}, default={"arkit", "vrchat"})


def strength_property() -> object:
    """Factor on all movements."""
    return bpy.props.FloatProperty(
        name="Strength", description="Factor on all movements; 1 is the full expression", default=1.0, min=0.01, max=10.0, soft_max=2.0
    )


def group_property() -> object:
    """Vertex group that the face is inside of."""
    return bpy.props.StringProperty(name="Face group", description="Only vertices of this vertex group can be the face; empty: found by itself")


def selection_property() -> object:
    """Use the selection instead of a group."""
    return bpy.props.BoolProperty(name="Only selected vertices", description="Look for the face among the vertices that are selected in edit mode")


def overwrite_property() -> object:
    """Replace keys that the user made."""
    return bpy.props.BoolProperty(
        name="Overwrite hand-made keys", description="Also replace keys of the same name that you made or edited; otherwise they are kept"
    )


def conditions_property() -> object:
    """A key of the user's own."""
    return bpy.props.StringProperty(name="Conditions", description='Weights of a key of your own, such as "jawOpen=0.6,mouthSmileLeft=0.3"')


def key_name_property() -> object:
    """The name of that key."""
    return bpy.props.StringProperty(name="Key name", description="Name of the key that has these conditions", maxlen=63)


def table_property() -> object:
    """A JSON file of the user's own keys."""
    return bpy.props.StringProperty(name="Table", description="JSON file with keys of your own: name, conditions, weights", subtype="FILE_PATH")


def model_property() -> object:
    """A model file."""
    return bpy.props.StringProperty(name="Model", description="Model file; empty: the one of the preferences", subtype="FILE_PATH")


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
