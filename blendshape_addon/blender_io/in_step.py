# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether keys are in step with the numbers that were kept of them, and what has happened to a mesh
where they are not: a transform that was applied, or a basis that was moved while the keys stayed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import bpy
import numpy as np
from numpy.typing import NDArray

from .affine import LEAST, WORST, affine_maps, direction_by_keys, roughly

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]
Flags = NDArray[np.bool_]

ALONG = np.array(
    [0.5519, 0.5303, 0.6436], np.float64
)  # no axis, no diagonal: what is edited along one of those is seen
ALONG /= np.linalg.norm(ALONG)
ALONG_32 = ALONG.astype(np.float32)
# of the largest coordinate, in 24 bits, that places may be off by, as after two bevels; 13
# micrometres on a figure of 1.7 m
ROUNDINGS = 64
# of a key's largest offset: what maps that were found, and edits nobody can see, may be off by
EXACT = 3e-6
LITTLE = 16  # of which one part is more than a vertex is off that nothing has moved
STAYED = (
    1.0,
    0.5,
    # of the basis' way that keys did not go along: with the basis moved by a script, and with a
    # smooth subdivision in Blender
)
# keys that must have gone the same other way, as with a fractal subdivision, to show that it was
# not by hand
SEVERAL = 3
# of the way that all keys went: how far apart they may be after it, as with a bevel between
# vertices that went different ways
CLOSE = 3e-3
_AT_ONCE = 16  # keys whose coordinates are held at a time
_FEW = 50  # moving vertices by which a renamed key is looked for, before all are looked at


def numbers_of(offsets: Floats) -> Floats:
    """What is kept of a key's offsets float32 (F,3): one number for each, (F,)."""
    return np.asarray(offsets @ ALONG_32)


