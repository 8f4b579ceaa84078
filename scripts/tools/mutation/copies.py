# SPDX-License-Identifier: GPL-3.0-or-later
"""A scratch copy of the repository in which tests run, so that nothing is ever changed in the
working tree.
"""

from __future__ import annotations

import compileall
import contextlib
import hashlib
import importlib.util
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

UNDER_TEST = Path(__file__).with_name("under_test.py")
# seconds since 1970: a time of change for the first changed file; each later one is newer, so that
# no compiled module is stale
START = 1_000_000_000


class Copy:
    """The repository's files, those that git does not ignore, in a temporary folder. `close`
    removes it. digest: of names and contents.
    """

    def __init__(self, root: Path) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="mutation-", ignore_cleanup_errors=True)
        self.root = Path(self._folder.name).resolve() / "repository"
        self._changes = START
        content = hashlib.sha256()
        for file in _files(root):
            target = self.root / file
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(root / file, target)
            content.update(f"{file}\0".encode() + hashlib.sha256(target.read_bytes()).digest())
        self.digest = content.hexdigest()
        # children that compile modules for themselves, with little room on a pretended disk, would
        # leave halves of them to all later tests
        compileall.compile_dir(self.root, quiet=2)

    def close(self) -> None:
        """Remove the copy."""
        self._folder.cleanup()

    @contextlib.contextmanager
    def changed(self, file: str, text: str) -> Iterator[None]:
        """The file has another text inside the block."""
        path = self.root / file
        before = path.read_text(encoding="utf-8")
        try:
            self._write(path, text)
            yield
        finally:
            self._write(path, before)

    def run(
        self, arguments: Sequence[str], seconds: float, coverage: Path | None = None
    ) -> dict[str, Any]:
        """Run pytest in the copy: what under_test.py tells, {} where it tells nothing, {"timeout":
        True} where it took longer than `seconds`.
        """
        result = Path(self._folder.name) / "result.json"
        result.unlink(missing_ok=True)
        measured = ["--coverage", str(coverage)] if coverage is not None else []
        command = [sys.executable, "-B", str(UNDER_TEST), str(result), *measured, *arguments]
        environment = {
            name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")
        }
        process = subprocess.Popen(
            command,
            cwd=self.root,
            env=environment | {"PYTHONDONTWRITEBYTECODE": "1"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            return {"timeout": True}
        finally:
            _end(process)
        return dict(json.loads(result.read_text(encoding="utf-8"))) if result.is_file() else {}

    def _write(self, path: Path, text: str) -> None:
        path.write_text(text, encoding="utf-8")
        Path(importlib.util.cache_from_source(path)).unlink(missing_ok=True)
        self._changes += 1
        os.utime(path, (self._changes, self._changes))


def _files(root: Path) -> list[str]:
    told = subprocess.run(
        ["git", "ls-files", "-z", "-co", "--exclude-standard"],
        cwd=root,
        capture_output=True,
        check=True,
    ).stdout
    return [name for name in told.decode().split("\0") if name and (root / name).is_file()]


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the process and, where the system keeps them together, its children."""
    if sys.platform != "win32":
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
    if process.poll() is None:
        process.kill()
    process.wait()
