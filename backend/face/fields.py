# SPDX-License-Identifier: GPL-3.0-or-later
"""Shapes written down from what their names mean, in coordinates of the mouth, the eyes and the brows of the head at hand.

A field knows nothing of how a maker shapes his heads and so cannot be wrong about it: a smile pulls the corner of the mouth out and up and
fades with the distance from the slit, in half widths of the mouth. A learnt model is better on heads like those that it has learnt from and worse
on all others. So the two are compared: where the model agrees with the fields it is believed, where it does not the fields are taken.
All in the canonical frame. The numbers are means over realistic heads (ICT-FaceKit, MakeHuman, Vitruvian), less for small drawn mouths.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from . import brows
from .contacts import Flags, Lid, Surface, lids_of
from .frame import Floats
from .landmarks import SIDES
from .mesh import squared

SIGN = {"left": 1.0, "right": -1.0}
WIDE = (0.24, 0.36)  # half width of a mouth from which on its artist draws it large, with cheeks and chin going along
REACH, BROAD = 1.2, 1.7  # half widths of the mouth over which lips' movement fades, and that of cheeks
NOTHING = 1e-7  # of a field's height, below which it is none
INNER = 0.8  # half widths of the mouth, up, down and behind, within which small parts are teeth and tongue
DRAWN = dict.fromkeys(("jawForward", "jawLeft", "jawRight"), 0.65) | {f"eyeLook{n}{s.title()}": 0.4 for n in ("In", "Out", "Down") for s in SIDES}
STILL = 0.3
SMOOTH = 1.5  # of the lower lip's way, over which that of the skin around falls to STILL: over less than 1.1 it would fold
FOLLOWS, SHY = (0.35, 0.5), 2.2  # share of the lower lip's way from which on a part follows the jaw, and wholly; how much it is helped at most
SOON = 10.0  # of a lid's pull from a tenth of which on what is no skin takes the fields wholly
OUT, MOST_OUT = 0.35, 2.5  # half widths of the mouth before the lips that a tongue comes out, and how much a model is helped to it
SUNK = 0.25  # half widths that it sinks: artists of gene, uka and of a head never trained on 0.15 to 0.4
BELIEVED = (0.70, 0.90)  # cosine between model and fields up to which they are mixed as DOUBTED says, and from which on the model is taken
DOUBTED = 0.33  # share of the model where it is doubted: on heads that were left out of training the mixture was better than either
BOLDER, SHYEST = 2.5, 0.75  # by which a shy model's mouth is made bolder at most, and the share of its field that it may not fall below
JAW = 1.1  # half widths of the mouth that the lower lip falls at jawOpen at least; artists' fall 1.0 to 1.9 on realistic, cartoon and anime heads
OVAL = (0.15, 0.12, 0.5)  # of the lower lip's way at jawOpen: the upper lip's rise, the corners', and how much the middle widens
SNEER = (0.1, 0.6)  # half widths from the slit between which a sneer begins to move lips: it does not part them
OVALS = 0.8  # half widths from the slit within which a mouth opens in an oval
SPREAD, BELOW = (0.25, 0.30, 0.6), 0.17  # canonical units aside, above and behind a brow over which skin goes along, and below it
FADED = 2.0  # of these, beyond which they move it by less than 0.01
LID_SHAPES = {  # share of the opening that the upper and the lower lid's edge go up: on drawn faces, and how much more on others
    "eyeWide": ((0.12, 0.0), (0.14, -0.02)),
    "eyeSquint": ((-0.03, 0.22), (0.0, 0.05)),
    "eyeLookDown": ((-0.08, -0.03), (-0.28, -0.08)),
    "eyeLookUp": ((0.08, 0.0), (0.12, 0.06)),
}


def smooth(low: float, high: float, x: Floats) -> Floats:
    """0 below low, 1 above high, smooth between; low may exceed high."""
    t = np.clip((x - low) / (high - low), 0, 1)
    return np.asarray(t * t * (3 - 2 * t), np.float32)


def way(x: float, y: float, z: float) -> Floats:
    """A direction (1,3) that broadcasts over vertices."""
    return np.array([[x, y, z]], np.float32)


@dataclass(frozen=True)
class Mouth:
    """The mouth's coordinates of all vertices. x, y (F,): from its middle, in half widths, along and above the slit; away (F,): distance from
    the slit, depth (F,): out of the lips' surface, in half widths; upper (F,1): 1 on the upper lip's side, else 0; skin (F,1); half: its half
    width; large: 0 a small drawn mouth, 1 a wide one; lips, chin, nose (3,): landmarks."""

    vertices: Floats
    x: Floats
    y: Floats
    away: Floats
    depth: Floats
    upper: Floats
    skin: Floats
    half: float
    large: float
    lips: Floats
    chin: Floats
    nose: Floats

    def among(self, some: NDArray[np.intp]) -> Mouth:
        """The same for some of the vertices (S,)."""
        own = {name: getattr(self, name)[some] for name in ("vertices", "x", "y", "away", "depth", "upper", "skin")}
        return replace(self, **own)

    def reached(self) -> NDArray[np.intp]:
        """Vertices (S,) of the skin where the mouth's fields are not 0, or less than the rounding of a coordinate."""
        wings = np.max([_ball(self.vertices, *_wing(self.nose, sign)) for sign in SIGN.values()], axis=0)
        return np.flatnonzero((self.skin[:, 0] > 0) & ((self.away < BROAD) | (wings[:, 0] > NOTHING)))


