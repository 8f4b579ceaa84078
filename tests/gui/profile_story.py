# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the time of a click on Generate goes, from the mouse button to the picture with the new
keys. Played by scripts/bench/click.py; no test.

Functions of the extension are wrapped for the time: each moment belongs to the innermost of them
that runs. What lies between belongs to Blender, by what came before and after.
"""

import functools
import sys
import time
from collections.abc import Callable, Generator
from typing import Any

import bpy
from hand import Hand, Steps
from stories import GENERATE, begin, keys, status

ROUNDS = 6
SAID = "say what was made"
# module, function or class.method, and what it does, in the words of the table
PARTS = (
    ("ops.run", "Run._start", "begin: options, the avatar's parts"),
    ("process.backend_process", "Backend.start", "start the child, where none runs"),
    ("job.reading", "Reading.step", "read weights of vertex groups"),
    ("job.generation", "Job.__init__", "gather: the rest"),
    ("blender_io.mesh_io", "_triangles", "gather: triangles"),
    ("blender_io.evidence", "read", "gather: names and materials"),
    ("process.backend_process", "Backend.send", "build the request"),
    ("process.backend_process", "Backend.poll", "pipe: write the request, read the answers"),
    ("blender_io.anchors", "hold", "hold the landmarks on the mesh"),
    ("job.generation", "Job.prepare", "prepare: names, who gets what"),
    ("job.generation", "Job.write", "write: the rest"),
    ("blender_io.key_writer", "write_all", "write: look at what is there"),
    ("blender_io.key_writer", "_write", "write: keys"),
    ("blender_io.generated", "record", "write: whose the keys are"),
    ("blender_io.landmark_store", "keep_landmarks", "write: landmarks"),
    ("ops.run", "Run._done", SAID),
    ("ops.asking", "Asking.modal", "ticks: the rest"),
    ("job.pictures", "_tick", "pictures of shapes"),
)
Moment = tuple[float, float, str]  # when, the thread's work until then, what begins or ends


class Recorder:
    """What began and ended when, while it is on."""

    def __init__(self) -> None:
        self.moments: list[Moment] = []
        self.stack: list[str] = []
        self.on = False
        self.child: dict[str, float] = {}  # its own account of the last request, in seconds

    def mark(self, what: str) -> None:
        """Something happens."""
        if self.on:
            self.moments.append((time.perf_counter(), time.thread_time(), what))

    def wrapped(self, function: Callable[..., Any], words: str) -> Callable[..., Any]:
        """The same function, whose time is kept."""

        @functools.wraps(function)
        def timed(*given: Any, **named: Any) -> Any:
            self.mark(f"+{words}")
            if words == SAID:
                self.child = dict(given[2].seconds["backend"])
            try:
                return function(*given, **named)
            finally:
                self.mark(f"-{words}")

        return timed

    def drawn(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """The same for a panel's draw. Blender counts a method's arguments before it calls it."""
        timed = self.wrapped(function, "draw panels")

        def draw(panel: Any, context: Any) -> Any:
            return timed(panel, context)

        return draw

    def ticked(self, function: Callable[..., Any], words: str) -> Callable[..., Any]:
        """The same for an operator's modal."""
        timed = self.wrapped(function, words)

        def modal(operator: Any, context: Any, event: Any) -> Any:
            return timed(operator, context, event)

        return modal

    def table(self, end: float) -> dict[str, list[float]]:
        """Seconds and seconds of work by part, from the first moment to `end`."""
        found: dict[str, list[float]] = {}
        stack: list[str] = []
        last = self.moments[0]
        for moment in self.moments[1:]:
            if moment[0] > end:
                break
            name = stack[-1] if stack else between(last[2], moment[2])
            row = found.setdefault(name, [0.0, 0.0])
            row[0] += moment[0] - last[0]
            row[1] += moment[1] - last[1]
            if moment[2][0] == "+":
                stack.append(moment[2][1:])
            elif moment[2][0] == "-" and stack:
                stack.pop()
            last = moment
        return found


def between(before: str, after: str) -> str:
    """What Blender does between two moments in none of our functions."""
    if before == "written" or (before.startswith("-ticks") and after == "evaluate"):
        return "Blender: the undo step"
    if before == "evaluate":
        return "Blender: evaluate the mesh"
    if before == "draw" or after in ("drawn", "draw") or before == "evaluated":
        return "Blender: draw the window"
    return "wait for the child and for the next tick"


def module(name: str) -> Any:
    """A module of the extension."""
    end = f"blendshape_auto_generator.blendshape_addon.{name}"
    return next(one for key, one in sys.modules.items() if key.endswith(end))


