# SPDX-License-Identifier: GPL-3.0-or-later
"""The classical way, as a yardstick: fit a template head by non-rigid ICP, transfer its shapes,
carry them over to the head's vertices.

python -m scripts.train.baseline --data DATA --out FOLDER [--heads gene,uka]

Runs in the environment of requirements/train.txt (trimesh, scipy), about half a minute per head,
    and leaves FOLDER/HEAD.npz for
`evaluate --baseline FOLDER`; a head that is there is not done again. It is told the head's true
    landmarks and which loose part is skin.
    fit        Amberg et al. 2007, Optimal Step Nonrigid ICP, as in trimesh, from a warp that takes
               the template's landmarks to the head's
    transfer   Sumner and Popovic 2004, Deformation Transfer for Triangle Meshes, solved as a
               Poisson problem (Botsch et al. 2006)
    resample   each vertex takes what the nearest point of the fitted template does, less the
               farther that point is away
"""

from __future__ import annotations

import argparse
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.face.analyse.face_skin import MARKS
from backend.face.geometry.frame import frame_of_landmarks
from backend.face.geometry.landmarks import NAMES
from backend.face.geometry.mesh import loose_parts

from ..samples.rig import Floats, Ints, Rig
from .held_out import HEADS, RIGS, head, named
from .tessellations import decimated

Doubles = NDArray[np.float64]
SKIN = {
    "ict": 11248,
    "makehuman": None,
}  # ICT's face, head and neck come first; MakeHuman's skin is the largest part
REACH = 2.1  # canonical units around the face that the template covers
COUNT = 4000  # vertices of the template
FADE = 0.15  # canonical units from the fitted template at which a vertex follows it by 1/e
STEPS = (
    (0.02, 10.0, 0.5, 6),
    (0.01, 6.0, 0.5, 6),
    (0.005, 3.0, 0.5, 6),
    (0.003, 2.0, 0.5, 6),
)  # stiffness, landmarks, normals, rounds
PIN = 1e-2  # weight that keeps what no shape moves in place
UNMOVED = 0.004  # canonical units: a template vertex that no shape moves farther is pinned


def canonical(rig: Rig, frame: Any) -> tuple[Floats, dict[str, Floats]]:
    """Vertices (V,3) and shapes (V,3) of a rig in a frame."""
    turn = (frame.rotation.T / frame.scale).astype(np.float32)
    return frame.to_canonical(rig.vertices), {
        name: offsets @ turn for name, offsets in rig.shapes.items()
    }


def template(folder: Path, name: str) -> tuple[Floats, Ints, dict[str, Floats], Floats]:
    """The template in its canonical frame: vertices (N,3), triangles (T,3), shapes by name and
    landmarks (L,3).
    """
    rig = RIGS[name](folder)
    marks = rig.landmarks(rig.vertices, rig.shapes)
    frame = frame_of_landmarks(marks)
    near = (
        np.linalg.norm(
            frame.to_canonical(rig.vertices) + np.array([0, 0.4, 0.3], np.float32), axis=1
        )
        < REACH
    )
    parts, first = loose_parts(rig.vertices, rig.triangles), SKIN[name]
    skin = np.arange(len(parts)) < first if first else parts == np.bincount(parts).argmax()
    triangles = rig.triangles[(near & skin)[rig.triangles].all(axis=1)]
    thin = decimated(
        replace(rig, triangles=triangles, anchors={}),
        COUNT / len(rig.vertices),
        np.random.default_rng(0),
    )
    vertices, shapes = canonical(thin, frame)
    used = np.unique(thin.triangles)
    index = np.cumsum(np.isin(np.arange(len(vertices)), used)) - 1
    points = np.stack([frame.to_canonical(marks[n]) for n in NAMES])
    return (
        vertices[used],
        index[thin.triangles].astype(np.int32),
        {n: x[used] for n, x in shapes.items()},
        points,
    )


def skin_of(vertices: Floats, triangles: Ints, marks: dict[str, Floats]) -> NDArray[np.bool_]:
    """Vertices (V,) of the loose part that most landmarks lie on."""
    parts = loose_parts(vertices, triangles)
    owners = [int(parts[np.linalg.norm(vertices - marks[n], axis=1).argmin()]) for n in MARKS]
    return np.asarray(parts == np.bincount(owners).argmax())


def fitted(
    vertices: Floats, triangles: Ints, marks: Floats, target: Floats, faces: Ints, *, aims: Floats
) -> Doubles:
    """The template's vertices (N,3) fitted to a target's skin; marks, aims (L,3): landmarks on
    both. All canonical.
    """
    import trimesh
    from scipy.interpolate import RBFInterpolator

    warp = RBFInterpolator(marks, aims - marks, kernel="linear", degree=1, smoothing=1e-3)
    start = vertices + warp(vertices)
    source = trimesh.Trimesh(start, triangles, process=False)
    goal = trimesh.Trimesh(target, faces, process=False)
    held = np.linalg.norm(vertices[:, None] - marks[None], axis=2).argmin(axis=0)
    return np.asarray(
        trimesh.registration.nricp_amberg(
            source,
            goal,
            source_landmarks=held,
            target_positions=aims,
            steps=STEPS,
            use_faces=False,
            neighbors_count=8,
            distance_threshold=0.1,
        ),
        np.float64,
    )


