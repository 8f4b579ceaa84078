# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that appear whole or not at all, also where somebody has laid links in their way."""

from __future__ import annotations

import os
import secrets
import stat
from pathlib import Path

import pytest
from fixtures.systems import links

from backend.atomic import leftovers, replace_file, temporary_beside


@pytest.fixture
def precious(tmp_path: Path) -> Path:
    """A file of the user's outside the folder that is written to."""
    path = tmp_path / "precious.txt"
    path.write_bytes(b"precious")
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "shared"
    path.mkdir()
    return path


@links
def test_a_link_under_a_foreseeable_temporary_name_is_not_written_through(
    folder: Path, precious: Path
) -> None:
    out = folder / "report.json"
    for name in (
        "report.json.part",
        ".report.json.part",
        "report.part",
        "report.tmp",
        "report.json.tmp",
        ".report.part.json",
    ):
        (folder / name).symlink_to(precious)
    replace_file(out, b"new")
    assert (
        out.read_bytes() == b"new" and not out.is_symlink() and precious.read_bytes() == b"precious"
    )


@links
def test_a_link_under_the_very_temporary_name_stops_the_write(
    folder: Path, precious: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = folder / "report.json"
    monkeypatch.setattr(secrets, "token_hex", lambda count: "0" * 2 * count)
    temporary_beside(out).symlink_to(precious)
    with pytest.raises(FileExistsError):
        replace_file(out, b"new")
    assert precious.read_bytes() == b"precious" and not out.exists()


@links
def test_a_link_under_the_files_own_name_is_replaced_and_not_followed(
    folder: Path, precious: Path
) -> None:
    out = folder / "report.json"
    out.symlink_to(precious)
    replace_file(out, b"new")
    assert (
        out.read_bytes() == b"new" and not out.is_symlink() and precious.read_bytes() == b"precious"
    )


def test_temporary_names_are_never_the_same_and_short_beside_any_name(folder: Path) -> None:
    out = folder / ("\N{HIRAGANA LETTER A}" * 80 + ".glb")
    names = {temporary_beside(out, out.suffix).name for _ in range(50)}
    assert len(names) == 50 and all(
        len(name) < 60 and name.startswith(".") and name.endswith(".glb") for name in names
    )
    replace_file(out, b"new")
    assert [path.read_bytes() for path in folder.iterdir()] == [b"new"]


def test_leftovers_are_those_of_one_file(folder: Path) -> None:
    one, other = folder / "a.glb", folder / "a.blend"
    left = temporary_beside(one, ".glb")
    left.write_bytes(b"half")
    with_sign = left.with_name(f"{left.name}@")  # as Blender writes it
    with_sign.write_bytes(b"half")
    temporary_beside(other, ".blend").write_bytes(b"half")
    assert set(leftovers(one)) == {left, with_sign} and len(leftovers(other)) == 1


@pytest.mark.skipif(os.name == "nt", reason="Windows has no modes")
def test_the_file_gets_the_mode_that_any_file_of_the_user_gets(folder: Path) -> None:
    (folder / "plain").write_bytes(b"")
    replace_file(folder / "ours", b"")
    assert stat.S_IMODE((folder / "ours").stat().st_mode) == stat.S_IMODE(
        (folder / "plain").stat().st_mode
    )


def test_a_failed_write_leaves_nothing(folder: Path) -> None:
    (folder / "taken").mkdir()
    (folder / "taken" / "inside").write_bytes(b"")
    with pytest.raises(OSError, match="taken"):
        replace_file(folder / "taken", b"new")
    assert [path.name for path in folder.iterdir()] == ["taken"]
