# SPDX-License-Identifier: GPL-3.0-or-later
"""The batch command: in this process, and as the program that users call."""

from __future__ import annotations

import hashlib
import json
import os
import py_compile
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import bpy
import numpy as np
import psutil
import pytest
from blendshape_auto_generator.blendshape_addon.blender_io import file_export, scene_files
from blendshape_auto_generator.blendshape_addon.errors import AddonError
from blendshape_auto_generator.blendshape_addon.job import choosing, commands, session
from blendshape_auto_generator.blendshape_addon.job.arguments import free_names, parser
from blendshape_auto_generator.blendshape_addon.process.launch import Settings, plan
from blendshape_auto_generator.blendshape_addon.shared import seconds_for
from fixtures import models
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from .conftest import add_figure, add_mesh

ROOT = Path(__file__).resolve().parents[2]
PROMISED_S = 10.0  # after a file's time is up


@pytest.fixture
def run(tmp_path: Path, tiny: Path) -> Callable[..., tuple[int, list[dict[str, Any]]]]:
    """Run the command with a tiny model and its output in OUT; the exit code and the report's rows
    (none where it was not written).
    """

    def call(*arguments: object) -> tuple[int, list[dict[str, Any]]]:
        report = tmp_path / "report.json"
        report.unlink(missing_ok=True)
        fixed = [
            "--out",
            tmp_path / "out",
            "--report",
            report,
            "--model",
            tiny,
            *([] if "--conditions" in arguments else ["--set", "vrchat"]),
        ]
        code = commands.run_command([str(argument) for argument in (*fixed, *arguments)])
        return code, json.loads(report.read_text())["files"] if report.exists() else []

    return call


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def coordinates(ob: Any) -> NDArray[Any]:
    points = np.empty((len(ob.data.vertices), 3), np.float32)
    ob.data.attributes["position"].data.foreach_get("vector", points.reshape(-1))
    return points


def keys_of(path: Path, name: str = "Body") -> list[str]:
    bpy.ops.wm.open_mainfile(filepath=str(path))
    keys = bpy.data.objects[name].data.shape_keys
    return [] if keys is None else [block.name for block in keys.key_blocks]


def leftovers(folder: Path) -> list[str]:
    return [
        path.name for path in folder.rglob("*") if ".part" in path.name or path.name.startswith(".")
    ]


def test_a_blend_file_keeps_everything_and_gets_keys(saved: Path, tmp_path: Path, run: Any) -> None:
    before, original = coordinates(bpy.data.objects["Body"]), digest(saved)
    code, (row,) = run(saved)
    assert code == 0 and digest(saved) == original and leftovers(tmp_path / "out") == []
    assert (
        row["object"] == "Body"
        and row["vertices"] == 1536
        and row["shapes"] == 15
        and row["face_vertices"] > 0
    )
    assert (
        row["provider_asked"]
        and row["provider_active"]
        and row["peak_memory_mb"] > 1
        and all("eyes" in warning for warning in row["warnings"])
    )
    assert {"import", "gather", "request", "backend", "write", "save"} <= set(
        row["seconds"]
    ) and row["seconds"]["backend"]["locate"] > 0
    assert len(keys_of(tmp_path / "out/figure.blend")) == 16
    body = bpy.data.objects["Body"]
    np.testing.assert_array_equal(coordinates(body), before)
    assert (
        body.parent.name == "Rig"
        and len(body.vertex_groups) == 3
        and body.modifiers[0].object == body.parent
    )


def test_the_child_ends_with_the_command(saved: Path, run: Any) -> None:
    run(saved)
    assert not session.backend.running


@pytest.mark.parametrize("kind", ["glb", "gltf", "vrm", "fbx", "obj"])
def test_other_formats_are_imported(body: Any, tmp_path: Path, run: Any, kind: str) -> None:
    path = tmp_path / f"figure.{kind}"
    if kind == "obj":
        bpy.ops.wm.obj_export(filepath=str(path))
    elif kind == "fbx":
        bpy.ops.export_scene.fbx(filepath=str(path))
    else:
        made = path.with_suffix(".glb") if kind == "vrm" else path
        bpy.ops.export_scene.gltf(
            filepath=str(made), export_format="GLTF_SEPARATE" if kind == "gltf" else "GLB"
        )
        made.rename(path)
    code, (row,) = run(path)
    assert code == 0 and row["shapes"] == 15, row
    assert row["object_chosen_by"] == "only mesh"
    assert len(keys_of(tmp_path / "out/figure.blend", row["object"])) == 16


