# SPDX-License-Identifier: GPL-3.0-or-later
"""One precedence for every setting; for everything else an error that names what is allowed, or a
warning where nobody chose it for this call.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any, BinaryIO, cast

import pytest
from fixtures.meshes import figure
from hypothesis import given
from hypothesis import strategies as st

from backend.errors import BackendError
from backend.inference.engines import engine_cache
from backend.inference.folders import cache_folder
from backend.inference.settings import MAX_FILE, SETTINGS, Settings, describe, resolve
from backend.protocol import read_message, write_message

ROOT = Path(__file__).resolve().parents[3]
PAGE = ROOT / "docs" / "reference" / "settings.md"


def refused(**layers: Any) -> BackendError:
    with pytest.raises(BackendError) as caught:
        resolve(**({"environment": {}} | layers))
    assert caught.value.fix
    return caught.value


def test_call_goes_before_preferences_before_environment_before_file_before_default(
    tmp_path: Path,
) -> None:
    file = tmp_path / "settings.json"
    file.write_text(
        json.dumps({"threads": 1, "provider": "cpu", "memory_mb": 512, "precision": "fp32"}),
        encoding="utf-8",
    )
    environment = {
        "BLENDSHAPE_CONFIG": str(file),
        "BLENDSHAPE_THREADS": "2",
        "BLENDSHAPE_PROVIDER": " CUDA ",
        "BLENDSHAPE_MEMORY_MB": "600",
    }
    found = resolve(
        {"threads": 4}, {"threads": 3, "provider": "openvino", "strict": None}, environment
    )
    assert (found.threads, found.provider, found.memory_mb, found.precision, found.idle_s) == (
        4,
        "openvino",
        600,
        "fp32",
        Settings().idle_s,
    )
    assert [found.source(n) for n in ("threads", "provider", "memory_mb", "idle_s")] == [
        "the call",
        "the preferences",
        "BLENDSHAPE_MEMORY_MB",
        "the default",
    ]
    assert str(file) in found.source("precision")


def test_the_users_own_file_is_read_where_the_system_keeps_such(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from backend.inference import settings

    monkeypatch.setattr(settings, "config_folder", lambda environment: tmp_path)
    assert resolve(environment={}) == Settings()
    (tmp_path / "settings.json").write_text('{"workers": 3}', encoding="utf-8")
    assert resolve(environment={}).workers == 3


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("provider", "cdua", "cuda"),
        ("precision", "fp8", "int8"),
        ("threads", -1, "0 to 256"),
        ("threads", 2.5, "0 to 256"),
        ("threads", "two", "0 to 256"),
        ("threads", "²", "0 to 256"),
        ("threads", True, "0 to 256"),
        ("memory_mb", 1, "128"),
        ("idle_s", float("nan"), "0 to 86400"),
        ("strict", "maybe", "true, false"),
        ("graph_optimization", "most", "disable, basic, extended, layout, all"),
        ("execution_mode", "both", "sequential, parallel"),
        ("inter_op_threads", 257, "0 to 256"),
        ("log_severity", 5, "0 to 4"),
        ("log_severity", "-1", "0 to 4"),
        ("log_severity", 1.5, "0 to 4"),
        ("log_severity", True, "0 to 4"),
        ("log_level", "loud", "debug, info, warning, error"),
        ("log_level", 2, "debug, info, warning, error"),
        ("low_memory", 1, "auto, on, off"),
        ("cache_dir", 3, "a path"),
        ("model_dir", "a\0b", "a path"),
    ],
)
def test_an_impossible_value_names_the_allowed_ones(name: str, value: object, words: str) -> None:
    for layer in ("call", "preferences"):
        error = refused(**{layer: {name: value}})
        assert error.code == "setting_invalid" and name in error.message and words in error.fix
    if isinstance(value, str) and "\0" not in value:
        variable = f"BLENDSHAPE_{name.upper()}"
        found = resolve(environment={variable: value, "BLENDSHAPE_WORKERS": "3"})
        assert getattr(found, name) == getattr(Settings(), name) and found.workers == 3, (
            "the rest counts"
        )
        assert (
            len(found.warnings) == 1
            and variable in found.warnings[0]
            and words in found.warnings[0]
        )


def test_an_unknown_name_gets_the_nearest_known_one() -> None:
    error = refused(preferences={"providr": "cpu"})
    assert error.code == "setting_invalid" and "Did you mean provider?" in error.fix
    [warning] = resolve(environment={"BLENDSHAPE_PROVIDR": "cpu"}).warnings
    assert "BLENDSHAPE_PROVIDR" in warning and "Did you mean provider?" in warning
    assert "threads" in refused(call={"colour": 1}).fix


@pytest.mark.parametrize("text", ["", "[]", "{", "\ufeffnull", "[" * 100_000, "\ud800"])
def test_a_file_that_is_no_settings_is_a_warning(tmp_path: Path, text: str) -> None:
    file = tmp_path / "s.json"
    file.write_bytes(text.encode("utf-8", errors="surrogatepass"))
    found = resolve(environment={"BLENDSHAPE_CONFIG": str(file), "BLENDSHAPE_WORKERS": "3"})
    assert len(found.warnings) == 1 and str(file) in found.warnings[0]
    assert found == Settings(
        workers=3, sources=(("workers", "BLENDSHAPE_WORKERS"),), warnings=found.warnings
    )


def test_of_a_file_only_what_is_wrong_is_left_out(tmp_path: Path) -> None:
    file = tmp_path / "s.json"
    file.write_text(
        '{"threads": "many", "workers": 3, "colour": 1, "log_severity": 4, "idle_s": null}',
        encoding="utf-8",
    )
    found = resolve(environment={"BLENDSHAPE_CONFIG": str(file)})
    assert (found.threads, found.workers, found.log_severity, found.idle_s) == (
        0,
        3,
        "fatal",
        300.0,
    )
    assert len(found.warnings) == 2 and all(str(file) in warning for warning in found.warnings)
    assert "threads is 'many'" in found.warnings[0] and "'colour'" in found.warnings[1]


def test_what_is_wrong_in_the_environment_does_not_hide_what_the_file_says(tmp_path: Path) -> None:
    file = tmp_path / "s.json"
    file.write_text('{"threads": 3}', encoding="utf-8")
    found = resolve(environment={"BLENDSHAPE_CONFIG": str(file), "BLENDSHAPE_THREADS": "many"})
    assert (
        found.threads == 3
        and str(file) in found.source("threads")
        and "BLENDSHAPE_THREADS" in found.warnings[0]
    )


def test_a_file_that_was_named_must_be_there_and_the_users_own_need_not(tmp_path: Path) -> None:
    named, folder = str(tmp_path / "none.json"), str(tmp_path)
    assert named in resolve(environment={"BLENDSHAPE_CONFIG": named}).warnings[0]
    assert folder in resolve(environment={"BLENDSHAPE_CONFIG": folder}).warnings[0], "a folder"
    own = {"XDG_CONFIG_HOME": folder, "APPDATA": folder}
    assert resolve(environment=own) == Settings()


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such files")
def test_what_never_ends_or_never_answers_is_not_read(tmp_path: Path) -> None:
    if sys.platform == "win32":
        return
    os.mkfifo(tmp_path / "fifo")
    for path in ("/dev/zero", tmp_path / "fifo"):
        assert str(path) in resolve(environment={"BLENDSHAPE_CONFIG": str(path)}).warnings[0]


def test_a_file_that_is_too_large_is_not_read(tmp_path: Path) -> None:
    file = tmp_path / "s.json"
    file.write_bytes(b" " * (MAX_FILE + 1))
    assert "too large" in resolve(environment={"BLENDSHAPE_CONFIG": str(file)}).warnings[0]


def without_a_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, how: str) -> None:
    """A user whose home is not known, or is a file."""
    if how == "unknown":

        def none() -> Path:
            raise RuntimeError("Could not determine home directory.")

        monkeypatch.setattr(Path, "home", none)
    else:
        (tmp_path / "home").write_text("a file", encoding="utf-8")
        monkeypatch.setattr(Path, "home", lambda: tmp_path / "home")


@pytest.mark.parametrize("how", ["unknown", "a file"])
def test_without_a_home_there_are_the_defaults_and_a_warning(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, how: str
) -> None:
    without_a_home(monkeypatch, tmp_path, how)
    found = resolve(environment={"BLENDSHAPE_WORKERS": "3"})
    assert (
        found.workers == 3
        and len(found.warnings) == 1
        and ("HOME" if how == "unknown" else "cannot be read") in found.warnings[0]
    )
    assert (cache_folder(Settings(), {}) is None) == (how == "unknown")
    assert engine_cache(Settings(), "openvino", "a" * 64, "r", "cpu") is None
    assert (
        engine_cache(Settings(cache_dir=str(tmp_path / "c")), "openvino", "a" * 64, "r", "cpu")
        is not None
    )


def test_the_defaults_are_those_that_the_page_states() -> None:
    stated: dict[str, str] = {}
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.split("|")]
        if len(cells) == 5 and cells[1].startswith("`"):
            names, values = re.findall(r"`(\w+)`", cells[1]), cells[2].replace("`", "").split(", ")
            if len(names) == len(values):
                stated |= dict(zip(names, values, strict=True))
    assert {
        "threads",
        "memory_mb",
        "idle_s",
        "workers",
        "server_timeout_s",
        "strict",
        "log_severity",
    } <= set(stated)
    words = {"strict": "false", "placement": "false"}
    for name in set(stated) & set(SETTINGS):
        default = getattr(Settings(), name)
        if isinstance(default, int | float | str) and default != "":
            assert stated[name] == words.get(
                name, f"{default:g}" if isinstance(default, int | float) else default
            ), name


@pytest.mark.parametrize(
    ("name", "low", "high"),
    [
        ("device", 0, 63),
        ("threads", 0, 256),
        ("memory_mb", 128, 1 << 20),
        ("gpu_memory_mb", 128, 1 << 20),
        ("idle_s", 0, 86_400),
        ("workers", 1, 16),
        ("inter_op_threads", 0, 256),
        ("server_timeout_s", 0.01, 3600),
    ],
)
def test_a_number_may_be_its_least_and_its_most_and_nothing_beyond(
    name: str, low: float, high: float
) -> None:
    step = 0.001 if name == "server_timeout_s" else 1
    assert [getattr(resolve({name: value}, environment={}), name) for value in (low, high)] == [
        low,
        high,
    ]
    for beyond in (low - step, high + step):
        assert f"{low:g} to {high:g}" in refused(call={name: beyond}).fix


@pytest.mark.parametrize("name", ["model_dir", "cache_dir", "profile", "metrics", "server_ca"])
def test_a_path_is_any_text_that_may_be_one(name: str) -> None:
    for path in ("/some/where", "C:\\Users\\花", "with space", ""):
        assert getattr(resolve({name: path}, environment={}), name) == path
    for wrong in (3, True, ["a"], "a\0b"):
        assert "a path" in refused(call={name: wrong}).fix
    assert describe(resolve(environment={}))[name]["allowed"] == "a path, or nothing"


@pytest.mark.parametrize(
    "address", ["http://host:1", "grpc://host", "grpc://host:123456", "grpc://a b:1", "host:8001"]
)
def test_a_server_is_an_address_of_grpc_or_nothing(address: str) -> None:
    assert "grpc://HOST:PORT" in refused(call={"server": address}).fix
    assert [
        resolve({"server": good}, environment={}).server
        for good in ("", "grpc://[::1]:8001", "grpcs://gpu-1.lan:9")
    ] == [
        "",
        "grpc://[::1]:8001",
        "grpcs://gpu-1.lan:9",
    ]


@pytest.mark.parametrize(
    ("text", "value"),
    [("1", True), ("YES", True), ("off", False), ("0", False), (True, True), (0, False)],
)
def test_switches_take_the_usual_words(text: object, value: bool) -> None:
    assert resolve({"strict": text}, environment={}).strict is value


def test_auto_threads_and_empty_variables_mean_the_default() -> None:
    found = resolve({"threads": "auto"}, environment={"BLENDSHAPE_PROVIDER": "  ", "OTHER": "x"})
    assert found.threads == 0 and found.provider == "auto"


VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=20),
    st.lists(st.integers()),
)


@given(st.sampled_from(sorted(SETTINGS)), VALUES)
def test_any_value_is_taken_or_refused_with_a_sentence(name: str, value: object) -> None:
    try:
        found = resolve({name: value}, environment={})
    except BackendError as error:
        assert error.code == "setting_invalid" and error.fix
    else:
        assert type(getattr(found, name)) is type(getattr(Settings(), name))


def test_every_setting_is_described() -> None:
    told = describe(resolve({"threads": 2}, environment={}))
    assert set(told) == set(SETTINGS) == set(vars(Settings())) - {"sources", "warnings"}
    assert (
        told["threads"]["value"] == 2
        and told["threads"]["from"] == "the call"
        and all(entry["about"] for entry in told.values())
    )
    paths = {name for name, entry in told.items() if entry["allowed"] == "a path, or nothing"}
    assert paths == {"model_dir", "cache_dir", "profile", "metrics", "server_ca"}


@pytest.mark.parametrize(
    ("value", "name"), [(0, "verbose"), ("2", "warning"), (4.0, "fatal"), ("ERROR", "error")]
)
def test_a_severity_may_be_told_by_its_number(value: object, name: str) -> None:
    assert resolve({"log_severity": value}, environment={}).log_severity == name


class Started:
    """A real child started with an environment that has nothing but what is told."""

    def __init__(self, environment: dict[str, str], before: str = "") -> None:
        command = [
            sys.executable,
            "-c",
            (
                f"import sys, runpy\n{before}\nsys.argv = ['backend',"
                " 'serve']\nrunpy.run_module('backend', run_name='__main__')"
            ),
        ]
        self.process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def report(self, tiny: Path) -> dict[str, Any]:
        """The report of a request for a small figure's shapes."""
        stdin, stdout = cast(BinaryIO, self.process.stdin), cast(BinaryIO, self.process.stdout)
        hello = read_message(stdout)
        assert hello is not None and hello.header["type"] == "hello"
        mesh = figure()
        write_message(
            stdin,
            {
                "type": "generate",
                "id": 1,
                "sets": ["vrchat"],
                "bones": mesh.bones,
                "up": mesh.up,
                "model": str(tiny),
            },
            mesh.arrays(),
        )
        while True:
            message = read_message(stdout)
            assert message is not None
            assert message.header["type"] != "error", message.header
            if message.header["type"] == "done":
                return cast(dict[str, Any], message.header["report"])

    def end(self) -> str:
        """What it wrote to stderr."""
        return self.process.communicate(timeout=20)[1].decode()


