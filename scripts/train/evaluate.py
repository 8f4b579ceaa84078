# SPDX-License-Identifier: GPL-3.0-or-later
"""Score a model on training rigs, on avatars that were left out, and on modelled heads of new proportions, from the bare mesh on.

python -m scripts.train.evaluate --data DATA --model RUNS/face.decoder.onnx [--heads gene,uka,godette] [--shapes] [--json OUT.json]

The face is found by the backend, as for a user. Per head, over the loose parts that the artist's shapes move:
    zero, mae, q95   mean artist movement; mean and 95 % quantile of the error, 1/1000 of the head's radius (half the region's diagonal)
    rel              mae / zero: below 1 beats doing nothing, which is the zero score
    core, cos        mean cosine between the offsets, over the shapes that artists agree on, and over all
    close            gain of the blinks over the tenth of the vertices that the artist moves most: 1 closes as the artist's lids do
    leak             mean movement where no shape of the artist moves anything, unit as mae
    marks            mean error of the landmarks, part of the eye's width
    lids, lips       gap left at a blink, part of the eye's height; gap added at jawOpen + mouthClose, part of the mouth's width
    sides            left shapes against mirrored right ones by their amplitude: 0 when alike
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from backend.engine.models import load_model
from backend.engine.sessions import Cancellation
from backend.face.landmarks import NAMES, mirrored
from backend.face.locate import Face
from backend.face.mesh import AvatarMesh, loose_parts
from backend.face.shape_sets import load_sets
from backend.generate import Shapes, generate

from . import sources
from .modelled import modelled
from .sources import Floats, Rig

SIDED = ("mouthSmile", "mouthFrown", "mouthStretch", "mouthUpperUp", "eyeWide", "eyeBlink", "eyeSquint", "eyeLookDown")
CORE = {*(f"{n}{s}" for n in SIDED for s in ("Left", "Right"))} | {
    *("jawOpen", "jawForward", "mouthLeft", "mouthRight", "mouthPucker", "mouthShrugUpper", "mouthRollUpper", "cheekPuff")
}
COLUMNS = ("core", "cos", "rel", "mae", "q95", "zero", "close", "leak", "marks", "lids", "lips", "sides", "jawOpen")


def seeded(number: int) -> Callable[[Path], Rig]:
    return lambda _folder: modelled(np.random.default_rng([99, number]))


HEADS: dict[str, Callable[[Path], Rig]] = {
    "ict": sources.ict,
    "makehuman": sources.makehuman,
    "vitruvian": sources.vitruvian,
    "antonia": sources.antonia,
    "gene": lambda f: sources.avatar(f, "gene"),
    "uka": lambda f: sources.avatar(f, "uka"),
    "godette": sources.godette,
    "modelled1": seeded(1),
    "modelled2": seeded(2),
    "modelled3": seeded(3),
}


def predicted(rig: Rig, model_path: Path) -> tuple[dict[str, Floats], dict[str, Floats]]:
    """Offsets (V,3) by ARKit name and landmarks (3,) by name in the rig's space, as the backend finds them."""
    model = load_model(model_path)
    mesh = AvatarMesh(rig.vertices.astype(np.float32), rig.triangles.astype(np.int32), up=(0.0, 1.0, 0.0))
    shapes: dict[str, Floats] = {}
    for result in generate(mesh, {"arkit": load_sets()["arkit"].shapes}, 1.0, model, lambda _stage, _fraction: None, Cancellation()):
        if isinstance(result, Face):
            face = result
        elif isinstance(result, Shapes):
            for name, offsets in zip(result.names, result.offsets, strict=True):
                shapes[name] = np.zeros_like(mesh.vertices)
                shapes[name][face.indices] = offsets
    points = face.frame.to_object(face.landmarks)
    return shapes, dict(zip(model.info.landmarks, points, strict=False))