def test_exported_glb_has_the_morph_targets(saved: Path, tmp_path: Path, run: Any) -> None:
    pygltflib = pytest.importorskip("pygltflib", reason="pygltflib is not installed")
    code, (row,) = run(saved, "--export", "glb")
    assert code == 0 and row["seconds"]["export"] > 0
    gltf = pygltflib.GLTF2().load(str(tmp_path / "out/figure.glb"))
    (mesh,) = gltf.meshes
    assert len(mesh.extras["targetNames"]) == 15 and mesh.extras["targetNames"][0] == "vrc.v_sil"
    assert (
        len(mesh.primitives[0].targets) == 15
        and set(mesh.weights) == {0.0}
        and len(gltf.skins) == 1
    )


def test_the_report_names_what_an_export_lacks(saved: Path, tmp_path: Path, run: Any) -> None:
    bpy.data.objects["Body"].modifiers.new("Two", "SOLIDIFY")
    bpy.ops.wm.save_mainfile()
    assert not any("not exported" in warning for warning in run(saved)[1][0]["warnings"])
    assert any(
        "'Two' of 'Body'" in warning
        for warning in run(saved, "--export", "glb", "--overwrite")[1][0]["warnings"]
    )


def test_exported_fbx_has_the_shape_keys(saved: Path, tmp_path: Path, run: Any) -> None:
    assert run(saved, "--export", "fbx")[0] == 0
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
    bpy.ops.import_scene.fbx(filepath=str(tmp_path / "out/figure.fbx"))
    assert "vrc.v_aa" in bpy.data.objects["Body"].data.shape_keys.key_blocks


def test_the_open_file_is_the_input_without_one(saved: Path, tmp_path: Path, run: Any) -> None:
    bpy.ops.wm.open_mainfile(filepath=str(saved))
    code, (row,) = run()
    assert code == 0 and row["input"] == str(saved) and bpy.data.filepath == str(saved)
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
    assert run() == (2, [])


def test_own_conditions(saved: Path, tmp_path: Path, run: Any) -> None:
    assert run(saved, "--conditions", "jawOpen=0.6,mouthSmileLeft=0.3", "--name", "Grin")[0] == 0
    assert keys_of(tmp_path / "out/figure.blend") == ["Basis", "Grin"]


def test_of_several_meshes_the_one_with_the_face(saved: Path, tmp_path: Path, run: Any) -> None:
    bpy.ops.wm.open_mainfile(filepath=str(saved))
    empty = bpy.data.objects.new("Empty mesh", bpy.data.meshes.new("Empty mesh"))
    bpy.context.collection.objects.link(empty)
    tower = np.array([(x, y, z) for x in (-1, 1) for y in (-1, 1) for z in (0, 30)], np.float32)
    flat = add_mesh("Flag", tower[:, [0, 0, 2]], [(0, 1, 3), (4, 5, 7)])
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "several.blend"))
    code, (row,) = run(tmp_path / "several.blend")
    assert code == 0 and row["object"] == "Body" and row["object_chosen_by"] == "face", row
    assert flat is not None


def test_likely_names_come_first_and_none_after_a_certain_face(
    saved: Path, tmp_path: Path, run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    bpy.ops.wm.open_mainfile(filepath=str(saved))
    for name in ("Armband", "Coat"):
        add_mesh(name, np.eye(3, dtype=np.float32), [(0, 1, 2)])
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "several.blend"))
    asked: list[tuple[str, str]] = []
    sure = {"Body": 1.0}

    def confidence(ob: bpy.types.Object, _options: Any, _backend: Any, effort: str) -> float:
        asked.append((ob.name, effort))
        return sure.get(ob.name, 0.0)

    monkeypatch.setattr(choosing, "face_confidence", confidence)
    assert run(tmp_path / "several.blend")[1][0]["object"] == "Body" and asked == [
        ("Body", "glance")
    ]
    sure.clear()
    code, (row,) = run(tmp_path / "several.blend", "--overwrite")
    assert code == 2 and row["error"]["code"] == "no_face"
    assert sorted(asked[1:]) == sorted(
        (name, effort)
        for name in ("Armband", "Body", "Coat")
        for effort in ("glance", "upright", "full")
    )


