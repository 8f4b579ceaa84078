# SPDX-License-Identifier: GPL-3.0-or-later
"""Parts that move in one piece whatever a model says: eyeballs turn about their centre, teeth go
with their jaw. Canonical frame.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from ..analyse.mouth_parts import MouthParts
from ..geometry.frame import Floats
from ..geometry.mesh import Ints, squared
from ..geometry.motion import rigid, turned
from ..params.analyse import EYEBALLS
from ..params.correct import RIGID_PARTS
from ..params.geometry import BLOCKS
from .behind_chin import Chin

LOOK = "eyeLook"
JAWS = (
    "jawOpen",
    "jawForward",
    "jawLeft",
    "jawRight",
)  # what moves teeth
SLIDES = ("mouthLeft", "mouthRight")


def turns() -> dict[str, tuple[int, float]]:
    """How eyes turn: beginning of a condition -> axis, and degrees for the left eye."""
    up, aside = RIGID_PARTS.look_up, RIGID_PARTS.look_aside
    return {
        "eyeLookUp": (0, -up),
        "eyeLookDown": (0, up),
        "eyeLookIn": (1, -aside),
        "eyeLookOut": (1, aside),
    }


def turn_eyes(
    shapes: Mapping[str, Floats],
    vertices: Floats,
    balls: Mapping[str, tuple[NDArray[np.intp], Floats]],
    model_trust: float = 0.0,
) -> None:
    """Let eyeballs, in place, turn by their eyeLook conditions and stay where they are otherwise.

    Args:
        shapes: condition -> offsets float32 (F,3), canonical
        vertices: float32 (F,3), canonical
        balls: of `eyeballs`, side -> vertices and centre (3,)
        model_trust: 0 to 1, how far the model is believed about how they turn; they do it in one
            piece in any case
    """
    for side, (ball, centre) in balls.items():
        looks = {
            name + side.title(): turn
            for name, turn in turns().items()
            if name + side.title() in shapes
        }
        known = (
            {name: rigid(vertices[ball], shapes[name][None, ball])[0] for name in looks}
            if model_trust > 0
            else {}
        )
        for offsets in shapes.values():
            offsets[ball] = 0
        for name, (axis, degrees) in looks.items():
            sign = -1.0 if axis == 1 and side == "right" else 1.0
            shapes[name][ball] = (1 - model_trust) * turned(
                vertices[ball], centre, axis, sign * degrees
            )
        for name, offsets in known.items():
            shapes[name][ball] += np.float32(model_trust) * offsets


def lids_only(shapes: Mapping[str, Floats], eyes: NDArray[np.bool_]) -> None:
    """Leave of the eyeLook conditions, in place, what lids do: on avatars whose eyes hang on bones
    these turn them, and keys would once more.

    Args:
        shapes: condition -> offsets float32 (F,3)
        eyes: bool (F,), what turns
    """
    for name, offsets in shapes.items():
        if name.startswith(LOOK):
            offsets[eyes] = 0


def lift_lids(
    blink: Floats, vertices: Floats, skin: NDArray[np.bool_], ball: NDArray[np.intp], centre: Floats
) -> None:
    """Bring lids, in place, out of the eyeball that they would close through: a straight way from
    edge to edge cuts a dome.

    Args:
        blink: offsets float32 (F,3), canonical
        vertices: float32 (F,3), canonical
        skin: bool (F,)
        ball: the eyeball's vertices
        centre: (3,), of the eyeball
    """
    out = vertices[ball] - centre
    far = np.sqrt(squared(out))
    directions = out / np.maximum(far, 1e-9)[:, None]
    away = vertices + blink - centre
    length = np.sqrt(squared(away))
    moves = np.sqrt(squared(blink))
    lid = np.flatnonzero(
        skin
        & (moves > RIGID_PARTS.lifted_from)
        & (length < RIGID_PARTS.clear * far.max())
        & (away[:, 2] > RIGID_PARTS.front * length)
    )
    if not len(lid):
        return
    way = away[lid] / np.maximum(length[lid], 1e-9)[:, None]

    def below(points: Floats) -> Floats:
        """How far below the dome (N,) points (N,3), from the centre, lie."""
        long = np.linalg.norm(points, axis=1)
        dome = _dome(points / np.maximum(long, 1e-9)[:, None], directions, far)
        return np.asarray(RIGID_PARTS.clear * dome - long, np.float32)

    share = np.clip(
        (moves[lid] - RIGID_PARTS.lifted_from) / (RIGID_PARTS.lifted_to - RIGID_PARTS.lifted_from),
        0,
        1,
    )
    deeper = below(away[lid]) - np.maximum(
        below(vertices[lid] - centre), 0
    )  # the inside of a lid lies within the dome from the start
    blink[lid] += (np.maximum(deeper, 0) * share)[:, None] * way


def _dome(towards: Floats, directions: Floats, far: Floats) -> Floats:
    """How far out an eyeball's vertices, in directions (B,3), `far` (B,), stand next to each of
    towards (N,3), directions from its centre; 0 where there are none.
    """
    dome, waiting = np.zeros(len(towards), np.float32), np.arange(len(towards))
    farthest = np.argsort(-far, kind="stable")
    # the first that is next to a direction is the farthest that is
    for first in range(0, len(farthest), BLOCKS.most):
        some = farthest[first : first + BLOCKS.most]
        beside = towards[waiting] @ directions[some].T > RIGID_PARTS.beside
        met = beside.any(axis=1)
        dome[waiting[met]] = far[some[beside[met].argmax(axis=1)]]
        waiting = waiting[~met]
        if not len(waiting):
            break
    return dome


def turn_flat_eye(
    shapes: dict[str, Floats],
    vertices: Floats,
    owner: Ints,
    *,
    side: str,
    behind: NDArray[np.bool_],
    half: float,
) -> None:
    """Let an eye of flat parts, in place, follow its eyeLook conditions and stay where it is
    otherwise: a white keeps still below the iris.

    What moves slides as far as a ball's pupil would, and up and down over the white, be it flat,
    bulging or hollow. A ball that was pressed flat turns as if it were round and keeps its outline.

    Args:
        shapes: condition -> offsets float32 (F,3), canonical
        vertices: float32 (F,3), canonical
        owner: int32 (F,), numbers of loose parts
        side: left or right
        behind: bool (F,), what lies behind the lids of that eye
        half: half the eye's width, canonical
    """
    numbers = np.unique(owner[behind])
    if not len(numbers):
        return
    wide = np.array([np.ptp(vertices[owner == n, 0]) for n in numbers])
    small = numbers[wide < RIGID_PARTS.smaller * wide.max()]
    whole = np.flatnonzero(np.isin(owner, numbers))
    moving = np.flatnonzero(np.isin(owner, small if len(small) else numbers))
    white = vertices[owner == numbers[wide.argmax()]]
    height, *_ = np.linalg.lstsq(
        _bowl(white, white), white[:, 2].astype(np.float64), rcond=RIGID_PARTS.bowl_cut
    )
    for offsets in shapes.values():
        offsets[whole] = 0
    flattened = _flattened(white)
    before = RIGID_PARTS.pupil if len(small) else RIGID_PARTS.pupil_alone
    pupil = np.array([[0, 0, before * half]], np.float32)
    for name, (axis, degrees) in turns().items():
        condition = name + side.title()
        if condition not in shapes:
            continue
        signed = -degrees if axis == 1 and side == "right" else degrees
        if flattened is not None:
            centre, radii = flattened
            shapes[condition][whole] = (
                turned((vertices[whole] - centre) / radii, np.zeros(3, np.float32), axis, signed)
                * radii
            )
            continue
        way = turned(pupil, np.zeros(3, np.float32), axis, signed) * np.array([1, 1, 0], np.float32)
        over = (_bowl(vertices[moving] + way, white) - _bowl(vertices[moving], white)) @ height
        shapes[condition][moving] = way + np.stack([0 * over, 0 * over, over], axis=1).astype(
            np.float32
        )


def _flattened(white: Floats) -> tuple[Floats, Floats] | None:
    """Middle and radii (3,) of a white (W,3) that is a ball pressed flat, as drawn faces have them;
    None where it is none.
    """
    low, high = white.min(axis=0), white.max(axis=0)
    centre, radii = (low + high) / 2, np.maximum((high - low) / 2, 1e-6)
    far = np.linalg.norm((white - centre) / radii, axis=1)
    return (
        (centre, radii)
        if far.min() > RIGID_PARTS.whole and far.std() < EYEBALLS.round * far.mean()
        else None
    )


def _bowl(points: Floats, white: Floats) -> NDArray[np.float64]:
    """The terms (P,6) of a quadratic height over the plane, at points (P,3), around the middle of a
    white (W,3).
    """
    x, y = (points[:, :2] - white[:, :2].mean(axis=0)).astype(np.float64).T
    return np.stack([np.ones_like(x), x, y, x * x, y * y, x * y], axis=1)


def move_teeth(
    shapes: Mapping[str, Floats], vertices: Floats, mouth: MouthParts, chin: Chin | None = None
) -> None:
    """Let teeth, in place, follow the jaw in one piece and stay where they are otherwise; upper
    ones stay, too, unless they are drawn up with the lip; a tongue follows the jaw in one piece.
    Rows that lie on each other are drawn ones, and slide aside with the mouth.

    Args:
        shapes: condition -> offsets float32 (F,3); needs jawOpen
        vertices: float32 (F,3), canonical
        mouth: teeth and tongues
        chin: the skin that they stay behind at jawOpen
    """
    moved = [shapes["jawOpen"][mine].mean(axis=0) for mine in mouth.rows]
    most = max((float(np.linalg.norm(way)) for way in moved), default=0.0)
    follows = [
        np.linalg.norm(way)
        > (RIGID_PARTS.upper_teeth if way[1] > 0 else RIGID_PARTS.lower_teeth) * most
        and (way[1] > RIGID_PARTS.raised_teeth or not over)
        for over, way in zip(mouth.upper, moved, strict=True)
    ]
    for name, offsets in shapes.items():
        for mine, goes, slide in zip(mouth.rows, follows, mouth.drawn, strict=True):
            along = goes if name in JAWS else slide and name in SLIDES
            offsets[mine] = rigid(vertices[mine], offsets[None, mine])[0] if along else 0
        for mine in mouth.tongues if name in JAWS else []:
            offsets[mine] = rigid(vertices[mine], offsets[None, mine])[0]
    if chin is not None:
        _stay_behind(shapes["jawOpen"], vertices, mouth, chin)


def _stay_behind(jaw: Floats, vertices: Floats, mouth: MouthParts, chin: Chin) -> None:
    """Let teeth, in place, fall no farther than the chin hides them, all alike, for their rows lie
    in each other.
    """
    rows = [mine for mine in mouth.rows if jaw[mine, 1].mean() < 0]
    reach = chin.reach([(vertices[mine], jaw[mine]) for mine in rows]) if rows else 1.0
    for mine in rows if reach < 1 else ():
        jaw[mine] *= np.float32(reach)
