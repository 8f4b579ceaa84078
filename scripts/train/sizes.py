# SPDX-License-Identifier: GPL-3.0-or-later
"""Fit the sizes of shapes that `backend/face/correct/sizes.py` scales to, from what makers do.

python -m scripts.train.sizes --data DATA [--out backend/face/correct/sizes.json]

Prints for each condition how many makers have it, their peaks in the face's own units and how far
they are spread, and writes the table. Peaks are measured on the heads that training may use, a rig
each: ICT-FaceKit, MakeHuman, Vitruvian, Antonia, jeeliz_boy, and gene and uka, who are one maker's
and count as one. Figures are FACES: quartiles and medians over 70 heads by some 30 makers, measured
on their artists' shapes as `backend/face/shapes/figures.py` does; only how many and how large is
known of these heads.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from backend.face.correct.sizes import FREE, TABLE, kind, peak
from backend.face.geometry.frame import Floats, frame_of_landmarks
from backend.face.geometry.mesh import AvatarMesh
from backend.face.pipeline import frame, locate
from backend.face.shapes import figures
from backend.inference.cancellation import Cancellation
from backend.inference.decoding import encode_with
from backend.inference.loading import load_model
from backend.inference.settings import resolve

from ..samples.rig import Rig
from . import sources

Quartiles = tuple[int, float, float, float]
LEAST = 0.02  # of the face's unit: a median below says no more than that a landmark does not move

# condition: figure: (drawn heads, others): number of heads, lower quartile, median, upper quartile,
# in the units of figures.py
FACES: dict[str, dict[str, tuple[Quartiles | None, Quartiles | None]]] = {
    "jawOpen": {"open": ((6, 0.71, 0.90, 1.14), (21, 0.30, 0.48, 0.65))},
    "mouthFunnel": {
        "open": ((4, 0.15, 0.16, 0.17), (7, 0.17, 0.22, 0.39)),
        "narrow": ((4, 0.35, 0.39, 0.41), (7, 0.25, 0.29, 0.30)),
    },
    "mouthPucker": {
        "narrow": ((4, 0.11, 0.23, 0.40), (16, 0.19, 0.26, 0.31)),
        "lip_fwd": ((4, 0.00, 0.05, 0.11), (16, 0.06, 0.08, 0.14)),
    },
    "mouthSmile": {
        "up": ((6, 0.06, 0.07, 0.17), (18, 0.08, 0.14, 0.20)),
        "out": ((6, 0.05, 0.06, 0.07), (18, 0.06, 0.08, 0.18)),
    },
    "mouthFrown": {"down": ((4, 0.08, 0.09, 0.10), (11, 0.08, 0.09, 0.10))},
    "mouthStretch": {"out": ((3, 0.13, 0.13, 0.13), (4, 0.07, 0.09, 0.11))},
    "mouthDimple": {"out": ((3, 0.12, 0.12, 0.14), (4, 0.05, 0.08, 0.10))},
    "mouthUpperUp": {"lip_up": ((4, 0.03, 0.04, 0.05), (11, 0.08, 0.08, 0.10))},
    "mouthLowerDown": {"lip_down": ((4, 0.07, 0.07, 0.08), (11, 0.07, 0.09, 0.10))},
    "mouthShrugUpper": {"lip_up": ((3, 0.10, 0.11, 0.11), (4, 0.12, 0.12, 0.13))},
    "mouthLeft": {"aside": ((6, 0.06, 0.10, 0.14), (9, 0.04, 0.04, 0.16))},
    "mouthRight": {
        "aside": ((6, 0.06, 0.10, 0.14), (9, 0.04, 0.04, 0.16))
    },  # as mouthLeft's: makers mirror
    "eyeSquint": {"lower": ((5, 0.27, 0.27, 0.32), (8, 0.22, 0.27, 0.36))},
    "eyeWide": {"lid_rise": ((6, 0.14, 0.16, 0.20), (15, 0.15, 0.26, 0.29))},
    "browDown": {"brow_fall": ((3, 0.07, 0.09, 0.14), (12, 0.14, 0.17, 0.19))},
    "browInnerUp": {"brow_in": ((5, 0.04, 0.09, 0.11), (14, 0.11, 0.12, 0.18))},
    "browOuterUp": {"brow_out": ((5, 0.12, 0.20, 0.21), (14, 0.09, 0.15, 0.21))},
}


def unit_of(condition: str) -> str:
    """What a condition's peak is measured in: the mouth's width, the eye's height or the eye's
    width.
    """
    if condition.startswith("eye"):
        return "H"
    return "E" if condition.startswith(("brow", "nose")) else "W"


def cartoon(folder: Path, name: str) -> Rig:
    """A head of data/avatars with ARKit's names for what it has."""
    names = json.loads((folder / "avatars" / "names.json").read_text(encoding="utf-8"))[name]
    with np.load(folder / "avatars" / f"{name}.npz", allow_pickle=False) as z:
        moves = dict(
            zip(map(str, z["morph_names"]), z["morph_deltas"].astype(np.float32), strict=True)
        )
        shapes = {
            n: np.sum([w * moves[own] for own, w in mix], axis=0, dtype=np.float32)
            for n, mix in names.items()
        }
        return Rig(name, z["vertices"].astype(np.float32), z["triangles"].astype(np.int32), shapes)


