# SPDX-License-Identifier: GPL-3.0-or-later
"""The batch as users start it: real Blenders, real children, and what goes wrong with them."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import random
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psutil
import pytest
from fixtures import models
from fixtures.processes import nobody_left

from scripts.batch import local

from .conftest import (
    FULL,
    GENERATE,
    ROOT,
    Run,
    command,
    keys_of,
    leftovers,
    outputs,
    report_of,
    write_head,
)

NAMES = {"ann", "ben", "cat", "dan"}
Generate = Callable[..., Run]
STUCK_S, PROMISED_S = (
    3,
    10,
)  # a file's time, and so long after it its Blender's child is gone at the latest
START_S = 30  # of a Blender on a busy machine, which does not count


def workers_of(process: subprocess.Popen[str]) -> list[psutil.Process]:
    return [
        child
        for child in psutil.Process(process.pid).children()
        if "worker.py" in " ".join(child.cmdline())
    ]


def wait_for(found: Callable[[], Any], seconds: float = 60) -> Any:
    """The first true value."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = found()
        if value:
            return value
        time.sleep(0.02)
    raise AssertionError("nothing came")


def started(inputs: Path, out: Path, model: Path, *more: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        command(inputs, out, model, *more),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def at_work(inputs: Path, out: Path, model: Path, *more: object) -> subprocess.Popen[str]:
    """The command when it has begun its first file."""
    process = started(inputs, out, model, *more)
    wait_for(lambda: list(out.glob(".blendshapes/*.json")))
    return process


@pytest.fixture(scope="module")
def undisturbed(
    tmp_path_factory: pytest.TempPathFactory, tiny: Path
) -> tuple[Path, dict[str, bytes]]:
    """Heads and what a run that nothing disturbs makes of them."""
    folder = tmp_path_factory.mktemp("undisturbed")
    for number, name in enumerate(("ann", "ben", "cat", "deep/dan")):
        write_head(folder / "heads" / f"{name}.obj", 1 + number / 8)
    subprocess.run(
        command(folder / "heads", folder / "out", tiny, "--jobs", 1),
        check=True,
        capture_output=True,
        timeout=200,
    )
    return folder, outputs(folder / "out")


def test_a_folder_is_done_once_and_then_known(
    undisturbed: tuple[Path, dict[str, bytes]], tiny: Path, tmp_path: Path, generate: Generate
) -> None:
    folder, expected = undisturbed
    first = json.loads(report_of(folder / "out").read_text())
    assert set(expected) == {
        f"{name}.{kind}" for name in ("ann", "ben", "cat", "deep/dan") for kind in ("blend", "glb")
    }
    assert len({expected[name] for name in expected if name.endswith(".glb")}) == 4, (
        "every head has its own shapes"
    )
    assert (first["made"], first["skipped"], first["failed"], first["left"]) == (4, 0, 0, 0)
    row = first["files"][0]
    assert (
        row["shapes"] == 15
        and 0 < row["sparsity"] < 1
        and row["memory_mb"] > 50
        and row["host"]
        and row["blender"]
    )
    stages = {
        "import",
        "choose",
        "gather",
        "request",
        "write",
        "save",
        "export",
        "settle",
        "figures",
        "wall",
        "overhead",
        "backend",
        "start",
    }
    assert stages <= set(row["seconds"]) and row["seconds"]["backend"]["total"] > 0

    again = generate(folder / "heads", folder / "out")
    assert (
        again.code == 0
        and set(again.states.values()) == {"skipped"}
        and "done before" in again.said
    )
    assert outputs(folder / "out") == expected and "worker" not in again.said
    two = generate(folder / "heads", tmp_path / "two", "--jobs", 2)
    assert two.code == 0 and two.report["run"]["jobs"] == 2
    assert outputs(tmp_path / "two") == expected and keys_of(tmp_path / "two") == keys_of(
        folder / "out"
    )


def test_only_what_changed_is_made_again(heads: Path, tmp_path: Path, generate: Generate) -> None:
    out = tmp_path / "out"
    assert generate(heads, out, "--jobs", 2).code == 0
    write_head(heads / "ben.obj", 3.0)
    (out / "cat.blend").write_bytes(b"edited by hand")
    (out / "ann.glb").unlink()
    run = generate(heads, out)
    assert run.code == 0 and run.states == {
        "ann": "done",
        "ben": "done",
        "cat": "skipped",
        "dan": "skipped",
    }
    assert (out / "cat.blend").read_bytes() == b"edited by hand"
    other = generate(heads, out, "--strength", 0.5)
    assert (
        other.code == 2
        and set(other.states.values()) == {"output_exists"}
        and "other settings" in other.said
    )
    assert set(
        generate(heads, out, "--strength", 0.5, "--overwrite", "--jobs", 2).states.values()
    ) == {"done"}
    assert set(generate(heads, out, "--strength", 0.5, "--overwrite").states.values()) == {
        "skipped"
    }


def python_without_cycles(folder: Path) -> Path:
    """A Python with bpy that cannot render."""
    code = (
        "import sys, runpy, bpy, cycles; bpy.utils.unregister_class(cycles.CyclesRender);"
        " runpy.run_path(sys.argv[1], run_name='__main__')"
    )
    program = folder / "python-without-cycles"
    program.write_text(
        f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -c "{code}" "$@"\n', encoding="utf-8"
    )
    program.chmod(0o755)
    return program


@pytest.mark.skipif(os.name == "nt", reason="it stands a shell script in for a Blender")
def test_sheets_may_be_asked_for_later_and_an_old_one_is_not_shown(
    tmp_path: Path, generate: Generate
) -> None:
    head, out = write_head(tmp_path / "ann.obj"), tmp_path / "out"
    sheet, page = out / ".blendshapes" / "ann.jpg", report_of(out).with_suffix(".html")
    assert generate(head, out).code == 0 and not sheet.exists()
    blend = (out / "ann.blend").read_bytes()
    later = generate(head, out, "--sheets")
    assert (
        later.code == 0
        and later.states == {"ann": "skipped"}
        and (out / "ann.blend").read_bytes() == blend
    )
    assert sheet.read_bytes()[:2] == b"\xff\xd8" and "data:image/jpeg;base64," in page.read_text()
    write_head(head, 2.0)
    assert (
        generate(head, out).states == {"ann": "done"}
        and not sheet.exists()
        and "data:image" not in page.read_text()
    )
    write_head(head, 3.0)
    without = generate(head, out, "--sheets", "--blender", python_without_cycles(tmp_path))
    assert without.code == 0 and "contact sheet could not be drawn" in without.said, (
        "the shapes are good all the same"
    )


def test_a_report_that_cannot_be_written_is_said_after_the_work(
    tmp_path: Path, generate: Generate
) -> None:
    head, out = write_head(tmp_path / "ann.obj"), tmp_path / "out"
    (tmp_path / "taken").mkdir()
    run = generate(head, out, "--report", tmp_path / "taken")
    assert (
        run.code == 1
        and "[report_unwritable]" in run.said
        and "Traceback" not in run.said
        and (out / "ann.glb").is_file()
    )


def test_bad_files_do_not_stop_the_others(heads: Path, tmp_path: Path, generate: Generate) -> None:
    (heads / "broken.glb").write_bytes(b"glTF, but not really")
    (heads / "empty.blend").write_bytes(b"")
    run = generate(heads, tmp_path / "out", heads / "none.glb")
    assert run.code == 1 and {run.states[name] for name in NAMES} == {"done"}
    assert [run.states[name] for name in ("broken", "empty", "none")] == [
        "input_unreadable",
        "input_unreadable",
        "input_missing",
    ]
    assert (
        leftovers(tmp_path / "out") == []
        and not (tmp_path / "out" / ".blendshapes" / "broken.json").exists()
    )


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (["--set", "arkitt"], "There is no shape set 'arkitt'"),
        (["--setting", "precision"], "NAME=VALUE"),
        (
            ["--setting", "precision=most"],
            "precision is 'most' (the call), which is not allowed. Allowed: auto, fp32",
        ),
        (["--setting", "graph_optimisation=all"], "Did you mean graph_optimization?"),
        (["--server", "example.org"], "grpc://HOST:PORT"),
        (["--timeout", "0"], "cannot be waited for"),
        (["--jobs", "many"], "--jobs"),
        (["--blender", "/nowhere/blender"], "cannot be started"),
        (["--scheduler", "localhost:8786"], "is no scheduler's address"),
        (["--scheduler", "tls://localhost:8786"], "belong together"),
        (["--scheduler", "tcp://10.0.0.5:8786"], "whoever is on the way"),
        (["--scheduler", "tcp://localhost.example:8786"], "whoever is on the way"),
        (["--scheduler", "tcp://127.0.0.1:9", "--blender", "blender"], "GENERATE_BLENDER"),
        (
            ["--scheduler", "tcp://127.0.0.1:9"],
            (
                "distributed"
                if importlib.util.find_spec("distributed") is None
                else "cannot be reached"
            ),
        ),
    ],
)
def test_wrong_arguments_get_one_sentence(
    heads: Path, tmp_path: Path, generate: Generate, more: list[str], words: str
) -> None:
    run = generate(heads, tmp_path / "out", *more)
    lines = [line for line in run.said.splitlines() if "error: " in line]
    assert (
        run.code in (1, 2)
        and len(set(lines)) >= 1
        and words in lines[0]
        and "Traceback" not in run.said
    )
    assert outputs(tmp_path / "out") == {} if (tmp_path / "out").exists() else True


