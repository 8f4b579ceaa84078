# SPDX-License-Identifier: GPL-3.0-or-later
"""Run pytest in the working folder and tell what came of it; run by its path, so that it need not
be in the copy that it tests.

python under_test.py RESULT [--coverage CONFIGURATION] PYTEST-ARGUMENT ...

RESULT is JSON: `code` of pytest, `seconds` of each test, `failed` ones and files that could not be
read, and under coverage `lines`: file -> line -> tests, "" for lines that ran outside of any test.
It is written before the plugins of the tests are taken down, since one of them may end the process
(tests/conftest.py does where Blender is a module), and the process ends when it is: a library that
hangs as it unloads says nothing about the tests.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

import pytest


class Watch:
    """A plugin of pytest's: times each test, its fixtures included, tells coverage which one runs,
    and writes what came of the run.
    """

    def __init__(self, measured: Any, result: Path) -> None:
        self.measured = measured
        self.result = result
        self.seconds: dict[str, float] = {}
        self.failed: list[str] = []
        self._code: int | None = None
        self._written = False
        self._began = 0.0

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """A file has been read."""
        if report.failed:
            self.failed.append(report.nodeid)

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        """A test begins, with its fixtures."""
        self._began = time.monotonic()
        if self.measured is not None:
            self.measured.switch_context(nodeid)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """A phase of a test has ended."""
        if report.failed:
            self.failed.append(report.nodeid)

    def pytest_runtest_logfinish(self, nodeid: str) -> None:
        """A test has ended."""
        self.seconds[nodeid] = time.monotonic() - self._began
        if self.measured is not None:
            self.measured.switch_context("")

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, exitstatus: int | pytest.ExitCode) -> None:
        """All tests have run."""
        self._code = int(exitstatus)

    @pytest.hookimpl(tryfirst=True)
    def pytest_unconfigure(self) -> None:
        """All fixtures are gone, and the plugins of the tests are still there."""
        if self._code is not None:
            self.write(self._code)

    def write(self, code: int) -> None:
        """Write what came of the run, once."""
        if self._written:
            return
        told: dict[str, Any] = {"code": code, "seconds": self.seconds, "failed": self.failed}
        if self.measured is not None:
            self.measured.stop()
            data = self.measured.get_data()
            told["lines"] = {
                file: {line: list(tests) for line, tests in data.contexts_by_lineno(file).items()}
                for file in data.measured_files()
            }
        partial = self.result.with_name(self.result.name + ".part")
        partial.write_text(json.dumps(told), encoding="utf-8")
        partial.replace(self.result)
        self._written = True


def main(arguments: list[str]) -> int:
    result = Path(arguments.pop(0)).resolve()
    measured: Any = None
    if arguments[:1] == ["--coverage"]:
        import coverage

        measured = coverage.Coverage(config_file=arguments[1], data_suffix="own")
        arguments = arguments[2:]
        measured.start()
    watch = Watch(measured, result)
    code = int(pytest.main(arguments, plugins=[watch]))
    watch.write(code)  # of a run that ended before any test was read
    return code


if __name__ == "__main__":
    sys.path[0] = str(Path.cwd())  # not this file's folder
    code = main(sys.argv[1:])
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
