# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the time of a click on Generate goes, in a real window, from the mouse button to the
picture with the new keys.

python -m scripts.bench.click FILE.blend [--release 5.2] [--json FILE.json]

It needs what docs/design/window-tests.md names. tests/gui/profile_story.py is played in that
Blender; this prints the median of each part over all clicks but the first, in milliseconds: as time
that passed, and as work of Blender's main thread.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from scripts.tools import gui_test_machine as gui  # noqa: E402  (after the path is there)


def table(rounds: Sequence[Mapping[str, Any]]) -> list[str]:
    """Lines: what, milliseconds, milliseconds of work, share."""
    whole = statistics.median(one["seconds"] for one in rounds)
    names = dict.fromkeys(name for one in rounds for name in one["parts"])
    rows = []
    for name in names:
        spent = [one["parts"].get(name, [0.0, 0.0]) for one in rounds]
        rows.append((name, *(statistics.median(each[k] for each in spent) for k in (0, 1))))
    lines = [f"{'click to picture':46}{1000 * whole:8.1f}"]
    for name, passed, work in sorted(rows, key=lambda row: -row[1]):
        lines.append(f"  {name:44}{1000 * passed:8.1f}{1000 * work:8.1f}{passed / whole:7.1%}")
    return lines


def main() -> int:
    """Play, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("--release", choices=list(gui.RELEASES), default="5.2")
    parser.add_argument("--json", type=Path, help="all that was seen")
    asked = parser.parse_args()
    run = gui.FOLDER / f"run-click-{asked.release}"
    shutil.rmtree(run, ignore_errors=True)
    run.mkdir(parents=True)
    machine = gui.machine(asked.release, run)
    shutil.copyfile(asked.file, run / "click.blend")
    seen = machine.play("profile_story", "click.blend")
    if "error" in seen:
        print(seen["error"], file=sys.stderr)
        return 1
    if asked.json:
        asked.json.write_text(json.dumps(seen, indent=1), encoding="utf-8")
    rounds = seen["rounds"]
    first, later = rounds[:1], rounds[1:]
    print(f"Blender {seen['version']}: {later[0]['keys']} keys")
    for words, some in (("first click", first), ("later clicks, medians", later)):
        print(words)
        print("\n".join(table(some)))
        for name in some[0]["child"]:
            took = 1000 * statistics.median(one["child"].get(name, 0.0) for one in some)
            print(f"  {f'the child, {name}':44}{took:8.1f}")
    for name, took in seen["tools"].items():
        passed, work = (1000 * statistics.median(each[k] for each in took) for k in (0, 1))
        print(f"{name:46}{passed:8.1f}{work:8.1f}")
    for name in ("longest_block", "longest_work"):
        print(f"{name}: {1000 * max(one[name] for one in rounds):.0f} ms")
    return 0


if __name__ == "__main__":
    sys.exit(main())