def test_one_bad_file_does_not_stop_the_others(
    saved: Path, tmp_path: Path, run: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = tmp_path / "broken.glb"
    broken.write_bytes(b"no glb at all")
    code, rows = run(tmp_path / "missing.blend", broken, saved)
    assert code == 1 and [row.get("error", {}).get("code") for row in rows] == [
        "input_missing",
        "input_unreadable",
        None,
    ]
    assert all(row["error"]["message"] and row["error"]["fix"] for row in rows[:2])
    said = capsys.readouterr().err
    assert (
        "missing.blend: error: There is no file" in said
        and "Traceback" not in said.split("error:")[0]
    )


def refused(run: Any, *arguments: object) -> str:
    """The code of the error that a single bad input ends with."""
    code, rows = run(*arguments)
    assert code == 2 and len(rows) == 1
    found: str = rows[0]["error"]["code"]
    return found


def test_bad_input_alone_ends_with_2(saved: Path, tmp_path: Path, run: Any) -> None:
    text = tmp_path / "notes.txt"
    text.write_text("hello")
    assert refused(run, tmp_path / "missing.glb") == "input_missing"
    assert refused(run, text) == "format_unknown"
    assert refused(run, saved, "--object", "Nobody") == "unknown_object"
    assert refused(run, saved, "--object", "Rig") == "not_a_mesh"
    assert refused(run, saved, "--group", "Nose") == "unknown_group"
    assert list((tmp_path / "out").glob("*.blend")) == []


def save_with(tmp_path: Path, change: Callable[[], object]) -> Path:
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
    change()
    path = tmp_path / "changed.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(path))
    return path


def test_bad_meshes_alone_end_with_2(tmp_path: Path, run: Any) -> None:
    def nan() -> None:
        add_figure().data.vertices[3].co.x = float("nan")

    assert refused(run, save_with(tmp_path, nan)) == "mesh_not_finite"
    assert (
        refused(run, save_with(tmp_path, lambda: add_mesh("Empty", [], [])), "--object", "Empty")
        == "mesh_empty"
    )
    assert refused(run, save_with(tmp_path, lambda: add_mesh("Empty", [], []))) == "not_a_mesh"


def test_no_face_is_said_with_the_shipped_model(tmp_path: Path) -> None:
    if not (ROOT / "backend/models/face.encoder.onnx").is_file():
        pytest.skip("the shipped model is not there")
    path = save_with(tmp_path, lambda: bpy.ops.mesh.primitive_cube_add())
    report = tmp_path / "report.json"
    assert (
        commands.run_command(
            [str(path), "--set", "arkit", "--out", str(tmp_path / "out"), "--report", str(report)]
        )
        == 2
    )
    error = json.loads(report.read_text())["files"][0]["error"]
    assert error["code"] == "no_face" and error["fix"]


def test_linked_meshes_alone_end_with_2(saved: Path, tmp_path: Path, run: Any) -> None:
    def link() -> None:
        with bpy.data.libraries.load(str(saved), link=True) as (_, to):
            to.objects = ["Body"]
        bpy.context.collection.objects.link(bpy.data.objects["Body"])

    assert refused(run, save_with(tmp_path, link)) == "linked_data"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--out", "{tmp}", "{in}"], "No shapes are asked for"),
        (["--set", "arkit", "{in}"], "--out"),
        (["--set", "arkitt", "--out", "{tmp}/out", "{in}"], "There is no shape set 'arkitt'"),
        (["--set", "arkit", "--out", "{tmp}/out", "--strength", "0", "{in}"], "strength"),
        (["--set", "arkit", "--out", "{tmp}/out", "--style", "2", "{in}"], "style"),
        (["--set", "arkit", "--out", "{tmp}/out", "--export", "stl", "{in}"], "stl"),
        (["--conditions", "jawOpen", "--name", "K", "--out", "{tmp}/out", "{in}"], "NAME=NUMBER"),
        (["--conditions", "jawOpen=1", "--out", "{tmp}/out", "{in}"], "belong together"),
        (["--table", "{tmp}/none.json", "--out", "{tmp}/out", "{in}"], "cannot be read"),
        (
            ["--set", "arkit", "--model", "{tmp}/none.onnx", "--out", "{tmp}/out", "{in}"],
            "none.onnx",
        ),
        (["--set", "arkit", "--model", "{in}", "--out", "{tmp}/out", "{in}"], "figure.blend"),
        (["--set", "arkit", "--out", "{in}/out", "{in}"], "cannot be written"),
        (
            ["--set", "arkit", "--out", "{tmp}/out", "--report", "{in}", "{in}"],
            "would replace an input",
        ),
    ],
)
def test_wrong_arguments_get_one_sentence_and_2(
    saved: Path, tmp_path: Path, arguments: list[str], words: str, capfd: pytest.CaptureFixture[str]
) -> None:
    before = digest(saved)
    assert (
        commands.run_command(
            [a.replace("{tmp}", str(tmp_path)).replace("{in}", str(saved)) for a in arguments]
        )
        == 2
    )
    lines = [line for line in capfd.readouterr().err.splitlines() if line.startswith("error: ")]
    assert len(lines) == 1 and words in lines[0]
    assert digest(saved) == before and list(tmp_path.glob("out/*")) == []


