# SPDX-License-Identifier: GPL-3.0-or-later
"""The command line as a user meets it: real processes, real files, exit codes and one sentence when
something is wrong.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fixtures.meshes import figure

from backend.errors import CODES, BackendError, as_backend_error
from backend.face.shapes.shape_sets import load_sets
from backend.files import read_mesh, read_table, write_shapes
from backend.service.commands.generating import parse_conditions
from scripts.samples.head import build
from scripts.samples.surface import HeadSpec

ROOT = Path(__file__).resolve().parents[3]


def backend(
    *arguments: object, before: str = "", timeout: float = 120
) -> subprocess.CompletedProcess[str]:
    """Run the command line; `before` is Python that runs first in the same process."""
    start = [
        sys.executable,
        "-c",
        (
            f"import sys, runpy\n{before}\nrunpy.run_module('backend', run_name='__main__',"
            " alter_sys=True)"
        ),
    ]
    command = start if before else [sys.executable, "-m", "backend"]
    return subprocess.run(
        [*command, *map(str, arguments)], cwd=ROOT, capture_output=True, text=True, timeout=timeout
    )


@pytest.fixture
def mesh(tmp_path: Path) -> Path:
    """An .npz with a small figure."""
    made = figure()
    path = tmp_path / "mesh.npz"
    assert made.head_weights is not None
    np.savez(path, vertices=made.vertices, triangles=made.triangles, head_weight=made.head_weights)
    return path


def refused(result: subprocess.CompletedProcess[str], code: str) -> str:
    """The one sentence of a command that must have refused its input."""
    assert result.returncode == 2, result.stderr
    lines = result.stderr.strip().splitlines()
    assert len(lines) == 1 and lines[0].startswith("error: ") and lines[0].endswith(f"[{code}]"), (
        result.stderr
    )
    return lines[0]


def test_generate_writes_both_sets(mesh: Path, tiny: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.npz"
    result = backend(
        "generate", mesh, "--set", "arkit,vrchat", "--model", tiny, "--out", out, "--json"
    )
    assert result.returncode == 0, result.stderr
    report = json.loads(result.stdout)
    with np.load(out) as written:
        names, deltas = [str(name) for name in written["names"]], written["deltas"]
    sets = load_sets()
    assert names == [*sets["arkit"].shapes, *sets["vrchat"].shapes]
    assert deltas.shape == (67, report["vertices"], 3) and deltas.dtype == np.float32
    weights = figure().head_weights
    assert weights is not None and not deltas[:, weights == 0].any(), "exact zeros outside the head"
    moved = deltas.any(axis=(0, 2)).sum()
    assert 0 < moved <= report["face_vertices"] and report["shapes"] == 67
    assert [path.name for path in tmp_path.iterdir() if path.suffix == ".part"] == []


def test_generate_takes_a_key_of_ones_own_and_a_table(
    mesh: Path, tiny: Path, tmp_path: Path
) -> None:
    table, out = tmp_path / "table.json", tmp_path / "out.npz"
    table.write_text('{"Grin": {"mouthSmileLeft": 0.5, "mouthSmileRight": 0.5}}', encoding="utf-8")
    result = backend(
        "generate",
        mesh,
        "--conditions",
        "jawOpen=0.6, mouthSmileLeft=0.3",
        "--name",
        "Ah",
        "--table",
        table,
        "--model",
        tiny,
        "--out",
        out,
    )
    assert result.returncode == 0, result.stderr
    assert "2 shapes" in result.stdout
    with np.load(out) as written:
        assert list(written["names"]) == ["Grin", "Ah"] and written["deltas"].any(axis=(1, 2)).all()


def test_generate_takes_corrected_landmarks(mesh: Path, tiny: Path, tmp_path: Path) -> None:
    marks, out = tmp_path / "marks.json", tmp_path / "out.npz"
    command = (
        "generate",
        mesh,
        "--set",
        "vrchat",
        "--model",
        tiny,
        "--out",
        out,
        "--landmarks",
        marks,
    )
    marks.write_text('{"chin": [0.0, -0.09, 1.53]}', encoding="utf-8")
    assert backend(*command).returncode == 0
    for text, code in (
        ('{"chin": [0, 1]}', "table_invalid"),
        ("[]", "table_invalid"),
        ('{"dimple": [0, 0, 0]}', "mesh_invalid"),
    ):
        marks.write_text(text, encoding="utf-8")
        refused(backend(*command), code)


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["--set", "arkitt"], "unknown_set", "arkit, vrchat"),
        ([], "unknown_set", "No shapes"),
        (["--conditions", "jawOpn=1", "--name", "A"], "unknown_condition", "jawOpen"),
        (["--conditions", "jawOpen", "--name", "A"], "table_invalid", "NAME=NUMBER"),
        (["--conditions", "jawOpen=1"], "table_invalid", "--name"),
        (["--table", "none.json"], "input_missing", "none.json"),
        (["--set", "arkit", "--strength", "nan"], "setting_invalid", "nan"),
        (["--set", "arkit", "--model", "none.onnx"], "model_missing", "none.onnx"),
    ],
)
def test_wrong_arguments_get_one_sentence(
    mesh: Path, tiny: Path, tmp_path: Path, arguments: list[str], code: str, words: str
) -> None:
    model = [] if "--model" in arguments else ["--model", tiny]
    result = backend("generate", mesh, *arguments, *model, "--out", tmp_path / "out.npz")
    assert words in refused(result, code)
    assert not (tmp_path / "out.npz").exists()


def broken(path: Path, **changes: Any) -> Path:
    """The figure with some of its arrays replaced, or left out where the change is None."""
    made = figure()
    arrays = {"vertices": made.vertices, "triangles": made.triangles} | changes
    np.savez(path, **{name: value for name, value in arrays.items() if value is not None})
    return path


def test_a_mesh_without_a_face_is_refused_by_the_shipped_model_or_another(
    tmp_path: Path, tiny: Path
) -> None:
    empty = broken(tmp_path / "m.npz", mask=np.zeros(len(figure().vertices)))
    refused(
        backend("generate", empty, "--set", "arkit", "--model", tiny, "--out", tmp_path / "o.npz"),
        "no_face",
    )


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"vertices": None}, "mesh_invalid"),
        ({"triangles": None}, "mesh_invalid"),
        ({"vertices": np.array(["a"])}, "mesh_invalid"),
        ({"triangles": np.zeros((2, 3))}, "mesh_invalid"),
        ({"triangles": np.array([[0, 1, 2**40]])}, "mesh_invalid"),
        ({"triangles": np.array([[0, 1, -1]])}, "mesh_invalid"),
        ({"mask": np.ones(3)}, "mesh_invalid"),
        ({"vertices": np.zeros((0, 3)), "triangles": np.zeros((0, 3), int)}, "mesh_empty"),
        ({"vertices": figure().vertices.astype(np.float64) * 1e60}, "mesh_not_finite"),
        ({"vertices": np.where(np.arange(3) == 1, np.nan, figure().vertices)}, "mesh_not_finite"),
    ],
)
def test_broken_meshes_are_refused(tmp_path: Path, changes: dict[str, Any], code: str) -> None:
    from backend.face.geometry.mesh import check

    with pytest.raises(BackendError) as caught:
        check(read_mesh(broken(tmp_path / "m.npz", **changes)))
    assert caught.value.code == code and caught.value.fix


def test_files_that_are_no_meshes_are_refused(tmp_path: Path) -> None:
    pickled = tmp_path / "pickled.npz"
    np.savez(pickled, vertices=np.array([{"a": 1}], object), triangles=np.zeros((1, 3), int))
    single = tmp_path / "single.npy"
    np.save(single, np.zeros(3))
    for name, data in (
        ("empty.npz", b""),
        ("text.npz", b"hello"),
        ("cut.npz", pickled.read_bytes()[:60]),
        ("a.pkl", b"\x80\x04N."),
    ):
        (tmp_path / name).write_bytes(data)
    for path in (*tmp_path.iterdir(), tmp_path / "absent.npz", tmp_path):
        with pytest.raises(BackendError) as caught:
            read_mesh(path)
        assert caught.value.code == "input_missing", path


def test_tables_that_cannot_be_read_are_refused(tmp_path: Path) -> None:
    (tmp_path / "large.json").write_bytes(b" " * ((1 << 20) + 1))
    (tmp_path / "utf16.json").write_bytes('{"A": {"b": 1}}'.encode("utf-16"))
    for name, code in (
        ("large.json", "table_invalid"),
        ("utf16.json", "input_missing"),
        ("absent.json", "input_missing"),
    ):
        with pytest.raises(BackendError) as caught:
            read_table(tmp_path / name)
        assert caught.value.code == code


def test_a_table_may_begin_with_a_byte_order_mark(tmp_path: Path) -> None:
    (tmp_path / "t.json").write_bytes(b'\xef\xbb\xbf{"A": {"jawOpen": 1}}')
    assert read_table(tmp_path / "t.json") == {"A": {"jawOpen": 1.0}}


def test_conditions_are_parsed() -> None:
    assert parse_conditions("jawOpen=0.6, mouthSmileLeft = -.3") == {
        "jawOpen": 0.6,
        "mouthSmileLeft": -0.3,
    }
    for text in ("", "jawOpen", "=1", "jawOpen=x", "jawOpen=nan", "a=1,a=2", "a=1,,b=2"):
        with pytest.raises(BackendError) as caught:
            parse_conditions(text)
        assert caught.value.code == "table_invalid"


def test_an_output_that_cannot_be_written_leaves_the_old_one(tmp_path: Path) -> None:
    deltas = np.zeros((1, 2, 3), np.float32)
    with pytest.raises(BackendError) as caught:
        write_shapes(tmp_path / "no" / "such" / "out.npz", ["a"], deltas)
    assert caught.value.code == "output_unwritable"
    (tmp_path / "folder.npz").mkdir()
    with pytest.raises(BackendError) as caught:
        write_shapes(tmp_path / "folder.npz", ["a"], deltas)
    assert caught.value.code == "output_unwritable"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["folder.npz"]


@pytest.mark.skipif(
    os.name == "nt",
    reason="a limit on file sizes, which stands for a full disk here, cannot be set on Windows",
)
def test_a_full_disk_is_told_and_the_old_file_kept(mesh: Path, tiny: Path, tmp_path: Path) -> None:
    out = tmp_path / "out" / "shapes.npz"
    out.parent.mkdir()
    out.write_bytes(b"the old one")
    limit = (
        "import resource, sys; sys.dont_write_bytecode = True;"
        " resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))"
    )
    refused(
        backend("generate", mesh, "--set", "arkit", "--model", tiny, "--out", out, before=limit),
        "disk_full",
    )
    assert out.read_bytes() == b"the old one" and list(out.parent.iterdir()) == [out]


def test_without_onnxruntime_there_is_one_sentence() -> None:
    refused(backend("info", before="sys.modules['onnxruntime'] = None"), "runtime_missing")


def test_info_tells_versions_hardware_and_model(tiny: Path) -> None:
    result = backend("info", "--json", "--model", tiny)
    assert result.returncode == 0, result.stderr
    report = json.loads(result.stdout)
    assert report["versions"]["onnxruntime"] and report["hardware"]["physical_cores"] >= 1
    assert (
        report["model"]["contract"] == "pair"
        and report["model"]["provider_active"] in report["providers"]
    )
    assert "jawOpen" in backend("info", "--model", tiny).stdout


def test_info_about_a_broken_model_still_tells_the_rest(tmp_path: Path) -> None:
    (tmp_path / "x.onnx").write_bytes(b"no")
    result = backend("info", "--json", "--model", tmp_path / "x.onnx")
    refused(result, "model_unreadable")
    assert json.loads(result.stdout)["model"]["error"] == "model_unreadable"


def test_help_and_usage() -> None:
    shown = backend("--help")
    assert shown.returncode == 0 and all(
        command in shown.stdout for command in ("serve", "info", "generate", "export-ort")
    )
    assert backend("nonsense").returncode == 2


def test_errors_have_known_codes() -> None:
    with pytest.raises(ValueError, match="CODES"):
        BackendError("oops", "x", "y")
    assert (
        as_backend_error(KeyError("x")).code == "internal"
        and "KeyError" in as_backend_error(KeyError("x")).message
    )
    assert as_backend_error(MemoryError()).code == "out_of_memory"
    error = BackendError("no_face", "A.", "B.")
    assert (
        as_backend_error(error) is error
        and str(error) == "A. B."
        and set(CODES) > {"internal", "cancelled"}
    )


def test_generate_heeds_low_memory_memory_and_metrics_as_the_child_does(
    mesh: Path, tiny: Path, tmp_path: Path
) -> None:
    out, metrics = tmp_path / "out.npz", tmp_path / "m.prom"
    command = ("generate", mesh, "--set", "vrchat", "--model", tiny, "--out", out, "--json")
    reports = [
        json.loads(backend(*command, *(f"--setting={text}" for text in given)).stdout)
        for given in (
            (),
            ("low_memory=on",),
            ("memory_mb=256",),
            ("memory_mb=256", "low_memory=off"),
        )
    ]
    assert [report["low_memory"] for report in reports] == [False, True, True, False]
    told = json.loads(
        backend(
            *command,
            "--setting",
            f"metrics={metrics}",
            "--setting",
            f"profile={tmp_path / 'profiles'}",
        ).stdout
    )
    text = metrics.read_text(encoding="utf-8")
    assert (
        "blendshape_requests_total 1\n" in text
        and f'request="generate",stage="total",provider="{told["provider_active"]}"' in text
    )
    assert f"}} {told['seconds']['total']!r}\n" in text and told["targets"]["met"] in (True, False)
    refused(
        backend(
            "generate",
            mesh,
            "--set",
            "none",
            "--model",
            tiny,
            "--out",
            out,
            "--setting",
            f"metrics={metrics}",
        ),
        "unknown_set",
    )
    assert 'blendshape_errors_total{code="unknown_set"} 1\n' in metrics.read_text(encoding="utf-8")
    assert told["profiles"] and all(Path(path).is_file() for path in told["profiles"])


@pytest.mark.parametrize(
    ("command", "setting"),
    [
        ("generate", "workers=3"),
        ("generate", "idle_s=9"),
        ("info", "metrics=m.prom"),
        ("models", "threads=2"),
        ("export-ort", "graph_optimization=basic"),
    ],
)
def test_a_setting_that_has_no_effect_on_a_command_is_refused(
    mesh: Path, tmp_path: Path, command: str, setting: str
) -> None:
    rest = {
        "generate": (mesh, "--set", "arkit", "--out", tmp_path / "o.npz"),
        "export-ort": ("--out", tmp_path),
    }.get(command, ())
    assert setting.partition("=")[0] in refused(
        backend(command, *rest, "--setting", setting), "setting_invalid"
    )
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mesh.npz"]


@pytest.mark.parametrize("name", ["threads", "graph_optimization", "log_severity"])
def test_a_value_on_the_command_line_that_is_wrong_is_an_error(
    tmp_path: Path, mesh: Path, name: str
) -> None:
    command = (
        "generate",
        mesh,
        "--set",
        "arkit",
        "--out",
        tmp_path / "o.npz",
        "--setting",
        f"{name}=-9",
    )
    assert name in refused(backend(*command), "setting_invalid")


def test_what_is_wrong_in_the_environment_is_logged_and_the_command_done(
    mesh: Path, tiny: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out.npz"
    before = "import os; os.environ['BLENDSHAPE_WORKERS'] = 'many'"
    result = backend(
        "generate", mesh, "--set", "vrchat", "--model", tiny, "--out", out, "--json", before=before
    )
    assert (
        result.returncode == 0
        and out.is_file()
        and "BLENDSHAPE_WORKERS" in json.loads(result.stdout)["warnings"][0]
    )
    [line] = result.stderr.splitlines()
    assert " WARNING backend.inference.settings: workers is 'many' (BLENDSHAPE_WORKERS)" in line


def test_the_log_level_decides_what_is_written(tmp_path: Path) -> None:
    head = build(HeadSpec())  # a face with which nothing is wrong, so that nothing is warned of
    np.savez(
        tmp_path / "head.npz",
        vertices=head.vertices.astype(np.float32),
        triangles=head.triangles.astype(np.int32),
    )
    command = ("generate", tmp_path / "head.npz", "--set", "vrchat", "--out", tmp_path / "o.npz")
    assert backend(*command).stderr == ""
    told = backend(*command, "--setting", "log_level=info").stderr
    assert (
        " INFO backend.inference.sessions: face.decoder.onnx runs on CPUExecutionProvider" in told
    )
    assert all(line.split()[2] == "INFO" and line[:4].isdigit() for line in told.splitlines())


def test_a_message_keeps_to_its_line(tmp_path: Path) -> None:
    code = (
        "import logging\nfrom backend.log import begin\nbegin()\nbegin()\nlog ="
        " logging.getLogger('backend.x')\nlog.warning('%s', 'a\\n2026-01-01 00:00:00,000 ERROR"
        " backend: forged')\nlog.info('quiet')"
    )
    written = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    ).stderr
    assert len(written.splitlines()) == 1 and "\\n2026" in written and "quiet" not in written


SHORT = [("--help",), ("settings",), ("info", "--json")]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no file that is always full")
@pytest.mark.parametrize("arguments", SHORT, ids=" ".join)
def test_a_full_stdout_is_one_sentence(arguments: tuple[str, ...]) -> None:
    with Path("/dev/full").open("w") as full:
        result = subprocess.run(
            [sys.executable, "-m", "backend", *arguments],
            cwd=ROOT,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert (
        result.returncode == 1
        and result.stderr == "What it says cannot be written to stdout: No space left on device.\n"
    )


@pytest.mark.skipif(os.name == "nt", reason="needs a shell that closes a descriptor")
@pytest.mark.parametrize(
    ("closed", "said"), [(">&-", True), ("<&- >&-", True), (">&- 2>&-", False)]
)
def test_a_closed_stdout_is_one_sentence(closed: str, said: bool) -> None:
    command = ["/bin/sh", "-c", f'"$0" -m backend settings {closed}', sys.executable]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 1
    assert result.stderr == (
        "What it says cannot be written to stdout: it is closed.\n" if said else ""
    )


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no file that is always full")
def test_a_full_stderr_costs_the_log_only(mesh: Path, tiny: Path, tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "backend",
        "generate",
        mesh,
        "--set",
        "vrchat",
        "--model",
        tiny,
        "--out",
        tmp_path / "o.npz",
        "--json",
    ]
    with Path("/dev/full").open("w") as full:
        environment = {**os.environ, "BLENDSHAPE_LOG_LEVEL": "debug", "BLENDSHAPE_WORKERS": "many"}
        result = subprocess.run(
            list(map(str, command)),
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=full,
            env=environment,
            text=True,
            check=False,
        )
    assert (
        json.loads(result.stdout)["shapes"] == 15
        and (tmp_path / "o.npz").is_file()
        and result.returncode == 1
    )


def test_what_stdouts_encoding_cannot_say_is_escaped(tmp_path: Path) -> None:
    environment = {
        **os.environ,
        "PYTHONIOENCODING": "ascii",
        "BLENDSHAPE_MODEL_DIR": str(tmp_path / "数"),
    }
    command = [sys.executable, "-m", "backend", "settings"]
    result = subprocess.run(
        command, cwd=ROOT, capture_output=True, env=environment, text=True, check=True
    )
    assert "\\u6570" in result.stdout and not result.stderr
