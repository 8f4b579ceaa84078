# SPDX-License-Identifier: GPL-3.0-or-later
"""One precedence for every setting, and an error that names what is allowed for everything else."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.engine.settings import SETTINGS, Settings, describe, resolve
from backend.errors import BackendError


def refused(**layers: Any) -> BackendError:
    with pytest.raises(BackendError) as caught:
        resolve(**({"environment": {}} | layers))
    assert caught.value.fix
    return caught.value


def test_call_goes_before_preferences_before_environment_before_file_before_default(tmp_path: Path) -> None:
    file = tmp_path / "settings.json"
    file.write_text(json.dumps({"threads": 1, "provider": "cpu", "memory_mb": 512, "precision": "fp32"}), encoding="utf-8")
    environment = {"BLENDSHAPE_CONFIG": str(file), "BLENDSHAPE_THREADS": "2", "BLENDSHAPE_PROVIDER": " CUDA ", "BLENDSHAPE_MEMORY_MB": "600"}
    found = resolve({"threads": 4}, {"threads": 3, "provider": "openvino", "strict": None}, environment)
    assert (found.threads, found.provider, found.memory_mb, found.precision, found.idle_s) == (4, "openvino", 600, "fp32", Settings().idle_s)
    assert [found.source(n) for n in ("threads", "provider", "memory_mb", "idle_s")] == [
        "the call",
        "the preferences",
        "BLENDSHAPE_MEMORY_MB",
        "the default",
    ]
    assert str(file) in found.source("precision")


def test_the_users_own_file_is_read_where_the_system_keeps_such(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from backend.engine import settings

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
        error = refused(environment={f"BLENDSHAPE_{name.upper()}": value})
        assert f"BLENDSHAPE_{name.upper()}" in error.message and words in error.fix


def test_an_unknown_name_gets_the_nearest_known_one() -> None:
    error = refused(environment={"BLENDSHAPE_PROVIDR": "cpu"})
    assert error.code == "setting_invalid" and "Did you mean provider?" in error.fix
    assert "threads" in refused(call={"colour": 1}).fix


@pytest.mark.parametrize("text", ["", "[]", "{", '{"threads": "many"}', "\ufeffnull"])
def test_a_file_that_is_no_settings_is_an_error(tmp_path: Path, text: str) -> None:
    file = tmp_path / "s.json"
    file.write_text(text, encoding="utf-8")
    error = refused(environment={"BLENDSHAPE_CONFIG": str(file)})
    assert error.code == "setting_invalid" and str(file) in error.message


def test_a_file_that_was_named_must_be_there(tmp_path: Path) -> None:
    assert refused(environment={"BLENDSHAPE_CONFIG": str(tmp_path / "none.json")}).code == "input_missing"


@pytest.mark.parametrize(("text", "value"), [("1", True), ("YES", True), ("off", False), ("0", False), (True, True), (0, False)])
def test_switches_take_the_usual_words(text: object, value: bool) -> None:
    assert resolve({"strict": text}, environment={}).strict is value


def test_auto_threads_and_empty_variables_mean_the_default() -> None:
    found = resolve({"threads": "auto"}, environment={"BLENDSHAPE_PROVIDER": "  ", "OTHER": "x"})
    assert found.threads == 0 and found.provider == "auto"


VALUES = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=20), st.lists(st.integers()))


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
    assert set(told) == set(SETTINGS) == set(vars(Settings())) - {"sources"}
    assert told["threads"]["value"] == 2 and told["threads"]["from"] == "the call" and all(entry["about"] for entry in told.values())
