# SPDX-License-Identifier: GPL-3.0-or-later
"""The Prometheus text as Prometheus' own parser reads it: sums that are sums, counters that never
fall, and a file that appears whole.
"""

from __future__ import annotations

import math
import os
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fixtures.meshes import figure
from prometheus_client.parser import text_string_to_metric_families

from backend.errors import BackendError
from backend.inference.metrics import MOST_TIMES, Metrics
from scripts.tools.client import Client

OTHERS = {"sessions": 2, "models_evicted_total": 0, "thread_trials_total": 1}
Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


def read(text: str) -> tuple[Samples, dict[str, str]]:
    """Samples by name and labels, and each family's type; every family must say what it is, and no
    sample may come twice.
    """
    samples: Samples = {}
    types: dict[str, str] = {}
    for family in text_string_to_metric_families(text):
        assert family.documentation, family.name
        assert family.name not in types and family.type != "unknown", family.name
        types[family.name] = family.type
        for sample in family.samples:
            key = sample.name, tuple(sorted(sample.labels.items()))
            assert key not in samples and math.isfinite(sample.value), key
            samples[key] = sample.value
    return samples, types


def fed(
    metrics: Metrics,
    seconds: dict[str, float],
    kind: str = "generate",
    provider: str = "CPU",
    met: bool = True,
) -> None:
    metrics.begin()
    metrics.done(kind, {"provider_active": provider, "seconds": seconds, "targets": {"met": met}})


def never_fell(before: Samples, after: Samples, types: dict[str, str]) -> bool:
    """Whether every counter, and every sum and count of a summary, is at least what it was."""
    counted = [key for key in before if key[0].endswith(("_total", "_sum", "_count"))]
    assert counted and all(
        types.get(name.rsplit("_", 1)[0]) in ("counter", "summary") for name, _ in counted
    )
    return all(after[key] >= before[key] for key in counted)


def test_over_2000_requests_the_sum_is_the_sum_and_nothing_falls() -> None:
    rng, metrics = np.random.default_rng(5), Metrics()
    totals: list[float] = []
    before: Samples = {}
    for number in range(2000):
        totals.append(float(rng.uniform(0, rng.choice((1e-4, 3.0, 900.0)))))
        fed(metrics, {"model": totals[-1] / 3, "total": totals[-1]}, met=number % 3 == 0)
        if number % 7 == 0:
            metrics.failed("no_face")
        if number % 10 == 0:
            samples, types = read(metrics.prometheus(OTHERS))
            assert never_fell(before or samples, samples, types)
            before = samples
    samples, types = read(metrics.prometheus(OTHERS))
    assert never_fell(before, samples, types)
    labels = (("provider", "CPU"), ("request", "generate"), ("stage", "total"))
    assert samples["blendshape_seconds_sum", labels] == pytest.approx(math.fsum(totals), rel=1e-12)
    assert (
        samples["blendshape_seconds_count", labels]
        == samples["blendshape_requests_total", ()]
        == 2000
    )
    assert (
        samples["blendshape_targets_total", (("met", "true"),)] == 667
        and samples["blendshape_targets_total", (("met", "false"),)] == 1333
    )
    assert samples["blendshape_errors_total", (("code", "no_face"),)] == 286
    assert (
        types["blendshape_seconds"] == "summary"
        and types["blendshape_models_evicted"] == "counter"
        and types["blendshape_sessions"] == "gauge"
    )
    last = sorted(totals[-MOST_TIMES:])
    for share in ("0.5", "0.95", "0.99"):
        told = samples["blendshape_seconds", tuple(sorted((*labels, ("quantile", share))))]
        assert told == round(last[math.ceil(MOST_TIMES * float(share)) - 1], 4)
    assert samples["blendshape_seconds_max", labels] == round(max(totals), 4)


def test_a_sum_does_not_fall_by_seconds_that_are_none() -> None:
    metrics = Metrics()
    for seconds in (0.25, -3.0, float("nan"), float("inf")):
        fed(metrics, {"total": seconds})
    samples, _ = read(metrics.prometheus(OTHERS))
    labels = (("provider", "CPU"), ("request", "generate"), ("stage", "total"))
    assert (
        samples["blendshape_seconds_sum", labels] == 0.25
        and samples["blendshape_seconds_count", labels] == 4
    )


@pytest.mark.parametrize("name", ['a"b', "a\\b", "a\nb", 'grpc://h:1",x="\\\n', "数"])
def test_labels_come_back_as_they_were(name: str) -> None:
    metrics = Metrics()
    fed(metrics, {name: 1.0}, provider=name)
    samples, _ = read(metrics.prometheus(OTHERS))
    assert (
        samples[
            "blendshape_seconds_sum", (("provider", name), ("request", "generate"), ("stage", name))
        ]
        == 1.0
    )


