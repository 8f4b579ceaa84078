# SPDX-License-Identifier: GPL-3.0-or-later
"""Several models side by side, their variants in other precisions, and what is written for other
runtimes.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from fixtures import models

from backend.errors import BackendError
from backend.inference import loading
from backend.inference.cancellation import Cancellation
from backend.inference.catalogue import catalogue, find_model
from backend.inference.contract import PER_VERTEX
from backend.inference.decoding import shapes_of
from backend.inference.export import export_ort
from backend.inference.loading import load_model
from backend.inference.selftest import probe
from backend.inference.settings import Settings, resolve
from backend.inference.variants import KEY

ROOT = Path(__file__).resolve().parents[3]
CONDITIONS = ["jawOpen", "eyeBlinkLeft", "mouthPucker"]


def settings(**chosen: Any) -> Settings:
    return resolve({"threads": 1, **chosen}, environment={})


def add_variant(decoder: Path, in_: str, **told: Any) -> Path:
    """A copy of the decoder that says it is its variant."""
    model = onnx.load(str(decoder))
    described = {
        "precision": in_,
        "of": hashlib.sha256(decoder.read_bytes()).hexdigest(),
        "mae_rise": 0.01,
        **told,
    }
    entry = model.metadata_props.add()
    entry.key, entry.value = KEY, json.dumps(described)
    path = decoder.with_name(f"{decoder.stem}.{in_}.onnx")
    onnx.save(model, str(path))
    return path


def test_a_measured_variant_is_used_when_it_is_asked_for(tmp_path: Path) -> None:
    decoder = models.pair(tmp_path, "m", CONDITIONS)
    variant = add_variant(decoder, "int8")
    assert load_model(decoder, settings()).precision == "fp32"
    model = load_model(decoder, settings(precision="int8"))
    assert model.decoder is not None and (
        model.decoder.name,
        model.precision,
        model.precision_reason,
    ) == (variant.name, "int8", "")
    assert model.info.path == str(decoder) and model.engine()["precision"] == "int8"


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ({"mae_rise": 0.02}, "raises the mean error by 2.0%"),
        ({"mae_rise": float("nan")}, "does not tell its error"),
        ({"mae_rise": None}, "does not tell its error"),
        ({"of": "0" * 64}, "was made from another model"),
        ({"precision": "fp16"}, "says it is 'fp16'"),
    ],
)
def test_a_variant_that_loses_quality_or_is_not_measured_is_not_offered(
    tmp_path: Path, told: dict[str, Any], words: str
) -> None:
    decoder = models.pair(tmp_path, "m", CONDITIONS)
    add_variant(decoder, "int8", **told)
    model = load_model(decoder, settings(precision="int8"))
    assert model.precision == "fp32" and words in model.precision_reason
    with pytest.raises(BackendError) as caught:
        load_model(decoder, settings(precision="int8", strict=True))
    assert (
        caught.value.code == "setting_invalid"
        and words in caught.value.message
        and "quantise" in caught.value.fix
    )


def test_without_a_variant_the_model_runs_as_it_is_and_says_so(tmp_path: Path) -> None:
    decoder = models.pair(tmp_path, "m", CONDITIONS)
    assert (
        "there is no variant m.decoder.fp16.onnx"
        in load_model(decoder, settings(precision="fp16")).precision_reason
    )
    shutil.copy(decoder, tmp_path / "m.decoder.fp16.onnx")
    assert (
        "no metadata blendshape.variant"
        in load_model(decoder, settings(precision="fp16")).precision_reason
    )


def test_models_of_a_folder_are_named_and_the_newest_version_is_the_default(tmp_path: Path) -> None:
    for version in ("face-1.9", "face-1.10", "other"):
        add_variant(models.pair(tmp_path, version, CONDITIONS, name=version), "int8")
    models.plain(tmp_path / "p.onnx", 3)
    (tmp_path / "broken.onnx").write_bytes(b"PK")
    chosen = settings(model_dir=str(tmp_path))
    entries = {entry.name: entry for entry in catalogue(chosen)}
    assert {"face-1.9", "face-1.10", "other", "p", "broken"} <= set(entries)
    assert (
        entries["p"].contract == "plain"
        and entries["other"].contract == "pair"
        and entries["other"].precisions == ("int8",)
    )
    assert "not a complete ONNX file" in entries["broken"].problem and not entries["other"].problem
    assert find_model("face", settings(model_dir=str(tmp_path))) is not None
    assert [find_model(n, chosen) for n in ("face-1.9", "other", None, "")] == [
        *(Path(entries[n].path) for n in ("face-1.9", "other")),
        None,
        None,
    ]
    assert find_model("sub/x.onnx", chosen) == Path("sub/x.onnx")
    with pytest.raises(BackendError) as caught:
        find_model("nobody", chosen)
    assert caught.value.code == "model_missing" and "face-1.10" in caught.value.fix
    with pytest.raises(BackendError) as caught:
        catalogue(settings(model_dir=str(tmp_path / "none")))
    assert caught.value.code == "input_missing"


def test_versions_are_compared_as_numbers(tmp_path: Path) -> None:
    for version in ("mine-1.9", "mine-1.10", "mine-v1.2"):
        models.pair(tmp_path, version, CONDITIONS, name=version)
    found = find_model("mine", settings(model_dir=str(tmp_path)))
    assert found is not None and found.name == "mine-1.10.decoder.onnx"


def test_the_ort_format_computes_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    decoder = models.pair(tmp_path, "m", CONDITIONS)
    monkeypatch.setattr(
        loading, "SHIPPED", tmp_path / "m"
    )  # a plain model is located with the shipped encoder
    (tmp_path / "out").mkdir()
    (tmp_path / "mine").write_text("mine", encoding="utf-8")
    if os.name != "nt":
        (tmp_path / "out" / "m.decoder.ort").symlink_to(
            tmp_path / "mine"
        )  # it is replaced, and what it points at stays
    paths = export_ort(decoder, tmp_path / "out", settings())
    assert (tmp_path / "mine").read_text(encoding="utf-8") == "mine" and len(
        list((tmp_path / "out").iterdir())
    ) == 2
    assert sorted(path.name for path in paths) == ["m.decoder.ort", "m.encoder.ort"]
    written = onnxruntime.InferenceSession(
        str(tmp_path / "out" / "m.decoder.ort"), providers=["CPUExecutionProvider"]
    )
    feeds = probe(written.get_inputs(), 50)
    model = load_model(decoder, settings())
    assert model.decoder is not None
    np.testing.assert_allclose(
        written.run(None, feeds)[0], model.decoder.session.run(None, feeds)[0], rtol=1e-6
    )
    plain = export_ort(models.plain(tmp_path / "p.onnx", 3), tmp_path / "out", settings())
    assert [path.name for path in plain] == ["p.ort"]


def test_where_nothing_can_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(BackendError) as caught:
        export_ort(models.pair(tmp_path, "m", CONDITIONS), tmp_path / "file", settings())
    assert caught.value.code == "output_unwritable"


def test_quantisation_makes_models_that_still_compute(tmp_path: Path) -> None:
    from scripts.tools import half_variant, integer_variants

    source = models.pair(tmp_path, "m", CONDITIONS, work=2)
    model = onnx.load(str(source))
    random = np.random.default_rng(0)
    for entry in model.graph.initializer:
        if entry.name in ("matrix", "spread", "gather"):
            array = random.normal(0, 0.05, tuple(entry.dims)).astype(np.float32)
            entry.CopyFrom(onnx.numpy_helper.from_array(array, entry.name))
        if entry.name == "nought":  # the products count
            entry.CopyFrom(onnx.numpy_helper.from_array(np.ones((1, 1, 1), np.float32), entry.name))
    onnx.save(model, str(source))
    loaded = load_model(source, settings())
    assert loaded.decoder is not None
    feeds = probe(loaded.decoder.session.get_inputs(), 64)
    expected = loaded.decoder.session.run(None, feeds)[0]
    made = {name: tmp_path / f"{name}.onnx" for name in ("dynamic", "static", "half")}
    products = integer_variants.products(integer_variants.named(source, tmp_path / "named.onnx"))
    assert len(products) == 3
    integer_variants.dynamic_int8(source, made["dynamic"], products[2:])
    integer_variants.static_int8(source, made["static"], [feeds], products[2:])
    half_variant.half(source, made["half"])
    kinds = {
        name: {node.op_type for node in onnx.load(str(path)).graph.node}
        for name, path in made.items()
    }
    assert (
        "MatMulInteger" in kinds["dynamic"]
        and "QuantizeLinear" in kinds["static"]
        and "Cast" in kinds["half"]
    )
    integer_variants.tensorrt_table(source, tmp_path / "m.decoder.calibration", [feeds])
    assert b"basis" in (tmp_path / "m.decoder.calibration").read_bytes()
    written = onnx.load(str(made["dynamic"])).graph.node
    assert sum(node.op_type == "MatMulInteger" for node in written) == 2 and products[2] in {
        node.name for node in written
    }, "one is kept"
    for name, path in made.items():
        session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
        found = session.run(None, feeds)[0]
        error = np.abs(found - expected).max() / np.abs(expected).max()
        assert found.dtype == np.float32 and 0 < error < 0.05, f"{name}: {error}"
        assert path.stat().st_size < 0.65 * source.stat().st_size
    face: Any = (*(feeds[name] for name in PER_VERTEX), feeds["latent"])
    shapes = shapes_of(loaded, face, np.eye(3, dtype=np.float32), Cancellation())
    assert shapes.shape == (3, 64, 3)


def test_the_command_line_lists_and_exports(tmp_path: Path) -> None:
    models.pair(tmp_path, "mine-1.0", CONDITIONS, name="mine-1.0")

    def backend(*arguments: object) -> str:
        command = [
            sys.executable,
            "-m",
            "backend",
            *map(str, arguments),
            "--setting",
            f"model_dir={tmp_path}",
        ]
        return subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout

    assert any(
        entry["name"] == "mine-1.0" for entry in json.loads(backend("models", "--json"))
    ) and "mine-1.0: pair" in backend("models")
    assert "mine-1.0.decoder.ort" in backend(
        "export-ort", "--model", "mine", "--out", tmp_path / "o"
    )
    assert (
        json.loads(backend("info", "--model", "mine-1.0", "--json"))["model"]["model"] == "mine-1.0"
    )
