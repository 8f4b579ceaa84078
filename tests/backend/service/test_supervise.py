# SPDX-License-Identifier: GPL-3.0-or-later
"""Commands on models that never end or take all memory: they end in time, with one sentence, and
nothing of them is left.
"""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
from fixtures import models, served
from fixtures.meshes import figure
from fixtures.processes import nobody_left

from backend import limits
from scripts.samples.head import build

ROOT = Path(__file__).resolve().parents[3]
TIMEOUT_S, PROMISED_S = 3, 10
CONDITIONS = ["jawOpen", "eyeBlinkLeft"]
# a child, or a command, that may hold next to nothing
TIGHT = (
    "from backend import limits; limits.FOREIGN_SHARE = {share};"
    " from backend.service.cli import main; sys.exit(main(sys.argv[1:]))"
)


def command(*arguments: object) -> list[str]:
    return [sys.executable, "-m", "backend", *map(str, arguments)]


def refused(arguments: list[str], code: int) -> str:
    """The one sentence of a command that must have been ended in time."""
    began = time.monotonic()
    done = subprocess.run(
        arguments, cwd=ROOT, capture_output=True, text=True, timeout=100, check=False
    )
    assert done.returncode == code, done.stderr
    assert time.monotonic() - began < TIMEOUT_S + PROMISED_S
    (line,) = done.stderr.strip().splitlines()
    return line


@pytest.fixture
def mesh(tmp_path: Path) -> Path:
    """An .npz with a small figure."""
    made, path = figure(), tmp_path / "mesh.npz"
    assert made.head_weights is not None
    np.savez(path, vertices=made.vertices, triangles=made.triangles, head_weights=made.head_weights)
    return path


@pytest.fixture
def head(tmp_path: Path) -> Path:
    """An .npz with a head that the shipped encoder finds at once: a model of conditions alone is
    asked only then.
    """
    made, path = build(), tmp_path / "head.npz"
    np.savez(path, vertices=made.vertices, triangles=made.triangles)
    return path


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("info", "fold"),
        ("export-ort", "fold"),
        ("generate", "fold"),
        ("generate", "loop"),
        ("generate", "matmul"),
    ],
)
def test_a_command_on_a_model_that_never_ends_is_ended(
    name: str, kind: str, head: Path, tmp_path: Path
) -> None:
    model = models.stuck(tmp_path / f"{kind}.onnx", kind, CONDITIONS)
    more = {
        "info": [],
        "export-ort": ["--out", tmp_path / "ort"],
        "generate": [
            head,
            "--conditions",
            "jawOpen=1",
            "--name",
            "Ah",
            "--out",
            tmp_path / "o.npz",
        ],
    }
    with nobody_left(PROMISED_S):
        line = refused(command(name, *more[name], "--model", model, "--timeout", TIMEOUT_S), 2)
    assert (
        f"{kind}.onnx did not finish within 3 s" in line
        and "another model" in line
        and "--timeout" not in line
        and line.endswith("[model_stuck]")
    )
    assert not (tmp_path / "o.npz").exists()


def test_the_shipped_model_on_a_large_mesh_may_have_more_time(mesh: Path, tmp_path: Path) -> None:
    line = refused(
        command("generate", mesh, "--set", "arkit", "--out", tmp_path / "o.npz", "--timeout", 0.05),
        1,
    )
    assert (
        "more with --timeout" in line and "model" not in line and line.endswith("[child_timeout]")
    )


def test_a_command_in_time_says_and_returns_what_it_does_by_itself(
    mesh: Path, tmp_path: Path, tiny: Path
) -> None:
    arguments = command(
        "generate",
        mesh,
        "--set",
        "arkit",
        "--model",
        tiny,
        "--out",
        tmp_path / "o.npz",
        "--timeout",
        100,
    )
    done = subprocess.run(
        arguments, cwd=ROOT, capture_output=True, text=True, timeout=100, check=True
    )
    assert (
        "52 shapes" in done.stdout and "error" not in done.stderr and (tmp_path / "o.npz").is_file()
    )
    wrong = subprocess.run(
        command("info", "--model", "none", "--timeout", 100),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert (
        wrong.returncode == 2
        and wrong.stderr.count("error: ") == 1
        and "[model_missing]" in wrong.stderr
    )
    for seconds in ("0", "-1", "nan", "soon"):
        assert (
            subprocess.run(
                command("info", "--timeout", seconds),
                cwd=ROOT,
                capture_output=True,
                timeout=100,
                check=False,
            ).returncode
            == 2
        )


def test_a_command_that_is_killed_takes_its_work_with_it(tmp_path: Path) -> None:
    model = models.stuck(tmp_path / "fold.onnx", "fold", CONDITIONS)
    process = subprocess.Popen(
        command("info", "--model", model), cwd=ROOT, stderr=subprocess.DEVNULL
    )
    end = time.monotonic() + 30
    while not (found := psutil.Process(process.pid).children()) or found[0].cpu_times().user < 1:
        assert time.monotonic() < end
        time.sleep(0.05)
    process.kill()
    process.wait()
    found[0].wait(PROMISED_S)


def share_of(megabytes: float) -> float:
    return megabytes * 2**20 / psutil.virtual_memory().total


def test_a_foreign_model_that_takes_too_much_memory_ends_its_child_the_shipped_one_does_not(
    tmp_path: Path,
) -> None:
    model = models.stuck(tmp_path / "matmul.onnx", "matmul", CONDITIONS)
    with served.served(
        code=f"import sys; sys.argv[1:] = ['serve']; {TIGHT.format(share=share_of(1))}"
    ) as child:
        assert served.report(child, "load", model=None)["model"], "it takes more, but it is ours"
    with served.served(
        code=f"import sys; sys.argv[1:] = ['serve']; {TIGHT.format(share=share_of(300))}"
    ) as child:
        child.send("load", {"model": str(model)})
        assert child.process.wait(60) == limits.MEMORY_EXIT


def test_a_command_whose_model_takes_too_much_memory_says_so(
    mesh: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    from backend.service import supervise

    model = models.stuck(tmp_path / "matmul.onnx", "matmul", CONDITIONS)
    tight = tmp_path / "tight" / "backend"
    tight.mkdir(parents=True)
    (tight / "__init__.py").write_text("")
    (tight / "__main__.py").write_text(f"import sys; sys.exit({limits.MEMORY_EXIT})")
    monkeypatch.setattr(supervise, "PACKAGE", tight)
    monkeypatch.chdir(tmp_path)
    from backend.service.cli import main

    assert main(["info", "--model", str(model)]) == 1
    assert (
        "took more memory" in (said := capsys.readouterr().err)
        and "[out_of_memory]" in said
        and "another model" in said
    )
