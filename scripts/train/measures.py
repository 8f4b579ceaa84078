# SPDX-License-Identifier: GPL-3.0-or-later
"""What average error hides: whether lids and lips meet (edges.py), whether bodies stay stiff,
whether hidden things stay hidden, whether sides mirror.

All are read against what the artist's own shapes do on the same head, so they need no names of
parts; offsets (V,3) by ARKit name.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from backend.face.geometry.landmarks import SIDES, mirrored
from backend.face.geometry.mesh import loose_parts
from backend.face.geometry.mirror import partners
from backend.face.geometry.motion import rigid
from backend.face.geometry.normals import seamless_normals

from ..samples.rig import Floats, Ints, Rig
from .edges import Indices, Shapes, lid_edges, lip_pairs, skin_of

# share of a part's movement that no rigid motion explains, up to which an artist moved it as a body
BODY = 0.02
PROBES = 150  # vertices of eyes or teeth that are looked for behind the skin
LOOKS = ("eyeLookUp", "eyeLookDown", "eyeLookIn", "eyeLookOut")
SHUT = (
    "mouthRoll",
    "mouthPress",
    "mouthPucker",
    "mouthLeft",
    "mouthRight",
    "mouthShrug",
    "mouthSmile",
    "mouthFrown",
)
JAWS = ("jawOpen", "jawForward", "jawLeft", "jawRight")
ALIKE = 0.9  # share of vertices with a mirrored partner from which on a head is symmetric


def rigidity(rig: Rig, got: Shapes, names: tuple[str, ...]) -> float:
    """How far what the artist moves as a body is bent, the largest over shapes of the root mean
    square against the nearest rigid motion, as part of the body's size; mean over bodies, nan where
    there is none.
    """
    parts = loose_parts(rig.vertices, rig.triangles)
    shapes = [
        n for n in (*names, *(f"{n}{s.title()}" for n in names for s in SIDES)) if n in rig.shapes
    ]
    if not shapes:
        return float("nan")
    true = np.stack([rig.shapes[n] for n in shapes])
    size = np.linalg.norm(true, axis=2).max(axis=(0, 1))
    bent = []
    for part in np.unique(parts[np.linalg.norm(true, axis=2).max(axis=0) > 0.1 * size]):
        mine = np.flatnonzero(parts == part)
        if len(mine) < 8:
            continue
        stiff = (
            np.square(true[:, mine] - rigid(rig.vertices[mine], true[:, mine])).sum()
            <= BODY * np.square(true[:, mine]).sum()
        )
        if stiff:
            ours = np.stack([got[n][mine] for n in shapes])
            error = (
                np.square(ours - rigid(rig.vertices[mine], ours)).sum(axis=2).mean(axis=1) ** 0.5
            )
            bent.append(
                float(error.max())
                / (0.5 * float(np.linalg.norm(np.ptp(rig.vertices[mine], axis=0))))
            )
    return float(np.mean(bent)) if bent else float("nan")


def hidden(
    vertices: Floats, triangles: Ints, probes: Indices, tolerance: float
) -> NDArray[np.bool_]:
    """Which probes (P,) lie behind some triangle when seen from the front along -Z; tolerance: how
    far behind counts.
    """
    corners = vertices[triangles]
    low, high = corners[:, :, :2].min(axis=1), corners[:, :, :2].max(axis=1)
    found = np.zeros(len(probes), bool)
    points = vertices[probes]
    for chunk in np.array_split(
        np.arange(len(probes)), len(probes) // 128 + 1
    ):  # bounds the table of pairs
        p = points[chunk]
        inside = (p[:, None, :2] >= low[None]).all(axis=2) & (p[:, None, :2] <= high[None]).all(
            axis=2
        )
        who, which = np.nonzero(inside)
        a, b, c = corners[which, 0], corners[which, 1], corners[which, 2]
        q = p[who]
        area = (b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) - (b[:, 1] - a[:, 1]) * (c[:, 0] - a[:, 0])
        with np.errstate(divide="ignore", invalid="ignore"):
            s = (
                (q[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1])
                - (q[:, 1] - a[:, 1]) * (c[:, 0] - a[:, 0])
            ) / area
            t = (
                (b[:, 0] - a[:, 0]) * (q[:, 1] - a[:, 1])
                - (b[:, 1] - a[:, 1]) * (q[:, 0] - a[:, 0])
            ) / area
            depth = a[:, 2] + s * (b[:, 2] - a[:, 2]) + t * (c[:, 2] - a[:, 2])
            covers = (s >= 0) & (t >= 0) & (s + t <= 1) & (depth > q[:, 2] + tolerance)
        found[chunk[np.unique(who[covers])]] = True
    return found


def penetration(rig: Rig, got: Shapes, skin: NDArray[np.bool_]) -> float:
    """Share of the vertices of eyes and teeth that the artist's skin hides from the front and ours
    lets through: of what lies in an eye's opening at its blink, and of what lies behind the mouth
    at the shapes SHUT; nan where the artist hides nothing.
    """
    v, marks = rig.vertices, rig.landmarks(rig.vertices, rig.shapes)
    shown, total = 0, 0
    for side in SIDES:
        name, inner, outer = (
            f"eyeBlink{side.title()}",
            marks[f"eye_inner_{side}"],
            marks[f"eye_outer_{side}"],
        )
        if name in rig.shapes:
            middle, half = (inner + outer) / 2, float(np.linalg.norm(outer - inner)) / 2
            still = np.linalg.norm(rig.shapes[name], axis=1) < 0.02 * half
            wanted = (
                ~skin
                & still
                & (np.linalg.norm((v - middle)[:, :2], axis=1) < half)
                & (np.abs(v[:, 2] - middle[2]) < 2 * half)
            )
            some, all_ = _shown(
                rig, got, skin, np.flatnonzero(wanted), [name], middle=middle, half=half
            )
            shown, total = shown + some, total + all_
    middle, half = (
        (marks["mouth_left"] + marks["mouth_right"]) / 2,
        float(np.linalg.norm(marks["mouth_left"] - marks["mouth_right"])) / 2,
    )
    away = np.abs(v - middle)
    wanted = (
        ~skin
        & (away[:, 0] < half)
        & (away[:, 1] < half)
        & (v[:, 2] < middle[2] + half)
        & (away[:, 2] < 2 * half)
    )
    shut = [n for n in rig.shapes if n.startswith(SHUT)]
    some, all_ = _shown(rig, got, skin, np.flatnonzero(wanted), shut, middle=middle, half=half)
    return (shown + some) / (total + all_) if total + all_ else float("nan")


def _shown(
    rig: Rig,
    got: Shapes,
    skin: NDArray[np.bool_],
    inside: Indices,
    names: list[str],
    *,
    middle: Floats,
    half: float,
) -> tuple[int, int]:
    """How many vertices that skin near a place hides in the artist's shapes it does not hide in
    ours, and of how many, over all names.
    """
    probes = inside[:: len(inside) // PROBES + 1]
    near = rig.triangles[
        (skin & (np.abs(rig.vertices - middle) < 2 * half).all(axis=1))[rig.triangles].any(axis=1)
    ]
    shown = total = 0
    if not len(probes) or not len(near):
        return 0, 0
    for name in names:
        theirs = hidden(rig.vertices + rig.shapes[name], near, probes, 0.0)
        ours = hidden(rig.vertices + got[name], near, probes, 0.0)
        shown, total = shown + int((theirs & ~ours).sum()), total + int(theirs.sum())
    return shown, total


def mirror_error(rig: Rig, got: Shapes, region: NDArray[np.bool_]) -> float:
    """Left shapes against mirrored right ones, vertex by vertex: norm of the difference by norm of
    the shape, the mean over shapes, where the mesh is symmetric; nan where it is not.
    """
    marks = rig.landmarks(rig.vertices, rig.shapes)
    middle = float(np.mean([marks[n][0] for n in marks if n.startswith("eye_")]))
    points = (rig.vertices[region] - np.array([middle, 0, 0], np.float32)).astype(np.float32)
    unit = float(np.linalg.norm(marks["eye_outer_left"] - marks["eye_outer_right"]))
    normals = seamless_normals(rig.vertices, rig.triangles)[region]
    partner = partners(points, normals, np.array([1.0, 0, 0]), 0.0, 2e-3 * unit)
    paired = np.flatnonzero(partner >= 0)
    if len(paired) < ALIKE * len(points):
        return float("nan")
    flip, found = np.array([-1, 1, 1], np.float32), []
    for name in got:
        one, other = got[name][region][paired], got[mirrored(name)][region][partner[paired]] * flip
        size = (np.square(one).sum() + np.square(other).sum()) / 2
        if size > 0:
            found.append(float((np.square(one - other).sum() / size) ** 0.5))
    return float(np.mean(found)) if found else 0.0


def contact_measures(rig: Rig, got: Shapes) -> dict[str, float]:
    """The gaps that lids and lips leave and the other measures of this module; see evaluate.py for
    their names.
    """
    skin = skin_of(rig, rig.landmarks(rig.vertices, rig.shapes))
    gaps, crossed = [], []
    for side in SIDES:
        edges = lid_edges(rig, side, skin)
        if len(edges.upper):
            gaps.append(edges.gap(got[f"eyeBlink{side.title()}"]))
            crossed.append(
                -edges.gap(got[f"eyeBlink{side.title()}"] + got[f"eyeSquint{side.title()}"])
            )
    gap, cross = (
        np.concatenate(x).clip(min=0) if x else np.array([np.nan]) for x in (gaps, crossed)
    )
    lips = lip_pairs(rig, skin)
    slit = np.abs(lips.gap(got["jawOpen"] + got["mouthClose"])) if lips else np.array([np.nan])
    return {
        "lids": float(gap.mean()),
        "lids95": float(np.quantile(gap, 0.95)),
        "cross": float(cross.mean()),
        "lips": float(slit.mean()),
        "lips95": float(np.quantile(slit, 0.95)),
        "teeth": rigidity(rig, got, JAWS),
        "eyes": rigidity(rig, got, LOOKS),
        "through": penetration(rig, got, skin),
    }
