# SPDX-License-Identifier: GPL-3.0-or-later
"""Shapes do what their name says on the mesh itself: lids meet along their whole edge, lips seal, lashes ride, squints never pass a blink.

A model errs in lengths before it errs in directions, and by a little everywhere: too little for an average, enough for a slit of eye under a
closed lid. So a shape is first scaled to the way that the landmarks say (`gains`), then what is still missing along the edges is added to the
skin next to them (`corrections`). All in the canonical frame; everything is linear in the shapes, so it holds for every weight and mix.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from . import brows, plates
from .bodies import eyeballs
from .frame import Floats
from .landmarks import SIDES
from .mesh import Ints, connected_parts, distinct_rows, nearest, squared
from .openings import Opening, eye_opening, mouth_slit
from .seams import face_skin

Flags = NDArray[np.bool_]

BLINKS = {"eyeBlinkLeft": "left", "eyeBlinkRight": "right"}
NARROWING = tuple(f"{name}{side.title()}" for name in ("eyeSquint", "cheekSquint", "mouthSmile") for side in SIDES)
PROBED = (*BLINKS, *NARROWING, "jawOpen", "mouthClose", "tongueOut")  # the conditions whose own shapes contacts and bodies are read from
LEAST, MOST = 0.6, 2.5  # a gain beyond says that something else is wrong, and is not followed further
FRONT = 0.88  # quantile, among vertices next to a lid that go at least half as far as the farthest, that is taken for its edge
LIPS = 16  # vertices next to the lips' landmarks that are taken for their edges: fewer than a bag or teeth behind would spoil

NARROW = 0.15  # of the eye's opening, that a squint or a smile may close: what blinks driven along with it pass by at most
LESS = 0.5  # down to which a squint is scaled as a whole to close no more: that keeps its direction
LOWER = 0.25  # of the opening, that the lower lid may rise at a blink
MEETING, TALL = 0.1, (0.3, 0.42)  # of the opening, that it rises by at least where eyes are tall, and canonical units between which they become so
GOGGLE, RISE = 0.45, 0.35  # canonical units: a cartoon's eyeball is larger, and its lower lid rises by this much of the opening
LAP = 0.1  # of the opening, by which a model's lids may lap at a blink on heads like those that it has learnt from
GAIN = (1.0, 1.6)  # between which a blink is scaled as a whole before its edge is corrected, which bends it less
DEEP = 0.12  # heights that a lid is led in or out in one pass: at the corners an edge may end deep inside
STROKE = 4  # degree of what is added along an edge: a lid's edge has no ripples, however its layers are read
EVENED = 4  # an edge has no ripples of its own: what a model errs by from vertex to vertex is not led on
PASSES = 2  # of the correction: what it moves is not moved fully everywhere along the edge
FOLD = 0.02  # heights by which a closed upper lid lies before the lower one
MEET = 0.3  # half widths beyond the corner over which upper and lower lashes come to go the same way
ROOTED = 0.2  # heights from an edge within which a lash begins; a brow does not
SEWN, FLAP, MOSTLY = 0.2, 0.6, 0.7  # heights from an edge within which a lash is sewn to it, and reaches; the share of its vertices that are sewn
LASH = (0.6, 1.1)  # heights above the edge between which what is no skin stops riding the lid
WHOLE = 1.15  # heights above the edge below which a lash, or the line of a crease, rides as a whole
BELOW = 0.8  # heights below the lower edge over which a correction fades
ROOM = (0.5, 1.5)  # heights above the edge over which a correction fades, three quarters of the way to the brow within these
BULK = 0.5  # canonical units, half the least extent of a part that is hair or a hat and not of the eye, whatever it hangs next to
RING = 0.2  # share of a lash's vertices next to the lower edge from which on it goes all around the eye
CLOSE = 0.05  # canonical units from the skin within which most of a shell over it lies
COVER = (0.35, 0.6)  # heights before the edges over which what is no skin stops following the lids
INSIDE = (0.5, 1.2)  # heights behind the edge over which it fades: the inside of a lid goes along, the socket does not
LIP = 0.7  # half widths of the mouth from a lip's edge over which a correction fades
BAG = (0.3, 0.8)  # half widths behind the lips over which it fades
SURE = 6.0  # sides nearer to 0 than 1 over this are between the lips, and go in part with both
HOLLOW = 0.4  # of an eyeball's radius around its axis, from which on a part of its shell that leaves it free is a lash
SLOPE = 0.6  # by which an eye's front falls off between its vertices, in the opening's units
OUTWARD = (0.4, 0.6)  # share of a lash's extent that stands out from the face from which on it begins to droop at a blink, and droops wholly
BULGE = 0.6  # heights that an eye may stand out before its lids and still be covered
DROOP = np.radians(40.0)  # by which lashes that point outwards turn down at a blink


@dataclass(frozen=True)
class Surface:
    """What contacts are read from: vertices (F,3), triangles (T,3) among them, group (F,): vertices in one place share one, owner (F,): loose
    part, of the skin's what hangs together without welding, sides (F,2) of mouth and eye, skins: flags (F,) of the skin's part and of the
    largest piece of it that needs no welding: lashes and transparent shells may be sewn to the lids. bulky (F,): of parts that are no skin and
    too big in every direction for one of a face, as hair is. pieces (F,): what hangs together without welding. boxes (F,6): of parts. balls: of
    `bodies.eyeballs`. placed: all landmarks are the user's. lids, slits: what `lids_of` and `slit_of` found, by the landmarks that they were asked
    with: fields and contacts ask alike."""

    vertices: Floats
    triangles: Ints
    group: Ints
    owner: Ints
    sides: Floats
    skins: list[Flags]
    bulky: Flags
    pieces: Ints
    boxes: Floats
    balls: Mapping[str, tuple[NDArray[np.intp], Floats]]
    placed: bool = False
    lids: dict[bytes, dict[str, Lid]] = field(default_factory=dict, repr=False, compare=False)
    slits: dict[bytes, Opening | None] = field(default_factory=dict, repr=False, compare=False)


def surface(
    vertices: Floats, triangles: Ints, group: Ints, parts: Floats, sides: Floats, landmarks: Mapping[str, Floats], placed: bool = False
) -> Surface:
    """The Surface of vertices (F,3) with boxes of their parts (F,6); the skin is the part that most landmarks lie on.
    placed: these are the user's."""
    owner = distinct_rows(parts)[1].astype(np.int32)
    skin = face_skin(vertices, owner, landmarks)
    raw = connected_parts(len(vertices), triangles) if len(triangles) else np.zeros(len(vertices), np.int32)
    main = raw == np.bincount(raw[skin]).argmax()
    owner[skin & ~main] = owner.max() + 1 + raw[skin & ~main]
    balls, big = eyeballs(vertices, parts, landmarks), bulky(vertices, owner, parts, skin)
    for ball, _centre in balls.values():
        big[ball] = False
    return Surface(vertices, triangles, group, owner, sides, [skin, main], big, raw, parts, balls, placed)


