# SPDX-License-Identifier: GPL-3.0-or-later
"""Would the tests notice? Mutants that cosmic-ray makes, each judged by the tests that reach its
line; see docs/design/reliability.md.

python3 scripts/dev.py mutate [--only PATH] [--mutants N] [--processes N] [--record]

scripts/tools/mutation/mutation.toml fixes seed, operators, modules and budget, and names the
equivalents. The map from lines to tests is kept in build/mutation, and what was judged of the same
files, so that a run that was broken off goes on. A mutant is killed when a test fails, or when the
run tells nothing or takes too long and does neither without the change. Ends with 1 where too few
are killed.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from scripts.tools import reliability  # noqa: E402  (after the path is there)
from scripts.tools.mutation import reach as reaching  # noqa: E402
from scripts.tools.mutation.config import Config, Equivalent, load, modules  # noqa: E402
from scripts.tools.mutation.copies import Copy  # noqa: E402
from scripts.tools.mutation.mutants import Mutant, changed, difference, sample  # noqa: E402

CACHE = ROOT / "build" / "mutation"
KILLED, TIMED_OUT, SURVIVED, EQUIVALENT = "killed", "timed out", "survived", "equivalent"
NOT_FOUND = 4  # pytest's code where a test that was asked for is not there, among other things


@dataclass(frozen=True)
class Judged:
    """What became of a mutant. by: the test that failed, or how many passed. diff: the change."""

    mutant: Mutant
    outcome: str
    by: str
    diff: str
    seconds: float


class _Verdicts:
    """What is judged already of the same bytes, one line each in a file: a run that was broken off
    goes on where it was.
    """

    def __init__(self, file: Path) -> None:
        self.file, self._writing = file, threading.Lock()
        lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
        self._known = {line["order"]: line for line in map(json.loads, lines)}

    def of(self, mutant: Mutant, order: str) -> Judged | None:
        """The verdict on a mutant from before, None where there is none."""
        if order not in self._known:
            return None
        line = self._known[order]
        return Judged(mutant, line["outcome"], line["by"], line["diff"], line["seconds"])

    def add(self, judged: Judged, order: str) -> None:
        """Write a verdict down; threads may do it at once."""
        line = {
            "order": order,
            "outcome": judged.outcome,
            "by": judged.by,
            "diff": judged.diff,
            "seconds": judged.seconds,
        }
        with self._writing, self.file.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")


def mutate(root: Path, config: Config, cache: Path, processes: int, only: str = "") -> list[Judged]:
    """Make the mutants of a repository and judge each. only: of modules whose path begins so."""
    sources = sorted({module.split("/")[0] for module in modules(root, config)})
    files = [
        path.relative_to(root).as_posix()
        for folder in config.tests
        for path in sorted((root / folder).rglob("test_*.py"))
    ]
    reach = reaching.measure(root, sources, files, config.left_out, cache)
    for test in reach.failed:
        print(f"fails without any change, and is left out: {test}")
    chosen = [module for module in modules(root, config) if module.startswith(only)]
    reached = {module: set(reach.lines.get(module, {})) for module in chosen}
    mutants = sample(root, reached, config.operators, config.seed, config.mutants)
    copies: SimpleQueue[Copy] = SimpleQueue()
    made = [Copy(root) for _ in range(processes)]
    for copy in made:
        copies.put(copy)

    verdicts = _Verdicts(cache / f"judged-{made[0].digest[:16]}.jsonl")

    def one(mutant: Mutant) -> Judged:
        order = "".join(mutant.order(config.seed))
        known = verdicts.of(mutant, order)
        if known is not None:
            return known
        copy = copies.get()
        try:
            judged = judge(copy, root, config, reach, mutant)
        finally:
            copies.put(copy)
        verdicts.add(judged, order)
        print(
            f"{judged.outcome:10} {judged.seconds:5.1f} s "
            f" {mutant.module}:{mutant.line} {mutant.change}  {judged.by}",
            flush=True,
        )
        return judged

    try:
        with ThreadPoolExecutor(processes) as pool:
            return list(pool.map(one, mutants))
    finally:
        for copy in made:
            copy.close()


def judge(copy: Copy, root: Path, config: Config, reach: reaching.Reach, mutant: Mutant) -> Judged:
    """Run the tests that reach a mutant's line on it."""
    source = (root / mutant.module).read_text(encoding="utf-8")
    mutated = changed(source, mutant)
    diff = difference(source, mutated, mutant.module)
    known = Equivalent(mutant.module, mutant.definition, mutant.text, mutant.change, "")
    for entry in config.equivalent:
        if (entry.module, entry.definition, entry.line, entry.change) == (
            known.module,
            known.definition,
            known.line,
            known.change,
        ):
            return Judged(mutant, EQUIVALENT, entry.reason, diff, 0.0)
    usable = {test: seconds for test, seconds in reach.seconds.items() if test not in reach.failed}
    found = reaching.tests_of(reach, root, mutant.module, mutant.line) - set(reach.failed)
    tests = reaching.choose(
        found,
        usable,
        mutant.module,
        config.most_tests,
        config.most_test_seconds,
        first=config.first,
    )
    if not tests:  # pytest would run all that it finds
        return Judged(
            mutant, SURVIVED, "no test is quick enough, or works without any change", diff, 0.0
        )
    began = time.monotonic()
    with copy.changed(mutant.module, mutated):
        told = _told(copy, config, reach, tests)
        if (
            told.get("code") == NOT_FOUND and not told["failed"]
        ):  # a test that is called by a value that it is given has another name now
            files = {test.partition("::")[0] for test in tests}
            tests = [test for test in usable if test.partition("::")[0] in files]
            told = _told(copy, config, reach, tests, sorted(files))
    if told.get("code") == 0:
        return Judged(
            mutant, SURVIVED, f"{len(told['seconds'])} tests pass", diff, time.monotonic() - began
        )
    late = "timeout" in told
    by = "" if late else (told.get("failed") or [""])[0]
    if not by:  # no test says so: it is killed only where the same tests work without the change
        if _told(copy, config, reach, tests).get("code") != 0:
            return Judged(
                mutant,
                SURVIVED,
                "the tests cannot be run without the change either",
                diff,
                time.monotonic() - began,
            )
        by = "" if late else "the tests could not be run"
    return Judged(mutant, TIMED_OUT if late else KILLED, by, diff, time.monotonic() - began)


