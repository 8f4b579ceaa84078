# SPDX-License-Identifier: GPL-3.0-or-later
"""ESC in the panel while a model never ends, driven as Blender drives a modal operator: the child
is gone within 10 s, the window lives on.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import bpy
import psutil
import pytest
from blendshape_auto_generator.blendshape_addon import registration
from blendshape_auto_generator.blendshape_addon.job import inspection, live, session
from blendshape_auto_generator.blendshape_addon.job.generation import Job, Options
from blendshape_auto_generator.blendshape_addon.ops import live_operators, operators
from blendshape_auto_generator.blendshape_addon.ops import run as run_operators
from blendshape_auto_generator.blendshape_addon.process import backend_process
from fixtures import models

CONDITIONS = ["jawOpen", "eyeBlinkLeft"]
TABLE = {"Ah": {"jawOpen": 1.0}}
PROMISED_S = 10.0
BUSY_S = 1.5  # of processor time: far more than loading takes
TIMER, ESC = (
    SimpleNamespace(type="TIMER", value="NOTHING"),
    SimpleNamespace(type="ESC", value="PRESS"),
)


@pytest.fixture
def fold(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A model that is never loaded; the child is killed soon."""
    monkeypatch.setattr(backend_process, "CANCEL_SECONDS", 1.0)
    return models.stuck(tmp_path / "fold.onnx", "fold", CONDITIONS)


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    """A child of the test's own."""
    session.backend.stop()
    yield
    inspection.forget()
    session.clear_status()
    session.backend.stop()


class Window:
    """A window manager that counts timers."""

    def __init__(self) -> None:
        self.timers = 0
        self.windows: tuple[()] = ()

    def event_timer_add(self, seconds: float, window: object) -> object:
        self.timers += 1
        return object()

    def event_timer_remove(self, timer: object) -> None:
        self.timers -= 1

    def progress_begin(self, low: float, high: float) -> None:
        pass

    def progress_update(self, value: float) -> None:
        pass

    def progress_end(self) -> None:
        pass

    def modal_handler_add(self, operator: object) -> None:
        pass


class Pressed:
    """An operator as it is after its button was pressed; base: the class with its methods."""

    def __new__(cls, base: type, work: Any, context: Any) -> Any:
        methods = {
            name: value
            for kind in reversed(base.__mro__)
            for name, value in vars(kind).items()
            if callable(value) and kind is not object
        }
        methods = {name: value for name, value in methods.items() if not name.startswith("__")}
        made = type("Driven", (), {**methods, "report": lambda self, kinds, text: None})()
        made._work = work
        assert made._wait(context) == {"RUNNING_MODAL"}
        return made


@pytest.fixture
def context(body: Any) -> Any:
    now = bpy.context
    return SimpleNamespace(
        workspace=None,
        window_manager=Window(),
        window=None,
        object=body,
        scene=now.scene,
        view_layer=now.view_layer,
        preferences=now.preferences,
    )


def tick_until_busy(operator: Any, context: Any) -> psutil.Process:
    """Tick until the model keeps the child busy; the child. No tick may take long."""
    while session.backend.hello is None:
        assert operator.modal(context, TIMER) == {"RUNNING_MODAL"}
        time.sleep(0.02)
    child = psutil.Process(session.backend.pid)
    greeted = child.cpu_times().user
    while child.cpu_times().user < greeted + BUSY_S:
        assert operator.modal(context, TIMER) == {"RUNNING_MODAL"}
        time.sleep(0.02)
    return child


def followed_up(child: psutil.Process) -> None:
    """What the timer does that was registered with ESC: the child has given up or is gone."""
    assert bpy.app.timers.is_registered(session._see_off)
    end = time.monotonic() + PROMISED_S
    while session._see_off() is not None:
        assert time.monotonic() < end, "the child goes on"
        time.sleep(0.05)
    if session.backend.running:  # it gave up by itself: then it rests
        assert not session.backend.see_off() and child.is_running()
        time.sleep(0.5)
        child.cpu_percent()
        time.sleep(0.5)
        assert child.cpu_percent() < 50
    else:
        assert not child.is_running()


