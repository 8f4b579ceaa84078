# SPDX-License-Identifier: GPL-3.0-or-later
"""What a face at rest keeps shapes from being right: lips that are joined, eyes that are closed, a
mouth that is open, hidden or smiling.

It is read from the mesh. Each finding says what it is, what to do, which shapes it concerns and how
much less sure it makes them and the face. What the mesh does not allow is then not done: joined
lips move together, closed lids stay as they are, an open mouth closes as far as it is open.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..geometry.frame import Floats
from ..geometry.landmarks import SIDES
from ..geometry.mesh import all_corners
from . import covered
from .head import Head
from .openings import Opening, lid_slit, mouth_slit
from .surface import Surface

MIDDLE = 0.5  # half widths from an opening's middle within which its columns say what it is
FEWEST = 3  # such columns
WIDE = 1.5  # half widths of the mouth within which lips are sought that are open: a jaw that hangs
# Side of upper less that of lower lip. 33 heads with a slit: 0.54 and more, one chibi head 0.22;
# the sample heads with welded lips: 0.16 and less.
JOINED = 0.2
# Half widths of the mouth between lips, by their median. Of 33 neutral heads the most is 0.2; with
# the jaw at 0.3: 0.48.
OPEN = 0.25
# half widths that the corners stand above the lips' middle. 33 neutral heads: up to 0.26 (a llama;
# 0.2 on people)
SMILING = 0.28
# Height to width of an eye's opening. 31 neutral heads with lids: 0.23 and more; eyes that artists
# closed by half: 0.15 to 0.2 on realistic heads.
NARROW = 0.19
SHUT = (
    0.4,
    0.45,
    # of an eye without an opening: the least jump of sides between its lids, and half widths
    # between them at most
)
# Shares of places: in an eye's middle that its lids cover, and that have something of an eye
# behind, from which on it is closed, unless what is behind is seen above or below at more than the
# last share: then it is nearly closed. 25 heads, 9 of 5 makers and modelled ones: with all of the
# artist's blink 0.8 and more are covered, 0.33 have an eye behind, 0.01 are seen; with half of it
# 0.03 and more are seen where the middle is covered; of the neutral ones 0.56 are covered at most
# where 0.25 have an eye behind. Not told by it: eyes behind which nothing lies.
SHUT_OVER = (0.75, 0.3, 0.02)
# share of places on and around the lips with something close before them, from which on the mouth
# is hidden
COVERED = 0.7
BEFORE = (0.05, 0.9)  # canonical units before the lips within which something hides them
PLACES = (7, 5)  # places across and up
# canonical units before the lips that a tongue sticks out at least; on 2 neutral heads it begins
# 0.1 behind them
OUT = 0.02
DEEP = 0.2  # behind them that it begins: what a ring or a straw is made of does not
SLIM = 0.9  # half widths of the mouth, half a tongue's own width at most
LIPS = ("jawOpen", "mouthClose", "tongueOut", "mouthFunnel", "mouthRollUpper", "mouthRollLower")
PARTING = (
    *LIPS,
    *(f"{name}{side.title()}" for name in ("mouthUpperUp", "mouthLowerDown") for side in SIDES),
)


@dataclass(frozen=True)
class Finding:
    """code: stable. words: what is so, and what to do. shapes: conditions that it concerns. face,
    sure: factors on the confidence of the face and of these shapes, 0 to 1; of all shapes where
    none are named.
    """

    code: str
    words: str
    shapes: tuple[str, ...] = ()
    face: float = 1.0
    sure: float = 1.0

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {"code": self.code, "words": self.words, "shapes": list(self.shapes)}


def _eye(name: str, side: str, words: str, face: float, sure: float) -> Finding:
    own = f"eyeBlink{side.title()}"
    return Finding(
        f"{name}_{side}",
        words,
        (own, *(f"{each}{side.title()}" for each in ("eyeSquint", "eyeWide"))),
        face,
        sure,
    )


JOINED_LIPS = Finding(
    "lips_joined",
    "The lips are joined, so the mouth cannot open. Open them along the mouth's line: in Edit Mode"
    " select that edge and use Rip (V).",
    PARTING,
    0.7,
    0.4,
)
OPEN_MOUTH = Finding(
    "mouth_open",
    "The mouth is open at rest, so jawOpen opens it further. Close it first, if the avatar's"
    " neutral face is to be closed.",
    ("jawOpen", "mouthClose", "mouthFunnel", "tongueOut"),
    0.8,
    0.7,
)
TONGUE_OUT = Finding(
    "tongue_out",
    "The tongue is out at rest. Put it into the mouth first.",
    ("tongueOut", "jawOpen", "mouthClose"),
    0.8,
    0.5,
)
SMILING_MOUTH = Finding(
    "mouth_smiling",
    "The mouth smiles at rest, so mouthSmile goes further. Make the face neutral first, if that is"
    " too much.",
    tuple(f"mouthSmile{side.title()}" for side in SIDES),
    0.9,
    0.8,
)
HIDDEN_MOUTH = Finding(
    "mouth_hidden",
    "Something covers the mouth, such as a mask. If it should not move with the face, say so under"
    " Separate Parts, or make it its own object.",
    PARTING,
    0.7,
    0.6,
)
CLOSED_EYE = {
    side: _eye(
        "eye_closed",
        side,
        f"The {side} eye is closed at rest, so its blink moves nothing. Open it first, or model its"
        " open shape as the base.",
        0.8,
        0.6,
    )
    for side in SIDES
}
NARROW_EYE = {
    side: _eye(
        "eye_narrow",
        side,
        f"The {side} eye is half closed at rest; its blink closes what is left. Open it first for a"
        " full blink.",
        0.9,
        0.8,
    )
    for side in SIDES
}
NO_EYE = {
    side: _eye(
        "eye_missing",
        side,
        f"No {side} eye was found on the mesh: no opening, no eyeball. Look at the landmarks, or"
        " open the eye if it is closed.",
        0.7,
        0.4,
    )
    for side in SIDES
}
NO_EYES = Finding(
    "no_eyes",
    "No eyes are modelled where the face should be. It may be no face: look at the landmarks, or"
    " mark the face with a vertex group.",
    (),
    0.5,
    0.5,
)


def findings(head: Head | None) -> list[Finding]:
    """What is not as a neutral face has it. Nothing for models with other landmarks, whose head was
    not looked at.
    """
    if head is None:
        return []
    there, landmarks, lids = head.surface, head.landmarks, head.lids
    found, missing = [], []
    for side in SIDES:
        over = covered.lids(there, landmarks, side)
        shut = over.lid >= SHUT_OVER[0] and over.behind >= SHUT_OVER[1]
        if shut or (side not in lids and closed_lids(head, side) is not None):
            found.append((CLOSED_EYE if over.seen <= SHUT_OVER[2] else NARROW_EYE)[side])
        elif side in lids:
            opening = lids[side].opening
            high = float(
                (opening.upper.points - opening.lower.points)[:, 1].max()
                * opening.unit[1]
                / (2 * opening.unit[0])
            )
            if high < NARROW:
                found.append(NARROW_EYE[side])
        elif side not in there.balls and side not in head.labels.flat_eyes:
            missing.append(NO_EYE[side])
    return [*found, *(missing if len(missing) < len(SIDES) else [NO_EYES]), *_mouth(head)]


def _mouth(head: Head) -> list[Finding]:
    there, landmarks = head.surface, head.landmarks
    found = []
    slit = open_slit(there, landmarks)
    half = float(np.linalg.norm(landmarks["mouth_left"] - landmarks["mouth_right"])) / 2
    strip = slit is None and bool(head.labels.mouths)
    if slit is not None and not strip:
        apart, jump = _apart(slit, there.sides[:, :1])
        if jump < JOINED:
            found.append(JOINED_LIPS)
        elif apart > OPEN:
            found.append(OPEN_MOUTH)
    if half > 0:
        middle = (landmarks["lip_upper"] + landmarks["lip_lower"]) / 2
        if slit is not None and _tongue(there, landmarks, middle, half):
            found.append(TONGUE_OUT)
        elif _covered(there, middle, half):
            found.append(HIDDEN_MOUTH)
        corners = (landmarks["mouth_left"] + landmarks["mouth_right"]) / 2
        if float((corners - middle)[1]) > SMILING * half and slit is not None:
            found.append(SMILING_MOUTH)
    return found


def open_slit(there: Surface, landmarks: Mapping[str, Floats]) -> Opening | None:
    """The mouth's slit however wide it is open, where its middle is found."""
    slit = mouth_slit(
        there.vertices, there.triangles, there.sides[:, 0], there.skins[0], landmarks, WIDE
    )
    return slit if slit is not None and _middle(slit).sum() >= FEWEST else None


