# SPDX-License-Identifier: GPL-3.0-or-later
"""Keys of a model: how the shapes that a network gives become those that were asked for.

Models are of two kinds. A pair gives the shapes of conditions: these are corrected, and keys are
mixed from them. A plain model gives each key by itself, and nothing is known of what it is made of.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from .analyse import rest
from .analyse.head import Head, eyes_of
from .analyse.surface import Flags
from .correct import meeting, rigid_parts, roles, rules, sizes
from .correct.blend import mixed
from .correct.fields import Fields
from .correct.held import held
from .geometry.frame import Floats
from .geometry.mesh import Ints
from .geometry.mirror import Each
from .geometry.smoothing import Neighbours
from .locate.face import Face
from .shapes import goals
from .shapes.combinations import DRIVEN, Combination, combinations, held_squints
from .shapes.confidence import confidence_of
from .shapes.derived import derive
from .shapes.figures import Places, ones_of, places_of
from .shapes.solving import missed, solved


@dataclass(frozen=True)
class Looked:
    """What the mesh of a face says whatever the network does.

    Args:
        around: who is next to whom among its vertices
        landmarks: name -> (3,), canonical
        findings: what a face at rest keeps shapes from
        head, fields: None for a model whose landmarks are others, by which nothing can be looked
            for
    """

    around: Neighbours
    landmarks: Mapping[str, Floats]
    findings: Sequence[rest.Finding] = ()
    head: Head | None = None
    fields: Fields | None = None


class Pair:
    """Keys of a model that gives the shapes of K conditions, and of what is derived from them.

    Args:
        conditions: their names
        weights: float32 (N,K) of all keys
        extra: derived condition -> weights (N,)
        last: how many keys the last table has
        aims: of keys whose weights are found on the head, by their row
        style: 0 subtle to 1 bold, see correct/sizes.py
    """

    def __init__(
        self,
        conditions: Sequence[str],
        weights: Floats,
        extra: Mapping[str, Floats],
        last: int,
        *,
        aims: Mapping[int, goals.Aim] | None = None,
        style: float = sizes.STYLE,
    ) -> None:
        self._aims, self._style = aims or {}, style
        aimed = any(row >= len(weights) - last for row in self._aims)
        alone = (
            None
            if aimed
            else _alone(*(of[len(weights) - last :] for of in (weights, *extra.values())))
        )
        # the conditions in the order of the last table's keys, where each of these is one of them:
        # they take their place
        order = list(dict.fromkeys([*(alone or ()), *range(len(conditions))]))
        self.names, self.derived = [conditions[k] for k in order], list(extra)
        self.weights = np.concatenate(
            [weights[:, order], *(column[:, None] for column in extra.values())], axis=1
        )
        self.asked = np.eye(len(order), dtype=np.float32)[order]
        self.replaces = bool(
            alone
        )  # the last table's keys take the place of the conditions' shapes in memory
        self._shapes: dict[str, Floats] = {}
        self._basis: list[Floats] = []
        self._head: Head | None = None
        self._places: Places | None = None
        self.missed: list[rest.Finding] = []  # what keys are for and this mesh does not allow

    def correct(
        self,
        looked: Looked,
        face: Face,
        offsets: Floats,
        each: Each,
        *,
        part_roles: Ints | None,
        on_bones: Flags | None,
    ) -> None:
        """Correct the shapes, in place.

        Args:
            looked: what the mesh says
            face: the face they are of
            offsets: float32 (K,F,3), canonical
            each: `map`, or that of threads
            part_roles: int32 (F,), what the user says that vertices are part of
            on_bones: bool (F,), eyes that bones turn, as far as their names tell; None where none
                do, or keys shall turn them, too
        """
        shapes = dict(zip(self.names, offsets, strict=True))
        _write_over(shapes, self._corrected(looked, face, shapes, each))
        if on_bones is not None and looked.head is not None:
            eyes = eyes_of(looked.head) | on_bones
            rigid_parts.lids_only(
                shapes, eyes if part_roles is None else eyes | roles.of(part_roles, "eyes")
            )
        if part_roles is not None:
            roles.hold_to(shapes, face.vertices, part_roles, face.parts)
        self._shapes = shapes
        self._basis = [
            *shapes.values(),
            *(derive(name, face.vertices, shapes) for name in self.derived),
        ]
        names = [*shapes, *self.derived]
        self._head = looked.head
        if looked.head is not None and self._aims:
            names = self._aimed(looked.head, face, names)
        self._sure = rest.lowered(looked.findings, names, confidence_of(names))
        self._size = np.array([float(np.linalg.norm(shape)) for shape in self._basis])

    def _aimed(self, head: Head, face: Face, names: list[str]) -> list[str]:
        """Find the weights of keys that have a goal on this head; what the basis consists of
        then.
        """
        aims = list(self._aims.values())
        built = meeting.built(head, goals.levers_of(aim.goal for aim in aims))
        names, self._basis = [*names, *built], [*self._basis, *built.values()]
        asked = [goals.styled(aim.goal, (self._style - sizes.STYLE) / sizes.STYLE) for aim in aims]
        places = self._places or places_of(
            face.vertices, head.landmarks, ones_of(head.surface.group, face.lip_lid_side)
        )
        solution = solved(
            places,
            self._basis,
            names,
            asked,
            bounds=goals.GOALS.bounds,
            movement_mask=face.movement_mask,
        )
        self.weights = np.concatenate(
            [self.weights, np.zeros((len(self.weights), len(built)), np.float32)], axis=1
        )
        self.weights[list(self._aims)] = solution.weights * np.stack(
            [aim.strong(names) for aim in aims]
        )
        self.missed = missed([aim.key for aim in aims], solution)
        return names

    def _corrected(
        self, looked: Looked, face: Face, shapes: Mapping[str, Floats], each: Each
    ) -> dict[str, Floats]:
        if looked.head is None:
            changed = dict(shapes)
            rules.scale(face.vertices, looked.landmarks, changed, {})
            return changed
        drawn = 0.0
        if looked.fields is not None:
            self._places = places_of(
                face.vertices, looked.landmarks, ones_of(looked.around.group, face.lip_lid_side)
            )
            drawn = goals.drawn(self._places)
        mixed(
            looked.head, shapes, face.model_trust, in_place=True, fields=looked.fields, drawn=drawn
        )
        if self._places is not None:
            sizes.sized(
                self._places,
                drawn,
                shapes,
                face.surely,
                self._style,
            )
        changed = dict(shapes)
        rules.apply(looked.head, changed, face.model_trust, each)
        _write_over(shapes, changed)
        changed = _Own(shapes)
        held(looked.head, looked.around, looked.findings, changed)
        return changed | held_squints(looked.head, changed)

    def poses(
        self, looked: Looked, keys: set[str], strong: Callable[[list[str]], Floats]
    ) -> list[Combination]:
        """How shapes that have a key of their own hold when they are driven together.

        Args:
            looked: the head
            keys: the finished shapes
            strong: factors (N,) of conditions by name
        """
        if looked.head is None:
            return []
        own = [name for name in DRIVEN if name in self._shapes and name in keys]
        driven = {
            n: self._shapes[n] if factor == 1 else self._shapes[n] * factor
            for n, factor in zip(own, strong(own), strict=True)
        }
        return combinations(looked.head, driven)

    def key(self, row: int) -> tuple[Floats, float]:
        """A key's shape (F,3), canonical, and a factor on it; lips and lids of what is mixed for a
        goal meet at most.
        """
        shape, weight = self._mixed(row)
        if row not in self._aims or self._head is None:
            return shape, weight
        return meeting.held_apart(
            self._head, np.float32(weight) * shape, self._aims[row].goal.sealed
        ), 1.0

    def _mixed(self, row: int) -> tuple[Floats, float]:
        """Most keys are one or a few conditions: the others cost nothing."""
        weights = self.weights[row]
        first, *others = np.flatnonzero(weights) if weights.any() else [0]
        if not others:
            return self._basis[first], float(weights[first])
        shape = weights[first] * self._basis[first]
        for k in others:
            shape += weights[k] * self._basis[k]
        return shape, 1.0

    def sure(self, rows: slice) -> Floats:
        """How sure keys are, 0 to 1: as what each is mixed from is, by how much that moves."""
        share = np.abs(self.weights[rows]) * self._size
        return np.asarray((share @ self._sure) / np.maximum(share.sum(axis=1), 1e-12), np.float32)


class _Own(dict[str, Floats]):
    """Shapes (F,3) that are written over and not replaced."""

    def __setitem__(self, name: str, value: Floats) -> None:
        self[name][:] = value


def _write_over(shapes: Mapping[str, Floats], changed: dict[str, Floats]) -> None:
    """Write what shapes (F,3) became into these, and let go of it: a second set of shapes would be
    as large as the answer.
    """
    for name, own in shapes.items():
        new = changed.pop(name)
        if new is not own:
            own[:] = new


class Plain:
    """Keys of a model that gives each of them by itself, for rows of weights (N,K)."""

    replaces = False
    missed: Sequence[rest.Finding] = ()

    def __init__(self, weights: Floats) -> None:
        self.asked = weights

    def correct(
        self,
        looked: Looked,
        face: Face,
        offsets: Floats,
        each: Each,
        *,
        part_roles: Ints | None,
        on_bones: Flags | None,
    ) -> None:
        """Nothing is known of what such a model is taught."""
        self._shapes = offsets

    def poses(
        self, looked: Looked, keys: set[str], strong: Callable[[list[str]], Floats]
    ) -> list[Combination]:
        """Nothing is known of shapes that are driven together."""
        return []

    def key(self, row: int) -> tuple[Floats, float]:
        """A key's shape (F,3), canonical, and a factor on it."""
        return self._shapes[row], 1.0

    def sure(self, rows: slice) -> Floats:
        """How sure keys are: as the face is."""
        return np.where(self.asked[rows].any(axis=1), np.float32(1), np.float32(0))


def _alone(weights: Floats, *extra: Floats) -> list[int] | None:
    """The condition that each of a table's keys is, of weights (N,K), where all keys are one
    condition alone and no two the same; else None.

    extra: the weights (N,) of each derived condition.
    """
    if (np.count_nonzero(weights, axis=1) != 1).any() or any(column.any() for column in extra):
        return None
    found = [int(k) for k in np.abs(weights).argmax(axis=1)]
    return found if len(set(found)) == len(found) else None