def gradients(vertices: Doubles, triangles: Ints) -> tuple[Any, Doubles]:
    """Operator, sparse (3T,N), that takes values at vertices to their gradients on triangles, and
    the triangles' areas (T,).
    """
    from scipy.sparse import coo_matrix

    a, b, c = (vertices[triangles[:, i]] for i in range(3))
    normal = np.cross(b - a, c - a)
    double = np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-12)
    normal /= double
    across = [
        np.cross(normal, edge) / double for edge in (c - b, a - c, b - a)
    ]  # gradient of each corner's hat function
    rows = np.repeat(3 * np.arange(len(triangles))[:, None] + np.arange(3), 3, axis=0).reshape(
        -1, 3, 3
    )
    columns = np.repeat(triangles[:, :, None], 3, axis=2)
    operator = coo_matrix(
        (np.stack(across, axis=1).ravel(), (rows.ravel(), columns.ravel())),
        shape=(3 * len(triangles), len(vertices)),
    )
    return operator.tocsr(), double[:, 0] / 2


def frames(vertices: Doubles, triangles: Ints) -> Doubles:
    """Two edges and the scaled normal of each triangle as columns (T,3,3)."""
    a, b, c = (vertices[triangles[:, i]] for i in range(3))
    normal = np.cross(b - a, c - a)
    normal /= np.maximum(np.sqrt(np.linalg.norm(normal, axis=1, keepdims=True)), 1e-12)
    return np.stack([b - a, c - a, normal], axis=2)


def transferred(
    source: Doubles, triangles: Ints, shapes: dict[str, Floats], target: Doubles
) -> dict[str, Doubles]:
    """Offsets (N,3) on the fitted template `target` that deform its triangles as the shapes deform
    those of `source`.
    """
    from scipy.sparse import diags
    from scipy.sparse.linalg import splu

    operator, areas = gradients(target, triangles)
    weights = diags(np.repeat(areas, 3))
    moved = np.max([np.linalg.norm(offsets, axis=1) for offsets in shapes.values()], axis=0)
    pins = np.where(moved < UNMOVED, PIN, 1e-8)
    solver = splu((operator.T @ weights @ operator + diags(pins)).tocsc())
    rest = np.linalg.pinv(frames(source, triangles))
    own = (operator @ target).reshape(-1, 3, 3)
    found = {}
    for name, offsets in shapes.items():
        deform = frames(source + offsets, triangles) @ rest
        wanted = (own @ deform.transpose(0, 2, 1)).reshape(-1, 3)
        found[name] = (
            solver.solve(operator.T @ (weights @ wanted) + pins[:, None] * target) - target
        )
    return found


def resampled(
    points: Floats, template_points: Doubles, triangles: Ints, shapes: dict[str, Doubles]
) -> dict[str, Floats]:
    """Offsets (P,3) at points (P,3), from the nearest points of the fitted template."""
    import trimesh

    surface = trimesh.Trimesh(template_points, triangles, process=False)
    nearest, far, which = trimesh.proximity.closest_point(surface, points)
    corners = trimesh.triangles.points_to_barycentric(surface.triangles[which], nearest)
    share = np.exp(-((far / FADE) ** 2))[:, None]
    return {
        name: (np.einsum("pc,pci->pi", corners, x[triangles[which]]) * share).astype(np.float32)
        for name, x in shapes.items()
    }


def shapes_for(rig: Rig, base: tuple[Floats, Ints, dict[str, Floats], Floats]) -> dict[str, Floats]:
    """Offsets (V,3) by ARKit name for a rig's vertices, in its own space."""
    vertices, triangles, shapes, marks = base
    frame = frame_of_landmarks(rig.landmarks(rig.vertices, rig.shapes))
    aims = {n: frame.to_canonical(p) for n, p in rig.landmarks(rig.vertices, rig.shapes).items()}
    points = frame.to_canonical(rig.vertices)
    near = np.linalg.norm(points + np.array([0, 0.4, 0.3], np.float32), axis=1) < 1.2 * REACH
    skin = skin_of(points, rig.triangles, aims) & near
    fit = fitted(
        vertices,
        triangles,
        marks,
        points,
        rig.triangles[skin[rig.triangles].all(axis=1)],
        aims=np.stack([aims[n] for n in NAMES]),
    )
    moved = transferred(vertices.astype(np.float64), triangles, shapes, fit)
    close = np.flatnonzero(near)
    found = {}
    for name, offsets in resampled(points[close], fit, triangles, moved).items():
        found[name] = np.zeros_like(rig.vertices)
        found[name][close] = frame.offsets_to_object(offsets)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="folder with train/ and avatars/")
    parser.add_argument("--out", type=Path, required=True, help="where each head's shapes are left")
    parser.add_argument(
        "--heads", default=",".join(HEADS), help="heads or groups of heads, with commas"
    )
    parser.add_argument("--template", choices=tuple(SKIN), default="makehuman")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    base = template(options.data, options.template)
    for name in named(options.heads):
        path, start = options.out / f"{name}.npz", time.perf_counter()
        if not path.exists():
            found = shapes_for(head(name, options.data), base)
            np.savez_compressed(
                path,
                names=np.array(list(found)),
                offsets=np.stack(list(found.values())).astype(np.float32),
            )
            print(f"{name:<19} {time.perf_counter() - start:6.1f} s", flush=True)


if __name__ == "__main__":
    main()
