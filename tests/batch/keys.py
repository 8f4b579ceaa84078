# SPDX-License-Identifier: GPL-3.0-or-later
"""Print {file: SHA-256 of names and coordinates of its shape keys} for the .blend files of a
folder, as JSON: python keys.py FOLDER
"""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path

import bpy
import numpy as np


def main() -> None:
    folder = Path(sys.argv[1])
    found = {}
    for path in sorted(folder.rglob("*.blend")):
        bpy.ops.wm.open_mainfile(filepath=str(path))
        total = hashlib.sha256()
        for ob in sorted(
            (ob for ob in bpy.data.objects if ob.type == "MESH" and ob.data.shape_keys),
            key=lambda ob: str(ob.name),
        ):
            for block in ob.data.shape_keys.key_blocks:
                flat = np.empty(len(block.points) * 3, np.float32)
                block.points.foreach_get("co", flat)
                total.update(f"{ob.name}/{block.name}".encode() + flat.tobytes())
        found[path.relative_to(folder).as_posix()] = total.hexdigest()
    print("\n" + json.dumps(found))


if __name__ == "__main__":
    main()
