# SPDX-License-Identifier: GPL-3.0-or-later
"""Save a file with the sample head, chosen and seen from the front, as a user would have it after
opening an avatar; or with the first object of another file.

blender -b --python make_head.py -- FILE.blend [OTHER.blend]
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
    out, *others = sys.argv[sys.argv.index("--") + 1 :]
    if others:
        with bpy.data.libraries.load(others[0]) as (there, here):
            here.objects = there.objects[:1]
        ob = here.objects[0]
        bpy.context.collection.objects.link(ob)
        bpy.context.view_layer.objects.active = ob
        ob.select_set(True)
    else:
        add_sample_head()
    bpy.ops.wm.save_as_mainfile(filepath=out, compress=False)


main()