def test_a_file_that_hangs_is_ended_and_reported(
    undisturbed: tuple[Path, dict[str, bytes]], tmp_path: Path, tiny: Path
) -> None:
    folder, expected = undisturbed
    out = tmp_path / "out"
    process = at_work(folder / "heads", out, tiny, "--jobs", 1, "--timeout", 15)
    for worker in workers_of(process):
        worker.suspend()
    process.communicate(timeout=200)
    run = Run(process.returncode, "", json.loads(report_of(out).read_text()))
    assert (
        run.code == 1
        and sorted(run.states.values()) == ["done", "done", "done", "timed_out"]
        and leftovers(out) == []
    )
    (late,) = (name for name, state in run.states.items() if state == "timed_out")
    assert not any("tried" in row for row in run.report["files"]), (
        "what takes too long is not tried again"
    )
    assert outputs(out) == {
        name: data for name, data in expected.items() if Path(name).stem != late
    }


@pytest.mark.parametrize("kind", models.STUCK)
def test_a_model_that_never_ends_is_each_files_own_trouble(
    heads: Path, tmp_path: Path, generate: Generate, kind: str
) -> None:
    model = models.stuck(tmp_path / f"{kind}.onnx", kind, ["jawOpen", "eyeBlinkLeft"])
    began = time.monotonic()
    with nobody_left(PROMISED_S):
        run = generate(
            heads / "ann.obj",
            tmp_path / "out",
            heads / "ben.obj",
            "--jobs",
            1,
            "--timeout",
            STUCK_S,
            model=model,
        )
    assert run.code == 2 and run.states == {"ann": "model_stuck", "ben": "model_stuck"}, run.said
    assert (
        f"{kind}.onnx did not finish" in run.said
        and "--timeout" not in run.said
        and "another model" in run.said
    )
    assert time.monotonic() - began < 2 * (STUCK_S + PROMISED_S + START_S)
    assert outputs(tmp_path / "out") == {}


