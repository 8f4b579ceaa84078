# SPDX-License-Identifier: GPL-3.0-or-later
"""The container's steps and the Kubernetes example, as far as they can be checked without running
them; `dev.py container-test` runs the steps.
"""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest
from fixtures.systems import shell

from scripts.tools.container_test import copy_context, read_steps

ROOT = Path(__file__).resolve().parents[2]
FARM = Path(os.environ.get("FARM_PYTHON", ROOT / ".venv-farm" / "bin" / "python"))
EXAMPLE = ROOT / "docs" / "kubernetes" / "farm.yaml"


@shell
def test_the_dockerfile_runs_what_the_test_runs() -> None:
    steps = read_steps((ROOT / "Dockerfile").read_text())
    assert steps.run == (f"{steps.copy}/scripts/container/install.sh",) and steps.entry == (
        f"{steps.copy}/scripts/container/start.sh",
    )
    for path in (*steps.run, *steps.entry):
        script = ROOT / path.removeprefix(steps.copy + "/")
        assert os.access(script, os.X_OK)
        subprocess.run(["sh", "-n", str(script)], check=True)
    with pytest.raises(ValueError, match="EXPOSE"):
        read_steps((ROOT / "Dockerfile").read_text() + "EXPOSE 1\n")


def test_the_image_gets_what_it_needs_and_nothing_else(tmp_path: Path) -> None:
    copy_context(tmp_path / "image")
    there = {path.name for path in (tmp_path / "image").iterdir()}
    assert {"scripts", "backend", "blendshape_addon", "requirements", "__init__.py"} <= there
    assert not there & {
        ".git",
        ".venv",
        ".venv-farm",
        "build",
        "dist",
        "out",
        "tests",
        ".mypy_cache",
    }


def test_packages_are_pinned_and_the_same_everywhere() -> None:
    pins: dict[str, set[str]] = {}
    for name in ("dev", "batch", "farm"):
        for line in (ROOT / "requirements" / f"{name}.txt").read_text().splitlines():
            if line and not line.startswith("#"):
                package, version = re.fullmatch(r"([\w.\[\]-]+)==([\w.]+)", line).groups()  # type: ignore[union-attr]
                pins.setdefault(package, set()).add(version)
    assert all(len(versions) == 1 for versions in pins.values()), pins


@pytest.mark.skipif(
    not FARM.exists(), reason="dev.py farm-test makes the environment with kubernetes-validate"
)
def test_the_kubernetes_example_keeps_the_schema(tmp_path: Path) -> None:
    def check(path: Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(FARM), "-m", "kubernetes_validate", "--strict", str(path)],
            capture_output=True,
            text=True,
            check=False,
        )

    good = check(EXAMPLE)
    assert good.returncode == 0 and (good.stdout + good.stderr).count("passed") == 3, (
        good.stdout + good.stderr
    )
    broken = tmp_path / "broken.yaml"
    broken.write_text(EXAMPLE.read_text().replace("replicas: 10", "replicaas: 10"))
    assert check(broken).returncode != 0, "the check finds a misspelt name"


@pytest.mark.skipif(os.name == "nt", reason="shell scripts")
@pytest.mark.parametrize(
    ("words", "tls", "said", "told"),
    [
        ("scheduler", "", "", "--host 127.0.0.1 --port 8786"),
        ("scheduler localhost 9000", "", "", "--host localhost --port 9000"),
        ("scheduler 10.0.0.5", "", "--insecure", ""),
        ("scheduler 0.0.0.0", "", "--insecure", ""),
        ("scheduler 127.0.0.1.example.org", "", "--insecure", ""),
        ("scheduler --insecure 10.0.0.5", "", "can run code", "--host 10.0.0.5 --port 8786"),
        (
            "scheduler 10.0.0.5",
            "all",
            "",
            "--host 10.0.0.5 --port 8786 --no-dashboard --protocol tls --tls-ca-file ca.pem",
        ),
        ("scheduler", "some", "belong together", ""),
        ("worker tcp://127.0.0.1:8786", "", "", "tcp://127.0.0.1:8786 --name"),
        ("worker tcp://10.0.0.5:8786", "", "--insecure", ""),
        ("worker tcp://localhost.example.org:8786", "", "--insecure", ""),
        ("worker --insecure tcp://10.0.0.5:8786", "", "can run code", "tcp://10.0.0.5:8786 --name"),
        ("worker tls://10.0.0.5:8786", "all", "", "tls://10.0.0.5:8786 --name"),
        ("worker tls://10.0.0.5:8786", "", "TLS_CA", ""),
        ("worker tcp://10.0.0.5:8786", "all", "write tls://", ""),
        ("worker", "", "Give the address", ""),
    ],
)
def test_nothing_listens_or_connects_beyond_this_machine_without_tls_unasked(
    tmp_path: Path, words: str, tls: str, said: str, told: str
) -> None:
    """said: on stderr. told: to Dask, in whose place a program says what it was started with; empty
    where it must not be started.
    """
    python = tmp_path / "python"
    python.write_text('#!/bin/sh\necho "$@"\n', encoding="utf-8")
    python.chmod(0o755)
    names = {"": (), "some": ("ca",), "all": ("ca", "cert", "key")}[tls]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TLS_")}
    environment |= {
        "PYTHON": str(python),
        **{f"TLS_{name.upper()}": f"{name}.pem" for name in names},
    }
    script, *rest = words.split()
    done = subprocess.run(
        [str(ROOT / "scripts" / "farm" / f"{script}.sh"), *rest],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert bool(done.stdout) == bool(told) and told in done.stdout, done.stdout + done.stderr
    assert bool(done.stderr) == bool(said) and said in done.stderr, done.stderr
    assert done.returncode == (0 if told else 2)


def test_the_kubernetes_example_listens_with_tls_alone() -> None:
    text = EXAMPLE.read_text(encoding="utf-8")
    assert '[scheduler, "0.0.0.0"]' in text and "--insecure" not in text and "tcp://" not in text
    assert text.count("TLS_CA") == text.count("TLS_CERT") == text.count("TLS_KEY") == 2
