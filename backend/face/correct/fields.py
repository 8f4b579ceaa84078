# SPDX-License-Identifier: GPL-3.0-or-later
"""Shapes written down from what their names mean, in coordinates of the mouth, the eyes and the
brows of the head at hand.

A field knows nothing of how a maker shapes his heads and so cannot be wrong about it: a smile pulls
the corner of the mouth out and up and fades with the distance from the slit, in half widths of the
mouth. A learnt model is better on heads like those that it has learnt from and worse on all others.
So the two are compared: where the model agrees with the fields it is believed, where it does not
the fields are taken. All in the canonical frame. The numbers are means over realistic heads
(ICT-FaceKit, MakeHuman, Vitruvian), less for small drawn mouths.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ..analyse.head import Head
from ..analyse.lids import Lid
from ..analyse.surface import Flags, Surface
from ..geometry.frame import Floats
from ..geometry.landmarks import SIDES
from ..geometry.mesh import squared
from ..geometry.ramp import smoothstep
from .closing import closing, moved_lids

SIGN = {"left": 1.0, "right": -1.0}
WIDE = (
    0.24,
    0.36,
)  # half width of a mouth from which on its artist draws it large, with cheeks and chin going along
REACH, BROAD = (
    1.2,
    1.7,
)  # half widths of the mouth over which lips' movement fades, and that of cheeks
NOTHING = 1e-7  # of a field's height, below which it is none
STILL = 0.3
OVAL = (
    0.15,
    0.12,
    0.5,
    # of the lower lip's way at jawOpen: the upper lip's rise, the corners', and how much the middle
    # widens
)
OVALS = 0.8  # half widths from the slit within which a mouth opens in an oval
SPREAD, BELOW = (
    (0.25, 0.30, 0.6),
    0.17,
)  # canonical units aside, above and behind a brow over which skin goes along, and below it
FADED = 2.0  # of these, beyond which they move it by less than 0.01
# share of the opening that the upper and the lower lid's edge go up: on drawn faces, and how much
# more on others
LID_SHAPES = {
    "eyeWide": ((0.12, 0.0), (0.14, -0.02)),
    "eyeSquint": ((-0.03, 0.22), (0.0, 0.05)),
    "eyeLookDown": ((-0.08, -0.03), (-0.28, -0.08)),
    "eyeLookUp": ((0.08, 0.0), (0.12, 0.06)),
}


def way(x: float, y: float, z: float) -> Floats:
    """A direction (1,3) that broadcasts over vertices."""
    return np.array([[x, y, z]], np.float32)


@dataclass(frozen=True)
class Mouth:
    """The mouth's coordinates of all vertices. x, y (F,): from its middle, in half widths, along
    and above the slit; away (F,): distance from the slit, depth (F,): out of the lips' surface, in
    half widths; upper (F,1): 1 on the upper lip's side, else 0; skin (F,1); half: its half width;
    large: 0 a small drawn mouth, 1 a wide one; lips, chin, nose (3,): landmarks.
    """

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
        own = {
            name: getattr(self, name)[some]
            for name in ("vertices", "x", "y", "away", "depth", "upper", "skin")
        }
        return replace(self, **own)

    def reached(self) -> NDArray[np.intp]:
        """Vertices (S,) of the skin where the mouth's fields are not 0, or less than the rounding
        of a coordinate.
        """
        wings = np.max(
            [_ball(self.vertices, *_wing(self.nose, sign)) for sign in SIGN.values()], axis=0
        )
        return np.flatnonzero(
            (self.skin[:, 0] > 0) & ((self.away < BROAD) | (wings[:, 0] > NOTHING))
        )


def mouth_of(there: Surface, landmarks: Mapping[str, Floats]) -> Mouth:
    """The mouth's coordinates; sides along the surface tell the lips apart where they are known,
    height where not.
    """
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
    large = float(smoothstep(*WIDE, np.asarray(half, np.float32)))
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
    """Offsets (F,3) of the mouth's and the cheeks' conditions, on the skin; the jaw moves bodies,
    which models know better.
    """
    h, big = m.half, m.large
    size = h * (0.45 + 0.55 * big)
    near = (1 - smoothstep(0, REACH, m.away))[:, None] * m.skin
    broad = (1 - smoothstep(0, BROAD, m.away))[:, None] * m.skin
    lower = 1 - m.upper
    middle = np.exp(-((m.x / 0.85) ** 4))[:, None]
    x = m.x[:, None]
    fields: dict[str, Floats] = {
        "mouthPucker": near
        * (-0.22 * size * x * way(1, 0, 0) + way(0, 0, size * (0.08 + 0.30 * big))),
        "mouthRollUpper": near * middle * m.upper * size * way(0, -0.20, -0.22),
        "mouthShrugUpper": near * middle * (m.upper + 0.25 * lower) * size * way(0, 0.24, 0.10),
        "mouthShrugLower": near * middle * (lower + 0.5 * m.upper) * size * way(0, 0.24, 0.12),
        "cheekPuff": broad
        * (0.06 + 0.08 * big)
        * (way(0, 0, 1) + 0.3 * np.clip(x, -1.5, 1.5) * way(1, 0, 0)),
    }
    small = 1.0 + 0.6 * (1 - big)  # what artists of small mouths exaggerate
    parted = (
        near * middle * size * small * (m.upper * way(0, 0.15, 0.05) + lower * way(0, -0.22, 0.05))
    )
    drawn = h * (1 - big)
    rounded = -(0.15 * size + 0.15 * drawn) * x * way(1, 0, 0) + way(
        0, 0, 0.2 * size * big + 0.08 * drawn
    )
    fields["mouthFunnel"] = near * rounded + parted
    for side in SIDES:
        s, cap = SIGN[side], side.title()
        along = (np.clip(s * m.x, 0, 1.2) ** 1.5)[:, None]
        half_lip = np.exp(-(((s * m.x - 0.45) / 0.5) ** 2))[:, None]
        corner = near * along
        fields[f"mouth{cap}"] = (
            near
            * (0.4 + 0.6 * smoothstep(-1, 1, s * m.x))[:, None]
            * size
            * small
            * way(0.5 * s, 0.05, 0)
        )
        fields[f"mouthSmile{cap}"] = corner * size * (0.6 + 0.4 * big) * way(0.21 * s, 0.40, -0.14)
        fields[f"mouthFrown{cap}"] = corner * h * way(0.02 * s, -0.20, -0.04)
        fields[f"mouthStretch{cap}"] = corner * size * small * way(0.28 * s, -0.20, -0.12)
        fields[f"mouthDimple{cap}"] = corner * size * small * way(0.16 * s, 0.03, -0.15)
        pressed = big * size * (
            m.upper * way(0, -0.06, -0.03) + lower * way(0, 0.08, -0.03)
        ) + drawn * way(0, 0.08, 0.03)
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
    """Offsets (F,3) of one eye's lids: skin, lashes and creases. large: as of the mouth, 0 on faces
    that are drawn small and flat.
    """
    still = np.zeros_like(lid.opening.local)
    fields = {f"eyeBlink{side.title()}": closing(lid, still)}
    for name, (drawn, more) in LID_SHAPES.items():
        fields[name + side.title()] = moved_lids(
            lid, drawn[0] + large * more[0], drawn[1] + large * more[1]
        )
    return fields


def brow_fields(
    there: Surface, landmarks: Mapping[str, Floats], strips: Mapping[str, Flags], large: float
) -> tuple[NDArray[np.intp], dict[str, Floats]]:
    """The vertices (S,) that brows move, and their offsets (S,3): strips of their own where there
    are any, on drawn faces (large 0) almost without the skin below them. strips: side -> flags
    (F,).
    """
    near = np.zeros(len(there.vertices), bool)
    for side in SIDES:
        ends = np.stack([landmarks[f"brow_{end}_{side}"] for end in ("inner", "outer")])
        low, high = (
            ends.min(axis=0) - FADED * np.array(SPREAD, np.float32),
            ends.max(axis=0) + FADED * np.array(SPREAD, np.float32),
        )
        box = [
            (column > a) & (column < b)
            for column, a, b in zip(there.vertices.T, low, high, strict=True)
        ]
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
        skin = (
            skin
            * smoothstep(-0.12, 0.1, s * v[:, :1])
            * (0.1 + 0.7 * large if strip.any() else 1.0)
        )
        field = np.maximum(skin, strip[:, None])
        inwards = np.where(strip[:, None], np.clip(1 - t, 0, 1), smoothstep(1.0, 0.1, t)).astype(
            np.float32
        )  # a strip tilts as a whole
        moves = {
            f"browDown{cap}": field * way(-0.04 * s, -0.12, 0.02) * (0.45 + 0.55 * inwards),
            f"browOuterUp{cap}": field * way(0, 0.13, 0) * smoothstep(0.1, 0.8, t),
            "browInnerUp": field * way(0.01 * s, 0.14, 0.01) * inwards,
        }
        for name, offsets in moves.items():
            fields[name] = np.asarray(fields.get(name, 0) + offsets, np.float32)
    moves = np.any([squared(offsets) > 0.01**2 for offsets in fields.values()], axis=0)
    return among[moves], {name: offsets[moves] for name, offsets in fields.items()}


def oval(m: Mouth) -> Floats:
    """What artists of drawn mouths add to jawOpen (F,3), parts of the lower lip's way: the upper
    lip rises, corners go out and do not fall.
    """
    near = ((1 - smoothstep(0, OVALS, m.away)) * (1 - smoothstep(0.4, 0.8, -m.depth)))[
        :, None
    ] * m.skin
    x = m.x[:, None]
    corner, middle = smoothstep(0.5, 0.9, np.abs(x)), np.exp(-((x / 0.8) ** 4))
    fields = (
        OVAL[0] * m.upper * middle * way(0, 1, 0)
        + corner * (OVAL[1] * way(0, 1, 0))
        + OVAL[2] * x * np.exp(-(x**2)) * way(1, 0, 0)
    )
    return np.asarray(near * fields, np.float32)


@dataclass(frozen=True)
class Fields:
    """What `mixed` takes from the mesh alone: the mouth's coordinates, the vertices (S,) that its
    fields move and these, condition -> offsets (S,3); lids: side -> condition -> offsets (F,3); and
    what brows move, as of the mouth.
    """

    mouth: Mouth
    near: NDArray[np.intp]
    lips: Mapping[str, Floats]
    lids: Mapping[str, Mapping[str, Floats]]
    brows: tuple[NDArray[np.intp], Mapping[str, Floats]]


def fields_of(head: Head, familiar: float) -> Fields:
    """The fields of a face. familiar: 1 where none are taken."""
    mouth = mouth_of(head.surface, head.landmarks)
    nothing: NDArray[np.intp] = np.empty(0, np.intp)
    if familiar == 1:
        return Fields(mouth, nothing, {}, {}, (nothing, {}))
    near = mouth.reached()
    lids = {side: lid_fields(lid, side, mouth.large) for side, lid in head.lids.items()}
    brows = brow_fields(head.surface, head.landmarks, head.labels.brows, mouth.large)
    return Fields(mouth, near, mouth_fields(mouth.among(near)), lids, brows)
