# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that somebody names: only plain ones on this computer are read, and never more of them than
was agreed.
"""

from __future__ import annotations

import json
import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from backend import files, regular_file
from backend.errors import BackendError
from backend.inference import catalogue, loading, onnx_file, pool, settings, variants
from backend.regular_file import RefusedError, TooLargeError, check_name

posix = pytest.mark.skipif(os.name != "posix", reason="named pipes and device files are POSIX's")
ANOTHER = [
    r"\\host\share\model.onnx",
    "//host/share/model.onnx",
    r"\/host\share\model.onnx",
    r"/\host/share/model.onnx",
    r"\\?\UNC\host\share\model.onnx",
    r"\\?\unc\host\share\model.onnx",
    "//?/UNC/host/share/model.onnx",
    r"\\host@SSL@443\DavWWWRoot\model.onnx",
    r"\\192.0.2.1\c$\model.onnx",
]
DEVICES = [
    r"\\.\PhysicalDrive0",
    r"\\.\pipe\name",
    r"\\?\GLOBALROOT\Device\Null",
    "//./COM1",
    "/dev/zero",
    "/dev/../dev/stdin",
    "/tmp/../dev/zero",
    "/./dev/fd/0",
    "/proc/self/mem",
    "/proc/kmsg",
    "/sys/power/state",
]
OF_WINDOWS = [
    "NUL",
    "nul.onnx",
    r"C:\models\CON",
    "C:/models/com1.json",
    "aux .onnx",
    r"C:\x\LPT9:",
    "COM¹",
    "conin$",
    r"prn\model.onnx",
]
GOOD = [
    "model.onnx",
    "/home/me/model.onnx",
    r"C:\Users\me\model.onnx",
    "C:/Users/me/model.onnx",
    r"\\?\C:\Users\me\model.onnx",
    "Z:\\model.onnx",
    "/home/me/devices/model.onnx",
    "/developer/model.onnx",
    "/home/me/モデル　顔.onnx",
    "console.onnx",
    r"C:\null\comfort.onnx",
    "COM10.onnx",
]


@pytest.mark.parametrize("windows", [False, True])
@pytest.mark.parametrize("path", ANOTHER)
def test_a_path_to_another_computer_is_refused_by_its_text(path: str, windows: bool) -> None:
    with pytest.raises(RefusedError, match="another computer") as caught:
        check_name(path, windows)
    assert "drive a letter" in caught.value.fix


@pytest.mark.parametrize("windows", [False, True])
@pytest.mark.parametrize("path", DEVICES)
def test_a_device_is_refused_by_its_text(path: str, windows: bool) -> None:
    with pytest.raises(RefusedError, match="device"):
        check_name(path, windows)


@pytest.mark.parametrize("path", OF_WINDOWS)
def test_what_windows_takes_for_a_device_is_refused_there(path: str) -> None:
    with pytest.raises(RefusedError, match="device"):
        check_name(path, windows=True)
    check_name(path, windows=False)


@pytest.mark.parametrize(
    "path", ["", "a" * 5000, "a\0b", "a\nb.onnx", "model\u202exnno.exe", "a\x1b[31m"]
)
def test_what_is_no_path_that_a_person_can_read_is_refused(path: str) -> None:
    with pytest.raises(RefusedError, match="cannot be seen"):
        check_name(path)


@pytest.mark.parametrize("windows", [False, True])
@pytest.mark.parametrize("path", GOOD)
def test_ordinary_paths_are_none_of_that(path: str, windows: bool) -> None:
    check_name(path, windows)


def test_a_refused_name_is_never_touched(monkeypatch: pytest.MonkeyPatch) -> None:
    touched: list[Any] = []
    for name in ("stat", "lstat", "open", "readlink", "listdir", "scandir"):
        monkeypatch.setattr(os, name, lambda *given, **_: touched.append(given))
    for path in (*ANOTHER, *DEVICES):
        for use in (
            lambda p: regular_file.read(p, 10),
            regular_file.status,
            lambda p: regular_file.opened(p, 10),
        ):
            with pytest.raises(RefusedError):
                use(path)
        assert not regular_file.is_regular(path)
    assert touched == []


def test_a_plain_file_is_read_whole(tmp_path: Path) -> None:
    for size in (0, 1, 1000):
        path = tmp_path / f"{size}"
        path.write_bytes(bytes(range(256)) * 4 if size == 1000 else b"x" * size)
        assert regular_file.read(path, 2000) == path.read_bytes()
        assert (
            regular_file.is_regular(path)
            and regular_file.status(path).st_size == path.stat().st_size
        )


def test_as_many_bytes_as_agreed_and_no_more(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"x" * 100)
    assert len(regular_file.read(path, 100)) == 100
    with pytest.raises(TooLargeError, match="more than 99 bytes"):
        regular_file.read(path, 99)


@pytest.mark.parametrize("said", [0, 10, 100])
def test_what_a_file_says_about_its_size_is_not_believed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: int
) -> None:
    """As a file that grows while it is read: its size was looked at before."""
    path = tmp_path / "file"
    path.write_bytes(b"x" * 1000)
    fstat = os.fstat

    def lie(handle: int) -> os.stat_result:
        values = list(fstat(handle))
        values[6] = said
        return os.stat_result(values)

    monkeypatch.setattr(os, "fstat", lie)
    with pytest.raises(TooLargeError):
        regular_file.read(path, 200)
    assert len(regular_file.read(path, 1000)) == 1000


def test_a_sparse_file_costs_no_memory(tmp_path: Path) -> None:
    path = tmp_path / "huge.onnx"
    with path.open("wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(BackendError) as caught:
        onnx_file.read_model_file(path)
    assert caught.value.code == "model_unreadable" and "512 MiB" in caught.value.message


def test_a_folder_and_nothing_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(RefusedError, match="not a plain file"):
        regular_file.read(tmp_path, 10)
    with pytest.raises(FileNotFoundError):
        regular_file.read(tmp_path / "none", 10)
    assert not regular_file.is_regular(tmp_path) and not regular_file.is_regular(tmp_path / "none")


def place_pipe(path: Path) -> None:
    if sys.platform == "win32":
        return
    os.mkfifo(path)


def place_link(target: str, **before: str) -> Callable[[Path], None]:
    """Makes a link to `target`, and first others beside it: name -> target, where `pipe` is a pipe
    itself.
    """

    def place(path: Path) -> None:
        for name, leads in before.items():
            path.with_name(name).symlink_to(leads)
        if target == "pipe":
            place_pipe(path.with_name(target))
        path.symlink_to(target)

    return place


STRANGE: dict[str, Callable[[Path], None]] = {
    "pipe": place_pipe,
    "link to a pipe": place_link("pipe"),
    "link to a device": place_link("/dev/zero"),
    "link to a link to a device": place_link("first", first="/dev/zero"),
    "link to another computer": place_link("//host/share/file"),
    "link through a linked folder to a device": place_link("folder/zero", folder="/dev"),
    "link to what the kernel says": place_link("/proc/self/environ"),
    "link in circles": lambda path: path.symlink_to(path.name),
    "folder": lambda path: path.mkdir(),
}


@posix
@pytest.mark.timeout(20)
@pytest.mark.parametrize("kind", STRANGE)
def test_whoever_reads_a_file_refuses_what_is_none(tmp_path: Path, kind: str) -> None:
    """None of them waits, none reads on for ever, and each says what is wrong and what to do."""
    for name, use, codes in (
        ("strange.onnx", onnx_file.read_model_file, {"model_unreadable"}),
        ("strange.decoder.onnx", loading.load_model, {"model_unreadable", "model_missing"}),
        ("strange.json", files.read_table, {"input_missing"}),
        ("strange.json", files.read_landmarks, {"input_missing"}),
        ("strange.npz", files.read_mesh, {"input_missing"}),
    ):
        folder = tmp_path / use.__name__
        folder.mkdir()
        path = folder / name
        STRANGE[kind](path)
        with pytest.raises(BackendError) as caught:
            use(path)
        assert (
            caught.value.code in codes
            and caught.value.fix
            and str(path.name).partition(".")[0] in caught.value.message
        )
        assert not regular_file.is_regular(path)


@posix
def test_models_of_a_folder_and_variants_are_plain_files(tmp_path: Path) -> None:
    for name in ("pipe.onnx", "face.decoder.int8.onnx"):
        place_pipe(tmp_path / name)
    (tmp_path / "zero.onnx").symlink_to("/dev/zero")
    found = catalogue.catalogue(settings.Settings(model_dir=str(tmp_path)))
    assert {entry.name: bool(entry.problem) for entry in found[1:]} == {"pipe": True, "zero": True}
    assert variants.beside(tmp_path / "face.decoder.onnx") == []
    assert (
        pool._stamp(tmp_path / "zero.onnx") == 0.0
        and pool._size(Path("//host/share/x.onnx")) == 8.0
    )


@posix
def test_a_settings_file_that_is_none_is_a_warning(tmp_path: Path) -> None:
    place_pipe(tmp_path / "settings.json")
    (tmp_path / "link.json").symlink_to("/dev/zero")
    for path in (tmp_path / "settings.json", tmp_path / "link.json", "//host/share/settings.json"):
        warnings: list[str] = []
        assert settings._file({"BLENDSHAPE_CONFIG": str(path)}, warnings) == (None, {})
        assert len(warnings) == 1 and str(path) in warnings[0]


@pytest.mark.parametrize("path", [*ANOTHER, "/dev/zero.onnx", "/proc/self/mem"])
def test_a_request_for_a_model_elsewhere_is_refused_before_the_disk_is_asked(
    path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "stat", lambda *_, **__: pytest.fail("it was looked at"))
    with pytest.raises(BackendError) as caught:
        catalogue.find_model(path, settings.Settings())
    assert caught.value.code == "model_unreadable"


@posix
def test_links_to_plain_files_are_followed(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "table.json").write_text(json.dumps({"A": {"jawOpen": 1}}))
    (tmp_path / "folder").symlink_to("real")
    (tmp_path / "relative.json").symlink_to("folder/../folder/table.json")
    (tmp_path / "absolute.json").symlink_to(tmp_path / "relative.json")
    assert files.read_table(tmp_path / "absolute.json") == {"A": {"jawOpen": 1.0}}


@posix
@pytest.mark.timeout(20)
@pytest.mark.parametrize("swap", ["pipe", "link to a device", "folder"])
def test_what_takes_the_place_of_a_file_after_the_look_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, swap: str
) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"good")
    open_ = os.open

    def late(*given: Any) -> int:
        path.unlink()
        STRANGE[swap](path)
        return open_(*given)

    monkeypatch.setattr(os, "open", late)
    with pytest.raises(OSError) as caught:
        regular_file.read(path, 100)
    assert isinstance(caught.value, RefusedError) or swap == "link to a device", (
        "a new link is not followed"
    )


@posix
def test_a_file_that_grows_without_end_is_given_up(tmp_path: Path) -> None:
    path = tmp_path / "grows"
    path.write_bytes(b"x" * (1 << 20))
    ended = threading.Event()

    def grow() -> None:
        with path.open("ab") as file:
            while not ended.is_set() and file.tell() < 64 << 20:
                file.write(b"x" * (1 << 20))
                file.flush()

    thread = threading.Thread(target=grow)
    thread.start()
    try:
        for _ in range(50):
            try:
                assert len(regular_file.read(path, 4 << 20)) <= 4 << 20
            except TooLargeError:
                break
        else:
            pytest.fail("it never grew")
    finally:
        ended.set()
        thread.join()


def test_what_is_the_programs_own_may_lie_on_a_network(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A user's folder may: on a school's computers it often does. That is nobody's word."""
    path = tmp_path / "settings.json"
    path.write_text("{}")
    monkeypatch.setattr(regular_file, "check_name", lambda *_: pytest.fail("it was judged"))
    assert regular_file.read(path, 10, anywhere=True) == b"{}"
    assert onnx_file.read_model_file(onnx_file.SHIPPED / "face.encoder.onnx")


def test_it_loads_nothing_but_the_standard_library() -> None:
    import subprocess

    code = (
        "import sys; before = set(sys.modules); import backend.regular_file;"
        " print(*(set(sys.modules) - before))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=Path(files.__file__).parents[1],
        capture_output=True,
        text=True,
        check=True,
    )
    assert {name.partition(".")[0] for name in done.stdout.split()} <= {
        "backend",
        *sys.stdlib_module_names,
    }
