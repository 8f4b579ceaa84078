# SPDX-License-Identifier: GPL-3.0-or-later
"""What happened in one request: times, memory, confidence, findings, warnings."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from ..face.analyse import rest
from ..face.geometry.mesh import AvatarMesh
from ..face.shapes.combinations import Combination
from ..inference.hardware import peak_memory_mb
from ..inference.models import Model


@dataclass
class Report:
    """What happened in one request; `as_dict` is what travels. seconds: by stage. Memory in MiB.
    combinations: see face/shapes/combinations.py; poses: those that do not hold. findings: of
    face/analyse/rest.py. Both as plain data; their words are among the warnings, too.
    """

    vertices: int
    loaded: Model
    seconds: dict[str, float] = field(default_factory=dict)
    face_vertices: int = 0
    shapes: int = 0
    confidence: float = 0.0
    warnings: list[str] = field(default_factory=list)
    findings: list[dict[str, Any]] = field(default_factory=list)
    peak_memory_mb: float = 0.0
    combinations: dict[str, float] = field(default_factory=dict)
    poses: list[dict[str, Any]] = field(default_factory=list)

    @property
    def model(self) -> str:
        """The model's name."""
        return self.loaded.info.name

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON, seconds rounded to 0.1 ms and memory to 0.1 MiB; what the model runs
        on is told as it is now.
        """
        own = {name: value for name, value in vars(self).items() if name != "loaded"}
        own["seconds"] = {stage: round(value, 4) for stage, value in self.seconds.items()}
        return {
            **own,
            "model": self.model,
            **self.loaded.engine(),
            "peak_memory_mb": round(peak_memory_mb(), 1),
        }

    def found(self, findings: Sequence[rest.Finding]) -> None:
        """Take over what the face at rest is like."""
        self.confidence = rest.of_face(self.confidence, findings)
        self.warnings.extend(finding.words for finding in findings)
        self.findings.extend(finding.as_dict() for finding in findings)

    def held(self, poses: Sequence[Combination]) -> None:
        """Take over how shapes that are driven together hold."""
        self.combinations = {pose.name: round(pose.value, 3) for pose in poses}
        self.poses = [
            {
                "name": pose.name,
                "shapes": list(pose.conditions),
                "value": round(pose.value, 3),
                "words": f"Check {pose.words}.",
            }
            for pose in poses
            if not pose.good
        ]
        self.warnings.extend(str(pose["words"]) for pose in self.poses)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Add the time spent inside to `seconds[name]`."""
        start = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - start


def new_report(mesh: AvatarMesh, model: Model) -> Report:
    """A report that holds what is known before the work begins."""
    return Report(len(mesh.vertices), model, warnings=model.warnings)
