# SPDX-License-Identifier: GPL-3.0-or-later
"""Model files: what is accepted, what is refused with which words, and what running one gives."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from fixtures import models
from hypothesis import given
from hypothesis import strategies as st

from backend import regular_file
from backend.errors import BackendError
from backend.inference import contract, decoding, loading, onnx_file
from backend.inference.cancellation import Cancellation
from backend.inference.loading import load_model, short_of_memory
from backend.inference.onnx_file import check_model_bytes
from backend.inference.running import run
from backend.inference.sessions import create
from backend.inference.settings import resolve

CONDITIONS = ["jawOpen", "eyeBlinkLeft", "mouthPucker"]


@pytest.fixture
def shipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A tiny pair in the place of the shipped one, so that these tests do not depend on it."""
    models.pair(tmp_path, "face", CONDITIONS)
    monkeypatch.setattr(loading, "SHIPPED", tmp_path / "face")
    return tmp_path


def face_arrays(count: int) -> Any:
    """What a decoder takes for each of `count` random vertices, and the latent."""
    random = np.random.default_rng(0)
    sizes = [*((count, columns) for _, columns in contract.PER_VERTEX.values()), (1, models.LATENT)]
    return tuple(random.normal(size=size).astype(np.float32) for size in sizes)


def refused(path: Path) -> BackendError:
    with pytest.raises(BackendError) as caught:
        loading.load_model(path)
    assert caught.value.fix
    return caught.value


@pytest.mark.parametrize("half", ["encoder", "decoder"])
def test_a_pair_is_loaded_by_either_half(tmp_path: Path, half: str) -> None:
    models.pair(tmp_path, "mine", CONDITIONS, name="Mine", licence="CC0")
    model = loading.load_model(tmp_path / f"mine.{half}.onnx")
    assert (
        model.info.contract == "pair"
        and model.info.name == "Mine"
        and model.info.about == {"licence": "CC0"}
    )
    assert model.info.condition_names == tuple(CONDITIONS)
    assert model.info.landmarks == tuple(models.LANDMARKS)
    assert model.use.active == "CPUExecutionProvider"


def test_the_shipped_pair_is_the_default(shipped: Path) -> None:
    assert loading.load_model().info.path == str(shipped / "face.decoder.onnx")


@pytest.mark.parametrize("count", [1, 2047, 2048, 2049, 5000])
def test_a_decoder_gives_the_same_in_chunks_as_at_once(shipped: Path, count: int) -> None:
    model = loading.load_model()
    face = face_arrays(count)
    weights = np.array([[1, 0, 0], [0, 1, 0], [0.5, -1, 2]], np.float32)
    seen: list[float] = []
    offsets = decoding.shapes_of(model, face, weights, Cancellation(), seen.append)
    basis = np.empty((count, 3, 3), np.float32)  # what models.decoder promises
    basis[..., 0] = 0.01 * np.arange(1, 4)
    basis[..., 1] = face[0][:, 1:2]
    basis[..., 2] = face[-1][0, 0]
    np.testing.assert_allclose(
        offsets, np.einsum("nk,vkc->nvc", weights, basis), rtol=1e-5, atol=1e-6
    )
    assert offsets.dtype == np.float32 and offsets.flags.c_contiguous
    assert seen == sorted(seen) and seen[-1] == 1.0


@pytest.mark.parametrize("normals", [False, True])
def test_a_plain_model_without_metadata_is_run_once_per_shape(shipped: Path, normals: bool) -> None:
    model = loading.load_model(models.plain(shipped / "p.onnx", 3, normals=normals))
    assert model.info.condition_names == ("condition_0", "condition_1", "condition_2")
    weights = np.array([[1, 0, 0], [0, 0, 0.5]], np.float32)
    offsets = decoding.shapes_of(model, face_arrays(10), weights, Cancellation())
    np.testing.assert_allclose(
        offsets[..., 0], np.array([[0.1], [0.15]]) * np.ones((1, 10)), rtol=1e-5
    )
    assert not offsets[..., 1:].any()


