# SPDX-License-Identifier: GPL-3.0-or-later
"""How long things take on this machine and how much memory they need: sessions, whole requests,
starts; and the figures that are promised.

What is compared is measured in one run and in turns. Whole requests go to a real child over its
pipe.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from backend.errors import BackendError
from backend.face.geometry.mesh import AvatarMesh
from backend.inference.hardware import hardware
from backend.inference.loading import load_model
from backend.inference.runtime import available, runtime_version
from backend.inference.settings import SETTINGS, Settings, chosen
from scripts.bench import show
from scripts.bench.cells import against_libraries, cell, int8_against_fp32, threads_trial
from scripts.bench.requests import Requests
from scripts.bench.timing import egg_head

MAX_VERTICES = 2_000_000
MAX_BATCH = 64
FULL = 20_000  # vertices of the head that figures are about


@dataclass(frozen=True)
class Plan:
    """What to measure. providers and precisions: () for all that are there. quick: small heads and
    few runs, to see that all of it works.
    """

    vertices: tuple[int, ...] = (10_000, 15_000, 20_000, 70_000)
    batches: tuple[int, ...] = (1, 4, 8)
    providers: tuple[str, ...] = ()
    precisions: tuple[str, ...] = ()
    repeat: int = 5
    quick: bool = False

    def check(self) -> None:
        """Raise BackendError `setting_invalid` for what cannot be measured."""
        wrong = [f"--vertices {n}" for n in self.vertices if not 1 <= n <= MAX_VERTICES]
        wrong += [f"--batch {n}" for n in self.batches if not 1 <= n <= MAX_BATCH]
        wrong += [f"--repeat {self.repeat}"] if not 1 <= self.repeat <= 1000 else []
        if wrong or not self.vertices or not self.batches:
            what = ", ".join(wrong) or "nothing"
            fix = (
                f"Use vertices from 1 to {MAX_VERTICES}, batches from 1 to {MAX_BATCH}, repeat from"
                " 1 to 1000."
            )
            raise BackendError("setting_invalid", f"{what} cannot be measured.", fix)
        for name, values in (("provider", self.providers), ("precision", self.precisions)):
            for value in values:
                if value not in SETTINGS[name].choices:
                    raise BackendError(
                        "setting_invalid",
                        f"There is no {name} {value!r}.",
                        f"Choose from {SETTINGS[name].allowed}.",
                    )


def benchmark(
    plan: Plan, mesh: AvatarMesh | None, path: Path | None, settings: Settings
) -> dict[str, Any]:
    """Measure; a dictionary for JSON. Without a mesh, requests are about a head that says where its
    landmarks are.

    Raises BackendError: `setting_invalid`, and whatever loading the model or a request itself
    raises.
    """
    plan.check()
    if plan.quick:
        plan = replace(plan, vertices=(1_000, 2_000), batches=(1, 2), repeat=2)
    sizes = (plan.vertices[0], plan.vertices[-1]) if plan.quick else (10_000, 70_000)
    count = plan.vertices[-1] if plan.quick else FULL
    model = load_model(path, settings)
    model.try_threads()
    head = egg_head(count) if mesh is None else mesh
    requests = Requests(path, chosen(settings), model.info.condition_names)
    on_cpu = replace(
        settings, provider="cpu", server=""
    )  # what threads and other libraries are compared on, wherever the model runs
    report: dict[str, Any] = {
        "hardware": asdict(hardware()),
        "onnxruntime": runtime_version(),
        "model": model.info.name,
        "load_average": round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None,
        "repeat": plan.repeat,
        "cells": _cells(plan, path, settings),
        "cold_start": requests.cold_start(head, min(plan.repeat, 5)),
        "request": requests.frame_to_frame(model, head, plan.repeat),
        "growth": requests.growth(sizes, plan.repeat),
        "int8": (
            int8_against_fp32(path, on_cpu, (1, model.threads), plan.vertices[-1], plan.repeat)
            if "int8" in (plan.precisions or ("int8",))
            else {}
        ),
        "libraries": against_libraries(load_model(path, on_cpu), count, plan.repeat),
        "threads": (
            threads_trial(path, on_cpu, count // 2, plan.repeat)
            if model.decoder is not None and not settings.threads
            else None
        ),
    }
    report["figures"] = figures(report, plan.quick)
    report["recommendation"] = show.recommend(report["cells"])
    return report


def figures(report: dict[str, Any], quick: bool) -> dict[str, float | None]:
    """The promised figures, None for what was not measured: what is about 10k, 20k or 70k vertices
    is not measured in a quick run.

    memory_above_answer_mb: the child's highest resident memory during a request for 70k vertices,
    interpreter and libraries included, less the size of the offsets it answers with. ort_to_torch:
    with the decoder's whole head at once in PyTorch, on the threads chosen here.
    """
    libraries, growth, threads = report["libraries"], report["growth"], report["threads"]
    torch = libraries["torch"] or {}
    chosen = torch.get(str(report["request"]["threads_bare"])) or torch.get("1") or {}
    return {
        "int8_to_fp32": (
            report["int8"].get(str(report["request"]["threads_bare"]), {}).get("to_fp32")
        ),
        "ort_to_torch": chosen.get("ort_to_at_once"),
        "growth_70k_10k": None if quick else round(growth[1]["seconds"] / growth[0]["seconds"], 2),
        "memory_above_answer_mb": None if quick else growth[1]["above_answer_mb"],
        "cold_start_s": report["cold_start"]["first_shapes_s"],
        "auto_threads_to_best": (
            None
            if threads is None
            else max(threads[state]["auto_to_best"] for state in ("idle", "busy"))
        ),
        "shapes52_20k_s": None if quick else report["request"]["request"]["p50"],
    }


def _cells(plan: Plan, path: Path | None, settings: Settings) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    providers: Sequence[str] = plan.providers or available()
    for provider in providers:
        for precision in plan.precisions or ("fp32", "fp16", "int8"):
            about = {"provider": provider, "precision": precision}
            try:
                model = load_model(
                    path,
                    replace(
                        settings, provider=provider, precision=precision, strict=True, server=""
                    ),
                )
                rows += [
                    about | cell(model, heads, count, plan.repeat)
                    for heads in plan.batches
                    for count in plan.vertices
                ]
                model.close()
            except BackendError as error:
                rows.append(about | {"error": error.message})
    return rows
