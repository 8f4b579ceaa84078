# SPDX-License-Identifier: GPL-3.0-or-later
"""How often a face that is found with some certainty is one: certainty against the share that is
right, over scenes with and without faces.

    python -m scripts.train.certainty --data DATA [--heads 24] [--measured FOLDER,...] [--also
        FOLDER,...] [--json OUT.json]

With a face: modelled heads of all kinds, upright and turned; right are those whose landmarks are
off by RIGHT of the eyes' width in the mean, at most. Without: half of these heads with their faces
cut out, and the bodies of the avatars in DATA/avatars, and of those in the folders of --also,
without their heads (weight to the head above 0.5). Nothing that is found there is right. Avatars
with their heads have no true landmarks: --measured names folders that hold report.json of the batch
command and scores.json, in which `means` has `core` and `close` of each head; right are those whose
core, and close where there is one, are 0.5 at least. Prints a row for each bin of certainty: how
many, how many of them are right, and the share; nothing is found below the first bin.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from backend.errors import BackendError
from backend.face.geometry.frame import frame_of_landmarks
from backend.face.geometry.mesh import AvatarMesh, all_corners
from backend.inference.cancellation import Cancellation
from backend.inference.loading import load_model
from backend.inference.models import Model
from backend.service.generate import find_face
from backend.service.report import new_report

from ..samples import stylised
from ..samples.modelled import modelled, rig_of
from ..samples.rig import Floats, Rig
from .scores import marks_error

# of the eyes' width, the mean error of landmarks up to which a face is rightly found; unseen heads
# have 0.04 to 0.2
RIGHT = 0.35
BINS = (0.0, 0.6, 0.75, 0.9, 0.99)
FACE = (
    1.1,
    1.6,
    1.2,
)  # canonical half sizes of what is cut out of a head, about the middle between eyes and mouth
HEADING = 2.0  # radians by which every third head is turned
CERTAIN = 0.9  # of those called as certain or more, at least 85 % are wanted right
SCORE = 0.5  # core and close from which on shapes are right


def look(mesh: AvatarMesh, model: Model) -> tuple[float, dict[str, Floats]]:
    """Certainty of the face that is found, 0 for none, and its landmarks (3,) by name in the mesh's
    space.
    """
    try:
        face = find_face(
            mesh, model, new_report(mesh, model), lambda _stage, _fraction: None, Cancellation()
        )
    except BackendError as error:
        if error.code not in ("no_face", "mesh_empty"):
            raise
        return 0.0, {}
    return face.confidence, dict(
        zip(model.info.landmarks, face.frame.to_object(face.landmarks), strict=False)
    )


def _mesh(
    vertices: Floats, triangles: NDArray[np.int32], up: tuple[float, float, float] = (0.0, 1.0, 0.0)
) -> AvatarMesh:
    used = np.unique(triangles)
    place = np.zeros(len(vertices), np.int32)
    place[used] = np.arange(len(used))
    return AvatarMesh(np.ascontiguousarray(vertices[used], np.float32), place[triangles], up=up)


def with_faces(count: int) -> Iterator[tuple[str, Rig]]:
    """Modelled heads, every fourth a realistic one."""
    for number in range(count):
        draws = np.random.default_rng([77, number])
        yield (
            f"modelled {number}",
            modelled(draws) if number % 4 == 0 else rig_of(*stylised.head(draws)),
        )


def _turned(rig: Rig, number: int) -> AvatarMesh:
    if number % 3:
        return AvatarMesh(
            rig.vertices.astype(np.float32), rig.triangles.astype(np.int32), up=(0.0, 1.0, 0.0)
        )
    c, s = np.cos(HEADING), np.sin(HEADING)
    turn = np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]])
    return AvatarMesh(
        (rig.vertices @ turn.T).astype(np.float32),
        rig.triangles.astype(np.int32),
        up=(0.0, 1.0, 0.0),
    )


def _faceless(rig: Rig) -> AvatarMesh:
    """The head with its face cut out."""
    frame = frame_of_landmarks(rig.landmarks(rig.vertices, rig.shapes))
    away = (frame.to_canonical(rig.vertices) - np.array([0, -0.5, 0])) / np.array(FACE)
    far = (np.abs(away) > 1).any(axis=1)
    return _mesh(rig.vertices, rig.triangles[all_corners(far, rig.triangles)].astype(np.int32))


def _headless(folder: Path) -> Iterator[tuple[str, AvatarMesh]]:
    """Avatars without their heads."""
    for path in sorted(folder.glob("*.npz")):
        with np.load(path, allow_pickle=False) as arrays:
            body = arrays["head_weight"] <= 0.5
            triangles = arrays["triangles"].astype(np.int32)
            rest = triangles[all_corners(body, triangles)]
            if len(rest) > 100:
                yield f"{path.stem} without its head", _mesh(arrays["vertices"], rest)


def _measured(folder: Path) -> Iterator[tuple[str, float, bool]]:
    """Certainty, and whether shapes are right, of avatars that were measured."""
    rows = {
        Path(row["input"]).stem: row
        for row in json.loads((folder / "report.json").read_text(encoding="utf-8"))["files"]
    }
    for name, mean in json.loads((folder / "scores.json").read_text(encoding="utf-8"))[
        "means"
    ].items():
        scores = (
            [mean[key] for key in ("core", "close") if mean.get(key) is not None] if mean else []
        )
        yield (
            name,
            float(rows.get(name, {}).get("confidence") or 0.0),
            bool(scores) and min(scores) >= SCORE,
        )


def cases(options: argparse.Namespace, model: Model) -> Iterator[tuple[str, float, bool]]:
    """What was looked at, with what certainty a face was found, and whether rightly."""
    for number, (name, rig) in enumerate(with_faces(options.heads)):
        mesh = _turned(rig, number)
        sure, marks = look(mesh, model)
        if number % 3 == 0 and marks:
            c, s = np.cos(HEADING), np.sin(HEADING)
            marks = {n: p @ np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]]) for n, p in marks.items()}
        yield name, sure, bool(marks) and marks_error(rig, marks) < RIGHT
        if number % 2 == 0:
            yield f"{name} without its face", look(_faceless(rig), model)[0], False
    for folder in [options.data / "avatars", *options.also]:
        for name, mesh in _headless(folder):
            yield name, look(mesh, model)[0], False
    for folder in options.measured:
        yield from _measured(folder)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="folder with avatars/")
    parser.add_argument("--heads", type=int, default=24, help="how many modelled heads")
    for name in ("also", "measured"):
        parser.add_argument(
            f"--{name}",
            type=lambda text: [Path(part) for part in text.split(",")],
            default=[],
            metavar="FOLDER,...",
        )
    parser.add_argument("--json", type=Path, help="write every case to this file")
    options = parser.parse_args()
    found = []
    for name, sure, right in cases(options, load_model()):
        found.append((name, sure, right))
        if (sure >= BINS[1]) != right:
            print(
                f"   {name}: {sure:.2f},"
                f" {'right' if right else 'nothing found' if sure == 0 else 'wrong'}",
                flush=True,
            )
    print("| certainty | found | right | share |\n|---|---|---|---|")
    for low, high in zip(BINS[1:], [*BINS[2:], np.inf], strict=True):
        own = [right for _, sure, right in found if low <= sure < high]
        if own:
            print(
                f"| {low:.2f} to {min(high, 1):.2f} | {len(own)} | {sum(own)} |"
                f" {np.mean(own):.2f} |"
            )
    certain = [right for _, sure, right in found if sure >= CERTAIN]
    print(
        f"\n{len(found)} looked at; of {len(certain)} called {CERTAIN:.0%} sure or more"
        f" {np.mean(certain):.0%} are right"
    )
    if options.json:
        options.json.write_text(json.dumps(found, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
