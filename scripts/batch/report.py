# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run made, as JSON and as one page that needs nothing else: no server, no network, no other
file.
"""

from __future__ import annotations

import base64
import hashlib
import html
import re
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from .pool import STAGES
from .store import Store, as_json, write_atomically

Row = Mapping[str, Any]
TEMPLATE = Path(__file__).with_name("page.html")
CONTACTS = (
    "blink and squint left",
    "blink and squint right",
    "closed mouth on an open jaw",
)  # of the backend's combinations
# heading, what it says when pointed at
COLUMNS = (
    ("Sheet", "every shape at full value; click to enlarge (drawn with --sheets)"),
    ("File", ""),
    ("Status", "done now, done by an earlier run, or failed"),
    ("Shapes", "shape keys that were made"),
    ("Confidence", "how sure it is that this is a face, 0 to 1"),
    (
        "Lids cross L",
        (
            "with blink and squint the left lids pass each other by so much of the eye's opening; 0"
            " is best, below 20 % holds"
        ),
    ),
    ("R", "the same for the right eye"),
    (
        "Lips apart",
        (
            "with jawOpen and mouthClose the lips stay apart by so much of what the jaw opens; 0 is"
            " sealed"
        ),
    ),
    ("Sparsity", "mean share of the vertices that a shape does not move"),
    ("Seconds", "the whole file, as it was when it was made"),
    ("Stages", "seconds in each"),
    ("Memory", "most that Blender and its child held, MB"),
    ("Where", "the machine that made it"),
    ("Notes", "warnings, errors, and what happened on the way"),
)


def summary(
    rows: Sequence[Row],
    asked: int,
    interrupted: bool,
    seconds: float,
    events: Sequence[Row],
    *,
    described: Mapping[str, Any],
) -> dict[str, Any]:
    """The report. asked: how many files there were to do; seconds: the whole run; events: what
    happened to machines.
    """
    failed = sum("error" in row for row in rows)
    skipped = sum(row["status"] == "skipped" for row in rows)
    made = len(rows) - failed - skipped
    return {
        "files": list(rows),
        "done": len(rows) - failed,
        "made": made,
        "skipped": skipped,
        "failed": failed,
        "left": asked - len(rows),
        "interrupted": interrupted,
        "seconds": round(seconds, 2),
        "files_per_minute": round(60 * made / seconds, 2) if made else 0.0,
        "events": list(events),
        "run": dict(described),
    }


def write(path: Path, told: Mapping[str, Any], store: Store) -> None:
    """Write the report to `path`, and its page beside it. Raises OSError."""
    write_atomically(path, as_json(told))
    write_atomically(
        path.with_suffix(".html"), page(told, store).encode("utf-8", "backslashreplace")
    )


def page(told: Mapping[str, Any], store: Store) -> str:
    """The report as HTML."""
    counts = [
        (str(told["made"]), "made"),
        (str(told["skipped"]), "done before"),
        (str(told["failed"]), "failed"),
    ]
    if told["left"]:
        counts.append((str(told["left"]), "left"))
    counts += [
        (f"{told['seconds']:.0f} s", "this run"),
        (f"{told['files_per_minute']:.1f}", "files a minute"),
    ]
    made = [row for row in told["files"] if "error" not in row]
    if made:
        counts.append(
            (f"{statistics.median(row['confidence'] for row in made):.3f}", "median confidence")
        )
        counts.append(
            (f"{max(row.get('memory_mb', 0.0) for row in made):.0f} MB", "most memory of a job")
        )
    tiles = "".join(
        f"<div><b>{html.escape(value)}</b><span>{html.escape(label)}</span></div>"
        for value, label in counts
    )
    heads = "".join(
        f'<th title="{html.escape(hint)}"><button type="button">{html.escape(name)}</button></th>'
        for name, hint in COLUMNS
    )
    body = "\n".join(_row(row, store) for row in told["files"])
    events = "".join(
        f"<li><time>{html.escape(event['time'])}</time> {html.escape(event['what'])}</li>"
        for event in told["events"]
    )
    run = told["run"]
    wanted = run.get("settings", {})
    sizes = f"Strength {wanted.get('strength', 1):g}, style {wanted.get('style', 0.5):g}"
    line = (
        f"Sets: {', '.join(wanted.get('sets', [])) or 'own shapes'}. {sizes}. Output:"
        f" {run.get('out', '')}."
    )
    filled = TEMPLATE.read_text(encoding="utf-8")
    for name, text in (
        ("policy", _policy(filled)),
        ("tiles", tiles),
        ("heads", heads),
        ("rows", body),
        ("line", html.escape(line)),
        ("events", f"<h2>What happened on the way</h2><ul>{events}</ul>" if events else ""),
        ("state", "interrupted" if told["interrupted"] else "complete"),
    ):
        filled = filled.replace(f"<!--{name}-->", text)
    return filled


def _policy(template: str) -> str:
    """The page's Content-Security-Policy: its own script and styles by their digests, pictures that
    are part of it, and nothing else. So whatever a name of a file might smuggle in does not run,
    and nothing is loaded from anywhere.
    """
    own = {
        kind: re.findall(f"<{kind}>(.*?)</{kind}>", template, re.DOTALL)
        for kind in ("script", "style")
    }
    allowed = {
        kind: " ".join(f"'sha256-{_digest(text)}'" for text in texts) for kind, texts in own.items()
    }
    return (
        f"default-src 'none'; img-src data:; style-src {allowed['style']}; script-src"
        f" {allowed['script']}; base-uri 'none'; form-action 'none'"
    )


def _digest(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _row(row: Row, store: Store) -> str:
    name = Path(row["input"]).name
    contacts, seconds = row.get("combinations", {}), row.get("seconds", {})
    status = "failed" if "error" in row else {"skipped": "done before"}.get(row["status"], "made")
    notes = (
        [f"{row['error']['message']} {row['error']['fix']} [{row['error']['code']}]"]
        if "error" in row
        else []
    )
    notes += [f"Was with a worker that was lost: {name}." for name in row.get("lost", [])]
    notes += [f"Tried before: {error['message']}" for error in row.get("tried", [])]
    notes += [str(warning) for warning in row.get("warnings", [])]
    taken = [(stage, float(seconds[stage])) for stage in (*STAGES, "overhead") if stage in seconds]
    stages = "".join(
        f'<i data-seconds="{max(took, 0):.3f}" data-stage="{stage}"'
        f' title="{stage} {took:.2f} s"></i>'
        for stage, took in taken
    )
    backend = "; ".join(
        f"{stage} {value:.2f}" for stage, value in seconds.get("backend", {}).items()
    )
    told = ", ".join(f"{stage} {took:.2f}" for stage, took in taken)
    cells = [
        (_sheet(row, store), ""),
        (f'<span title="{html.escape(row["input"])}">{html.escape(name)}</span>', name.lower()),
        (f'<span class="{status.partition(" ")[0]}">{status}</span>', status),
        _number(row.get("shapes"), "d"),
        _number(row.get("confidence"), ".3f"),
        *(_number(contacts.get(name), ".0%") for name in CONTACTS),
        _number(row.get("sparsity"), ".1%"),
        _number(seconds.get("wall"), ".2f"),
        (
            (
                "<details><summary"
                f' class="stages">{stages}</summary>{html.escape(told)}<br>backend:'
                f" {html.escape(backend)}</details>"
                if told
                else ""
            ),
            "",
        ),
        _number(row.get("memory_mb"), ".0f"),
        (
            html.escape(str(row.get("worker", row.get("host", "")))),
            str(row.get("worker", row.get("host", ""))),
        ),
        (_notes(notes), str(len(notes))),
    ]
    return (
        "<tr>"
        + "".join(
            f'<td data-sort="{html.escape(str(key), quote=True)}">{shown}</td>'
            for shown, key in cells
        )
        + "</tr>"
    )


def _notes(notes: Sequence[str]) -> str:
    """The first note, and the others behind it."""
    told = [html.escape(note) for note in notes]
    return (
        "".join(told[:1])
        if len(told) < 2
        else (
            f"<details><summary>{told[0]} (+{len(told) - 1})</summary>"
            f"{'<br>'.join(told[1:])}</details>"
        )
    )


def _number(value: float | None, form: str) -> tuple[str, str]:
    """How a number is shown, and what it is sorted by."""
    return ("", "") if value is None else (format(value, form), repr(float(value)))


def _sheet(row: Row, store: Store) -> str:
    """The contact sheet inside the page, or nothing."""
    output = row.get("output")
    if output is None:
        return ""
    path = store.beside(Path(output).relative_to(store.out).with_suffix("").as_posix(), ".jpg")
    if not path.is_file():
        return ""
    data = base64.b64encode(path.read_bytes()).decode()
    return (
        f'<button type="button" class="sheet"><img alt="shapes of {html.escape(Path(output).stem)}"'
        f' src="data:image/jpeg;base64,{data}"></button>'
    )
