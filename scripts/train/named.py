# SPDX-License-Identifier: GPL-3.0-or-later
"""How many loose parts of heads by known makers the rules of `backend/face/analyse` name right:
what a learnt answer (kinds.py) has to beat.

python -m scripts.train.named --data FOLDER
"""

from __future__ import annotations

import argparse
from collections import Counter
from pathlib import Path

import numpy as np

from backend.face import pipeline
from backend.face.analyse.head import Head, eyes_of
from backend.face.analyse.kinds import CLASSES, Flags
from backend.face.geometry.landmarks import NAMES
from backend.face.geometry.mesh import AvatarMesh, loose_parts
from backend.face.locate.face import Face

from ..samples.rig import Ints
from . import known
from .located import face_in, mesh_of

# Class -> what it is called in the table; teeth and tongues are told by shapes, not by rules here
ASKED = {"hair": "hair", "worn": "hair", "eye": "eye", "lash": "lash", "brow": "brow"}


def by_rules(head: Head, face: Face) -> dict[str, Flags]:
    """Vertices (F,) that the rules give each name; hair and what is worn are one."""
    nothing = np.zeros(len(face.indices), bool)
    flat = [eye.eye for eye in head.labels.flat_eyes.values()]
    lashes = [*head.labels.lashes.values(), *(e.lash for e in head.labels.flat_eyes.values())]
    lash = np.logical_or.reduce([nothing, *lashes])
    eyes = np.logical_or.reduce([eyes_of(head), *flat])
    return {"hair": face.still, "lash": lash, "brow": head.labels.brow, "eye": eyes & ~lash}


def counted(mesh: AvatarMesh, label: Ints) -> Counter[tuple[str, bool]]:
    """Parts near a face by class and by whether the rules name them right; for every other part
    whether it is left alone.

    Args:
        mesh: the avatar
        label: int32 (V,), places in CLASSES, other numbers where that is not known
    """
    face = face_in(mesh)
    head = pipeline.analyse(face, mesh, NAMES).head
    if head is None:
        raise ValueError("the model has no landmarks to look at a head by")
    said = by_rules(head, face)
    parts = loose_parts(mesh.vertices, mesh.triangles)[face.indices]
    result: Counter[tuple[str, bool]] = Counter()
    for part in np.unique(parts):
        mine = parts == part
        kinds = label[face.indices][mine]
        if not 0 <= kinds[0] < len(CLASSES):
            continue
        kind = CLASSES[kinds[0]]
        named = {name for name, flags in said.items() if flags[mine].mean() > 1 / 2}
        wanted = {ASKED[kind]} if kind in ASKED else set()
        result[kind, named == wanted] += 1
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    parser.add_argument("--data", type=Path, required=True, help="folder with train/ and avatars/")
    data = parser.parse_args().data
    total: Counter[tuple[str, bool]] = Counter()
    for name in known.MAKERS:
        rig, label = known.labelled(data, name)
        one = counted(mesh_of(data, name, rig.vertices, rig.triangles), label)
        total += one
        print(name, told(one))
    print("together", told(total))


def told(counts: Counter[tuple[str, bool]]) -> str:
    """Right of all, by class."""
    kinds = sorted({kind for kind, _right in counts})
    return ", ".join(
        f"{k} {counts[k, True]} of {counts[k, True] + counts[k, False]}" for k in kinds
    )


if __name__ == "__main__":
    main()
