# SPDX-License-Identifier: GPL-3.0-or-later
"""What is known of an output folder: records, claims, and what they say is to be done."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from backend.inference.onnx_file import MAX_FILE
from scripts.batch.store import Store, code_digest, model_digest, settings_digest, write_atomically

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path)


def made(
    store: Store, name: str = "a", source: str = "in1", settings: str = "set1", data: bytes = b"out"
) -> list[Path]:
    """A finished output with its record."""
    target = store.out / f"{name}.blend"
    store.start(name, source, settings, [target])
    write_atomically(target, data)
    store.finish(name, source, settings, [target], {"line": "made"})
    return [target]


def test_what_is_done_is_not_done_again(store: Store) -> None:
    targets = [store.out / "a.blend"]
    assert store.judge("a", "in1", "set1", targets, False).state == "make"
    made(store)
    verdict = store.judge("a", "in1", "set1", targets, False)
    assert verdict.state == "done" and verdict.row == {"line": "made"}
    assert store.judge("a", "in1", "set1", targets, True).state == "done"


def test_a_changed_input_is_made_anew_and_other_settings_only_when_asked(store: Store) -> None:
    targets = made(store)
    assert store.judge("a", "in2", "set1", targets, False).state == "make"
    refused = store.judge("a", "in1", "set2", targets, False)
    assert refused.state == "refused" and "other settings" in refused.reason
    assert store.judge("a", "in1", "set2", targets, True).state == "make"


def test_what_a_user_has_edited_is_left_alone(store: Store) -> None:
    targets = made(store)
    targets[0].write_bytes(b"edited by hand")
    assert store.judge("a", "in1", "set1", targets, False).state == "edited"
    assert store.judge("a", "in2", "set1", targets, False).state == "refused"
    assert store.judge("a", "in1", "set1", targets, True).state == "make"


def test_files_of_others_are_not_replaced_unasked(store: Store) -> None:
    target = store.out / "a.blend"
    target.write_bytes(b"somebody's")
    assert store.judge("a", "in1", "set1", [target], False).state == "refused"
    assert store.judge("a", "in1", "set1", [target], True).state == "make"


def test_an_output_that_is_missing_is_made_again(store: Store) -> None:
    targets = [*made(store), store.out / "a.glb"]
    assert store.judge("a", "in1", "set1", targets, False).state == "make"
    targets[0].unlink()
    assert store.judge("a", "in1", "set1", targets[:1], False).state == "make"


def test_after_a_sudden_end_what_was_begun_is_made_again(store: Store) -> None:
    target = store.out / "a.blend"
    store.start("a", "in1", "set1", [target])
    write_atomically(target, b"the record was never finished")
    assert store.judge("a", "in1", "set1", [target], False).state == "make"
    assert store.judge("a", "in9", "set9", [target], False).state == "make"


def test_a_failure_brings_the_older_record_back(store: Store) -> None:
    targets = made(store)
    store.give_up("a", store.start("a", "in2", "set1", targets))
    assert store.judge("a", "in1", "set1", targets, False).state == "done"
    store.give_up("b", store.start("b", "in", "set", [store.out / "b.blend"]))
    assert store.read("b") is None


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"state": "done"}', "\x00\xff"])
def test_a_damaged_record_is_none(store: Store, text: str) -> None:
    made(store)
    store.beside("a", ".json").write_bytes(text.encode("latin-1"))
    assert store.read("a") is None
    assert store.judge("a", "in1", "set1", [store.out / "a.blend"], False).state == "refused"


def test_one_claims_and_the_other_waits_and_death_frees(store: Store) -> None:
    code = (
        "import sys; from pathlib import Path; from scripts.batch.store import Store\nwith"
        " Store(Path(sys.argv[1])).claim('deep/a') as mine: print(mine, flush=True);"
        " sys.stdin.read()"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", code, str(store.out)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert holder.stdout is not None and holder.stdout.readline() == "True\n"
        with store.claim("deep/a") as mine:
            assert not mine
        with store.claim("deep/b") as mine:
            assert mine
        holder.kill()
        holder.wait()
        with store.claim("deep/a") as mine:
            assert mine
            with store.claim("deep/a") as again:
                assert not again
        with store.claim("deep/a") as mine:
            assert mine
    finally:
        holder.kill()
        holder.communicate()


def test_a_folder_without_records_is_tidied_away_but_not_under_a_claim(store: Store) -> None:
    with store.claim("deep/a"):
        store.tidy()
        assert store.beside("deep/a", ".lock").exists() or os.name == "nt"
    store.tidy()
    assert not store.folder.exists()
    made(store)
    store.tidy()
    assert store.folder.exists()


def test_digests_change_with_what_they_are_of(tmp_path: Path) -> None:
    (tmp_path / "backend" / "models").mkdir(parents=True)
    (tmp_path / "blendshape_addon").mkdir()
    code = tmp_path / "backend" / "rules.py"
    code.write_text("a = 1")
    first = code_digest(tmp_path)
    code.write_text("a = 2")
    assert code_digest(tmp_path) != first
    model = tmp_path / "my.decoder.onnx"
    model.write_bytes(b"d")
    (tmp_path / "my.encoder.onnx").write_bytes(b"e")
    before = model_digest(str(model), tmp_path)
    (tmp_path / "my.encoder.onnx").write_bytes(b"f")
    assert model_digest(str(model), tmp_path) != before != model_digest("", tmp_path)
    assert (
        settings_digest({"a": 1, "b": 2})
        == settings_digest({"b": 2, "a": 1})
        != settings_digest({"a": 1, "b": 3})
    )


def test_a_model_that_the_backend_would_not_read_is_not_read_for_its_digest(tmp_path: Path) -> None:
    shipped = model_digest("", tmp_path)
    model = tmp_path / "my[1].decoder.onnx"
    model.write_bytes(b"d")
    alone = model_digest(str(model), tmp_path)
    assert (
        alone != shipped
        and model_digest(
            f"/{model}" if os.name == "posix" else "//host/share/my.decoder.onnx", tmp_path
        )
        == shipped
    )
    large = tmp_path / "my[1].encoder.onnx"
    with large.open("wb") as file:
        file.truncate(MAX_FILE + 1)
    assert model_digest(str(large), tmp_path) == model_digest(str(model), tmp_path) == alone, (
        "too large to be read"
    )
    large.write_bytes(b"e")
    assert model_digest(str(model), tmp_path) not in (
        alone,
        shipped,
    ), "a name with brackets has companions, too"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="named pipes are POSIX")
def test_a_pipe_in_the_place_of_a_model_is_not_waited_for(tmp_path: Path) -> None:
    if sys.platform == "win32":
        return
    os.mkfifo(tmp_path / "my.decoder.onnx")
    assert model_digest(str(tmp_path / "my.decoder.onnx"), tmp_path) == model_digest("", tmp_path)


def test_a_failed_write_leaves_what_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(b"old")

    def fails(_self: Path, _target: Path) -> Path:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "replace", fails)
    with pytest.raises(PermissionError):
        write_atomically(path, b"new")
    assert path.read_bytes() == b"old" and list(tmp_path.iterdir()) == [path]


@pytest.mark.skipif(
    not hasattr(os, "O_NOFOLLOW"), reason="this system cannot say that links are not to be followed"
)
def test_a_link_in_the_place_of_a_lock_makes_no_file_elsewhere(
    store: Store, tmp_path: Path
) -> None:
    store.folder.mkdir()
    store.beside("a", ".lock").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match="lock"), store.claim("a"):
        pass
    assert not (tmp_path / "elsewhere").exists()
