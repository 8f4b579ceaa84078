# SPDX-License-Identifier: GPL-3.0-or-later
"""Train what names loose parts, backend/face/analyse/kinds.json: on modelled heads with hair, worn
things, bodies and decals (`dressed.py`).

python -m scripts.train.kinds draw --heads 1500 --seed 1 --out RUNS/kinds1.npz
python -m scripts.train.kinds fit RUNS/kinds1.npz ... --data DATA --out
    backend/face/analyse/kinds.json

`fit` leaves every tenth modelled head out and says how many parts of these it names right; with
--data, avatars whose parts are known (`known.py`) are trained on, too, after each maker's have been
left out in turn. numpy alone, one thread, minutes.
"""

from __future__ import annotations

import argparse
import itertools
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from backend.face.analyse.face_skin import face_skin
from backend.face.analyse.kinds import CLASSES, Network
from backend.face.analyse.part_inputs import described
from backend.face.geometry.landmarks import NAMES
from backend.face.geometry.mesh import loose_parts
from backend.face.params.analyse import KINDS, PART_INPUTS

from ..samples.dressed import dressed
from ..samples.rig import Floats, Ints
from .warps import random_warp

HIDDEN = (40, 24)
NOISE = 0.15  # spreads
MEMBERS = 3  # networks that are asked alike
LEFT_OUT = 10  # every tenth modelled head
WARPED, WRONG, OFF = (
    0.5,
    0.15,
    0.2,
)  # shares of heads that are warped, whose skin is taken for another part, whose frame is far off
SKIN, HAIR, WORN = (CLASSES.index(name) for name in ("skin", "hair", "worn"))
HANGING = [HAIR, WORN]


@dataclass(frozen=True)
class Rows:
    """What is said of parts (N,D), their classes (N,), and of which head each is (N,): a number,
    below 0 those of avatars.
    """

    said: Floats
    label: Ints
    head: Ints

    def of(self, some: NDArray[np.bool_]) -> Rows:
        """Those where some (N,)."""
        return Rows(self.said[some], self.label[some], self.head[some])


def joined(rows: Sequence[Rows]) -> Rows:
    """All rows in one."""
    return Rows(
        *(
            np.concatenate([getattr(one, name) for one in rows])
            for name in ("said", "label", "head")
        )
    )


def seen_as(
    vertices: Floats, landmarks: Mapping[str, Floats], rng: np.random.Generator
) -> tuple[Floats, dict[str, Floats]]:
    """A head in a frame that is off by as much as found ones are, now and then far off, its
    landmarks off by a little each; warped or not.
    """
    points = np.stack([landmarks[name] for name in NAMES]).astype(np.float32)
    if rng.random() < WARPED:
        warp = random_warp(points, rng, float(rng.uniform(0.3, 1.0)))
        vertices, points = warp(vertices), warp(points)
    far = 4.0 if rng.random() < OFF else 1.0
    a, b, c = rng.normal(0, np.radians(2.0) * far, 3)
    turn = np.array([[1, -c, b], [c, 1, -a], [-b, a, 1]])
    scale, shift = np.exp(rng.normal(0, 0.06 * far)), rng.normal(0, 0.03 * far, 3)
    moved = (((x @ turn.T) * scale + shift).astype(np.float32) for x in (vertices, points))
    vertices, points = moved
    points = points + rng.normal(0, 0.02 * far, points.shape).astype(np.float32)
    return np.ascontiguousarray(vertices), dict(zip(NAMES, points, strict=True))


def rows_of(
    vertices: Floats,
    triangles: Ints,
    label: Ints,
    landmarks: Mapping[str, Floats],
    number: int,
    *,
    rng: np.random.Generator,
) -> Rows:
    """The rows of one head in a frame drawn by rng. label (V,): classes, -1 for what is not
    known.
    """
    vertices, at = seen_as(vertices, landmarks, rng)
    parts = loose_parts(vertices, triangles)
    skin = face_skin(vertices, parts, at)
    if rng.random() < WRONG:
        skin = parts == rng.choice(
            parts[(np.abs(vertices) < 1.5).all(axis=1) & ~skin]
        )  # a large one mostly
    which, said = described(vertices, triangles, parts, skin, at)
    count = np.zeros((int(parts.max()) + 1, len(CLASSES) + 1))
    np.add.at(count, (parts, label), 1)
    count[:, SKIN] *= 5  # a body that hangs together with the face is the face
    best = count.argmax(axis=1)[which]
    known = best < len(CLASSES)
    return Rows(
        said[known], best[known].astype(np.int32), np.full(int(known.sum()), number, np.int32)
    )


