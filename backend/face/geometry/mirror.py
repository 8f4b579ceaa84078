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

from ..params.geometry import MIRROR
from .frame import Doubles, Floats
from .landmarks import mirrored
from .mesh import bounds, squared
from .symmetry import mirror_plane
from .ticks import tick

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
    *,
    asked: NDArray[np.intp] | None = None,
    kinds: NDArray[np.intp] | None = None,
) -> NDArray[np.intp]:
    """Find the point nearest to each one's mirror image in the plane normal . p = offset.

    Of several in one place, as on closed lips, the one that faces the mirrored way is taken; one
    that faces the opposite way never is.

    Args:
        points: float32 (P,3)
        normals: float32 (P,3), unit
        normal: float64 (3,), the plane's, unit
        offset: of the plane, in the points' unit
        tolerance: farther points are no partners, in the points' unit
        asked: (Q,), whose partners; all without it
        kinds: (P,); of several the one of the same kind is taken, as between the skin and a sheet
            that lies on it

    Returns:
        Indices (Q,), -1 where there is no partner.
    """
    if not len(points if asked is None else asked):
        return np.empty(0, np.intp)
    grid, place = _gridded(points, normals, (normal, offset), tolerance, asked=asked, kinds=kinds)
    inner = np.floor(place)
    found, scores = grid.best(
        np.arange(len(place)), inner.astype(np.int64) @ grid.factors, CORNERS[:1], 0
    )
    # a score is no less than the distance: what lies farther from its own cell's border has no
    # better partner beyond
    border = (0.5 - np.maximum.reduce(np.abs(place - inner - 0.5).T)) * (2 * tolerance)
    rest = np.flatnonzero(~(scores < border))
    if len(rest):
        first = np.floor(place[rest] - 0.5).astype(np.int64) @ grid.factors
        found[rest] = grid.best(rest, first, CORNERS, 1)[0]
    return found


@dataclass(frozen=True)
class _Grid:
    """Points sorted by their cell in a grid, and mirror images that are looked up among them.

    Args:
        points: float64 (P,3)
        normals: float32 (P,3)
        kinds: (P,), or None
        which: (Q,), the points that were mirrored
        image: float64 (Q,3), their mirror images
        facing: (Q,3), their mirrored normals
        tolerance: farther points are no partners; a cell is twice as large
        factors: (3,), a cell's number is its place times these
        keys: (P,), the cells' numbers, sorted
        order: (P,), the points in that order
    """

    points: Doubles
    normals: Floats
    kinds: NDArray[np.intp] | None
    which: NDArray[np.intp]
    image: Doubles
    facing: NDArray[Any]
    tolerance: float
    factors: NDArray[np.int64]
    keys: NDArray[np.int64]
    order: NDArray[np.int64]

    def best(
        self,
        some: NDArray[np.intp],
        first: NDArray[np.int64],
        corners: NDArray[np.int64],
        wide: int,
    ) -> tuple[NDArray[np.intp], Doubles]:
        """The best partner (N,) of each of some points, and its score (N,), infinite where there is
        none.

        Args:
            some: int (N,), of points
            first: int (N,), the cells to begin with
            corners: int (K,), what is added to them
            wide: how many next ones along x are looked at, too
        """
        turn_to = np.argsort(first)  # what is looked up in order is found several times as fast
        some, first = some[turn_to], first[turn_to]
        start, count = self._stretches(first, corners, wide)
        many = count.sum(axis=1)
        ends = np.cumsum(many)
        best, scores = np.full(len(some), -1, np.intp), np.full(len(some), np.inf)
        at_once = MIRROR.pairs_at_once  # bounds the table of pairs
        pieces = np.searchsorted(ends, np.arange(0, int(ends[-1]) + at_once, at_once))
        for begin, end in itertools.pairwise([*np.unique(pieces), len(some)]):
            tick()
            each = count[begin:end].ravel()
            seen = np.flatnonzero(many[begin:end]) + begin
            if not len(seen):
                continue
            other = self.order[
                np.arange(int(each.sum()))
                + np.repeat(start[begin:end].ravel() - np.cumsum(each) + each, each)
            ]
            mine = np.repeat(seen, many[seen])
            score = self._scores(some[mine], other)
            least = np.minimum.reduceat(score, np.cumsum(many[seen]) - many[seen])
            hits = np.flatnonzero((score == np.repeat(least, many[seen])) & (score < np.inf))
            hits = hits[np.flatnonzero(np.diff(mine[hits], prepend=-1))]  # of equals the first
            best[mine[hits]], scores[seen] = other[hits], least
        found = np.empty_like(turn_to)
        found[turn_to] = np.arange(len(turn_to))
        return best[found], scores[found]

    def _stretches(
        self, first: NDArray[np.int64], corners: NDArray[np.int64], wide: int
    ) -> NDArray[np.int32]:
        """Where the points of cells begin in `order`, and how many there are, both (N,C), for the
        cells from `first` (N,) + corners (C,3) on.
        """
        start, count = found = np.empty((2, len(first), len(corners)), np.int32)
        for begin in range(0, len(first), MIRROR.pairs_at_once):
            piece = slice(begin, begin + MIRROR.pairs_at_once)
            # cells that differ along x alone have keys that follow each other
            wanted = first[piece, None] + corners @ self.factors
            start[piece] = np.searchsorted(self.keys, wanted)
            count[piece] = np.searchsorted(self.keys, wanted + wide, side="right") - start[piece]
        return found

    def _scores(self, one: NDArray[np.intp], other: NDArray[np.int64]) -> Doubles:
        """How far `other` (N,) points are from the mirror images of `one` (N,), the better they
        face alike the nearer; infinite for those that are no partners.
        """
        far = np.sqrt(squared(_rows(self.points, other) - _rows(self.image, one)))
        same = np.einsum("ni,ni->n", _rows(self.normals, other), _rows(self.facing, one))
        other_kind = (
            0
            if self.kinds is None
            else MIRROR.other_kind * (self.kinds[other] != self.kinds[self.which[one]])
        )
        return np.where(
            (far < self.tolerance) & (same > MIRROR.facing),
            far + self.tolerance * (1 - same + other_kind),
            np.inf,
        )


