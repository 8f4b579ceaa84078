# SPDX-License-Identifier: GPL-3.0-or-later
"""Heads of the training data whose makers made sounds: the tool's shapes of each, as a user gets
them, and the maker's own vowels and visemes in the same frame.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from backend.face import pipeline
from backend.face.geometry.frame import Floats
from backend.face.geometry.mesh import AvatarMesh
from backend.face.keys import Pair
from backend.face.shapes import figures
from backend.inference.cancellation import Cancellation
from backend.inference.decoding import encode_with, shapes_of
from backend.inference.loading import load_model
from backend.inference.settings import resolve
from backend.values import Twins

# viseme -> Vitruvian's phonemes
PHONEMES = {
    "PP": "p_b_m_21",
    "FF": "f_v_18",
    "TH": "th_dh_17",
    "DD": "d_t_n_19",
    "kk": "k_g_ng_20",
    "CH": "sh_ch_jh_zh_16",
    "SS": "s_z_15",
    "nn": "l_14",
    "RR": "r_13",
    "aa": "aa_02",
    "E": "ey_eh_uh_04",
    "I": "y_iy_ih_ix_06",
    "O": "ow_08",
    "U": "w_uw_07",
}
UP = (0.0, 1.0, 0.0)


@dataclass(frozen=True)
class Spoken:
    """A head that speaks.

    Args:
        shapes: the tool's, condition -> offsets float32 (F,3), canonical
        sounds: the maker's, by name as in names.json -> offsets float32 (F,3), canonical
        places: where figures are read
    """

    shapes: Mapping[str, Floats]
    sounds: Mapping[str, Floats]
    places: figures.Places


def spoken(folder: Path, name: str) -> Spoken:
    """The head `name` of a folder with train/ and avatars/.

    Raises:
        KeyError: no such head
    """
    if name == "makehuman":
        return _with_shapes(*_makehuman(folder))
    if name == "vitruvian":
        return _with_shapes(*_vitruvian(folder))
    return _with_shapes(*_avatar(folder, name))


def _avatar(folder: Path, name: str) -> tuple[AvatarMesh, Mapping[str, Floats]]:
    names = json.loads((folder / "avatars" / "names.json").read_text(encoding="utf-8"))[name]
    with np.load(folder / "avatars" / f"{name}.npz", allow_pickle=False) as z:
        moves = dict(
            zip(map(str, z["morph_names"]), z["morph_deltas"].astype(np.float32), strict=True)
        )
        mesh = AvatarMesh(
            z["vertices"].astype(np.float32),
            z["triangles"].astype(np.int32),
            head_weights=z["head_weight"],
            up=UP,
        )
    sounds = {
        sound: np.sum([w * moves[part] for part, w in parts], axis=0, dtype=np.float32)
        for sound, parts in names.items()
        if sound.startswith(("vrm_", "viseme_"))
    }
    return mesh, sounds


def _makehuman(folder: Path) -> tuple[AvatarMesh, Mapping[str, Floats]]:
    with np.load(folder / "train" / "mpfb_makehuman.npz", allow_pickle=False) as z:
        names = [str(n) for n in z["submesh_names"]]
        keep = np.isin(z["submesh"], [i for i, n in enumerate(names) if not n.startswith("joint-")])
        index = np.cumsum(keep).astype(np.int32) - 1
        mesh = AvatarMesh(
            z["neutral"][keep].astype(np.float32),
            index[z["triangles"][keep[z["triangles"]].all(axis=1)]],
            up=UP,
        )
        moves = zip(map(str, z["expression_names"]), z["expression_deltas"], strict=True)
        return mesh, {n: d[keep].astype(np.float32) for n, d in moves if n.startswith("viseme_")}


def _vitruvian(folder: Path) -> tuple[AvatarMesh, Mapping[str, Floats]]:
    with np.load(folder / "train" / "vitruvian.npz", allow_pickle=False) as z:
        mesh = AvatarMesh(z["neutral"].astype(np.float32), z["triangles"].astype(np.int32), up=UP)
        moves = dict(zip(map(str, z["expression_names"]), z["expression_deltas"], strict=True))
    return mesh, {f"viseme_{n}": moves[own].astype(np.float32) for n, own in PHONEMES.items()}


def _with_shapes(mesh: AvatarMesh, sounds: Mapping[str, Floats]) -> Spoken:
    model = load_model(settings=resolve({"threads": 1, "provider": "cpu"}, environment={}))
    conditions = model.info.condition_names
    keys = Pair(conditions, np.eye(len(conditions), dtype=np.float32), {}, len(conditions))
    with ThreadPoolExecutor(1) as thread:
        face = pipeline.frame(
            pipeline.locate(
                mesh,
                encode_with(model, Cancellation(), thread),
                model.info.landmarks,
                lambda _fraction: None,
            )
        )

        def network(seen: tuple[Floats, ...], asked: Floats, twins: Twins | None) -> Floats:
            cancellation = Cancellation()
            return shapes_of(model, seen, asked, cancellation, pool=thread, twins=twins)  # type: ignore[arg-type]

        offsets = pipeline.predict(network, face, keys.asked)
    looked = pipeline.analyse(face, mesh, model.info.landmarks)
    pipeline.smooth(offsets, looked, map, 1)
    pipeline.correct(keys, looked, face, offsets, map, mesh=mesh)
    turn = (face.frame.rotation.T / face.frame.scale).astype(np.float32)
    places = figures.places_of(
        face.vertices,
        looked.landmarks,
        figures.ones_of(looked.around.group, face.lip_lid_side),
    )
    return Spoken(
        dict(zip(keys.names, offsets, strict=True)),
        {name: sound[face.indices] @ turn for name, sound in sounds.items()},
        places,
    )
