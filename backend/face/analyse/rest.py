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
from ..params.analyse import CERTAINTY, REST_EYES, REST_MOUTH
from . import covered
from .head import Head
from .openings import Opening, lid_slit, mouth_slit
from .surface import Surface

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
    CERTAINTY.joined_face,
    CERTAINTY.joined_shapes,
)
OPEN_MOUTH = Finding(
    "mouth_open",
    "The mouth is open at rest, so jawOpen opens it further. Close it first, if the avatar's"
    " neutral face is to be closed.",
    ("jawOpen", "mouthClose", "mouthFunnel", "tongueOut"),
    CERTAINTY.open_face,
    CERTAINTY.open_shapes,
)
TONGUE_OUT = Finding(
    "tongue_out",
    "The tongue is out at rest. Put it into the mouth first.",
    ("tongueOut", "jawOpen", "mouthClose"),
    CERTAINTY.tongue_face,
    CERTAINTY.tongue_shapes,
)
SMILING_MOUTH = Finding(
    "mouth_smiling",
    "The mouth smiles at rest, so mouthSmile goes further. Make the face neutral first, if that is"
    " too much.",
    tuple(f"mouthSmile{side.title()}" for side in SIDES),
    CERTAINTY.smiling_face,
    CERTAINTY.smiling_shapes,
)
HIDDEN_MOUTH = Finding(
    "mouth_hidden",
    "Something covers the mouth, such as a mask. If it should not move with the face, say so under"
    " Separate Parts, or make it its own object.",
    PARTING,
    CERTAINTY.hidden_face,
    CERTAINTY.hidden_shapes,
)
CLOSED_EYE = {
    side: _eye(
        "eye_closed",
        side,
        f"The {side} eye is closed at rest, so its blink moves nothing. Open it first, or model its"
        " open shape as the base.",
        CERTAINTY.closed_face,
        CERTAINTY.closed_shapes,
    )
    for side in SIDES
}
NARROW_EYE = {
    side: _eye(
        "eye_narrow",
        side,
        f"The {side} eye is half closed at rest; its blink closes what is left. Open it first for a"
        " full blink.",
        CERTAINTY.narrow_face,
        CERTAINTY.narrow_shapes,
    )
    for side in SIDES
}
NO_EYE = {
    side: _eye(
        "eye_missing",
        side,
        f"No {side} eye was found on the mesh: no opening, no eyeball. Look at the landmarks, or"
        " open the eye if it is closed.",
        CERTAINTY.missing_face,
        CERTAINTY.missing_shapes,
    )
    for side in SIDES
}
NO_EYES = Finding(
    "no_eyes",
    "No eyes are modelled where the face should be. It may be no face: look at the landmarks, or"
    " mark the face with a vertex group.",
    (),
    CERTAINTY.no_eyes_face,
    CERTAINTY.no_eyes_shapes,
)


def findings(head: Head | None) -> list[Finding]:
    """What is not as a neutral face has it. Nothing for models with other landmarks, whose head was
    not looked at.
    """
    if head is None:
        return []
    surface, landmarks, lids = head.surface, head.landmarks, head.lids
    found, missing = [], []
    for side in SIDES:
        over = covered.lids(surface, landmarks, side)
        shut = over.lid >= REST_EYES.over_lid and over.behind >= REST_EYES.over_behind
        if shut or (side not in lids and closed_lids(head, side) is not None):
            found.append((CLOSED_EYE if over.seen <= REST_EYES.over_seen else NARROW_EYE)[side])
        elif side in lids:
            opening = lids[side].opening
            high = float(
                (opening.upper.points - opening.lower.points)[:, 1].max()
                * opening.unit[1]
                / (2 * opening.unit[0])
            )
            if high < REST_EYES.narrow:
                found.append(NARROW_EYE[side])
        elif side not in surface.balls and side not in head.labels.flat_eyes:
            missing.append(NO_EYE[side])
    return [*found, *(missing if len(missing) < len(SIDES) else [NO_EYES]), *_mouth(head)]


def _mouth(head: Head) -> list[Finding]:
    surface, landmarks = head.surface, head.landmarks
    found = []
    slit = open_slit(surface, landmarks)
    half = float(np.linalg.norm(landmarks["mouth_left"] - landmarks["mouth_right"])) / 2
    strip = slit is None and bool(head.labels.mouths)
    if slit is not None and not strip:
        apart, jump = _apart(slit, surface.lip_lid_side[:, :1])
        if jump < REST_MOUTH.joined:
            found.append(JOINED_LIPS)
        elif apart > REST_MOUTH.open:
            found.append(OPEN_MOUTH)
    if half > 0:
        middle = (landmarks["lip_upper"] + landmarks["lip_lower"]) / 2
        if slit is not None and _tongue(surface, landmarks, middle, half):
            found.append(TONGUE_OUT)
        elif _covered(surface, middle, half):
            found.append(HIDDEN_MOUTH)
        corners = (landmarks["mouth_left"] + landmarks["mouth_right"]) / 2
        if float((corners - middle)[1]) > REST_MOUTH.smiling * half and slit is not None:
            found.append(SMILING_MOUTH)
    return found