def mouth_of(there: Surface, landmarks: Mapping[str, Floats]) -> Mouth:
    """The mouth's coordinates; sides along the surface tell the lips apart where they are known, height where not."""
    v = there.vertices
    left, right = landmarks["mouth_left"], landmarks["mouth_right"]
    half = max(float(np.linalg.norm(left - right)) / 2, 1e-3)
    middle, lips = (left + right) / 2, (landmarks["lip_upper"] + landmarks["lip_lower"]) / 2
    x = (v[:, 0] - middle[0]) / half
    bow = np.clip(x**2, 0, 1.5)
    y = (v[:, 1] - lips[1] - (middle[1] - lips[1]) * bow) / half
    depth = (v[:, 2] - lips[2] - (middle[2] - lips[2]) * np.clip(x**2, 0, 2)) / half
    away = np.hypot(np.hypot(np.maximum(np.abs(x) - 1, 0), y), 0.5 * np.minimum(depth + 0.1, 0))
    side = there.sides[:, 0]
    upper = np.where(side != 0, side > 0, y > 0).astype(np.float32)[:, None]
    skin = there.skins[0].astype(np.float32)[:, None]
    large = float(smooth(*WIDE, np.asarray(half, np.float32)))
    return Mouth(
        v,
        x.astype(np.float32),
        y.astype(np.float32),
        away.astype(np.float32),
        depth.astype(np.float32),
        upper,
        skin,
        half,
        large,
        lips,
        landmarks["chin"],
        landmarks["nose_tip"],
    )


