# SPDX-License-Identifier: GPL-3.0-or-later
"""The report: what is in it, and how its page looks and sorts in a real browser."""

from __future__ import annotations

import base64
import hashlib
import html
import io
import re
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from scripts.batch import progress, report
from scripts.batch.figures import sparsity
from scripts.batch.store import Store, write_atomically

CHROMIUM = next(
    (
        path
        for name in ("chromium", "chromium-browser", "google-chrome")
        if (path := shutil.which(name))
    ),
    "",
)
needs_browser = pytest.mark.skipif(
    not CHROMIUM, reason="no Chromium is installed (on Debian: apt-get install chromium)"
)
NASTY = '<img src=x onerror="document.title=1">'


def row(out: Path, name: str, confidence: float, wall: float, **more: Any) -> dict[str, Any]:
    seconds = {
        "import": 0.1,
        "gather": 0.05,
        "request": wall - 0.5,
        "write": 0.05,
        "save": 0.2,
        "overhead": 0.03,
        "wall": wall,
    }
    contacts = {
        "blink and squint left": 0.02,
        "blink and squint right": 0.0,
        "closed mouth on an open jaw": 0.11,
    }
    return {
        "input": f"/heads/{name}.glb", "output": str(out / f"{name}.blend"),
        "status": "done", "shapes": 67, "confidence": confidence,
        "combinations": contacts, "sparsity": 0.93, "warnings": [],
        "seconds": {**seconds, "backend": {"model": 0.3}},
        "memory_mb": 300 + wall, "host": "here", "line": "", **more,
    }  # fmt: skip


@pytest.fixture
def told(tmp_path: Path) -> tuple[dict[str, Any], Store]:
    """A report of five files, one with a sheet, one with a name that tries to be a script, one
    failed.
    """
    store = Store(tmp_path / "out")
    picture = io.BytesIO()
    Image.new("RGB", (400, 200), (200, 60, 30)).save(picture, "JPEG")
    write_atomically(store.beside("b", ".jpg"), picture.getvalue())
    failed = {
        "input": "/heads/e.glb",
        "status": "failed",
        "error": {"code": "no_face", "message": "No face was found.", "fix": "Name a group."},
    }
    rows = [
        row(store.out, "b", 0.9, 10.0), row(store.out, "a", 0.95, 9.0, status="skipped"), failed,
        row(store.out, NASTY, 0.7, 100.0, warnings=[NASTY, f"</script>{NASTY}", f"'-->{NASTY}"]),
        row(store.out, "c", 0.8, 2.0, lost=["two at tcp://x"]),
    ]  # fmt: skip
    events = [{"time": "12:00:00", "what": "Worker two was lost."}]
    described = {"settings": {"sets": ["arkit"], "strength": 1.0}, "out": str(store.out)}
    return report.summary(rows, 6, True, 120.0, events, described=described), store


def test_the_numbers_of_the_run(told: tuple[dict[str, Any], Store]) -> None:
    summary, _ = told
    assert [
        summary[name] for name in ("made", "skipped", "failed", "left", "done", "interrupted")
    ] == [3, 1, 1, 1, 4, True]
    assert summary["files_per_minute"] == 1.5


def test_the_page_needs_nothing_else_and_runs_nothing_of_the_files(
    told: tuple[dict[str, Any], Store],
) -> None:
    page = report.page(*told)
    assert "<img src=x" not in page and html.escape(NASTY) in page and page.count("</script>") == 1
    assert not re.findall(r'(?:src|href)="(?!data:image/jpeg)', page) and "://" not in page.replace(
        "tcp://x", ""
    )
    assert page.count(">11%</td>") == 4 and page.count(">93.0%</td>") == 4
    assert (
        page.count("<tr>") == 6
        and page.count("data:image/jpeg;base64,") == 1
        and "<!--" not in page
    )
    assert (
        "Was with a worker that was lost: two" in page
        and "No face was found. Name a group. [no_face]" in page
    )