def test_inputs_and_existing_outputs_are_never_overwritten_unasked(
    saved: Path, tmp_path: Path, run: Any
) -> None:
    before = digest(saved)
    code, rows = run(saved, "--out", saved.parent, "--overwrite")
    assert code == 2 and rows[0]["error"]["code"] == "output_is_input" and digest(saved) == before
    assert run(saved)[0] == 0
    first = digest(tmp_path / "out/figure.blend")
    assert refused(run, saved) == "output_exists" and digest(tmp_path / "out/figure.blend") == first
    assert run(saved, "--overwrite")[0] == 0


def test_hand_made_keys_are_replaced_only_when_that_is_asked_for(
    body: Any, tmp_path: Path, run: Any
) -> None:
    body.shape_key_add(name="Basis")
    body.shape_key_add(name="vrc.v_aa", from_mix=False)
    path = tmp_path / "mine.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(path))
    code, (row,) = run(path)
    assert code == 0 and row["keys"]["kept"] == ["vrc.v_aa"] and "vrc.v_aa" in row["warnings"][-1]
    assert run(path, "--overwrite")[1][0]["keys"]["kept"] == ["vrc.v_aa"]
    assert run(path, "--overwrite", "--overwrite-keys")[1][0]["keys"]["updated"] == ["vrc.v_aa"]


def test_outputs_never_replace_another_input(saved: Path, tmp_path: Path, run: Any) -> None:
    before = digest(saved)
    bpy.ops.wm.open_mainfile(filepath=str(saved))
    obj = tmp_path / "models" / "figure.obj"
    obj.parent.mkdir()
    bpy.ops.wm.obj_export(filepath=str(obj))
    code, rows = run(obj, saved, "--out", saved.parent, "--overwrite")
    assert digest(saved) == before and code in (0, 1, 2)
    assert {row.get("output") for row in rows}.isdisjoint({str(saved)})


def test_equal_names_do_not_collide(saved: Path, tmp_path: Path, run: Any) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "figure.blend").write_bytes(saved.read_bytes())
    code, rows = run(saved, other / "figure.blend")
    assert code == 0 and len({row["output"] for row in rows}) == 2
    assert all(
        Path(row["output"]).is_file() and "Several inputs" in row["warnings"][0] for row in rows
    )


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["a", "A", "a_glb", "a_glb_2", "b"]),
            st.sampled_from(["blend", "glb", "GLB"]),
        ),
        max_size=8,
    )
)
def test_output_names_are_unique_on_every_file_system(files: list[tuple[str, str]]) -> None:
    names = free_names(
        [Path(f"/{number}/{stem}.{suffix}") for number, (stem, suffix) in enumerate(files)]
    )
    assert len({name.lower() for name in names}) == len(files)


def test_a_full_disk_is_named_and_leaves_nothing(saved: Path, tmp_path: Path, tiny: Path) -> None:
    resource = pytest.importorskip("resource", reason="limits of file sizes are POSIX")
    out = tmp_path / "out"
    for source in (ROOT / "blendshape_addon").rglob("*.py"):
        py_compile.compile(str(source), doraise=True)  # or a Blender caches it, cut by the limit
    code = f"""
import resource, signal, sys
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
sys.dont_write_bytecode = True  # a cut file would be read later
resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))
sys.argv = [
    {str(ROOT / "scripts/generate.py")!r}, {str(saved)!r},
    "--set", "arkit", "--out", {str(out)!r}, "--model", {str(tiny)!r},
]
import runpy
runpy.run_path(sys.argv[0], run_name="__main__")
"""
    assert resource is not None
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 2 and "The disk is full" in done.stderr, done.stderr
    assert list(out.iterdir()) == []


