# SPDX-License-Identifier: GPL-3.0-or-later
"""The model's shapes and the written ones (fields.py) mixed: where they agree the model is
believed, where they do not the written ones are taken.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ..analyse.head import Head
from ..analyse.mouth_parts import tongue_of
from ..analyse.surface import Flags, Surface
from ..geometry.frame import Floats
from ..geometry.landmarks import SIDES
from ..geometry.mesh import squared
from ..geometry.ramp import smoothstep
from ..geometry.ticks import tick
from ..params.correct import BLEND, JAW, TONGUE
from .fields import SNEER, Fields, fields_of
from .mouth import SIGN, Mouth, oval, way

# a model learns these from realistic heads: on small drawn mouths they are made smaller
REALISTIC = {"jawForward", "jawLeft", "jawRight"}


def with_jaw(
    opened: Floats, surface: Surface, m: Mouth, inside: Flags, drawn: float = 0.0
) -> Floats:
    """jawOpen with parts inside the mouth, those that follow the jaw, going as far as the lower
    lip: a model is too shy about them.

    A small mouth, and that of a drawn head, opens in a still face: chin, cheeks and the depth of
    the mouth go along by `JAW.still` only, the farther away the farther it opens. Artists of four
    drawn heads of training (gene, uka, godette, pm_bizdude: 3 makers) let the chin fall at aa by
    0.00 to 0.14 of the lower lip's way.

    Args:
        opened: the model's, float32 (F,3), canonical
        surface: the face's mesh
        m: the mouth's coordinates
        inside: bool (F,), small parts in the mouth
        drawn: of `goals.drawn`, 0 to 1

    Returns:
        Offsets float32 (F,3).
    """
    m = replace(m, large=m.large * (1 - drawn))
    lip = surface.skins[0] & (m.upper[:, 0] == 0) & (m.away < JAW.lip_away)
    if not lip.any():
        return opened
    far = np.sqrt(squared(opened))
    fall = float(np.quantile(far[lip], JAW.lip_quantile))
    end = max(JAW.around_to, JAW.around_from + JAW.around_way * fall / m.half)
    local = np.maximum(1 - smoothstep(JAW.around_from, end, m.away), JAW.still) * (
        1 - (1 - JAW.still) * smoothstep(JAW.deep_from, JAW.deep_to, -m.depth)
    )
    offsets = (
        np.where(surface.skins[0], 1 - (1 - m.large) * (1 - local), 1)[:, None].astype(np.float32)
        * opened
    )
    near = np.flatnonzero(m.away < JAW.oval_away)
    offsets[near] += (1 - m.large) * fall * oval(m.among(near))
    for part in np.unique(surface.owner[inside]):
        mine = (surface.owner == part) & inside
        most = float(np.quantile(far[mine], JAW.part_quantile))
        if most > 0:
            follows = _step(JAW.follows_from, JAW.follows_to, most / max(fall, 1e-9))
            offsets[mine] *= np.float32(1 + follows * (np.clip(fall / most, 1, JAW.helped) - 1))
    return offsets


def with_tongue(
    out: Floats, surface: Surface, m: Mouth, inside: Flags, model_trust: float = 0.0
) -> Floats:
    """tongueOut with the tongue coming out before the lips, and below the upper one; gums and teeth
    stay, as MakeHuman's, Vitruvian's, gene's and uka's do.

    Args:
        out: the model's, float32 (F,3), canonical
        surface: the face's mesh
        m: the mouth's coordinates
        inside: bool (F,), small parts in the mouth
        model_trust: 0 to 1, how far the model is believed. Artists of other heads move the tongue
            in one piece; where the model does not, that is mixed in

    Returns:
        Offsets float32 (F,3).
    """
    tongue = tongue_of(out, m.vertices, m.x, surface.owner, inside=inside, half=m.half)
    if not tongue.any():
        return out
    tip = tongue & (m.vertices[:, 2] >= np.quantile(m.vertices[tongue, 2], TONGUE.tip_quantile))
    wanted = float(m.lips[2] + TONGUE.out * m.half - m.vertices[tip, 2].mean())
    field = np.broadcast_to(way(0, -TONGUE.sunk * m.half, max(wanted, 0.0)), out[tongue].shape)
    found = out.copy()
    found[inside & ~tongue] = 0
    found[tongue] += np.float32(
        (1 - model_trust) * (1 - trust({"tongueOut": out[tongue]}, {"tongueOut": field}))
    ) * (field - out[tongue])
    already = float(found[tip, 2].mean())
    if already > TONGUE.moved:
        found[tongue] *= np.float32(np.clip(wanted / already, 1, TONGUE.most))
    missing = wanted - float(found[tip, 2].mean())
    if missing > 0:
        found[tongue] += np.float32((1 - model_trust) * missing / wanted) * field
    moved = m.vertices + found
    front = tongue & (moved[:, 2] > m.lips[2]) | tip
    above = float(np.quantile(moved[front, 1], TONGUE.tip_quantile) - m.lips[1])
    outside = smoothstep(
        float(m.lips[2]) - m.half, float(m.lips[2]), moved[:, 2]
    )  # what comes out passes below the upper lip
    found[tongue, 1] -= max(above, 0.0) * outside[tongue]
    return found


def _tongue(out: Floats, head: Head, m: Mouth, inside: Flags) -> Flags:
    """The vertices (F,) of the tongue. out: tongueOut, float32 (F,3), canonical."""
    return tongue_of(out, m.vertices, m.x, head.surface.owner, inside=inside, half=m.half)


def trust(model: Mapping[str, Floats], fields: Mapping[str, Floats]) -> float:
    """Share of the model in the mixture, from `BLEND.doubted` to 1, by the mean cosine of its
    offsets with the fields' over all their conditions.

    Args:
        model: float32 (S,3) by condition
        fields: float32 (S,3) by condition
    """
    found = []
    for name in sorted(fields.keys() & model.keys()):
        a, b = model[name], fields[name]
        found.append(
            float((a * b).sum() / np.sqrt(max(float((a * a).sum() * (b * b).sum()), 1e-18)))
        )
    if not found:
        return 1.0
    believed = _step(BLEND.believed_from, BLEND.believed_to, float(np.mean(found)))
    return BLEND.doubted + (1 - BLEND.doubted) * believed


def trust_moving(model: Mapping[str, Floats], fields: Mapping[str, Floats]) -> float:
    """As `trust`, but less of a model that hardly moves what the fields move.

    Args:
        model: float32 (S,3) by condition
        fields: float32 (S,3) by condition
    """
    names = fields.keys() & model.keys()
    goes, wanted = (sum(float((of[name] ** 2).sum()) for name in names) for of in (model, fields))
    return trust(model, fields) * math.sqrt(min(1.0, goes / max(wanted, 1e-18)))


def _step(low: float, high: float, x: float) -> float:
    """The smooth step of one number, of float32."""
    return float(smoothstep(low, high, np.asarray(x, np.float32)))


def mixed(
    head: Head,
    shapes: Mapping[str, Floats],
    model_trust: float = 0.0,
    in_place: bool = False,
    fields: Fields | None = None,
    *,
    drawn: float = 0.0,
) -> dict[str, Floats]:
    """Mix the model's shapes and the fields.

    Mouths take the more of the fields the smaller they are, since models learn from realistic
    heads; lids and brows by how far model and fields agree. Teeth and tongue stay with the model,
    which knows parts that move in one piece well.

    Args:
        head: the face's mesh and what is known of it
        shapes: the model's, condition -> offsets float32 (F,3), canonical
        model_trust: 0 to 1, how much the head is like those that the model has learnt from; such
            heads are the model's alone
        in_place: the arrays of shapes are changed and given back
        fields: of `fields_of`, where they are known
        drawn: 0 to 1, how much the head is drawn, of `goals.drawn`

    Returns:
        Condition -> offsets float32 (F,3).
    """
    found = {
        name: offsets if in_place else offsets.astype(np.float32)
        for name, offsets in shapes.items()
    }
    own = fields_of(head, model_trust) if fields is None else fields
    _mix_mouth(head, found, own, model_trust)
    _move_inside(head, found, own.mouth, model_trust, drawn)
    if model_trust < 1:
        _mix_lids(head, found, own, model_trust)
        _mix_brows(found, own, model_trust)
    _clear(head, found)
    return found


def _take(
    found: dict[str, Floats],
    fields: Mapping[str, Floats],
    share: float,
    where: Floats,
    among: slice | NDArray[np.intp] = slice(None),
) -> None:
    """Mix fields into the shapes found, in place.

    Args:
        found: condition -> offsets (F,3)
        fields: condition -> offsets (S,3) of the vertices `among`; elsewhere they are 0
        share: of the fields, where `where` (F,) is 1
        where: (F,), 0 to 1
        among: (S,) vertices
    """
    mine = (share * where)[:, None].astype(np.float32)
    for name in fields.keys() & found.keys() if mine.any() else ():
        tick()
        found[name] *= 1 - mine
        found[name][among] += fields[name] * mine[among]


def _mix_mouth(head: Head, found: dict[str, Floats], own: Fields, model_trust: float) -> None:
    """Mix the mouth's fields in, make shy shapes bolder, and keep sneers off the lips."""
    mouth, near, lips = own.mouth, own.near, own.lips
    share = BLEND.lips_model + (1 - BLEND.lips_model) * mouth.large
    skin = head.labels.skin.astype(np.float32)
    _take(found, lips, (1 - model_trust) * (1 - share), skin, near)
    for name in lips.keys() & found.keys() if model_trust < 1 else ():
        more = BLEND.shyest * float(
            np.linalg.norm(lips[name]) / max(float(np.linalg.norm(found[name][near])), 1e-9)
        )
        if more < BLEND.hardly:
            found[name] *= np.float32(
                model_trust + (1 - model_trust) * np.clip(more, 1, BLEND.bolder)
            )
    for name in found.keys() & REALISTIC:
        found[name] *= np.float32(1 - (1 - model_trust) * (1 - BLEND.drawn_jaw) * (1 - mouth.large))
    moves = smoothstep(BLEND.sneer_from, BLEND.sneer_to, mouth.away)
    still = (model_trust + (1 - model_trust) * moves)[:, None].astype(np.float32)
    for name in found.keys() & {f"noseSneer{side.title()}" for side in SIDES}:
        found[name] *= still