def watch(recorder: Recorder) -> None:
    """Wrap what PARTS names, wherever the extension uses it, and hear of evaluating and drawing."""
    modules = [one for key, one in list(sys.modules.items()) if "blendshape_addon" in key]
    for name, what, words in PARTS:
        holder, function = module(name), what
        if "." in what:
            holder, function = getattr(holder, what.split(".")[0]), what.split(".")[1]
        before = getattr(holder, function)
        wrap = recorder.ticked if function == "modal" else recorder.wrapped
        after = wrap(before, words)
        setattr(holder, function, after)
        for one in modules:
            for key, value in list(vars(one).items()):
                if value is before:
                    setattr(one, key, after)
    for name in dir(bpy.types):
        panel = getattr(bpy.types, name) if name.startswith("BLENDSHAPES_PT_") else None
        if panel is not None:
            panel.draw = recorder.drawn(panel.draw)
    handlers = bpy.app.handlers
    handlers.depsgraph_update_pre.append(lambda *_: recorder.mark("evaluate"))
    handlers.depsgraph_update_post.append(lambda *_: recorder.mark("evaluated"))
    view: Any = bpy.types.SpaceView3D
    view.draw_handler_add(lambda: recorder.mark("draw"), (), "WINDOW", "PRE_VIEW")
    view.draw_handler_add(lambda: recorder.mark("drawn"), (), "WINDOW", "POST_PIXEL")


def profile_story(hand: Hand, seen: dict[str, object]) -> Steps:
    """Generate 67 keys some times, each time on the mesh without any; the parts of each time."""
    yield from begin(hand)
    scene: Any = bpy.context.scene
    scene.blendshapes.sets = {"arkit", "vrchat"}
    yield from hand.wait(8)
    recorder = Recorder()
    watch(recorder)
    rounds: list[dict[str, Any]] = []
    for _ in range(ROUNDS):
        place = yield from hand.find(GENERATE)
        yield from hand.move(place)
        yield from hand.wait(20)
        hand.press_button(place)
        yield
        recorder.moments, recorder.on = [], True
        recorder.mark("click")
        hand.release_button(place)
        while not keys() or hand.running():
            yield
        made = len(keys())
        while not any(
            what == "drawn" and when > written(recorder) for when, _work, what in recorder.moments
        ):
            yield
        recorder.on = False
        end = next(
            when
            for when, _work, what in recorder.moments
            if what == "drawn" and when > written(recorder)
        )
        rounds.append(
            {
                "keys": made - 1,
                "seconds": end - recorder.moments[0][0],
                "parts": recorder.table(end),
                "child": recorder.child,
                "longest_block": status().longest_block,
                "longest_work": status().longest_work,
            }
        )
        yield from hand.wait(40)
        if len(rounds) < ROUNDS:
            yield from hand.move((hand.view.x + 200, hand.view.y + 200))
            yield from hand.key("Z", ctrl=True)
            yield from hand.wait(40)
    seen["rounds"] = rounds
    seen["tools"] = yield from tools(hand)


def tools(hand: Hand) -> Generator[None, None, dict[str, list[list[float]]]]:
    """Seconds and seconds of work of tools for one shape, with the undo step that Blender makes for
    each, and of what Blender takes for its own.
    """
    ours: Any = bpy.ops.blendshapes
    blender: Any = bpy.ops.object
    works: dict[str, Callable[[], Any]] = {
        "an undo step alone": bpy.ops.ed.undo_push,
        "Mirror": lambda: ours.shape_mirror("EXEC_DEFAULT", True, key_name="mouthSmileLeft"),
        "Sculpt": lambda: ours.sculpt_shape("EXEC_DEFAULT", True, key_name="jawOpen"),
        "Finish Sculpting": lambda: ours.sculpt_done("EXEC_DEFAULT", True),
        "Blender's own into Sculpt Mode": lambda: blender.mode_set(
            "EXEC_DEFAULT", True, mode="SCULPT"
        ),
        "Blender's own out of it": lambda: blender.mode_set("EXEC_DEFAULT", True, mode="OBJECT"),
    }
    found: dict[str, list[list[float]]] = {name: [] for name in works}
    for _ in range(ROUNDS):
        for name, work in works.items():
            began, worked = time.perf_counter(), time.thread_time()
            with bpy.context.temp_override(window=hand.window, area=hand.area, region=hand.view):
                work()
            found[name].append([time.perf_counter() - began, time.thread_time() - worked])
            yield from hand.wait(12)
    return found


def written(recorder: Recorder) -> float:
    """When the last key was written."""
    ends = [when for when, _work, what in recorder.moments if what == f"-{SAID}"]
    return ends[-1] if ends else float("inf")