class Look:
    """How keys and attributes of one mesh compare. exact: whether all were found to be in step just
    as they are.
    """

    def __init__(self, base: Floats, rest: Floats | None) -> None:
        self._base, self._rest = base, rest
        self._rounding = (
            ROUNDINGS * float(np.finfo(np.float32).eps) * float(np.abs(base).max(initial=0.0))
        )
        self._found: list[tuple[Doubles, Doubles]] | None = None
        self.exact = rest is not None and bool(np.array_equal(rest, base))

    def intact(self, numbers: Sequence[Floats], blocks: Sequence[bpy.types.ShapeKey]) -> list[bool]:
        """Of each key, whether it is as it was made. All at once: what happened to a vertex
        happened to all keys.
        """
        if self._plainly(numbers, blocks):
            return [True] * len(blocks)
        off = np.zeros(len(self._base), np.bool_)
        wrong = [False] * len(blocks)
        sizes = np.zeros(len(blocks), np.float32)
        for first, offsets in self.offsets(blocks):
            here = slice(first, first + len(offsets))
            sizes[here] = np.abs(offsets).max(axis=(1, 2), initial=0.0)
            far = self._off(np.stack(numbers[here]) - offsets @ ALONG_32, ALONG, sizes[here])
            off |= far.any(axis=0)
            wrong[here] = far.any(axis=1).tolist()
        if not off.any():
            return [True] * len(blocks)
        where = np.flatnonzero(off)
        offsets = np.concatenate([some[:, where] for _first, some in self.offsets(blocks)])
        left = self._unexplained(
            np.stack([values[where] for values in numbers]), offsets, where, sizes
        )
        if any(wrong[row] and not left[row].any() for row in range(len(blocks))):
            self.exact = False
        return [not row.any() for row in left]

    def _plainly(self, numbers: Sequence[Floats], blocks: Sequence[bpy.types.ShapeKey]) -> bool:
        """Whether all keys are in step within half of what rounding may be, as they are where
        nobody edited anything: half the time of what says why one is not.
        """
        points, at_rest = np.empty_like(self._base), self._base @ ALONG_32
        room = self._rounding / 2
        for values, block in zip(numbers, blocks, strict=True):
            block.points.foreach_get("co", points.reshape(-1))
            apart = points @ ALONG_32
            apart -= at_rest
            apart -= values
            if not (np.abs(apart).max(initial=0.0) <= room):  # what is no number is none
                return False
        return True

    def offsets(self, blocks: Sequence[bpy.types.ShapeKey]) -> Iterator[tuple[int, Floats]]:
        """The number of the first and the offsets float32 (N,V,3) of some keys at a time."""
        for first in range(0, len(blocks), _AT_ONCE):
            some = blocks[first : first + _AT_ONCE]
            offsets = np.empty((len(some), *self._base.shape), np.float32)
            for row, block in enumerate(some):
                block.points.foreach_get("co", offsets[row].reshape(-1))
            offsets -= self._base
            yield first, offsets

    def likely(self, numbers: Floats, offsets: Floats) -> bool:
        """Whether a key of offsets (V,3) may be that of the numbers (V,), by a few of the vertices
        that they move.
        """
        moving = np.flatnonzero(numbers)
        few = moving[:: max(len(moving) // _FEW, 1)]
        return not self._unexplained(
            numbers[None, few], offsets[None, few], few, np.abs(offsets).max()[None]
        ).any()

    def _off(self, apart: Floats, along: Doubles, sizes: Floats) -> Flags:
        """Where what lies between numbers and what is seen (N,W) is more than rounding. sizes:
        (N,), the keys' largest offsets.
        """
        tolerance = np.linalg.norm(along) * (self._rounding + EXACT * sizes)
        return np.asarray(~(np.abs(apart) <= tolerance[:, None]))  # what is no number is off, too

    def _unexplained(
        self, numbers: Floats, offsets: Floats, where: NDArray[np.intp], sizes: Floats
    ) -> Flags:
        """(N,W): where keys are out of step with their numbers at the vertices `where`, given what
        explains most of what may have happened there.
        """
        story = _Story(numbers, offsets, lambda apart, along: self._off(apart, along, sizes))
        story.add(ALONG)
        if self._rest is None or not story.least().any():
            return story.off()
        happened = [(self._base[where] - place[where], along) for place, along in self._happened()]
        for _moved, along in happened[1:]:
            story.add(along)
        moved = np.abs(happened[0][0]).max(axis=1, initial=0.0) > self._rounding
        shifted = np.abs(happened[0][0]).max(axis=1, initial=0.0) > self._rounding / LITTLE
        open_ = np.flatnonzero(moved & (story.least() > 1))
        if len(open_) >= LEAST:
            rough = roughly(
                self._rest[where[open_]].astype(np.float64),
                self._base[where[open_]].astype(np.float64),
            )
            likely = np.linalg.solve(rough.T, ALONG)
            lengths = (
                1,
                abs(float(np.linalg.det(rough))) ** (-1 / 3),
                float(np.linalg.norm(likely)),
            )
            turned = direction_by_keys(
                numbers[:, open_],
                offsets[:, open_],
                [*(along for _moved, along in happened), likely],
                lengths,
            )
            if turned is not None:
                story.add(turned)
                happened.append((np.zeros((len(where), 3)), turned))
        for away, along in happened:  # where a basis moved without the keys, all of them are off
            stuck = np.flatnonzero(shifted & (story.least() > 0))
            for share in STAYED if away.any() else ():
                story.add(along, stuck, share * away[stuck] @ along)
            if len(numbers) >= SEVERAL:
                story.add(along, stuck)
        return story.off()

    def _happened(self) -> list[tuple[Doubles, Doubles]]:
        """What may have happened to vertices: where each would be now, (V,3), and what the
        direction of the numbers has become, (3,).
        """
        if self._found is None:
            self._found = []
            if self._rest is not None:
                rest, base = self._rest.astype(np.float64), self._base.astype(np.float64)
                self._found.append((rest, ALONG))
                moved = np.abs(rest - base).max(axis=1) > self._rounding
                for one in affine_maps(rest[moved], base[moved], 2 * self._rounding):
                    if np.linalg.cond(one.matrix) < WORST:
                        self._found.append((one.of(rest), np.linalg.solve(one.matrix.T, ALONG)))
        return self._found


class _Story:
    """What explains most of the numbers (N,W) of offsets (N,W,3) at each vertex, of all that is
    tried. is_off: of differences and a direction.
    """

    def __init__(
        self, numbers: Floats, offsets: Floats, is_off: Callable[[Floats, Doubles], Flags]
    ) -> None:
        self._numbers, self._offsets, self._is_off = numbers, offsets, is_off
        self._tried: list[tuple[Doubles, NDArray[np.intp] | None, Floats | None]] = []
        self._left: list[NDArray[np.int_]] = []

    def add(
        self, along: Doubles, at: NDArray[np.intp] | None = None, missed: Doubles | None = None
    ) -> None:
        """Try that numbers are along a direction now. at: of some vertices, and there the basis
        went without the keys, as far along it as is told in `missed`, or as most keys say.
        """
        number = len(self._tried)
        self._tried.append((along, at, None if missed is None else missed.astype(np.float32)))
        left = np.full(self._numbers.shape[1], len(self._numbers) + 1)
        columns = np.arange(len(left)) if at is None else at
        left[columns] = self._under(number, columns).sum(axis=0)
        self._left.append(left)

    def least(self) -> NDArray[np.int_]:
        """(W,): how many keys nothing that was tried explains."""
        return np.asarray(np.min(self._left, axis=0))

    def off(self) -> Flags:
        """(N,W): which these are. Of two that explain as many at a vertex, the one that does at
        more of all vertices is taken.
        """
        left = np.array(self._left)
        ranks = np.argsort(-(left == self.least()).sum(axis=1), kind="stable")
        taken = ranks[left[ranks].argmin(axis=0)]
        off = np.ones(self._numbers.shape, np.bool_)
        for number in np.unique(taken):
            here = np.flatnonzero(taken == number)
            off[:, here] = self._under(int(number), here)
        return off

    def _under(self, number: int, columns: NDArray[np.intp]) -> Flags:
        along, at, missed = self._tried[number]
        apart = self._numbers[:, columns] - self._offsets[:, columns] @ along.astype(np.float32)
        if missed is not None and at is not None:
            apart -= missed[np.searchsorted(at, columns)]
        elif at is not None and len(columns):
            common = np.median(apart, axis=0)
            apart -= common
            apart -= np.clip(apart, -CLOSE * np.abs(common), CLOSE * np.abs(common))
        return self._is_off(apart, along)