def browse(page: Path, *more: str) -> str:
    """Open a page in headless Chromium; what it prints."""
    profile = page.parent / "profile"
    flags: tuple[str, ...] = (
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
    )
    flags += (
        "--disable-component-update",
        "--disable-sync",
        f"--user-data-dir={profile}",
        "--hide-scrollbars",
    )
    done = subprocess.run(
        [CHROMIUM, *flags, *more, page.as_uri()],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    return done.stdout


def digest(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def policy_of(page: str) -> dict[str, list[str]]:
    """The sources that the page's policy allows, by what they are for."""
    (found,) = re.findall(r'<meta http-equiv="Content-Security-Policy" content="([^"]*)">', page)
    return {words[0]: words[1:] for part in found.split(";") if (words := part.split())}


def test_the_policy_allows_the_pages_own_script_and_styles_and_nothing_else(
    told: tuple[dict[str, Any], Store], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = report.page(*told)
    policy = policy_of(page)
    assert policy.keys() == {
        "default-src",
        "img-src",
        "style-src",
        "script-src",
        "base-uri",
        "form-action",
    }
    assert [policy[name] for name in ("default-src", "base-uri", "form-action", "img-src")] == [
        ["'none'"],
        ["'none'"],
        ["'none'"],
        ["data:"],
    ]
    for kind in ("script", "style"):
        (text,) = re.findall(f"<{kind}[^>]*>(.*?)</{kind}>", page, re.DOTALL)
        assert policy[f"{kind}-src"] == [f"'sha256-{digest(text)}'"]
    assert not re.search(r"""\s(style|on\w+)=["']""", page), (
        "attributes that the policy would not let work"
    )
    changed = tmp_path / "page.html"
    changed.write_text(
        report.TEMPLATE.read_text(encoding="utf-8").replace(
            '"use strict";', '"use strict"; // another'
        ),
        encoding="utf-8",
    )
    monkeypatch.setattr(report, "TEMPLATE", changed)
    assert policy_of(report.page(*told))["script-src"] != policy["script-src"], (
        "the digest is that of the script as it is now"
    )


@needs_browser
def test_in_a_browser_its_own_script_runs_and_no_other(
    told: tuple[dict[str, Any], Store], tmp_path: Path
) -> None:
    page = tmp_path / "report.html"
    foreign = (
        "<script>document.title = 'foreign'</script><b onclick='0' style='color: red'></b><img"
        " src=x onerror=\"document.title='foreign'\">"
    )
    page.write_text(report.page(*told).replace("<tbody>", f"{foreign}<tbody>"), encoding="utf-8")
    dom = browse(page, "--dump-dom")
    assert "<title>Blend shapes: report</title>" in dom and "document.title = 'foreign'" in dom
    assert 'style="--s: ' in dom, "the stages got their widths from the page's own script"


@needs_browser
def test_a_browser_shows_it_and_sorts_it(
    told: tuple[dict[str, Any], Store], tmp_path: Path
) -> None:
    page = tmp_path / "report.html"
    clicks = """<script>
const first = row => row.cells[1].textContent.trim()[0];
const order = () => [...table.tBodies[0].rows].map(first).join("");
const press = name => { heads.find(head => head.textContent === name).firstChild.click();
return order(); };
const seen = {start: order(), file: press("File"), back: press("File"),
  seconds: press("Seconds"), down: press("Seconds"), sure: press("Confidence")};
const sheet = document.querySelector(".sheet"); sheet.click();
seen.large = getComputedStyle(sheet).position;
document.dispatchEvent(new KeyboardEvent("keydown", {key: "Escape"}));
seen.small = getComputedStyle(sheet).position;
seen.picture = document.querySelector(".sheet img").naturalWidth; seen.title = document.title;
document.body.dataset.seen = JSON.stringify(seen);
</script>"""
    text = report.page(*told).replace("</body>", clicks + "</body>")
    ours = f"'sha256-{digest(clicks.removeprefix('<script>').removesuffix('</script>'))}'"
    page.write_text(text.replace("script-src ", f"script-src {ours} "), encoding="utf-8")
    dom = browse(page, "--dump-dom")
    seen = html.unescape(re.search(r'data-seen="([^"]*)"', dom)[1])  # type: ignore[index]
    for name, value in (
        ("start", "bae<c"), ("file", "<abce"), ("back", "ecba<"),
        ("seconds", "cab<e"), ("down", "<bace"), ("sure", "<cbae"),
        ("large", "fixed"), ("title", "Blend shapes: report"),
    ):  # fmt: skip
        assert f'"{name}":"{value}"' in seen, seen
    assert '"picture":400' in seen and '"small":"fixed"' not in seen


@needs_browser
def test_a_browser_draws_it(told: tuple[dict[str, Any], Store], tmp_path: Path) -> None:
    page, shot = tmp_path / "report.html", tmp_path / "shot.png"
    page.write_text(report.page(*told), encoding="utf-8")
    browse(page, f"--screenshot={shot}", "--window-size=1500,700")
    pixels = np.asarray(Image.open(shot).convert("RGB")).astype(int)
    red = (abs(pixels - (200, 60, 30)).sum(axis=2) < 40).sum()
    assert pixels.shape[:2] == (700, 1500) and 120 * 60 * 0.9 < red < 120 * 60 * 1.3, (
        "the sheet is there in its small size"
    )
    assert len(np.unique(pixels.reshape(-1, 3), axis=0)) > 50


def test_the_time_left_is_that_of_files_that_are_made(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    now = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    with progress.shown(200) as show:
        for count in range(1, 101):  # done before
            show.done(count)
        for count in range(101, 126):
            now[0] += 60
            show.done(count)
        for count in range(126, 201):
            show.done(count)
    said = capsys.readouterr().out.splitlines()
    assert said[124] == "[125/200, about 1 h 15 min left]" and len(said) == 199


def test_sparsity_is_the_share_that_stays() -> None:
    neutral = np.zeros((40, 3), np.float32)
    moved = neutral.copy()
    moved[:6, 2] = 0.1
    assert (
        sparsity([moved], neutral) == 0.85
        and sparsity([moved, neutral], neutral) == 0.925
        and sparsity([], neutral) is None
    )
