# SPDX-License-Identifier: GPL-3.0-or-later
"""What the amplitudes of `backend/face/correct/fields.json` would be by what makers do.

python -m scripts.train.fields --data DATA

Each field is a sum of parts, which each go some way in three directions. On each head that training
may use (data/train, data/avatars) the offsets are found with which a field comes nearest to the
artist's shape on the skin, by least squares; those of both sides are one. Prints for each part the
mean over heads, their spread (standard deviation) and number beside what is shipped, heads with
large mouths and with small drawn ones apart. What a rig's shape does elsewhere than a field acts
counts for nothing, so a mean tells how far a field would go if it were to explain the shape as far
as it can. Writes nothing.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from backend.face import pipeline
from backend.face.analyse.head import Head
from backend.face.correct.fields import Amplitudes, Way, amplitudes, brow_fields, mouth_fields
from backend.face.correct.mouth import Mouth, mouth_of
from backend.face.geometry.frame import Floats
from backend.face.geometry.mesh import AvatarMesh
from backend.inference.cancellation import Cancellation
from backend.inference.decoding import encode_with
from backend.inference.loading import load_model
from backend.inference.settings import resolve

from ..samples.rig import Rig
from . import sources
from .sizes import cartoon

HEADS: Mapping[str, Callable[[Path], Rig]] = {
    "ict": sources.ict,
    "makehuman": sources.makehuman,
    "vitruvian": sources.vitruvian,
    "antonia": sources.antonia,
    "jeeliz_boy": lambda folder: cartoon(folder, "jeeliz_boy"),
    "gene": lambda folder: sources.avatar(folder, "gene"),
    "uka": lambda folder: sources.avatar(folder, "uka"),
}
SMALL = 0.5  # of `Mouth.large`, below which a head counts as one with a small drawn mouth
WIDE = 0.3  # of an eye's greatest opening, below which a column of it says nothing
LITTLE = 0.15  # of the part that moves most, below which one says nothing on this head
DIRECTIONS = ("out", "up", "front")

Row = tuple[str, str, str]  # condition, part, direction
Found = dict[Row, tuple[float, float]]  # by the artist, and as shipped


def looked_at(rig: Rig) -> tuple[Head, dict[str, Floats]]:
    """A rig's face as the tool sees it, and its artist's shapes (F,3), canonical."""
    marks = rig.landmarks(rig.vertices, rig.shapes) if rig.anchors else {}
    mesh = AvatarMesh(
        rig.vertices.astype(np.float32),
        rig.triangles.astype(np.int32),
        up=(0.0, 1.0, 0.0),
        landmarks={n: (float(p[0]), float(p[1]), float(p[2])) for n, p in marks.items()},
    )
    model = load_model(settings=resolve({"threads": 1, "provider": "cpu"}, environment={}))
    names = model.info.landmarks
    with ThreadPoolExecutor(1) as thread:
        encode = encode_with(model, Cancellation(), thread)
        face = pipeline.frame(pipeline.locate(mesh, encode, names, lambda _fraction: None))
    head = pipeline.analyse(face, mesh, names).head
    if head is None:
        raise RuntimeError(f"{rig.name}: the model finds no landmarks of a face")
    turn = face.frame.turn_to_canonical
    known = [name for name in sources.arkit_names() if name in rig.shapes]
    scale = np.float32(face.frame.scale)
    return head, {name: turn(rig.shapes[name][face.indices]) / scale for name in known}


def roots(parts: Mapping[str, Way], large: float) -> dict[str, str]:
    """Part of a field -> the amplitude that stands for it on a head: where there is none for all
    heads, that of large mouths or of small ones.
    """
    found = {}
    for name in parts:
        root = name.removesuffix("_large").removesuffix("_drawn")
        own = root if root in parts else f"{root}_{'drawn' if large < SMALL else 'large'}"
        if own in parts:
            found[root] = own
    return found


def unit(shipped: Amplitudes, chosen: Mapping[str, str], direction: int) -> Amplitudes:
    """Amplitudes of 1 in a direction: of a part of each of the mouth's fields, condition -> part,
    and of all brows; else 0.
    """
    one: Way = (float(direction == 0), float(direction == 1), float(direction == 2))
    none: Way = (0.0, 0.0, 0.0)
    mouth = {
        name: {part: one if chosen.get(name) == part else none for part in parts}
        for name, parts in shipped.mouth.items()
    }
    return Amplitudes(mouth, shipped.lids, dict.fromkeys(shipped.brows, one))


def base(condition: str) -> str:
    """A condition without its side, as fields.json names it."""
    return condition.removesuffix("Left").removesuffix("Right")


def mouth_bases(m: Mouth) -> dict[str, dict[tuple[str, str], Floats]]:
    """Condition -> part and direction -> what an amplitude of 1 there moves (F,3)."""
    shipped = amplitudes()
    found: dict[str, dict[tuple[str, str], Floats]] = defaultdict(dict)
    own = {name: list(roots(parts, m.large).items()) for name, parts in shipped.mouth.items()}
    for place in range(max(map(len, own.values()))):
        chosen = {name: parts[place] for name, parts in own.items() if len(parts) > place}
        for axis, direction in enumerate(DIRECTIONS):
            table = unit(shipped, {name: part for name, (_, part) in chosen.items()}, axis)
            for condition, offsets in mouth_fields(m, table).items():
                if base(condition) in chosen:
                    found[condition][(chosen[base(condition)][0], direction)] = offsets
    return found


def brow_bases(head: Head, large: float, table: Amplitudes) -> dict[str, Floats]:
    """Condition -> what brows move (F,3) with the amplitudes of a table."""
    surface, labels = head.surface, head.labels
    rows, fields = brow_fields(surface, head.landmarks, labels.brows, large, table)
    found = {}
    for name, offsets in fields.items():
        found[name] = np.zeros_like(surface.vertices)
        found[name][rows] = offsets
    return found


def nearest(bases: Sequence[Floats], wanted: Sequence[Floats]) -> list[NDArray[np.float64]]:
    """Amplitudes (P,) of bases (V,3) that come nearest to each of some shapes (V,3)."""
    columns = np.stack([basis.ravel() for basis in bases], axis=1).astype(np.float64)
    return [np.linalg.lstsq(columns, shape.ravel(), rcond=1e-3)[0] for shape in wanted]


def fitted(
    bases: Mapping[str, Mapping[tuple[str, str], Floats]],
    shipped: Mapping[str, Floats],
    shapes: Mapping[str, Floats],
    skin: NDArray[np.bool_],
) -> Iterator[tuple[Row, tuple[float, float]]]:
    """Amplitudes of each condition's parts, both sides as one: the artist's and the shipped ones.
    bases: of each condition; shipped, shapes: condition -> offsets (F,3); skin (F,).
    """
    for name in dict.fromkeys(map(base, bases)):
        both = [one for one in bases if base(one) == name and one in shapes and one in shipped]
        if not both:
            continue
        size = {
            key: max(float(np.linalg.norm(bases[one][key])) for one in both)
            for key in bases[both[0]]
        }
        moving = [key for key, own in size.items() if own > LITTLE * max(size.values())]
        stacked = [np.concatenate([bases[one][key][skin] for one in both]) for key in moving]
        wanted = [np.concatenate([of[one][skin] for one in both]) for of in (shapes, shipped)]
        for key, own, present in zip(moving, *nearest(stacked, wanted), strict=True):
            yield (name, *key), (float(own), float(present))


def lids(head: Head, shapes: Mapping[str, Floats], large: float) -> Found:
    """How far the edges of lids go up, of the opening: by the artist and as shipped."""
    found: dict[Row, list[tuple[float, float]]] = defaultdict(list)
    for side, lid in head.lids.items():
        wide = lid.gap > WIDE * lid.gap.max()
        for name, rises in amplitudes().lids.items():
            if name + side.title() not in shapes:
                continue
            shape = shapes[name + side.title()]
            local = np.asarray(shape @ lid.opening.axes.T / lid.opening.unit, np.float32)
            edges = (("upper", lid.opening.upper), ("lower", lid.opening.lower))
            for at, (part, edge) in enumerate(edges):
                own = float(np.mean(edge.of(local)[wide, 1] / lid.gap[wide]))
                present = rises["drawn"][at] + large * rises["more"][at]
                found[(name, part, "up")].append((own, present))
    return {
        row: (float(np.mean([own for own, _ in both])), both[0][1]) for row, both in found.items()
    }


def measured(rig: Rig) -> tuple[float, Found]:
    """How large the mouth of a head is drawn, and its amplitudes."""
    head, shapes = looked_at(rig)
    m, shipped = mouth_of(head.surface, head.landmarks), amplitudes()
    found = dict(fitted(mouth_bases(m), mouth_fields(m), shapes, head.labels.skin))
    brows: dict[str, dict[tuple[str, str], Floats]] = defaultdict(dict)
    for axis, direction in enumerate(DIRECTIONS):
        for name, offsets in brow_bases(head, m.large, unit(shipped, {}, axis)).items():
            brows[name][("brow", direction)] = offsets
    own = head.labels.skin | head.labels.brow
    found |= fitted(brows, brow_bases(head, m.large, shipped), shapes, own)
    return m.large, found | lids(head, shapes, m.large)


def told(values: Sequence[tuple[float, float]]) -> str:
    """Shipped, mean and spread over heads, and how many."""
    if not values:
        return f"{'':>28s}"
    own = np.array([each for each, _ in values])
    present = float(np.mean([each for _, each in values]))
    return f"{present:7.2f} {own.mean():7.2f} +-{own.std():5.2f} {len(own):3d}"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="folder with train/ and avatars/")
    options = parser.parse_args()
    table: dict[Row, tuple[list[tuple[float, float]], ...]] = {}
    for name, make in HEADS.items():
        large, found = measured(make(options.data))
        print(f"{name}: mouth {large:.2f} large, {len(found)} amplitudes", flush=True)
        for row, both in found.items():
            table.setdefault(row, ([], []))[large < SMALL].append(both)
    print(f"\n{'':36s}{'large mouths':>28s}{'small mouths':>28s}")
    print(f"{'':36s}" + "  shipped  mean  spread heads" * 2)
    for row, (large_ones, small_ones) in table.items():
        print(f"{row[0]:16s} {row[1]:10s} {row[2]:6s}  {told(large_ones)}{told(small_ones)}")


if __name__ == "__main__":
    main()
