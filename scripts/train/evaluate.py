# SPDX-License-Identifier: GPL-3.0-or-later
"""Score a model on heads it never saw, on its training rigs and on avatars that were left out, from
the bare mesh on.

python -m scripts.train.evaluate --data DATA --model RUNS/face.decoder.onnx
    [--heads identities,gene,uka,godette] [--marks true] [--baseline FOLDER] [--shapes]
    [--sheets FOLDER] [--json OUT.json]

The face is found by the backend, as for a user; with `--marks true` the rig's own landmarks are
    given, which judges the decoder alone.
Beside each head's row stand what doing nothing scores (zero), the classical baseline where
    baseline.py has left its shapes in FOLDER, and,
for contacts, the artist's own shapes. Heads: rigs as they are, `ict1`... new identities of them,
    `ict1-coarse`, `ict1-fine` the same in another
tessellation, `modelled1`... modelled heads of new proportions. Over the loose parts that the
    artist's shapes move:
    zero, mae, q95   mean artist movement; mean and 95 % quantile of the error, 1/1000 of the head's
                     radius (half the region's diagonal)
    rel              mae / zero: below 1 beats doing nothing
    core, cos        mean cosine between the offsets, over the shapes that artists agree on, and
                     over all
    close            gain of the blinks over the tenth of the vertices that the artist moves most: 1
                     closes as the artist's lids do
    jawOpen          cosine of jawOpen, or of what the artist has instead
    leak             mean movement where no shape of the artist moves anything, unit as mae
    marks            mean error of the landmarks, part of the eye's width
    lids, lids95     gap left at a blink along the whole edge of the lid, part of the eye's height:
                     its mean and 95 % quantile
    cross            how far lids pass each other at blink + squint, mean along the edge, part of
                     the eye's height
    lips, lips95     how far the lips' edges are from meeting at jawOpen + mouthClose, part of the
                     mouth's width: mean and 95 % quantile
    teeth, eyes      bending of what the artist moves as a body at jaw and eyeLook shapes: rms
                     against the nearest rigid motion, part of its size
    through          share of eyes' and teeth's vertices that the artist's lids and lips hide from
                     the front, at blinks and with the mouth shut,
                     and ours do not
    mirror           left shapes against mirrored right ones vertex by vertex, norm of the
                     difference as part of the shape's; on symmetric meshes
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from backend.errors import BackendError
from backend.face.geometry.mesh import AvatarMesh, loose_parts
from backend.face.shapes.shape_sets import load_sets
from backend.inference.loading import load_model
from backend.service.asked import Asked

from ..samples.rig import Floats, Rig
from . import sources
from .held_out import HELD_OUT, head, named
from .located import made
from .measures import contact_measures, mirror_error
from .scores import region_of, score

FIELDS = ("core", "cos", "rel", "mae", "q95", "zero", "close", "jawOpen", "leak", "marks")
CONTACTS = ("lids", "lids95", "cross", "lips", "lips95", "teeth", "eyes", "through", "mirror")
COLUMNS = (*FIELDS, *CONTACTS)


def predicted(
    rig: Rig, model_path: Path, true_marks: bool = False
) -> tuple[dict[str, Floats], dict[str, Floats]]:
    """Offsets (V,3) by ARKit name and landmarks (3,) by name in the rig's space, as the backend
    finds them. Raises BackendError.
    """
    model = load_model(model_path)
    given = (
        {
            n: (float(p[0]), float(p[1]), float(p[2]))
            for n, p in rig.landmarks(rig.vertices, rig.shapes).items()
        }
        if true_marks
        else {}
    )
    mesh = AvatarMesh(
        rig.vertices.astype(np.float32),
        rig.triangles.astype(np.int32),
        up=(0.0, 1.0, 0.0),
        landmarks=given,
    )
    face, shapes = made(mesh, Asked({"arkit": load_sets()["arkit"].shapes}), model)
    points = face.frame.to_object(face.landmarks)
    return shapes, dict(zip(model.info.landmarks, points, strict=False))


def row_of(label: str, mean: Mapping[str, float], columns: tuple[str, ...] = COLUMNS) -> str:
    """One line of the table; columns that are not asked for or not there stay empty."""
    cells = (
        f"{mean[c]:8.3f}" if c in columns and c in mean and np.isfinite(mean[c]) else f"{'-':>8}"
        for c in COLUMNS
    )
    return f"{label:<19}" + "".join(cells)


def judged(name: str, rig: Rig, options: argparse.Namespace) -> dict[str, Any]:
    """Print the rows of one head; the scores by who made the shapes, or why there are none."""
    still = {n: np.zeros_like(rig.vertices) for n in sources.arkit_names()}
    found: dict[str, Any] = {"zero": score(rig, still, {})[0]}
    try:
        got, marks = predicted(rig, options.model, options.marks == "true")
    except BackendError as error:
        if error.code != "no_face":
            raise
        found["missing"] = str(error)
        print(f"{name:<19}  no face found: {error}", flush=True)
    else:
        found["mean"], found["shapes"] = score(rig, got, marks)
        print(row_of(name, found["mean"]), flush=True)
        if options.shapes:
            print(
                "   "
                + " ".join(
                    f"{n} {r['cos']:.2f}/{r['gain']:.2f}" for n, r in found["shapes"].items()
                )
            )
        if options.sheets:
            options.sheets.mkdir(parents=True, exist_ok=True)
            draw(rig, got, (options.sheets / f"{name}.png").resolve())
    fitted = options.baseline / f"{name}.npz" if options.baseline else None
    if fitted and fitted.exists():
        with np.load(fitted) as stored:
            made = still | dict(zip(map(str, stored["names"]), stored["offsets"], strict=True))
        found["baseline"] = score(rig, made, {})[0]
        print(row_of("  baseline", found["baseline"]))
    elif fitted:
        print("  baseline           not run: see scripts/train/baseline.py")
    found["artist"] = contact_measures(rig, still | rig.shapes) | {
        "mirror": mirror_error(rig, still | rig.shapes, region_of(rig))
    }
    print(row_of("  zero", found["zero"], FIELDS))
    print(row_of("  artist", found["artist"], CONTACTS), flush=True)
    return found


def summary(found: Mapping[str, dict[str, Any]]) -> None:
    """Print the mean row of each group of heads; heads without a face count as if nothing had
    moved.
    """
    print("\nmean of")
    for group, names in HELD_OUT.items():
        for who in ("mean", "baseline"):
            heads = [found[n] for n in names if n in found]
            rows = [h.get(who, h["zero"]) for h in heads if who in h or who == "mean"]
            if rows:
                columns = {c: [row[c] for row in rows if np.isfinite(row[c])] for c in COLUMNS}
                label = f"{group} ({len(rows)})" if who == "mean" else "  baseline"
                print(
                    row_of(
                        label,
                        {c: float(np.mean(values)) for c, values in columns.items() if values},
                    )
                )


def draw(rig: Rig, got: Mapping[str, Floats], path: Path) -> None:
    """A contact sheet of the parts that some shape moves, each shape as its artist made it and as
    the model does. Needs bpy.
    """
    import bpy

    from ..contact_sheet import render_sheet, tint

    seen = region_of(rig)
    compact = np.cumsum(seen) - 1
    triangles = rig.triangles[seen[rig.triangles].all(axis=1)]
    parts = loose_parts(rig.vertices, rig.triangles)[triangles[:, 0]]

    def turned(points: Floats) -> Floats:
        """Blender's axes."""
        return np.ascontiguousarray(
            points[seen][:, [0, 2, 1]] * np.array([1, -1, 1], np.float32), np.float32
        )

    bpy.ops.wm.read_factory_settings(use_empty=True)
    mesh = bpy.data.meshes.new("Head")
    mesh.from_pydata(turned(rig.vertices).tolist(), [], compact[triangles].tolist())
    for number in range(8):
        mesh.materials.append(tint(number))
    mesh.polygons.foreach_set(
        "material_index", (np.unique(parts, return_inverse=True)[1] % 8).astype(np.int32)
    )
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
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="folder with train/ and avatars/")
    parser.add_argument("--model", type=Path, required=True, help="either file of the pair")
    parser.add_argument(
        "--heads",
        default=",".join(HELD_OUT),
        help=f"heads or groups of heads ({', '.join(HELD_OUT)}), with commas",
    )
    parser.add_argument(
        "--marks",
        choices=("found", "true"),
        default="found",
        help="true: give the rig's own landmarks",
    )
    parser.add_argument(
        "--baseline", type=Path, metavar="FOLDER", help="where baseline.py has left its shapes"
    )
    parser.add_argument(
        "--shapes", action="store_true", help="print every shape's cosine and gain too"
    )
    parser.add_argument(
        "--sheets",
        type=Path,
        metavar="FOLDER",
        help="draw a contact sheet per head, the artist's shapes beside ours",
    )
    parser.add_argument("--json", type=Path, help="write everything to this file")
    options = parser.parse_args()
    found: dict[str, Any] = {}
    print(f"{'':<19}" + "".join(f"{c:>8}" for c in COLUMNS))
    for name in named(options.heads):
        found[name] = judged(name, head(name, options.data), options)
    summary(found)
    if options.json:
        options.json.write_text(json.dumps(found, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