def mouth_fields(m: Mouth) -> dict[str, Floats]:
    """Offsets (F,3) of the mouth's and the cheeks' conditions, on the skin; the jaw moves bodies, which models know better."""
    h, big = m.half, m.large
    size = h * (0.45 + 0.55 * big)
    near = (1 - smooth(0, REACH, m.away))[:, None] * m.skin
    broad = (1 - smooth(0, BROAD, m.away))[:, None] * m.skin
    lower = 1 - m.upper
    middle = np.exp(-((m.x / 0.85) ** 4))[:, None]
    x = m.x[:, None]
    fields: dict[str, Floats] = {
        "mouthPucker": near * (-0.22 * size * x * way(1, 0, 0) + way(0, 0, size * (0.08 + 0.30 * big))),
        "mouthRollUpper": near * middle * m.upper * size * way(0, -0.20, -0.22),
        "mouthShrugUpper": near * middle * (m.upper + 0.25 * lower) * size * way(0, 0.24, 0.10),
        "mouthShrugLower": near * middle * (lower + 0.5 * m.upper) * size * way(0, 0.24, 0.12),
        "cheekPuff": broad * (0.06 + 0.08 * big) * (way(0, 0, 1) + 0.3 * np.clip(x, -1.5, 1.5) * way(1, 0, 0)),
    }
    small = 1.0 + 0.6 * (1 - big)  # what artists of small mouths exaggerate
    parted = near * middle * size * small * (m.upper * way(0, 0.15, 0.05) + lower * way(0, -0.22, 0.05))
    drawn = h * (1 - big)
    rounded = -(0.15 * size + 0.15 * drawn) * x * way(1, 0, 0) + way(0, 0, 0.2 * size * big + 0.08 * drawn)
    fields["mouthFunnel"] = near * rounded + parted
    for side in SIDES:
        s, cap = SIGN[side], side.title()
        along = (np.clip(s * m.x, 0, 1.2) ** 1.5)[:, None]
        half_lip = np.exp(-(((s * m.x - 0.45) / 0.5) ** 2))[:, None]
        corner = near * along
        fields[f"mouth{cap}"] = near * (0.4 + 0.6 * smooth(-1, 1, s * m.x))[:, None] * size * small * way(0.5 * s, 0.05, 0)
        fields[f"mouthSmile{cap}"] = corner * size * (0.6 + 0.4 * big) * way(0.21 * s, 0.40, -0.14)
        fields[f"mouthFrown{cap}"] = corner * h * way(0.02 * s, -0.20, -0.04)
        fields[f"mouthStretch{cap}"] = corner * size * small * way(0.28 * s, -0.20, -0.12)
        fields[f"mouthDimple{cap}"] = corner * size * small * way(0.16 * s, 0.03, -0.15)
        pressed = big * size * (m.upper * way(0, -0.06, -0.03) + lower * way(0, 0.08, -0.03)) + drawn * way(0, 0.08, 0.03)
        fields[f"mouthPress{cap}"] = near * half_lip * pressed
        fields[f"mouthUpperUp{cap}"] = near * half_lip * m.upper * size * way(0.01 * s, 0.26, 0.03)
        fields[f"mouthLowerDown{cap}"] = near * half_lip * lower * size * way(0.01 * s, -0.28, 0)
        wing = _ball(m.vertices, *_wing(m.nose, s)) * m.skin
        fields[f"noseSneer{cap}"] = wing * way(0.01 * s, 0.04 + 0.05 * big, 0)
    return {name: np.ascontiguousarray(offsets, np.float32) for name, offsets in fields.items()}


def _wing(nose: Floats, sign: float) -> tuple[Floats, tuple[float, float, float]]:
    """Centre (3,) and radii of a nose's wing, whose tip is at (3,)."""
    return nose + np.array([0.16 * sign, -0.02, -0.12], np.float32), (0.16, 0.18, 0.3)


def _ball(points: Floats, centre: Floats, radii: tuple[float, float, float]) -> Floats:
    """A Gaussian of height 1 (F,1) around a centre (3,)."""
    away = (points - centre) / np.array(radii, np.float32)
    return np.asarray(np.exp(-(away**2).sum(axis=1, keepdims=True)), np.float32)


def lid_fields(lid: Lid, side: str, large: float) -> dict[str, Floats]:
    """Offsets (F,3) of one eye's lids: skin, lashes and creases. large: as of the mouth, 0 on faces that are drawn small and flat."""
    still = np.zeros_like(lid.opening.local)
    fields = {f"eyeBlink{side.title()}": lid.closed(still)}
    for name, (drawn, more) in LID_SHAPES.items():
        fields[name + side.title()] = lid.moved(drawn[0] + large * more[0], drawn[1] + large * more[1])
    return fields


def brow_fields(
    there: Surface, landmarks: Mapping[str, Floats], strips: Mapping[str, Flags], large: float
) -> tuple[NDArray[np.intp], dict[str, Floats]]:
    """The vertices (S,) that brows move, and their offsets (S,3): strips of their own where there are any, on drawn faces (large 0) almost
    without the skin below them. strips: side -> flags (F,)."""
    near = np.zeros(len(there.vertices), bool)
    for side in SIDES:
        ends = np.stack([landmarks[f"brow_{end}_{side}"] for end in ("inner", "outer")])
        low, high = ends.min(axis=0) - FADED * np.array(SPREAD, np.float32), ends.max(axis=0) + FADED * np.array(SPREAD, np.float32)
        box = [(column > a) & (column < b) for column, a, b in zip(there.vertices.T, low, high, strict=True)]
        near |= there.skins[0] & box[0] & box[1] & box[2] | strips[side]
    among = np.flatnonzero(near)
    v, skins = there.vertices[among], there.skins[0][among, None]
    fields: dict[str, Floats] = {"browInnerUp": np.zeros_like(v)}
    for side in SIDES:
        s, cap = SIGN[side], side.title()
        inner, outer = landmarks[f"brow_inner_{side}"], landmarks[f"brow_outer_{side}"]
        line = outer - inner
        t = ((v - inner) @ line / max(float(line @ line), 1e-9))[:, None]
        away = v - (inner + np.clip(t, 0, 1) * line)
        strip = strips[side][among]
        wide, above, below, deep = SPREAD[0], SPREAD[1], BELOW, SPREAD[2]
        level = away[:, 1:2] / np.where(away[:, 1:2] > 0, above, below)
        skin = np.exp(-((away[:, :1] / wide) ** 2) - level**2 - (away[:, 2:] / deep) ** 2) * skins
        skin = skin * smooth(-0.12, 0.1, s * v[:, :1]) * (0.1 + 0.7 * large if strip.any() else 1.0)
        field = np.maximum(skin, strip[:, None])
        inwards = np.where(strip[:, None], np.clip(1 - t, 0, 1), smooth(1.0, 0.1, t)).astype(np.float32)  # a strip tilts as a whole
        moves = {
            f"browDown{cap}": field * way(-0.04 * s, -0.12, 0.02) * (0.45 + 0.55 * inwards),
            f"browOuterUp{cap}": field * way(0, 0.13, 0) * smooth(0.1, 0.8, t),
            "browInnerUp": field * way(0.01 * s, 0.14, 0.01) * inwards,
        }
        for name, offsets in moves.items():
            fields[name] = np.asarray(fields.get(name, 0) + offsets, np.float32)
    moves = np.any([squared(offsets) > 0.01**2 for offsets in fields.values()], axis=0)
    return among[moves], {name: offsets[moves] for name, offsets in fields.items()}


