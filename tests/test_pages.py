# SPDX-License-Identifier: GPL-3.0-or-later
"""The README in two languages, its pictures, and the docs site."""

from __future__ import annotations

import json
import os
import re
import subprocess
from functools import cache
from pathlib import Path

import pytest
from PIL import Image

from backend.face.shapes.shape_sets import load_sets
from scripts import dev
from scripts.tools import site_pages

ROOT = Path(__file__).resolve().parents[1]
IMAGES = ROOT / "docs" / "images"
LANGUAGES = ("README.md", "README.ja.md")
ENGLISH, JAPANESE = ((ROOT / name).read_text(encoding="utf-8") for name in LANGUAGES)
FENCE = re.compile(r"^```\w*\n(.*?)^```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"(!?)\[[^\]]*\]\(([^)\s]+)\)")
PAGES = sorted(
    {*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *map(ROOT.joinpath, site_pages.PAGES)}
)
WORDS_OF_GLOSSARY = 40
LARGEST_GIF = 3_000_000  # bytes


@cache
def files_of_ours() -> tuple[str, ...]:
    """The repository's files, each with a slash before it; what git ignores is in folders of these
    names.
    """
    ignored = re.compile(r"\.git|\.venv.*|\..*_cache|build|dist|out|__pycache__")
    found: list[str] = []
    for folder, below, names in os.walk(ROOT):
        below[:] = [name for name in below if not ignored.fullmatch(name)]
        found += [f"/{Path(folder, name).relative_to(ROOT).as_posix()}" for name in names]
    return tuple(found)


def commands(text: str) -> list[str]:
    """Lines of its code blocks, without what is said about them."""
    lines = "\n".join(FENCE.findall(text)).splitlines()
    return [line.partition("#")[0].strip() for line in lines if line.strip()]


def links(text: str) -> list[tuple[str, str]]:
    """Links and pictures in their order, without those to the other language."""
    found: list[tuple[str, str]] = LINK.findall(FENCE.sub("", text))
    return [
        (kind, target.replace(".ja.", "."))  # a picture has the page's language
        for kind, target in found
        if target not in LANGUAGES
    ]


def test_both_languages_have_the_same_headings_commands_links_and_pictures() -> None:
    levels = [re.findall(r"^(#+) ", FENCE.sub("", text), re.M) for text in (ENGLISH, JAPANESE)]
    assert levels[0] == levels[1]
    assert commands(ENGLISH) == commands(JAPANESE)
    assert links(ENGLISH) == links(JAPANESE)
    rows = [len(re.findall(r"^\|", text, re.M)) for text in (ENGLISH, JAPANESE)]
    assert rows[0] == rows[1]
    assert "](README.ja.md)" in ENGLISH and "](README.md)" in JAPANESE


@pytest.mark.parametrize("text", (ENGLISH, JAPANESE), ids=LANGUAGES)
def test_the_readme_begins_with_a_moving_picture_and_keeps_the_two_commands(text: str) -> None:
    assert re.search(r"\]\(docs/images/alive(\.ja)?\.gif\)", "\n".join(text.splitlines()[:10]))
    assert {"python3 scripts/dev.py demo", "python3 scripts/dev.py test"} <= set(commands(text))


def test_the_moving_picture_moves_and_is_small() -> None:
    path = IMAGES / "alive.gif"
    assert path.stat().st_size < LARGEST_GIF
    with Image.open(path) as picture:
        assert getattr(picture, "n_frames", 1) > 30 and picture.width <= 800


def test_every_picture_says_its_version_and_is_shown() -> None:
    told = json.loads((IMAGES / "versions.json").read_text(encoding="utf-8"))
    there = {path.name for path in IMAGES.iterdir() if path.suffix != ".json"}
    assert set(told) == there
    assert all({"version", "made_by"} <= set(row) for row in told.values())
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    text = "\n".join(page.read_text(encoding="utf-8") for page in pages)
    assert [name for name in sorted(there) if f"images/{name})" not in text] == []


def test_the_glossary_is_short_and_has_each_word_once() -> None:
    page = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")
    words = re.findall(r"^\| ([^|]+) \|", page, re.M)[1:]
    assert 0 < len(words) <= WORDS_OF_GLOSSARY and len(set(words)) == len(words)


def test_links_of_every_page_lead_somewhere_in_the_site(tmp_path: Path) -> None:
    python = dev.python_of(ROOT / ".venv-docs")
    if not python.exists():
        pytest.skip("dev.py docs makes the environment with MkDocs")
    command = [str(python), "-m", "mkdocs", "build", "--strict"]
    done = subprocess.run(
        [*command, "--site-dir", str(tmp_path / "site")],
        cwd=ROOT,
        env=os.environ | {"NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    pages = list((tmp_path / "site").rglob("*.html"))
    assert len(pages) > 30
    loaded = re.compile(r'<(?:script|img|iframe)[^>]+src="(?:https?:)?//|url\(["\']?https?:')
    assert [page.name for page in pages if loaded.search(page.read_text("utf-8"))] == []
    stylesheets = re.compile(r'<link[^>]+rel="stylesheet"[^>]+href="https?:')
    assert [page.name for page in pages if stylesheets.search(page.read_text("utf-8"))] == []


def test_every_page_outside_docs_is_in_the_site() -> None:
    outside = {
        str(page.relative_to(ROOT))
        for folder in ("backend", "scripts")
        for page in (ROOT / folder).rglob("*.md")
    } | {page.name for page in ROOT.glob("*.md")}
    assert outside == set(site_pages.PAGES)


# Names in pages that are no files of the repository
EXAMPLES = re.compile(r"NAME\.|avatar\w*\.|blendshape-auto-generator/settings\.json")
FILE_NAME = re.compile(r"`((?:[\w.-]+/)*[\w.-]+\.(?:py|md|json|txt|toml|ya?ml|lock|html|sh|onnx))`")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_file_that_a_page_names_is_there(page: Path) -> None:
    named = FILE_NAME.findall(page.read_text(encoding="utf-8"))
    missing = {
        name
        for name in named
        if not EXAMPLES.search(name)
        and not any(file.endswith(f"/{name}") for file in files_of_ours())
    }
    assert missing == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_folder_that_a_page_names_is_there(page: Path) -> None:
    folders = "backend|blendshape_addon|scripts|tests|docs|requirements"
    named = re.findall(rf"`((?:{folders})(?:/[\w-]+)*)/?`", page.read_text(encoding="utf-8"))
    assert {name for name in named if not (ROOT / name).is_dir()} == set()


def test_the_page_of_sets_lists_each_set_with_its_number_of_keys() -> None:
    page = (ROOT / "docs" / "reference" / "sets.md").read_text(encoding="utf-8")
    told = {name: int(count) for name, count in re.findall(r"^\| `(\w+)` \| (\d+) \|", page, re.M)}
    assert told == {name: len(made.shapes) for name, made in load_sets().items()}