def _move_inside(
    head: Head, found: dict[str, Floats], mouth: Mouth, model_trust: float, drawn: float
) -> None:
    """Let teeth and tongue go with the jaw, come out, and slide along with a small mouth; lips of a
    wide one move before them.
    """
    inside = (
        ~head.labels.skin
        & (mouth.away < BLEND.inside_away)
        & (np.abs(mouth.x) < BLEND.inside_aside)
    )
    if "jawOpen" in found:
        found["jawOpen"][:] = with_jaw(found["jawOpen"], head.surface, mouth, inside, drawn)
    if "tongueOut" in found:
        less = np.float32(1 - (1 - model_trust) * drawn * (1 - TONGUE.goes))
        tongue = _tongue(found["tongueOut"], head, mouth, inside) if less < 1 else None
        for name in found.keys() & {"jawOpen", "mouthClose"} if tongue is not None else ():
            found[name][tongue] *= less
        found["tongueOut"][:] = with_tongue(
            found["tongueOut"], head.surface, mouth, inside, model_trust
        )
    deep = smoothstep(BLEND.behind_from, BLEND.behind_to, -mouth.depth) * inside
    still = (1 - mouth.large * deep)[:, None].astype(np.float32)
    for name in found if mouth.large > 0 else ():
        if name.startswith("mouth"):  # lips, not the jaw
            found[name] *= still
    for side in SIDES:
        name = f"mouth{side.title()}"
        if name in found:
            moved = SIGN[side] * BLEND.inside_slide * mouth.half * (1 - mouth.large)
            found[name][inside] += way(moved, 0, 0)


