# SPDX-License-Identifier: GPL-3.0-or-later
"""Shapes written down from what their names mean, in coordinates of the mouth, the eyes and the
brows of the head at hand.

A field knows nothing of how a maker shapes his heads and so cannot be wrong about it: a smile pulls
the corner of the mouth out and up and fades with the distance from the slit, in half widths of the
mouth. A learnt model is better on heads like those that it has learnt from and worse on all others.
So the two are compared: where the model agrees with the fields it is believed, where it does not
the fields are taken. All in the canonical frame. How far each field goes, and where that comes
from, is in fields.json.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..analyse.head import Head
from ..analyse.lids import Lid
from ..analyse.surface import Flags, Surface
from ..geometry.frame import Floats
from ..geometry.landmarks import SIDES
from ..geometry.mesh import squared
from ..geometry.ramp import smoothstep
from ..params.correct import BROW_FIELDS, MOUTH_FIELDS
from .closing import closing, moved_lids
from .mouth import SIGN, Mouth, mouth_of, way

TABLE = Path(__file__).with_name("fields.json")
Way = tuple[float, float, float]
SNEER = "noseSneer"  # on small drawn faces a shape of the brows


@dataclass(frozen=True)
class Amplitudes:
    """How far fields go, see `numbers` in fields.json for units.

    Args:
        mouth: condition without its side -> part of the mouth -> way outwards, up and to the front
        lids: the same -> kind of face -> rise of the upper and the lower edge
        brows: the same -> way inwards, up and to the front
    """

    mouth: Mapping[str, Mapping[str, Way]]
    lids: Mapping[str, Mapping[str, tuple[float, float]]]
    brows: Mapping[str, Way]


@cache
def amplitudes(path: Path = TABLE) -> Amplitudes:
    """The shipped amplitudes."""
    data = json.loads(path.read_text(encoding="utf-8"))
    return Amplitudes(data["mouth"], data["lids"], data["brows"])


def _way(amplitude: Sequence[float], sign: float = 1.0) -> Floats:
    """An amplitude (3,) as a direction (1,3). sign: 1 left, -1 right."""
    x, y, z = amplitude
    return way(x * sign, y, z)


def mouth_fields(m: Mouth, table: Amplitudes | None = None) -> dict[str, Floats]:
    """Offsets (F,3) of the mouth's and the cheeks' conditions, on the skin; parts that the jaw
    moves in one piece are the model's, which knows them better.

    Args:
        m: the mouth's coordinates
        table: other amplitudes than the shipped ones
    """
    table = amplitudes() if table is None else table
    p, far = MOUTH_FIELDS, table.mouth
    h, big = m.half, m.large
    size = h * (p.small + (1 - p.small) * big)
    near = (1 - smoothstep(0, p.reach, m.away))[:, None] * m.skin
    broad = (1 - smoothstep(0, p.broad, m.away))[:, None] * m.skin
    lower = 1 - m.upper
    middle = np.exp(-((m.x / p.middle) ** 4))[:, None]
    x = m.x[:, None]
    small = 1.0 + p.exaggerated * (1 - big)
    drawn = h * (1 - big)
    pucker, funnel, puff = far["mouthPucker"], far["mouthFunnel"], far["cheekPuff"]
    roll = far["mouthRollUpper"]
    rolled = big * _way(roll["upper_large"]) + (1 - big) * _way(roll["upper_drawn"])
    out = puff["out"][2] + puff["out_large"][2] * big
    parted = (
        near
        * middle
        * size
        * small
        * (m.upper * _way(funnel["upper"]) + lower * _way(funnel["lower"]))
    )
    corner = funnel["corner"][0] * size + funnel["corner_drawn"][0] * drawn
    front = funnel["middle_large"][2] * size * big + funnel["middle_drawn"][2] * drawn
    fields: dict[str, Floats] = {
        "mouthPucker": near
        * (
            pucker["corner"][0] * size * x * way(1, 0, 0)
            + way(0, 0, size * (pucker["middle"][2] + pucker["middle_large"][2] * big))
        ),
        "mouthRollUpper": near * middle * m.upper * size * rolled,
        "mouthShrugUpper": near
        * middle
        * (m.upper + p.shrug_lower * lower)
        * size
        * _way(far["mouthShrugUpper"]["both"]),
        "mouthShrugLower": near
        * middle
        * (lower + p.shrug_upper * m.upper)
        * size
        * _way(far["mouthShrugLower"]["both"]),
        "cheekPuff": broad
        * out
        * (way(0, 0, 1) + p.puff_aside * np.clip(x, -p.puff_most, p.puff_most) * way(1, 0, 0)),
        "mouthFunnel": near * (corner * x * way(1, 0, 0) + way(0, 0, front)) + parted,
    }
    for side in SIDES:
        fields |= _sided(m, side, near, table)
    return {name: np.ascontiguousarray(offsets, np.float32) for name, offsets in fields.items()}


def _sided(m: Mouth, side: str, near: Floats, table: Amplitudes) -> dict[str, Floats]:
    """Offsets (F,3) of the mouth's conditions of one side. near (F,1): 1 at the slit, falling to 0
    with the distance.
    """
    p, far = MOUTH_FIELDS, table.mouth
    h, big, s = m.half, m.large, SIGN[side]
    size = h * (p.small + (1 - p.small) * big)
    small, drawn, lower = 1.0 + p.exaggerated * (1 - big), h * (1 - big), 1 - m.upper
    along = (np.clip(s * m.x, 0, p.corner_most) ** 1.5)[:, None]
    half_lip = np.exp(-(((s * m.x - p.half_lip) / p.half_lip_wide) ** 2))[:, None]
    corner = near * along
    share = (p.other_side + (1 - p.other_side) * smoothstep(-1, 1, s * m.x))[:, None]
    smiled = (p.smile_small + (1 - p.smile_small) * big) * (
        _way(far["mouthSmile"]["corner"], s) + big * _way(far["mouthSmile"]["corner_large"], s)
    )
    press, wing = far["mouthPress"], far["noseSneer"]["wing_large"]
    pressed = big * size * (
        m.upper * _way(press["upper"]) + lower * _way(press["lower"])
    ) + drawn * _way(press["both_drawn"])
    found = {
        "mouth": near * share * size * small * _way(far["mouth"]["both"], s),
        "mouthSmile": corner * size * smiled,
        "mouthFrown": corner * h * _way(far["mouthFrown"]["corner"], s),
        "mouthStretch": corner * size * small * _way(far["mouthStretch"]["corner"], s),
        "mouthDimple": corner * size * small * _way(far["mouthDimple"]["corner"], s),
        "mouthPress": near * half_lip * pressed,
        "mouthUpperUp": near * half_lip * m.upper * size * _way(far["mouthUpperUp"]["upper"], s),
        "mouthLowerDown": near * half_lip * lower * size * _way(far["mouthLowerDown"]["lower"], s),
        "cheekSquint": corner * drawn * _way(far["cheekSquint"]["corner_drawn"], s),
        "noseSneer": big * m.wing(s) * m.skin * _way(wing, s),
    }
    return {f"{name}{side.title()}": offsets for name, offsets in found.items()}


def lid_fields(lid: Lid, side: str, large: float) -> dict[str, Floats]:
    """Offsets float32 (F,3) of one eye's lids: skin, lashes and creases.

    Args:
        lid: of the eye
        side: left or right
        large: as of the mouth, 0 on faces that are drawn small and flat
    """
    still = np.zeros_like(lid.opening.local)
    fields = {f"eyeBlink{side.title()}": closing(lid, still)}
    for name, rises in amplitudes().lids.items():
        up, low = (
            drawn + large * more for drawn, more in zip(rises["drawn"], rises["more"], strict=True)
        )
        fields[name + side.title()] = moved_lids(lid, up, low)
    return fields


def brow_fields(
    surface: Surface,
    landmarks: Mapping[str, Floats],
    strips: Mapping[str, Flags],
    large: float,
    table: Amplitudes | None = None,
) -> tuple[NDArray[np.intp], dict[str, Floats]]:
    """The vertices (S,) that brows move, and their offsets (S,3): strips of their own where there
    are any, on drawn faces almost without the skin below them.

    Args:
        surface: the face's mesh
        landmarks: name -> (3,), canonical
        strips: side -> flags (F,)
        large: as of the mouth, 0 on drawn faces
        table: other amplitudes than the shipped ones
    """
    towards = (amplitudes() if table is None else table).brows
    p, near = BROW_FIELDS, _near_brows(surface, landmarks, strips)
    v, skins = surface.vertices[near], surface.skins[0][near, None]
    fields: dict[str, Floats] = {"browInnerUp": np.zeros_like(v)}
    for side in SIDES:
        s = SIGN[side]
        ends = landmarks[f"brow_inner_{side}"], landmarks[f"brow_outer_{side}"]
        strip = strips[side][near]
        skin, t = _beside_brow(v, ends)
        less = p.strip_skin + p.strip_skin_large * large if strip.any() else 1.0
        skin = skin * skins * smoothstep(-p.beyond_middle, p.before_middle, s * v[:, :1]) * less
        field = np.maximum(skin, strip[:, None])
        for name, share in _shares(t, strip).items():
            key = name if name == "browInnerUp" else name + side.title()
            own = field * _way(towards[name], s) * share
            fields[key] = np.asarray(fields.get(key, 0) + own, np.float32)
    moves = np.any([squared(own) > BROW_FIELDS.moved**2 for own in fields.values()], axis=0)
    return near[moves], {name: offsets[moves] for name, offsets in fields.items()}


def _near_brows(
    surface: Surface, landmarks: Mapping[str, Floats], strips: Mapping[str, Flags]
) -> NDArray[np.intp]:
    """Vertices (S,) of strips and of the skin around brows."""
    near = np.zeros(len(surface.vertices), bool)
    p = BROW_FIELDS
    margin = p.faded * np.array((p.aside, p.above, p.deep), np.float32)
    for side in SIDES:
        ends = np.stack([landmarks[f"brow_{end}_{side}"] for end in ("inner", "outer")])
        low, high = ends.min(axis=0) - margin, ends.max(axis=0) + margin
        box = [
            (column > a) & (column < b)
            for column, a, b in zip(surface.vertices.T, low, high, strict=True)
        ]
        near |= surface.skins[0] & box[0] & box[1] & box[2] | strips[side]
    return np.flatnonzero(near)


def _beside_brow(v: Floats, ends: tuple[Floats, Floats]) -> tuple[Floats, Floats]:
    """How far vertices (S,3) go along with a brow, 0 to 1, and where they are along it, 0 at its
    inner end and 1 at its outer one: (S,1) each. ends: both, (3,).
    """
    p, (inner, outer) = BROW_FIELDS, ends
    line = outer - inner
    t = ((v - inner) @ line / max(float(line @ line), 1e-9))[:, None]
    away = v - (inner + np.clip(t, 0, 1) * line)
    level = away[:, 1:2] / np.where(away[:, 1:2] > 0, p.above, p.below)
    return np.exp(-((away[:, :1] / p.aside) ** 2) - level**2 - (away[:, 2:] / p.deep) ** 2), t


def _shares(t: Floats, strip: Flags) -> dict[str, Floats]:
    """How much each shape moves vertices that are at t (S,1) along the brow. strip (S,): of a
    strip, which tilts as a whole.
    """
    p = BROW_FIELDS
    inwards = np.where(
        strip[:, None], np.clip(1 - t, 0, 1), smoothstep(p.inner_from, p.inner_to, t)
    ).astype(np.float32)
    return {
        "browDown": p.down_outer + (1 - p.down_outer) * inwards,
        "browOuterUp": smoothstep(p.outer_from, p.outer_to, t),
        "browInnerUp": inwards,
        SNEER: inwards,
    }


@dataclass(frozen=True)
class Fields:
    """What `mixed` takes from the mesh alone.

    Args:
        mouth: the mouth's coordinates
        near: vertices (S,) that its fields move
        lips: condition -> offsets (S,3)
        lids: side -> condition -> offsets (F,3)
        brows: vertices (S,) that brows move, and condition -> offsets (S,3)
    """

    mouth: Mouth
    near: NDArray[np.intp]
    lips: Mapping[str, Floats]
    lids: Mapping[str, Mapping[str, Floats]]
    brows: tuple[NDArray[np.intp], Mapping[str, Floats]]


def fields_of(head: Head, model_trust: float) -> Fields:
    """The fields of a face. model_trust: 1 where none are taken."""
    mouth = mouth_of(head.surface, head.landmarks)
    nothing: NDArray[np.intp] = np.empty(0, np.intp)
    if model_trust == 1:
        return Fields(mouth, nothing, {}, {}, (nothing, {}))
    near = mouth.reached()
    lids = {side: lid_fields(lid, side, mouth.large) for side, lid in head.lids.items()}
    brows = brow_fields(head.surface, head.landmarks, head.labels.brows, mouth.large)
    return Fields(mouth, near, mouth_fields(mouth.among(near)), lids, brows)
