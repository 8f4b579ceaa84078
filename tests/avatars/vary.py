# SPDX-License-Identifier: GPL-3.0-or-later
"""Change an avatar's .blend as users' avatars differ: python vary.py IN.blend OUT.blend VARIANT"""

from __future__ import annotations

import math
import sys

import bpy
from mathutils import Matrix

MATRICES = {
    "x0.01": Matrix.Scale(0.01, 4),
    "x100": Matrix.Scale(100, 4),
    "turned": Matrix.Rotation(math.pi / 2, 4, "Z"),
    "lying": Matrix.Rotation(math.pi / 2, 4, "X"),
    "moved": Matrix.Translation((50, 0, 0)),
}


def main() -> None:
    source, target, variant = sys.argv[1:]
    bpy.ops.wm.open_mainfile(filepath=source)
    body = bpy.data.objects["Body"]
    armature = bpy.data.objects["Armature"]
    if variant in MATRICES:  # the data itself, as after Apply Transform
        body.data.transform(MATRICES[variant])
        armature.data.transform(MATRICES[variant])
    elif variant == "object_moved":
        armature.matrix_world = (
            Matrix.Translation((50, -20, 3)) @ Matrix.Rotation(2.0, 4, "Z") @ Matrix.Scale(3, 4)
        )
    elif variant == "no_armature":
        body.modifiers.clear()
        body.parent = None
        body.vertex_groups.clear()
        bpy.data.objects.remove(armature)
    else:
        raise SystemExit(f"unknown variant {variant}")
    bpy.ops.wm.save_as_mainfile(filepath=target)


if __name__ == "__main__":
    main()
