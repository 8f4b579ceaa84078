# SPDX-License-Identifier: GPL-3.0-or-later
"""Contact sheets from inside Blender: an operator that leaves the window usable, and a command.

With a window a second Blender renders a copy of the file in the background; without one, this
Blender does.
"""

from __future__ import annotations

import contextlib
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Annotated

import bpy

from ..blender_io import scene_files
from ..errors import AddonError, as_addon_error
from ..foreign import file_stem, one_line
from ..job import session
from ..job.arguments import Parser
from ..job.sheet import render_sheet
from ..process.child import NO_WINDOW
from ..process.environment import BLENDER, clean_environment
from ..process.patience import Patience
from ..shared import streams
from ..translations import error_text, said, tr
from ..typed import Returned, active_object, keys_of, mesh_of, status_text
from .vrchat_operators import known_sets

COMMAND = "blendshapes_sheet"
OTHERS = "others"  # the sheet of keys that belong to no set
_TICK_SECONDS = 0.2
# all sets of an avatar take a minute or two on two cores; a scene that renders for ever is not to
# go on unseen
_RENDER_SECONDS = 1800.0
_KILL_SECONDS = 2.0  # a killed process is gone at once but for a driver that holds it


def sheets_of(ob: bpy.types.Object) -> dict[str, list[str]]:
    """Keys by the set whose sheet they go on: each set of which most keys are there, and what is
    left.
    """
    if mesh_of(ob).shape_keys is None:
        return {}
    names = [key.name for key in keys_of(ob).key_blocks if key != keys_of(ob).reference_key]
    sheets = {}
    for set_, wanted in known_sets().items():
        have = [name for name in names if name in set(wanted)]
        if 2 * len(have) >= len(wanted):
            sheets[set_] = have
    left = [name for name in names if not any(name in have for have in sheets.values())]
    return {**sheets, OTHERS: left} if left else sheets


