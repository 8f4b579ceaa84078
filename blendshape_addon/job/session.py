# SPDX-License-Identifier: GPL-3.0-or-later
"""What lives as long as the extension is enabled: the child's handle and what the panel shows about
the last run.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import os
import shutil
import tempfile
import time
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import bpy

from ..blender_io.remembered import record_of
from ..errors import AddonError
from ..process import launch
from ..process.backend_process import Backend
from ..process.launch import Launch, Settings, plan
from ..process.runtimes import MARK
from ..translations import tr
from ..typed import preferences_of

if TYPE_CHECKING:
    from ..ui.preferences import BlendShapesPreferences

ROOT = Path(__file__).resolve().parents[2]
ROOT_PACKAGE = __package__.rsplit(".", 2)[0]
_SEE_OFF_SECONDS = 0.2  # between two looks at what was cancelled
_WATCH_SECONDS = 2.0  # between two looks at whether the child lives
_DRAW_SECONDS = 0.1  # between two drawings of a bar that moves
_drawn = 0.0


class Warned(Protocol):
    """A pose that a run warned of."""

    @property
    def keys(self) -> tuple[str, ...]:
        """Names of the keys that are driven together."""

    @property
    def words(self) -> str:
        """The child's sentence."""

    def said(self) -> str:
        """The same in the language of the interface."""


@dataclass
class Status:
    """Of the run in progress and of the last one. preparing, prepared: what is done about a second
    runtime, and how far it is.

    longest_block: the longest time in seconds for which the run kept the window waiting at once;
    longest_work: the most processor time of it, which is what an otherwise idle machine takes.
    seconds_left: an estimate, or None. made: keys that the last run made and that move something.
    error: what it failed with; trace: where, if nobody foresaw it. drawing, drawn: contact sheets
    that are being rendered, and how far they are; sheets: files of the last ones. poses: those that
    the run warned of. target, stamp:
    the object that all this is about, and what remembered.py had recorded with its keys when it was
    said.
    """

    running: bool = False
    stage: str = ""
    fraction: float = 0.0
    seconds_left: float | None = None
    result: str = ""
    made: int = 0
    error: AddonError | None = None
    trace: str = ""
    engine: str = ""
    preparing: str = ""
    prepared: float = 0.0
    failed: bool = False
    longest_block: float = 0.0
    longest_work: float = 0.0
    warnings: list[str] = field(default_factory=list)
    drawing: str = ""
    drawn: float = 0.0
    sheets: list[str] = field(default_factory=list)
    poses: list[Warned] = field(default_factory=list)
    target: int = 0
    stamp: str = ""

    def end(
        self,
        ob: bpy.types.Object | None,
        result: str,
        error: AddonError | None = None,
        warnings: Sequence[str] = (),
    ) -> None:
        """Say what came of a run on an object."""
        self.result, self.error, self.failed, self.warnings, self.trace = (
            result,
            error,
            error is not None,
            list(warnings),
            "",
        )
        self.made, self.engine, self.poses = 0, "", []
        self.target, self.stamp = (
            (int(ob.session_uid), record_of(ob).stamp)
            if ob is not None and ob.type == "MESH"
            else (0, "")
        )

    def is_of(self, ob: bpy.types.Object | None) -> bool:
        """Whether that still holds: it is about this object, and what the run did has not been
        undone. Quick, for drawing.
        """
        if ob is None or ob.type != "MESH":
            return self.target == 0
        return self.target == int(ob.session_uid) and (
            self.error is not None or self.stamp == record_of(ob).stamp
        )


status = Status()


def clear_status() -> None:
    """Forget the last run: another file was opened."""
    fresh = Status(
        preparing=status.preparing,
        prepared=status.prepared,
        drawing=status.drawing,
        drawn=status.drawn,
        sheets=status.sheets,
    )
    for name, value in vars(fresh).items():
        setattr(status, name, value)


@contextlib.contextmanager
def blocking() -> Iterator[None]:
    """What is inside keeps the window waiting: measured for `status.longest_block` and
    `longest_work`.
    """
    began, worked = time.perf_counter(), time.thread_time()
    try:
        yield
    finally:
        status.longest_block = max(status.longest_block, time.perf_counter() - began)
        status.longest_work = max(status.longest_work, time.thread_time() - worked)


def engine_line(report: Mapping[str, Any]) -> str:
    """What computed, in a line: the provider, the threads, the precision, and why another than was
    asked for.
    """
    active, asked = (
        report[name].removesuffix("ExecutionProvider")
        for name in ("provider_active", "provider_asked")
    )
    words = [active]
    if active == "CPU" and report["threads"] > 1:
        words.append(tr("{count} threads").format(count=report["threads"]))
    words.append(report["precision"])
    if report["low_memory"]:
        words.append(tr("low memory"))
    if active != asked:
        words.append(
            tr("not {asked}: {reason}").format(asked=asked, reason=report["provider_reason"])
        )
    return tr("Computed on {engine}").format(engine=", ".join(words))