def open_slit(surface: Surface, landmarks: Mapping[str, Floats]) -> Opening | None:
    """The mouth's slit however wide it is open, where its middle is found.

    Args:
        surface: the face's
        landmarks: name -> (3,), canonical
    """
    slit = mouth_slit(
        surface.vertices,
        surface.triangles,
        surface.lip_lid_side[:, 0],
        surface.skins[0],
        landmarks,
        hangs=True,
    )
    return slit if slit is not None and _middle(slit).sum() >= REST_MOUTH.fewest else None


def closed_lids(head: Head, side: str) -> Opening | None:
    """The slit between the lids of an eye that is closed, None for one that is open or where none
    is found.
    """
    if side in head.lids:
        return None
    surface = head.surface
    slit = lid_slit(
        surface.vertices,
        surface.triangles,
        surface.lip_lid_side[:, 1],
        surface.skins[0],
        head.landmarks,
        eye=side,
    )
    if slit is None or _middle(slit).sum() < REST_MOUTH.fewest:
        return None
    mine = _middle(slit)
    apart = float(np.median(np.linalg.norm((slit.upper.points - slit.lower.points)[mine], axis=1)))
    jump = _apart(slit, surface.lip_lid_side[:, 1:])[1]
    return slit if jump >= REST_EYES.shut_jump and apart < REST_EYES.shut_apart else None


def _middle(slit: Opening) -> Any:
    return np.abs(slit.columns) < REST_MOUTH.middle


def _apart(slit: Opening, side: Floats) -> tuple[float, float]:
    """How far apart the edges are, in half widths, and how much their sides (F,1) differ: medians
    of the middle's columns.
    """
    mine = _middle(slit)
    jump = (slit.upper.of(side) - slit.lower.of(side))[mine, 0]
    return float(np.median((slit.upper.points - slit.lower.points)[mine, 1])), float(
        np.median(jump)
    )


def _covered(surface: Surface, middle: Floats, half: float) -> bool:
    """Whether something that is no skin lies before most of the mouth."""
    places = covered.grid(
        middle[:2],
        (REST_MOUTH.hidden_wide * half, REST_MOUTH.hidden_high * half),
        (REST_MOUTH.hidden_across, REST_MOUTH.hidden_up),
    )
    own = all_corners(~surface.skins[0], surface.triangles)
    corners = surface.vertices[surface.triangles[own]].astype(np.float64)
    near = (np.abs(corners[:, :, :2].mean(axis=1) - middle[:2]) < 3 * half).all(axis=1)
    near &= (corners[:, :, 2].min(axis=1) > middle[2] - REST_MOUTH.before_to) & (
        corners[:, :, 2].max(axis=1) < middle[2] + 2 * REST_MOUTH.before_to
    )
    hidden = sum(
        bool(
            (
                (ahead > middle[2] + REST_MOUTH.before_from)
                & (ahead < middle[2] + REST_MOUTH.before_to)
            ).any()
        )
        for _which, ahead in covered.depths(corners[near], places)
    )
    return hidden >= REST_MOUTH.hidden * len(places)


def _tongue(surface: Surface, landmarks: Mapping[str, Floats], middle: Floats, half: float) -> bool:
    """Whether a slim piece that begins behind the lips sticks out between them."""
    local = surface.vertices - middle
    near = ~surface.skins[0] & (np.abs(local[:, 1]) < 2 * half) & (np.abs(local[:, 2]) < 3 * half)
    count = int(surface.pieces.max()) + 1
    wide, front, back = np.zeros(count), np.full(count, -np.inf), np.full(count, np.inf)
    np.maximum.at(wide, surface.pieces[~surface.skins[0]], np.abs(local[~surface.skins[0], 0]))
    np.maximum.at(front, surface.pieces[near], local[near, 2])
    np.minimum.at(back, surface.pieces[near], local[near, 2])
    return bool(
        (
            (wide < REST_MOUTH.tongue_slim * half)
            & (front > REST_MOUTH.tongue_out)
            & (back < -REST_MOUTH.tongue_deep)
        ).any()
    )


def lowered(found: Sequence[Finding], names: Sequence[str], sure: Floats) -> Floats:
    """How sure conditions are (K,), less where a finding concerns them.

    Args:
        found: what is unusual about the face
        names: of the conditions
        sure: float32 (K,), 0 to 1, without findings
    """
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