def draw(heads: int, seed: int) -> Rows:
    """The rows of so many modelled heads, each in two frames."""
    found = []
    for number in range(heads):
        rng = np.random.default_rng([seed, number])
        try:
            head = dressed(rng)
            found += [rows_of(*head, seed * 100_000 + number, rng=rng) for _ in range(2)]
        except (
            ValueError,
            IndexError,
            np.linalg.LinAlgError,
        ) as error:  # a draw that cannot be modelled
            print(f"head {number}: {error}", flush=True)
        if number % 100 == 0:
            print(number, flush=True)
    return joined(found)


def weights_of(rows: Rows) -> NDArray[np.float64]:
    """How much each row counts (N,): the more parts of its class its head has, the less each, and
    avatars more than modelled heads.
    """
    key = rows.head.astype(np.int64) * len(CLASSES) + rows.label
    _, which, count = np.unique(key, return_inverse=True, return_counts=True)
    weight = 1 / np.sqrt(count[which.ravel()])
    real = rows.head < 0
    if real.any() and (~real).any():
        weight[real] *= 0.15 * weight[~real].sum() / weight[real].sum()
    return np.asarray(weight)


def fit(rows: Rows, epochs: int) -> Network:
    """A network for rows: each member from a start of its own."""
    mean, spread = rows.said.mean(axis=0), np.maximum(rows.said.std(axis=0), 1e-3)
    said = np.clip((rows.said - mean) / spread, -PART_INPUTS.clip, PART_INPUTS.clip).astype(
        np.float32
    )
    members = tuple(
        _member(said, rows.label, weights_of(rows), seed, epochs) for seed in range(MEMBERS)
    )
    return Network(mean.astype(np.float32), spread.astype(np.float32), members)


def _member(
    x_all: Floats, label: Ints, weight: NDArray[np.float64], seed: int, epochs: int
) -> tuple[tuple[Floats, Floats], ...]:
    """The layers of one network, by Adam on cross entropy with decay, noise on what goes in."""
    rng = np.random.default_rng(seed)
    sizes = [x_all.shape[1], *HIDDEN, len(CLASSES)]
    values = [
        rng.normal(0, np.sqrt(2 / a), (a, b)).astype(np.float32)
        for a, b in itertools.pairwise(sizes)
    ]
    values += [np.zeros(b, np.float32) for b in sizes[1:]]
    first, second = [np.zeros_like(v) for v in values], [np.zeros_like(v) for v in values]
    average = [v.copy() for v in values]
    chance = weight / weight.sum()
    depth, batch = len(sizes) - 1, 512
    steps = epochs * len(label) // batch
    for step in range(1, steps + 1):
        if step == 1 or step % 64 == 0:
            pool = rng.choice(len(chance), batch * 64, p=chance)
        some = pool[(step % 64) * batch : (step % 64 + 1) * batch]
        x = x_all[some] + rng.normal(0, NOISE, (batch, sizes[0])).astype(np.float32)
        x[rng.random(x.shape) < 0.03] = 0
        hidden = [x]
        for layer in range(depth):
            z = hidden[-1] @ values[layer] + values[depth + layer]
            hidden.append(np.maximum(z, 0) if layer + 1 < depth else z)
        p = np.exp(hidden[-1] - hidden[-1].max(axis=1, keepdims=True))
        p /= p.sum(axis=1, keepdims=True)
        goal = np.full_like(p, 0.02 / len(CLASSES))
        goal[np.arange(batch), label[some]] += 0.98
        back = (p - goal) / batch
        slopes: list[Floats] = [np.empty(0, np.float32)] * (2 * depth)
        for layer in reversed(range(depth)):
            slopes[layer], slopes[depth + layer] = hidden[layer].T @ back, back.sum(axis=0)
            back = (back @ values[layer].T) * (hidden[layer] > 0)
        rate = 3e-3 * 0.5 * (1 + np.cos(np.pi * step / steps)) + 1e-5
        for k, slope in enumerate(slopes):
            first[k] = 0.9 * first[k] + 0.1 * slope
            second[k] = 0.999 * second[k] + 0.001 * slope**2
            move = first[k] / (1 - 0.9**step) / (np.sqrt(second[k] / (1 - 0.999**step)) + 1e-8)
            values[k] = (
                values[k] - rate * (move + (0.01 * values[k] if values[k].ndim > 1 else 0))
            ).astype(np.float32)
            average[k] += 0.02 * (values[k] - average[k])
    return tuple((average[k], average[depth + k]) for k in range(depth))


