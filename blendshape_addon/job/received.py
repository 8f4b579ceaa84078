# SPDX-License-Identifier: GPL-3.0-or-later
"""A request that was sent, and what the child has said about it so far."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..blender_io.avatar import Target, landmarks_of
from ..blender_io.findings import Finding
from ..errors import AddonError
from ..process.backend_process import Backend
from ..process.exits import error_of
from ..shared_protocol import Message

Floats = NDArray[np.float32]
Ints = NDArray[np.int32]
REPORTED = frozenset(
    {"warnings", "seconds", "vertices", "face_vertices", "confidence"}
)  # what is used of a report


class Received:
    """landmarks: the face's, in its object's space. indices: int32 (F,) of the vertices that may
    move. blocks: names of shapes, how sure each is, and offsets float32 (N,F,3). findings: what is
    known of the scene and of the face. seconds: by step.
    """

    def __init__(self, face: Target, backend: Backend) -> None:
        self.stage, self.fraction, self.finished = "start", 0.0, False
        self.landmarks: dict[str, tuple[float, float, float]] = {}
        self.indices: Ints = np.empty(0, np.int32)
        self.blocks: list[tuple[list[str], list[float], Floats]] = []
        self.report: dict[str, Any] = {}
        self.findings: list[Finding] = []
        self.seconds: dict[str, float] = {}
        self._face, self._backend = face, backend
        self._sent, self._request = time.perf_counter(), -1

    @property
    def seconds_left(self) -> float | None:
        """An estimate from how far it is; None while there is too little to tell by."""
        elapsed = time.perf_counter() - self._sent
        return (
            elapsed * (1 - self.fraction) / self.fraction
            if self.fraction > 0.08 and not self.finished
            else None
        )

    def take(self, messages: Iterable[Message]) -> None:
        """Take what the child said; `finished` tells whether that was all.

        Raises AddonError: the child's own, and `protocol` for answers that are not as agreed; then
        the child is ended.
        """
        for message in messages:
            if message.header.get("id") != self._request:
                continue  # of a request that was cancelled
            try:
                self._take(message)
            except (KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
                what = f"The backend's answer is not as agreed ({type(error).__name__}: {error})."
                raise self._backend.fail(
                    AddonError("protocol", what, "Reinstall the extension; the log tells more.")
                ) from error

    def _take(self, message: Message) -> None:
        """Take one answer. Raises AddonError for `error`, and what Python raises for one that is
        malformed.
        """
        header = message.header
        if header["type"] == "progress":
            self.stage, self.fraction = str(header["stage"]), float(header["fraction"])
        elif header["type"] == "face":
            self.indices = message.arrays["indices"].astype(np.int32, copy=False).reshape(-1)
            landmarks = {
                str(name): (float(p[0]), float(p[1]), float(p[2]))
                for name, p in header.get("landmarks", {}).items()
            }
            self.landmarks = landmarks_of(self._face, landmarks)
        elif header["type"] == "shapes":
            names, offsets = (
                [str(name) for name in header["names"]],
                message.arrays["offsets"].astype(np.float32, copy=False),
            )
            sure = [float(c) for c in header.get("confidence", [1.0] * len(names))]
            if offsets.shape != (len(names), len(self.indices), 3) or len(sure) != len(names):
                raise ValueError(
                    f"{len(names)} names for offsets {offsets.shape} of"
                    f" {len(self.indices)} vertices"
                )
            self.blocks.append((names, sure, offsets))
        elif header["type"] == "error":
            raise error_of(message)
        elif header["type"] == "done":
            self._take_report(header["report"])

    def _take_report(self, report: Mapping[str, Any]) -> None:
        self.report = {**report}
        missing = REPORTED - set(self.report)
        if missing:
            raise KeyError(*sorted(missing))
        for each in self.report.get("poses", ()):
            if not {"name", "shapes", "value", "words"} <= each.keys():
                raise KeyError(*each)
        for each in self.report.get("findings", []):
            self.findings.append(
                Finding(
                    str(each["code"]),
                    shapes=tuple(map(str, each["shapes"])),
                    told=str(each["words"]),
                )
            )
        self.finished, self.fraction = True, 1.0
        self.seconds["request"] = time.perf_counter() - self._sent

    def cancel(self) -> None:
        """Give the request up; what the child still says about it is ignored."""
        self._backend.cancel(self._request)
        self._backend.poll()

    def offsets(self) -> tuple[list[str], Floats]:
        """The shapes as they came: names, offsets float32 (N,F,3) of `indices` in the face's
        object's space.
        """
        names = [name for block, _sure, _offsets in self.blocks for name in block]
        offsets = [block for *_, block in self.blocks]
        return names, (
            np.concatenate(offsets) if offsets else np.empty((0, len(self.indices), 3), np.float32)
        )