def test_a_plain_models_ranges_and_defaults_count(shipped: Path) -> None:
    described = [
        {"name": "a", "min": 0, "max": 0.5},
        {"name": "b", "min": -1, "max": 1, "default": 0.25},
    ]
    model = loading.load_model(models.plain(shipped / "p.onnx", 2, conditions=described))
    offsets = decoding.shapes_of(
        model, face_arrays(4), np.array([[1, 0], [0, -3]], np.float32), Cancellation()
    )
    np.testing.assert_allclose(offsets[:, 0, 0], [0.1 * 0.5 + 0.2 * 0.25, 0.2 * -1], rtol=1e-5)


@pytest.mark.parametrize(
    ("described", "words"),
    [
        ("not json", "not JSON"),
        ({"a": 1}, "list"),
        ([], "list"),
        (["a", "a", "b"], "twice"),
        ([1, 2, 3], "without a name"),
        (["a", "b"], "takes 3 conditions but its metadata names 2"),
        ([{"name": "a", "min": "0"}, "b", "c"], "not made of numbers"),
        ([{"name": "a", "min": 2, "max": 1}, "b", "c"], "outside"),
    ],
)
def test_wrong_metadata_is_explained(shipped: Path, described: object, words: str) -> None:
    error = refused(models.plain(shipped / "p.onnx", 3, conditions=described))
    assert error.code == "model_contract" and words in error.message and "p.onnx" in error.message


def test_wrong_axes_are_explained(shipped: Path) -> None:
    fixed = refused(models.plain(shipped / "fixed.onnx", 3, rows=7))
    assert fixed.code == "model_contract" and "exactly 7 rows of vertices" in fixed.message
    flat = refused(models.plain(shipped / "four.onnx", 3, out=4))
    assert flat.code == "model_contract" and "(any, any, 3)" in flat.message


def test_wrong_inputs_are_explained(tmp_path: Path, shipped: Path) -> None:
    node = onnx.helper.make_node("Identity", ["image"], ["label"])
    error = refused(
        models.save(
            tmp_path / "cat.onnx", [node], {"image": [1, 3, 8, 8]}, {"label": [1, 3, 8, 8]}, {}, {}
        )
    )
    assert (
        error.code == "model_contract"
        and "image" in error.message
        and "conditions, vertices" in error.message
    )


def test_halves_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    models.pair(tmp_path, "a", CONDITIONS)
    models.decoder(tmp_path / "a.decoder.onnx", CONDITIONS, models.LATENT + 1)
    assert "not from one training" in refused(tmp_path / "a.decoder.onnx").message


def test_half_a_pair_is_refused(tmp_path: Path) -> None:
    models.decoder(tmp_path / "a.decoder.onnx", CONDITIONS, models.LATENT)
    error = refused(tmp_path / "a.decoder.onnx")
    assert error.code == "model_missing" and "a.encoder.onnx" in error.message
    assert (
        "half"
        in refused(models.decoder(tmp_path / "alone.onnx", CONDITIONS, models.LATENT)).message
    )


def test_an_encoder_without_landmarks_is_refused(tmp_path: Path) -> None:
    models.pair(tmp_path, "a", CONDITIONS)
    models.encoder(tmp_path / "a.encoder.onnx", models.LANDMARKS, landmarks=["x", "x"])
    assert "landmark names" in refused(tmp_path / "a.encoder.onnx").message


def test_another_version_of_the_contract_is_refused(shipped: Path) -> None:
    assert "version 2" in refused(models.plain(shipped / "p.onnx", 3, version="2")).message


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    error = refused(tmp_path / "no.onnx")
    assert error.code == "model_missing" and "no.onnx" in error.message


@pytest.mark.parametrize(
    "data", [b"", b"PK\x03\x04 a zip", b"\x80\x04\x95 a pickle", b"ORTM" * 8, bytes(4096)], ids=str
)
def test_files_that_are_no_models_are_refused(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "x.onnx").write_bytes(data)
    assert refused(tmp_path / "x.onnx").code == "model_unreadable"