def region_of(rig: Rig) -> np.ndarray:
    """Vertices (V,) bool of the loose parts that some shape moves, near the face where the head is an avatar's."""
    parts = loose_parts(rig.vertices, rig.triangles)
    moved = np.zeros(len(rig.vertices), bool)
    for offsets in rig.shapes.values():
        moved |= np.linalg.norm(offsets, axis=1) > 1e-5 * np.ptp(rig.vertices[:, 1])
    inside = np.isin(parts, np.unique(parts[moved]))
    low = np.quantile(rig.vertices[moved, 1], 0.01)
    return np.asarray(inside & (rig.vertices[:, 1] > low - 0.5 * np.ptp(rig.vertices[moved, 1])))


def shape_row(wanted: Floats, got: Floats, still: np.ndarray, unit: float) -> dict[str, float]:
    """Measures of one shape over the region. wanted, got (R,3); still (R,): what no shape moves; unit: 1/1000 of the radius."""
    size, error = np.linalg.norm(wanted, axis=1), np.linalg.norm(got - wanted, axis=1)
    product, power, own = float((got * wanted).sum()), float((wanted**2).sum()), float((got**2).sum())
    top = size >= np.quantile(size[size > 0], 0.9)
    return {
        "zero": float(size.mean()) / unit,
        "mae": float(error.mean()) / unit,
        "q95": float(np.quantile(error, 0.95)) / unit,
        "cos": product / max((power * own) ** 0.5, 1e-18),
        "gain": product / max(power, 1e-18),
        "close": float((got[top] * wanted[top]).sum() / max((wanted[top] ** 2).sum(), 1e-18)),
        "leak": float(np.linalg.norm(got[still], axis=1).mean()) / unit if still.any() else 0.0,
    }


def contacts(rig: Rig, got: Mapping[str, Floats], marks: Mapping[str, Floats]) -> dict[str, float]:
    """Landmark error and the gaps that lids and lips leave, at the rig's own landmarks."""
    true = rig.landmarks(rig.vertices, rig.shapes)
    wide = {s: float(np.linalg.norm(true[f"eye_outer_{s}"] - true[f"eye_inner_{s}"])) for s in ("left", "right")}
    error = np.mean([np.linalg.norm(true[n] - marks[n]) for n in NAMES]) / np.mean(list(wide.values()))
    lids = []
    for side in ("left", "right"):
        way = true[f"lid_lower_{side}"] - true[f"lid_upper_{side}"]
        lid = rig.anchors[f"lid_upper_{side}"].indices
        moved = got[f"eyeBlink{side.title()}"][lid].mean(axis=0)
        lids.append(abs(1 - float(moved @ way) / float(way @ way)))
    both = got["jawOpen"] + got["mouthClose"]
    upper, lower = (both[rig.anchors[n].indices].mean(axis=0) for n in ("lip_upper", "lip_lower"))
    mouth = float(np.linalg.norm(true["mouth_left"] - true["mouth_right"]))
    return {"marks": float(error), "lids": float(np.mean(lids)), "lips": float(np.linalg.norm(upper - lower)) / mouth}


def sides(got: Mapping[str, Floats]) -> float:
    """Mean difference of left and right amplitudes, as part of them."""
    pairs = [(n, mirrored(n)) for n in got if n.endswith("Left")]
    size = {n: float(np.linalg.norm(got[n])) for pair in pairs for n in pair}
    return float(np.mean([abs(size[a] - size[b]) / max(size[a], size[b], 1e-18) for a, b in pairs]))


