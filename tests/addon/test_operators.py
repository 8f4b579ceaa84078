# SPDX-License-Identifier: GPL-3.0-or-later
"""The operators as scripts and background Blender call them, with the real child and a tiny
model.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import bpy
import numpy as np
import pytest
from blendshape_auto_generator.blendshape_addon import registration
from blendshape_auto_generator.blendshape_addon.job import session
from blendshape_auto_generator.blendshape_addon.job.generation import Job, Options
from blendshape_auto_generator.blendshape_addon.ops import operators, option_properties
from numpy.typing import NDArray

ROOT = Path(__file__).resolve().parents[2]
HEAD = 768  # vertices of the figure's head, which come first


def generate(model: Path, **options: Any) -> set[str]:
    return bpy.ops.blendshapes.generate(model=str(model), **options)


def deltas(ob: Any) -> dict[str, NDArray[Any]]:
    """Offsets (V,3) of each key but the first."""
    found = {}
    for block in ob.data.shape_keys.key_blocks:
        points = np.empty((len(ob.data.vertices), 3), np.float32)
        block.points.foreach_get("co", points.reshape(-1))
        found[block.name] = points
    basis = found.pop("Basis")
    return {name: points - basis for name, points in found.items()}


def test_all_67_keys_in_one_call(body: Any, tiny: Path) -> None:
    assert generate(tiny, sets={"arkit", "vrchat"}) == {"FINISHED"}
    keys = deltas(body)
    assert len(keys) == 67 and "jawOpen" in keys and "vrc.v_aa" in keys
    assert all(np.isfinite(moved).all() and not moved[HEAD:].any() for moved in keys.values())
    assert any(moved[:HEAD].any() for moved in keys.values())
    assert not session.status.failed and "Added 67 shape keys" in session.status.result
    assert generate(tiny, sets={"arkit", "vrchat"}) == {"FINISHED"}
    assert len(deltas(body)) == 67 and "Updated 67 shape keys" in session.status.result


def test_what_is_left_out_comes_from_the_scene(body: Any, tiny: Path, tmp_path: Path) -> None:
    table = tmp_path / "table.json"
    table.write_text(json.dumps({"Grin": {"mouthSmileLeft": 1.0}}))
    scene = bpy.context.scene.blendshapes
    scene.sets, scene.table, scene.model = set(), str(table), str(tiny)
    assert bpy.ops.blendshapes.generate(conditions="jawOpen=0.5", key_name="Ah") == {"FINISHED"}
    assert set(deltas(body)) == {"Grin", "Ah"}


def test_strength_is_a_factor(body: Any, tiny: Path) -> None:
    generate(tiny, sets={"vrchat"})
    full = deltas(body)["vrc.v_aa"]
    generate(tiny, sets={"vrchat"}, strength=0.5)
    np.testing.assert_allclose(deltas(body)["vrc.v_aa"], full / 2, atol=1e-6)


def test_edit_mode_is_left_and_restored(body: Any, tiny: Path) -> None:
    bpy.ops.object.mode_set(mode="EDIT")
    assert generate(tiny, sets={"vrchat"}) == {"FINISHED"}
    assert body.mode == "EDIT"
    bpy.ops.object.mode_set(mode="OBJECT")
    assert len(deltas(body)) == 15


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"sets": set()}, "Nothing to generate"),
        ({"conditions": "jawOpen=0.5"}, "belong together"),
        ({"conditions": "noSuch=1", "key_name": "K"}, "no condition 'noSuch'"),
        ({"table": "/nowhere/table.json"}, "cannot be read"),
        ({"group": "Nose"}, "no vertex group 'Nose'"),
        ({"model": "/nowhere/model.onnx"}, "model"),
    ],
)
def test_failures_are_reported_and_leave_the_mesh_alone(
    body: Any, tiny: Path, options: dict[str, Any], words: str
) -> None:
    with pytest.raises(RuntimeError, match=words):
        bpy.ops.blendshapes.generate(**{"model": str(tiny), **options})
    assert body.data.shape_keys is None and session.status.failed and words in session.status.result


def test_nan_coordinates_are_refused(body: Any, tiny: Path) -> None:
    body.data.vertices[3].co.x = float("nan")
    with pytest.raises(RuntimeError, match="not numbers"):
        generate(tiny)
    assert body.data.shape_keys is None


def test_an_empty_mesh_is_refused(tiny: Path) -> None:
    ob = bpy.data.objects.new("Nothing", bpy.data.meshes.new("Nothing"))
    bpy.context.collection.objects.link(ob)
    bpy.context.view_layer.objects.active = ob
    with pytest.raises(RuntimeError, match="no vertices"):
        generate(tiny)


def test_a_model_that_is_none_is_refused(body: Any, tmp_path: Path) -> None:
    path = tmp_path / "broken.onnx"
    path.write_bytes(b"this is no model")
    with pytest.raises(RuntimeError, match=r"broken\.onnx"):
        generate(path)


def test_the_child_is_reused_and_goes_on_after_an_error(body: Any, tiny: Path) -> None:
    generate(tiny, sets={"vrchat"})
    pid = session.backend.pid
    with pytest.raises(RuntimeError):
        generate(tiny, conditions="noSuch=1", key_name="K")
    generate(tiny, sets={"vrchat"})
    assert session.backend.pid == pid is not None


def test_without_a_mesh_the_operator_is_not_offered() -> None:
    assert not bpy.ops.blendshapes.generate.poll() and not bpy.ops.blendshapes.remove.poll()


def test_generated_keys_are_removed_again(body: Any, tiny: Path) -> None:
    generate(tiny, sets={"vrchat"})
    body.shape_key_add(name="Mine", from_mix=False)
    assert bpy.ops.blendshapes.remove() == {"FINISHED"}
    assert [block.name for block in body.data.shape_keys.key_blocks] == ["Basis", "Mine"]


def finish(job: Job) -> None:
    while not job.finished:
        job.take(session.backend.wait(0.2))


@pytest.mark.parametrize("change", ["removed", "other vertices"])
def test_a_mesh_that_changed_meanwhile_is_not_written(body: Any, tiny: Path, change: str) -> None:
    job = Job(body, Options(model=str(tiny)), session.backend)
    finish(job)
    if change == "removed":
        bpy.data.objects.remove(body)
    else:
        body.data.vertices.add(1)
    with pytest.raises(Exception, match="changed") as caught:
        job.write()
    assert caught.value.code == "mesh_changed"


def test_a_cancelled_job_does_not_disturb_the_next(body: Any, tiny: Path, slow: Path) -> None:
    session.backend.start(patient=True)
    cancelled = Job(body, Options(model=str(slow)), session.backend)
    while cancelled.stage == "start":
        cancelled.take(session.backend.wait(0.2))
    cancelled.cancel()
    job = Job(body, Options(sets=("vrchat",), model=str(tiny)), session.backend)
    finish(job)
    assert len(job.write().written.added) == 15


def test_the_panels_sets_are_the_backends() -> None:
    sets = json.loads((ROOT / "backend/face/shapes/shape_sets.json").read_text(encoding="utf-8"))[
        "sets"
    ]
    assert {identifier for identifier, *_ in option_properties.SETS} <= set(sets)


def test_another_file_clears_what_the_panel_shows(body: Any, tiny: Path) -> None:
    generate(tiny, sets={"vrchat"})
    assert session.status.result
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
    assert session.status == session.Status()


def test_registering_again_leaves_nothing_behind(body: Any, tiny: Path) -> None:
    generate(tiny, sets={"vrchat"})
    registration.unregister()
    try:
        assert not session.backend.running
        assert not hasattr(bpy.types, "BLENDSHAPES_OT_generate") and not hasattr(
            bpy.types.Scene, "blendshapes"
        )
        registration.unregister()
    finally:
        registration.register()
    assert generate(tiny, sets={"vrchat"}) == {"FINISHED"}


def test_the_operator_asks_blender_for_one_undo_step() -> None:
    assert operators.BLENDSHAPES_OT_generate.bl_options == {"REGISTER", "UNDO"}
