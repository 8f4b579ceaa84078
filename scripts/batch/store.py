# SPDX-License-Identifier: GPL-3.0-or-later
"""What is known about the outputs of a folder, so that a run can go on where another stopped, and
two runs do not hurt each other.

OUT/.blendshapes/NAME.json says what made NAME's outputs; NAME.lock is locked by the process that
works on it. Locks are the operating system's (flock, or LockFile on Windows) and not files that
exist: it drops them when a process dies, however it dies, so there are no stale ones.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from backend import regular_file
from backend.atomic import replace_file
from backend.inference.onnx_file import MAX_FILE

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ".blendshapes"
CODE = ("backend", "blendshape_addon")
_PIECE = 1 << 20


def digest_of(path: Path) -> str:
    """SHA-256 of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def code_digest(root: Path = ROOT) -> str:
    """SHA-256 over what computes and writes: another version of it may make other shapes."""
    total = hashlib.sha256()
    for folder in CODE:
        for path in sorted((root / folder).rglob("*")):
            if path.suffix in (".py", ".json"):
                total.update(f"{path.relative_to(root).as_posix()}\0".encode() + path.read_bytes())
    return total.hexdigest()


def model_digest(model: str, root: Path = ROOT) -> str:
    """SHA-256 over a model's files, its variants in other precisions included, and over the shipped
    one, which locates for models without an encoder.

    model: a file's path, or empty for the shipped one. What the backend will not read is not read
    here, either, and does not count.
    """
    shipped = root / "backend" / "models"
    files = set(shipped.glob("*.onnx"))
    if model and regular_file.is_regular(model):
        path = Path(model)
        stem = path.name.split(".")[0]
        files |= {
            path,
            *(
                other
                for other in path.parent.iterdir()
                if other.suffix == ".onnx" and other.name.startswith(f"{stem}.")
            ),
        }
    total = hashlib.sha256()
    for path in sorted(files, key=lambda p: p.name):
        with contextlib.suppress(OSError):
            total.update(
                f"{path.name}\0{_digest_of_model(path, path.parent == shipped)}\0".encode()
            )
    return total.hexdigest()


def _digest_of_model(path: Path, shipped: bool) -> str:
    """SHA-256 of a model's file. Raises OSError for what the backend does not read: no plain file
    of this computer, too large, missing.
    """
    total, left = hashlib.sha256(), MAX_FILE
    with regular_file.opened(path, MAX_FILE, anywhere=shipped) as file:
        while piece := file.read(min(_PIECE, left)):
            total.update(piece)
            left -= len(piece)
    return total.hexdigest()


def settings_digest(settings: Mapping[str, Any]) -> str:
    """SHA-256 of everything but the input that an output depends on."""
    return hashlib.sha256(
        json.dumps(settings, sort_keys=True, ensure_ascii=False).encode("utf-8", "backslashreplace")
    ).hexdigest()


@dataclass(frozen=True)
class Verdict:
    """What to do about an input. state: "make", "done" (row: how it was made), "edited" (done, but
    changed since), or "refused" (reason).
    """

    state: str
    row: dict[str, Any] | None = None
    reason: str = ""


