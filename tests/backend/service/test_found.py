# SPDX-License-Identifier: GPL-3.0-or-later
"""A face is looked for once, as long as nothing that it hangs on has changed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fixtures.meshes import figure

from backend.errors import BackendError
from backend.face.geometry.mesh import AvatarMesh
from backend.face.locate import worn
from backend.face.locate.face import Effort, Face
from backend.face.params.locate import FINDING
from backend.inference.cancellation import Cancellation
from backend.inference.loading import load_model
from backend.inference.models import Model
from backend.service import found as module
from backend.service import generate
from backend.service.found import FoundFaces
from backend.service.report import new_report


@pytest.fixture(scope="module")
def model(tiny: Path) -> Model:
    return load_model(tiny)


class Search:
    """Looks for faces as the backend does, and counts how often."""

    def __init__(self, model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
        self.model, self.faces, self.count = model, FoundFaces(), 0
        located: Callable[..., Face] = worn.located

        def counted(*asked: Any) -> Face:
            self.count += 1
            return located(*asked)

        monkeypatch.setattr(worn, "located", counted)

    def __call__(self, mesh: AvatarMesh, effort: Effort = "full") -> Face:
        return generate.find_face(
            mesh,
            self.model,
            new_report(mesh, self.model),
            lambda stage, fraction: None,
            Cancellation(),
            effort=effort,
            found=self.faces,
        )


@pytest.fixture
def search(model: Model, monkeypatch: pytest.MonkeyPatch) -> Search:
    return Search(model, monkeypatch)


def test_the_same_mesh_is_searched_once(search: Search) -> None:
    first, again = search(figure()), search(figure())
    assert search.count == 1
    assert again is first


@pytest.mark.parametrize("what", ["vertices", "mask", "up", "bones"])
def test_whatever_changes_it_is_searched_anew(search: Search, what: str) -> None:
    mesh = figure()
    vertices = mesh.vertices.copy()
    vertices[0, 0] = np.nextafter(vertices[0, 0], np.float32(1))
    other: dict[str, Any] = {
        "vertices": vertices,
        "mask": np.ones(len(vertices), np.float32),
        "up": (0.0, 0.0, 2.0),
        "bones": {"jaw": (0.0, 0.0, 0.0)},
    }
    search(mesh)
    search(replace(mesh, **{what: other[what]}))
    assert search.count == 2


def test_what_was_surely_found_upright_need_not_be_looked_for_in_other_directions(
    search: Search,
) -> None:
    face = search(figure(), effort="upright")
    again = search(figure())
    assert (search.count == 1) == (face.confidence > FINDING.certain)
    assert np.array_equal(face.indices, again.indices)
    assert np.array_equal(face.landmarks, again.landmarks)


def test_that_there_is_none_is_remembered_too(search: Search) -> None:
    nowhere = replace(figure(), mask=np.zeros(len(figure().vertices), np.float32))
    for _ in range(2):
        with pytest.raises(BackendError) as caught:
            search(nowhere)
        assert caught.value.code == "no_face"
    assert search.count == 1


def test_only_so_many_are_kept(search: Search, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST", 2)
    meshes = [replace(figure(), up=(0.0, 0.0, 1.0 + n)) for n in range(3)]
    for mesh in meshes:
        search(mesh)
    search(meshes[2])
    assert search.count == 3
    search(meshes[0])
    assert search.count == 4


def test_of_large_ones_the_last_is_kept(search: Search, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_BYTES", 1)
    meshes = [replace(figure(), up=(0.0, 0.0, 1.0 + n)) for n in range(2)]
    for mesh in meshes:
        search(mesh)
    search(meshes[1])
    assert search.count == 2
    search(meshes[0])
    assert search.count == 3
    monkeypatch.setattr(module, "LAST_BYTES", 1)
    search(meshes[1])
    search(meshes[1])
    assert search.count == 5
