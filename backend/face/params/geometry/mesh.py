# SPDX-License-Identifier: GPL-3.0-or-later
"""Parameters of `geometry/mesh.py` and what else reads surfaces."""

from __future__ import annotations

from dataclasses import dataclass

from ..number import number


@dataclass(frozen=True)
class Mesh:
    """How a mesh's arrays are read (`geometry/mesh.py`)."""

    weld: float = number(
        1e-6,
        "share of the mesh's largest extent",
        5e-7,
        1e-4,
        "vertices within it are in one place; those that were split for UVs or normals coincide"
        " far closer; a cell's number has room for no finer grid; an estimate, not fitted",
    )
    alike: float = number(
        0.5,
        "cosine",
        0,
        1,
        "a normal belongs to the mean normal of its place from there on; an estimate, not fitted",
    )
    folded: float = number(
        -0.98,
        "cosine",
        -1,
        -0.5,
        "two triangles whose normals are below it are folded back onto each other; an estimate,"
        " not fitted",
    )
    distances_at_once: int = number(
        1 << 17,
        "distances",
        1 << 10,
        1 << 24,
        "bounds the table of distances, so that it fits into a core's cache; an estimate, not"
        " fitted",
    )


@dataclass(frozen=True)
class Mirror:
    """How each vertex's mirror image is found (`geometry/mirror.py`)."""

    face_y: float = number(
        -0.5,
        "canonical units",
        -1,
        0,
        "height of the middle of the ball in which a face is symmetric whatever the hair does; an"
        " estimate, not fitted",
    )
    face_z: float = number(
        -0.1,
        "canonical units",
        -1,
        0.5,
        "depth of that ball's middle; an estimate, not fitted",
    )
    face_radius: float = number(
        1.2, "canonical units", 0.5, 2, "radius of that ball; an estimate, not fitted"
    )
    near: float = number(
        0.02,
        "canonical units",
        0.005,
        0.1,
        "partners are sought within it at first; an estimate, not fitted",
    )
    close: float = number(
        0.004,
        "canonical units",
        0.0005,
        0.02,
        "partners are sought within it once the plane is known from the first ones; an estimate,"
        " not fitted",
    )
    facing: float = number(
        -0.2,
        "cosine",
        -1,
        1,
        "a partner's normal and the mirrored one agree by more; what faces away is none; an"
        " estimate, not fitted",
    )
    other_kind: float = number(
        4.0,
        "tolerances",
        0,
        20,
        "a partner of another kind counts as so much farther; an estimate, not fitted",
    )
    paired: float = number(
        0.9,
        "share of the face's vertices",
        0.5,
        1,
        "a mesh is symmetric when more of them have a partner; an estimate, not fitted",
    )
    fewest: int = number(
        100, "vertices", 10, 1000, "a face of fewer is not judged; an estimate, not fitted"
    )
    sample: int = number(
        1500, "vertices", 100, 100_000, "the plane is found from so many; an estimate, not fitted"
    )
    pairs_at_once: int = number(
        1 << 14,
        "pairs of a point and one that may be its partner",
        1 << 8,
        1 << 22,
        "bounds the memory of a table; an estimate, not fitted",
    )


