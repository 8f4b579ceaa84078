# SPDX-License-Identifier: GPL-3.0-or-later
"""Parameters of `analyse/kinds.py`: what each loose part is, by a small network.

Those of `PartInputs` and `FaceSpace` say how a part is described to it. kinds.json was trained on
parts described so: another value asks for another training (`scripts/train/kinds.py`).
"""

from __future__ import annotations

from dataclasses import dataclass

from ..number import number

TRAINED = "what kinds.json was trained on; an estimate, not fitted"


@dataclass(frozen=True)
class Kinds:
    """What is made of the network's answers."""

    parts_most: int = number(
        2048,
        "parts",
        64,
        100_000,
        "that are described: a mesh of more is one whose triangles do not hang together; an"
        " estimate, not fitted",
    )
    sure_skin: float = number(
        0.9,
        "probability of skin or body",
        0.5,
        0.999,
        "below it the part that carries the landmarks may be hair before a face; of 2,344 views of"
        " modelled heads 0.1 % had less than 0.915 for their true skin",
    )
    others: int = number(
        3, "parts", 1, 20, "that are then tried for the skin; an estimate, not fitted"
    )
    still: float = number(
        0.5,
        "probability of hair and worn things together",
        0.1,
        0.95,
        "from which on a part stays where it is. 8 heads by 7 makers, each maker's left out of"
        " training (scripts/train/kinds.py): 90 % of the parts that hang, by 3 makers, were above"
        " it, and of the others only the ears and the nose of one blocky head",
    )


@dataclass(frozen=True)
class FaceSpace:
    """The ellipsoid in which a face may move, and about where a skull lies, canonical."""

    face_y: float = number(-0.4, "canonical units", -1, 0.5, f"middle of the face; {TRAINED}")
    face_z: float = number(-0.5, "canonical units", -1.5, 0.5, f"middle of the face; {TRAINED}")
    face_wide: float = number(2.0, "canonical units", 0.8, 4, f"half its width; {TRAINED}")
    face_high: float = number(2.4, "canonical units", 0.8, 4, f"half its height; {TRAINED}")
    face_deep: float = number(1.9, "canonical units", 0.8, 4, f"half its depth; {TRAINED}")
    skull_y: float = number(0.1, "canonical units", -0.5, 1, f"middle of the skull; {TRAINED}")
    skull_z: float = number(-1.0, "canonical units", -2, 0, f"middle of the skull; {TRAINED}")
    skull_wide: float = number(1.25, "canonical units", 0.5, 3, f"half its width; {TRAINED}")
    skull_high: float = number(1.35, "canonical units", 0.5, 3, f"half its height; {TRAINED}")
    skull_deep: float = number(1.25, "canonical units", 0.5, 3, f"half its depth; {TRAINED}")


@dataclass(frozen=True)
class PartInputs:
    """The numbers by which a part is described to the network."""

    sampled: int = number(
        48,
        "vertices of a part",
        4,
        1000,
        f"that are looked at for how it lies to the skin; {TRAINED}",
    )
    skin_sampled: int = number(
        2048, "vertices of the skin", 64, 100_000, f"that are looked at for the same; {TRAINED}"
    )
    least_mouth: float = number(
        1e-3, "canonical units", 1e-5, 0.1, f"half the width of a mouth, at least; {TRAINED}"
    )
    least_eye: float = number(
        0.02, "canonical units", 1e-4, 0.1, f"half the size of an eye, at least; {TRAINED}"
    )
    from_feature: float = number(
        6.0,
        "half sizes of an eye or the mouth",
        1,
        20,
        f"beyond which a distance from it says no more; {TRAINED}",
    )
    behind: float = number(-0.6, "canonical units, z", -2, 0, f"what is behind a face; {TRAINED}")
    brow_level: float = number(
        0.12, "canonical units", 0.02, 0.5, f"from the brows' height; {TRAINED}"
    )
    least_extent: float = number(
        1e-4, "canonical units", 1e-6, 1e-2, f"a part's box counts as no smaller; {TRAINED}"
    )
    least_half: float = number(
        1e-5, "canonical units", 1e-7, 1e-3, f"half a part's box counts as no smaller; {TRAINED}"
    )
    grid_cells: int = number(
        64, "cells along each side", 8, 512, f"of the view of the skin from the front; {TRAINED}"
    )
    grid_fine: float = number(16.0, "cells in a canonical unit", 4, 128, f"of that view; {TRAINED}")
    grid_reach: float = number(
        2.0, "canonical units from the middle", 0.5, 4, f"of that view; {TRAINED}"
    )
    before: float = number(
        0.02, "canonical units", 0.001, 0.2, f"a vertex that is before the skin; {TRAINED}"
    )
    inside: float = number(
        -0.05, "canonical units", -0.5, 0, f"a vertex that is behind the skin; {TRAINED}"
    )
    level_most: float = number(
        1.0, "canonical units", 0.2, 5, f"before the skin, beyond which it says no more; {TRAINED}"
    )
    far_mean: float = number(
        2.0, "canonical units", 0.5, 8, f"from the skin, beyond which it says no more; {TRAINED}"
    )
    far_most: float = number(
        4.0, "canonical units", 1, 16, f"the same of the farthest vertex; {TRAINED}"
    )
    close: float = number(
        0.05, "canonical units", 0.005, 0.2, f"a vertex that is close to the skin; {TRAINED}"
    )
    closer: float = number(
        0.15, "canonical units", 0.02, 0.6, f"a vertex that is near the skin; {TRAINED}"
    )
    twin: float = number(
        0.1, "canonical units", 0.01, 0.5, f"by which mirrored parts lie apart; {TRAINED}"
    )
    alike: float = number(
        1.5, "times", 1.05, 4, f"by which parts of one kind, such as locks, differ; {TRAINED}"
    )
    clip: float = number(
        4.0, "spreads from the mean", 1, 20, f"beyond which a number says no more; {TRAINED}"
    )


KINDS = Kinds()
FACE_SPACE = FaceSpace()
PART_INPUTS = PartInputs()
