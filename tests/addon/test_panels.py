# SPDX-License-Identifier: GPL-3.0-or-later
"""Panels drawn onto a layout that writes down what it is given: every property and operator exists,
and what matters is said.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path, PurePath, PurePosixPath, PureWindowsPath
from types import SimpleNamespace
from typing import Any

import bpy
import pytest
from blendshape_auto_generator.blendshape_addon import registration
from blendshape_auto_generator.blendshape_addon.blender_io import remembered
from blendshape_auto_generator.blendshape_addon.errors import AddonError
from blendshape_auto_generator.blendshape_addon.job import inspection, session
from blendshape_auto_generator.blendshape_addon.ops import operators, option_properties
from blendshape_auto_generator.blendshape_addon.ops import run as run_operators
from blendshape_auto_generator.blendshape_addon.process.backend_process import Backend
from blendshape_auto_generator.blendshape_addon.process.launch import Launch
from blendshape_auto_generator.blendshape_addon.ui import menus, panels, properties, report, tab

from backend.face.shapes.shape_sets import load_sets

from .conftest import add_figure


class Layout:
    """Takes what a panel draws; what does not exist raises, as it would look wrong in Blender."""

    def __init__(self, told: list[str]) -> None:
        self._told = told

    def _inside(self, *_: Any, **__: Any) -> Layout:
        return Layout(self._told)

    row = column = box = split = _inside

    def separator(self, **_: Any) -> None:
        pass

    def label(self, text: str = "", icon: str = "NONE", translate: bool = True) -> None:
        assert icon in bpy.types.UILayout.bl_rna.functions["label"].parameters["icon"].enum_items
        self._told.append(text)

    def prop(self, data: Any, name: str, **_: Any) -> None:
        assert name in data.bl_rna.properties, name
        self._told.append(f"{name}={getattr(data, name)}")

    prop_menu_enum = prop

    def prop_search(self, data: Any, name: str, other: Any, collection: str) -> None:
        assert name in data.bl_rna.properties and hasattr(other, collection)

    def operator(self, name: str, text: str = "", icon: str = "NONE", **_: Any) -> Any:
        module, _dot, own = name.partition(".")
        getattr(getattr(bpy.ops, module), own).get_rna_type()
        self._told += [name, text] if text else [name]
        return SimpleNamespace()

    def progress(self, factor: float = 0.0, text: str = "", **_: Any) -> None:
        self._told.append(f"{text} {factor:.2f}")

    def template_list(
        self, kind: str, _id: str, data: Any, name: str, active_data: Any, active: str, **_: Any
    ) -> None:
        assert hasattr(data, name) and hasattr(active_data, active)
        drawn, listed = (
            getattr(bpy.types, kind),
            SimpleNamespace(filter_name="", use_filter_invert=False, bitflag_filter_item=1 << 30),
        )
        flags, _order = drawn.filter_items(listed, bpy.context, data, name)
        for item, flag in zip(getattr(data, name), flags, strict=True):
            if flag:
                drawn.draw_item(
                    SimpleNamespace(),
                    bpy.context,
                    Layout(self._told),
                    data,
                    item,
                    0,
                    active_data,
                    active,
                )

    def menu(self, name: str, **_: Any) -> None:
        self._told.append(name)


PANELS = [cls for cls in registration.CLASSES if issubclass(cls, bpy.types.Panel)]


def draw(*chosen: type) -> str:
    """Everything that the panels say, those that poll."""
    told: list[str] = []
    context = SimpleNamespace(
        scene=bpy.context.scene,
        object=bpy.context.object,
        window_manager=bpy.context.window_manager,
        preferences=SimpleNamespace(
            system=SimpleNamespace(ui_scale=1.0), addons=bpy.context.preferences.addons
        ),
        region=SimpleNamespace(width=280),
        view_layer=bpy.context.view_layer,
    )
    for cls in chosen or PANELS:
        if not hasattr(cls, "poll") or cls.poll(context):
            cls.draw(SimpleNamespace(layout=Layout(told)), context)
    return "\n".join(told)


@pytest.fixture(autouse=True)
def unseen() -> Any:
    inspection.forget()
    session.clear_status()
    yield
    inspection.forget()
    session.clear_status()


def test_without_a_mesh_it_says_what_to_do() -> None:
    told = draw()
    assert "Select the face mesh" in told.replace("\n", " ") and "blendshapes.generate" in told


def test_before_the_click_it_says_what_will_happen(body: Any, tiny: Path) -> None:
    bpy.context.scene.blendshapes.model = str(tiny)
    assert "Detecting face" in draw() or "detection not run" in draw()
    assert bpy.ops.blendshapes.inspect() == {"FINISHED"}
    told = draw()
    assert "Face detected" in told and "of 1,536 vertices" in told and "tiny on CPU, about" in told
    assert all(
        f"sets_{name}=" in told and str(count) in told
        for name, count in option_properties.COUNTS.items()
    )
    assert all(f"{region}=1.0" in told for region, *_ in option_properties.REGIONS)


def test_progress_is_shown_with_the_time_left(body: Any) -> None:
    (
        session.status.running,
        session.status.stage,
        session.status.fraction,
        session.status.seconds_left,
    ) = True, "model", 0.5, 3.2
    assert (
        "Computing the shapes, 3 s left 0.50" in draw(panels.BLENDSHAPES_PT_generate)
        and "Esc cancels" in draw()
    )
    session.status.running = False


def test_results_and_warnings_are_shown(body: Any, tiny: Path) -> None:
    bpy.ops.blendshapes.generate(model=str(tiny), sets={"vrchat"})
    told = draw()
    assert "Added 15 shape keys" in told.replace("\n", " ") and "vrc.v_aa" in told
    assert {row.state for row in remembered.record_of(body).rows.values()} == {
        "added"
    } and "Basis" not in told


@pytest.mark.parametrize("code", ["runtime_missing", "no_face"])
def test_errors_say_what_to_do_and_can_be_copied(body: Any, code: str) -> None:
    error = AddonError(code, "It is missing.", "Do this.")
    session.status.end(body, str(error), error)
    told = draw()
    assert "It is missing." in told and "Do this." in told and "blendshapes.copy_report" in told
    assert ("preferences.addon_show" in told) == (code == "runtime_missing"), (
        "the first-run hint leads to the preferences"
    )


def test_what_the_look_found_missing_is_said_before_the_click(body: Any) -> None:
    signature = inspection._signature(bpy.context)
    inspection._current = inspection.Inspection(
        signature,
        "failed",
        error=AddonError("model_missing", "There is no model.", "Reinstall it."),
    )
    told = draw()
    assert "There is no model." in told and "preferences.addon_show" in told


def test_mirror_and_subdivision_are_said(body: Any) -> None:
    body.modifiers.new("Mirror", "MIRROR")
    body.modifiers.new("Sub", "SUBSURF")
    told = draw().replace("\n", " ")
    assert (
        "both sides of the face move alike" in told
        and "blendshapes.apply_mirror" in told
        and "below the subdivision" in told
    )


def test_parts_are_listed_and_can_be_corrected(body: Any, tiny: Path) -> None:
    from .test_parts import add_part

    add_part("Eyes", body)
    bpy.context.scene.blendshapes.model = str(tiny)
    bpy.ops.blendshapes.inspect()
    told = draw(panels.BLENDSHAPES_PT_parts, panels.BLENDSHAPES_PT_generate)
    assert "Eyes" in told and "part=AUTO" in told and "+ 1 separate parts" in told


def test_the_menu_offers_every_operator_of_the_workflow() -> None:
    told: list[str] = []
    menus.BLENDSHAPES_MT_menu.draw(SimpleNamespace(layout=Layout(told)), bpy.context)
    assert {
        "blendshapes.generate",
        "blendshapes.update",
        "blendshapes.remove",
        "blendshapes.edit_landmarks",
        "blendshapes.live_start",
    } <= set(told)
    assert {"blendshapes.vrchat_check", "blendshapes.export", "blendshapes.contact_sheet"} <= set(
        told
    ), "F3 finds what a menu has"


def test_counts_are_the_backends() -> None:
    assert {
        name: len(shape_set.shapes) for name, shape_set in load_sets().items()
    } == option_properties.COUNTS


def test_the_report_says_what_happened_without_the_home_folder(
    body: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    session.status.error = AddonError(
        "internal", f"Cannot read {Path.home()}/secret/file.", "Report it."
    )
    session.status.trace = "Traceback ..."
    told = report.report_text(bpy.context)
    assert (
        "Error [internal]" in told
        and "~/secret/file" in told
        and str(Path.home()) not in told
        and "Traceback" in told
    )
    assert (
        f"Blender {bpy.app.version_string}" in told
        and "1536 vertices" in told
        and session.version() in told
    )


def test_the_report_names_the_log_file_or_says_that_there_is_none(
    body: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def told() -> str:
        return next(
            line
            for line in report.report_text(bpy.context).splitlines()
            if line.startswith("Log file of the backend: ")
        )

    log = tmp_path / "home of somebody" / "log" / "backend-1.log"
    program = "import sys; print('Ouch', file=sys.stderr)"
    fresh = Backend(lambda: Launch((sys.executable, "-c", program), dict(os.environ), log))
    monkeypatch.setattr(session, "backend", fresh)
    assert told().endswith("none, it has not been started")
    fresh.start()
    with pytest.raises(AddonError, match="Ouch"):
        fresh.wait(60)
    assert told().endswith(str(log)) and "Log of the backend:\nOuch" in report.report_text(
        bpy.context
    )
    monkeypatch.setattr(Path, "home", lambda: tmp_path / "home of somebody")
    assert told().endswith(str(Path("~") / "log" / "backend-1.log"))
    log.unlink()
    assert told().endswith("none, it wrote nothing")


@pytest.mark.parametrize(
    ("home", "text", "without"),
    [
        (
            PureWindowsPath(r"C:\Users\Anna Maria"),
            r"c:\users\anna maria\a, C:/Users/Anna Maria/b, 'C:\\Users\\Anna Maria\\c'",
            r"~\a, ~/b, '~\\c'",
        ),
        (PureWindowsPath(r"C:\Users\Anna Maria"), r"C:\Users\ANNAMA~1\AppData", r"~\AppData"),
        (
            PurePosixPath("/home/anna"),
            '/home/anna/x /home/annabel/y File "/home/anna"',
            '~/x ~/y File "~"',
        ),
        (
            PurePosixPath("/srv/anna"),
            "/srv/anna/x /srv/annabel/y /Users/anna/z",
            "~/x /srv/annabel/y ~/z",
        ),
        (PurePosixPath("/"), "/usr/lib/x /home/anna/y", "/usr/lib/x ~/y"),
    ],
)
def test_the_report_hides_homes_however_they_are_spelt(
    home: PurePath, text: str, without: str
) -> None:
    assert report.without_homes(text, home) == without


def test_looking_again_is_needed_when_something_changed(body: Any, tiny: Path) -> None:
    bpy.context.scene.blendshapes.model = str(tiny)
    bpy.ops.blendshapes.inspect()
    assert inspection.look(bpy.context) is not None
    bpy.ops.blendshapes.place_landmark(landmark="chin", place=(0, -0.09, 1.53))
    assert inspection.look(bpy.context) is None
    bpy.ops.blendshapes.inspect()
    assert inspection.look(bpy.context) is not None
    add_figure()
    assert inspection.look(bpy.context) is None


def test_every_stage_has_words() -> None:
    assert (
        set(tab.STAGES) == {"start", "locate", "model", "rules"}
        and operators.BLENDSHAPES_OT_generate.bl_label == "Generate Shape Keys"
    )


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("Kept 1 hand-edited key of the mesh", ["Kept 1 hand-edited key", "of the mesh"]),
        (
            "SampleHead にシェイプキー 67 個を追加しました",
            ["SampleHead にシェイプキー", "67 個を追加しました"],
        ),
        ("確かめるか、顔を含む頂点、。", ["確かめるか、顔を含む頂", "点、。"]),
        ("あ" + "x" * 50, ["あ", "x" * 24, "x" * 24, "xx"]),
        ("", []),
    ],
)
def test_lines_break_where_the_language_may_and_are_never_wider(
    text: str, lines: list[str]
) -> None:
    assert tab.wrapped(text, 24) == lines


def test_the_destination_says_which_sets(body: Any) -> None:
    scene = bpy.context.scene.blendshapes
    assert (
        scene.destination == "vrchat_tracking"
        and scene.sets == {"arkit", "vrchat"}
        and "Generate Shape Keys (67)" in draw()
    )
    for name, _label, _description, sets in properties.DESTINATIONS[:-1]:
        scene.destination = name
        assert scene.sets == sets and scene.destination == name
    scene.sets = {"arkit"}
    assert scene.destination == "custom"
    scene.destination = "custom"
    assert scene.sets == {"arkit"} and "Generate Shape Keys (52)" in draw()


def test_where_no_face_is_detected_it_is_said_once(body: Any) -> None:
    error = AddonError("no_face", "No face detected on this mesh (best match 6%).", "Do this.")
    inspection._current = inspection.Inspection(
        inspection._signature(bpy.context) or (), "failed", error=error
    )
    session.status.end(body, str(error), error)
    told = draw(panels.BLENDSHAPES_PT_generate)
    assert told.count("No face detected") == 1 and told.count("blendshapes.place_landmarks") == 1


def test_the_panels_are_in_the_order_in_which_one_works() -> None:
    labels = [cls.bl_label for cls in PANELS]
    order = ["BlendShapes", "Results", "Tune", "Check & Export", "Advanced"]
    assert [label for label in labels if label in order] == order and labels[-1] == "Advanced"


def test_the_redo_panel_has_every_option_under_a_heading() -> None:
    own = {
        name
        for cls in operators.BLENDSHAPES_OT_generate.__mro__
        for name in vars(cls).get("__annotations__", {})
        if not name.startswith("_")
    }
    shown = [name for _heading, names in run_operators._GROUPS for name in names]
    assert set(shown) == own - {"bl_options"} and len(set(shown)) == len(shown) > 15
