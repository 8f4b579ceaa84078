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
from .openings import Opening, eye_opening
from .surface import Flags, Surface

MEETING, TALL = (
    0.1,
    (0.3, 0.42),
    # of the opening, that it rises by at least where eyes are tall, and canonical units between
    # which they become so
)
MEET = (
    0.3  # half widths beyond the corner over which upper and lower lashes come to go the same way
)
ROOTED = 0.2  # heights from an edge within which a lash begins; a brow does not
SEWN, FLAP, MOSTLY = (
    0.2,
    0.6,
    0.7,
    # heights from an edge within which a lash is sewn to it, and reaches; the share of its vertices
    # that are sewn
)
LASH = (0.6, 1.1)  # heights above the edge between which what is no skin stops riding the lid
WHOLE = 1.15  # heights above the edge below which a lash, or the line of a crease, rides as a whole
BELOW = 0.8  # heights below the lower edge over which a correction fades
ROOM = (
    0.5,
    1.5,
    # heights above the edge over which a correction fades, three quarters of the way to the brow
    # within these
)
MIDST = (
    -0.6,
    -0.3,
    0.0,
    0.3,
    0.6,
    # half widths from the middle, and shares of the way between the edges, where what fills an
    # opening covers it
)
LEVELS = (0.35, 0.5, 0.65)
# share of these places that an eye's faces cover: one of few vertices has them around its rim
COVERED = 0.5
# half widths inwards from the middle, from which on what lies behind the edges is an eye's inner
# corner
CORNER = 0.6
AT_BACK = 0.9  # share of its vertices that lie there
# share of a lash's vertices next to the lower edge from which on it goes all around the eye
RING = 0.2
COVER = (0.35, 0.6)  # heights before the edges over which what is no skin stops following the lids
INSIDE = (
    0.5,
    1.2,
    # heights behind the edge over which it fades: the inside of a lid goes along, the socket does
    # not
)
# of an eyeball's radius around its axis, from which on a part of its shell that leaves it free is a
# lash
HOLLOW = 0.4
OUTWARD = (
    0.4,
    0.6,
    # share of a lash's extent that stands out from the face from which on it begins to droop at a
    # blink, and droops wholly
)


def find_lids(
    there: Surface, landmarks: Mapping[str, Floats], strips: Mapping[str, Flags]
) -> dict[str, Lid]:
    """The lids of each eye, by its side, whose opening is found. strips: side -> flags (F,) of
    brows that are parts of their own.
    """
    found = {}
    for side in SIDES:
        opening = eye_opening(
            there.vertices, there.triangles, there.group, there.skins, landmarks, side, there.placed
        )
        if opening is not None:
            brow = (landmarks[f"brow_inner_{side}"] + landmarks[f"brow_outer_{side}"]) / 2
            middle = (landmarks[f"eye_inner_{side}"] + landmarks[f"eye_outer_{side}"]) / 2
            found[side] = Lid(there, opening, brow - middle, side, strips[side])
    return found


