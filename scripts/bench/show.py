# SPDX-License-Identifier: GPL-3.0-or-later
"""The benchmark's report for people: tables, a recommendation, and a plot as SVG."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from xml.sax.saxutils import escape

COLOURS = ("#2f6fb3", "#c8502f", "#3f8f4f", "#8a5bb5", "#b38a1f", "#4a4a4a")
TARGETS = {
    "int8_to_fp32": 0.6,
    "ort_to_torch": 0.5,
    "growth_70k_10k": 7.5,
    "memory_above_answer_mb": 150,
    "cold_start_s": 1.0,
    "auto_threads_to_best": 1.15,
    "shapes52_20k_s": 1.0,
}


def text(report: Mapping[str, Any]) -> str:
    """Everything as aligned text."""
    machine = report["hardware"]
    lines = [
        (
            f"{machine['cpu']}, {machine['physical_cores']} cores, {machine['memory_mb']} MB, GPUs:"
            f" {', '.join(machine['gpus']) or 'none seen'}"
        ),
        (
            f"onnxruntime {report['onnxruntime']}, model {report['model']}, load average"
            f" {report['load_average']}"
        ),
        "",
    ]
    columns = (
        "provider",
        "precision",
        "batch",
        "vertices",
        "mean",
        "std",
        "min",
        "max",
        "p50",
        "p99",
        "vertices_per_s",
        "to_bare",
        "peak_memory_mb",
    )
    lines += table([{**row} for row in report["cells"] if "error" not in row], columns)
    lines += [
        f"{row['provider']} {row['precision']}: {row['error']}"
        for row in report["cells"]
        if "error" in row
    ]
    lines += [
        "",
        *table(
            report["growth"],
            (
                "vertices",
                "face_vertices",
                "seconds",
                "peak_memory_mb",
                "answer_mb",
                "above_answer_mb",
            ),
        ),
        "",
    ]
    for name, value in report["figures"].items():
        verdict = "" if value is None else "kept" if value <= TARGETS[name] else "MISSED"
        lines.append(
            f"{name:<24}{'not measured' if value is None else value:>14}   target <="
            f" {TARGETS[name]:<6g}{verdict}"
        )
    return "\n".join([*lines, "", f"Recommended: {report['recommendation']}"])


def table(rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> list[str]:
    """Rows as lines, numbers to the right."""
    cells = [list(columns), *([str(row.get(column, "")) for column in columns] for row in rows)]
    widths = [max(len(line[index]) for line in cells) for index in range(len(columns))]
    return [
        "  ".join(value.rjust(width) for value, width in zip(line, widths, strict=True))
        for line in cells
    ]


def recommend(cells: Sequence[Mapping[str, Any]]) -> str:
    """The provider and precision that did the largest measured head alone fastest, and by how
    much.
    """
    done = [row for row in cells if "error" not in row and row["batch"] == 1]
    if not done:
        return "nothing could be measured"
    largest = max(row["vertices"] for row in done)
    ranked = sorted(
        (row for row in done if row["vertices"] == largest), key=lambda row: float(row["p50"])
    )
    best, rest = ranked[0], ranked[1:]
    words = (
        f"provider {best['provider']}, precision {best['precision']}: {best['p50']:.3f} s for"
        f" {largest} vertices"
    )
    return words + "".join(
        f", {row['p50'] / best['p50']:.2f} times as fast as {row['provider']} {row['precision']}"
        for row in rest[:1]
    )


def plot(report: Mapping[str, Any]) -> str:
    """Seconds over vertices, a line for each provider, precision and batch, as SVG."""
    lines: dict[str, list[tuple[float, float]]] = {}
    for row in report["cells"]:
        if "error" not in row:
            lines.setdefault(
                f"{row['provider']} {row['precision']}, {row['batch']} at a time", []
            ).append((row["vertices"], row["p50"]))
    width, height, left, bottom = 760, 420, 70, 50
    most_x = max((x for points in lines.values() for x, _ in points), default=1.0)
    most_y = max((y for points in lines.values() for _, y in points), default=1.0)

    def at(x: float, y: float) -> str:
        right = left + x / most_x * (width - left - 230)
        down = height - bottom - y / most_y * (height - bottom - 40)
        return f"{right:.1f},{down:.1f}"

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}"'
        ' font-family="sans-serif" font-size="12">'
    ]
    parts += [
        f'<rect width="{width}" height="{height}" fill="white"/>',
        f'<text x="{left}" y="20">{escape(_title(report))}</text>',
    ]
    for step in range(5):
        x, y = most_x * step / 4, most_y * step / 4
        (x_at, _), (_, y_at) = at(x, 0).split(","), at(0, y).split(",")
        parts.append(
            f'<line x1="{left}" x2="{at(most_x, 0).split(",")[0]}" y1="{y_at}" y2="{y_at}"'
            ' stroke="#ddd"/>'
        )
        parts.append(
            f'<text x="{left - 8}" y="{y_at}" text-anchor="end"'
            f' dominant-baseline="middle">{y:.2f}</text>'
        )
        parts.append(
            f'<text x="{x_at}" y="{height - bottom + 18}" text-anchor="middle">{x / 1000:g}k</text>'
        )
    parts.append(f'<text x="{left}" y="{height - 10}">vertices; upwards: seconds (median)</text>')
    for index, (name, points) in enumerate(lines.items()):
        colour, y = COLOURS[index % len(COLOURS)], 50 + 18 * index
        parts.append(
            f'<polyline fill="none" stroke="{colour}" stroke-width="2"'
            f' points="{" ".join(at(*point) for point in sorted(points))}"/>'
        )
        parts += [
            f'<circle cx="{at(*point).split(",")[0]}" cy="{at(*point).split(",")[1]}" r="3"'
            f' fill="{colour}"/>'
            for point in points
        ]
        parts.append(f'<rect x="{width - 215}" y="{y - 9}" width="12" height="4" fill="{colour}"/>')
        parts.append(f'<text x="{width - 198}" y="{y}">{escape(name)}</text>')
    return "\n".join([*parts, "</svg>", ""])


def _title(report: Mapping[str, Any]) -> str:
    return f"{report['model']} on {report['hardware']['cpu']}, onnxruntime {report['onnxruntime']}"
