# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a request fits below the memory that its settings allow, before it is worked on."""

from __future__ import annotations

from ..errors import BackendError

MAX_BYTES = 1 << 30  # of all offsets together
OFFSET_BYTES = 12  # three float32
# of a mesh, while its face is looked for and looked at: 600 to 760 on 683,000 vertices
VERTEX_BYTES = 800


def require_room_for_mesh(vertices: int, memory_mb: int) -> None:
    """Raise BackendError `out_of_memory` for a mesh that is too large whatever is asked for."""
    needed = vertices * VERTEX_BYTES
    if needed > memory_mb << 20:
        raise BackendError(
            "out_of_memory",
            f"A mesh of {vertices} vertices needs {needed / 2**30:.1f} GiB, more than is allowed.",
            "Make the head an object of its own, or raise Memory (MB) in the preferences.",
        )


def require_room_for_shapes(count: int, vertices: int, face: int, memory_mb: int) -> None:
    """Raise BackendError `out_of_memory` for too many shapes.

    Args:
        count: of shapes
        vertices: of the mesh
        face: vertices of its face
        memory_mb: MiB that the process may take
    """
    offsets = count * face * OFFSET_BYTES
    if offsets > MAX_BYTES or vertices * VERTEX_BYTES + offsets > memory_mb << 20:
        raise BackendError(
            "out_of_memory",
            f"{count} shapes on {face} vertices need {offsets / 2**30:.1f} GiB, more than is"
            " allowed.",
            "Ask for fewer shapes at a time, or mark the face with a vertex group.",
        )
