# SPDX-License-Identifier: GPL-3.0-or-later
"""MkDocs' hooks of mkdocs.yml: pages that lie outside docs/ are in the site, too, and links between
them and docs/ lead on.

A link to a file that is no page, such as a source, becomes its name: the site has no sources.
"""

from __future__ import annotations

import posixpath
import re
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
# Path in the repository -> in the site
PAGES = {
    "README.md": "project/why.md",
    "README.ja.md": "project/why_ja.md",
    "CONTRIBUTING.md": "project/CONTRIBUTING.md",
    "CHANGELOG.md": "project/CHANGELOG.md",
    "SECURITY.md": "project/SECURITY.md",
    "backend/models/MODEL_CARD.md": "project/MODEL_CARD.md",
    "scripts/train/README.md": "project/training.md",
}
ORIGINS = {site: path for path, site in PAGES.items()}
LINK = re.compile(r"(!?)\[([^\]]*)\]\(([^)\s]+)\)")
FENCE = re.compile(r"(^```.*?^```)", re.MULTILINE | re.DOTALL)


def in_site(path: str) -> str | None:
    """Where a file of the repository is in the site; None where it is not."""
    if path.startswith("docs/"):
        return path.removeprefix("docs/")
    return PAGES.get(path)


def rewritten(text: str, site: str) -> str:
    """A page's text with links that hold in the site. site: where the page is in it."""
    origin = ORIGINS.get(site, f"docs/{site}")

    def link(match: re.Match[str]) -> str:
        picture, label, target = match.groups()
        file, mark, anchor = target.partition("#")
        if not file or re.match(r"[a-z]+:", target):
            return match[0]
        other = in_site(posixpath.normpath(posixpath.join(posixpath.dirname(origin), file)))
        if other is None:
            return label
        target = posixpath.relpath(other, posixpath.dirname(site) or ".")
        return f"{picture}[{label}]({target}{mark}{anchor})"

    pieces = FENCE.split(text)
    return "".join(
        piece if number % 2 else LINK.sub(link, piece) for number, piece in enumerate(pieces)
    )


def on_files(files: Any, config: Any) -> Any:
    """Add the pages from outside docs/."""
    from mkdocs.structure.files import File

    for path, site in PAGES.items():
        files.append(File.generated(config, site, content=(ROOT / path).read_text("utf-8")))
    return files


def on_page_markdown(markdown: str, page: Any, **_rest: Any) -> str:
    """Rewrite each page's links."""
    return rewritten(markdown, page.file.src_uri)