@pytest.mark.skipif(os.name == "nt", reason="named pipes are POSIX")
def test_a_file_that_hangs_lets_go_even_when_the_command_is_gone(
    tmp_path: Path, tiny: Path, generate: Generate
) -> None:
    head, out, never = write_head(tmp_path / "ann.obj"), tmp_path / "out", tmp_path / "never.mtl"
    head.write_text(f"mtllib {never.name}\n{head.read_text()}")
    if sys.platform == "win32":
        return
    os.mkfifo(never)  # Blender waits for its first byte, for ever and deep inside its importer
    process = at_work(head, out, tiny, "--timeout", 2)
    (worker,) = workers_of(process)
    process.kill()
    process.communicate()
    try:
        worker.wait(40)
    finally:
        with contextlib.suppress(psutil.Error):
            worker.kill()
    never.unlink()
    rest = generate(head, out)
    assert rest.code == 0 and rest.states == {"ann": "done"} and leftovers(out) == []


def test_a_job_that_takes_too_much_memory_is_ended_and_reported(
    heads: Path, tmp_path: Path, generate: Generate
) -> None:
    run = generate(heads / "ann.obj", tmp_path / "out", "--memory", 100)
    assert (
        run.code == 1
        and run.states == {"ann": "out_of_memory"}
        and "tried" not in run.report["files"][0]
        and outputs(tmp_path / "out") == {}
    )


