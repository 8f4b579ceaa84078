# SPDX-License-Identifier: GPL-3.0-or-later
"""The model's shapes and the written ones (fields.py) mixed: where they agree the model is
believed, where they do not the written ones are taken.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from ..analyse.head import Head
from ..analyse.mouth_parts import tongue_of
from ..analyse.surface import Flags, Surface
from ..geometry.frame import Floats
from ..geometry.landmarks import SIDES
from ..geometry.mesh import squared
from ..geometry.ramp import smoothstep
from .fields import OVALS, SIGN, STILL, Fields, Mouth, fields_of, oval, way

# half widths of the mouth, up, down and behind, within which small parts are teeth and tongue
INNER = 0.8
DRAWN = dict.fromkeys(("jawForward", "jawLeft", "jawRight"), 0.65)
# of the lower lip's way, over which that of the skin around falls to STILL: over less than 1.1 it
# would fold
SMOOTH = 1.5
FOLLOWS, SHY = (
    (0.35, 0.5),
    2.2,
    # share of the lower lip's way from which on a part follows the jaw, and wholly; how much it is
    # helped at most
)
SOON = 10.0  # of a lid's pull from a tenth of which on what is no skin takes the fields wholly
OUT, MOST_OUT = (
    0.35,
    2.5,
    # half widths of the mouth before the lips that a tongue comes out, and how much a model is
    # helped to it
)
# half widths that it sinks: artists of gene, uka and of a head never trained on 0.15 to 0.4
SUNK = 0.25
BELIEVED = (
    0.70,
    0.90,
    # cosine between model and fields up to which they are mixed as DOUBTED says, and from which on
    # the model is taken
)
# share of the model where it is doubted: on heads that were left out of training the mixture was
# better than either
DOUBTED = 0.33
BOLDER, SHYEST = (
    2.5,
    0.75,
    # by which a shy model's mouth is made bolder at most, and the share of its field that it may
    # not fall below
)
SNEER = (
    0.1,
    0.6,
)  # half widths from the slit between which a sneer begins to move lips: it does not part them


def with_jaw(opened: Floats, there: Surface, m: Mouth, inside: Flags) -> Floats:
    """jawOpen (F,3) with parts inside the mouth, those that follow the jaw, going as far as the
    lower lip: a model is too shy about them.

    A small mouth opens in a still face: there chin, cheeks and the depth of the mouth go along by
    STILL only, the farther away the farther it opens.
    """
    lip = there.skins[0] & (m.upper[:, 0] == 0) & (m.away < 0.3)
    if not lip.any():
        return opened
    far = np.sqrt(squared(opened))
    fall = float(np.quantile(far[lip], 0.75))
    local = np.maximum(
        1 - smoothstep(0.8, max(1.5, 0.8 + SMOOTH * fall / m.half), m.away), STILL
    ) * (1 - (1 - STILL) * smoothstep(0.3, 1.3, -m.depth))
    offsets = (
        np.where(there.skins[0], 1 - (1 - m.large) * (1 - local), 1)[:, None].astype(np.float32)
        * opened
    )
    near = np.flatnonzero(m.away < OVALS)
    offsets[near] += (1 - m.large) * fall * oval(m.among(near))
    for part in np.unique(there.owner[inside]):
        mine = (there.owner == part) & inside
        most = float(np.quantile(far[mine], 0.9))
        if most > 0:
            follows = float(smoothstep(*FOLLOWS, np.asarray(most / max(fall, 1e-9), np.float32)))
            offsets[mine] *= np.float32(1 + follows * (np.clip(fall / most, 1, SHY) - 1))
    return offsets


def with_tongue(
    out: Floats, there: Surface, m: Mouth, inside: Flags, familiar: float = 0.0
) -> Floats:
    """tongueOut (F,3) with the tongue coming out before the lips, and below the upper one.
    familiar: 0 to 1, how much the head is like those that the model has learnt from; of others
    artists move the tongue as a body, and where the model does not, that is mixed in.
    """
    tongue = tongue_of(out, m.vertices, m.x, there.owner, inside, m.half)
    if not tongue.any():
        return out
    tip = tongue & (m.vertices[:, 2] >= np.quantile(m.vertices[tongue, 2], 0.9))
    wanted = float(m.lips[2] + OUT * m.half - m.vertices[tip, 2].mean())
    field = np.broadcast_to(way(0, -SUNK * m.half, max(wanted, 0.0)), out[tongue].shape)
    found = out.copy()
    found[tongue] += np.float32(
        (1 - familiar) * (1 - trust({"tongueOut": out[tongue]}, {"tongueOut": field}))
    ) * (field - out[tongue])
    already = float(found[tip, 2].mean())
    if already > 1e-3:
        found[tongue] *= np.float32(np.clip(wanted / already, 1, MOST_OUT))
    missing = wanted - float(found[tip, 2].mean())
    if missing > 0:
        found[tongue] += np.float32((1 - familiar) * missing / wanted) * field
    moved = m.vertices + found
    above = float(np.quantile(moved[tongue & (moved[:, 2] > m.lips[2]) | tip, 1], 0.9) - m.lips[1])
    outside = smoothstep(
        float(m.lips[2]) - m.half, float(m.lips[2]), moved[:, 2]
    )  # what comes out passes below the upper lip
    found[tongue, 1] -= max(above, 0.0) * outside[tongue]
    return found


def trust(model: Mapping[str, Floats], fields: Mapping[str, Floats]) -> float:
    """Share of the model in the mixture, from DOUBTED to 1, by the mean cosine of its offsets (S,3)
    with the fields' over all their conditions.
    """
    found = []
    for name in sorted(fields.keys() & model.keys()):
        a, b = model[name], fields[name]
        found.append(
            float((a * b).sum() / np.sqrt(max(float((a * a).sum() * (b * b).sum()), 1e-18)))
        )
    return (
        DOUBTED
        + (1 - DOUBTED) * float(smoothstep(*BELIEVED, np.asarray(np.mean(found), np.float32)))
        if found
        else 1.0
    )


def mixed(
    head: Head,
    shapes: Mapping[str, Floats],
    familiar: float = 0.0,
    in_place: bool = False,
    fields: Fields | None = None,
) -> dict[str, Floats]:
    """The conditions' offsets (F,3), from the model's, shapes, and the fields: of `fields_of`,
    where they are known.

    familiar: 0 to 1, how much the head is like those that the model has learnt from; such heads are
    the model's alone. Others' mouths: the smaller, the more the fields, as models learn from
    realistic heads. Lids and brows: by how far model and fields agree. Teeth and tongue stay with
    the model, which knows bodies well. in_place: the arrays of shapes, float32, are changed and
    given back.
    """
    found = {
        name: offsets if in_place else offsets.astype(np.float32)
        for name, offsets in shapes.items()
    }
    there, skin = head.surface, head.labels.skin
    own = fields_of(head, familiar) if fields is None else fields

    def take(
        fields: Mapping[str, Floats],
        share: float,
        where: Floats,
        among: slice | NDArray[np.intp] = slice(None),
    ) -> None:
        """Mix the fields in, a share of 1 - share where `where` (F,) is 1. among: the vertices that
        the fields tell of, elsewhere they are 0.
        """
        mine = ((1 - familiar) * (1 - share) * where)[:, None].astype(np.float32)
        for name in fields.keys() & found.keys() if mine.any() else ():
            found[name] *= 1 - mine
            found[name][among] += fields[name] * mine[among]

    mouth, near, lips = own.mouth, own.near, own.lips
    take(lips, 0.2 + 0.8 * mouth.large, skin.astype(np.float32), near)
    for name in lips.keys() & found.keys() if familiar < 1 else ():
        more = SHYEST * float(
            np.linalg.norm(lips[name]) / max(float(np.linalg.norm(found[name][near])), 1e-9)
        )
        if more < 2 * BOLDER:  # one that hardly moves at all is not shy
            found[name] *= np.float32(familiar + (1 - familiar) * np.clip(more, 1, BOLDER))
    for name in found.keys() & DRAWN.keys():  # a model learns these from realistic heads
        found[name] *= np.float32(1 - (1 - familiar) * (1 - DRAWN[name]) * (1 - mouth.large))
    still = (familiar + (1 - familiar) * smoothstep(*SNEER, mouth.away))[:, None].astype(np.float32)
    for name in found.keys() & {f"noseSneer{side.title()}" for side in SIDES}:
        found[name] *= still
    inside = ~skin & (mouth.away < 2 * INNER) & (np.abs(mouth.x) < 1.3)
    if "jawOpen" in found:
        found["jawOpen"][:] = with_jaw(found["jawOpen"], there, mouth, inside)
    if "tongueOut" in found:
        found["tongueOut"][:] = with_tongue(found["tongueOut"], there, mouth, inside, familiar)
    for side in SIDES:  # in a small mouth teeth and tongue slide along, or they would show
        name = f"mouth{side.title()}"
        if name in found:
            moved = SIGN[side] * 0.2 * mouth.half * (1 - mouth.large)
            found[name][inside] += way(moved, 0, 0)
    for side, lid in head.lids.items() if familiar < 1 else ():
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
    brow = head.labels.brow
    for name in found.keys() if brow.any() else ():
        if not name.startswith(("brow", "noseSneer")):
            found[name][brow] = 0  # strips belong to the brows alone
    if head.labels.hair.any():  # hair hangs where a model sees lids and brows
        for name in found:
            if name.startswith(("eye", "brow")):
                found[name][head.labels.hair] = 0
    return found