def write_sheets(
    ob: bpy.types.Object,
    folder: Path,
    stem: str,
    wanted: Iterable[str] = (),
    done: Callable[[Path], object] = lambda file: None,
) -> list[Path]:
    """Render STEM_SET.png for each set, or for the wanted ones, into a folder; the files. done: is
    told each as soon as it is there.

    Raises AddonError: `usage` (no keys), `disk_full`, `output_unwritable`.
    """
    sheets = sheets_of(ob)
    chosen = {name: keys for name, keys in sheets.items() if not wanted or name in set(wanted)}
    if not chosen:
        raise AddonError(
            "usage", f"{ob.name!r} has no shape keys to show.", "Generate shape keys first."
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise AddonError(
            "output_unwritable",
            f"{folder} cannot be written: {error.strerror}.",
            "Save the file in a folder of yours.",
        ) from error
    files = []
    for name, keys in chosen.items():
        files.append(folder / f"{file_stem(stem)}_{name}.png")
        try:
            render_sheet(ob, files[-1], names=keys)
        except OSError as error:
            raise scene_files.unwritable(files[-1], error) from error
        done(files[-1])
    return files


def run_command(arguments: Sequence[str]) -> int:
    """`blender -b FILE.blend --command blendshapes_sheet --out DIR [--object NAME] [--set NAMES]`;
    0, or 2 when there is nothing to show.
    """
    return streams.run(lambda: _main(arguments))


def _main(arguments: Sequence[str]) -> int:
    try:
        return _command(arguments)
    except AddonError as error:
        print(one_line(f"error: {error} [{error.code}]"), file=sys.stderr)
        return 2


def _command(arguments: Sequence[str]) -> int:
    """The same. Raises AddonError as write_sheets does, and `usage`."""
    parser = Parser(
        prog=f"blender --command {COMMAND}",
        description="Contact sheets of the open file, a PNG for each set.",
    )
    parser.add_argument(
        "--out", type=Path, required=True, metavar="DIR", help="folder for the pictures"
    )
    parser.add_argument(
        "--object",
        default="",
        metavar="NAME",
        help="the mesh object; without it, the one with the most shape keys",
    )
    parser.add_argument(
        "--set",
        default="",
        metavar="NAMES",
        help="sets, such as arkit,vrchat; without it, all that are there",
    )
    parser.add_argument(
        "--stem",
        default="",
        metavar="NAME",
        help="beginning of the files' names; without it, the file's own",
    )
    options = parser.parse_args(list(arguments))
    meshes = [
        ob
        for ob in bpy.data.objects
        if ob.type == "MESH" and mesh_of(ob).shape_keys and options.object in ("", ob.name)
    ]
    if not meshes:
        print("error: There is no such object with shape keys.", file=sys.stderr)
        return 2
    ob = max(meshes, key=lambda one: len(keys_of(one).key_blocks))
    wanted = [name.strip() for name in options.set.split(",") if name.strip()]
    write_sheets(
        ob,
        options.out.absolute(),
        options.stem or Path(bpy.data.filepath).stem,
        wanted,
        lambda file: print(one_line(str(file)), flush=True),
    )
    return 0


def sheet_command(blender: str, blend: Path, folder: Path, ob: str, stem: str) -> list[str]:
    """The command line of a Blender that renders the sheets of a copy. Its own options stand before
    the file, or they would come too late for it; values are joined to their options, as an object
    may be called --help. The extension is named: just installed, it is in no saved preferences yet.
    """
    package = session.ROOT_PACKAGE
    named = ["--addons", package] if package.startswith("bl_ext.") else []
    before = [blender, "-b", "--disable-autoexec", "--offline-mode", *named, str(blend)]
    return [*before, "--command", COMMAND, f"--out={folder}", f"--object={ob}", f"--stem={stem}"]


class BLENDSHAPES_OT_contact_sheet(bpy.types.Operator):
    """Render every shape key, labelled, into one picture for each set, beside the file"""

    bl_idname = "blendshapes.contact_sheet"
    bl_label = "Render Contact Sheets"
    bl_options = {"REGISTER"}

    folder: Annotated[
        str,
        bpy.props.StringProperty(
            name="Folder",
            description="Where the pictures go; empty: beside the file, or the temporary folder",
            subtype="DIR_PATH",
        ),
    ]

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Needs a mesh with shape keys, and no run in progress."""
        ob = context.object
        return (
            ob is not None
            and ob.type == "MESH"
            and mesh_of(ob).shape_keys is not None
            and not session.status.running
        )

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> Returned:
        """From the window: another Blender renders a copy."""
        if bpy.app.background:
            return self.execute(context)
        folder, stem = self._where()
        self._folder = tempfile.TemporaryDirectory(prefix="blendshapes-")
        copy = Path(self._folder.name) / "sheet.blend"
        bpy.ops.wm.save_as_mainfile(filepath=str(copy), copy=True)
        self._log = Path(self._folder.name) / "log.txt"
        try:
            with self._log.open("wb") as log:
                self._process = subprocess.Popen(
                    sheet_command(
                        bpy.app.binary_path, copy, folder, active_object(context).name, stem
                    ),
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    env=clean_environment(more=BLENDER),
                    creationflags=NO_WINDOW,
                )
        except OSError as error:
            self._folder.cleanup()
            self.report({"ERROR"}, said(f"A second Blender cannot be started: {error}"))
            return {"CANCELLED"}
        self._patience, self._wanted = Patience(), len(sheets_of(active_object(context)))
        session.status.drawing, session.status.drawn = tr("Rendering contact sheets"), 0.0
        self._timer = context.window_manager.event_timer_add(_TICK_SECONDS, window=context.window)
        context.window_manager.modal_handler_add(self)
        status_text(context, f"{session.status.drawing}   {tr('Esc: Cancel')}")
        return {"RUNNING_MODAL"}

    def modal(self, context: bpy.types.Context, event: bpy.types.Event) -> Returned:
        """Look whether it is done."""
        if event.type == "ESC" and event.value == "PRESS":
            self.cancel(context)
            self.report({"INFO"}, tr("Contact sheets cancelled"))
            return {"CANCELLED"}
        code = self._process.poll()
        if event.type == "TIMER" and code is None and self._patience.waited() > _RENDER_SECONDS:
            self.cancel(context)
            self.report(
                {"ERROR"},
                said(
                    f"The contact sheets were not rendered within {_RENDER_SECONDS / 60:.0f}"
                    " minutes; the second Blender was ended"
                ),
            )
            return {"CANCELLED"}
        if event.type != "TIMER":
            return {"PASS_THROUGH"}
        printed = self._log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        files = [line for line in printed if line.endswith(".png")]
        if code is None:
            session.status.drawn = len(files) / max(self._wanted, 1)
            session.redraw(context)
            return {"PASS_THROUGH"}
        self._end(context)
        if code or not files:
            why = _reason(printed) or f"Blender ended with {code}"
            self.report({"ERROR"}, said(f"No contact sheets were made: {why}"))
            return {"CANCELLED"}
        session.status.sheets = files
        self.report({"INFO"}, _made(files))
        return {"FINISHED"}

    def cancel(self, context: bpy.types.Context) -> None:
        """ESC, or another file is opened."""
        self._kill()
        self._end(context)

    def _kill(self) -> None:
        with contextlib.suppress(OSError, subprocess.TimeoutExpired):
            self._process.kill()
            self._process.wait(_KILL_SECONDS)

    def execute(self, context: bpy.types.Context) -> Returned:
        """From scripts and in background mode: render here and now."""
        try:
            files = write_sheets(active_object(context), *self._where())
        except Exception as problem:
            self.report({"ERROR"}, error_text(as_addon_error(problem)))
            return {"CANCELLED"}
        session.status.sheets = [str(file) for file in files]
        self.report({"INFO"}, _made(session.status.sheets))
        return {"FINISHED"}

    def _where(self) -> tuple[Path, str]:
        """The folder, and the beginning of the files' names."""
        saved = Path(bpy.data.filepath) if bpy.data.filepath else None
        folder = (
            Path(bpy.path.abspath(self.folder))
            if self.folder
            else saved.parent
            if saved
            else Path(tempfile.gettempdir())
        )
        return folder.absolute(), saved.stem if saved else active_object(bpy.context).name

    def _end(self, context: bpy.types.Context) -> None:
        context.window_manager.event_timer_remove(self._timer)
        session.status.drawing = ""
        session.redraw(context)
        status_text(context, None)
        with contextlib.suppress(OSError):
            self._folder.cleanup()


def _made(files: Sequence[str]) -> str:
    return tr("{count} contact sheets in {folder}").format(
        count=len(files), folder=Path(files[0]).parent
    )


def _reason(printed: Sequence[str]) -> str:
    """What a Blender that made no sheet said: its own error, or its last words."""
    return next(
        (line for line in reversed(printed) if line.startswith("error: ")),
        printed[-1] if printed else "",
    )


class BLENDSHAPES_OT_open_sheet(bpy.types.Operator):
    """Open the contact sheet in the program that shows pictures here"""

    bl_idname = "blendshapes.open_sheet"
    bl_label = "Open Contact Sheet"
    bl_options = {"INTERNAL"}

    number: Annotated[
        int,
        bpy.props.IntProperty(
            name="Number",
            description="Which of the sheets that were made last",
            options={"SKIP_SAVE"},
        ),
    ]

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Needs sheets that were made."""
        return bool(session.status.sheets)

    def execute(self, context: bpy.types.Context) -> Returned:
        """Open it."""
        sheets = session.status.sheets
        if not 0 <= self.number < len(sheets) or not Path(sheets[self.number]).is_file():
            self.report({"ERROR"}, tr("The picture is not there any more."))
            return {"CANCELLED"}
        bpy.ops.wm.path_open(filepath=sheets[self.number])
        return {"FINISHED"}


CLASSES = (BLENDSHAPES_OT_contact_sheet, BLENDSHAPES_OT_open_sheet)