@pytest.mark.parametrize("kind", models.STUCK)
def test_escape_frees_the_child_of_a_run(kind: str, context: Any, tmp_path: Path) -> None:
    model = models.stuck(tmp_path / f"{kind}.onnx", kind, CONDITIONS)
    job = Job(context.object, Options((), TABLE, model=str(model)), session.backend)
    operator = Pressed(run_operators.Run, job, context)
    child = tick_until_busy(operator, context)
    began = time.monotonic()
    assert operator.modal(context, ESC) == {"CANCELLED"}
    assert (
        time.monotonic() - began < 1.0
        and context.window_manager.timers == 0
        and not session.status.running
    )
    operator._work.cancel()  # a second ESC changes nothing
    followed_up(child)
    assert context.object.data.shape_keys is None


def test_escape_frees_the_child_while_live_conditions_wait_for_the_model(
    fold: Path, context: Any
) -> None:
    operator = Pressed(
        live_operators.BLENDSHAPES_OT_live_start,
        live.Preparation(context.object, Options(model=str(fold)), session.backend),
        context,
    )
    child = tick_until_busy(operator, context)
    assert operator.modal(context, ESC) == {"CANCELLED"} and context.window_manager.timers == 0
    followed_up(child)


def test_escape_ends_the_search_for_the_face_and_it_is_not_begun_again(
    fold: Path, context: Any
) -> None:
    context.scene.blendshapes.model = str(fold)
    operator = Pressed(operators.BLENDSHAPES_OT_inspect, inspection.begin(context), context)
    child = tick_until_busy(operator, context)
    assert operator.modal(context, ESC) == {"CANCELLED"} and context.window_manager.timers == 0
    followed_up(child)
    seen = inspection.look(context)
    assert seen is not None and seen.state == "given up"


def test_a_search_that_nobody_asked_for_ends_without_a_word(
    fold: Path, context: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inspection, "LOOK_SECONDS", 0.5)
    context.scene.blendshapes.model = str(fold)
    bpy.context.view_layer.objects.active = context.object
    end = time.monotonic() + 60
    while inspection._tick() is not None:
        assert time.monotonic() < end
        time.sleep(0.05)
    seen = inspection.look(context)
    assert (
        seen is not None
        and seen.state == "failed"
        and seen.error is not None
        and seen.error.code == "model_stuck"
    )
    assert not session.backend.running and not session.status.failed
    inspection._tick()
    assert not session.backend.running, "not begun again by itself"


@pytest.mark.parametrize("how", ["another file", "switched off"])
def test_a_file_that_closes_and_an_extension_that_is_switched_off_free_the_child(
    how: str, fold: Path, context: Any
) -> None:
    operator = Pressed(
        run_operators.Run,
        Job(context.object, Options((), TABLE, model=str(fold)), session.backend),
        context,
    )
    child = tick_until_busy(operator, context)
    if how == "another file":
        operator.cancel(context)  # as Blender does
        bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
        followed_up(child)
    else:
        operator.cancel(context)
        registration.unregister()
        try:
            assert not child.is_running() and not bpy.app.timers.is_registered(session._see_off)
        finally:
            registration.register()


def test_a_child_that_died_at_rest_is_gone_by_itself_and_nothing_is_said_of_it() -> None:
    session.backend.start()
    assert bpy.app.timers.is_registered(session._watch)
    while session.backend.hello is None:
        session.backend.wait(0.2)
    assert session._watch() is not None
    child = psutil.Process(session.backend.pid)
    child.kill()
    end = time.monotonic() + PROMISED_S
    while session._watch() is not None:
        assert time.monotonic() < end
        time.sleep(0.05)
    assert not psutil.pid_exists(child.pid) and session.backend.hello is None
    session.backend.start()  # as if nothing had been
    assert session.backend.running
