# SPDX-License-Identifier: GPL-3.0-or-later
"""The figures of docs/design/reliability.md: what the commands measured is kept in
docs/design/reliability.json, and the page's tables are made from it.

python3 scripts/dev.py reliability [--kills 200]   faults and bad inputs are run and counted
python3 scripts/dev.py reliability --page          the page alone, from what is recorded

`dev.py soak`, `fuzz`, `matrix`, `quality`, `mutate` and `python -m scripts.tools.determinism`
record theirs when they are given --record.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
FIGURES = ROOT / "docs" / "design" / "reliability.json"
PAGE = ROOT / "docs" / "design" / "reliability.md"
INTRODUCTION = """# Reliability

What was tried and what came of it. Every figure is from a run: the command under a heading
prints it and, with `--record`, writes it into
`docs/design/reliability.json`, from which this page is made.
[privacy.md](../guide/privacy.md) tells what is read, written and sent.
"""


def machine() -> str:
    """The machine that figures come from, in a few words."""
    names = [
        line.partition(":")[2].strip()
        for line in _lines(Path("/proc/cpuinfo"))
        if line.startswith("model name")
    ]
    load = f", load {os.getloadavg()[0]:.0f}" if hasattr(os, "getloadavg") else ""
    return (
        f"{platform.system()} {platform.machine()},"
        f" {os.cpu_count()} cores{', ' + names[0] if names else ''}{load}"
    )


def record(section: str, figures: dict[str, Any]) -> None:
    """Keep the figures of one command, with date and machine."""
    known: dict[str, Any] = (
        json.loads(FIGURES.read_text(encoding="utf-8")) if FIGURES.exists() else {}
    )
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    known[section] = {"date": today, "machine": machine(), **figures}
    FIGURES.write_text(
        json.dumps(dict(sorted(known.items())), indent=1, ensure_ascii=False) + "\n",
        encoding="utf-8",
    )
    PAGE.write_text(page(known), encoding="utf-8")


def run_tests(folder: str, kills: int) -> dict[str, Any]:
    """Run the tests of a folder and count them by test: tried, survived, not possible here; and the
    properties that tests note.
    """
    with tempfile.TemporaryDirectory() as scratch:
        told = Path(scratch) / "told.xml"
        environment = os.environ | {"FAULT_KILLS": str(kills), "RELIABILITY": "1"}
        command = [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            f"tests/{folder}",
            f"--junitxml={told}",
            "--timeout=3000",
        ]
        began = time.monotonic()
        subprocess.run(command, cwd=ROOT, env=environment, check=False)
        cases = list(ElementTree.parse(told).iter("testcase"))  # noqa: S314  (pytest wrote it a moment ago)
    rows: dict[str, dict[str, Any]] = {}
    for case in cases:
        name = case.get("name", "").partition("[")[0].removeprefix("test_").replace("_", " ")
        row = rows.setdefault(name, {"tried": 0, "survived": 0, "skipped": 0})
        failed, skipped = (case.find(tag) is not None for tag in ("failure", "skipped"))
        failed = failed or case.find("error") is not None
        row["skipped"] += skipped
        row["tried"] += not skipped
        row["survived"] += not skipped and not failed
        for noted in case.iter("property"):
            key, value = noted.get("name", ""), float(noted.get("value", "0"))
            row[key] = row.get(key, 0) + value if key == "kills" else max(row.get(key, 0), value)
    return {
        "command": "python3 scripts/dev.py reliability",
        "seconds": round(time.monotonic() - began),
        "rows": rows,
    }


def page(known: dict[str, Any]) -> str:
    """docs/design/reliability.md from docs/design/reliability.json."""
    parts = [INTRODUCTION]
    for name, (title, table) in SECTIONS.items():
        parts.append(f"\n## {title}\n\n")
        if name not in known:
            parts.append("Not measured yet.\n")
            continue
        figures = known[name]
        parts.append(f"`{figures['command']}`, {figures['date']}, {figures['machine']}.\n\n")
        parts.append("\n".join(table(figures)) + "\n")
    return "".join(parts)


def _tests(figures: dict[str, Any]) -> Iterator[str]:
    rows = figures["rows"]
    tried, survived, skipped = (
        sum(row[key] for row in rows.values()) for key in ("tried", "survived", "skipped")
    )
    yield (
        f"**{survived} of"
        f" {tried} survived**{f', {skipped} not possible on that machine' if skipped else ''}.\n"
    )
    yield "| Tried | Cases | Survived | Noted |"
    yield "|---|---:|---:|---|"
    for name, row in rows.items():
        noted = []
        if row.get("kills"):
            noted.append(f"{row['kills']:.0f} kills, no orphan")
        noted += (
            [f"gone after {row['gone_after_s']:.3f} s at most"] if "gone_after_s" in row else []
        )
        yield f"| {name} | {row['tried'] or 'skipped'} | {row['survived']} | {', '.join(noted)} |"
    if any("gone_after_s" in row for row in rows.values()):
        yield (
            "\nGone after: from the end of a Blender killed with -9 to the end of its child, of all"
            " cases the longest. It may be nothing, since"
        )
        yield "Linux ends both together where Blender's main thread has started the child."


def _fuzz(figures: dict[str, Any]) -> Iterator[str]:
    rows = figures["rows"]
    yield (
        f"**{sum(row['executions'] for row in rows):,} inputs,"
        f" {sum(len(row['found']) for row in rows)} failures.** Kept cases of earlier runs:"
    )
    yield (
        f"{sum(1 for path in (ROOT / 'tests/fixtures/found').rglob('*') if path.is_file())},"
        " replayed by the suite.\n"
    )
    yield "| Target | Inputs | Features of the code reached | Peak memory, MB | Failures |"
    yield "|---|---:|---:|---:|---:|"
    for row in rows:
        yield (
            f"| {row['target']} | {row['executions']:,} | {row['features']:,} | {row['peak_mb']} |"
            f" {len(row['found'])} |"
        )


def _soak(figures: dict[str, Any]) -> Iterator[str]:
    yield (
        f"{figures['generations']:,} generations of 67 shapes and {figures['switches']} changes of"
        f" the model in one Blender with one child, {figures['failed']} failed,"
        f" {figures['children_left']} children left. Slopes leave out the first fifth; threads are"
        " the most so far."
    )
    yield "\n| Measured | First | Last | Per 1,000 generations | Over the run | |"
    yield "|---|---:|---:|---:|---:|---|"
    for name, row in figures["growth"].items():
        verdict = "grows" if name in figures["grown"] else "steady"
        slope = f"{row['per_1000']:+.3f} ± {row['error']:.3f}"
        yield (
            f"| {name.replace('_', ' ')} | {row['first']:g} | {row['last']:g} | {slope} |"
            f" {row['over_run']:+.2f} | {verdict} |"
        )


def _determinism(figures: dict[str, Any]) -> Iterator[str]:
    yield "The sample head, ARKit's 52 shapes, processor, one thread.\n"
    yield "| Compared | Difference |"
    yield "|---|---:|"
    yield (
        "| the same again in one process |"
        f" {'none, to the last bit' if figures['again'] else 'DIFFERENT'} |"
    )
    yield (
        "| the same in another process |"
        f" {'none, to the last bit' if figures['other_process'] else 'DIFFERENT'} |"
    )
    for name, value in figures["changes"].items():
        limit = figures["limit"]
        over = "" if value <= limit else f", over the limit of {limit:.0%}"
        yield f"| {name} | {value:.3%}{over} |"
    yield (
        "\nWhich faces the encoder is shown is drawn by where they lie on the surface and which way"
        " they face, not by their number."
    )


def _matrix(figures: dict[str, Any]) -> Iterator[str]:
    yield (
        "With Blender: the built zip installed into an empty profile, used, and used again in a new"
        " process. Without: the backend alone and its"
    )
    yield (
        "tests. Differences are of ARKit's and VRChat's 67 shapes against the first row of the same"
        " kind, in radii of the head;"
    )
    yield f"{figures['tolerance']:g} is allowed.\n"
    yield "| Blender | Python | numpy | ONNX Runtime | Result | Difference |"
    yield "|---|---|---|---|---|---:|"
    for row in figures["rows"]:
        versions = row.get("versions", {})
        if "skipped" in row:
            result = f"skipped: {row['skipped']}"
        elif row.get("passed"):
            result = row["tests"].strip("= ")
        else:
            over = row.get("difference", 0.0) > figures["tolerance"]
            result = (
                "computes something else"
                if over
                else "failed: " + " ".join(row.get("error", "").split())[-160:].replace("|", "/")
            )
        difference = f"{row['difference']:.1e}" if "difference" in row else ""
        cells = [
            versions.get("blender", row["blender"]) or "none",
            versions.get("python", row["python"]),
            versions.get("numpy", row["numpy"]),
        ]
        yield f"| {' | '.join([*cells, versions.get('onnxruntime', ''), result, difference])} |"


def _quality(figures: dict[str, Any]) -> Iterator[str]:
    yield "| Gate | Result |"
    yield "|---|---|"
    for name, value in figures["gates"].items():
        yield f"| {name} | {value} |"


def _mutation(figures: dict[str, Any]) -> Iterator[str]:
    share = figures["killed"] / max(figures["counted"], 1)
    yield (
        f"**{figures['killed']} of {figures['counted']} mutants killed, {share:.1%}**;"
        f" {figures['timed_out']} of them by running too long,"
    )
    yield f"{figures['equivalent']} more are equivalents."
    yield ""
    yield (
        "A mutant is the code with one place changed: a comparison turned round, a number one more"
        " or less, a condition negated, a loop left out."
    )
    yield (
        "cosmic-ray makes them in protocol, engine, face and those modules of the add-on that need"
        " no bpy; `scripts/tools/mutation/mutation.toml` fixes"
    )
    yield (
        "seed, operators and budget. Taken are lines that tests reach, by chance; on each an"
        " operator, and a place. Of the tests that reach the"
    )
    yield (
        "line as many as the budget allows run in a scratch copy of the repository: golden values,"
        " those of the module's own file, then the"
    )
    yield (
        "fastest of each other file, and those whose child processes reach it. Where one fails, the"
        " mutant is killed. Where a run ends without a"
    )
    yield (
        "word, or too late, it is killed only if the same tests pass without the change; a mutant"
        " for which no test can be run survives."
    )
    yield (
        "The map from lines to tests is kept in `build/mutation`, made anew for what has changed,"
        " and so is what was judged of the same files: a"
    )
    yield (
        "run that was broken off goes on where it was. Equivalents are named one by one, with"
        " reasons."
    )


SECTIONS: dict[str, tuple[str, Callable[[dict[str, Any]], Iterator[str]]]] = {
    "faults": ("Faults", _tests),
    "inputs": ("Bad inputs", _tests),
    "fuzz": ("Coverage-guided fuzzing", _fuzz),
    "soak": ("Soak", _soak),
    "determinism": ("Determinism", _determinism),
    "matrix": ("Versions", _matrix),
    "quality": ("Quality gates", _quality),
    "mutation": ("Mutation testing", _mutation),
}


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--kills", type=int, default=200, help="random kills of children (default 200)"
    )
    parser.add_argument("--only", choices=("faults", "inputs"), help="one of the two")
    parser.add_argument("--page", action="store_true", help="write the page from what is recorded")
    options = parser.parse_args()
    if options.page:
        PAGE.write_text(page(json.loads(FIGURES.read_text(encoding="utf-8"))), encoding="utf-8")
        return 0
    bad = 0
    for section, folder in (("faults", "faults"), ("inputs", "fuzz")):
        if options.only not in (None, section):
            continue
        found = run_tests(folder, options.kills)
        record(section, found)
        bad += any(row["survived"] < row["tried"] for row in found["rows"].values())
    return bad


def _lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines() if path.exists() else []


if __name__ == "__main__":
    sys.exit(main())
