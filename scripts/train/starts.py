# SPDX-License-Identifier: GPL-3.0-or-later
"""Compare the weights from which spread vowels of drawn heads are solved, on avatars that training
may use.

python -m scripts.train.starts --data DATA

ih and ee reach their figures from many weights, and what else the lips do hangs on where they
start. Each of STARTS is solved on gene and uka, who are one maker's, and on godette, with the
shipped model and all rules, as a user gets it. Prints the cosine of each with the artist's own
vowel and the mean over makers; that with the greatest mean is `start` in
backend/face/shapes/goals.json.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from backend.face import pipeline
from backend.face.geometry.frame import Floats
from backend.face.geometry.mesh import AvatarMesh
from backend.face.keys import Pair
from backend.face.shapes import figures, goals, solving
from backend.inference.cancellation import Cancellation
from backend.inference.decoding import encode_with, shapes_of
from backend.inference.loading import load_model
from backend.inference.settings import resolve

MAKERS = {"gene": "nagoya", "uka": "nagoya", "godette": "sirrichard"}
STARTS: Mapping[str, tuple[Mapping[str, float], ...]] = {
    "ih": (
        {
            "mouthUpperUp": 0.6,
            "mouthLowerDown": 0.6,
            "mouthStretch": 0.3,
            "mouthSmile": 0.3,
            "jawOpen": 0.05,
        },
        {"mouthUpperUp": 0.6, "mouthLowerDown": 0.6, "mouthStretch": 0.6, "jawOpen": 0.05},
        {"mouthUpperUp": 0.6, "mouthLowerDown": 0.6, "mouthSmile": 0.6, "jawOpen": 0.05},
        {"mouthUpperUp": 0.6, "mouthLowerDown": 0.6, "mouthDimple": 0.6, "jawOpen": 0.05},
        {"mouthStretch": 0.8, "jawOpen": 0.15},
        {"mouthSmile": 0.5, "jawOpen": 0.15},
        {"mouthPress": 0.6, "mouthDimple": 0.6, "jawOpen": 0.2},  # the mixture of the sets
    ),
    "ee": (
        {
            "mouthUpperUp": 0.6,
            "mouthLowerDown": 0.6,
            "mouthSmile": 0.3,
            "mouthDimple": 0.3,
            "jawOpen": 0.2,
        },
        {"mouthUpperUp": 0.6, "mouthLowerDown": 0.6, "mouthStretch": 0.5, "jawOpen": 0.2},
        {"mouthUpperUp": 0.6, "mouthLowerDown": 0.6, "mouthSmile": 0.5, "jawOpen": 0.2},
        {"mouthUpperUp": 0.6, "mouthLowerDown": 0.6, "jawOpen": 0.3},
        {"mouthStretch": 0.5, "jawOpen": 0.3},
        {"mouthSmile": 0.3, "jawOpen": 0.3},
        {"mouthPress": 0.8, "mouthDimple": 1.0, "jawOpen": 0.3},  # the mixture of the sets
    ),
}


@dataclass(frozen=True)
class Avatar:
    """An avatar's shapes float32 (F,3) as the tool makes them, by condition, its artist's vowels by
    goal, canonical, and where figures are read.
    """

    shapes: Mapping[str, Floats]
    vowels: Mapping[str, Floats]
    places: figures.Places


def avatar(folder: Path, name: str) -> Avatar:
    """The avatar `name` of a folder with avatars/."""
    names = json.loads((folder / "avatars" / "names.json").read_text(encoding="utf-8"))[name]
    with np.load(folder / "avatars" / f"{name}.npz", allow_pickle=False) as z:
        moves = dict(
            zip(map(str, z["morph_names"]), z["morph_deltas"].astype(np.float32), strict=True)
        )
        own = {
            goal: np.sum(
                [w * moves[part] for part, w in names[f"vrm_{goal}"]], axis=0, dtype=np.float32
            )
            for goal in STARTS
        }
        mesh = AvatarMesh(
            z["vertices"].astype(np.float32),
            z["triangles"].astype(np.int32),
            head_weights=z["head_weight"],
            up=(0.0, 1.0, 0.0),
        )
    model = load_model(settings=resolve({"threads": 1, "provider": "cpu"}, environment={}))
    conditions = model.info.condition_names
    keys = Pair(conditions, np.eye(len(conditions), dtype=np.float32), {}, len(conditions))
    with ThreadPoolExecutor(1) as lane:
        face = pipeline.frame(
            pipeline.locate(
                mesh,
                encode_with(model, Cancellation(), lane),
                model.info.landmarks,
                lambda _fraction: None,
            )
        )

        def network(seen: tuple[Floats, ...], asked: Floats) -> Floats:
            return shapes_of(model, seen, asked, Cancellation(), pool=lane)  # type: ignore[arg-type]

        offsets = pipeline.predict(network, face, keys.asked)
    looked = pipeline.analyse(face, mesh, model.info.landmarks)
    pipeline.smooth(offsets, looked, map, 1)
    pipeline.correct(keys, looked, face, offsets, map, mesh=mesh)
    turn = (face.frame.rotation.T / face.frame.scale).astype(np.float32)
    vowels = {goal: vowel[face.indices] @ turn for goal, vowel in own.items()}
    places = figures.places_of(
        face.vertices, looked.landmarks, figures.ones_of(looked.around.group, face.lip_lid_side)
    )
    return Avatar(dict(zip(keys.names, offsets, strict=True)), vowels, places)


def cosine(one: Avatar, goal: str, start: Mapping[str, float]) -> float:
    """Of a vowel that is solved from `start` with the artist's."""
    aim = replace(goals.GOALS.of["vrm1"][goal], start=start, start_other=start)
    basis = list(one.shapes.values())
    names, bounds = list(one.shapes), goals.GOALS.bounds
    weights = solving.solved(one.places, basis, names, [aim], bounds=bounds).weights[0]
    shape = np.tensordot(weights, np.stack(basis), 1)
    wanted = one.vowels[goal]
    return float((shape * wanted).sum() / (np.linalg.norm(shape) * np.linalg.norm(wanted)))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="folder with avatars/")
    options = parser.parse_args()
    avatars = {name: avatar(options.data, name) for name in MAKERS}
    for goal, starts in STARTS.items():
        for start in starts:
            found = {name: cosine(one, goal, start) for name, one in avatars.items()}
            makers = [
                np.mean([value for name, value in found.items() if MAKERS[name] == maker])
                for maker in dict.fromkeys(MAKERS.values())
            ]
            told = "  ".join(f"{name} {value:.2f}" for name, value in found.items())
            print(f"{goal}  makers' mean {np.mean(makers):.3f}  {told}  {json.dumps(dict(start))}")


if __name__ == "__main__":
    main()
