# SPDX-License-Identifier: GPL-3.0-or-later
"""Mutation testing on a toy repository: what is noticed, what is not, and that nothing is changed
in the working tree.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

pytest.importorskip("cosmic_ray", reason="cosmic-ray of requirements/dev.txt is not installed")

from scripts.tools.mutate import (
    EQUIVALENT,
    KILLED,
    SURVIVED,
    TIMED_OUT,
    Judged,
    judge,
    mutate,
    share,
)
from scripts.tools.mutation import reach as reaching
from scripts.tools.mutation.config import Config, Equivalent, load, modules, without_blender
from scripts.tools.mutation.copies import Copy
from scripts.tools.mutation.mutants import all_of, changed, is_real, sample

ROOT = Path(__file__).resolve().parents[2]
PART = """from __future__ import annotations

LEAST = 3


def enough(x: int | None) -> bool:
    return x is not None and x >= LEAST


def twice(x: int) -> int:
    return x * 2


def never(x: int) -> int:
    return x * 3
"""
TESTS = """from toy.part import enough, twice


def test_enough():
    assert enough(3) and not enough(2)


def test_twice_of_nothing():
    assert twice(0) == 0
"""
CONFIG = Config(
    seed=1,
    mutants=20,
    least_killed=0.85,
    most_equivalent=0.05,
    backend=("toy/part.py",),
    addon="",
    tests=("tests",),
    left_out=(),
    first=(),
    most_tests=10,
    most_test_seconds=10.0,
    patience_s=200.0,
    patience=5.0,
    operators=(
        "core/ReplaceBinaryOperator_Mul_Div",
        "core/ReplaceBinaryOperator_BitOr_BitAnd",
        "core/NumberReplacer",
    ),
)


@pytest.fixture
def toy(tmp_path: Path) -> Path:
    """A repository with one module and its tests."""
    if shutil.which("git") is None:
        pytest.skip("the files of a repository are told by git")
    root = tmp_path / "toy repository"
    for name, text in {
        "toy/__init__.py": "",
        "toy/part.py": PART,
        "tests/test_toy.py": TESTS,
    }.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
    subprocess.run(["git", "init", "-q"], cwd=root, check=True)
    return root


def outcomes(judged: list[Judged]) -> dict[tuple[int, str], str]:
    return {(one.mutant.line, one.mutant.kind): one.outcome for one in judged}


def test_what_tests_notice_is_killed_and_the_rest_survives(
    toy: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = replace(CONFIG, operators=CONFIG.operators[:2])
    judged = mutate(
        toy, replace(config, operators=("core/NumberReplacer",), mutants=1), tmp_path / "map", 1
    )
    assert outcomes(judged) in ({(3, "NumberReplacer"): KILLED}, {(11, "NumberReplacer"): SURVIVED})
    capsys.readouterr()
    judged = mutate(toy, config, tmp_path / "map", 1)
    assert "tests/test_toy.py:" not in capsys.readouterr().out, "the map was kept"
    assert outcomes(judged) == {(11, "Mul_Div"): SURVIVED}, (
        "no test reaches line 15, and annotations are never run"
    )
    assert judged[0].diff == "-    return x * 2\n+    return x / 2"
    assert (toy / "toy/part.py").read_text(encoding="utf-8") == PART and not list(
        toy.rglob("__pycache__")
    )
    assert (
        mutate(toy, config, tmp_path / "map", 1) == judged
        and "survived" not in capsys.readouterr().out
    ), "judged already"
    known = Equivalent("toy/part.py", "twice", "return x * 2", "Mul_Div 0", "0 is 0 either way")
    (toy / "README.md").write_text("The files are others now.", encoding="utf-8")
    named = mutate(toy, replace(config, equivalent=(known,)), tmp_path / "map", 1)
    assert outcomes(named) == {(11, "Mul_Div"): EQUIVALENT} and share(named) == (0, 0)


def test_a_constant_is_judged_by_tests_of_code_that_names_it(toy: Path, tmp_path: Path) -> None:
    reach = reaching.measure(toy, ["toy"], ["tests/test_toy.py"], [], tmp_path / "map")
    assert reaching.tests_of(reach, toy, "toy/part.py", 3) == {"tests/test_toy.py::test_enough"}
    mutants = sample(toy, {"toy/part.py": {3}}, CONFIG.operators, 1, 5)
    assert len(mutants) == 1, "one on a line"
    copy = Copy(toy)
    try:
        killed = judge(copy, toy, CONFIG, reach, mutants[0])
        assert (killed.outcome, killed.by) == (KILLED, "tests/test_toy.py::test_enough")
        assert share([killed]) == (1, 1)
        unmeasured = judge(
            copy, toy, replace(CONFIG, patience_s=0.0, patience=0.0), reach, mutants[0]
        )
        assert unmeasured.outcome == SURVIVED, "without the change it takes as long"
        assert (copy.root / "toy/part.py").read_text(encoding="utf-8") == PART
    finally:
        copy.close()
    assert not copy.root.exists()


ODD = """import os

