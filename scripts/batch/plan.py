# SPDX-License-Identifier: GPL-3.0-or-later
"""From what the user names to jobs: files, folders and patterns, each with its outputs."""

from __future__ import annotations

import glob
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from .extension import READABLE, free_names, note_of


@dataclass(frozen=True)
class Input:
    """A file, and where in the output folder its outputs go (relative, "." for the folder
    itself).
    """

    path: Path
    place: Path


@dataclass(frozen=True)
class Job:
    """One input with its outputs. name: an output's path in the output folder without suffix, with
    /.
    """

    source: Path
    name: str
    target: Path
    exported: Path | None
    notes: tuple[str, ...] = ()

    @property
    def targets(self) -> list[Path]:
        """All outputs."""
        return [path for path in (self.target, self.exported) if path is not None]


def find_inputs(named: Iterable[Path], out: Path) -> list[Input]:
    """The files that are meant, each once. Folders give every avatar file below them, and their
    outputs keep the folders; what is in the output folder or hidden is left out. A pattern without
    a match, and a folder without files, stand for themselves: they are reported as missing.
    """
    found: dict[Path, Input] = {}
    for path in named:
        if path.is_dir():
            inside = [
                p
                for p in sorted(path.rglob("*"))
                if p.is_file() and p.suffix.lower() in READABLE and not _hidden(p.relative_to(path))
            ]
            inside = [p for p in inside if out.resolve() not in p.resolve().parents]
            entries = [Input(p.absolute(), p.relative_to(path).parent) for p in inside] or [
                Input(path.absolute(), Path())
            ]
        elif not path.exists() and glob.has_magic(str(path)):
            matches = [Path(match) for match in sorted(glob.glob(str(path), recursive=True))]  # noqa: PTH207 (a pattern may be absolute)
            files = [p for p in matches if p.is_file() and out.resolve() not in p.resolve().parents]
            entries = [Input(p.absolute(), Path()) for p in files] or [
                Input(path.absolute(), Path())
            ]
        else:
            entries = [Input(path.absolute(), Path())]
        for entry in entries:
            found.setdefault(entry.path, entry)
    return list(found.values())


def plan_jobs(inputs: list[Input], out: Path, export: str | None) -> list[Job]:
    """Jobs with names that are unique in their folder on every file system."""
    jobs: list[Job] = []
    for place in dict.fromkeys(entry.place for entry in inputs):
        group = [entry.path for entry in inputs if entry.place == place]
        for path, name in zip(group, free_names(group), strict=True):
            folder = out / place
            exported = folder / f"{name}.{export}" if export else None
            jobs.append(
                Job(
                    path,
                    (place / name).as_posix(),
                    folder / f"{name}.blend",
                    exported,
                    note_of(path, name),
                )
            )
    return jobs


def _hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)
