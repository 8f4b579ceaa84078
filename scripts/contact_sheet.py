# SPDX-License-Identifier: GPL-3.0-or-later
"""A contact sheet of a file: every shape key of an object in one picture, as the extension draws
it.

.venv/bin/python scripts/contact_sheet.py FILE.blend OUT.png [--object NAME] [--turn 15]

The file's scripts are not run.
"""

from __future__ import annotations

import argparse
import importlib
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

import bpy  # noqa: E402

from backend import streams  # noqa: E402
from scripts.generate import ALIAS, load_extension  # noqa: E402

_extension: Any = load_extension()
_addon = {
    name: importlib.import_module(f"{ALIAS}.blendshape_addon.{name}")
    for name in (
        "errors",
        "job.arguments",
        "blender_io.scene_files",
        "job.sheet",
        "job.sheet_looks",
    )
}
render_sheet, tint = _addon["job.sheet"].render_sheet, _addon["job.sheet_looks"].tint


def main() -> int:
    parser = _addon["job.arguments"].Parser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("blend", type=Path, help="file with shape keys")
    parser.add_argument("out", type=Path, help="PNG to write")
    parser.add_argument("--object", help="the mesh object; the first with shape keys otherwise")
    parser.add_argument(
        "--turn", type=float, default=15.0, help="degrees by which heads look aside"
    )
    try:
        options = parser.parse_args()
        _addon["blender_io.scene_files"].read_scene(options.blend.absolute())
    except _addon["errors"].AddonError as error:
        print(f"error: {error} [{error.code}]", file=sys.stderr)
        return 2
    own = not hasattr(
        bpy.types.Object, "blendshapes"
    )  # where the face looks stands in the extension's properties
    if own:
        _extension.register()
    try:
        return _draw(options)
    finally:
        _addon["blender_io.scene_files"].close_scene()
        if own:
            _extension.unregister()


def _draw(options: argparse.Namespace) -> int:
    objects: list[Any] = [ob for ob in bpy.data.objects if ob.type == "MESH"]
    found = [ob for ob in objects if ob.data.shape_keys and options.object in (None, ob.name)]
    if not found:
        print(f"{options.blend}: there is no such object with shape keys.", file=sys.stderr)
        return 2
    try:
        print(
            f"{render_sheet(found[0], options.out.absolute(), options.turn)} tiles in {options.out}"
        )
    except OSError as error:
        print(f"error: {_addon['scene_files'].unwritable(options.out, error)}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(streams.run(main))