def test_a_blender_that_dies_is_replaced_and_the_file_tried_again(
    undisturbed: tuple[Path, dict[str, bytes]], tmp_path: Path, tiny: Path
) -> None:
    folder, expected = undisturbed
    out = tmp_path / "out"
    process = at_work(folder / "heads", out, tiny, "--jobs", 1)
    (worker,) = workers_of(process)
    worker.kill()
    process.communicate(timeout=120)
    report = json.loads(report_of(out).read_text())
    assert process.returncode == 0 and report["made"] == 4
    assert [row["tried"][0]["code"] for row in report["files"] if "tried" in row] in (
        ["blender_died"],
        [],
    )
    assert outputs(out) == expected and leftovers(out) == []


@pytest.mark.skipif(os.name == "nt", reason="signals are POSIX")
def test_ctrl_c_ends_cleanly_and_the_next_start_goes_on(
    undisturbed: tuple[Path, dict[str, bytes]], tmp_path: Path, tiny: Path, generate: Generate
) -> None:
    folder, expected = undisturbed
    out = tmp_path / "out"
    process = started(folder / "heads", out, tiny, "--jobs", 1)
    wait_for(lambda: list(out.glob("*.glb")))
    workers = workers_of(process)
    process.send_signal(signal.SIGINT)
    said, _ = process.communicate(timeout=120)
    report = json.loads(report_of(out).read_text())
    assert (
        process.returncode == 130
        and report["interrupted"]
        and 0 < report["made"] < 4
        and "start it again" in said
    )
    assert leftovers(out) == [] and not any(worker.is_running() for worker in workers)
    rest = generate(folder / "heads", out)
    assert rest.code == 0 and rest.report["skipped"] == report["made"] and outputs(out) == expected


@pytest.mark.skipif(os.name == "nt", reason="signals are POSIX")
def test_a_second_ctrl_c_ends_at_once(heads: Path, tmp_path: Path, tiny: Path) -> None:
    process = at_work(heads, tmp_path / "out", tiny, "--jobs", 1)
    workers = workers_of(process)
    family = [*workers, *(child for worker in workers for child in worker.children(recursive=True))]
    for worker in workers:
        worker.suspend()  # or it might be done before
    for _ in range(2):
        process.send_signal(signal.SIGINT)
        time.sleep(0.3)
    process.communicate(timeout=20)
    assert process.returncode == 130 and leftovers(tmp_path / "out") == []
    psutil.wait_procs(family, timeout=10)
    assert not any(member.is_running() for member in family), "nobody is left behind"


def test_two_runs_on_one_folder_share_the_work(
    undisturbed: tuple[Path, dict[str, bytes]], tmp_path: Path, tiny: Path
) -> None:
    folder, expected = undisturbed
    out = tmp_path / "out"
    runs = [
        started(folder / "heads", out, tiny, "--jobs", 1, "--report", tmp_path / f"{number}.json")
        for number in (1, 2)
    ]
    said = [run.communicate(timeout=200)[0] for run in runs]
    assert [run.returncode for run in runs] == [0, 0], said
    states = [
        [row["status"] for row in json.loads((tmp_path / f"{number}.json").read_text())["files"]]
        for number in (1, 2)
    ]
    assert len(states[0]) == len(states[1]) == 4
    assert sum(state == "done" for both in states for state in both) == 4, (
        "every file was made once, by one of them"
    )
    assert outputs(out) == expected and leftovers(out) == []