@given(st.data())
def test_a_damaged_model_is_refused_or_still_a_whole_protobuf(data: st.DataObject) -> None:
    whole = onnx.helper.make_model(
        onnx.helper.make_graph([onnx.helper.make_node("Identity", ["a"], ["b"])], "g", [], [])
    ).SerializeToString()
    cut = whole[: data.draw(st.integers(0, len(whole)))]
    spoilt = bytearray(cut)
    if spoilt:
        spoilt[data.draw(st.integers(0, len(spoilt) - 1))] = data.draw(st.integers(0, 255))
    try:
        check_model_bytes(bytes(spoilt), "x")
    except BackendError as error:
        assert error.code == "model_unreadable"


def external(model: onnx.ModelProto, location: str) -> onnx.TensorProto:
    """Mark a tensor of the model's as lying in another file."""
    tensor = onnx.TensorProto(
        name="far",
        data_type=onnx.TensorProto.FLOAT,
        dims=[4],
        data_location=onnx.TensorProto.EXTERNAL,
    )
    tensor.external_data.add(key="location", value=location)
    return tensor


PLACES = (
    "initializer",
    "sparse",
    "indices",
    "constant",
    "list",
    "sparse_value",
    "sparse_list",
    "branch",
    "branches",
    "function",
    "default",
)


@pytest.mark.parametrize("location", ["weights.bin", "../../secret.bin", "/etc/hostname"])
@pytest.mark.parametrize(
    "place",
    [
        "initializer",
        "sparse",
        "indices",
        "constant",
        "list",
        "sparse_value",
        "sparse_list",
        "branch",
        "branches",
        "function",
        "default",
    ],
)
def test_a_model_may_not_point_at_other_files(
    tmp_path: Path, shipped: Path, location: str, place: str
) -> None:
    model = onnx.load(models.plain(shipped / "p.onnx", 3))
    tensor = external(model, location)
    if place == "initializer":
        model.graph.initializer.append(tensor)
    elif place == "constant":
        model.graph.node.append(onnx.helper.make_node("Constant", [], ["far"], value=tensor))
    elif place in ("sparse", "indices"):
        sparse = model.graph.sparse_initializer.add(dims=[4])
        (sparse.values if place == "sparse" else sparse.indices).CopyFrom(tensor)
    elif place in ("list", "sparse_value", "sparse_list", "branches", "default"):
        attribute = onnx.AttributeProto(name="a")
        near = onnx.SparseTensorProto(values=tensor, dims=[4])
        if place == "list":
            attribute.tensors.append(tensor)
        elif place == "sparse_value":
            attribute.sparse_tensor.CopyFrom(near)
        elif place == "sparse_list":
            attribute.sparse_tensors.append(near)
        elif place == "branches":
            attribute.graphs.append(onnx.helper.make_graph([], "inner", [], [], [tensor]))
        else:
            attribute.t.CopyFrom(tensor)
        if place == "default":
            model.functions.append(
                onnx.FunctionProto(name="f", domain="d", attribute_proto=[attribute])
            )
        else:
            model.graph.node.append(
                onnx.NodeProto(op_type="Constant", output=["far"], attribute=[attribute])
            )
    elif place == "branch":
        inner = onnx.helper.make_graph([], "inner", [], [], [tensor])
        model.graph.node.append(
            onnx.helper.make_node("If", ["c"], ["far2"], then_branch=inner, else_branch=inner)
        )
    else:
        node = onnx.helper.make_node("Constant", [], ["far"], value=tensor)
        model.functions.append(onnx.helper.make_function("d", "f", [], ["far"], [node], []))
    path = tmp_path / "far.onnx"
    path.write_bytes(model.SerializeToString())
    error = refused(path)
    assert error.code == "model_unreadable" and "another file" in error.message


def test_a_model_that_is_nested_without_end_is_refused() -> None:
    graph = onnx.helper.make_graph([], "g", [], [])
    for _ in range(20):
        graph = onnx.helper.make_graph(
            [onnx.helper.make_node("If", ["c"], ["x"], then_branch=graph)], "g", [], []
        )
    with pytest.raises(BackendError, match="nested too deeply"):
        check_model_bytes(onnx.helper.make_model(graph).SerializeToString(), "x")