def closed_lids(head: Head, side: str) -> Opening | None:
    """The slit between the lids of an eye that is closed, None for one that is open or where none
    is found.
    """
    if side in head.lids:
        return None
    there = head.surface
    slit = lid_slit(
        there.vertices, there.triangles, there.sides[:, 1], there.skins[0], head.landmarks, side
    )
    if slit is None or _middle(slit).sum() < FEWEST:
        return None
    mine = _middle(slit)
    apart = float(np.median(np.linalg.norm((slit.upper.points - slit.lower.points)[mine], axis=1)))
    return slit if _apart(slit, there.sides[:, 1:])[1] >= SHUT[0] and apart < SHUT[1] else None


def _middle(slit: Opening) -> Any:
    return np.abs(slit.columns) < MIDDLE


def _apart(slit: Opening, side: Floats) -> tuple[float, float]:
    """How far apart the edges are, in half widths, and how much their sides (F,1) differ: medians
    of the middle's columns.
    """
    mine = _middle(slit)
    jump = (slit.upper.of(side) - slit.lower.of(side))[mine, 0]
    return float(np.median((slit.upper.points - slit.lower.points)[mine, 1])), float(
        np.median(jump)
    )


def _covered(there: Surface, middle: Floats, half: float) -> bool:
    """Whether something that is no skin lies before most of the mouth."""
    places = covered.grid(middle[:2], (0.8 * half, 0.6 * half), PLACES)
    own = all_corners(~there.skins[0], there.triangles)
    corners = there.vertices[there.triangles[own]].astype(np.float64)
    near = (np.abs(corners[:, :, :2].mean(axis=1) - middle[:2]) < 3 * half).all(axis=1)
    near &= (corners[:, :, 2].min(axis=1) > middle[2] - BEFORE[1]) & (
        corners[:, :, 2].max(axis=1) < middle[2] + 2 * BEFORE[1]
    )
    hidden = sum(
        bool(((ahead > middle[2] + BEFORE[0]) & (ahead < middle[2] + BEFORE[1])).any())
        for _which, ahead in covered.depths(corners[near], places)
    )
    return hidden >= COVERED * len(places)