class Lid:
    """One eye's lids: which vertices follow which edge how far. brow (3,): the brow's middle, from
    the eye's. side: of the face. strips (F,): brows that are parts of their own.
    """

    def __init__(
        self, there: Surface, opening: Opening, brow: Floats, side: str, strips: Flags
    ) -> None:
        self.opening, local = opening, opening.local
        self.upper, self.lower = opening.at(opening.upper.points), opening.at(opening.lower.points)
        self.gap = np.maximum(opening.upper.points[:, 1] - opening.lower.points[:, 1], 0)
        above, below = local[:, 1] - self.upper[:, 1], self.lower[:, 1] - local[:, 1]
        self.skin = skin = opening.skin & ~self._flaps(there, above, below)
        fade = opening.fade() * ~there.bulky
        room = float(
            np.clip(
                0.75
                * ((brow @ opening.axes[1]) / opening.unit[1] - opening.upper.points[:, 1].max()),
                *ROOM,
            )
        )
        between = np.clip(-below / np.maximum(self.upper[:, 1] - self.lower[:, 1], 0.05), 0, 1)
        deep = 1 - smoothstep(*INSIDE, np.maximum(self.upper[:, 2], self.lower[:, 2]) - local[:, 2])
        near = fade * deep * (local[:, 2] < 2)
        before = local[:, 2] - np.maximum(self.upper[:, 2], self.lower[:, 2])
        near = near * np.where(
            skin, 1, 1 - smoothstep(*COVER, before)
        )  # what hangs before the eye, as hair does, is none of its lids
        self.top = np.asarray(
            np.where(above > 0, 1 - smoothstep(0, room, above), between) * near, np.float32
        )
        self.bottom = np.asarray(
            np.where(below > 0, 1 - smoothstep(0, BELOW, below), 1 - between) * near, np.float32
        )
        # share of the opening that the lower lid comes up by at least, on heads unlike those learnt
        # from
        self.meeting = MEETING * float(smoothstep(*TALL, opening.unit[1:2])[0])
        self.lash, self.lower_lash, self.eye, self.corner = self._others(
            there, above, below, skin, strips, side
        )
        if side in there.balls:
            ball, centre = there.balls[side]
            self.eye[_rolling(there, ball, centre, opening.origin)] = True
            self.lash &= ~self.eye
            self.lower_lash &= ~self.eye
        riding = np.where(self._reach(there, above) < WHOLE, 1, 1 - smoothstep(*LASH, above))
        self.ride = np.where(self.lash, riding, 0).astype(
            np.float32
        )  # a lash goes beyond the corner, and keeps its line there
        self.lower_ride = np.where(self.lower_lash, 1 - smoothstep(*LASH, below), 0).astype(
            np.float32
        )
        x, (first, last) = local[:, :1], opening.columns[[0, -1]]
        self.past = np.clip(np.maximum(first - x, x - last) / MEET, 0, 1).astype(np.float32)
        self.outward = self._outward(there, above)

    def _flaps(self, there: Surface, above: Floats, below: Floats) -> Flags:
        """Vertices (F,) of the skin that are lashes all the same: pieces before the lids that are
        sewn to the skin along an edge and nowhere else.
        """
        loose, count = self.opening.skin & ~there.skins[1], int(there.pieces.max()) + 1
        level = np.minimum(np.abs(above), np.abs(below))
        at_skin = np.zeros(int(there.group.max()) + 1, bool)
        at_skin[there.group[there.skins[1]]] = True
        sewn = loose & at_skin[there.group]
        local, edge = self.opening.local, np.maximum(self.upper[:, 2], self.lower[:, 2])
        astray = loose & (
            sewn & (level > SEWN)
            | (level > FLAP)
            | (np.abs(local[:, 0]) > 1.6)
            | (local[:, 2] < edge - SEWN)
        )
        whole, held, wrong = (
            np.bincount(there.pieces[some], minlength=count) for some in (loose, sewn, astray)
        )
        return np.asarray(
            loose & ((held > 0) & (held < MOSTLY * whole) & (wrong == 0))[there.pieces]
        )

    def _others(
        self, there: Surface, above: Floats, below: Floats, skin: Flags, strips: Flags, side: str
    ) -> tuple[Flags, Flags, Flags, Flags]:
        """Which vertices (F,) are upper lashes, lower lashes, eyes, and their inner corners, by
        parts: lashes keep to an edge, eyes fill the opening from behind, corners lie behind the
        lids.
        """
        local = self.opening.local
        count = int(there.owner.max()) + 1
        window = (
            ~skin
            & ~there.bulky
            & ~strips
            & (np.abs(local[:, 0]) < 1.4)
            & (above < 1.2)
            & (below < 1.2)
        )
        window &= np.abs(local[:, 2] - self.upper[:, 2]) < 2.5
        own = np.bincount(there.owner[window], minlength=count) > 0.7 * np.bincount(
            there.owner, minlength=count
        )
        high = self.upper[:, 1] - self.lower[:, 1]
        filling = (
            window & (-above > 0.25 * high) & (-below > 0.25 * high) & (np.abs(local[:, 0]) < 0.75)
        )
        behind = window & (local[:, 2] < np.minimum(self.upper[:, 2], self.lower[:, 2]) + 0.05)
        tops = window & (np.abs(above) < 0.6) & (np.abs(local[:, 2] - self.upper[:, 2] - 0.5) < 1.2)
        lows = (
            window & (np.abs(below) < 0.45) & (np.abs(local[:, 2] - self.lower[:, 2] - 0.5) < 1.2)
        )
        total, fills, backs, upper, lower = (
            np.bincount(there.owner[x], minlength=count)
            for x in (window, filling, behind, tops, lows)
        )
        some = np.maximum(total, 1)
        level = np.minimum(np.abs(above), np.abs(below))
        rooted = np.bincount(there.owner[window & (level < ROOTED)], minlength=count) > 0
        rooted |= (
            np.bincount(there.owner[window], level[window], minlength=count) < 2 * ROOTED * some
        )
        eye = own & (
            (fills > 0.12 * some) & (backs > 0.5 * some) | (fills > 0.6 * some)
        )  # pupils and highlights float in the opening
        eye |= self._covering(there, own & ~eye & (backs > 0.5 * some))
        inwards = np.full(count, np.inf)
        np.minimum.at(
            inwards, there.owner[window], local[window, 0] * (-1 if side == "left" else 1)
        )
        corner = own & ~eye & (backs > AT_BACK * some) & (inwards > CORNER)
        rooted &= ~corner
        lash = own & ~eye & rooted & (fills < 0.12 * some) & (upper > 0.25 * some) & (upper > lower)
        lower_lash = own & ~eye & rooted & ~lash & (fills < 0.12 * some) & (lower > 0.25 * some)
        low = (lash & (lower > RING * some))[there.owner] & (
            np.abs(below) < np.abs(above)
        )  # a liner all around the eye follows both lids
        before = local[:, 2] - np.maximum(self.upper[:, 2], self.lower[:, 2])
        strip = (
            window & ~own[there.owner] & ~behind & (before < COVER[1])
        )  # of what covers more than this eye, what is next to an edge
        on_top, on_low = strip & (np.abs(above) < 0.3), strip & (np.abs(below) < 0.2)
        top, bottom = lash[there.owner] & ~low, lower_lash[there.owner] | low
        return (
            window & top | on_top,
            window & bottom | on_low & ~on_top,
            eye[there.owner],
            corner[there.owner],
        )

    def _covering(self, there: Surface, parts: Flags) -> Flags:
        """Which of some parts, flags (P,) by owner, cover the opening's middle with their faces."""
        found = np.zeros(len(parts), bool)
        faces = (
            there.triangles[parts[there.owner[there.triangles[:, 0]]]]
            if parts.any()
            else there.triangles[:0]
        )
        if not len(faces):
            return found
        upper, lower = (
            np.interp(MIDST, self.opening.columns, edge.points[:, 1])[:, None]
            for edge in (self.opening.upper, self.opening.lower)
        )
        x = np.repeat(MIDST, len(LEVELS))
        y = (lower + np.array(LEVELS) * (upper - lower)).ravel()
        a, b, c = (self.opening.local[faces[:, i], :2, None] for i in range(3))

        def turn(p: Floats, q: Floats) -> Floats:
            """On which side of the line from p to q (T,2,1) the places are (T,N)."""
            return np.asarray(
                (q[:, 0] - p[:, 0]) * (y - p[:, 1]) - (q[:, 1] - p[:, 1]) * (x - p[:, 0])
            )

        ways = np.stack([turn(a, b), turn(b, c), turn(c, a)])
        inside = (ways >= 0).all(axis=0) | (ways <= 0).all(axis=0)
        owner = there.owner[faces[:, 0]]
        for part in np.unique(owner):
            found[part] = inside[owner == part].any(axis=0).mean() > COVERED
        return found

    def _reach(self, there: Surface, above: Floats) -> Floats:
        """How far above the edge (F,) the lash vertices of each vertex's part reach."""
        far = np.zeros(int(there.owner.max()) + 1, np.float32)
        np.maximum.at(far, there.owner[self.lash], above[self.lash])
        return far[there.owner]

    def _outward(self, there: Surface, above: Floats) -> Floats:
        """How much lash vertices (F,) are of parts that stand out from the face more than they lie
        on it, 0 to 1.
        """
        out = self.opening.local[:, 2] - self.upper[:, 2]
        count = int(there.owner.max()) + 1
        far, up = (
            np.bincount(there.owner[self.lash], np.abs(x[self.lash]), minlength=count)
            for x in (out, above)
        )
        return np.where(
            self.lash, smoothstep(*OUTWARD, far / np.maximum(far + up, 1e-6))[there.owner], 0
        ).astype(np.float32)


def _rolling(
    there: Surface, ball: NDArray[np.intp], centre: Floats, lids: Floats
) -> NDArray[np.intp]:
    """The vertices of an eyeball and its shell that turn with it: a part that keeps away from the
    axis of the eye, which runs from the ball's centre (3,) to the middle of the lids (3,), is a
    lash, close as it may lie.
    """
    owner, away = there.owner[ball], there.vertices[ball] - centre
    axis = (lids - centre) / max(float(np.linalg.norm(lids - centre)), 1e-9)
    nearest = np.full(int(owner.max()) + 1, np.inf)
    np.minimum.at(nearest, owner, np.linalg.norm(away - (away @ axis)[:, None] * axis, axis=1))
    return np.asarray(ball[nearest[owner] < HOLLOW * np.median(np.linalg.norm(away, axis=1))])