def oval(m: Mouth) -> Floats:
    """What artists of drawn mouths add to jawOpen (F,3), parts of the lower lip's way: the upper lip rises, corners go out and do not fall."""
    near = ((1 - smooth(0, OVALS, m.away)) * (1 - smooth(0.4, 0.8, -m.depth)))[:, None] * m.skin
    x = m.x[:, None]
    corner, middle = smooth(0.5, 0.9, np.abs(x)), np.exp(-((x / 0.8) ** 4))
    fields = OVAL[0] * m.upper * middle * way(0, 1, 0) + corner * (OVAL[1] * way(0, 1, 0)) + OVAL[2] * x * np.exp(-(x**2)) * way(1, 0, 0)
    return np.asarray(near * fields, np.float32)


def with_jaw(opened: Floats, there: Surface, m: Mouth, inside: Flags, familiar: float = 0.0) -> Floats:
    """jawOpen (F,3) with parts inside the mouth, those that follow the jaw, going as far as the lower lip, and that as far as artists let it go: a
    model is too shy about both. familiar: 0 to 1, how much the head is like those that it has learnt from.

    A small mouth opens in a still face: there chin, cheeks and the depth of the mouth go along by STILL only, the farther away the farther it opens.
    """
    lip = there.skins[0] & (m.upper[:, 0] == 0) & (m.away < 0.3)
    if not lip.any():
        return opened
    middle = lip & (np.abs(m.x) < 0.35)
    fallen = float(np.quantile(-opened[middle if middle.any() else lip, 1], 0.9))
    shy = np.clip(JAW * m.half / max(fallen, 1e-9), 1, BOLDER) if fallen > 0 else 1.0
    opened = opened * np.float32(familiar + (1 - familiar) * shy)
    far = np.sqrt(squared(opened))
    fall = float(np.quantile(far[lip], 0.75))
    local = np.maximum(1 - smooth(0.8, max(1.5, 0.8 + SMOOTH * fall / m.half), m.away), STILL) * (1 - (1 - STILL) * smooth(0.3, 1.3, -m.depth))
    offsets = np.where(there.skins[0], 1 - (1 - m.large) * (1 - local), 1)[:, None].astype(np.float32) * opened
    near = np.flatnonzero(m.away < OVALS)
    offsets[near] += (1 - m.large) * fall * oval(m.among(near))
    for part in np.unique(there.owner[inside]):
        mine = (there.owner == part) & inside
        most = float(np.quantile(far[mine], 0.9))
        if most > 0:
            follows = float(smooth(*FOLLOWS, np.asarray(most / max(fall, 1e-9), np.float32)))
            offsets[mine] *= np.float32(1 + follows * (np.clip(fall / most, 1, SHY) - 1))
    return offsets