def _mix_lids(head: Head, found: dict[str, Floats], own: Fields, model_trust: float) -> None:
    """Mix the lids' fields in, by how far the model's blink agrees with theirs.

    Lids of small drawn faces hardly follow the eye: they rise a little when it looks aside, and
    go down with it no farther than the field.
    """
    for side, lid in head.lids.items():
        fields, name = own.lids[side], side.title()
        reach = np.max([lid.top, lid.bottom, lid.ride, lid.lower_ride], axis=0)
        pulled = np.clip(reach * BLEND.lid_soon, 0, 1)
        around = np.where(head.labels.skin, 1, pulled).astype(np.float32)
        aside = {look: fields[look] for look in (f"eyeLookIn{name}", f"eyeLookOut{name}")}
        others = {other: fields[other] for other in fields if other not in aside}
        if f"eyeBlink{name}" in found:
            share = trust(*_both(found, fields, [f"eyeBlink{name}"], around > 0))
            _take(found, others, (1 - model_trust) * (1 - share), around)
        drawn = (1 - model_trust) * (1 - own.mouth.large)
        share = trust_moving(*_both(found, fields, aside, head.labels.skin))
        _take(found, aside, drawn * (1 - share), around)
        if f"eyeLookDown{name}" in found:
            down = found[f"eyeLookDown{name}"]
            skin, most = head.labels.skin, fields[f"eyeLookDown{name}"]
            far = max(float(np.linalg.norm(down[skin])), 1e-9)
            less = min(1.0, float(np.linalg.norm(most[skin])) / far) ** drawn
            down *= (1 - around * np.float32(1 - less))[:, None]


