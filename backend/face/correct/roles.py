# SPDX-License-Identifier: GPL-3.0-or-later
"""What the user says that a part is: eyes, lashes, brows, teeth and tongues then take part only in
what such a part does.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..geometry.frame import Floats
from ..geometry.mesh import Ints
from ..geometry.motion import rigid
from ..shapes.regions import region_of
from .rigid_parts import LOOK

ROLES = ("auto", "face", "eyes", "lashes", "brows", "teeth", "tongue")  # the numbers that travel


def takes_part(role: str, condition: str) -> bool:
    """Whether a part of that role moves under a condition; conditions of unknown names move
    everything.
    """
    region = region_of(condition)
    if region is None or role in ("auto", "face"):
        return True
    if role == "eyes":
        return condition.startswith(LOOK)
    allowed = {
        "lashes": ("eyes", "cheeks"),
        "brows": ("brows",),
        "teeth": ("jaw",),
        "tongue": ("jaw", "tongue"),
    }[role]
    return (
        region in allowed and condition != "mouthClose"
        if role in ("teeth", "tongue")
        else region in allowed
    )


def of(roles: Ints, role: str) -> NDArray[np.bool_]:
    """Vertices (F,) of a role.

    Args:
        roles: int32 (F,), numbers in ROLES
        role: its name
    """
    return np.asarray(roles == ROLES.index(role))


def hold_to(shapes: dict[str, Floats], vertices: Floats, roles: Ints, parts: Floats) -> None:
    """Keep the vertices of a role to what it takes part in, and teeth in one piece, in place.

    Args:
        shapes: condition -> offsets float32 (F,3), canonical
        vertices: float32 (F,3), canonical
        roles: int32 (F,), places in ROLES
        parts: float32 (F,6), boxes that tell loose parts apart
    """
    for number, role in enumerate(ROLES):
        mine = np.flatnonzero(roles == number)
        if not len(mine) or role in ("auto", "face"):
            continue
        pieces = [mine]
        if role == "teeth":
            owner = np.unique(parts[mine], axis=0, return_inverse=True)[1].ravel()
            pieces = [mine[owner == piece] for piece in range(int(owner.max()) + 1)]
        for condition, offsets in shapes.items():
            if not takes_part(role, condition):
                offsets[mine] = 0
            elif role == "teeth":
                for piece in pieces:
                    offsets[piece] = rigid(vertices[piece], offsets[None, piece])[0]
