# SPDX-License-Identifier: GPL-3.0-or-later
"""One fuzzed target in a process of its own, coverage-guided by Atheris (libFuzzer): python run.py
TARGET CORPUS [libFuzzer's options]
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import atheris
import numpy
import onnxruntime  # noqa: F401  (native packages first, so that only our own code is instrumented)

with atheris.instrument_imports(include=["backend", "fuzzed_extension"]):
    sys.path.insert(0, str(Path(__file__).parent))
    import targets

    for module in ("errors", "job.tables", "tracking.packets", "tracking.recordings"):
        targets.addon(module)


def main() -> None:
    name = sys.argv.pop(1)
    one = targets.TARGETS[name]
    numpy.seterr(all="ignore")
    atheris.Setup(sys.argv, one)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
