# SPDX-License-Identifier: GPL-3.0-or-later
"""A contact sheet of a file: every shape key of an object in one picture, as the extension draws it.

.venv/bin/python scripts/contact_sheet.py FILE.blend OUT.png [--object NAME] [--turn 15]
"""

from __future__ import annotations

import argparse
import importlib
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

import bpy  # noqa: E402

from scripts.generate import ALIAS, load_extension  # noqa: E402

load_extension()
_sheet = importlib.import_module(f"{ALIAS}.blendshape_addon.sheet")
render_sheet, tint = _sheet.render_sheet, _sheet.tint


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("blend", type=Path, help="file with shape keys")
    parser.add_argument("out", type=Path, help="PNG to write")
    parser.add_argument("--object", help="the mesh object; the first with shape keys otherwise")
    parser.add_argument("--turn", type=float, default=15.0, help="degrees by which heads look aside")
    options = parser.parse_args()
    bpy.ops.wm.open_mainfile(filepath=str(options.blend))
    found = [ob for ob in bpy.data.objects if ob.type == "MESH" and ob.data.shape_keys and options.object in (None, ob.name)]
    if not found:
        print(f"{options.blend}: there is no such object with shape keys.", file=sys.stderr)
        return 2
    print(f"{render_sheet(found[0], options.out.resolve(), options.turn)} tiles in {options.out}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
