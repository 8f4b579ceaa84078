# SPDX-License-Identifier: GPL-3.0-or-later
"""How often a face is found where it is when the avatar is another person's: whole avatars in other
proportions, whose landmarks are those found on the avatar as it is.

    python -m scripts.train.warped --data DATA [--heads gene,uka] [--warps 6] [--rough]

Warps are smooth and alike on both sides: the axes are scaled, and ten places of the head and their
mirror images are pushed. Right is a face whose landmarks are off by RIGHT of the eyes' width in the
mean, at most. Prints a line for each avatar of DATA, a folder of .npz files: the errors, with the
certainty in brackets, and how many were not right. Finds rules that hang on a hair: an avatar whose
warps fail now and then stands for others that fail.
"""

from __future__ import annotations

import argparse
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np

from backend.errors import BackendError
from backend.face.geometry.frame import Doubles, Floats
from backend.face.geometry.landmarks import NAMES, SIDES
from backend.face.geometry.mesh import AvatarMesh
from backend.face.locate.cut import framed
from backend.face.locate.face import Face
from backend.face.locate.search import find
from backend.inference.cancellation import Cancellation
from backend.inference.decoding import encode_with
from backend.inference.loading import load_model
from backend.inference.settings import resolve

from .certainty import RIGHT
from .located import z_up

PUSHES, WIDTH = 10, 0.35  # places of a head that are pushed, and how wide, shares of its radius
# spread of pushes, shares of the head's radius, and of the axes' scales, logarithms: as people of
# one maker differ, and more than that
USUAL, ROUGH = (0.04, 0.08), (0.06, 0.12)
MIRROR = np.array([-1.0, 1, 1])


def warp(
    head: Doubles, rng: np.random.Generator, spread: tuple[float, float]
) -> Callable[[Floats], Floats]:
    """A random smooth warp, points (N,3) to points.

    Args:
        head: float64 (V,3), the head's vertices, its left along x
        rng: draws it
        spread: of pushes, shares of the head's radius, and of the axes' scales, logarithms
    """
    low, high = head.min(axis=0), head.max(axis=0)
    middle, radius = (low + high) / 2, float(np.linalg.norm(high - low)) / 2
    places = rng.uniform(low, high, (PUSHES, 3))
    pushes = rng.normal(0, spread[0] * radius, (PUSHES, 3)) * 0.7
    plane = middle * [1, 0, 0]
    places = np.concatenate([places, (places - plane) * MIRROR + plane])
    pushes = np.concatenate([pushes, pushes * MIRROR])
    scales = np.exp(rng.normal(0, spread[1], 3))

    def warped(points: Floats) -> Floats:
        away = points.astype(np.float64)[:, None] - places
        share = np.exp(-(away**2).sum(axis=2) / (2 * (WIDTH * radius) ** 2))
        return np.asarray((points - middle) * scales + middle + share @ pushes, np.float32)

    return warped


def avatar(path: Path) -> AvatarMesh:
    """A whole avatar of a .npz file as the add-on would send it, without evidence."""
    with np.load(path, allow_pickle=False) as arrays:
        return AvatarMesh(
            z_up(arrays["vertices"].astype(np.float32)),
            np.ascontiguousarray(arrays["triangles"], np.int32),
            head_weights=arrays["head_weight"].astype(np.float32),
            up=(0, 0, 1),
        )


def error(face: Face, true: Floats) -> float:
    """The mean error of a face's landmarks, in widths of the eyes. true: float32 (L,3), object
    space.
    """
    at = dict(zip(NAMES, true, strict=True))
    wide = [np.linalg.norm(at[f"eye_inner_{side}"] - at[f"eye_outer_{side}"]) for side in SIDES]
    found = face.frame.to_object(face.landmarks)
    return float(np.linalg.norm(found - true, axis=1).mean() / np.mean(wide))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="folder of .npz files")
    parser.add_argument("--heads", default="", help="some of them alone, with commas between")
    parser.add_argument("--warps", type=int, default=6, help="of each avatar")
    parser.add_argument("--rough", action="store_true", help="warp more than people differ")
    options = parser.parse_args()
    model = load_model(settings=resolve({"threads": 1, "provider": "cpu"}, environment={}))
    wrong = every = 0
    with ThreadPoolExecutor(1) as thread:
        encode = encode_with(model, Cancellation(), thread)

        def look(mesh: AvatarMesh) -> Face | None:
            try:
                return framed(find(mesh, encode, model.info.landmarks, lambda _: None))
            except BackendError as problem:
                if problem.code != "no_face":
                    raise
                return None

        some = options.heads.split(",") if options.heads else None
        for path in sorted(options.data.glob("*.npz")):
            if some is not None and path.stem not in some:
                continue
            mesh = avatar(path)
            plain = look(mesh)
            if plain is None:
                print(f"{path.stem:18s} not found as it is", flush=True)
                continue
            places = plain.frame.to_object(plain.landmarks)
            head = mesh.head_weights > 0.5 if mesh.head_weights is not None else slice(None)
            told = []
            for number in range(options.warps):
                rng = np.random.default_rng([number, zlib.crc32(path.stem.encode())])
                spread = ROUGH if options.rough else USUAL
                warped = warp(mesh.vertices[head].astype(np.float64), rng, spread)
                face = look(replace(mesh, vertices=warped(mesh.vertices)))
                off = np.inf if face is None else error(face, warped(places))
                every, wrong = every + 1, wrong + (off > RIGHT)
                told.append("none" if face is None else f"{off:.2f} ({face.confidence:.2f})")
            print(f"{path.stem:18s} {'  '.join(told)}", flush=True)
    print(f"{wrong} of {every} are not right")


if __name__ == "__main__":
    main()
