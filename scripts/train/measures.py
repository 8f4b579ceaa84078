# SPDX-License-Identifier: GPL-3.0-or-later
"""What average error hides: whether lids and lips meet, whether bodies stay stiff, whether hidden
things stay hidden, whether sides mirror.

All are read against what the artist's own shapes do on the same head, so they need no names of
parts; offsets (V,3) by ARKit name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from backend.face.geometry.landmarks import SIDES, mirrored
from backend.face.geometry.mesh import connected_parts, loose_parts
from backend.face.geometry.mirror import partners
from backend.face.geometry.motion import rigid
from backend.face.geometry.normals import seamless_normals

from ..samples.rig import Floats, Ints, Rig

COLUMNS, LID_COLUMNS = (
    14,
    9,
)  # strips across a mouth and an eye, in each of which an edge is looked for
EDGE = 0.8  # of the farthest way in a strip, from which on a vertex belongs to the lid's edge
WORTH = 0.25  # of the eye's height: a strip whose edge the artist moves less says nothing
# of the eye's height: a strip in which the artist's own lids stay farther apart is beyond the eye
MEET = 0.15
# share of a part's movement that no rigid motion explains, up to which an artist moved it as a body
BODY = 0.02
# share of a welded skin above which the piece around the nose is all of it: less is an island of
# its UV map
SEWN = 0.7
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

Shapes = Mapping[str, Floats]
Indices = NDArray[np.intp]


@dataclass(frozen=True)
class Edges:
    """Two edges that meet. upper, lower (N,): vertices that face each other. rest (N,): how far
    lower lies below upper, along down (3,) unit, on the neutral head. unit: what gaps are measured
    in.
    """

    upper: Indices
    lower: Indices
    down: Floats
    rest: Floats
    unit: float

    def gap(self, offsets: Floats) -> Floats:
        """What is left between the edges (N,) after offsets (V,3), in units; negative where they
        have passed each other.
        """
        return np.asarray(
            (self.rest + (offsets[self.lower] - offsets[self.upper]) @ self.down) / self.unit,
            np.float32,
        )


def skin_of(rig: Rig, marks: Shapes) -> NDArray[np.bool_]:
    """Vertices (V,) of the loose part that the nose belongs to, without what is only sewn to it, as
    lashes may be.
    """
    nose = np.linalg.norm(rig.vertices - marks["nose_tip"], axis=1).argmin()
    parts, raw = (
        loose_parts(rig.vertices, rig.triangles),
        connected_parts(len(rig.vertices), rig.triangles),
    )
    skin, piece = parts == parts[nose], raw == raw[nose]
    return np.asarray(piece if piece.sum() > SEWN * skin.sum() else skin)


def lid_edges(rig: Rig, side: str, skin: NDArray[np.bool_]) -> Edges:
    """In each strip across the eye: the lowest vertex that the artist's blink moves nearly as far
    as any there, and the highest one that it does not, next to where the first one lands. Of an
    edge's thickness the front counts.
    """
    v, blink, marks = (
        rig.vertices,
        rig.shapes[f"eyeBlink{side.title()}"],
        rig.landmarks(rig.vertices, rig.shapes),
    )
    inner, outer = marks[f"eye_inner_{side}"], marks[f"eye_outer_{side}"]
    way = marks[f"lid_lower_{side}"] - marks[f"lid_upper_{side}"]
    height = float(np.linalg.norm(way))
    down = way / height
    far = np.linalg.norm(blink, axis=1)
    lid = (
        skin if far[skin].max() > 0.6 * far.max() else np.ones(len(v), bool)
    )  # cartoon lids may be parts of their own
    descent, level = blink @ down, v @ down
    along = (v - inner) @ (outer - inner) / float((outer - inner) @ (outer - inner))
    strip = np.where(
        (along > 0.05) & (along < 0.95) & lid, np.floor(along * LID_COLUMNS), -1
    ).astype(int)
    upper: list[int] = []
    lower: list[int] = []
    resting = np.flatnonzero(lid & (descent < 0.1 * descent.max()))
    wide = float(np.linalg.norm(outer - inner)) / LID_COLUMNS
    for column in range(LID_COLUMNS):
        mine = np.flatnonzero(strip == column)
        if len(mine) and descent[mine].max() > WORTH * height:
            edge = mine[descent[mine] >= EDGE * descent[mine].max()]
            front = float(v[edge[level[edge] > level[edge].max() - 0.15 * height], 2].max())
            top = int(edge[(level - 0.6 * np.maximum(front - v[:, 2], 0))[edge].argmax()])
            away = v[resting] - (v + blink)[top]
            near = resting[
                (np.abs(away[:, 0]) < wide) & (np.linalg.norm(away, axis=1) < 0.6 * height)
            ]
            if len(near):
                upper.append(top)
                behind = np.maximum(v[near, 2].max() - v[near, 2], 0)
                lower.append(
                    int(
                        near[
                            (
                                -level[near] - 0.6 * behind - 0.3 * np.abs((v - v[top])[near, 0])
                            ).argmax()
                        ]
                    )
                )
    top_, low = np.array(upper, np.intp), np.array(lower, np.intp)
    edges = Edges(top_, low, down.astype(np.float32), level[low] - level[top_], height)
    meet = edges.gap(blink) < MEET
    return Edges(top_[meet], low[meet], edges.down, edges.rest[meet], height)


def opening_of(rig: Rig) -> Floats | None:
    """Offsets (V,3) of whatever parts the lips on this rig."""
    if "jawOpen" in rig.shapes:
        return rig.shapes["jawOpen"]
    mixed = [offsets for weights, offsets in rig.mixes if weights.get("jawOpen", 0) > 0]
    if mixed:
        return mixed[0]
    return (
        rig.shapes["mouthLowerDownLeft"] + rig.shapes["mouthLowerDownRight"]
        if "mouthLowerDownLeft" in rig.shapes
        else None
    )


def lip_pairs(rig: Rig, skin: NDArray[np.bool_]) -> Edges | None:
    """In each strip across the mouth the foremost pair of close vertices of which only one follows
    the jaw.
    """
    jaw, v, marks = opening_of(rig), rig.vertices, rig.landmarks(rig.vertices, rig.shapes)
    if jaw is None:
        return None
    left, right = marks["mouth_left"], marks["mouth_right"]
    wide, lips = float(np.linalg.norm(left - right)), (marks["lip_upper"] + marks["lip_lower"]) / 2
    far = np.linalg.norm(jaw, axis=1)
    if not far[skin].any():
        return None
    far = far / far[skin].max()
    along = (v - right) @ (left - right) / wide**2
    near = skin & (np.abs(v[:, 1] - lips[1]) < 0.3 * wide) & (v[:, 2] > lips[2] - 0.3 * wide)
    upper, lower = [], []
    for column in range(COLUMNS):
        mine = near & (np.floor(along * COLUMNS) == column) & (along > 0.15) & (along < 0.85)
        if mine.any():
            middle = (far[mine].min() + far[mine].max()) / 2
            above, below = (
                np.flatnonzero(mine & (far < middle)),
                np.flatnonzero(mine & (far >= middle)),
            )
            if len(above) and len(below) and far[mine].max() - far[mine].min() > 0.25:
                away = np.linalg.norm(v[above][:, None] - v[below][None], axis=2)
                behind = 0.5 * (v[above, 2][:, None] + v[below, 2][None])
                first, second = np.unravel_index(int((away - behind).argmin()), away.shape)
                upper.append(above[first])
                lower.append(below[second])
    if not upper:
        return None
    top, low = np.array(upper, np.intp), np.array(lower, np.intp)
    return Edges(top, low, np.array([0, -1, 0], np.float32), np.zeros(len(top), np.float32), wide)


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