MAKERS: dict[str, tuple[Callable[[Path], Rig], ...]] = {  # the heads of each
    "ict": (sources.ict,),
    "makehuman": (sources.makehuman,),
    "vitruvian": (sources.vitruvian,),
    "antonia": (sources.antonia,),
    "jeeliz": (lambda folder: cartoon(folder, "jeeliz_boy"),),
    "gene, uka": (
        lambda folder: sources.avatar(folder, "gene"),
        lambda folder: sources.avatar(folder, "uka"),
    ),
}


def landmarks_of(rig: Rig) -> dict[str, Floats]:
    """The rig's own landmarks, or those that are found where it has none, in its own space."""
    if rig.anchors:
        return rig.landmarks(rig.vertices, rig.shapes)
    model = load_model(settings=resolve({"threads": 1, "provider": "cpu"}, environment={}))
    mesh = AvatarMesh(rig.vertices, rig.triangles, up=(0.0, 1.0, 0.0))
    with ThreadPoolExecutor(1) as thread:
        face = frame(
            locate(
                mesh,
                encode_with(model, Cancellation(), thread),
                model.info.landmarks,
                lambda _fraction: None,
            )
        )
    return dict(zip(model.info.landmarks, face.frame.to_object(face.landmarks), strict=True))


def peaks(rig: Rig) -> dict[str, float]:
    """Peak of each of a rig's conditions in the face's own units, both sides' mean."""
    marks = landmarks_of(rig)
    own = frame_of_landmarks(marks)
    places = figures.places_of(
        own.to_canonical(rig.vertices),
        {name: own.to_canonical(place) for name, place in marks.items()},
    )
    unit = {"W": places.width, "H": sum(places.tall) / 2, "E": sum(places.long) / 2}
    found: dict[str, list[float]] = {}
    for name, offsets in rig.shapes.items():
        if name in sources.arkit_names() and not name.startswith(FREE):
            found.setdefault(kind(name), []).append(
                peak(np.asarray(offsets / own.scale, np.float32)) / unit[unit_of(name)]
            )
    return {name: float(np.mean(sizes)) for name, sizes in found.items() if min(sizes) > 0}


def fitted(measured: Mapping[str, list[dict[str, float]]]) -> dict[str, dict[str, object]]:
    """The table's rows by condition, printed. measured: maker -> a dict per head, condition ->
    peak.
    """
    rows: dict[str, dict[str, object]] = {}
    conditions = dict.fromkeys(
        kind(name) for name in sources.arkit_names() if not name.startswith(FREE)
    )
    for name in conditions:
        logs = {
            maker: [np.log(head[name]) for head in heads if name in head]
            for maker, heads in measured.items()
        }
        own = {maker: float(np.exp(np.mean(sizes))) for maker, sizes in logs.items() if sizes}
        low, middle, high = np.exp(np.quantile(np.log(list(own.values())), [0.25, 0.5, 0.75]))
        row: dict[str, object] = {
            "unit": unit_of(name),
            "peak": [
                len(own),
                round(float(low), 3),
                round(float(middle), 3),
                round(float(high), 3),
            ],
        }
        for side, key in enumerate(("drawn", "others")):
            spreads = {figure: both[side] for figure, both in FACES.get(name, {}).items()}
            row[key] = {
                figure: list(spread)
                for figure, spread in spreads.items()
                if spread is not None and spread[2] >= LEAST
            }
        rows[name] = row
        told = "  ".join(f"{maker} {size:.3f}" for maker, size in own.items())
        print(
            f"{name:16s} makers {len(own)}  {row['unit']}  q25 {low:.3f} median {middle:.3f} q75"
            f" {high:.3f}   {told}"
        )
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="folder with train/ and avatars/")
    parser.add_argument(
        "--out", type=Path, default=TABLE, help="the table that is written (default: the backend's)"
    )
    options = parser.parse_args()
    rows = fitted(
        {maker: [peaks(make(options.data)) for make in heads] for maker, heads in MAKERS.items()}
    )
    lines = [f" {json.dumps(name)}: {json.dumps(row)}" for name, row in rows.items()]
    options.out.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