class Store:
    """The records and locks of an output folder. name: an output's path in it without its suffix,
    with / on every system.
    """

    def __init__(self, out: Path) -> None:
        self.out = out
        self.folder = out / FOLDER

    def beside(self, name: str, suffix: str) -> Path:
        """The file `name` + suffix among the records."""
        return self.folder / f"{name}{suffix}"

    def read(self, name: str) -> dict[str, Any] | None:
        """The record, None where there is none or it is none of ours."""
        try:
            found = json.loads(self.beside(name, ".json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        return (
            found
            if isinstance(found, dict) and {"state", "source", "settings", "outputs"} <= set(found)
            else None
        )

    def judge(
        self, name: str, source: str, settings: str, targets: list[Path], overwrite: bool
    ) -> Verdict:
        """Whether the outputs have to be made, and may be. source: the input's digest; settings:
        that of everything else.
        """
        record = self.read(name)
        existing = [target for target in targets if target.exists()]
        if (
            record is not None
            and record["state"] == "started"
            and set(record["may_replace"]) >= {target.name for target in existing}
        ):
            return Verdict("make")
        made = record["outputs"] if record is not None and record["state"] == "done" else {}
        whole = bool(existing) and all(target.name in made for target in existing)
        edited = whole and any(digest_of(target) != made[target.name] for target in existing)
        same = record is not None and (record["source"], record["settings"]) == (source, settings)
        if whole and same and len(existing) == len(targets) and record is not None:
            if not edited:
                return Verdict("done", record["row"])
            if not overwrite:
                return Verdict("edited", record["row"])
        if overwrite or not existing:
            return Verdict("make")
        if whole and not edited and record is not None and record["settings"] == settings:
            return Verdict(
                "make"
            )  # the input has changed; what is there was made from the old one, and by nobody else
        known = whole and not edited
        other = (
            "it was made with other settings, or by another version"
            if known
            else "it was not made by this command, or edited since"
        )
        return Verdict("refused", None, f"{existing[0]} is already there, and {other}.")

    @contextlib.contextmanager
    def claim(self, name: str) -> Iterator[bool]:
        """Whether nobody else works on this; if so, nobody does until the block ends."""
        path = self.beside(name, ".lock")
        path.parent.mkdir(parents=True, exist_ok=True)
        with _lock_file(path) as file:
            if not _lock(file.fileno()):
                yield False
                return
            if not (
                path.exists() and os.path.samestat(os.fstat(file.fileno()), path.stat())
            ):  # tidied away meanwhile
                yield False
                return
            try:
                yield True
            finally:
                _unlock(file.fileno())

    def start(
        self, name: str, source: str, settings: str, targets: list[Path]
    ) -> dict[str, Any] | None:
        """Say that these outputs are being made: what is there under their names after a sudden end
        may be replaced. The record until now.
        """
        before = self.read(name)
        self.beside(name, ".jpg").unlink(missing_ok=True)  # a sheet of what was there
        replace = [target.name for target in targets]
        self._write(
            name,
            {
                "state": "started",
                "source": source,
                "settings": settings,
                "outputs": {},
                "may_replace": replace,
            },
        )
        return before

    def finish(
        self, name: str, source: str, settings: str, targets: list[Path], row: Mapping[str, Any]
    ) -> None:
        """Say that the outputs are made, and how."""
        outputs = {target.name: digest_of(target) for target in targets}
        self._write(
            name,
            {
                "state": "done",
                "source": source,
                "settings": settings,
                "outputs": outputs,
                "row": dict(row),
            },
        )

    def give_up(self, name: str, before: Mapping[str, Any] | None) -> None:
        """Making the outputs failed, what was there is untouched: the record of before holds
        again.
        """
        if before is None:
            self.beside(name, ".json").unlink(missing_ok=True)
        else:
            self._write(name, before)

    def tidy(self) -> None:
        """Remove the folder if it holds no records."""
        if any(path.suffix != ".lock" for path in self.folder.rglob("*") if path.is_file()):
            return
        for path in sorted(self.folder.rglob("*.lock")):
            with (
                self.claim(path.relative_to(self.folder).with_suffix("").as_posix()) as mine,
                contextlib.suppress(OSError),
            ):
                if mine:
                    path.unlink()
        for folder in (
            *sorted((p for p in self.folder.rglob("*") if p.is_dir()), reverse=True),
            self.folder,
        ):
            with contextlib.suppress(OSError):  # somebody else is using it, or it is gone
                folder.rmdir()

    def _write(self, name: str, record: Mapping[str, Any]) -> None:
        write_atomically(self.beside(name, ".json"), as_json(record))


def _lock_file(path: Path) -> IO[bytes]:
    """The file, made if need be, to lock it; no other by way of a link. Raises OSError."""
    return os.fdopen(
        os.open(
            path,
            os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0),
            0o666,
        ),
        "r+b",
    )


def as_json(data: Mapping[str, Any]) -> bytes:
    """JSON for a file. Bytes of a path that are no text, which Python holds as halves of letters,
    become JSON's own sign for those.
    """
    return (
        json.dumps(data, indent=1, ensure_ascii=False).encode("utf-8", "backslashreplace") + b"\n"
    )


def write_atomically(path: Path, data: bytes) -> None:
    """Write a file whole or not at all, in a folder that is made if need be. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    replace_file(path, data)


if sys.platform == "win32":
    import msvcrt

    def _lock(number: int) -> bool:
        os.lseek(number, 0, os.SEEK_SET)
        try:
            msvcrt.locking(number, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

    def _unlock(number: int) -> None:
        os.lseek(number, 0, os.SEEK_SET)
        msvcrt.locking(number, msvcrt.LK_UNLCK, 1)

else:
    import fcntl

    def _lock(number: int) -> bool:
        try:
            fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _unlock(number: int) -> None:
        fcntl.flock(number, fcntl.LOCK_UN)