def test_an_old_output_survives_a_failed_save(
    saved: Path, tmp_path: Path, tiny: Path, run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run(saved)[0] == 0
    before = digest(tmp_path / "out/figure.blend")

    def fails(source: Any, target: Any) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "replace", fails)
    code = commands.run_command(
        [
            str(saved),
            "--set",
            "vrchat",
            "--overwrite",
            "--model",
            str(tiny),
            "--out",
            str(tmp_path / "out"),
        ]
    )
    assert (
        code == 2
        and digest(tmp_path / "out/figure.blend") == before
        and leftovers(tmp_path / "out") == []
    )


def test_a_failed_export_leaves_no_half_of_the_outputs(
    saved: Path, tmp_path: Path, run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(path: Path, *_: object) -> None:
        path.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(file_export, "write", fails)
    code, (row,) = run(saved, "--export", "glb")
    assert (
        code == 2
        and row["error"]["code"] == "disk_full"
        and list((tmp_path / "out").iterdir()) == []
    )


def test_a_python_without_the_runtime_ends_with_2(
    saved: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    subprocess.run(
        [sys.executable, "-m", "venv", "--without-pip", str(tmp_path / "bare")], check=True
    )
    python = next(
        path
        for path in (tmp_path / "bare/bin/python", tmp_path / "bare/Scripts/python.exe")
        if path.exists()
    )
    settings = Settings(python=str(python))
    monkeypatch.setattr(
        session.backend, "_launch", lambda: plan(ROOT, tmp_path / "backend-1.log", settings)
    )
    assert commands.run_command([str(saved), "--set", "arkit", "--out", str(tmp_path / "out")]) == 2
    assert "The Python that is used has no numpy." in capfd.readouterr().err


def test_compressed_files_stay_compressed(saved: Path, tmp_path: Path, run: Any) -> None:
    bpy.ops.wm.open_mainfile(filepath=str(saved))
    for name, compress in (("small", True), ("large", False)):
        bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / f"{name}.blend"), compress=compress)
    assert run(tmp_path / "small.blend", tmp_path / "large.blend")[0] == 0
    assert scene_files.is_compressed(
        tmp_path / "out/small.blend"
    ) and not scene_files.is_compressed(tmp_path / "out/large.blend")


def test_the_script_is_the_same_command(saved: Path, tmp_path: Path, tiny: Path) -> None:
    command = [
        sys.executable,
        str(ROOT / "scripts/generate.py"),
        "figure.blend",
        "--set",
        "arkit,vrchat",
        "--out",
        "made",
        "--model",
        str(tiny),
    ]
    done = subprocess.run(
        command,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env={**os.environ},
    )
    assert done.returncode == 0, done.stderr
    assert "67 shape keys" in done.stdout
    assert len(keys_of(tmp_path / "made/figure.blend")) == 68


def test_regions_names_and_alias(saved: Path, run: Any, tmp_path: Path) -> None:
    code, rows = run(
        saved,
        "--regions",
        "jaw=0.5,eyes=0",
        "--alias",
        "--naming",
        "pascal",
        "--guide",
        "size",
        "--alone",
    )
    assert (
        code == 0
        and "vrc.v_aa" in rows[0]["keys"]["added"]
        and "vrc.v_ee" in rows[0]["keys"]["added"]
    )
    assert any("None of your own" in warning for warning in rows[0]["warnings"])


@pytest.mark.parametrize("regions", ["ears=1", "jaw=11", "jaw", "jaw=x"])
def test_wrong_regions_are_a_wrong_usage(
    saved: Path, run: Any, regions: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(saved, "--regions", regions) == (2, [])
    assert "[usage]" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "words"),
    [("-face", ["--object", "-face"]), (";x", ["--object", ";x"]), ("--help", ["--object=--help"])],
)
def test_objects_and_groups_may_be_called_anything(
    saved: Path, tmp_path: Path, run: Any, name: str, words: list[str]
) -> None:
    bpy.ops.wm.open_mainfile(filepath=str(saved))
    body = bpy.data.objects["Body"]
    body.name = name
    body.vertex_groups.new(name="--help").add(list(range(len(body.data.vertices))), 1.0, "REPLACE")
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "odd.blend"))
    code, (row,) = run(tmp_path / "odd.blend", *words, "--group=--help")
    assert code == 0 and row["object"] == name and row["object_chosen_by"] == "name", row