def end_suddenly(process: subprocess.Popen[str], everything: bool) -> None:
    """Kill -9 the command, or it, its Blenders and their children."""
    family: list[psutil.Process] = []
    with contextlib.suppress(psutil.Error):  # it may end by itself just now
        family = psutil.Process(process.pid).children(recursive=True) if everything else []
    process.kill()
    for member in family:
        try:
            member.kill()
        except psutil.Error:
            continue
    process.communicate()


def _next_file(process: subprocess.Popen[str], out: Path) -> None:
    """Wait until another file is done, if one comes."""
    done = len(list(out.glob("**/*.glb")))
    with contextlib.suppress(AssertionError):
        wait_for(lambda: len(list(out.glob("**/*.glb"))) > done or process.poll() is not None, 20)


def test_a_run_that_is_killed_at_random_moments_ends_as_if_nothing_had_been(
    undisturbed: tuple[Path, dict[str, bytes]], tmp_path: Path, tiny: Path, generate: Generate
) -> None:
    folder, expected = undisturbed
    rng = random.Random(7)  # noqa: S311 (moments, not secrets)
    out = tmp_path / "out"
    kills = 0
    while kills < (10 if FULL else 2):
        process = started(folder / "heads", out, tiny, "--jobs", 2)
        if rng.random() < 0.5:  # in the middle of the files, else at any moment
            _next_file(process, out)
        time.sleep(rng.uniform(0, 3))
        if process.poll() is None:
            kills += 1
            end_suddenly(process, everything=rng.random() < 0.5)
            for path in out.glob("**/*.glb"):
                if not path.name.startswith("."):
                    assert path.read_bytes() == expected[path.relative_to(out).as_posix()], (
                        "what has its name is whole"
                    )
        else:  # it was done before that moment
            assert process.communicate() and process.returncode == 0 and outputs(out) == expected
            shutil.rmtree(out)
    last = generate(folder / "heads", out, "--jobs", 2)
    assert last.code == 0 and last.report["failed"] == 0
    assert (
        outputs(out) == expected
        and leftovers(out) == []
        and keys_of(out) == keys_of(folder / "out")
    )


def test_there_are_as_many_blenders_as_cores_and_free_memory_allow(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(local, "cores", lambda: 8)
    for free_mb, expected in ((500, 1), (5000, 2), (100_000, 8)):
        monkeypatch.setattr(
            psutil, "virtual_memory", lambda mb=free_mb: SimpleNamespace(available=mb * 1e6)
        )
        assert local.default_jobs(2048) == expected


def test_one_file_as_before(heads: Path, tmp_path: Path, tiny: Path) -> None:
    done = subprocess.run(
        [sys.executable, str(GENERATE), "ann.obj", "--set", "arkit,vrchat"]
        + ["--out", "made", "--model", str(tiny)],
        cwd=heads, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert (
        done.returncode == 0
        and "67 shape keys" in done.stdout
        and (heads / "made" / "ann.blend").is_file()
    ), done.stderr


def test_without_inputs_and_without_blender_it_says_so(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, str(GENERATE), "--set", "arkit", "--out", str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2 and "No input is given" in done.stderr and ROOT.name


def test_a_bar_shows_on_a_terminal_where_rich_is(
    undisturbed: tuple[Path, dict[str, bytes]], tiny: Path
) -> None:
    pty = pytest.importorskip("pty", reason="terminals are POSIX")
    farm = ROOT / ".venv-farm" / "bin" / "python"
    if not farm.exists():
        pytest.skip("dev.py farm-test makes the environment with rich")
    folder, _ = undisturbed
    ours, theirs = pty.openpty()
    line = command(
        folder / "heads", folder / "out", tiny, "--blender", sys.executable, python=str(farm)
    )
    process = subprocess.Popen(
        line,
        stdout=theirs,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "TERM": "xterm", "COLUMNS": "100"},
    )
    os.close(theirs)
    said = b""
    while True:
        try:
            piece = os.read(ours, 4096)
        except OSError:
            break
        if not piece:
            break
        said += piece
    os.close(ours)
    assert (
        process.wait(60) == 0 and "━".encode() in said and b"4/4" in said and b"done before" in said
    )