def with_tongue(out: Floats, there: Surface, m: Mouth, inside: Flags, familiar: float = 0.0) -> Floats:
    """tongueOut (F,3) with the tongue coming out before the lips, and below the upper one. familiar: 0 to 1, how much the head is like those that the
    model has learnt from; of others artists move the tongue as a body, and where the model does not, that is mixed in."""
    tongue = _tongue(out, there, m, inside)
    if not tongue.any():
        return out
    tip = tongue & (m.vertices[:, 2] >= np.quantile(m.vertices[tongue, 2], 0.9))
    wanted = float(m.lips[2] + OUT * m.half - m.vertices[tip, 2].mean())
    field = np.broadcast_to(way(0, -SUNK * m.half, max(wanted, 0.0)), out[tongue].shape)
    found = out.copy()
    found[tongue] += np.float32((1 - familiar) * (1 - trust({"tongueOut": out[tongue]}, {"tongueOut": field}))) * (field - out[tongue])
    already = float(found[tip, 2].mean())
    if already > 1e-3:
        found[tongue] *= np.float32(np.clip(wanted / already, 1, MOST_OUT))
    missing = wanted - float(found[tip, 2].mean())
    if missing > 0:
        found[tongue] += np.float32((1 - familiar) * missing / wanted) * field
    moved = m.vertices + found
    above = float(np.quantile(moved[tongue & (moved[:, 2] > m.lips[2]) | tip, 1], 0.9) - m.lips[1])
    outside = smooth(float(m.lips[2]) - m.half, float(m.lips[2]), moved[:, 2])  # what comes out passes below the upper lip
    found[tongue, 1] -= max(above, 0.0) * outside[tongue]
    return found


def _tongue(out: Floats, there: Surface, m: Mouth, inside: Flags) -> Flags:
    """Vertices (F,) of the part inside the mouth that runs back along its middle, of several the one that tongueOut (F,3) moves most: rows of teeth
    do not, their arches are hollow unless there is a palate."""
    found, most = np.zeros(len(m.x), bool), 0.0
    for part in np.unique(there.owner[inside]):
        mine = (there.owner == part) & inside
        x, z = m.x[mine], m.vertices[mine, 2]
        wide, long = float(np.ptp(x)), float(np.ptp(z))
        middle = np.abs(x - (x.max() + x.min()) / 2) < 0.15 * wide
        if abs(x.max() + x.min()) < 0.5 and wide > 0.4 and middle.sum() > 3 and np.ptp(z[middle]) > 0.75 * long and long > 0.2 * m.half:
            moved = float(np.median(out[mine, 2]))
            found, most = (mine, moved) if moved > most else (found, most)
    return found


def trust(model: Mapping[str, Floats], fields: Mapping[str, Floats]) -> float:
    """Share of the model in the mixture, from DOUBTED to 1, by the mean cosine of its offsets (S,3) with the fields' over all their conditions."""
    found = []
    for name in sorted(fields.keys() & model.keys()):
        a, b = model[name], fields[name]
        found.append(float((a * b).sum() / np.sqrt(max(float((a * a).sum() * (b * b).sum()), 1e-18))))
    return DOUBTED + (1 - DOUBTED) * float(smooth(*BELIEVED, np.asarray(np.mean(found), np.float32))) if found else 1.0


@dataclass(frozen=True)
class Fields:
    """What `mixed` takes from the mesh alone: the mouth's coordinates, the vertices (S,) that its fields move and these, condition -> offsets (S,3);
    lids: side -> condition -> offsets (F,3); strips of brows, side -> flags (F,), and what brows move, as of the mouth."""

    mouth: Mouth
    near: NDArray[np.intp]
    lips: Mapping[str, Floats]
    lids: Mapping[str, Mapping[str, Floats]]
    strips: Mapping[str, Flags]
    brows: tuple[NDArray[np.intp], Mapping[str, Floats]]


def fields_of(there: Surface, parts: Floats, landmarks: Mapping[str, Floats], familiar: float) -> Fields:
    """The fields of a face. parts (F,6): boxes. familiar: 1 where none are taken."""
    mouth, strips = mouth_of(there, landmarks), {side: brows.strip(parts, landmarks, side) for side in SIDES}
    nothing: NDArray[np.intp] = np.empty(0, np.intp)
    if familiar == 1:
        return Fields(mouth, nothing, {}, {}, strips, (nothing, {}))
    near = mouth.reached()
    lids = {side: lid_fields(lid, side, mouth.large) for side, lid in lids_of(there, landmarks).items()}
    return Fields(mouth, near, mouth_fields(mouth.among(near)), lids, strips, brow_fields(there, landmarks, strips, mouth.large))


