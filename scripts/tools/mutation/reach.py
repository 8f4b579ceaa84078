# SPDX-License-Identifier: GPL-3.0-or-later
"""Which tests reach which line: the suite run once under coverage, file by file, and kept until a
file or what it reaches changes.

Each test has a context of its own. Child processes cannot know which test they work for: what they
run is put down to the file of tests. Lines that run on import, constants above all, belong to the
tests that reach code in which their names occur.
"""

from __future__ import annotations

import ast
import functools
import hashlib
import json
import re
import tempfile
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import coverage

from .copies import Copy

IMPORT = ""  # what stands for a test where a line runs on import


@dataclass
class Reach:
    """seconds: of each test. lines: module -> line -> tests, and files of tests whose children
    reach it, and IMPORT.
    """

    seconds: dict[str, float] = field(default_factory=dict)
    lines: dict[str, dict[int, set[str]]] = field(default_factory=dict)
    failed: list[str] = field(default_factory=list)

    def add(self, module: str, line: int, tests: Collection[str]) -> None:
        """Note that tests reach a line."""
        self.lines.setdefault(module, {}).setdefault(line, set()).update(tests)


def measure(
    root: Path,
    sources: Sequence[str],
    test_files: Sequence[str],
    left_out: Sequence[str],
    cache: Path,
) -> Reach:
    """The map of all test files; only those are run that are not in the cache as they are now.
    sources: folders of the root that are measured.
    """
    cache.mkdir(parents=True, exist_ok=True)
    support = _digest(
        path
        for folder in {Path(file).parts[0] for file in test_files}
        for path in (root / folder).rglob("*.py")
        if _supports(path)
    )
    reach = Reach()
    copy: Copy | None = None
    try:
        for number, file in enumerate(test_files, 1):
            stored = cache / f"{file.replace('/', '.')}.json"
            told = _fresh(stored, root, file, support)
            if told is None:
                copy = copy or Copy(root)
                told = _run(copy, sources, file, left_out)
                if (
                    told["failed"] or not told["seconds"]
                ):  # another file may have left something behind
                    copy.close()
                    copy = Copy(root)
                    told = _run(copy, sources, file, left_out)
                told |= {"test": _digest([root / file]), "support": support}
                told["modules"] = {module: _digest([root / module]) for module in told["lines"]}
                stored.write_text(json.dumps(told), encoding="utf-8")
                print(
                    f"{number:3} of {len(test_files)}  {file}: {len(told['seconds'])} tests,"
                    f" {sum(told['seconds'].values()):.0f} s",
                    flush=True,
                )
            reach.seconds |= told["seconds"]
            reach.failed += told["failed"]
            for module, lines in told["lines"].items():
                for line, numbers in lines.items():
                    reach.add(module, int(line), [told["tests"][number] for number in numbers])
    finally:
        if copy is not None:
            copy.close()
    return reach


def tests_of(reach: Reach, root: Path, module: str, line: int) -> set[str]:
    """The tests that reach a line, and files whose children do; of a line that runs on import those
    that reach code with its names, and those of the file named like the module; else all that reach
    the module.
    """
    source = (root / module).read_text(encoding="utf-8")
    found = reach.lines.get(module, {}).get(line, set()) - {IMPORT}
    if found and _in_function(source, line):
        return found
    found, names = set(), _names(source, line)
    if names:
        word = re.compile(rf"\b({'|'.join(map(re.escape, sorted(names)))})\b")
        for other, lines in reach.lines.items():
            text = (root / other).read_text(encoding="utf-8")
            for number, content in enumerate(text.splitlines(), 1):
                if number in lines and word.search(content) and _in_function(text, number):
                    found |= lines[number]
    everything = {test for tests in reach.lines.get(module, {}).values() for test in tests}
    own = {
        test
        for test in reach.seconds
        if test.partition("::")[0].endswith(f"/test_{Path(module).stem}.py")
    }
    return (found | own or everything) - {IMPORT}