def scores(network: Network, rows: Rows) -> dict[str, float]:
    """Share of parts that are named right; of hair and worn things that are surely still, and of
    other parts that are taken for such.
    """
    sure = network.probabilities(rows.said)
    still, is_still = sure[:, HANGING].sum(axis=1), np.isin(rows.label, HANGING)
    found = {
        "right": float((sure.argmax(axis=1) == rows.label).mean()),
        "parts": float(len(rows.label)),
    }
    if is_still.any():
        found["still"] = float((still[is_still] > KINDS.still).mean())
    if (~is_still).any():
        found["wrongly still"] = float((still[~is_still] > KINDS.still).mean())
    return found


def confusion(network: Network, rows: Rows) -> str:
    """A table of classes by what they are taken for, in per cent."""
    best = network.probabilities(rows.said).argmax(axis=1)
    lines = ["          " + " ".join(f"{name[:5]:>5}" for name in CLASSES)]
    for k, name in enumerate(CLASSES):
        mine = best[rows.label == k]
        if len(mine):
            share = np.bincount(mine, minlength=len(CLASSES)) / len(mine)
            lines.append(
                f"{name:9} "
                + " ".join(f"{100 * x:5.0f}" if x > 0.004 else "    ." for x in share)
                + f"  of {len(mine)}"
            )
    return "\n".join(lines)


def written(network: Network, about: dict[str, object]) -> str:
    """The network as JSON."""

    def plain(values: Floats) -> list[object]:
        rounded: list[object] = json.loads(
            json.dumps(values.tolist()), parse_float=lambda text: float(f"{float(text):.4g}")
        )
        return rounded

    members = [
        [{"weights": plain(weights), "offsets": plain(offsets)} for weights, offsets in layers]
        for layers in network.members
    ]
    data = {
        "about": about,
        "classes": list(CLASSES),
        "mean": plain(network.mean),
        "spread": plain(network.spread),
        "members": members,
    }
    return json.dumps(data, separators=(",", ":")) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(dest="command", required=True)
    drawing = commands.add_parser("draw")
    drawing.add_argument("--heads", type=int, default=1500)
    drawing.add_argument("--seed", type=int, default=1)
    drawing.add_argument("--out", type=Path, required=True)
    fitting = commands.add_parser("fit")
    fitting.add_argument("rows", type=Path, nargs="+")
    fitting.add_argument("--data", type=Path)
    fitting.add_argument("--out", type=Path, required=True)
    fitting.add_argument("--epochs", type=int, default=30)
    args = parser.parse_args()
    if args.command == "draw":
        rows = draw(args.heads, args.seed)
        np.savez_compressed(args.out, said=rows.said, label=rows.label, head=rows.head)
        return
    files = [np.load(path, allow_pickle=False) for path in args.rows]
    rows = joined([Rows(z["said"], z["label"], z["head"]) for z in files])
    kept_out = rows.head % LEFT_OUT == 0
    train, test = rows.of(~kept_out), rows.of(kept_out)
    network = fit(train, epochs=args.epochs)
    print("modelled heads, left out:", scores(network, test))
    print(confusion(network, test))
    about: dict[str, object] = {"modelled heads, left out": scores(network, test)}
    if args.data:
        from .known import MAKERS, known

        avatars = known(args.data)
        for maker in sorted(set(MAKERS.values())):
            mine = np.isin(
                avatars.head, [-1 - k for k, name in enumerate(MAKERS) if MAKERS[name] == maker]
            )
            without = fit(joined([train, avatars.of(~mine)]), epochs=args.epochs)
            about[f"{maker}, left out"] = scores(without, avatars.of(mine))
            print(
                f"{maker}, left out:",
                scores(without, avatars.of(mine)),
                "modelled heads alone:",
                scores(network, avatars.of(mine)),
            )
            print(confusion(without, avatars.of(mine)))
        network = fit(joined([rows, avatars]), epochs=args.epochs)
    heads = len(np.unique(rows.head[rows.head >= 0]))
    about["trained on"] = f"{heads} modelled heads of scripts/samples/dressed.py" + (
        " and the heads of known.py" if args.data else ""
    )
    args.out.write_text(written(network, about), encoding="utf-8")


if __name__ == "__main__":
    main()