FIRST = (1, 2)[1]
LIMIT = 5


def down(x: int) -> int:
    while x != 0:
        x -= 1
    return x


def crash(x: int) -> int:
    return x if x < 4 else os._exit(x)
"""
ODD_TESTS = """import pytest

from toy.part import FIRST, LIMIT, crash, down


def test_down():
    assert down(3) == 0


@pytest.mark.parametrize("limit", [LIMIT])
def test_crash(limit):
    assert crash(3) == 3 < limit
"""
BROKEN = "raise OSError('no tests today')"


@pytest.mark.parametrize(
    ("line", "nth", "outcome", "by"),
    [
        (3, 4, KILLED, "tests/test_toy.py"),  # the module cannot be imported
        (4, 0, SURVIVED, "2 tests pass"),  # a test is called by the number
        (9, 0, TIMED_OUT, ""),
        (14, 1, KILLED, "the tests could not be run"),
    ],
)
def test_a_run_that_says_nothing_counts_where_the_change_is_to_blame(
    toy: Path, line: int, nth: int, outcome: str, by: str
) -> None:
    (toy / "toy/part.py").write_text(ODD, encoding="utf-8")
    (toy / "tests/test_toy.py").write_text(ODD_TESTS, encoding="utf-8")
    mutant = next(
        m
        for m in all_of("toy/part.py", ODD, ["core/NumberReplacer"])
        if (m.line, m.nth) == (line, nth)
    )
    tests = {"tests/test_toy.py::test_down": 0.1, "tests/test_toy.py::test_crash[5]": 0.1}
    reach = reaching.Reach(tests, {"toy/part.py": {number: set(tests) for number in range(1, 15)}})
    config = replace(CONFIG, patience_s=15.0)
    copy = Copy(toy)
    try:
        judged = judge(copy, toy, config, reach, mutant)
        assert (judged.outcome, judged.by) == (outcome, by), judged.diff
        (copy.root / "tests/conftest.py").write_text(BROKEN, encoding="utf-8")
        assert judge(copy, toy, config, reach, mutant).outcome == SURVIVED, "no run tells anything"
        none = judge(copy, toy, config, replace(reach, failed=list(tests)), mutant)
        assert (none.outcome, none.seconds) == (SURVIVED, 0.0), "without a test none is run"
    finally:
        copy.close()


def test_a_run_is_heard_whose_process_a_plugin_ends(toy: Path, tmp_path: Path) -> None:
    (toy / "tests/conftest.py").write_text(
        "import os\n\n\ndef pytest_unconfigure():\n    os._exit(0)\n", encoding="utf-8"
    )
    reach = reaching.measure(toy, ["toy"], ["tests/test_toy.py"], [], tmp_path / "map")
    assert set(reach.seconds) == {
        "tests/test_toy.py::test_enough",
        "tests/test_toy.py::test_twice_of_nothing",
    }
    assert reach.lines["toy/part.py"][11] == {"tests/test_toy.py::test_twice_of_nothing"}
    config = replace(CONFIG, operators=("core/NumberReplacer",), mutants=1)
    assert outcomes(mutate(toy, config, tmp_path / "map", 1)) in (
        {(3, "NumberReplacer"): KILLED},
        {(11, "NumberReplacer"): SURVIVED},
    )


def test_children_find_modules_compiled_and_leave_none_of_a_changed_one(toy: Path) -> None:
    copy = Copy(toy)
    try:
        path = copy.root / "toy/part.py"
        compiled = Path(importlib.util.cache_from_source(path))
        environment = {
            name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"
        }
        before = compiled.stat().st_mtime_ns, compiled.read_bytes()
        child = [sys.executable, "-c", "from toy.part import LEAST; print(LEAST)"]
        assert (
            subprocess.run(
                child, cwd=copy.root, env=environment, capture_output=True, check=True
            ).stdout.strip()
            == b"3"
        )
        assert (compiled.stat().st_mtime_ns, compiled.read_bytes()) == before, "not compiled again"
        with copy.changed("toy/part.py", PART.replace("LEAST = 3", "LEAST = 4")):
            assert (
                subprocess.run(
                    child, cwd=copy.root, env=environment, capture_output=True, check=True
                ).stdout.strip()
                == b"4"
            )
            compiled.write_bytes(compiled.read_bytes()[:40])
        assert (
            subprocess.run(
                child, cwd=copy.root, env=environment, capture_output=True, check=True
            ).stdout.strip()
            == b"3"
        )
    finally:
        copy.close()


def test_what_one_file_of_tests_leaves_behind_says_nothing_about_the_next(
    toy: Path, tmp_path: Path
) -> None:
    (toy / "tests/test_harm.py").write_text(
        "from pathlib import Path\n\n\ndef test_harm():\n    Path('toy/part.py').unlink()\n",
        encoding="utf-8",
    )
    files = ["tests/test_harm.py", "tests/test_toy.py"]
    reach = reaching.measure(toy, ["toy"], files, [], tmp_path / "map")
    assert not reach.failed and "tests/test_toy.py::test_enough" in reach.seconds
    (toy / "tests/test_harm.py").write_text(
        "def test_harm():\n    raise OSError\n", encoding="utf-8"
    )
    for _ in range(2):  # a failure is not kept
        assert reaching.measure(toy, ["toy"], files, [], tmp_path / "map").failed == [
            "tests/test_harm.py::test_harm"
        ]
    assert (toy / "toy/part.py").read_text(encoding="utf-8") == PART


def test_tests_are_chosen_by_how_near_they_are_and_how_fast_within_the_budget() -> None:
    seconds = {
        "tests/test_a.py::slow": 8.0,
        "tests/test_a.py::quick": 1.0,
        "tests/test_b.py::near": 0.5,
        "tests/test_d.py::sees": 4.0,
    }
    reached = {*seconds, "tests/test_c.py"}
    seconds["tests/test_c.py::child"] = 0.1

    def chosen(most: int, budget: float, first: tuple[str, ...] = ()) -> list[str]:
        return [
            test.rpartition(":")[2]
            for test in reaching.choose(reached, seconds, "backend/a.py", most, budget, first=first)
        ]

    assert chosen(9, 99.0) == ["child", "near", "quick", "sees", "slow"], "the fastest run first"
    assert (
        chosen(2, 99.0) == ["quick", "slow"]
        and chosen(3, 99.0) == ["near", "quick", "slow"]
        and chosen(9, 1.5) == ["near", "quick"]
    )
    assert chosen(1, 99.0, ("tests/test_d.py",)) == ["sees"] and chosen(9, 0.0) == ["quick"], (
        "one at least"
    )


def test_the_choice_does_not_hang_on_what_stands_before() -> None:
    def found(source: str) -> list[tuple[str, str, tuple[str, str, str]]]:
        return [
            (m.text, m.change, m.order(1)) for m in all_of("toy/part.py", source, CONFIG.operators)
        ]

    later = PART.replace("LEAST = 3\n", "# a comment\nOTHER = None\n\nLEAST = 3\n")
    assert found(later) == found(PART) and len(found(PART)) == 9
    assert len({m.order(1) for m in all_of("toy/part.py", PART, CONFIG.operators)}) == 9
    unreal = [
        m.text
        for m in all_of("toy/part.py", PART, CONFIG.operators)
        if not is_real(PART, changed(PART, m))
    ]
    assert unreal == ["def enough(x: int | None) -> bool:"]


def test_modules_are_found_by_their_imports(tmp_path: Path) -> None:
    for name, text in {
        "plain": "import json",
        "scene": "import bpy",
        "through": "from . import scene",
        "late": "def f():\n    from .through import x",
    }.items():
        (tmp_path / f"{name}.py").write_text(text, encoding="utf-8")
    assert [path.stem for path in without_blender(tmp_path)] == ["plain"]
    found = modules(ROOT, load())
    named = {
        "errors",
        "shared_protocol",
        "pipe",
        "patience",
        "launch",
        "backend_process",
        "head_bones",
        "runtimes",
        "tables",
        "vrchat_check",
        "arguments",
        "naming",
    }
    ours = {Path(path).stem for path in found if path.startswith("blendshape_addon/")}
    assert named | {"guides"} <= ours
    assert {
        "backend/protocol.py",
        "backend/inference/pool.py",
        "backend/face/locate/search.py",
    } <= set(found)
    assert not {
        "backend/service/server.py",
        "blendshape_addon/ui/panels.py",
        "blendshape_addon/blender_io/scene_files.py",
    } & set(found)


def test_the_equivalents_have_reasons_and_stand_in_the_code_as_it_is() -> None:
    config = load()
    for entry in config.equivalent:
        source = (ROOT / entry.module).read_text(encoding="utf-8")
        changes = {
            (m.definition, m.text, m.change) for m in all_of(entry.module, source, config.operators)
        }
        assert entry.reason and (entry.definition, entry.line, entry.change) in changes, (
            f"{entry.module}: {entry.line}"
        )
