# SPDX-License-Identifier: GPL-3.0-or-later
"""Parameters of what is cut out as the face: `locate/cut.py`, `face.py`, `worn.py`."""

from __future__ import annotations

from dataclasses import dataclass

from ..number import number


@dataclass(frozen=True)
class Trust:
    """How far the model is believed alone (`locate/face.py`)."""

    alone_from: float = number(
        0.85,
        "likeness to heads learnt from",
        0.3,
        0.97,
        "above which the model begins to be believed; an estimate, not fitted",
    )
    alone_to: float = number(
        0.98,
        "likeness to heads learnt from",
        0.5,
        1.2,
        "from which on it is believed alone; an estimate, not fitted",
    )
    rig_from: float = number(
        5e-5,
        "lack of likeness to 1",
        3.1e-5,
        1e-2,
        "below which a head begins to be one of the training rigs': heads by other makers lack 6e-5"
        " and more (Antonia 1.3e-4; 14 heads that only measure)",
    )
    rig_to: float = number(
        3e-5,
        "lack of likeness to 1",
        1e-6,
        4.9e-5,
        "below which a head surely is one of the training rigs': identities held out of"
        " ICT-FaceKit, MakeHuman and Vitruvian, also in other tessellations, lack 2.2e-5 at most"
        " (22 heads)",
    )
    inside_from: float = number(
        0.1,
        "canonical units",
        0.02,
        0.19,
        "that a lid may lie inside the eye's opening on a head that surely is one of the training"
        " rigs': 0.08 at most on 21 of these and warps of them",
    )
    inside_to: float = number(
        0.2,
        "canonical units",
        0.11,
        0.6,
        "from which on it is none, whatever the encoder says: 0.3 on a drawn head that noise of"
        " 0.02 % makes look like one; an estimate between both",
    )
    fewest: int = number(
        24,
        "triangles",
        4,
        500,
        "below which there is nothing to look at; an estimate, not fitted",
    )


@dataclass(frozen=True)
class Cut:
    """What of a mesh may move, and how far, from 0 at `from` to wholly at `to`."""

    border_from: float = number(
        1.0,
        "radii of the ellipsoid around the face",
        0.85,
        1.5,
        "nothing moves beyond; an estimate, not fitted",
    )
    border_to: float = number(
        0.8,
        "radii of that ellipsoid",
        0.4,
        0.98,
        "everything moves within; an estimate, not fitted",
    )
    throat_from: float = number(
        0.6,
        "canonical units below the chin",
        0.2,
        1.5,
        "nothing moves below; an estimate, not fitted",
    )
    throat_to: float = number(
        0.15,
        "canonical units below the chin",
        0,
        0.45,
        "everything moves above; parts that lie there are looked at; an estimate, not fitted",
    )
    jaw_rise: float = number(
        0.6,
        "canonical units for each behind the chin",
        0,
        1.5,
        "by which the jaw's line lies higher: what is far below it is neck; an estimate, not"
        " fitted",
    )
    jaw_from: float = number(
        0.9,
        "canonical units below the jaw's line",
        0.4,
        2,
        "nothing moves below; an estimate, not fitted",
    )
    jaw_to: float = number(
        0.35,
        "canonical units below the jaw's line",
        0,
        0.7,
        "everything moves above; an estimate, not fitted",
    )
    head_from: float = number(
        0.5,
        "weight to the head's bones",
        0.05,
        0.65,
        "what has less does not move, and is not of the head; an estimate, not fitted",
    )
    head_to: float = number(
        0.8,
        "weight to the head's bones",
        0.6,
        1,
        "what has more moves wholly; an estimate, not fitted",
    )
    same_eyes: float = number(
        0.4,
        "canonical units",
        0.1,
        0.6,
        "mean way of the eyes' landmarks up to which another place for a face has the same eyes; an"
        " estimate, not fitted",
    )
    other_mouth: float = number(
        0.5,
        "canonical units",
        0.25,
        2,
        "mean way of the mouth's landmarks from which on another place has another mouth, where the"
        " mesh has none at the first one; an estimate, not fitted",
    )
    within: float = number(
        0.5,
        "share of a part's vertices in the face's space",
        0.1,
        1,
        "a part with less does not move: collars and long hair reach into it; an estimate, not"
        " fitted",
    )


@dataclass(frozen=True)
class Worn:
    """Hair and what is worn, by what names say (`locate/worn.py`)."""

    spread: float = number(
        0.2,
        "share of a loose part's vertices",
        0.02,
        0.8,
        "on bones of hair from which on all of it is: only ends of locks swing; an estimate, not"
        " fitted",
    )
    hung: float = number(
        0.9,
        "share of a loose part's vertices",
        0.4,
        1,
        "the same of bones that only their place tells; an estimate, not fitted",
    )
    carried: int = number(
        2,
        "of the landmarks before which no hair hangs",
        1,
        4,
        "that must lie on what is called hair for it to be the face; an estimate, not fitted",
    )
    far: float = number(
        0.15,
        "canonical units",
        0.02,
        0.6,
        "the farthest that skin of few polygons has a vertex from a landmark; an estimate, not"
        " fitted",
    )
    tries: int = number(5, "searches", 1, 20, "at most; an estimate, not fitted")
    brow_wide: float = number(
        0.45,
        "canonical units",
        0.1,
        1,
        "half the width of a brow at most; an estimate, not fitted",
    )
    brow_high: float = number(
        0.15,
        "canonical units",
        0.03,
        0.5,
        "half the height of a brow at most; an estimate, not fitted",
    )
    lash_wide: float = number(
        0.45,
        "canonical units",
        0.1,
        1,
        "half the width of a lash at most; an estimate, not fitted",
    )
    lash_high: float = number(
        0.2,
        "canonical units",
        0.03,
        0.6,
        "half the height of a lash at most; an estimate, not fitted",
    )
    near_x: float = number(
        0.35,
        "canonical units to the side",
        0.05,
        1,
        "that the middle of a brow's or lash's part is from where such a thing lies; an estimate,"
        " not fitted",
    )
    near_y: float = number(
        0.25, "canonical units up or down", 0.05, 1, "the same; an estimate, not fitted"
    )
    near_z: float = number(
        0.4, "canonical units in depth", 0.05, 1, "the same; an estimate, not fitted"
    )


TRUST = Trust()
CUT = Cut()
WORN = Worn()
