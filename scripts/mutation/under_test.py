# SPDX-License-Identifier: GPL-3.0-or-later
"""Run pytest in the working folder and tell what came of it; run by its path, so that it need not be in the copy that it tests.

python under_test.py RESULT [--coverage CONFIGURATION] PYTEST-ARGUMENT ...

RESULT is JSON: `code` of pytest, `seconds` of each test, `failed` ones, and under coverage `lines`: file -> line -> tests, "" for lines that ran
outside of any test. The process ends by itself when that is written: a library that hangs as it unloads says nothing about the tests.
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
    """A plugin of pytest's: times each test, its fixtures included, and tells coverage which one runs."""

    def __init__(self, measured: Any) -> None:
        self.measured = measured
        self.seconds: dict[str, float] = {}
        self.failed: list[str] = []
        self._began = 0.0

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


def main(arguments: list[str]) -> int:
    result = Path(arguments.pop(0)).resolve()
    measured: Any = None
    if arguments[:1] == ["--coverage"]:
        import coverage

        measured = coverage.Coverage(config_file=arguments[1], data_suffix="own")
        arguments = arguments[2:]
        measured.start()
    watch = Watch(measured)
    code = int(pytest.main(arguments, plugins=[watch]))
    told: dict[str, Any] = {"code": code, "seconds": watch.seconds, "failed": watch.failed}
    if measured is not None:
        measured.stop()
        data = measured.get_data()
        told["lines"] = {file: {line: list(tests) for line, tests in data.contexts_by_lineno(file).items()} for file in data.measured_files()}
    partial = result.with_name(result.name + ".part")
    partial.write_text(json.dumps(told), encoding="utf-8")
    partial.replace(result)
    return code


if __name__ == "__main__":
    sys.path[0] = str(Path.cwd())  # not this file's folder
    code = main(sys.argv[1:])
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
