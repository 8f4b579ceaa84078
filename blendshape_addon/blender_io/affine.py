# SPDX-License-Identifier: GPL-3.0-or-later
"""How a mesh was transformed: the affine maps that took points to where they are now, a few where
parts were transformed apart. Arrays only.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]
Ints = NDArray[np.int64]

# maps: a head, its eyes, teeth, tongue, lashes, brows, hair, joined from objects of their own
MOST = 12
LEAST = 6  # points that a map must explain: four determine it
SHARE = 0.005  # of the points that are left a map must explain, or it is none
TRIALS = (
    80  # of four points each; half are neighbours, so that a part of 2 % of the points is met, too
)
AT_ONCE = 2000  # points that a trial is judged by
NEAR = 24  # neighbours that four points are chosen from
MOVING = 0.01  # of a key's largest offset, from which a vertex counts
SOUND = 100  # condition of what a direction is computed from
WORST = 1e6  # condition of a map that can still be undone
# of the points' extent: how far off a point may be from a map by four neighbours, which is not
# exact far from them
LOOSE = 1e-3
PARALLEL = (
    0.999  # cosine from which two directions are one: 2.5 degrees, as roughly as the mesh tells it
)
# of a length that is only known roughly: a head that was sculpted all over is larger or smaller by
# so much
ROUGH = 0.3
SAME = 0.01  # of its length that a direction may differ by and be the same
# thickness by extent below which points lie in a plane, below which width they lie in a line
FLAT = 1e-4


@dataclass(frozen=True)
class Affine:
    """matrix: float64 (3,3), shift: float64 (3,): a point p goes to matrix @ p + shift."""

    matrix: Doubles
    shift: Doubles

    def of(self, points: Doubles) -> Doubles:
        """Where points (N,3) go."""
        return points @ self.matrix.T + self.shift


def roughly(before: Doubles, after: Doubles) -> Doubles:
    """The matrix (3,3) that is nearest to what happened to points (N,3); the identity where there
    are too few, or it could not be undone.
    """
    rough = next(_fitted(before, after), None)
    return np.eye(3) if rough is None or not np.linalg.cond(rough.matrix) < WORST else rough.matrix


def affine_maps(before: Doubles, after: Doubles, tolerance: float) -> list[Affine]:
    """Maps that explain points (N,3) within the tolerance, those that explain most first. The same
    input always gives the same answer.
    """
    left: Ints = np.arange(len(before))
    found: list[Affine] = []
    chance = np.random.Generator(np.random.PCG64(1))
    while len(left) >= LEAST and len(found) < MOST:
        best = _best(before[left], after[left], tolerance, chance)
        if not best:
            break
        found.extend(best)
        left = left[_distances(best[0], before[left], after[left]) > tolerance]
    return found


def _best(
    before: Doubles, after: Doubles, tolerance: float, chance: np.random.Generator
) -> list[Affine]:
    """The map that explains most of the points; two where they all lie in a plane and either side
    may be up; none where none does.
    """
    some = (
        np.arange(len(before))
        if len(before) <= AT_ONCE
        else chance.choice(len(before), AT_ONCE, replace=False)
    )
    loose = max(LOOSE * float(np.ptp(after[some], axis=0).max()), tolerance)
    candidates = [
        (int((_distances(one, before[some], after[some]) <= loose).sum()), one)
        for one in _trials(before[some], after[some], chance)
    ]
    for _count, one in sorted(candidates, key=lambda candidate: -candidate[0])[:3]:
        maps = [one]
        for within in (loose, max(loose / 30, tolerance), tolerance):
            near = _distances(maps[0], before, after) <= within
            fitted = list(_fitted(before[near], after[near])) if near.sum() >= LEAST else []
            maps = fitted or maps
        if (_distances(maps[0], before, after) <= tolerance).sum() >= max(
            LEAST, SHARE * len(before)
        ):
            return maps
    return []


def _trials(before: Doubles, after: Doubles, chance: np.random.Generator) -> Iterator[Affine]:
    for trial in range(TRIALS):
        pool = np.arange(len(before))
        if trial % 2 and len(before) > NEAR:
            distances = ((after - after[chance.integers(len(after))]) ** 2).sum(axis=1)
            pool = np.argpartition(distances, NEAR)[:NEAR]
        four = chance.choice(pool, 4, replace=False)
        yield from _fitted(before[four], after[four])


def _fitted(before: Doubles, after: Doubles) -> Iterator[Affine]:
    """The map by least squares. Points in a plane say nothing about what is upright on it: that is
    then scaled as the plane is, to either side.
    """
    centre, centre_after = before.mean(axis=0), after.mean(axis=0)
    from_, to = before - centre, after - centre_after
    _left, sizes, axes = np.linalg.svd(from_, full_matrices=False)
    if not sizes[1] > FLAT * sizes[0]:
        return
    flat = not sizes[2] > FLAT * sizes[0]
    axes = axes[: 2 if flat else 3]
    along = np.linalg.lstsq(from_ @ axes.T, to, rcond=None)[
        0
    ].T  # where the axes go, (3,2) or (3,3)
    ups = [np.zeros((3, 3))]
    if flat:
        normal, up = np.cross(axes[0], axes[1]), np.cross(along[:, 0], along[:, 1])
        area = float(np.linalg.norm(up))
        if not area > 0:
            return
        ups = [np.outer(sign * up / area**0.5, normal) for sign in (1, -1)]
    for upright in ups:
        matrix = along @ axes + upright
        yield Affine(matrix, centre_after - matrix @ centre)


def direction_by_keys(
    numbers: Floats, offsets: Floats, known: Sequence[Doubles], lengths: Sequence[float]
) -> Doubles | None:
    """What the direction of the numbers has become where no map tells, because most of the basis
    was moved, too; None where the keys do not tell.

    numbers: float32 (N,W), of N keys at W vertices, once offset @ direction; offsets: (N,W,3), as
    they are now. How four keys differ at one vertex determines it, also where all of them missed
    the same move of the basis. known: directions, (3,), that it may have become; one along these
    that is longer or shorter, and of none of the lengths, is none, since then somebody scaled all
    the keys.
    """
    if len(numbers) <= 4:
        return None
    sizes = np.abs(offsets).max(axis=(1, 2))
    moving = np.abs(offsets).max(axis=2) > MOVING * sizes[:, None]
    chance = np.random.Generator(np.random.PCG64(1))
    some = chance.choice(numbers.shape[1], min(numbers.shape[1], AT_ONCE // 4), replace=False)
    best: Doubles | None = None
    most = 0
    for vertex in chance.choice(some, TRIALS):
        rows = np.flatnonzero(moving[:, vertex])
        if len(rows) < 4:
            continue
        one, *three = chance.choice(rows, 4, replace=False)
        ways = (offsets[three, vertex] - offsets[one, vertex]).astype(np.float64)
        if not np.linalg.cond(ways) < SOUND:
            continue
        found = np.linalg.solve(
            ways, (numbers[three, vertex] - numbers[one, vertex]).astype(np.float64)
        )
        size = float(np.linalg.norm(found))
        if any(_only_longer(found, one) for one in known) and not any(
            abs(size - length) <= ROUGH * length for length in lengths
        ):
            continue
        count = int(
            (
                _agree(numbers[:, some], offsets[:, some], found, sizes, LOOSE) & moving[:, some]
            ).sum()
        )
        if count > most:
            best, most = found, count
    numbers, offsets, moving = numbers[:, some], offsets[:, some], moving[:, some]
    for within in (LOOSE, LOOSE / 30, LOOSE / 100):
        if best is not None:
            good = _agree(numbers, offsets, best, sizes, within) & moving
            best = _by_differences(numbers, offsets, good) if good.sum() >= LEAST else None
    return best


def _only_longer(found: Doubles, known: Doubles) -> bool:
    sizes = np.linalg.norm(found), np.linalg.norm(known)
    return bool(
        found @ known > PARALLEL * sizes[0] * sizes[1]
        and abs(sizes[0] - sizes[1]) > SAME * sizes[1]
    )


def _agree(
    numbers: Floats, offsets: Floats, along: Doubles, sizes: Floats, within: float
) -> NDArray[np.bool_]:
    """(N,W): where offsets are as the numbers say, but for what all keys have in common at a
    vertex.
    """
    apart = numbers - offsets @ along
    return np.asarray(
        np.abs(apart - np.median(apart, axis=0)) <= within * np.linalg.norm(along) * sizes[:, None]
    )


def _by_differences(numbers: Floats, offsets: Floats, good: NDArray[np.bool_]) -> Doubles:
    """The direction by least squares from the good ones, by how keys differ from their mean at each
    vertex.
    """
    count = np.maximum(good.sum(axis=0), 1)
    ways = offsets - (offsets * good[..., None]).sum(axis=0) / count[:, None]
    told = numbers - (numbers * good).sum(axis=0) / count
    return np.asarray(
        np.linalg.lstsq(ways[good].astype(np.float64), told[good].astype(np.float64), rcond=None)[0]
    )


def _distances(one: Affine, before: Doubles, after: Doubles) -> Doubles:
    return np.asarray(np.abs(one.of(before) - after).max(axis=1, initial=0.0))
