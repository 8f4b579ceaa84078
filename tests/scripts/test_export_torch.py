# SPDX-License-Identifier: GPL-3.0-or-later
"""Exporting other people's PyTorch networks: axes of any size, the same numbers, and sentences
about what breaks the contract.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the environment of requirements/train.txt")

from backend.errors import BackendError  # noqa: E402
from backend.inference.cancellation import Cancellation  # noqa: E402
from backend.inference.decoding import shapes_of  # noqa: E402
from backend.inference.loading import load_model  # noqa: E402
from backend.inference.settings import resolve  # noqa: E402
from scripts.tools import export_torch  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
NETS = """
import torch
from torch import nn

class Net(nn.Module):
    def __init__(self, conditions=2, fixed=False, normals=False):
        super().__init__()
        self.layer = nn.Linear(3 + conditions + 3 * normals, 3)
        self.fixed = fixed

    def forward(self, vertices, conditions, normals=None):
        count = int(vertices.shape[1]) if self.fixed else vertices.shape[1]
        wide = conditions[:, None].expand(-1, count, -1)
        seen = [vertices, wide] if normals is None else [vertices, wide, normals]
        return torch.tanh(self.layer(torch.cat(seen, dim=2)))

def make():
    torch.manual_seed(0)
    return Net()

def with_normals():
    torch.manual_seed(0)
    return Net(normals=True)

class Flat(nn.Module):
    def forward(self, vertices, conditions):
        return vertices.sum(dim=2) + conditions.sum(dim=1, keepdim=True)
"""


@pytest.fixture
def nets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> object:
    (tmp_path / "my_nets.py").write_text(NETS)
    monkeypatch.syspath_prepend(str(tmp_path))
    sys.modules.pop("my_nets", None)
    return __import__("my_nets")


@pytest.mark.parametrize("normals", [False, True])
def test_a_network_becomes_a_model_that_computes_the_same_at_any_size(
    tmp_path: Path, nets: object, normals: bool
) -> None:
    net = nets.with_normals() if normals else nets.make()  # type: ignore[attr-defined]
    path = tmp_path / "mine.onnx"
    assert (
        export_torch.plain(net, ["jawOpen", "smile"], path, normals, {"blendshape.licence": "CC0"})
        < 1e-5
    )
    model = load_model(path, resolve({"threads": 1}, environment={}))
    assert (
        model.info.condition_names == ("jawOpen", "smile")
        and model.info.about["licence"] == "CC0"
        and model.info.name == "mine"
    )
    rng = np.random.default_rng(1)
    vertices, facing = (rng.normal(size=(77, 3)).astype(np.float32) for _ in range(2))
    rest = tuple(np.zeros((77, n), np.float32) for n in (6, 2, 6))
    got = shapes_of(
        model,
        (vertices, facing, *rest, np.zeros((1, 3), np.float32)),  # type: ignore[arg-type]
        np.eye(2, dtype=np.float32),
        Cancellation(),
    )
    for row in (0, 1):
        inputs = [
            vertices[None],
            np.eye(2, dtype=np.float32)[row : row + 1],
            *([facing[None]] if normals else []),
        ]
        with torch.no_grad():
            expected = net(*map(torch.from_numpy, inputs))[0].numpy()
        np.testing.assert_allclose(got[row], expected, atol=1e-5)


def test_an_axis_that_was_frozen_is_found_out(tmp_path: Path, nets: object) -> None:
    with pytest.raises(ValueError, match=r"does not take .*303"):
        export_torch.plain(nets.Net(fixed=True), ["a", "b"], tmp_path / "fixed.onnx")  # type: ignore[attr-defined]


def test_what_breaks_the_contract_is_told_as_the_backend_tells_it(
    tmp_path: Path, nets: object
) -> None:
    with pytest.raises(BackendError) as caught:
        export_torch.plain(nets.Flat(), ["a", "b"], tmp_path / "flat.onnx")  # type: ignore[attr-defined]
    assert caught.value.code == "model_contract" and "(any, any, 3)" in caught.value.message


def test_the_command_line_exports_and_says_the_difference(tmp_path: Path, nets: object) -> None:
    torch.save(nets.make().state_dict(), tmp_path / "w.pt")  # type: ignore[attr-defined]
    command = [
        sys.executable,
        "-m",
        "scripts.tools.export_torch",
        "--net",
        "my_nets:make",
        "--weights",
        str(tmp_path / "w.pt"),
    ]
    command += ["--conditions", "jawOpen,smile", "--out", str(tmp_path / "m.onnx")]
    done = subprocess.run(
        command,
        cwd=ROOT,
        env={"PYTHONPATH": str(tmp_path), "PATH": ""},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0 and "largest difference" in done.stdout, done.stderr
    assert load_model(tmp_path / "m.onnx").info.condition_names == ("jawOpen", "smile")