def test_a_model_of_too_many_parts_is_refused_and_one_of_as_many_as_may_be_is_not(
    shipped: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = models.plain(shipped / "p.onnx", 3).read_bytes()
    parts = 0
    while True:  # the least that it takes
        monkeypatch.setattr(onnx_file, "MAX_FIELDS", parts)
        try:
            check_model_bytes(data, "x")
        except BackendError as error:
            assert "too many parts" in error.message
            parts += 1
        else:
            break
    more = onnx.load_from_string(data)
    more.graph.node.append(onnx.NodeProto(op_type="Erf"))  # a node, and its type
    monkeypatch.setattr(onnx_file, "MAX_FIELDS", parts + 2)
    check_model_bytes(more.SerializeToString(), "x")
    monkeypatch.setattr(onnx_file, "MAX_FIELDS", parts + 1)
    with pytest.raises(BackendError, match="too many parts"):
        check_model_bytes(more.SerializeToString(), "x")


def test_a_model_that_is_too_large_is_not_even_read(
    shipped: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = models.plain(shipped / "p.onnx", 3)
    monkeypatch.setattr(onnx_file, "MAX_FILE", path.stat().st_size - 1)
    error = refused(path)
    assert error.code == "model_unreadable" and "which is the most" in error.message


def test_a_graph_that_the_runtime_refuses_is_unreadable(shipped: Path) -> None:
    model = onnx.load(models.plain(shipped / "p.onnx", 3))
    model.graph.node[0].op_type = "NoSuchOperator"
    (shipped / "odd.onnx").write_bytes(model.SerializeToString())
    error = refused(shipped / "odd.onnx")
    assert (
        error.code == "model_unreadable"
        and "NoSuchOperator" in error.message
        and "\n" not in error.message
    )


def test_an_opset_that_is_too_new_is_named(shipped: Path) -> None:
    model = onnx.load(models.plain(shipped / "p.onnx", 3))
    model.opset_import[0].version = 99
    (shipped / "new.onnx").write_bytes(model.SerializeToString())
    error = refused(shipped / "new.onnx")
    assert error.code == "model_unreadable" and "opset 99" in error.message and "17" in error.fix


def test_numbers_that_are_none_are_an_error(tmp_path: Path) -> None:
    models.pair(tmp_path, "nan", CONDITIONS, scale=float("nan"))
    model = loading.load_model(tmp_path / "nan.decoder.onnx")
    with pytest.raises(BackendError, match="not numbers") as caught:
        decoding.shapes_of(model, face_arrays(8), np.eye(3, dtype=np.float32), Cancellation())
    assert caught.value.code == "model_contract"


def test_a_basis_of_another_size_is_an_error(shipped: Path) -> None:
    model = loading.load_model()
    with pytest.raises(BackendError, match="basis") as caught:
        decoding.shapes_of(model, face_arrays(8), np.eye(4, dtype=np.float32), Cancellation())
    assert caught.value.code == "model_contract"


def test_a_model_that_fails_while_running_is_an_error_of_the_model(shipped: Path) -> None:
    path = models.plain(shipped / "p.onnx", 3)
    session = create(path.read_bytes(), path.name, 1)
    with pytest.raises(BackendError, match=r"p\.onnx") as caught:
        run(
            session,
            {
                "vertices": np.zeros((1, 5, 3), np.float32),
                "conditions": np.zeros((1, 99), np.float32),
            },
            Cancellation(),
        )
    assert caught.value.code == "model_contract"


def test_an_encoder_is_a_function_of_points(shipped: Path) -> None:
    encode = decoding.encode_with(loading.load_model(), Cancellation())
    latent, confidence = encode(np.zeros((3, 50, 7), np.float32))
    assert latent.shape == (3, models.LATENT) and confidence.shape == (3,)
    np.testing.assert_allclose(
        latent[2, : 3 * len(models.LANDMARKS)].reshape(-1, 3),
        list(models.LANDMARKS.values()),
        atol=1e-6,
    )
    np.testing.assert_allclose(confidence, 0.97, rtol=1e-6)


def test_what_was_cancelled_does_not_run(shipped: Path) -> None:
    cancellation = Cancellation()
    cancellation.set()
    with pytest.raises(BackendError) as caught:
        decoding.shapes_of(
            loading.load_model(), face_arrays(8), np.eye(3, dtype=np.float32), cancellation
        )
    assert caught.value.code == "cancelled"


def test_a_model_holds_its_sessions_threads(shipped: Path) -> None:
    model = loading.load_model(settings=resolve({"threads": 1}, environment={}))
    assert model.threads == 1 and model.sessions == 2
    assert dataclasses.asdict(model.info)["contract"] == "pair"


def test_a_model_that_was_replaced_is_not_taken_for_the_one_that_was_loaded(tmp_path: Path) -> None:
    decoder = models.pair(tmp_path, "m", ["jawOpen"])
    loaded = loading.load_model(decoder)
    assert loaded.decoder is not None and loaded.decoder.data == decoder.read_bytes()
    models.pair(tmp_path, "m", ["jawOpen", "mouthClose"])
    with pytest.raises(BackendError) as caught:
        _ = loaded.decoder.data
    assert caught.value.code == "model_unreadable" and "changed" in caught.value.message


def test_settings_and_memory_mode_are_those_that_are_given_else_the_environments(
    shipped: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BLENDSHAPE_THREADS", "1")
    monkeypatch.setenv("BLENDSHAPE_LOW_MEMORY", "on")
    own = load_model()
    assert own.threads == 1 and own.encoder.low_memory and own.low_memory
    given = resolve({"threads": 2, "low_memory": "off"}, environment={})
    assert load_model(None, given).threads == 2 and not load_model(None, given).encoder.low_memory
    assert (
        load_model(None, given, True).encoder.low_memory
        and not load_model(None, None, False).encoder.low_memory
    )


@pytest.mark.parametrize(
    ("chosen", "free", "short"),
    [
        ({"low_memory": "on"}, 9000.0, True),
        ({"low_memory": "off", "memory_mb": 128}, 1.0, False),
        ({"memory_mb": 512}, 512.0, False),
        ({"memory_mb": 511}, 9000.0, True),
        ({"memory_mb": 4096}, 511.0, True),
    ],
)
def test_memory_is_short_where_either_the_machine_or_the_ceiling_has_little(
    chosen: dict[str, Any], free: float, short: bool
) -> None:
    assert short_of_memory(resolve(chosen, environment={}), lambda: free) is short


def test_a_model_tells_about_itself_in_plain_values(shipped: Path) -> None:
    model = load_model(None, resolve({"threads": 1, "provider": "cpu"}, environment={}))
    told = model.engine()
    assert (told["provider_active"], told["threads"], told["low_memory"]) == (
        "CPUExecutionProvider",
        1,
        False,
    )
    assert model.sessions == len(model.parts) == 2 and model.parts == (model.encoder, model.decoder)
    assert (
        model.parallel_runs == 1
        and model.warnings == []
        and not model.slow
        and model.use is model.parts[-1].use
    )
    assert model.close() == [] and all(
        part.session is None for part in (model.encoder, model.decoder) if part is not None
    )


@pytest.mark.parametrize("count", [1, 300, 2500, 5000, 40_000])
def test_a_piece_is_an_eighth_of_what_is_left_but_neither_too_small_nor_too_large(
    shipped: Path, count: int
) -> None:
    left = count
    for piece in load_model(
        None, resolve({"threads": 2, "provider": "cpu", "low_memory": "off"}, environment={})
    ).pieces(count):
        assert piece.start == count - left and piece.stop - piece.start == min(
            left, max(256, min(512, left // 8))
        )
        left = count - piece.stop
    assert left == 0


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (PermissionError(13, "Permission denied"), "Permission denied"),
        (OSError("no reason"), "no reason"),
    ],
)
def test_a_file_that_the_system_does_not_give_is_told_with_its_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: OSError, said: str
) -> None:
    def refuse(*_arguments: object, **_more: object) -> bytes:
        raise error

    monkeypatch.setattr(regular_file, "read", refuse)
    with pytest.raises(BackendError) as caught:
        onnx_file.read_model_file(tmp_path / "model.onnx")
    assert (
        caught.value.code == "model_unreadable"
        and caught.value.message.endswith(f"model.onnx cannot be read: {said}.")
        and caught.value.fix
    )
