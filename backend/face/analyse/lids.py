# SPDX-License-Identifier: GPL-3.0-or-later
"""The lids of each eye: which vertices are skin that follows an edge, which are lashes, which are
the eye. All in the canonical frame.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from ..geometry.frame import Floats
from ..geometry.landmarks import SIDES
from ..geometry.ramp import smoothstep
from ..params.analyse import EYE_PARTS, LASHES, LIDS, STANDING
from . import lid_sheets
from .openings import Opening, eye_opening
from .standing import reach_of, standing
from .surface import Flags, Surface


def find_lids(
    surface: Surface, landmarks: Mapping[str, Floats], strips: Mapping[str, Flags]
) -> dict[str, Lid]:
    """The lids of each eye, by its side, whose opening is found.

    Args:
        surface: the face's
        landmarks: name -> (3,), canonical
        strips: bool (F,) by side, of brows that are parts of their own
    """
    found = {}
    for side in SIDES:
        opening = eye_opening(
            surface.vertices,
            surface.triangles,
            surface.group,
            surface.skins,
            landmarks,
            side=side,
            widest=surface.placed,
        )
        if opening is not None:
            brow = (landmarks[f"brow_inner_{side}"] + landmarks[f"brow_outer_{side}"]) / 2
            middle = (landmarks[f"eye_inner_{side}"] + landmarks[f"eye_outer_{side}"]) / 2
            found[side] = Lid(surface, opening, brow - middle, side, strips[side])
    return found


class Lid:
    """One eye's lids: which vertices follow which edge how far.

    Args:
        surface: of the face, F vertices
        opening: of the eye
        brow: float32 (3,), the brow's middle, from the eye's
        side: of the face, left or right
        strips: flags (F,), brows that are parts of their own
    """

    def __init__(
        self, surface: Surface, opening: Opening, brow: Floats, side: str, strips: Flags
    ) -> None:
        self.opening, local = opening, opening.local
        self.upper, self.lower = opening.at(opening.upper.points), opening.at(opening.lower.points)
        self.gap = np.maximum(opening.upper.points[:, 1] - opening.lower.points[:, 1], 0)
        self._above = local[:, 1] - self.upper[:, 1]  # heights over the edges, of each vertex
        self._below = self.lower[:, 1] - local[:, 1]
        stands = standing(surface, opening, self._above, self.upper)
        sewn = self._sewn_eye(surface, strips, side)
        self.skin = opening.skin & ~self._flaps(surface) & ~stands & ~sewn
        # share of the opening that the lower lid comes up by at least, on heads unlike those learnt
        # from
        tall = smoothstep(LIDS.tall_from, LIDS.tall_to, opening.unit[1:2])
        self.meeting = LIDS.meeting * float(tall[0])
        self._find_others(surface, strips, side)
        self.top, self.bottom = self._shares(surface, brow, reach_of(stands, opening, self._above))
        self.eye |= sewn
        self.eye &= ~self.skin
        self.lash |= stands
        self.lash &= ~sewn
        self.lower_lash &= ~stands
        if side in surface.balls:
            ball, centre = surface.balls[side]
            self.eye[_rolling(surface, ball, centre, opening.origin)] = True
            self.lash &= ~self.eye
            self.lower_lash &= ~self.eye
        self.ride, self.lower_ride = self._rides(surface)
        x, (first, last) = local[:, :1], opening.columns[[0, -1]]
        self.past = np.clip(np.maximum(first - x, x - last) / LIDS.meet, 0, 1).astype(np.float32)
        self.outward = self._outward(surface)
        slits = lid_sheets.slits(surface, opening, self.skin, self._above)
        lid_sheets.together(slits, self.top)
        self.joined = np.concatenate([slits, lid_sheets.sewn(surface.group, self.lash, self.skin)])
        upper = self.skin & (self.top >= self.bottom)
        self.faces = lid_sheets.coarse(surface.triangles, upper, opening)
        eye = self.eye & (side not in surface.balls)  # over a ball lids are led by its roundness
        self.eye_faces = lid_sheets.coarse(surface.triangles, eye, opening)

    def _shares(self, surface: Surface, brow: Floats, reach: Floats) -> tuple[Floats, Floats]:
        """How far each vertex (F,) follows the upper and the lower edge. reach (F,): of `reach_of`:
        the skin under what stands before the lid goes with it.
        """
        opening, local = self.opening, self.opening.local
        to_brow = (brow @ opening.axes[1]) / opening.unit[1] - opening.upper.points[:, 1].max()
        room = float(np.clip(LIDS.room_to_brow * to_brow, LIDS.room_from, LIDS.room_to))
        covered = np.minimum(reach, STANDING.under * room)
        gap = np.maximum(self.upper[:, 1] - self.lower[:, 1], LIDS.least_gap)
        between = np.clip(-self._below / gap, 0, 1)
        before = self._before()
        deep = 1 - smoothstep(LIDS.inside_from, LIDS.inside_to, -before)
        near = opening.fade() * ~surface.bulky * deep * (local[:, 2] < LIDS.before)
        # what hangs before the eye, as hair does, is none of its lids
        hanging = smoothstep(LIDS.cover_from, LIDS.cover_to, before)
        near = near * np.where(self.skin, 1, 1 - hanging)
        over, under = self._above > 0, self._below > 0
        top = np.where(over, 1 - smoothstep(covered, room, self._above), between) * near
        bottom = np.where(under, 1 - smoothstep(0, LIDS.below, self._below), 1 - between) * near
        return np.asarray(top, np.float32), np.asarray(bottom, np.float32)

    def _before(self) -> Floats:
        """How far before the edges each vertex (F,) lies, in heights."""
        foremost = np.maximum(self.upper[:, 2], self.lower[:, 2])
        return np.asarray(self.opening.local[:, 2] - foremost)

    def _flaps(self, surface: Surface) -> Flags:
        """Vertices (F,) of the skin that are lashes all the same: pieces before the lids that are
        sewn to the skin along an edge and nowhere else.
        """
        loose, count = self.opening.skin & ~surface.skins[1], int(surface.pieces.max()) + 1
        level = np.minimum(np.abs(self._above), np.abs(self._below))
        at_skin = np.zeros(int(surface.group.max()) + 1, bool)
        at_skin[surface.group[surface.skins[1]]] = True
        sewn = loose & at_skin[surface.group]
        local, edge = self.opening.local, np.maximum(self.upper[:, 2], self.lower[:, 2])
        astray = loose & (
            sewn & (level > LASHES.sewn)
            | (level > LASHES.flap)
            | (np.abs(local[:, 0]) > LASHES.flap_aside)
            | (local[:, 2] < edge - LASHES.sewn)
        )
        whole, held, wrong = (
            np.bincount(surface.pieces[some], minlength=count) for some in (loose, sewn, astray)
        )
        flap = (held > 0) & (held < LASHES.flap_sewn * whole) & (wrong == 0)
        return np.asarray(loose & flap[surface.pieces])

    def _sewn_eye(self, surface: Surface, strips: Flags, side: str) -> Flags:
        """Vertices (F,) of the skin's part that are of the eye all the same: pieces that lie where
        an eye does and touch the skin, as whites do that are sewn to the lids. What lies at the
        edges, or in one place with skin, goes with the lids, so that no crack opens there.
        """
        pieces = self.opening.skin & ~surface.skins[1] & ~surface.bulky
        if not pieces.any():
            return pieces
        window, behind = self._window(surface, strips, self.opening.skin & ~pieces)
        _own, eye, _corner = self._eyes(surface, window & pieces, behind & pieces, side)
        found = pieces & eye[surface.owner]
        found &= ~np.isin(surface.group, surface.group[self.opening.skin & ~found])
        some = np.flatnonzero(found)
        found[some] = self._from_edges(some) > EYE_PARTS.rim
        return np.asarray(found)

    def _from_edges(self, some: NDArray[np.intp]) -> Floats:
        """How far vertices (N,) are from the nearest point of the edges (N,), in heights."""
        opening = self.opening
        edges = np.concatenate([opening.upper.points, opening.lower.points])
        away = (opening.local[some, None] - edges) * (opening.unit / opening.unit[1])
        return np.asarray(np.sqrt((away**2).sum(axis=2).min(axis=1, initial=np.inf)))

    def _find_others(self, surface: Surface, strips: Flags, side: str) -> None:
        """Find which vertices (F,) are upper lashes, lower lashes, eyes, and their inner corners,
        by parts: lashes keep to an edge, eyes fill the opening from behind, corners lie behind the
        lids.
        """
        window, behind = self._window(surface, strips, self.skin)
        own, eye, corner = self._eyes(surface, window, behind, side)
        others = own & ~eye & ~corner & self._rooted(surface, window)
        self.eye, self.corner = eye[surface.owner], corner[surface.owner]
        top, bottom = self._lashes(surface, window, others)
        self.lash, self.lower_lash = window & top, window & bottom
        # what covers more than this eye and lies on the skin, as shadows do, goes as the skin does
        layer = window & ~self.opening.skin & ~own[surface.owner] & ~behind
        layer &= self._before() < LIDS.cover_to
        self.skin = self.skin | layer

    def _window(self, surface: Surface, strips: Flags, skin: Flags) -> tuple[Flags, Flags]:
        """Vertices (F,) in and around the opening that may be of an eye or a lash, since they are
        neither brows nor skin (F,), and which of them lie behind the lids.
        """
        local = self.opening.local
        window = ~skin & ~surface.bulky & ~strips
        window &= np.abs(local[:, 0]) < EYE_PARTS.window_aside
        window &= (self._above < EYE_PARTS.window_level) & (self._below < EYE_PARTS.window_level)
        window &= np.abs(local[:, 2] - self.upper[:, 2]) < EYE_PARTS.window_depth
        hindmost = np.minimum(self.upper[:, 2], self.lower[:, 2])
        return window, window & (local[:, 2] < hindmost + EYE_PARTS.back)

    def _eyes(
        self, surface: Surface, window: Flags, behind: Flags, side: str
    ) -> tuple[Flags, Flags, Flags]:
        """Which parts (P,) are this eye's, which of them are eyes, and which its inner corner."""
        owner, count, local = surface.owner, int(surface.owner.max()) + 1, self.opening.local
        total, fills, backs = (
            np.bincount(owner[x], minlength=count)
            for x in (window, window & self._filling(), behind)
        )
        some = np.maximum(total, 1)
        own = total > EYE_PARTS.own * np.bincount(owner, minlength=count)
        at_back = backs > EYE_PARTS.behind * some
        eye = own & (
            (fills > LASHES.filling * some) & at_back | (fills > EYE_PARTS.floating * some)
        )
        eye |= self._covering(surface, own & ~eye & at_back)
        inwards = np.full(count, np.inf)
        np.minimum.at(inwards, owner[window], local[window, 0] * (-1 if side == "left" else 1))
        corner = own & ~eye & (backs > EYE_PARTS.corner_behind * some)
        return own, eye, corner & (inwards > EYE_PARTS.corner)

    def _filling(self) -> Flags:
        """Vertices (F,) in the middle of the opening."""
        margin = EYE_PARTS.fills_level * (self.upper[:, 1] - self.lower[:, 1])
        inside = (-self._above > margin) & (-self._below > margin)
        return np.asarray(inside & (np.abs(self.opening.local[:, 0]) < EYE_PARTS.fills_aside))

    def _rooted(self, surface: Surface, window: Flags) -> Flags:
        """Which parts (P,) begin next to an edge, or lie near it as a whole."""
        owner, count = surface.owner, int(surface.owner.max()) + 1
        level = np.minimum(np.abs(self._above), np.abs(self._below))
        some = np.maximum(np.bincount(owner[window], minlength=count), 1)
        begins = np.bincount(owner[window & (level < LASHES.rooted)], minlength=count) > 0
        summed = np.bincount(owner[window], level[window], minlength=count)
        return np.asarray(begins | (summed < 2 * LASHES.rooted * some))

    def _lashes(self, surface: Surface, window: Flags, parts: Flags) -> tuple[Flags, Flags]:
        """Vertices (F,) of upper and of lower lashes among some parts, flags (P,)."""
        owner, count = surface.owner, int(surface.owner.max()) + 1
        z = self.opening.local[:, 2]
        tops, lows = (
            window
            & (np.abs(away) < reach)
            & (np.abs(z - edge[:, 2] - LASHES.ahead) < LASHES.ahead_reach)
            for away, reach, edge in (
                (self._above, LASHES.upper_level, self.upper),
                (self._below, LASHES.lower_level, self.lower),
            )
        )
        total, fills, upper, lower = (
            np.bincount(owner[x], minlength=count)
            for x in (window, window & self._filling(), tops, lows)
        )
        some = np.maximum(total, 1)
        beside = parts & (fills < LASHES.filling * some)
        lash = beside & (upper > LASHES.near_edge * some) & (upper > lower)
        lower_lash = beside & ~lash & (lower > LASHES.near_edge * some)
        # a liner all around the eye follows both lids; a lash that only bends down beside the eye
        # is none
        middle = lows & (np.abs(self.opening.local[:, 0]) < LASHES.under)
        around = np.bincount(owner[middle], minlength=count) > 0
        low = (lash & around & (lower > LASHES.ring * some))[owner]
        low &= np.abs(self._below) < np.abs(self._above)
        return lash[owner] & ~low, lower_lash[owner] | low

    def _covering(self, surface: Surface, parts: Flags) -> Flags:
        """Which of some parts, flags (P,) by owner, cover the opening's middle with their faces."""
        found = np.zeros(len(parts), bool)
        faces = (
            surface.triangles[parts[surface.owner[surface.triangles[:, 0]]]]
            if parts.any()
            else surface.triangles[:0]
        )
        if not len(faces):
            return found
        outer, inner = EYE_PARTS.probe_outer, EYE_PARTS.probe_inner
        midst = (-outer, -inner, 0.0, inner, outer)
        levels = np.array([0.5 - EYE_PARTS.probe_beside, 0.5, 0.5 + EYE_PARTS.probe_beside])
        upper, lower = (
            np.interp(midst, self.opening.columns, edge.points[:, 1])[:, None]
            for edge in (self.opening.upper, self.opening.lower)
        )
        x = np.repeat(midst, len(levels))
        y = (lower + levels * (upper - lower)).ravel()
        a, b, c = (self.opening.local[faces[:, i], :2, None] for i in range(3))

        def turn(p: Floats, q: Floats) -> Floats:
            """On which side of the line from p to q (T,2,1) the places are (T,N)."""
            return np.asarray(
                (q[:, 0] - p[:, 0]) * (y - p[:, 1]) - (q[:, 1] - p[:, 1]) * (x - p[:, 0])
            )

        turns = np.stack([turn(a, b), turn(b, c), turn(c, a)])
        inside = (turns >= 0).all(axis=0) | (turns <= 0).all(axis=0)
        owner = surface.owner[faces[:, 0]]
        for part in np.unique(owner):
            found[part] = inside[owner == part].any(axis=0).mean() > EYE_PARTS.covered
        return found

    def _rides(self, surface: Surface) -> tuple[Floats, Floats]:
        """How far each vertex (F,) of a lash rides on the upper and on the lower lid: a lash goes
        beyond the corner, and keeps its line there.
        """
        leaving = 1 - smoothstep(LIDS.lash_from, LIDS.lash_to, self._above)
        riding = np.where(self._reach(surface) < LIDS.whole, 1, leaving)
        lower = 1 - smoothstep(LIDS.lash_from, LIDS.lash_to, self._below)
        return (
            np.where(self.lash, riding, 0).astype(np.float32),
            np.where(self.lower_lash, lower, 0).astype(np.float32),
        )

    def _reach(self, surface: Surface) -> Floats:
        """How far above the edge (F,) the lash vertices of each vertex's part reach."""
        far = np.zeros(int(surface.owner.max()) + 1, np.float32)
        np.maximum.at(far, surface.owner[self.lash], self._above[self.lash])
        return far[surface.owner]

    def _outward(self, surface: Surface) -> Floats:
        """How much lash vertices (F,) are of parts that stand out from the face more than they lie
        on it, 0 to 1.
        """
        out = self.opening.local[:, 2] - self.upper[:, 2]
        count = int(surface.owner.max()) + 1
        far, up = (
            np.bincount(surface.owner[self.lash], np.abs(x[self.lash]), minlength=count)
            for x in (out, self._above)
        )
        share = far / np.maximum(far + up, 1e-6)
        droop = smoothstep(LIDS.outward_from, LIDS.outward_to, share)[surface.owner]
        return np.where(self.lash, droop, 0).astype(np.float32)


def _rolling(
    surface: Surface, ball: NDArray[np.intp], centre: Floats, lids: Floats
) -> NDArray[np.intp]:
    """The vertices of an eyeball and its shell that turn with it: a part that keeps away from the
    axis of the eye, which runs from the ball's centre (3,) to the middle of the lids (3,), is a
    lash, close as it may lie.
    """
    owner, away = surface.owner[ball], surface.vertices[ball] - centre
    axis = (lids - centre) / max(float(np.linalg.norm(lids - centre)), 1e-9)
    nearest = np.full(int(owner.max()) + 1, np.inf)
    np.minimum.at(nearest, owner, np.linalg.norm(away - (away @ axis)[:, None] * axis, axis=1))
    free = EYE_PARTS.hollow * np.median(np.linalg.norm(away, axis=1))
    return np.asarray(ball[nearest[owner] < free])
