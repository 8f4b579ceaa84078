# SPDX-License-Identifier: GPL-3.0-or-later
"""Training crops for the encoder: a variant of a head among hair and body, seen from a frame that
is off by a little, a lot, or wrong.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from backend.face.geometry.frame import Doubles, Frame, frame_of_landmarks
from backend.face.geometry.landmarks import NAMES
from backend.face.geometry.mesh import loose_parts
from backend.face.locate.encoder_search import POINT_MIRROR
from backend.face.locate.points import PointCloud, cloud_of, crop
from backend.face.params.locate import CROP

from ..samples import stylised
from ..samples.hair import surroundings
from ..samples.modelled import anatomy, kind_of, sheeted
from ..samples.rig import Floats
from .decoder_samples import LANDMARK_SWAP, MIRROR, loosened
from .heads import Head, landmarks_of, random_identity
from .net import RIGS
from .warps import random_warp

REACH = 30.0  # canonical units around the face that a scene keeps
SCENE_POINTS = 30000
SKETCHED = 0.2  # share of modelled scenes whose head is of few faces, with eyes and mouth drawn on


@dataclass(frozen=True)
class Scene:
    """A cloud around one face in its canonical frame, the landmarks (L,3), None where there is no
    face, and whose the head is, of RIGS.
    """

    cloud: PointCloud
    landmarks: Floats | None
    rig: str = ""


@dataclass(frozen=True)
class Crop:
    """points (P,CHANNELS), landmarks (L,3) in the crop's frame, face: 1 where the frame shows a
    face, 0 where not, -1 where neither is asked, rig: place in RIGS, -1 where there is no face.
    """

    points: Floats
    landmarks: Floats
    face: float
    rig: int


def scene_of(
    vertices: Floats, cloud: PointCloud, landmarks: Floats, extra: list[PointCloud], rig: str
) -> Scene:
    frame = frame_of_landmarks(dict(zip(NAMES, landmarks, strict=True)))
    clouds = [cloud, *extra]
    positions = frame.to_canonical(np.concatenate([c.positions for c in clouds]))
    priority = np.concatenate([c.priority for c in clouds])
    near = np.linalg.norm(positions, axis=1) < REACH
    if near.sum() > SCENE_POINTS:
        near &= priority > np.quantile(priority[near], 1 - SCENE_POINTS / near.sum())
    everything = PointCloud(
        positions[near],
        frame.turn_to_canonical(np.concatenate([c.normals for c in clouds]))[near],
        (np.concatenate([c.sizes for c in clouds])[near] / frame.scale).astype(np.float32),
        priority[near],
        np.concatenate([c.cells for c in clouds])[near],
    )
    return Scene(everything, frame.to_canonical(landmarks), rig)


def random_scene(head: Head, dressing: list[PointCloud], rng: np.random.Generator) -> Scene:
    """A warped variant of a head; bare heads mostly get hair, body and clothes around them, an
    avatar's or random ones.
    """
    vertices = random_identity(head, rng) if rng.random() < 0.85 else head.vertices
    warp = random_warp(
        landmarks_of(head, vertices, lambda p: p),
        rng,
        rng.uniform(0, 1.2) if rng.random() < 0.8 else 0.0,
    )
    triangles = head.triangles
    if rng.random() < 0.3:  # coarser meshes, holes
        triangles = triangles[rng.random(len(triangles)) < rng.uniform(0.3, 1)]
    extra = []
    if not head.whole_avatar and rng.random() < 0.8:
        part = (
            dressing[rng.integers(len(dressing))]
            if dressing and rng.random() < 0.4
            else random_dressing(rng)
        )
        scale = np.exp(rng.normal(0.1, 0.1, 3)).astype(np.float32)
        moved = part.positions * scale + rng.normal(0, 0.1, 3).astype(np.float32)
        extra = [
            PointCloud(
                moved, part.normals, part.sizes, part.priority + rng.normal(0, 0.5), part.cells
            )
        ]
    warped = warp(vertices)
    landmarks = landmarks_of(head, vertices, warp)
    cloud = cloud_of(
        warped, triangles, loosened(head.parts, warped, landmarks, rng), int(rng.integers(1 << 31))
    )
    return scene_of(warped, cloud, landmarks, extra, head.name)


def modelled_scene(rng: np.random.Generator) -> Scene:
    """A head that the project models, in random proportions, style and warp."""
    head, triangles = stylised.head(rng, sketched=True) if rng.random() < SKETCHED else anatomy(rng)
    landmarks = np.stack([head.landmarks[name] for name in NAMES])
    warp = random_warp(landmarks, rng, rng.uniform(0, 1.2) if rng.random() < 0.7 else 0.0)
    vertices, triangles, _source = sheeted(head, triangles, rng)
    vertices = warp(vertices)
    extra = [random_dressing(rng)] if rng.random() < 0.7 else []
    marks = warp(landmarks)
    parts = loosened(loose_parts(vertices, triangles), vertices, marks, rng)
    return scene_of(
        vertices,
        cloud_of(vertices, triangles, parts, int(rng.integers(1 << 31))),
        marks,
        extra,
        kind_of(head),
    )


def random_dressing(rng: np.random.Generator) -> PointCloud:
    """A cloud of hair, body and clothes, to dress bare heads with."""
    vertices, triangles = surroundings(rng)
    return cloud_of(
        vertices, triangles, loose_parts(vertices, triangles), int(rng.integers(1 << 31))
    )


def dressing_of(head: Head) -> list[PointCloud]:
    """Hair, clothes and body of a whole avatar: the loose parts that no shape moves."""
    moved = np.zeros(int(head.parts.max()) + 1, bool)
    moved[head.parts[head.active]] = True
    rest = head.triangles[~moved[head.parts[head.triangles[:, 0]]]]
    middle = head.vertices[rest].mean(axis=1)
    above = rest[middle[:, 1] > -2.5]
    return [cloud_of(head.vertices, t, head.parts, 1) for t in (rest, above) if len(t)]


def turn(yaw: float, pitch: float, roll: float) -> Doubles:
    """Rotation (3,3) from angles in radians about y, x and z, in this order."""
    cy, sy, cx, sx, cz, sz = (
        np.cos(yaw),
        np.sin(yaw),
        np.cos(pitch),
        np.sin(pitch),
        np.cos(roll),
        np.sin(roll),
    )
    turned: Doubles = (
        np.array([[cz, -sz, 0], [sz, cz, 0], [0, 0, 1.0]])
        @ np.array([[1, 0, 0], [0, cx, -sx], [0, sx, cx]])
        @ np.array([[cy, 0, sy], [0, 1.0, 0], [-sy, 0, cy]])
    )
    return turned


def random_frame(rng: np.random.Generator) -> tuple[Frame, float]:
    """A frame near the true one (face 1), or one that shows no face (0), or in between (-1)."""
    kind = rng.random()
    if kind < 0.36:
        return Frame(
            rng.normal(0, 0.07, 3),
            turn(*rng.normal(0, np.radians(5), 3)),
            float(np.exp(rng.normal(0, 0.07))),
        ), 1.0
    if kind < 0.66:
        angles = rng.uniform(-1, 1, 3) * np.radians([38, 28, 22])
        return Frame(
            rng.uniform(-0.7, 0.7, 3), turn(*angles), float(np.exp(rng.uniform(-0.5, 0.5)))
        ), 1.0
    if kind < 0.83:  # turned away
        yaw, pitch, roll = (
            rng.uniform(-np.pi, np.pi),
            rng.uniform(-1.2, 1.2),
            rng.uniform(-np.pi, np.pi),
        )
        rotation = turn(yaw, pitch, roll)
        angle = np.degrees(np.arccos(np.clip((np.trace(rotation) - 1) / 2, -1, 1)))
        return Frame(
            rng.uniform(-0.6, 0.6, 3), rotation, float(np.exp(rng.uniform(-0.5, 0.5)))
        ), 0.0 if angle > 60 else -1.0
    away = rng.normal(0, 1, 3)
    away *= rng.uniform(1.6, 9) / np.linalg.norm(away)
    return Frame(
        away,
        turn(*rng.uniform(-1, 1, 3) * np.radians([180, 30, 20])),
        float(np.exp(rng.uniform(-1.2, 1.2))),
    ), 0.0


def faceless_scene(dressing: list[PointCloud], rng: np.random.Generator) -> Scene:
    """Hair, clothes and body without a face; or balls, tubes and noise."""
    if dressing and rng.random() < 0.6:
        part = dressing[rng.integers(len(dressing))] if rng.random() < 0.6 else random_dressing(rng)
        chosen = np.ones(len(part.priority), bool)
        if len(part.priority) > SCENE_POINTS:
            chosen = part.priority > np.quantile(
                part.priority, 1 - SCENE_POINTS / len(part.priority)
            )
        return Scene(part[chosen], None)
    clouds = []
    for _ in range(rng.integers(1, 6)):
        normal = rng.normal(size=(rng.integers(200, 3000), 3))
        normal /= np.linalg.norm(normal, axis=1, keepdims=True)
        kind, position = rng.random(), normal.copy()
        if kind < 0.3:  # a tube
            position = np.concatenate(
                [normal[:, :1], rng.uniform(-3, 3, (len(normal), 1)), normal[:, 2:]], axis=1
            )
        elif kind < 0.4:
            position = rng.normal(size=normal.shape)
        rotation = turn(*rng.uniform(-np.pi, np.pi, 3))
        position = position * np.exp(rng.normal(0, 0.5, 3)) @ rotation.T + rng.normal(0, 2, 3)
        sizes = np.full(len(normal), np.ptp(position, axis=0).max() / 2, np.float32)
        cells = np.zeros(len(normal), np.uint64)
        clouds.append(
            PointCloud(
                position.astype(np.float32),
                (normal @ rotation.T).astype(np.float32),
                sizes,
                rng.gumbel(size=len(normal)),
                cells,
            )
        )
    return Scene(
        PointCloud(
            *(np.concatenate([getattr(c, f.name) for c in clouds]) for f in fields(PointCloud))
        ),
        None,
    )


def wandering_frame(scene: Scene, rng: np.random.Generator) -> Frame:
    """Any place on the scene, any heading, any size."""
    extent = float(np.ptp(scene.cloud.positions, axis=0).max())
    middle = scene.cloud.positions[rng.integers(len(scene.cloud.positions))].astype(np.float64)
    heading = (
        turn(*rng.uniform(-np.pi, np.pi, 3))
        if rng.random() < 0.5
        else turn(rng.choice(8) * np.pi / 4, rng.choice(4) * np.pi / 2, 0)
    )
    return Frame(middle, heading, extent * float(np.exp(rng.uniform(np.log(0.015), np.log(0.4)))))


def misses(scene: Scene, frame: Frame) -> bool:
    """Whether a frame is so far off that what it shows must not count as the face."""
    if scene.landmarks is None:
        return True
    angle = np.degrees(np.arccos(np.clip((np.trace(frame.rotation) - 1) / 2, -1, 1)))
    return bool(angle > 60 or np.linalg.norm(frame.origin) > 1.3 or abs(np.log(frame.scale)) > 0.85)


def random_crop(
    scene: Scene, rng: np.random.Generator, count: int = CROP.count, given: Frame | None = None
) -> Crop:
    """`count` points of a scene from a random frame, mirrored half of the time; few points are
    repeated. given: a frame that misses.
    """
    while True:
        frame, face = (
            (given, 0.0)
            if given
            else random_frame(rng)
            if scene.landmarks is not None
            else (wandering_frame(scene, rng), 0.0)
        )
        points = crop(scene.cloud, frame, count)
        if len(points) >= (1 if given else 32):
            break
    if len(points) < count:
        points = np.concatenate(
            [points, points[rng.integers(len(points), size=count - len(points))]]
        )
    if scene.landmarks is None:
        landmarks, face = np.zeros((len(NAMES), 3), np.float32), 0.0
    else:
        landmarks = frame.to_canonical(scene.landmarks)
    points = points + rng.normal(0, 0.002, points.shape).astype(np.float32)
    if rng.random() < 0.1:  # everything joined into one part
        points[:, 6] = points[:, 6].max()
    if rng.random() < 0.5:
        points = points * POINT_MIRROR
        landmarks = landmarks[LANDMARK_SWAP] * MIRROR
    return Crop(
        points.astype(np.float32), landmarks, face, RIGS.index(scene.rig) if scene.rig else -1
    )