@dataclass(frozen=True)
class Plane:
    """How the plane in which a face mirrors is found (`geometry/symmetry.py`)."""

    rounds: int = number(8, "rounds", 1, 50, "at most; an estimate, not fitted")
    probes: int = number(
        500, "points", 50, 10_000, "that are mirrored and looked up; an estimate, not fitted"
    )
    points: int = number(
        4000, "points", 100, 100_000, "that they are looked up in; an estimate, not fitted"
    )
    near: float = number(
        0.2, "canonical units", 0.05, 1, "farther pairs say nothing; an estimate, not fitted"
    )
    close: float = number(
        0.04, "canonical units", 0.01, 0.2, "nearer pairs are partners; an estimate, not fitted"
    )
    fewest: int = number(
        30, "pairs", 4, 500, "a plane is solved for from no fewer; an estimate, not fitted"
    )
    softening: float = number(
        0.02,
        "canonical units",
        0.001,
        0.2,
        "added to a pair's distance, by whose inverse it counts; an estimate, not fitted",
    )
    settled: float = number(
        1e-9,
        "canonical units and radians",
        0,
        1e-3,
        "a correction below it ends the search; an estimate, not fitted",
    )
    beside: float = number(
        5e-3,
        "canonical units",
        1e-4,
        0.1,
        "a plane found lies no farther beside that of an exactly symmetric mesh: 4e-4 to 9e-4 on"
        " the sample head, gene and uka",
    )
    around: float = number(
        0.05,
        "canonical units",
        0.02,
        1,
        "from where a probe's partner is wanted at first, within which it is sought: ten times"
        " `beside`, so that none is missed",
    )
    narrowed: float = number(
        0.3,
        "share",
        0.01,
        0.9,
        "of a round's distance between partners, in the next round; an estimate, not fitted",
    )
    exact: float = number(
        1e-5,
        "canonical units",
        1e-7,
        1e-3,
        "partners of an exactly symmetric mesh lie no farther apart; rounding is 1e-6 of a body",
    )
    paired: float = number(
        0.15,
        "share of the probes",
        0.05,
        1,
        "a mesh is exactly symmetric when so many have an exact partner, which none has by chance:"
        " of quads that were triangulated and subdivided twice 0.4 have one",
    )
    settling: int = number(
        200, "points", 20, 10_000, "whose exact partners are looked for; an estimate, not fitted"
    )


@dataclass(frozen=True)
class Orientation:
    """Which way triangles face (`geometry/orientation.py`)."""

    samples: int = number(
        1 << 13,
        "triangles",
        1 << 8,
        1 << 20,
        "that are looked at: enough for each cell of a view to hold several; an estimate, not"
        " fitted",
    )
    cells: int = number(32, "cells along each side of a view", 8, 256, "an estimate, not fitted")
    clearly: float = number(
        0.3,
        "mean vote, from 1 (all look outside) to -1",
        0,
        2,
        "the mesh is turned when that betters the vote by more; on 23 heads turning makes it worse"
        " by 0.56 or more",
    )
    part_inverted: float = number(
        -0.8,
        "mean vote, from 1 (all look outside) to -1",
        -1,
        0,
        "a small loose part below it, such as an eye that was mirrored, is turned; an estimate,"
        " not fitted",
    )
    part_votes: int = number(
        8,
        "triangles",
        1,
        100,
        "so many of a part must be in front for it to be judged by them; an estimate, not fitted",
    )
    body_fewest: int = number(
        20,
        "triangles",
        4,
        500,
        "a part of fewer is not taken for a closed body; an estimate, not fitted",
    )
    body_open: float = number(
        0.05,
        "share of a body's surface",
        0,
        0.5,
        "that may be missing, as the sum of its areas tells; an estimate, not fitted",
    )
    body_thin: float = number(
        0.01,
        "volume by the surface to the power of 1.5",
        0.001,
        0.09,
        "a part below it is a sheet and no body: a ball has 0.094; an estimate, not fitted",
    )
    small: float = number(
        0.1,
        "share of all triangles",
        0,
        1,
        "only smaller parts are turned by themselves, since a shell around the head that looks"
        " inwards is an outline; an estimate, not fitted",
    )


@dataclass(frozen=True)
class Smoothing:
    """How roughness is taken out of shapes (`geometry/smoothing.py`)."""

    bytes_at_once: int = number(
        1 << 18,
        "bytes of shapes",
        1 << 10,
        1 << 30,
        "smoothed at once, so that copies stay in a core's cache: 17 to 20 bits take the same time;"
        " changes the time, not the result",
    )
    share: float = number(
        0.75,
        "share of the mean of the neighbours",
        0,
        1,
        "on heads that were left out of training as good as twice a half; more begins to wash out"
        " lips",
    )


MESH = Mesh()
MIRROR = Mirror()
PLANE = Plane()
ORIENTATION = Orientation()
SMOOTHING = Smoothing()