def engine_is_another(report: Mapping[str, Any]) -> bool:
    """Whether something else computed than the panel says before the click, or in less memory."""
    return bool(report["low_memory"] or report["provider_active"] != report["provider_asked"])


@functools.cache
def log_folder() -> Path:
    """A folder of the user's that survives upgrades of the extension; outside Blender's extension
    system a temporary one of this process.
    """
    if ROOT_PACKAGE.startswith("bl_ext."):
        return Path(bpy.utils.extension_path_user(ROOT_PACKAGE, path="log", create=True))
    folder = tempfile.mkdtemp(prefix="blendshapes-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return Path(folder)


def runtimes_folder() -> Path:
    """The folder of the runtimes that were prepared here; it survives upgrades of the extension,
    too.
    """
    if ROOT_PACKAGE.startswith("bl_ext."):
        folder = Path(
            launch.runtimes_folder(
                bpy.utils.extension_path_user(ROOT_PACKAGE), "{}.{}".format(*bpy.app.version)
            )
        )
    else:
        folder = log_folder() / "runtimes"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def prepared_runtimes() -> list[Path]:
    """Folders of the runtimes that were prepared here."""
    return sorted(path.parent for path in runtimes_folder().glob(f"*/{MARK}"))


def preferences(context: bpy.types.Context) -> BlendShapesPreferences | None:
    """The extension's preferences, None where it is registered without."""
    addon = context.preferences.addons.get(ROOT_PACKAGE)
    return preferences_of(addon) if addon is not None else None


def preferences_there(context: bpy.types.Context) -> BlendShapesPreferences:
    """The same where they are there, which `poll` has seen."""
    chosen = preferences(context)
    if chosen is None:
        raise AddonError(
            "internal",
            "The extension is registered without preferences.",
            "Enable it in Blender's preferences.",
        )
    return chosen


def version() -> str:
    """The extension's version, as its manifest states it."""
    return str(_manifest()["version"])


def website() -> str:
    """Where the docs and the list of known bugs are, as the manifest states it, or ``."""
    return str(_manifest().get("website", ""))


@functools.cache
def _manifest() -> dict[str, Any]:
    return tomllib.loads((ROOT / "blender_manifest.toml").read_text(encoding="utf-8"))


def redraw(context: bpy.types.Context) -> None:
    """Redraw the sidebars and the preferences only: a 3D view may be slow."""
    for window in context.window_manager.windows:
        for area in window.screen.areas:
            if area.type == "PREFERENCES":
                area.tag_redraw()
            elif area.type == "VIEW_3D":
                for region in area.regions:
                    if region.type == "UI":
                        region.tag_redraw()


def redraw_soon(context: bpy.types.Context) -> bool:
    """The same for what moves all the time: not so often that drawing takes more time than all
    else. Whether it was this time.
    """
    global _drawn
    if time.monotonic() - _drawn < _DRAW_SECONDS:
        return False
    _drawn = time.monotonic()
    redraw(context)
    return True


def see_off() -> None:
    """What was cancelled is followed up in the background, also when another file is opened: a
    child that does not give it up is killed.
    """
    if not bpy.app.timers.is_registered(_see_off):
        bpy.app.timers.register(_see_off, first_interval=_SEE_OFF_SECONDS, persistent=True)


def rest() -> None:
    """The extension is switched off: end the child, and follow nothing up."""
    for timer in (_see_off, _watch):
        if bpy.app.timers.is_registered(timer):
            bpy.app.timers.unregister(timer)
    backend.stop()


def _see_off() -> float | None:
    return _SEE_OFF_SECONDS if backend.see_off() else None


def _watch() -> float | None:
    """A child that died while nobody needed it is no zombie until the next click, and nothing is
    said of it any more.
    """
    was = backend.running
    if backend.reap():
        return _WATCH_SECONDS
    if was:
        redraw(bpy.context)
    return None


def _launch() -> Launch:
    if not bpy.app.timers.is_registered(_watch):
        bpy.app.timers.register(_watch, first_interval=_WATCH_SECONDS, persistent=True)
    return planned()


def planned() -> Launch:
    """How the child is started with the present preferences. Raises as launch.plan does."""
    chosen = preferences(bpy.context)
    settings = Settings()
    if chosen is not None:
        names = ("provider", "strict", "precision", "threads", "memory_mb")
        settings = Settings(chosen.python, **{name: getattr(chosen, name) for name in names})
    return plan(ROOT, log_folder() / f"backend-{os.getpid()}.log", settings)


backend = Backend(_launch)