def score(rig: Rig, got: Mapping[str, Floats], marks: Mapping[str, Floats]) -> tuple[dict[str, float], dict[str, dict[str, float]]]:
    """The table's row of one head, and a row per shape, for offsets (V,3) by name and landmarks (3,) by name in the rig's space."""
    region = region_of(rig)
    inside = rig.vertices[region]
    unit = 0.5 * float(np.linalg.norm(np.ptp(inside, axis=0))) / 1000
    still = np.ones(len(inside), bool)
    for offsets in rig.shapes.values():
        still &= np.linalg.norm(offsets[region], axis=1) <= 0.01 * unit
    rows = {name: shape_row(offsets[region], got[name][region], still, unit) for name, offsets in rig.shapes.items()}
    mean = {key: float(np.mean([row[key] for row in rows.values()])) for key in ("zero", "mae", "q95", "cos", "leak")}
    mean["rel"] = mean["mae"] / mean["zero"]
    mean["core"] = float(np.mean([row["cos"] for name, row in rows.items() if name in CORE]))
    mean["close"] = float(np.mean([row["close"] for name, row in rows.items() if "Blink" in name]))
    mean["jawOpen"] = rows["jawOpen"]["cos"] if "jawOpen" in rows else float("nan")
    return mean | contacts(rig, got, marks) | {"sides": sides(got)}, rows


def draw(rig: Rig, got: Mapping[str, Floats], path: Path) -> None:
    """A contact sheet of the parts that some shape moves, each shape as its artist made it and as the model does. Needs bpy."""
    import bpy

    from ..contact_sheet import render_sheet, tint

    kept = region_of(rig)
    compact = np.cumsum(kept) - 1
    triangles = rig.triangles[kept[rig.triangles].all(axis=1)]
    parts = loose_parts(rig.vertices, rig.triangles)[triangles[:, 0]]

    def turned(points: Floats) -> Floats:
        """Blender's axes."""
        return np.ascontiguousarray(points[kept][:, [0, 2, 1]] * np.array([1, -1, 1], np.float32), np.float32)

    bpy.ops.wm.read_factory_settings(use_empty=True)
    mesh = bpy.data.meshes.new("Head")
    mesh.from_pydata(turned(rig.vertices).tolist(), [], compact[triangles].tolist())
    for number in range(8):
        mesh.materials.append(tint(number))
    mesh.polygons.foreach_set("material_index", (np.unique(parts, return_inverse=True)[1] % 8).astype(np.int32))
    mesh.shade_smooth()
    ob = bpy.data.objects.new("Head", mesh)
    bpy.context.collection.objects.link(ob)
    ob.shape_key_add(name="Basis")
    for name, offsets in rig.shapes.items():
        for who, moved in (("artist", offsets), ("model", got[name])):
            key = ob.shape_key_add(name=f"{name} {who}", from_mix=False)
            key.points.foreach_set("co", turned(rig.vertices + moved).ravel())
    render_sheet(ob, path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder with train/ and avatars/")
    parser.add_argument("--model", type=Path, required=True, help="either file of the pair")
    parser.add_argument("--heads", default=",".join(HEADS), help="which, with commas")
    parser.add_argument("--shapes", action="store_true", help="print every shape's cosine and gain too")
    parser.add_argument("--sheets", type=Path, metavar="FOLDER", help="draw a contact sheet per head, the artist's shapes beside ours")
    parser.add_argument("--json", type=Path, help="write everything to this file")
    options = parser.parse_args()
    found: dict[str, Any] = {}
    print(f"{'':<11}" + "".join(f"{c:>8}" for c in COLUMNS))
    for name in options.heads.split(","):
        rig = HEADS[name](options.data)
        got, marks = predicted(rig, options.model)
        mean, rows = score(rig, got, marks)
        found[name] = {"mean": mean, "shapes": rows}
        print(f"{name:<11}" + "".join(f"{mean[c]:8.3f}" for c in COLUMNS), flush=True)
        if options.shapes:
            print("   " + " ".join(f"{n} {r['cos']:.2f}/{r['gain']:.2f}" for n, r in rows.items()))
        if options.sheets:
            options.sheets.mkdir(parents=True, exist_ok=True)
            draw(rig, got, (options.sheets / f"{name}.png").resolve())
    if options.json:
        options.json.write_text(json.dumps(found, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