def choose(
    tests: Collection[str],
    seconds: Mapping[str, float],
    module: str,
    most: int,
    most_seconds: float,
    *,
    first: Collection[str] = (),
) -> list[str]:
    """The tests that judge a mutant, as far as number and time allow: those of the files `first`,
    then of the file named like its module, then others that reach it themselves, then those of
    files whose children do; of each the fastest first, and of files in turn, so that no file crowds
    out another. They are run in the order of their times.
    """
    own = f"test_{Path(module).stem}.py"
    direct = {test for test in tests if "::" in test}
    quickest = sorted(
        direct | {test for test in seconds if test.partition("::")[0] in tests},
        key=lambda t: (seconds.get(t, most_seconds), t),
    )
    seen: Counter[str] = Counter()
    turn: dict[str, int] = {}
    for test in quickest:
        file = test.partition("::")[0]
        turn[test] = seen[file]
        seen[file] += 1

    def order(test: str) -> tuple[bool, bool, bool, int]:
        file = test.partition("::")[0]
        return file not in first, not file.endswith(f"/{own}"), test not in direct, turn[test]

    chosen: list[str] = []
    left = most_seconds
    for test in sorted(quickest, key=order):
        needed = seconds.get(test, most_seconds)
        if len(chosen) < most and (needed <= left or not chosen):
            chosen.append(test)
            left -= needed
    return sorted(chosen, key=lambda t: seconds.get(t, 0.0))


def _run(copy: Copy, sources: Sequence[str], file: str, left_out: Sequence[str]) -> dict[str, Any]:
    """One test file under coverage: its tests, their seconds, and the lines that each reaches, by
    number.
    """
    with tempfile.TemporaryDirectory() as folder:
        configuration = Path(folder) / "coverage.ini"
        places = "\n".join(f"    {copy.root / source}" for source in sources)
        configuration.write_text(
            f"[run]\nparallel = true\ndata_file = {folder}/data\nsource =\n{places}\npatch ="
            " subprocess, _exit\n",
            encoding="utf-8",
        )
        told = copy.run(
            ["-q", "-p", "no:cacheprovider", file, *(f"--deselect={test}" for test in left_out)],
            1800.0,
            configuration,
        )
        tests = [IMPORT, file, *told.get("seconds", {})]
        number = {test: n for n, test in enumerate(tests)}
        lines: dict[str, dict[int, set[int]]] = {}

        def add(path: str, line: int, reached: Collection[int]) -> None:
            module = Path(path).relative_to(copy.root).as_posix()
            lines.setdefault(module, {}).setdefault(line, set()).update(reached)

        for path, found in told.get("lines", {}).items():
            for line, contexts in found.items():
                add(path, int(line), [number[test] for test in contexts if test in number])
        for data_file in Path(folder).glob("data.*"):
            if data_file.name == "data.own":
                continue  # the rest is of children
            data = coverage.CoverageData(str(data_file))
            try:
                data.read()
            except coverage.CoverageException:
                continue  # of a child that was killed as it wrote
            for path in data.measured_files():
                for line in data.lines(path) or ():
                    add(path, line, [1])
        numbers = {
            module: {line: sorted(reached) for line, reached in found.items()}
            for module, found in lines.items()
        }
        return {
            "tests": tests,
            "seconds": told.get("seconds", {}),
            "failed": told.get("failed", []),
            "lines": numbers,
        }


def _fresh(stored: Path, root: Path, file: str, support: str) -> dict[str, Any] | None:
    if not stored.is_file():
        return None
    told: dict[str, Any] = json.loads(stored.read_text(encoding="utf-8"))
    modules = told["modules"]
    same = all(
        (root / module).is_file() and _digest([root / module]) == digest
        for module, digest in modules.items()
    )
    good = told["seconds"] and not told["failed"]  # what failed may have failed by chance
    return (
        told
        if good and same and (told["test"], told["support"]) == (_digest([root / file]), support)
        else None
    )


def _supports(path: Path) -> bool:
    return path.name == "conftest.py" or "fixtures" in path.parts


def _digest(paths: Iterable[Path]) -> str:
    found = hashlib.sha256()
    for path in sorted(paths):
        found.update(path.read_bytes())
    return found.hexdigest()


@functools.cache
def _functions(source: str) -> tuple[tuple[int, int], ...]:
    """First and last lines of the bodies of functions."""
    nodes = [
        node
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    return tuple((node.body[0].lineno, node.end_lineno or node.lineno) for node in nodes)


def _in_function(source: str, line: int) -> bool:
    return any(first <= line <= last for first, last in _functions(source))


def _names(source: str, line: int) -> set[str]:
    """Names that the innermost statement at a line gives a value or a definition: of a constant, a
    field, a function.
    """
    best: ast.stmt | None = None
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.stmt):
            first = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", ()))])
            if first <= line <= (node.end_lineno or node.lineno) and (
                best is None or first >= best.lineno
            ):
                best = node
    if isinstance(best, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return {best.name}
    if isinstance(best, ast.Assign | ast.AnnAssign):
        targets = best.targets if isinstance(best, ast.Assign) else [best.target]
        return {
            node.id for target in targets for node in ast.walk(target) if isinstance(node, ast.Name)
        }
    return set()