def bulky(vertices: Floats, owner: Ints, parts: Floats, skin: Flags) -> Flags:
    """Vertices (F,) of parts that are big in every direction and hang away from the skin where the face is; a shell over it keeps close."""
    found = ~skin & (parts[:, 3] > BULK) & (parts[:, 4] > BULK) & (parts[:, 5] > BULK)
    if not found.any():
        return found
    x, y, z = vertices.T
    front = (x > -0.8) & (x < 0.8) & (y > -1.0) & (y < 0.45) & (z > -0.5)
    face = vertices[skin & front]
    for part in np.unique(owner[found]):
        mine = np.flatnonzero((owner == part) & front)
        mine = mine[:: max(1, len(mine) // 256)]
        if len(mine) and len(face):
            near = squared(vertices[mine] - face[nearest(vertices[mine], face)])
            found[owner == part] = np.median(near) > CLOSE**2
    return np.asarray(found)


def corrections(
    there: Surface, landmarks: Mapping[str, Floats], shapes: Mapping[str, Floats], lids: Mapping[str, Lid] | None = None, familiar: float = 0.0
) -> dict[str, Floats]:
    """What has to be added to the shapes of conditions so that contacts hold: condition -> offsets (F,3).

    shapes: condition -> offsets (F,3). lids: what `lids_of` gave, where it is known already. familiar: 0 to 1, how much the model is believed
    about lids that lap.
    """
    found: dict[str, Floats] = {}
    lids = lids_of(there, landmarks) if lids is None else lids
    for name, side in BLINKS.items():
        if name in shapes and side not in lids:
            more = plates.shut(there, landmarks, side, shapes[name])
            if more is not None:
                found[name] = more
    for side, lid in lids.items():
        name = f"eyeBlink{side.title()}"
        if name in shapes:
            found[name] = lid.closed(shapes[name], familiar)
        for other in NARROWING:
            if other in shapes and other.endswith(side.title()):
                found[other] = lid.limited(shapes[other], LESS if other.startswith("eyeSquint") else 1.0)
    if {"jawOpen", "mouthClose"} <= shapes.keys():
        slit = slit_of(there, landmarks)
        if slit is not None:
            found["mouthClose"] = sealed(slit, there.sides[:, 0], there.skins[0], shapes["jawOpen"] + shapes["mouthClose"])
        else:
            opened = plates.parted(there, landmarks)
            if opened is not None:
                strip, wanted = (each[:, None] if each.ndim == 1 else each for each in opened)
                jaw = np.where(strip, wanted, np.where(there.skins[0][:, None], plates.STILL * shapes["jawOpen"], shapes["jawOpen"]))
                found["jawOpen"] = np.asarray(jaw - shapes["jawOpen"], np.float32)
                found["mouthClose"] = np.where(strip, -wanted - shapes["mouthClose"], 0).astype(np.float32)
    return found


def lids_of(there: Surface, landmarks: Mapping[str, Floats]) -> dict[str, Lid]:
    """The lids of each eye, by its side, whose opening is found."""
    asked = _asked(landmarks)
    if asked in there.lids:
        return there.lids[asked]
    found = there.lids[asked] = {}
    for side in SIDES:
        opening = eye_opening(there.vertices, there.triangles, there.group, there.skins, landmarks, side, there.placed)
        if opening is not None:
            strips = brows.strip(there.boxes, landmarks, side)
            brow = (landmarks[f"brow_inner_{side}"] + landmarks[f"brow_outer_{side}"]) / 2
            found[side] = Lid(there, opening, brow - (landmarks[f"eye_inner_{side}"] + landmarks[f"eye_outer_{side}"]) / 2, side, strips)
    return found


def slit_of(there: Surface, landmarks: Mapping[str, Floats]) -> Opening | None:
    """The mouth's opening, if it is found."""
    asked = _asked(landmarks)
    if asked not in there.slits:
        there.slits[asked] = mouth_slit(there.vertices, there.triangles, there.sides[:, 0], there.skins[0], landmarks)
    return there.slits[asked]


def _asked(landmarks: Mapping[str, Floats]) -> bytes:
    return b"".join(landmarks[name].tobytes() for name in sorted(landmarks))


def sealed(slit: Opening, side: Floats, skin: Flags, both: Floats, shut: bool = False) -> Floats:
    """What has to be added to mouthClose so that the lips' edges, moved by jawOpen and it, `both` (F,3), are as near as on the neutral face; with
    `shut`, so that they meet.

    Each lip goes half the way, along the whole slit; the skin next to it follows.
    """
    apart = slit.lower.of(both) - slit.upper.of(both)
    if shut:
        apart = apart - ((slit.upper.points - slit.lower.points) * slit.unit) @ slit.axes
    missing = slit.at(apart) / 2
    local, upper, lower = slit.local, slit.at(slit.upper.points), slit.at(slit.lower.points)
    above, below = local[:, 1] - upper[:, 1], lower[:, 1] - local[:, 1]
    away = np.where(side > 0, above, below)
    deep = 1 - _ramp(np.minimum(upper[:, 2], lower[:, 2]) - local[:, 2], *BAG)
    share = (1 - _ramp(away, 0, LIP)) * deep * slit.fade() * skin * np.clip(np.abs(side) * SURE, 0, 1)
    return np.asarray(np.sign(side)[:, None] * share[:, None] * missing, np.float32)


class Lid:
    """One eye's lids: which vertices follow which edge how far. brow (3,): the brow's middle, from the eye's. side: of the face. strips (F,): brows
    that are parts of their own."""

    def __init__(self, there: Surface, opening: Opening, brow: Floats, side: str, strips: Flags) -> None:
        self.opening, local = opening, opening.local
        self.upper, self.lower = opening.at(opening.upper.points), opening.at(opening.lower.points)
        self.gap = np.maximum(opening.upper.points[:, 1] - opening.lower.points[:, 1], 0)
        above, below = local[:, 1] - self.upper[:, 1], self.lower[:, 1] - local[:, 1]
        self.skin = skin = opening.skin & ~self._flaps(there, above, below)
        fade = opening.fade() * ~there.bulky
        room = float(np.clip(0.75 * ((brow @ opening.axes[1]) / opening.unit[1] - opening.upper.points[:, 1].max()), *ROOM))
        between = np.clip(-below / np.maximum(self.upper[:, 1] - self.lower[:, 1], 0.05), 0, 1)
        deep = 1 - _ramp(np.maximum(self.upper[:, 2], self.lower[:, 2]) - local[:, 2], *INSIDE)
        near = fade * deep * (local[:, 2] < 2)
        before = local[:, 2] - np.maximum(self.upper[:, 2], self.lower[:, 2])
        near = near * np.where(skin, 1, 1 - _ramp(before, *COVER))  # what hangs before the eye, as hair does, is none of its lids
        self.top = np.asarray(np.where(above > 0, 1 - _ramp(above, 0, room), between) * near, np.float32)
        self.bottom = np.asarray(np.where(below > 0, 1 - _ramp(below, 0, BELOW), 1 - between) * near, np.float32)
        self.rise = 0.0  # share of the opening that the lower lid comes up by at least
        self.meeting = MEETING * float(_ramp(opening.unit[1:2], *TALL)[0])  # the same on heads unlike those learnt from
        self.lash, self.lower_lash, self.eye = self._others(there, above, below, skin, strips)
        if side in there.balls:
            ball, centre = there.balls[side]
            self.eye[_rolling(there, ball, centre, opening.origin)] = True
            if np.median(np.linalg.norm(there.vertices[ball] - centre, axis=1)) > GOGGLE:
                self.rise = RISE
            self.lash &= ~self.eye
            self.lower_lash &= ~self.eye
        riding = np.where(self._reach(there, above) < WHOLE, 1, 1 - _ramp(above, *LASH))
        self.ride = np.where(self.lash, riding, 0).astype(np.float32)  # a lash goes beyond the corner, and keeps its line there
        self.lower_ride = np.where(self.lower_lash, 1 - _ramp(below, *LASH), 0).astype(np.float32)
        x, (first, last) = local[:, :1], opening.columns[[0, -1]]
        self.past = np.clip(np.maximum(first - x, x - last) / MEET, 0, 1).astype(np.float32)
        self.outward = self._outward(there, above)

    def _flaps(self, there: Surface, above: Floats, below: Floats) -> Flags:
        """Vertices (F,) of the skin that are lashes all the same: pieces before the lids that are sewn to the skin along an edge and nowhere else."""
        loose, count = self.opening.skin & ~there.skins[1], int(there.pieces.max()) + 1
        level = np.minimum(np.abs(above), np.abs(below))
        at_skin = np.zeros(int(there.group.max()) + 1, bool)
        at_skin[there.group[there.skins[1]]] = True
        sewn = loose & at_skin[there.group]
        local, edge = self.opening.local, np.maximum(self.upper[:, 2], self.lower[:, 2])
        astray = loose & (sewn & (level > SEWN) | (level > FLAP) | (np.abs(local[:, 0]) > 1.6) | (local[:, 2] < edge - SEWN))
        whole, held, wrong = (np.bincount(there.pieces[some], minlength=count) for some in (loose, sewn, astray))
        return np.asarray(loose & ((held > 0) & (held < MOSTLY * whole) & (wrong == 0))[there.pieces])

    def _others(self, there: Surface, above: Floats, below: Floats, skin: Flags, strips: Flags) -> tuple[Flags, Flags, Flags]:
        """Which vertices (F,) are upper lashes, lower lashes, eyes, by parts: lashes keep to an edge, eyes fill the opening from behind."""
        local = self.opening.local
        count = int(there.owner.max()) + 1
        window = ~skin & ~there.bulky & ~strips & (np.abs(local[:, 0]) < 1.4) & (above < 1.2) & (below < 1.2)
        window &= np.abs(local[:, 2] - self.upper[:, 2]) < 2.5
        own = np.bincount(there.owner[window], minlength=count) > 0.7 * np.bincount(there.owner, minlength=count)
        high = self.upper[:, 1] - self.lower[:, 1]
        filling = window & (-above > 0.25 * high) & (-below > 0.25 * high) & (np.abs(local[:, 0]) < 0.75)
        behind = window & (local[:, 2] < np.minimum(self.upper[:, 2], self.lower[:, 2]) + 0.05)
        tops = window & (np.abs(above) < 0.6) & (np.abs(local[:, 2] - self.upper[:, 2] - 0.5) < 1.2)
        lows = window & (np.abs(below) < 0.45) & (np.abs(local[:, 2] - self.lower[:, 2] - 0.5) < 1.2)
        total, fills, backs, upper, lower = (np.bincount(there.owner[x], minlength=count) for x in (window, filling, behind, tops, lows))
        some = np.maximum(total, 1)
        level = np.minimum(np.abs(above), np.abs(below))
        rooted = np.bincount(there.owner[window & (level < ROOTED)], minlength=count) > 0
        rooted |= np.bincount(there.owner[window], level[window], minlength=count) < 2 * ROOTED * some
        eye = own & ((fills > 0.12 * some) & (backs > 0.5 * some) | (fills > 0.6 * some))  # pupils and highlights float in the opening
        lash = own & ~eye & rooted & (fills < 0.12 * some) & (upper > 0.25 * some) & (upper > lower)
        lower_lash = own & ~eye & rooted & ~lash & (fills < 0.12 * some) & (lower > 0.25 * some)
        low = (lash & (lower > RING * some))[there.owner] & (np.abs(below) < np.abs(above))  # a liner all around the eye follows both lids
        before = local[:, 2] - np.maximum(self.upper[:, 2], self.lower[:, 2])
        strip = window & ~own[there.owner] & ~behind & (before < COVER[1])  # of what covers more than this eye, what is next to an edge
        on_top, on_low = strip & (np.abs(above) < 0.3), strip & (np.abs(below) < 0.2)
        top, bottom = lash[there.owner] & ~low, lower_lash[there.owner] | low
        return window & top | on_top, window & bottom | on_low & ~on_top, eye[there.owner]

    def _reach(self, there: Surface, above: Floats) -> Floats:
        """How far above the edge (F,) the lash vertices of each vertex's part reach."""
        far = np.zeros(int(there.owner.max()) + 1, np.float32)
        np.maximum.at(far, there.owner[self.lash], above[self.lash])
        return far[there.owner]

    def _outward(self, there: Surface, above: Floats) -> Floats:
        """How much lash vertices (F,) are of parts that stand out from the face more than they lie on it, 0 to 1."""
        out = self.opening.local[:, 2] - self.upper[:, 2]
        count = int(there.owner.max()) + 1
        far, up = (np.bincount(there.owner[self.lash], np.abs(x[self.lash]), minlength=count) for x in (out, above))
        return np.where(self.lash, _ramp(far / np.maximum(far + up, 1e-6), *OUTWARD)[there.owner], 0).astype(np.float32)

    def _local(self, offsets: Floats) -> Floats:
        return np.asarray(offsets @ self.opening.axes.T / self.opening.unit, np.float32)

    def _space(self, offsets: Floats) -> Floats:
        """Offsets (F,3) from the opening's axes and units back to the canonical frame."""
        return np.asarray((offsets * self.opening.unit) @ self.opening.axes, np.float32)

    def _gain(self, here: Floats) -> float:
        """Factor on a shape (F,3), in the opening's units, after which it closes the opening as well as a factor can: it bends nothing. 1 where
        it closes nothing."""
        closing = self.opening.lower.of(here)[:, 1] - self.opening.upper.of(here)[:, 1]
        power = float(closing @ closing)
        return float(self.gap @ closing / power) if power > 1e-6 else 1.0

    def closed(self, blink: Floats, familiar: float = 0.0) -> Floats:
        """What has to be added to a blink (F,3) so that the upper edge comes to lie on the lower one, lashes ride it and eyes hold still.

        familiar: 0 to 1, how much the model is believed about lids that lap and about what lies in the opening.
        """
        own = self._local(blink)
        here = own * np.float32(np.clip(self._gain(own), *GAIN))
        opening = self.opening
        up = opening.lower.of(here)
        rise = np.zeros_like(up)
        lowest = max(self.rise, (1 - familiar) * self.meeting)
        rise[:, 1] = np.clip(up[:, 1], lowest * self.gap, max(LOWER, lowest) * self.gap) - up[:, 1]
        added = opening.at(rise) * self.bottom[:, None]
        goal = opening.lower.points + _even(opening.lower.of(here + added))
        for _ in range(PASSES):
            down = opening.upper.of(here + added)
            ends = opening.upper.points + down
            along = np.argsort(goal[:, 0], kind="stable")
            missing = np.stack([np.interp(ends[:, 0], goal[along, 0], goal[along, i]) for i in range(3)], axis=1).astype(np.float32) - ends
            missing[:, 0] = 0
            missing[:, 1] -= np.clip(missing[:, 1], 0, familiar * LAP * self.gap)
            missing = _plain(opening.columns, _even(missing))
            missing[:, 2] = np.clip(missing[:, 2], -DEEP, DEEP) + FOLD
            added = added + opening.at(missing) * self.top[:, None]
        lash = self.ride[:, None]
        edge, lower = opening.at(opening.upper.of(here + added)), opening.at(goal - opening.lower.points)
        least = np.minimum(edge[:, 1], 0) * self.top**2  # a lid of several layers comes down as one, or the eye shows between them
        added[:, 1] += np.where(self.skin, np.minimum(least - (here + added)[:, 1], 0) * self.top, 0)
        edge, lower = self._met(edge, lower)
        added = added * (1 - lash) + lash * (edge + self._drooped() - here)
        low = self.lower_ride[:, None]
        added = added * (1 - low) + low * (lower - here)
        added[self.eye] = (np.float32(familiar) - 1) * here[self.eye]  # balls and plates are held still later, but a lash may pass for one
        before = self._before_eye(here + added)
        return self._space((added + before + self.ridden(before) + here - own).astype(np.float32))

    def ridden(self, moved: Floats) -> Floats:
        """What upper lashes (F,3) do when the skin does `moved` (F,3): what its edge does."""
        return np.asarray(self.opening.at(self.opening.upper.of(moved)) * self.ride[:, None], np.float32)

    def _met(self, upper: Floats, lower: Floats) -> tuple[Floats, Floats]:
        """What the upper and the lower edge do at every vertex (F,3), both their mean beyond the corners."""
        mean = self.past * (upper + lower) / 2
        return upper * (1 - self.past) + mean, lower * (1 - self.past) + mean

    def _before_eye(self, moved: Floats) -> Floats:
        """Offsets (F,3), in the opening's units, that bring closed lids, moved (F,3), out of what lies behind them: an eye bulges in its middle."""
        out = np.zeros_like(moved)
        local, lid = self.opening.local, self.opening.skin & (self.top > 0.3)
        if self.eye.any() and lid.any():
            there = local[lid] + moved[lid]
            front = _front_of(there, local[self.eye]) + FOLD
            before = (local[lid, 2] > self.upper[lid, 2] - 0.3) & (front < self.upper[lid, 2] + BULGE)
            out[lid, 2] = np.where(before, np.maximum(front - there[:, 2], 0), 0)
        return out

    def moved(self, up: float, low: float) -> Floats:
        """Offsets (F,3) of lids whose upper edge goes up by `up` of the opening and whose lower one by `low`, lashes with them."""
        ways = np.zeros((2, len(self.gap), 3), np.float32)
        ways[:, :, 1] = np.array([[up], [low]], np.float32) * self.gap
        top, bottom = np.maximum(self.top, self.ride)[:, None], np.maximum(self.bottom, self.lower_ride)[:, None]
        upper, lower = self._met(self.opening.at(ways[0]), self.opening.at(ways[1]))
        return self._space(upper * top + lower * bottom)

    def _drooped(self) -> Floats:
        """Offsets (F,3), in the opening's units, of lashes that turn down about their edge."""
        away = self.opening.local - self.upper
        turned = np.zeros_like(away)
        cos, sin = np.cos(DROOP) - 1, np.sin(DROOP)
        turned[:, 1] = away[:, 1] * cos - away[:, 2] * sin
        turned[:, 2] = away[:, 2] * cos + away[:, 1] * sin
        return np.asarray(turned * self.outward[:, None], np.float32)

    def limited(self, shape: Floats, least: float = 1.0) -> Floats:
        """What has to be added to a shape (F,3) so that it closes no more than NARROW of the opening: blinks are driven along with it.

        least: how far the whole shape is scaled down for that before the lids alone are held back.
        """
        own = self._local(shape)
        here = own * np.float32(np.clip(NARROW * self._gain(own), least, 1))
        opening = self.opening
        down, up = -opening.upper.of(here)[:, 1], opening.lower.of(here)[:, 1]
        over = np.maximum(down + up - NARROW * self.gap, 0)
        share = np.maximum(down, 0) / np.maximum(np.maximum(down, 0) + np.maximum(up, 0), 1e-6)
        lift, drop = opening.at(_even(np.stack([over * share, over * (1 - share)], axis=1).astype(np.float32))).T
        added = np.zeros_like(here)
        added[:, 1] = lift * np.maximum(self.top, self.ride) - drop * np.maximum(self.bottom, self.lower_ride)
        added[self.eye] = -here[self.eye]
        return self._space(added + here - own)


def _rolling(there: Surface, ball: NDArray[np.intp], centre: Floats, lids: Floats) -> NDArray[np.intp]:
    """The vertices of an eyeball and its shell that turn with it: a part that keeps away from the axis of the eye, which runs from the ball's centre
    (3,) to the middle of the lids (3,), is a lash, close as it may lie."""
    owner, away = there.owner[ball], there.vertices[ball] - centre
    axis = (lids - centre) / max(float(np.linalg.norm(lids - centre)), 1e-9)
    nearest = np.full(int(owner.max()) + 1, np.inf)
    np.minimum.at(nearest, owner, np.linalg.norm(away - (away @ axis)[:, None] * axis, axis=1))
    return np.asarray(ball[nearest[owner] < HOLLOW * np.median(np.linalg.norm(away, axis=1))])


def _front_of(points: Floats, eye: Floats) -> Floats:
    """How far out an eye's vertices (E,3) stand at points (N,3): the highest of cones on them, so that small moves make small changes."""
    front = np.empty(len(points), np.float32)
    (x, y), (there_x, there_y, height) = points[:, :2].T[..., None], np.ascontiguousarray(eye.T)
    for first in range(0, len(points), 64):  # what a core's cache holds
        some = slice(first, first + 64)
        away, across = x[some] - there_x, y[some] - there_y
        away *= away
        across *= across
        away += across
        np.sqrt(away, out=away)
        away *= -SLOPE
        away += height
        away.max(axis=1, out=front[some])
    return front


def gains(vertices: Floats, landmarks: Mapping[str, Floats], shapes: Mapping[str, Floats]) -> dict[str, float]:
    """Factors for the conditions among PROBED that need one. vertices (F,3); landmarks name -> (3,); shapes: condition -> offsets (F,3)."""
    found = {}
    for name, side in BLINKS.items():
        lids = (f"lid_upper_{side}", f"lid_lower_{side}")
        if name in shapes and all(lid in landmarks for lid in lids):
            found[name] = lid_gain(vertices, shapes[name], landmarks[lids[0]], landmarks[lids[1]])
    if {"jawOpen", "mouthClose"} <= shapes.keys() and {"lip_upper", "lip_lower"} <= landmarks.keys():
        lips = (landmarks["lip_upper"] + landmarks["lip_lower"]) / 2
        found["mouthClose"] = lip_gain(vertices, shapes["jawOpen"], shapes["mouthClose"], lips)
    return found


def lid_gain(vertices: Floats, blink: Floats, upper: Floats, lower: Floats) -> float:
    """Factor on a blink (F,3) after which the upper lid's edge, next to `upper` (3,), gets as far as `lower` (3,)."""
    way = lower - upper
    length = float(np.linalg.norm(way))
    near = np.sqrt(squared(vertices - upper)) < length
    if length < 1e-6 or not near.any():
        return 1.0
    return _bounded(length, _front((blink @ (way / length))[near]))


def lip_gain(vertices: Floats, jaw: Floats, close: Floats, lips: Floats) -> float:
    """Factor on mouthClose (F,3) after which it takes back what jawOpen (F,3) parts at the lips (3,)."""
    near = np.argsort(squared(vertices - lips), kind="stable")[:LIPS]
    drop, lift = -jaw[near, 1], close[near, 1]
    low = drop > (drop.min() + drop.max()) / 2
    if low.all() or not low.any():
        return 1.0
    parted = float(drop[low].mean() - drop[~low].mean())
    closed = float(lift[low].mean() - lift[~low].mean())
    return _bounded(parted, closed)


def _front(way: Floats) -> float:
    """How far the edge goes, of the ways (N,) of everything next to it."""
    return float(np.quantile(way[way >= 0.5 * way.max()], FRONT)) if way.max() > 0 else 0.0


def _bounded(wanted: float, there: float) -> float:
    """wanted / there, within LEAST and MOST; 1 where the shape does not go that way at all."""
    return float(np.clip(wanted / there, LEAST, MOST)) if there > 1e-3 and wanted > 0 else 1.0


def _even(values: Floats) -> Floats:
    """Values (C,N) along an edge without spikes and ripples: the median of five, then `EVENED` times the mean of three neighbours; values jump
    between layers of skin."""
    padded = np.pad(values, ((2, 2), (0, 0)), mode="edge")
    even = np.median([padded[i : i + len(values)] for i in range(5)], axis=0)
    for _ in range(EVENED):
        padded = np.pad(even, ((1, 1), (0, 0)), mode="edge")
        even = np.mean([padded[i : i + len(values)] for i in range(3)], axis=0)
    return np.asarray(even, np.float32)


def _plain(columns: Floats, values: Floats) -> Floats:
    """The polynomial nearest to values (C,N) along an edge, whose columns are at (C,)."""
    terms = np.vander(columns.astype(np.float64), STROKE + 1)
    return np.asarray(terms @ np.linalg.lstsq(terms, values.astype(np.float64), rcond=1e-6)[0], np.float32)


def _ramp(x: Floats, low: float, high: float) -> Floats:
    """0 below low, 1 above high, smooth between."""
    t = np.clip((x - low) / (high - low), 0, 1)
    return np.asarray(t * t * (3 - 2 * t), np.float32)