def _gridded(
    points: Floats,
    normals: Floats,
    plane: tuple[Doubles, float],
    tolerance: float,
    *,
    asked: NDArray[np.intp] | None,
    kinds: NDArray[np.intp] | None,
) -> tuple[_Grid, Doubles]:
    """The grid of points (P,3), and the places (Q,3) in it of the mirror images of those that are
    asked for (Q,), or of all.
    """
    normal, offset = plane
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
    keys, order = np.divmod(numbers, len(points))
    return _Grid(
        exact,
        normals,
        kinds=kinds,
        which=np.arange(len(points)) if asked is None else asked,
        image=image,
        facing=facing,
        tolerance=tolerance,
        factors=factors,
        keys=keys,
        order=order,
    ), place


def _rows(table: NDArray[Any], which: NDArray[np.intp]) -> NDArray[Any]:
    """Rows (N,3) of a table (P,3); several times as fast as table[which]."""
    return table.take(which, axis=0, mode="clip")


def symmetric_partners(
    points: Floats, normals: Floats, face: NDArray[np.intp], kinds: NDArray[np.intp] | None = None
) -> tuple[NDArray[np.intp], NDArray[np.float64]] | None:
    """Each point's partner (P,), -1 for none, and the normal (3,) of the mirror plane, near x = 0,
    where a face is symmetric; else None. The plane is found from the points of the face, then from
    the pairs it gives.

    Args:
        points: float32 (P,3), canonical
        normals: float32 (P,3), unit
        face: int (Q,), indices of the points that count
        kinds: int (P,), as of `partners`
    """
    if len(face) < MIRROR.fewest:
        return None
    sample = np.random.default_rng(0).permutation(face)[: MIRROR.sample]
    upright = np.array([1.0, 0, 0]), 0.0  # a symmetric face's landmarks are alike on both sides
    plane = _settled(points, normals, sample, upright, MIRROR.paired)
    if plane is None:
        found_plane = mirror_plane(points[sample], normals[sample])[:2]
        plane = _settled(points, normals, sample, found_plane, MIRROR.paired / 2)
    if plane is None:
        return None
    normal, offset = plane
    found = partners(points, normals, normal, offset, MIRROR.close, kinds=kinds)
    return (found, normal) if (found[face] >= 0).mean() > MIRROR.paired else None


def _settled(
    points: Floats,
    normals: Floats,
    sample: NDArray[np.intp],
    plane: tuple[Doubles, float],
    least: float,
) -> tuple[Doubles, float] | None:
    """The plane that the pairs of a sample (S,) of points lie about, found from one nearby; None
    where fewer than `least` of it have partners.
    """
    normal, offset = plane
    for tolerance in (MIRROR.near, MIRROR.close):
        partner = partners(points, normals, normal, offset, tolerance, asked=sample)
        one = np.flatnonzero(partner >= 0)
        if len(one) < max(MIRROR.fewest / 2, least * len(sample)):
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

    Args:
        points: float32 (P,3), canonical
        normals: float32 (P,3), unit
        skin: bool (P,), what is judged, since hair and clothes seldom are symmetric
        kinds: int (P,), as of `partners`
    """
    inside = in_symmetric_region(points)
    found = symmetric_partners(points, normals, np.flatnonzero(inside & skin), kinds)
    if found is None:
        return None
    partner, normal = found
    alone = np.flatnonzero(partner < 0)
    partner[alone] = alone
    return Pairs(partner, alone, (np.eye(3) - 2 * np.outer(normal, normal)).astype(np.float32))


def in_symmetric_region(points: Floats) -> NDArray[np.bool_]:
    """Which of points (P,3), canonical, lie where a face is symmetric whatever the hair does."""
    centre = np.array([0, MIRROR.face_y, MIRROR.face_z], np.float32)
    return np.asarray(squared(points - centre) < MIRROR.face_radius**2)


def make_alike(pairs: Pairs, shapes: Mapping[str, Floats], each: Each = map) -> None:
    """Make left and right shapes mirror images and the others symmetric, in place.

    Args:
        pairs: of the mesh
        shapes: name -> offsets float32 (P,3)
        each: works on several at once
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
