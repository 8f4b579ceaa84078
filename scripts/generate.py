# SPDX-License-Identifier: GPL-3.0-or-later
"""Make facial shape keys for avatar files, with Blender or with the bpy module.

blender -b [FILE.blend] --python scripts/generate.py -- IN... --set arkit,vrchat --out DIR
.venv/bin/python scripts/generate.py IN... --set arkit,vrchat --out DIR
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).resolve().parents[1]
ALIAS = "blendshape_auto_generator"


def load_extension() -> ModuleType:
    """The repository's root as a package: the extension imports only relatively, whatever its folder is called."""
    if ALIAS in sys.modules:
        return sys.modules[ALIAS]
    spec = importlib.util.spec_from_file_location(ALIAS, ROOT / "__init__.py", submodule_search_locations=[str(ROOT)])
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
    """Run the batch; the exit code."""
    if importlib.util.find_spec("bpy") is None:
        print("error: This needs Blender or the bpy module. Run it with the Python that scripts/dev.py set up.", file=sys.stderr)
        return 2
    load_extension()
    commands = importlib.import_module(f"{ALIAS}.blendshape_addon.commands")
    code: int = commands.main(arguments(), "generate.py")
    return code


if __name__ == "__main__":
    sys.exit(main())