def _tongue(there: Surface, landmarks: Mapping[str, Floats], middle: Floats, half: float) -> bool:
    """Whether a slim piece that begins behind the lips sticks out between them."""
    local = there.vertices - middle
    near = ~there.skins[0] & (np.abs(local[:, 1]) < 2 * half) & (np.abs(local[:, 2]) < 3 * half)
    count = int(there.pieces.max()) + 1
    wide, front, back = np.zeros(count), np.full(count, -np.inf), np.full(count, np.inf)
    np.maximum.at(wide, there.pieces[~there.skins[0]], np.abs(local[~there.skins[0], 0]))
    np.maximum.at(front, there.pieces[near], local[near, 2])
    np.minimum.at(back, there.pieces[near], local[near, 2])
    return bool(((wide < SLIM * half) & (front > OUT) & (back < -DEEP)).any())


def lowered(found: Sequence[Finding], names: Sequence[str], sure: Floats) -> Floats:
    """How sure conditions are (K,), less where a finding concerns them."""
    for finding in found:
        sure = sure * np.array(
            [
                finding.sure if name in finding.shapes or not finding.shapes else 1.0
                for name in names
            ],
            np.float32,
        )
    return sure


def of_face(confidence: float, found: Sequence[Finding]) -> float:
    """The face's confidence, less by each finding's factor."""
    return float(confidence * np.prod([finding.face for finding in found])) if found else confidence