def _both(
    found: Mapping[str, Floats], fields: Mapping[str, Floats], names: Iterable[str], rows: Flags
) -> tuple[dict[str, Floats], dict[str, Floats]]:
    """The shapes found and the fields of some conditions, of some vertices alone.

    Args:
        found: condition -> offsets float32 (F,3)
        fields: the same
        names: of conditions; those that are not found are left out
        rows: bool (F,)
    """
    known = [name for name in names if name in found]
    return {name: found[name][rows] for name in known}, {name: fields[name][rows] for name in known}


def _mix_brows(found: dict[str, Floats], own: Fields, model_trust: float) -> None:
    """Mix the brows' fields in, by how far the model's brows agree with theirs. Sneers pull brows
    on small drawn faces alone: elsewhere they are the nose's.
    """
    near, raised = own.brows
    learnt = {name: found[name][near] for name in raised.keys() & found.keys()}
    sneers = {name: offsets for name, offsets in learnt.items() if name.startswith(SNEER)}
    others = {name: offsets for name, offsets in learnt.items() if name not in sneers}
    for some, drawn in ((others, 1.0), (sneers, 1 - own.mouth.large)):
        share = (trust_moving if some is sneers else trust)(some, raised)
        mine = np.float32((1 - model_trust) * drawn * (1 - share))
        for name, offsets in some.items():
            found[name][near] = offsets + mine * (raised[name] - offsets)


def _clear(head: Head, found: dict[str, Floats]) -> None:
    """Let strips move with the brows alone, and hair with no shape of eyes and brows: it hangs
    where a model sees these.
    """
    brow, hair = head.labels.brow, head.labels.hair
    for name in found if brow.any() else ():
        if not name.startswith(("brow", "noseSneer")):
            found[name][brow] = 0
    for name in found if hair.any() else ():
        if name.startswith(("eye", "brow")):
            found[name][hair] = 0
