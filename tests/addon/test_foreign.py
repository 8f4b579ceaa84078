# SPDX-License-Identifier: GPL-3.0-or-later
"""Names that files bring: whatever they are, they make names of files that stay where they belong,
and lines that steer no terminal.
"""

from __future__ import annotations

from pathlib import Path, PureWindowsPath

import pytest
from blendshape_auto_generator.blendshape_addon.foreign import (
    STEM_BYTES,
    file_stem,
    one_line,
    shortened,
)
from hypothesis import given
from hypothesis import strategies as st

NAMES = [
    "-face", ";x", "--", "-", "--help", "a, b", "it's", 'say "a"', "one\ntwo", "顔", "%s",
    "../../etc/passwd", "/", "..", ".", "", " ", "CON", "con.txt",
    "NUL", "Lpt1", "COM¹", "face.", "face. .", "a\0b", "x" * 300, "あ" * 300, "C:\\x", "a:b", "<b>",
    "\udcff", "...",
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_any_name_makes_a_name_of_a_file(tmp_path: Path, name: str) -> None:
    path = tmp_path / f"{file_stem(name)}_vrchat.png"
    path.write_bytes(b"")
    assert path.parent == tmp_path and [entry.name for entry in tmp_path.iterdir()] == [path.name]
    alone = PureWindowsPath(f"{file_stem(name)}.png")
    assert not alone.is_reserved() and len(alone.parts) == 1 and not alone.drive


@given(st.text())
def test_names_of_files_are_short_and_hold_no_folder(name: str) -> None:
    stem = file_stem(name)
    assert (
        0 < len(stem.encode()) <= STEM_BYTES + 1
        and not set(stem) & set('/\\:*?"<>|\0\n')
        and stem[-1] not in ". "
    )


@pytest.mark.parametrize("name", ["face", "顔", "-face", ";x", "a b", "%s", "Körper 2"])
def test_good_names_stay(name: str) -> None:
    assert file_stem(name) == name == shortened(name) == one_line(name)


def test_what_steers_a_terminal_is_spelled_out() -> None:
    assert one_line("a\nb\x1b[2J\u202ec\udcffd") == "a\\nb\\x1b[2J\\u202ec\\udcffd"


@given(st.text())
def test_lines_stay_one_line(text: str) -> None:
    line = one_line(text)
    assert len(line.splitlines()) <= 1 and "\x1b" not in line and line.encode("utf-8") is not None
