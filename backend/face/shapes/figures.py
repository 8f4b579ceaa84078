# SPDX-License-Identifier: GPL-3.0-or-later
"""What shapes do to a face, in the face's own units: how far a mouth opens, a corner is pulled, a
lid closes, a brow rises.

W is the mouth's width between its corners, H an eye's height between its lids, E an eye's width
between its corners. All in the canonical frame.

    open       how far the lips part in the middle (W)     wide, narrow   change of the mouth's
               width, and its opposite (W)
    out, up, down, fwd    way of the mouth's corners (W)   aside    of the lips' middle to either
                          side (W)
    lip_up, lip_down, lip_rise, lip_fwd    upper lip's rise, lower lip's fall, both lips' mean rise
        and way out, in the middle (W)
    chin_aside, chin_fwd  way of the chin (W)
    lid, lid_rise  way of the upper lid's edge down, and up (H)   lower   way of the lower lid's
        edge up (H)
    brow_in, brow_out  rise of a brow's ends (E)           brow_fall      fall of the end that falls
        farther (E)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..geometry.frame import Floats
from ..geometry.landmarks import SIDES
from ..params.shapes import FIGURES

Rows = NDArray[np.intp]
LEFT, RIGHT, BOTH = 0, 1, 2  # columns of a figure
CORNERS = ("mouth_left", "mouth_right", "chin")
MEANS = (*CORNERS, *(f"{end}_{side}" for side in SIDES for end in ("brow_inner", "brow_outer")))
LIDS = tuple(f"{lid}_{side}" for side in SIDES for lid in ("lid_upper", "lid_lower"))
MIDDLE = (
    "open",
    "wide",
    "narrow",
    "lip_up",
    "lip_down",
    "lip_rise",
    "lip_fwd",
    "aside",
    "chin_aside",
    "chin_fwd",
)
SIDED = ("out", "up", "down", "fwd", "lid", "lid_rise", "lower", "brow_in", "brow_out", "brow_fall")
NAMES = (*MIDDLE, *SIDED)


@dataclass(frozen=True)
class Places:
    """Where figures are read.

    Args:
        ones: (G,), one vertex of the face for each place, where a mesh is split for its textures
        rows: (R,), those looked at
        at: place -> indices among rows: `lips`, `chin`, and with _left or _right `mouth`,
            `lid_upper`, `lid_lower`, `brow_inner`, `brow_outer`
        weights: of those whose mean counts, sum 1, by place
        width: W, canonical
        tall: H of left and right, canonical
        long: E of left and right, canonical
        room: from the middle between the lips to the chin, in W
        apart: from eye to eye, in W
    """

    ones: Rows
    rows: Rows
    at: Mapping[str, Rows]
    weights: Mapping[str, Floats]
    width: float
    tall: tuple[float, float]
    long: tuple[float, float]
    room: float
    apart: float


def places_of(
    vertices: Floats, landmarks: Mapping[str, Floats], ones: Rows | None = None
) -> Places:
    """The places of a face's vertices.

    Args:
        vertices: float32 (F,3), canonical
        landmarks: name -> (3,), all of landmarks.NAMES
        ones: see Places, of `ones_of`; without it all
    """
    ones = np.arange(len(vertices)) if ones is None else ones
    width = max(float(np.linalg.norm(landmarks["mouth_left"] - landmarks["mouth_right"])), 1e-6)
    columns = np.ascontiguousarray(vertices[ones].T)  # several times as fast as rows of three
    found, weights = {}, {}
    middle = (landmarks["lip_upper"] + landmarks["lip_lower"]) / 2
    found["lips"], weights["lips"] = _lips(columns, middle, width)
    for name in MEANS:
        found[name], weights[name] = _around(
            columns, landmarks[name], FIGURES.near_mouth if name in CORNERS else FIGURES.near_eye
        )
    for name in LIDS:
        found[name] = _near(columns, landmarks[name], FIGURES.near_eye)
    rows = np.unique(np.concatenate(list(found.values())))
    tall, long = (
        tuple(
            max(
                float(np.linalg.norm(landmarks[f"{one}_{side}"] - landmarks[f"{other}_{side}"])),
                1e-6,
            )
            for side in SIDES
        )
        for one, other in (("lid_upper", "lid_lower"), ("eye_outer", "eye_inner"))
    )
    at = {name: np.searchsorted(rows, some) for name, some in found.items()}
    return Places(
        ones=ones,
        rows=ones[rows],
        at=at,
        weights=weights,
        width=width,
        tall=(tall[0], tall[1]),
        long=(long[0], long[1]),
        room=float(np.linalg.norm(landmarks["chin"] - middle)) / width,
        apart=_eyes_apart(landmarks) / width,
    )


def _eyes_apart(landmarks: Mapping[str, Floats]) -> float:
    """From the middle of one eye to that of the other, canonical. landmarks: name -> (3,)."""
    left, right = (
        (landmarks[f"eye_inner_{side}"] + landmarks[f"eye_outer_{side}"]) / 2 for side in SIDES
    )
    return float(np.linalg.norm(left - right))


def stretched(places: Places, drawn: float) -> float:
    """Factor on how far lips part (W): makers go by the face as much as by the mouth, so that a
    small mouth opens farther for its width.

    Args:
        places: of the face
        drawn: how much the head is drawn, 0 to 1
    """
    usual = drawn * FIGURES.drawn_mouth + (1 - drawn) * FIGURES.other_mouth
    return float(
        np.clip(usual * places.apart, FIGURES.by_face_least, FIGURES.by_face_most)
        ** FIGURES.by_face
    )


def parted(places: Places) -> float:
    """How far lips part at most (W): makers' jaws go by what there is of a chin, not by how wide
    the mouth is. Eight training heads by six makers have 0.63 to 1.07 of the way from the lips to
    the chin, but 0.08 to 1.07 of the mouth's width.
    """
    return max(FIGURES.parted * places.room, FIGURES.parted_least)


def ones_of(group: NDArray[np.int32], lip_lid_side: Floats) -> Rows:
    """One vertex (G,) for each place and side of the mouth's slit, in their order.

    Args:
        group: int32 (F,), vertices in one place share one
        lip_lid_side: float32 (F,2), of the face
    """
    return np.sort(
        np.unique(
            group.astype(np.int64) * 3 + np.sign(lip_lid_side[:, 0]).astype(np.int64) + 1,
            return_index=True,
        )[1]
    )


def figures(places: Places, shapes: Sequence[Floats]) -> dict[str, Floats]:
    """Figures float32 (N,3) of shapes by name: of the left side, of the right one, and the mean of
    both. Those of the middle, see MIDDLE, are the same in all three columns.

    Args:
        places: of the face
        shapes: N of offsets float32 (F,3)
    """
    if not len(shapes):
        return {name: np.zeros((0, 3), np.float32) for name in NAMES}
    near = np.stack([shape[places.rows] for shape in shapes])  # (N,R,3)
    mean = {
        name: np.einsum("nkc,k->nc", near[:, places.at[name]], weight)
        for name, weight in places.weights.items()
    }
    middle, sided = _middle(places, near, mean), _sided(places, near, mean)
    found = {
        name: np.repeat(value[:, None] / places.width, 3, axis=1) for name, value in middle.items()
    }
    found |= {
        name: np.concatenate([value, value.mean(axis=1, keepdims=True)], axis=1)
        for name, value in sided.items()
    }
    return {name: np.ascontiguousarray(value, np.float32) for name, value in found.items()}


def _middle(places: Places, near: Floats, mean: Mapping[str, Floats]) -> dict[str, Floats]:
    """Figures of the middle, canonical, name -> (N,). near (N,R,3): what the rows of places do;
    mean: place -> (N,3), what their mean does.
    """
    lips, edge = near[:, places.at["lips"]], FIGURES.lip_edge
    low, high = (
        _quantile(lips[:, :, 1], places.weights["lips"], share) for share in (edge, 1 - edge)
    )
    across, rise, out = mean["lips"].T
    chin = mean["chin"]
    wide = mean["mouth_left"][:, 0] - mean["mouth_right"][:, 0]
    return {
        "open": high - low,
        "wide": wide,
        "narrow": -wide,
        "lip_up": high,
        "lip_down": -low,
        "lip_rise": rise,
        "lip_fwd": out,
        "aside": np.abs(across),
        "chin_aside": np.abs(chin[:, 0]),
        "chin_fwd": chin[:, 2],
    }


def _sided(places: Places, near: Floats, mean: Mapping[str, Floats]) -> dict[str, Floats]:
    """Figures of both sides in the face's units, name -> (N,2). near, mean: as of `_middle`."""

    def level(name: str, quantile: float) -> Floats:
        """Rise (N,2) at a lid of both sides, a quantile of it."""
        return np.stack(
            [
                np.quantile(near[:, places.at[f"{name}_{side}"], 1], quantile, axis=1)
                for side in SIDES
            ],
            axis=1,
        )

    width, rim = places.width, FIGURES.lid_rim
    corners = np.stack([mean[f"mouth_{side}"] for side in SIDES], axis=1)  # (N,2,3)
    tall, long = np.array(places.tall), np.array(places.long)
    inner, outer = (
        np.stack([mean[f"{end}_{side}"][:, 1] for side in SIDES], axis=1) / long
        for end in ("brow_inner", "brow_outer")
    )
    return {
        "out": corners[:, :, 0] * np.array([1, -1]) / width,
        "up": corners[:, :, 1] / width,
        "down": -corners[:, :, 1] / width,
        "fwd": corners[:, :, 2] / width,
        "lid": -level("lid_upper", rim) / tall,
        "lid_rise": level("lid_upper", 1 - rim) / tall,
        "lower": level("lid_lower", 1 - rim) / tall,
        "brow_in": inner,
        "brow_out": outer,
        "brow_fall": -np.minimum(inner, outer),
    }


