# SPDX-License-Identifier: GPL-3.0-or-later
"""One side of one round of `dev.py bench --against`: starts a child of the backend that PYTHONPATH
leads to, and times requests to it.

python scripts/bench/runner.py REPEAT NAME=MESH.npz [NAME=MESH.npz ...]

It imports nothing of its own tree, and of the side only `backend.protocol`, so that it also drives
revisions that lack what came later. Prints a line of JSON: cold_s, from the start of the child to
the first shapes of the first mesh; request_s, per mesh the median of REPEAT requests after one that
does not count, first byte to last; peak_mb, the child's highest resident memory in MiB; shapes, per
mesh how many came.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, BinaryIO, cast

import numpy as np

from backend.protocol import read_message, write_message

LARGER = 2.0**-20  # as a share, from one request to the next: some units in the last place
ARRAYS = (
    "vertices",
    "triangles",
    "head_weights",
    "mask",
)  # of a request; the last two may be missing


def read(path: Path) -> dict[str, Any]:
    """The arrays of a request: vertices float32 (V,3), triangles int32 (T,3) and, if the file has
    them, head_weights (V,) and mask (V,).
    """
    with np.load(path, allow_pickle=False) as file:
        found = {name: file[name] for name in ARRAYS if name in file.files}
    return {
        name: np.ascontiguousarray(array, np.int32 if name == "triangles" else np.float32)
        for name, array in found.items()
    }


class Child:
    """The child process of this side. Raises RuntimeError with what it says when it answers with an
    error or ends.
    """

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "backend", "serve"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self.stdin, self.stdout = (
            cast(BinaryIO, self.process.stdin),
            cast(BinaryIO, self.process.stdout),
        )
        self.last = 0
        self.hello = self.message()

    def message(self) -> Any:
        """The next message."""
        found = read_message(self.stdout)
        if found is None:
            raise RuntimeError(f"the child ended with exit code {self.process.wait()}")
        if found.header["type"] == "error":
            raise RuntimeError(f"the child says: {found.header.get('message')}")
        return found

    def request(self, arrays: dict[str, Any]) -> tuple[float, float, int]:
        """One request for ARKit's shapes: the moments (perf_counter) of the first shapes and of the
        end, and how many shapes there were.
        """
        self.last += 1
        # a little larger each time: a face that was found is not looked for again
        arrays = arrays | {"vertices": arrays["vertices"] * np.float32(1 + self.last * LARGER)}
        write_message(self.stdin, {"type": "generate", "id": self.last, "sets": ["arkit"]}, arrays)
        first, shapes = 0.0, 0
        while (message := self.message()).header["type"] != "done":
            if message.header["type"] == "shapes":
                first = first or time.perf_counter()
                shapes += len(message.header["names"])
        return first, time.perf_counter(), shapes

    def close(self) -> float:
        """End it; its highest resident memory in MiB."""
        peak = 0.0
        if sys.platform == "linux":  # ru_maxrss would begin with the size of this process
            status = Path(f"/proc/{self.process.pid}/status").read_text(
                encoding="ascii", errors="replace"
            )
            peak = next(
                (
                    int(line.split()[1]) / 1024
                    for line in status.splitlines()
                    if line.startswith("VmHWM:")
                ),
                0.0,
            )
        elif sys.platform == "win32":
            import psutil

            peak = psutil.Process(self.process.pid).memory_info().peak_wset / 2**20
        self.stdin.close()
        self.process.wait()
        if sys.platform not in ("linux", "win32"):
            import resource

            used = resource.getrusage(
                resource.RUSAGE_CHILDREN
            ).ru_maxrss  # in bytes on macOS, in KiB on other systems
            peak = used / 2**20 if sys.platform == "darwin" else used / 1024
        return peak


def main() -> int:
    repeat = int(sys.argv[1])
    meshes = {
        name: read(Path(path))
        for name, _, path in (argument.partition("=") for argument in sys.argv[2:])
    }
    began = time.perf_counter()
    child = Child()
    cold, requests, shapes = 0.0, {}, {}
    try:
        for name, arrays in meshes.items():
            first, _, shapes[name] = child.request(arrays)
            cold = cold or first - began
            seconds = []
            for _ in range(repeat):
                start = time.perf_counter()
                seconds.append(child.request(arrays)[1] - start)
            requests[name] = statistics.median(seconds)
        peak = child.close()
    finally:
        child.process.kill()
        child.process.wait()
    print(json.dumps({"cold_s": cold, "request_s": requests, "peak_mb": peak, "shapes": shapes}))
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (RuntimeError, OSError) as error:
        sys.exit(f"runner: {error}")
