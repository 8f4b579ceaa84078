# SPDX-License-Identifier: GPL-3.0-or-later
"""The guide as it ships in the zip: plain HTML with its pictures, which a browser shows without a
network. Made from the same pages as the docs site.

markdown-it-py is here because import-linter brings it; requirements/dev.lock pins it.
"""

from __future__ import annotations

import html
import itertools
import posixpath
import re
import shutil
from collections.abc import Sequence
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

ROOT = Path(__file__).resolve().parents[1]
FOLDER = "help"  # in the zip
# Pages of docs/ that are for those who make avatars, and the README in Japanese
PAGES = (
    "docs/index.md",
    "docs/guide/install.md",
    "docs/guide/first-face.md",
    "docs/guide/panel.md",
    "docs/guide/by-hand.md",
    "docs/guide/test-face.md",
    "docs/guide/check-and-export.md",
    "docs/guide/batch.md",
    "docs/guide/troubleshooting.md",
    "docs/guide/privacy.md",
    "docs/destinations/vrchat.md",
    "docs/destinations/vrm.md",
    "docs/destinations/vseeface.md",
    "docs/destinations/warudo.md",
    "docs/destinations/resonite.md",
    "docs/destinations/others.md",
    "docs/reference/sets.md",
    "docs/reference/commands.md",
    "docs/reference/settings.md",
    "docs/reference/errors.md",
    "docs/glossary.md",
    "CHANGELOG.md",
    "README.ja.md",
)
BAR = (  # at the top of each page
    ("docs/index.md", "All pages"),
    ("docs/guide/first-face.md", "Your first face"),
    ("docs/guide/panel.md", "The panel"),
    ("docs/guide/troubleshooting.md", "Troubleshooting"),
    ("docs/reference/errors.md", "Errors"),
    ("README.ja.md", "日本語"),
)
LARGEST = 300_000  # bytes of a picture: what moves and what is large would make the zip heavy
STYLE = """
:root { color-scheme: light dark; }
body { font: 16px/1.55 system-ui, sans-serif; max-width: 52rem; margin: 0 auto; }
body { padding: 0 1.2rem 4rem; }
nav { border-bottom: 2px solid #e5698c; margin-bottom: 1.5rem; padding: .8rem 0; }
nav a { margin-right: 1.2rem; white-space: nowrap; }
a { color: #d0447a; }
img { max-width: 100%; }
table { border-collapse: collapse; }
th, td { border: 1px solid #8886; padding: .3rem .6rem; text-align: left; vertical-align: top; }
code { background: #8882; padding: 0 .2em; }
pre { background: #8882; padding: .8rem; overflow-x: auto; }
pre code { background: none; padding: 0; }
"""


def place_of(page: str) -> str:
    """Where a page of the repository is in the folder."""
    return str(Path(page.removeprefix("docs/")).with_suffix(".html").as_posix())


def slug(heading: str) -> str:
    """The anchor of a heading, as the docs site makes it."""
    return re.sub(r"[\s-]+", "-", re.sub(r"[^\w\s-]", "", heading).strip().lower())


class Page:
    """One page on its way to HTML. pictures: files that it shows, relative to the repository."""

    def __init__(self, path: str) -> None:
        self.path, self.title = path, ""
        self.pictures: set[str] = set()
        parser = MarkdownIt("commonmark", {"html": False}).enable("table")
        tokens = parser.parse((ROOT / path).read_text(encoding="utf-8"))
        self._anchors(tokens)
        for token in tokens:
            if token.children:
                token.children = self._linked(token.children)
        self.body = str(parser.renderer.render(tokens, parser.options, {}))

    def html(self) -> str:
        """The whole page."""
        here = posixpath.dirname(place_of(self.path)) or "."
        bar = "".join(
            f'<a href="{posixpath.relpath(place_of(page), here)}">{name}</a>' for page, name in BAR
        )
        language = "ja" if self.path.endswith(".ja.md") else "en"
        return (
            f'<!doctype html>\n<html lang="{language}"><head><meta charset="utf-8">'
            '<meta name="viewport" content="width=device-width">'
            f"<title>{html.escape(self.title)}</title><style>{STYLE}</style></head>"
            f"<body><nav>{bar}</nav>\n{self.body}</body></html>\n"
        )

    def _anchors(self, tokens: Sequence[Token]) -> None:
        for token, inside in itertools.pairwise(tokens):
            if token.type == "heading_open":
                words = "".join(each.content for each in inside.children or ())
                token.attrSet("id", slug(words))
                self.title = self.title or words

    def _linked(self, children: Sequence[Token]) -> list[Token]:
        """What is in a line, with links that hold here; a link to what is not here becomes its
        words, a picture that is left out nothing.
        """
        written: list[Token] = []
        dropped = 0  # links that are open and left out
        for token in children:
            if token.type == "link_open":
                target = self._target(str(token.attrs["href"]))
                dropped = dropped if target else dropped + 1
                if target:
                    token.attrSet("href", target)
                    written.append(token)
            elif token.type == "link_close" and dropped:
                dropped -= 1
            elif token.type == "image":
                picture = self._file(str(token.attrs["src"]))
                file = ROOT / picture  # which may be among those that are being made
                if file.is_file() and file.stat().st_size <= LARGEST:
                    self.pictures.add(picture)
                    written.append(token)
            else:
                written.append(token)
        for token in written:
            if token.type == "image":
                token.attrSet("src", self._from_here(self._file(str(token.attrs["src"]))))
        return written

    def _file(self, target: str) -> str:
        """A link's target from the repository's root."""
        return posixpath.normpath(posixpath.join(posixpath.dirname(self.path), target))

    def _from_here(self, file: str) -> str:
        """The way from this page to a picture."""
        here = posixpath.dirname(place_of(self.path)) or "."
        return posixpath.relpath(file.removeprefix("docs/"), here)

    def _target(self, target: str) -> str:
        """Where a link leads here, or `` if it leads to nothing that ships."""
        file, mark, anchor = target.partition("#")
        if not file or re.match(r"[a-z]+:", target):
            return target
        page = self._file(file)
        if page not in PAGES:
            return ""
        here = posixpath.dirname(place_of(self.path)) or "."
        return posixpath.relpath(place_of(page), here) + mark + anchor


def write(folder: Path) -> None:
    """Write all pages and their pictures into an empty folder."""
    pictures: set[str] = set()
    for path in PAGES:
        page, file = Page(path), folder / place_of(path)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(page.html(), encoding="utf-8", newline="\n")
        pictures |= page.pictures
    for picture in sorted(pictures):
        file = folder / picture.removeprefix("docs/")
        file.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / picture, file)
