# SPDX-License-Identifier: GPL-3.0-or-later
"""Make facial shape keys for avatar files, with Blender or with the bpy module.

blender -b [FILE.blend] --python scripts/generate.py -- IN... --set arkit,vrchat --out DIR
.venv/bin/python scripts/generate.py IN... --set arkit,vrchat --out DIR

IN are files, folders and patterns; see docs/guide/batch.md. Without any it is the file that
    Blender has open.
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).resolve().parents[1]
ALIAS = "blendshape_auto_generator"


def load_extension() -> ModuleType:
    """The repository's root as a package: the extension imports only relatively, whatever its
    folder is called.
    """
    if ALIAS in sys.modules:
        return sys.modules[ALIAS]
    spec = importlib.util.spec_from_file_location(
        ALIAS, ROOT / "__init__.py", submodule_search_locations=[str(ROOT)]
    )
    if spec is None or spec.loader is None:
        raise ImportError(f"{ROOT} holds no extension")
    module = importlib.util.module_from_spec(spec)
    sys.modules[ALIAS] = module
    spec.loader.exec_module(module)
    return module


def arguments() -> list[str]:
    """Those for this script: after `--` inside Blender, all of them otherwise."""
    if Path(sys.argv[0]).resolve() == Path(__file__).resolve():
        return sys.argv[1:]
    return sys.argv[sys.argv.index("--") + 1 :] if "--" in sys.argv else []


def main() -> int:
    """Run the batch, or in a Blender with a file open and nothing else to do the command for that
    file; the exit code.
    """
    load_extension()
    here = Path(__file__).resolve().parent
    sys.path[:] = [
        str(ROOT),
        *(
            folder
            for folder in sys.path
            if not folder or Path(folder).resolve() not in (here, ROOT)
        ),
    ]
    batch = importlib.import_module("scripts.batch.main")
    streams = importlib.import_module("backend.streams")
    given = arguments()

    def work() -> int:
        if "bpy" in sys.modules and not batch.names_inputs(given):
            opened: int = importlib.import_module(f"{ALIAS}.blendshape_addon.job.commands").main(
                given, "generate.py"
            )
            return opened
        code: int = batch.main(given, "generate.py")
        return code

    done: int = streams.run(work)
    return done


if __name__ == "__main__":
    sys.exit(main())