@pytest.mark.parametrize(
    "value",
    [
        "-face",
        "--",
        "-",
        "--help",
        "--out",
        "a b",
        "a,b",
        "'\"",
        "one\ntwo",
        "顔",
        "%s",
        "",
        "--object=x",
        "-h",
    ],
)
def test_any_value_reaches_its_option_by_the_sign_of_equality(value: str) -> None:
    options = parser("x").parse_intermixed_args(
        ["in", f"--object={value}", "--out=o", f"--group={value}", "--", "-in"]
    )
    assert (options.object, options.group, options.inputs) == (
        value,
        value,
        [Path("in"), Path("-in")],
    )


@pytest.mark.parametrize("value", ["-face", "-", "-3", ";x", "--face", "-h-face", "%s"])
def test_a_value_may_begin_with_a_dash_unless_it_is_an_option_itself(value: str) -> None:
    assert (
        parser("x").parse_intermixed_args(["--object", value, "in", "--out", "o"]).object == value
    )
    with pytest.raises(AddonError, match="xpected one argument"):
        parser("x").parse_intermixed_args(["--object", "--out", "o"])


def test_a_killed_child_is_replaced_once_for_a_file(
    saved: Path, run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, deaths = session.backend.send, [2]

    def mortal(type_: str, *rest: Any, **more: Any) -> int:
        request = real(type_, *rest, **more)
        if type_ == "generate" and deaths[0]:
            deaths[0] -= 1
            psutil.Process(session.backend.pid).kill()
        return request

    monkeypatch.setattr(session.backend, "send", mortal)
    code, (row,) = run(saved)
    assert code == 1 and row["error"]["code"] == "child_died" and deaths == [0]
    deaths[0] = 1
    code, (row,) = run(saved, "--overwrite")
    assert (
        code == 0
        and [error["code"] for error in row["tried"]] == ["child_died"]
        and row["shapes"] == 15
    )


def test_names_too_long_for_an_output_are_shortened() -> None:
    names = free_names(
        [Path("/a") / ("あ" * 80 + ".obj"), Path("/b") / ("あ" * 81 + ".obj"), Path("/c/short.obj")]
    )
    assert (
        len({*names}) == 3
        and names[2] == "short"
        and all(len(f"{name}.blend".encode()) < 255 for name in names)
    )


@pytest.mark.parametrize("kind", models.STUCK)
def test_a_model_that_never_ends_is_each_files_own_trouble_and_no_child_is_left(
    saved: Path, tmp_path: Path, run: Any, capfd: Any, kind: str
) -> None:
    model = models.stuck(tmp_path / f"{kind}.onnx", kind, ["jawOpen", "eyeBlinkLeft"])
    other = saved.with_name("other.blend")
    other.write_bytes(saved.read_bytes())
    began = time.monotonic()
    code, rows = run(
        saved, other, "--model", model, "--timeout", 2, "--conditions", "jawOpen=1", "--name", "Ah"
    )
    assert code == 2 and [row["error"]["code"] for row in rows] == ["model_stuck", "model_stuck"]
    assert time.monotonic() - began < 2 * (2 + PROMISED_S)
    said = capfd.readouterr().err
    assert (
        said.count(f"The model {kind}.onnx did not finish within") == 2
        and "another model" in said
        and "--timeout" not in said
    )
    assert not session.backend.running and not leftovers(tmp_path / "out")


def test_a_time_that_is_none_is_refused(saved: Path, run: Any, capfd: Any) -> None:
    for seconds in ("0", "-1", "nan", "inf", "soon"):
        code, rows = run(saved, "--timeout", seconds)
        assert code == 2 and rows == [] and "[usage]" in capfd.readouterr().err


def test_the_time_for_a_file_grows_with_its_vertices_and_ends_with_it(
    saved: Path, run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    allowed: list[float | None] = []
    real = session.backend.allow

    def allow(seconds: float | None) -> None:
        allowed.append(seconds)
        real(seconds)

    monkeypatch.setattr(session.backend, "allow", allow)
    assert run(saved)[0] == 0
    assert allowed == [seconds_for(1536), None] and seconds_for(0) < seconds_for(1536)
    allowed.clear()
    assert run(saved, "--overwrite", "--timeout", 90)[0] == 0
    assert allowed[1] is None and allowed[0] is not None and 60 < allowed[0] <= 90, (
        "reading the file counts"
    )
