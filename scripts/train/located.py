# SPDX-License-Identifier: GPL-3.0-or-later
"""The face of an avatar as the shipped model finds it, for avatars whose shapes do not tell all
landmarks.
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
from backend.inference.settings import resolve

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


def face_in(mesh: AvatarMesh) -> Face:
    """The face as the shipped model finds it."""
    model = load_model(settings=resolve({"threads": 1, "provider": "cpu"}, environment={}))
    with ThreadPoolExecutor(1) as thread:
        encode = encode_with(model, Cancellation(), thread)
        return framed(find(mesh, encode, model.info.landmarks, lambda _: None))
