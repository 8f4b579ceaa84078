# SPDX-License-Identifier: GPL-3.0-or-later
"""What a command prints where it cannot be printed: the work is done, one sentence says so, and the
exit code is not 0.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.skipif(
    os.name == "nt", reason="the shell's way to close a stream is POSIX"
)
WORK = """
import sys
from pathlib import Path
from backend import streams
def work():
    for number in range(20000):
        print("line", number)
    print("in trouble", file=sys.stderr)
    Path({done!r}).write_text("done")
    {end}
sys.exit(streams.run(work))
"""


def shell(tmp_path: Path, line: str, end: str = "return 0") -> tuple[int, str, bool]:
    """Run WORK by a shell's line in the place of PROGRAM: exit code of the program, its stderr,
    whether the work was done.
    """
    program, errors, done = tmp_path / "program.py", tmp_path / "errors", tmp_path / "done"
    program.write_text(WORK.format(done=str(done), end=end), encoding="utf-8")
    code = f"({line}; echo $? >{tmp_path / 'code'}) 2>{errors}"
    command = code.replace("PROGRAM", f"{sys.executable} {program}")
    subprocess.run(
        ["sh", "-c", command],
        cwd=ROOT,
        check=False,
        timeout=60,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    return int((tmp_path / "code").read_text()), errors.read_text(), done.exists()


@pytest.mark.parametrize(
    ("line", "why"),
    [
        pytest.param(
            "PROGRAM >/dev/full",
            "No space left",
            marks=pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full"),
        ),
        ("PROGRAM >&-", "it is closed"),
        ("PROGRAM >&- <&-", "it is closed"),
    ],
)
def test_a_full_or_closed_stdout_is_one_sentence(tmp_path: Path, line: str, why: str) -> None:
    code, said, done = shell(tmp_path, line)
    assert code == 1 and done
    assert said.splitlines()[0] == "in trouble" and len(said.splitlines()) == 2, said
    assert (
        said.splitlines()[1].startswith("What it says cannot be written to stdout") and why in said
    )


def test_a_reader_that_goes_is_one_sentence(tmp_path: Path) -> None:
    code, said, done = shell(
        tmp_path, f"(PROGRAM; echo $? >{tmp_path / 'inner'}) | head -n 1 >/dev/null"
    )
    assert int((tmp_path / "inner").read_text()) == 1 and done and code == 0
    assert len(said.splitlines()) == 2 and "Broken pipe" in said, said


def test_its_own_exit_code_goes_before(tmp_path: Path) -> None:
    assert shell(tmp_path, "PROGRAM >&-", "return 2")[0] == 2
    assert shell(tmp_path, "PROGRAM >/dev/null", "return 2")[0] == 2
    assert shell(tmp_path, "PROGRAM >/dev/null", "sys.exit(3)")[0] == 3
    code, said, _ = shell(tmp_path, "PROGRAM >/dev/null", "sys.exit('it is said')")
    assert code == 1 and "it is said" in said


def test_a_closed_stderr_ends_with_1_and_nothing_else(tmp_path: Path) -> None:
    assert shell(tmp_path, "PROGRAM >/dev/null 2>&-")[0] == 1


def test_with_both_streams_in_order_nothing_is_said(tmp_path: Path) -> None:
    assert shell(tmp_path, "PROGRAM >/dev/null", "return 0") == (0, "in trouble\n", True)


def test_a_file_does_not_get_the_number_of_a_closed_stdout(tmp_path: Path) -> None:
    end = f"""
    import os
    with open({str(tmp_path / "own")!r}, "wb") as file:
        assert file.fileno() > 2
        os.write(1, b"what C code prints")
    return 0"""
    shell(tmp_path, "PROGRAM >&-", end)
    assert (tmp_path / "own").read_bytes() == b""


def test_letters_that_the_terminal_lacks_are_spelled_out() -> None:
    code = (
        "import sys; from backend import streams; sys.exit(streams.run(lambda: print('顔 \\udcff')"
        " or 0))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        capture_output=True,
        check=False,
        env={**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"},
    )
    assert done.returncode == 0 and done.stdout == b"\\u9854 \\udcff\n", done
