# SPDX-License-Identifier: GPL-3.0-or-later
"""Save a file with the sample head, chosen and seen from the front, as a user would have it after
opening an avatar.

blender -b --python make_head.py -- FILE.blend
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import bpy

from scripts.samples.object import add_sample_head


def main() -> None:
    bpy.ops.wm.read_factory_settings()
    for ob in list(bpy.data.objects):
        bpy.data.objects.remove(ob)
    add_sample_head()
    bpy.ops.wm.save_as_mainfile(filepath=sys.argv[-1], compress=False)


main()
