# SPDX-License-Identifier: GPL-3.0-or-later
"""Avatars and training heads by makers whose loose parts are known: by the names of their submeshes
and by what their artists' shapes move, looked at one by one. Part numbers are those of
`loose_parts` on the file.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from backend.face.analyse.kinds import CLASSES
from backend.face.geometry.frame import frame_of_landmarks
from backend.face.geometry.mesh import loose_parts

from ..samples.rig import Floats, Ints, Rig
from . import sources
from .kinds import Rows, joined, rows_of

MAKERS = {  # each head's maker
    "gene": "nagoya",
    "uka": "nagoya",
    "godette": "sirrichard",
    "ict": "ict",
    "makehuman": "makehuman",
    "vitruvian": "vitruvian",
    "pm_crimsom": "polygonal mind",
    "jeeliz_boy": "jeeliz",
}
FRAMES = 12  # in which each is looked at

# Submesh -> class; parts -> class where a submesh holds several
SUBMESHES = {
    "gene": {
        "髪": "hair",
        "手肌": "body",
        "アンダー": "body",
        "目": "eye",
        "トップス": "body",
        **dict.fromkeys(("星目", "ぐるぐる目"), "decal"),
    },
    "uka": {
        "髪": "hair",
        "目": "eye",
        **dict.fromkeys(("手足", "トップス1", "トップス2", "胸マーク", "ボトムス"), "body"),
    },
}
DECALS = ("青ざめ", "頬薄赤", "頬斜線", "頬照り", "頬照り2", "イライラ", "頭モーフ")
PARTS: dict[str, dict[str, tuple[int, ...]]] = {
    "gene": {
        "tongue": (29,),
        "teeth": (34, 37),
        "lash": (35, 36, 38, 39, 52, 53, 54, 55),
        "brow": (40, 41),
        "worn": (20, 21, 42, 43),
    },
    "uka": {"tongue": (78,), "lash": (84, 85), "brow": (91, 92), "teeth": (95,)},
    "godette": {
        "hair": (0, 1, 2),
        "skin": (3,),
        "worn": (4, 5),
        "decal": (6, 7),
        "brow": (8, 9),
        "lash": (10, 11),
        "flat": (12, 13, 14, 15, 16),
    },
    "pm_crimsom": {
        "body": (0,),
        "skin": (1, 2, 3, 10),
        "eye": (4, 5, 6, 7),
        "lash": (8, 9),
        "flat": (11,),
    },
    "jeeliz_boy": {
        "hair": (0, 2),
        "skin": (1,),
        "eye": (3, 4, 14, 15),
        "tongue": (5,),
        "teeth": (6, 7, 8, 9),
        "brow": (10, 11),
        "lash": (12, 13),
    },
}
FOUND = (
    "pm_crimsom",
    "jeeliz_boy",
)  # whose landmarks no table of shapes says: as the shipped model finds them
REGIONS = {  # of ICT-FaceKit
    "face": "skin",
    "head_neck": "skin",
    "mouth_socket": "mouth",
    "gums_tongue": "tongue",
    "teeth": "teeth",
    **{
        f"{name}_{side}": kind
        for name, kind in (
            ("eyeball", "eye"),
            ("eye_socket", "eye"),
            ("lacrimal", "eye"),
            ("eyeblend", "eye"),
            ("eyeocclusion", "eye"),
            ("lashes", "lash"),
        )
        for side in "LR"
    },
}


def _avatar(folder: Path, name: str) -> tuple[Rig, Ints]:
    rig = sources.godette(folder) if name == "godette" else sources.avatar(folder, name)
    z = np.load(folder / "avatars" / f"{name}.npz", allow_pickle=False)
    submeshes = [str(x) for x in z["submesh_names"]]
    kinds = {**SUBMESHES.get(name, {}), **dict.fromkeys(DECALS, "decal")}
    of = np.array([CLASSES.index(kinds[x]) if x in kinds else -1 for x in submeshes], np.int32)
    label = of[z["submesh"]]
    parts = loose_parts(rig.vertices, rig.triangles)
    for kind, numbers in PARTS[name].items():
        label[np.isin(parts, numbers)] = CLASSES.index(kind)
    face = np.flatnonzero(
        np.isin(z["submesh"], [k for k, x in enumerate(submeshes) if x in ("顔", "頭")])
    )
    if len(face):
        label[parts == np.bincount(parts[face]).argmax()] = CLASSES.index("skin")
    return rig, label


def _ict(folder: Path) -> tuple[Rig, Ints]:
    rig = sources.ict(folder)
    z = np.load(folder / "train" / "ict_facekit.npz", allow_pickle=False)
    label = np.full(len(rig.vertices), -1, np.int32)
    for name, (first, last) in zip(z["region_names"], z["region_ranges"], strict=True):
        label[int(first) : int(last)] = CLASSES.index(REGIONS[str(name)])
    return rig, label


def _makehuman(folder: Path) -> tuple[Rig, Ints]:
    rig = sources.makehuman(folder)
    z = np.load(folder / "train" / "mpfb_makehuman.npz", allow_pickle=False)
    names = np.array([str(x) for x in z["submesh_names"]])[z["submesh"]]
    names = names[~np.char.startswith(names, "joint-")]
    label = np.full(len(names), -1, np.int32)
    for word, kind in (
        ("body", "skin"),
        ("eyelash", "lash"),
        ("-eye", "eye"),
        ("teeth", "teeth"),
        ("tongue", "tongue"),
        ("hair", "hair"),
    ):
        label[(np.char.find(names, word) >= 0) & (label < 0)] = CLASSES.index(kind)
    return rig, label


def _vitruvian(folder: Path) -> tuple[Rig, Ints]:
    rig = sources.vitruvian(folder)
    z = np.load(folder / "train" / "vitruvian.npz", allow_pickle=False)
    kinds = np.array([CLASSES.index(x) for x in ("eye", "eye", "eye", "eye", "skin")], np.int32)
    return rig, kinds[z["submesh"]]


def _cartoon(folder: Path, name: str) -> tuple[Rig, Ints]:
    rig = sources.cartoon(folder, name)
    label = np.full(len(rig.vertices), -1, np.int32)
    parts = loose_parts(rig.vertices, rig.triangles)
    for kind, numbers in PARTS[name].items():
        label[np.isin(parts, numbers)] = CLASSES.index(kind)
    return rig, label


def labelled(folder: Path, name: str) -> tuple[Rig, Ints]:
    """A head and int32 (V,) what each vertex is, places in CLASSES, -1 where that is not known."""
    if name in FOUND:
        return _cartoon(folder, name)
    if name in PARTS:
        return _avatar(folder, name)
    return {"ict": _ict, "makehuman": _makehuman, "vitruvian": _vitruvian}[name](folder)


def known(folder: Path) -> Rows:
    """The rows of all of MAKERS' heads; their numbers are -1, -2... in MAKERS' order."""
    found = []
    for k, name in enumerate(MAKERS):
        rng = np.random.default_rng(k)
        rig, label = labelled(folder, name)
        frame = frame_of_landmarks(rig.landmarks(rig.vertices, rig.shapes))
        vertices: Floats = frame.to_canonical(rig.vertices)
        at = {
            mark: frame.to_canonical(place)
            for mark, place in rig.landmarks(rig.vertices, rig.shapes).items()
        }
        label = np.where(label < 0, len(CLASSES), label).astype(np.int32)
        found += [
            rows_of(vertices, rig.triangles, label, at, -1 - k, rng=rng) for _ in range(FRAMES)
        ]
    return joined(found)
