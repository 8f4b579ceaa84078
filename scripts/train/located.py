# SPDX-License-Identifier: GPL-3.0-or-later
"""The face of an avatar as the shipped model finds it, for avatars whose shapes do not tell all
landmarks, and the shapes that a head gets.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from backend.face.geometry.mesh import AvatarMesh
from backend.face.locate.cut import framed
from backend.face.locate.face import Face
from backend.face.locate.search import find
from backend.inference.cancellation import Cancellation
from backend.inference.decoding import encode_with
from backend.inference.loading import load_model
from backend.inference.models import Model
from backend.inference.settings import resolve
from backend.service.asked import Asked
from backend.service.generate import Shapes, generate

from ..samples.rig import Floats, Ints


def z_up(vertices: Floats) -> Floats:
    """Vertices (V,3) with Blender's axes, from Y up and the face to +Z."""
    return np.ascontiguousarray(vertices[:, [0, 2, 1]] * np.array([1, -1, 1], np.float32))


def y_up(vertices: Floats) -> Floats:
    """The other way round."""
    return np.ascontiguousarray(vertices[:, [0, 2, 1]] * np.array([1, 1, -1], np.float32))


def mesh_of(folder: Path, name: str, vertices: Floats, triangles: Ints) -> AvatarMesh:
    """A head (V,3), (T,3) with Y up as the add-on would send it, with the weights of the head's
    bones where a file of `avatars` has them.
    """
    path, weights = folder / "avatars" / f"{name}.npz", None
    if path.exists():
        weights = np.load(path, allow_pickle=False)["head_weight"].astype(np.float32)
    whole = np.ascontiguousarray(triangles, np.int32)
    return AvatarMesh(z_up(vertices), whole, head_weights=weights, up=(0, 0, 1))


def made(mesh: AvatarMesh, asked: Asked, model: Model) -> tuple[Face, dict[str, Floats]]:
    """The face of a head, and the shapes that it gets, offsets float32 (V,3) in the mesh's own axes
    by name. Raises BackendError.
    """
    shapes: dict[str, Floats] = {}
    for result in generate(mesh, asked, model, lambda _stage, _fraction: None, Cancellation()):
        if isinstance(result, Face):
            face = result
        elif isinstance(result, Shapes):
            for name, offsets in zip(result.names, result.offsets, strict=True):
                shapes[name] = np.zeros_like(mesh.vertices)
                shapes[name][face.indices] = offsets
    return face, shapes


def face_in(mesh: AvatarMesh) -> Face:
    """The face as the shipped model finds it."""
    model = load_model(settings=resolve({"threads": 1, "provider": "cpu"}, environment={}))
    with ThreadPoolExecutor(1) as thread:
        encode = encode_with(model, Cancellation(), thread)
        return framed(find(mesh, encode, model.info.landmarks, lambda _: None))