def side_of(name: str) -> int:
    """The column of a condition's own side: BOTH for those of the middle, also of mouthLeft,
    mouthRight, jawLeft and jawRight, which move it.
    """
    if name in ("mouthLeft", "mouthRight", "jawLeft", "jawRight"):
        return BOTH
    return LEFT if name.endswith("Left") else RIGHT if name.endswith("Right") else BOTH


def _around(columns: Floats, place: Floats, count: int) -> tuple[Rows, Floats]:
    """The vertices nearest to a place (3,), about `count`, and their weights: 0 at the farthest of
    them. columns (3,F): of all vertices.
    """
    near = _near(columns, place, round(FIGURES.soft * count))
    return near, _weights(_away(columns[:, near], place))


def _near(columns: Floats, place: Floats, count: int, deep: float = 1.0) -> Rows:
    """The vertices nearest to a place (3,), at most `count`, of columns (3,F). deep: what a way
    inwards counts for.
    """
    away = _away(columns, place, deep)
    return np.argpartition(away, min(count, len(away)) - 1)[:count]


def _away(columns: Floats, place: Floats, deep: float = 1.0) -> Floats:
    """How far vertices, columns (3,F), are from a place (3,): the sum of the ways along the
    axes.
    """
    x, y, z = columns
    away = np.abs(z - place[2])
    away *= np.float32(deep)
    away += np.abs(x - place[0])
    away += np.abs(y - place[1])
    return np.asarray(away)