def _told(
    copy: Copy,
    config: Config,
    reach: reaching.Reach,
    tests: Sequence[str],
    files: Sequence[str] = (),
) -> dict[str, Any]:
    """Run tests, or with files all in these but those that are left out, for as long as the tests
    may take.
    """
    left_out = [f"--deselect={test}" for test in (*config.left_out, *reach.failed) if files]
    seconds = config.patience_s + config.patience * sum(reach.seconds[test] for test in tests)
    return copy.run(["-x", "-q", "-p", "no:cacheprovider", *(files or tests), *left_out], seconds)


def share(judged: Sequence[Judged]) -> tuple[int, int]:
    """How many were killed, and of how many that are no equivalents."""
    counted = [one for one in judged if one.outcome != EQUIVALENT]
    return sum(one.outcome in (KILLED, TIMED_OUT) for one in counted), len(counted)


def tell(judged: Sequence[Judged]) -> None:
    """Print the survivors with their changes, and the figure."""
    for one in judged:
        if one.outcome in (SURVIVED, EQUIVALENT):
            mutant, place = one.mutant, one.mutant.definition or "the module"
            print(
                f"\n{one.outcome}: {mutant.module}:{mutant.line} in {place}, {mutant.change}:"
                f" {one.by}\n{one.diff}"
            )
    killed, counted = share(judged)
    late = sum(one.outcome == TIMED_OUT for one in judged)
    print(
        f"\n{killed} of {counted} mutants killed, {killed / max(counted, 1):.1%}, {late} of them"
        f" timed out; {len(judged) - counted} equivalent."
    )


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--only", default="", metavar="PATH", help="mutants of this module or folder alone"
    )
    parser.add_argument(
        "--mutants",
        type=int,
        metavar="N",
        help="so many mutants instead of those of the configuration",
    )
    parser.add_argument(
        "--processes",
        type=int,
        default=max(1, (os.cpu_count() or 2) // 2),
        metavar="N",
        help="mutants at once (default: %(default)s)",
    )
    parser.add_argument(
        "--record", action="store_true", help="write the figure into docs/design/reliability.md"
    )
    options = parser.parse_args()
    config = load()
    if options.mutants:
        config = Config(**{**vars(config), "mutants": options.mutants})
    judged = mutate(ROOT, config, CACHE, options.processes, options.only)
    tell(judged)
    killed, counted = share(judged)
    if options.record:
        figures = {
            "command": "python3 scripts/dev.py mutate",
            "killed": killed,
            "counted": counted,
            "timed_out": sum(one.outcome == TIMED_OUT for one in judged),
            "equivalent": len(judged) - counted,
        }
        reliability.record("mutation", figures)
    good = killed >= config.least_killed * counted and len(
        judged
    ) - counted <= config.most_equivalent * len(judged)
    return int(not good)


if __name__ == "__main__":
    sys.exit(main())