def mixed(
    there: Surface,
    parts: Floats,
    landmarks: Mapping[str, Floats],
    shapes: Mapping[str, Floats],
    familiar: float = 0.0,
    in_place: bool = False,
    fields: Fields | None = None,
) -> dict[str, Floats]:
    """The conditions' offsets (F,3), from the model's, shapes, and the fields: of `fields_of`, where they are known.

    parts (F,6): boxes. familiar: 0 to 1, how much the head is like those that the model has learnt from; such heads are the model's alone.
    Others' mouths: the smaller, the more the fields, as models learn from realistic heads. Lids and brows: by how far model and fields agree.
    Teeth and tongue stay with the model, which knows bodies well. in_place: the arrays of shapes, float32, are changed and given back.
    """
    found = {name: offsets if in_place else offsets.astype(np.float32) for name, offsets in shapes.items()}
    skin = there.skins[0]
    own = fields_of(there, parts, landmarks, familiar) if fields is None else fields

    def take(fields: Mapping[str, Floats], share: float, where: Floats, among: slice | NDArray[np.intp] = slice(None)) -> None:
        """Mix the fields in, a share of 1 - share where `where` (F,) is 1. among: the vertices that the fields tell of, elsewhere they are 0."""
        mine = ((1 - familiar) * (1 - share) * where)[:, None].astype(np.float32)
        for name in fields.keys() & found.keys() if mine.any() else ():
            found[name] *= 1 - mine
            found[name][among] += fields[name] * mine[among]

    mouth, near, lips = own.mouth, own.near, own.lips
    take(lips, 0.2 + 0.8 * mouth.large, skin.astype(np.float32), near)
    for name in lips.keys() & found.keys() if familiar < 1 else ():
        more = SHYEST * float(np.linalg.norm(lips[name]) / max(float(np.linalg.norm(found[name][near])), 1e-9))
        if more < 2 * BOLDER:  # one that hardly moves at all is not shy
            found[name] *= np.float32(familiar + (1 - familiar) * np.clip(more, 1, BOLDER))
    for name in found.keys() & DRAWN.keys():  # a model learns these from realistic heads
        found[name] *= np.float32(1 - (1 - familiar) * (1 - DRAWN[name]) * (1 - mouth.large))
    still = (familiar + (1 - familiar) * smooth(*SNEER, mouth.away))[:, None].astype(np.float32)
    for name in found.keys() & {f"noseSneer{side.title()}" for side in SIDES}:
        found[name] *= still
    inside = ~skin & (mouth.away < 2 * INNER) & (np.abs(mouth.x) < 1.3)
    if "jawOpen" in found:
        found["jawOpen"][:] = with_jaw(found["jawOpen"], there, mouth, inside, familiar)
    if "tongueOut" in found:
        found["tongueOut"][:] = with_tongue(found["tongueOut"], there, mouth, inside, familiar)
    for side in SIDES:  # in a small mouth teeth and tongue slide along, or they would show
        name = f"mouth{side.title()}"
        if name in found:
            moved = SIGN[side] * 0.2 * mouth.half * (1 - mouth.large)
            found[name][inside] += way(moved, 0, 0)
    for side, lid in lids_of(there, landmarks).items() if familiar < 1 else ():
        closing = own.lids[side]
        blink = f"eyeBlink{side.title()}"
        reach = np.max([lid.top, lid.bottom, lid.ride, lid.lower_ride], axis=0)
        around = np.where(skin, 1, np.clip(reach * SOON, 0, 1)).astype(np.float32)
        if blink in found:
            some = around > 0
            take(closing, trust({blink: found[blink][some]}, {blink: closing[blink][some]}), around)
    if familiar < 1:
        near, raised = own.brows
        learnt = {name: found[name][near] for name in raised.keys() & found.keys()}
        mine = np.float32((1 - familiar) * (1 - trust(learnt, raised)))
        for name, offsets in learnt.items():
            found[name][near] = offsets + mine * (raised[name] - offsets)
    strip = np.any(list(own.strips.values()), axis=0)
    for name in found.keys() if strip.any() else ():
        if not name.startswith(("brow", "noseSneer")):
            found[name][strip] = 0  # strips belong to the brows alone
    if there.bulky.any():  # hair hangs where a model sees lids and brows
        for name in found:
            if name.startswith(("eye", "brow")):
                found[name][there.bulky] = 0
    return found
