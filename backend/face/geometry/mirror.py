# SPDX-License-Identifier: GPL-3.0-or-later
"""Which vertex is which one's mirror image, and shapes made exact mirror images where a mesh is
symmetric.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .frame import Doubles, Floats
from .landmarks import mirrored
from .mesh import bounds, squared
from .symmetry import mirror_plane

FACE_CENTRE, FACE_RADIUS = (
    (0.0, -0.5, -0.1),
    1.2,
)  # canonical: where a face is symmetric whatever the hair does
NEAR, CLOSE = (
    0.02,
    0.004,
    # canonical units within which partners are sought at first, and once the plane is known from
    # them
)
OTHER = 4.0  # tolerances that a partner of another kind counts as farther
PAIRED = 0.9  # share of the face's vertices with a partner from which on its mesh is symmetric
FEW = 100  # vertices of a face below which nothing is said
AT_ONCE = 1 << 14  # pairs of a point and one that may be its partner that are looked at at once
SAMPLE = 1500  # points from which the plane is found
Each = Callable[
    ..., Iterable[Any]
]  # `map`, or that of an executor: a function and what it works on, one by one
CORNERS = np.array([[0, y, z] for y in (0, 1) for z in (0, 1)])


def partners(
    points: Floats,
    normals: Floats,
    normal: NDArray[np.float64],
    offset: float,
    tolerance: float,
    asked: NDArray[np.intp] | None = None,
    kinds: NDArray[np.intp] | None = None,
) -> NDArray[np.intp]:
    """Index (Q,) of the point nearest to each one's mirror image in the plane normal . p = offset;
    -1 where none is within the tolerance.

    points, normals (P,3); asked (Q,): whose partners, all without it. Looked up in a grid of cells
    of twice the tolerance. Of several in one place, as on closed lips, the one that faces the
    mirrored way is taken; one that faces the opposite way never is. kinds (P,): of several the one
    of the same kind is taken, as between the skin and a sheet that lies on it.
    """
    which = np.arange(len(points)) if asked is None else asked
    if not len(which):
        return np.empty(0, np.intp)
    exact = points.astype(np.float64)
    own, facing = (exact, normals) if asked is None else (exact[asked], normals[asked])
    image = own - 2 * (own @ normal - offset)[:, None] * normal
    facing = facing - 2 * (facing @ normal)[:, None] * normal
    low = np.minimum(bounds(exact)[0], bounds(image)[0]) - 2 * tolerance
    cell = np.floor((exact - low) / (2 * tolerance)).astype(np.int64)
    place = (image - low) / (2 * tolerance)
    factors = np.cumprod(
        [1, *(np.maximum(bounds(cell)[1], bounds(place)[1].astype(np.int64))[:2] + 3)]
    )
    numbers = (cell @ factors) * len(points) + np.arange(len(points))
    del own, cell  # this is where a request takes most memory
    numbers.sort()  # several times as fast as a stable argsort of the keys
    sorted_keys, order = np.divmod(numbers, len(points))

    def look(
        some: NDArray[np.intp], first: NDArray[np.int64], corners: NDArray[np.int64], wide: int
    ) -> tuple[NDArray[np.intp], Doubles]:
        """The best partner of each of `some` (N,), and its score (N,), infinite where there is
        none, in the cells from `first` (N,) + corners on, and in the `wide` next ones along x.
        """
        turn_to = np.argsort(first)  # what is looked up in order is found several times as fast
        some, first = some[turn_to], first[turn_to]
        start, count = np.empty((2, len(some), len(corners)), np.int32)
        for piece in (slice(begin, begin + AT_ONCE) for begin in range(0, len(some), AT_ONCE)):
            wanted = (
                first[piece, None] + corners @ factors
            )  # cells that differ along x alone have keys that follow each other
            start[piece] = np.searchsorted(sorted_keys, wanted)
            count[piece] = np.searchsorted(sorted_keys, wanted + wide, side="right") - start[piece]
        many = count.sum(axis=1)
        ends = np.cumsum(many)
        best, scores = np.full(len(some), -1, np.intp), np.full(len(some), np.inf)
        pieces = np.searchsorted(
            ends, np.arange(0, int(ends[-1]) + AT_ONCE, AT_ONCE)
        )  # bounds the table of pairs
        for begin, end in itertools.pairwise([*np.unique(pieces), len(some)]):
            each = count[begin:end].ravel()
            seen = np.flatnonzero(many[begin:end]) + begin
            if not len(seen):
                continue
            other = order[
                np.arange(int(each.sum()))
                + np.repeat(start[begin:end].ravel() - np.cumsum(each) + each, each)
            ]
            mine = np.repeat(seen, many[seen])
            one = some[mine]
            far = np.sqrt(squared(_rows(exact, other) - _rows(image, one)))
            same = np.einsum("ni,ni->n", _rows(normals, other), _rows(facing, one))
            other_kind = 0 if kinds is None else OTHER * (kinds[other] != kinds[which[one]])
            score = np.where(
                (far < tolerance) & (same > -0.2), far + tolerance * (1 - same + other_kind), np.inf
            )
            least = np.minimum.reduceat(score, np.cumsum(many[seen]) - many[seen])
            hits = np.flatnonzero((score == np.repeat(least, many[seen])) & (score < np.inf))
            hits = hits[np.flatnonzero(np.diff(mine[hits], prepend=-1))]  # of equals the first
            best[mine[hits]], scores[seen] = other[hits], least
        found = np.empty_like(turn_to)
        found[turn_to] = np.arange(len(turn_to))
        return best[found], scores[found]

    inner = np.floor(place)
    found, scores = look(np.arange(len(which)), inner.astype(np.int64) @ factors, CORNERS[:1], 0)
    # a score is no less than the distance: what lies farther from its own cell's border has no
    # better partner beyond
    border = (0.5 - np.maximum.reduce(np.abs(place - inner - 0.5).T)) * (2 * tolerance)
    rest = np.flatnonzero(~(scores < border))
    if len(rest):
        found[rest] = look(
            rest, np.floor(place[rest] - 0.5).astype(np.int64) @ factors, CORNERS, 1
        )[0]
    return found


def _rows(table: NDArray[Any], which: NDArray[np.intp]) -> NDArray[Any]:
    """Rows (N,3) of a table (P,3); several times as fast as table[which]."""
    return table.take(which, axis=0, mode="clip")


def symmetric_partners(
    points: Floats, normals: Floats, face: NDArray[np.intp], kinds: NDArray[np.intp] | None = None
) -> tuple[NDArray[np.intp], NDArray[np.float64]] | None:
    """Each point's partner (P,), -1 for none, and the normal (3,) of the mirror plane, near x = 0,
    where a face is symmetric; else None.

    points, normals (P,3), canonical; face: indices of the points that count. The plane is found
    from these, then from the pairs it gives.
    """
    if len(face) < FEW:
        return None
    sample = np.random.default_rng(0).permutation(face)[:SAMPLE]
    plane = _settled(
        points, normals, sample, np.array([1.0, 0, 0]), 0.0, PAIRED
    )  # landmarks of both sides are alike where the face is symmetric
    if plane is None:
        plane = _settled(
            points, normals, sample, *mirror_plane(points[sample], normals[sample])[:2], PAIRED / 2
        )
    if plane is None:
        return None
    normal, offset = plane
    found = partners(points, normals, normal, offset, CLOSE, kinds=kinds)
    return (found, normal) if (found[face] >= 0).mean() > PAIRED else None


def _settled(
    points: Floats,
    normals: Floats,
    sample: NDArray[np.intp],
    normal: Doubles,
    offset: float,
    least: float,
) -> tuple[Doubles, float] | None:
    """The plane that the pairs of a sample (S,) of points lie about, found from one nearby; None
    where fewer than `least` of it have partners.
    """
    for tolerance in (NEAR, CLOSE):
        partner = partners(points, normals, normal, offset, tolerance, sample)
        one = np.flatnonzero(partner >= 0)
        if len(one) < max(FEW / 2, least * len(sample)):
            return None
        across = (points[sample[one]] - points[partner[one]]).astype(np.float64)
        middle = (points[sample[one]] + points[partner[one]]).astype(np.float64) / 2
        across *= np.sign(across @ normal)[:, None]
        normal = across.sum(axis=0) / np.linalg.norm(across.sum(axis=0))
        offset = float(np.median(middle @ normal))
    return normal, offset


@dataclass(frozen=True)
class Pairs:
    """Each vertex's partner on a symmetric face (P,), the vertices that have none and are their own
    (A,), what mirrors an offset, `flip` (3,3).
    """

    partner: NDArray[np.intp]
    alone: NDArray[np.intp]
    flip: Floats


def pairs_of(
    points: Floats, normals: Floats, skin: NDArray[np.bool_], kinds: NDArray[np.intp] | None = None
) -> Pairs | None:
    """The pairs of a mesh, None where its face's skin is not symmetric.

    points, normals (P,3), canonical; skin (P,): what is judged, since hair and clothes seldom are
    symmetric; kinds as of `partners`.
    """
    inside = squared(points - np.array(FACE_CENTRE, np.float32)) < FACE_RADIUS**2
    found = symmetric_partners(points, normals, np.flatnonzero(inside & skin), kinds)
    if found is None:
        return None
    partner, normal = found
    alone = np.flatnonzero(partner < 0)
    partner[alone] = alone
    return Pairs(partner, alone, (np.eye(3) - 2 * np.outer(normal, normal)).astype(np.float32))


def make_alike(pairs: Pairs, shapes: Mapping[str, Floats], each: Each = map) -> None:
    """Make left and right shapes mirror images and the others symmetric, in place. shapes: name ->
    offsets (P,3). each: works on several at once.
    """

    def alike(name: str) -> None:
        offsets = shapes[name]
        opposite = shapes.get(mirrored(name), offsets)
        after = [
            _mean(one, two, pairs)
            for one, two in ((offsets, opposite), (opposite, offsets))[
                : 1 if opposite is offsets else 2
            ]
        ]
        for shape, mean in zip((offsets, opposite), after, strict=False):
            shape[:] = mean

    for _ in each(
        alike, [name for name in shapes if not (mirrored(name) in shapes and mirrored(name) < name)]
    ):
        pass


def _mean(one: Floats, other: Floats, pairs: Pairs) -> Floats:
    """The mean (P,3) of offsets (P,3) and of others, mirrored, at each vertex's partner."""
    mean = _rows(other @ pairs.flip, pairs.partner)
    mean += one
    mean *= np.float32(0.5)
    mean[pairs.alone] = one[pairs.alone]
    return mean