@pytest.mark.skipif(os.name == "nt", reason="Windows needs a few variables to start Python")
@pytest.mark.parametrize(
    ("environment", "before", "words"),
    [
        ({}, "", ""),
        (
            {},
            "import pwd\ndef gone(uid): raise KeyError(uid)\npwd.getpwuid = gone",
            "no home folder",
        ),
        ({"HOME": str(Path(__file__))}, "", "cannot be read"),
        ({"BLENDSHAPE_CONFIG": "/no/such/file"}, "", "/no/such/file"),
        ({"BLENDSHAPE_CONFIG": str(Path(__file__))}, "", "not JSON"),
        ({"BLENDSHAPE_THREADS": "many", "BLENDSHAPE_PROVIDER": "cdua"}, "", "Did you mean cuda?"),
    ],
    ids=[
        "nothing",
        "no such user",
        "HOME is a file",
        "file not there",
        "file is no JSON",
        "values",
    ],
)
def test_a_real_child_works_in_any_environment_and_warns(
    tiny: Path, environment: dict[str, str], before: str, words: str
) -> None:
    child = Started(environment, before)
    try:
        warnings = " ".join(child.report(tiny).get("warnings", []))
    finally:
        log = child.end()
    if words:
        assert words in warnings and log.count(words) == 1 and " WARNING backend." in log
    else:
        assert not log, "a child that has nothing to say leaves an empty log"


def test_the_page_about_the_engine_lists_every_setting_with_its_default() -> None:
    rows = [
        line.split("|")
        for line in PAGE.read_text(encoding="utf-8").splitlines()
        if line.startswith("| `")
    ]
    told = {
        name.strip(" `"): row[2].strip(" `")
        for row in rows
        if len(row) == 5
        for name in row[1].split(",")
    }
    assert set(SETTINGS) <= set(told)
    for name in (
        "strict",
        "threads",
        "memory_mb",
        "workers",
        "graph_optimization",
        "execution_mode",
        "inter_op_threads",
        "log_severity",
        "log_level",
    ):
        assert told[name] == f"{getattr(Settings(), name)}".lower(), name