def _lips(columns: Floats, middle: Floats, width: float) -> tuple[Rows, Floats]:
    """The vertices next to the middle between the lips (3,), of columns (3,F), and their weights:
    edges lie at several depths, so a way inwards counts for less.
    """
    found = _near(columns, middle, round(FIGURES.soft * FIGURES.near_lips), FIGURES.deep)
    found = found[np.abs(columns[2, found] - middle[2]) < FIGURES.deep * width]
    if len(found) <= 3:
        return _around(columns, middle, FIGURES.near_mouth)
    return found, _weights(_away(columns[:, found], middle, FIGURES.deep))


def _weights(far: Floats) -> Floats:
    """Weights (K,) of vertices that are so far away (K,): 0 at the farthest, sum 1."""
    weights = np.maximum(1 - (far / max(float(far.max()), 1e-9)) ** 2, 1e-6)
    return np.asarray(weights / weights.sum(), np.float32)


def _quantile(values: Floats, weights: Floats, share: float) -> Floats:
    """The quantile (N,) of values (N,K) that count by weights (K,): no vertex that comes in or
    falls out changes it at once.
    """
    order = np.argsort(values, axis=1)
    sorted_, own = np.take_along_axis(values, order, axis=1), weights[order]
    reached = np.cumsum(own, axis=1) - own / 2
    after = np.clip((reached < share).sum(axis=1), 1, values.shape[1] - 1)[:, None]
    (begins, first), (ends, last) = (
        [np.take_along_axis(each, at, axis=1)[:, 0] for each in (reached, sorted_)]
        for at in (after - 1, after)
    )
    t = np.clip((share - begins) / np.maximum(ends - begins, 1e-9), 0, 1)
    return np.asarray(first + t * (last - first), np.float32)