def test_a_real_childs_metrics_add_up(tiny: Path, tmp_path: Path) -> None:
    mesh, target = figure(), tmp_path / "m.prom"
    fields: dict[str, Any] = {
        "sets": ["vrchat"],
        "bones": mesh.bones,
        "up": mesh.up,
        "model": str(tiny),
    }
    reports: list[dict[str, Any]] = []
    before: Samples = {}
    with Client(preferences={"metrics": str(target), "threads": 1}) as client:
        for _ in range(3):
            reports.append(client.report("generate", fields, mesh.arrays()))
            samples, types = read(target.read_text(encoding="utf-8"))
            assert never_fell(before or samples, samples, types)
            before = samples
    labels = (("provider", "CPUExecutionProvider"), ("request", "generate"), ("stage", "total"))
    assert samples["blendshape_seconds_sum", labels] == pytest.approx(
        sum(report["seconds"]["total"] for report in reports), rel=1e-12
    )
    assert samples["blendshape_seconds_count", labels] == 3


def test_a_request_that_fails_is_in_the_file_too(tiny: Path, tmp_path: Path) -> None:
    mesh, target = figure(), tmp_path / "m.prom"
    with Client(preferences={"metrics": str(target), "threads": 1}) as client:
        with pytest.raises(BackendError):
            client.report("generate", {"sets": ["none"], "model": str(tiny)}, mesh.arrays())
        samples, _ = read(target.read_text(encoding="utf-8"))
    assert (
        samples["blendshape_errors_total", (("code", "unknown_set"),)] == 1
        and samples["blendshape_requests_total", ()] == 1
    )


def test_writers_at_once_leave_the_newest_text(tmp_path: Path) -> None:
    metrics, target = Metrics(), tmp_path / "m.prom"

    def work() -> None:
        for _ in range(10):
            fed(metrics, {"total": 0.1})
            assert metrics.write(str(target), OTHERS) == ""

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert read(target.read_text(encoding="utf-8"))[0]["blendshape_requests_total", ()] == 40
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.skipif(os.name == "nt", reason="links need a right of their own on Windows")
def test_links_that_somebody_planted_are_not_written_through(tmp_path: Path) -> None:
    private, target = tmp_path / "private", tmp_path / "m.prom"
    private.write_text("mine", encoding="utf-8")
    for name in ("m.prom", "m.prom.part", ".m.prom.part"):
        (tmp_path / name).symlink_to(private)
    assert Metrics().write(str(target), OTHERS) == ""
    assert private.read_text(encoding="utf-8") == "mine" and not target.is_symlink()
    assert read(target.read_text(encoding="utf-8"))[0]["blendshape_requests_total", ()] == 0


@pytest.mark.skipif(os.name == "nt", reason="rights are other things on Windows")
@pytest.mark.parametrize(("mask", "mode"), [(0o022, 0o644), (0o077, 0o600)])
def test_a_written_file_has_the_rights_that_the_umask_leaves(
    tmp_path: Path, mask: int, mode: int
) -> None:
    old = os.umask(mask)
    try:
        assert Metrics().write(str(tmp_path / "m.prom"), OTHERS) == ""
    finally:
        os.umask(old)
    assert (tmp_path / "m.prom").stat().st_mode & 0o777 == mode


def test_metrics_that_cannot_be_written_are_a_warning_of_the_report(
    tiny: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    mesh, target = figure(), tmp_path / "no" / "m.prom"
    fields: dict[str, Any] = {
        "sets": ["vrchat"],
        "bones": mesh.bones,
        "up": mesh.up,
        "model": str(tiny),
    }
    with Client(preferences={"metrics": str(target), "threads": 1}) as client:
        for _ in range(2):
            assert any(
                str(target) in warning
                for warning in client.report("generate", fields, mesh.arrays())["warnings"]
            )
    assert capfd.readouterr().err.count(str(target)) == 1, "the log says it once"


def test_numbers_are_told_without_loss() -> None:
    metrics = Metrics()
    values = np.random.default_rng(2).uniform(0, 1, 50)
    for value in values:
        fed(metrics, {"total": float(value)})
    total = float(np.cumsum(values)[-1])
    assert metrics.summary()["stages"][0]["sum"] == total
    assert (
        f'blendshape_seconds_sum{{request="generate",stage="total",provider="CPU"}} {total!r}'
        in metrics.prometheus(OTHERS)
    )


def test_a_file_that_cannot_be_written_is_one_sentence_without_a_code(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for path in (tmp_path / "file" / "m.prom", Path("a\0b")):
        told = Metrics().write(str(path), {})
        assert (
            told.startswith("The metrics were not written: ")
            and "output_unwritable" not in told
            and "<" not in told
        ), told
    assert str(tmp_path / "file") in Metrics().write(str(tmp_path / "file" / "m.prom"), {})
