# SPDX-License-Identifier: GPL-3.0-or-later
"""Training heads: one adapter per source, all brought to one form with the names of ARKit's shapes.

Axes in all sources: Y up, face to +Z, the character's left is +X. Licences and attributions:
backend/models/MODEL_CARD.md.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.face.geometry.landmarks import NAMES as LANDMARKS
from backend.face.geometry.landmarks import mirrored

from ..samples.rig import Anchor, Floats, Ints, Rig
from .anchors import extreme, find_anchors, mouth_anchors, nearest
from .located import face_in, mesh_of, y_up

SETS = Path(__file__).parents[2] / "backend" / "face" / "shapes" / "shape_sets.json"


def arkit_names() -> list[str]:
    """The 52 names in Apple's order."""
    return list(json.loads(SETS.read_text(encoding="utf-8"))["sets"]["arkit"]["shapes"])


def _arrays(path: Path, names: str, deltas: str) -> tuple[np.lib.npyio.NpzFile, dict[str, Floats]]:
    z = np.load(path, allow_pickle=False)
    return z, dict(zip(map(str, z[names]), z[deltas].astype(np.float32), strict=True))


def ict(folder: Path) -> Rig:
    """ICT-FaceKit light: ARKit names with _L/_R; browInnerUp and cheekPuff come as halves.
    Centimetres.
    """
    z, d = _arrays(folder / "train" / "ict_facekit.npz", "expression_names", "expression_deltas")
    d = {n.replace("_L", "Left").replace("_R", "Right"): x for n, x in d.items()}
    for name in ("browInnerUp", "cheekPuff"):
        d[name] = d.pop(name + "Left") + d.pop(name + "Right")
    rig = Rig(
        "ict",
        z["neutral"],
        z["triangles"],
        {n: d[n] for n in arkit_names() if n in d},
        identities=z["identity_deltas"],
    )
    find_anchors(rig, _pair(d, "browDown"), _pair(d, "mouthSmile"), d["jawOpen"])
    return rig


def _pair(d: Mapping[str, Floats], name: str) -> dict[str, Floats]:
    return {"left": d[name + "Left"], "right": d[name + "Right"]}


def makehuman(folder: Path) -> Rig:
    """MPFB/MakeHuman head; helper cubes at the joints are left out. The 692 identity targets keep
    their names.
    """
    z, d = _arrays(folder / "train" / "mpfb_makehuman.npz", "expression_names", "expression_deltas")
    keep = np.isin(
        z["submesh"],
        [i for i, n in enumerate(z["submesh_names"]) if not str(n).startswith("joint-")],
    )
    v, triangles, d, identities = _subset(
        keep, z["neutral"], z["triangles"], d, z["identity_deltas"]
    )
    rig = Rig(
        "makehuman",
        v,
        triangles,
        {n: d[n] for n in arkit_names() if n in d},
        identities=identities,
        identity_names=[str(n) for n in z["identity_names"]],
    )
    find_anchors(rig, _pair(d, "browDown"), _pair(d, "mouthSmile"), d["jawOpen"])
    return rig


def _subset(
    keep: NDArray[np.bool_],
    v: Floats,
    triangles: Ints,
    d: Mapping[str, Floats],
    identities: NDArray[np.floating[Any]],
) -> tuple[Floats, Ints, dict[str, Floats], NDArray[np.floating[Any]]]:
    index = np.cumsum(keep).astype(np.int32) - 1
    inside = keep[triangles].all(axis=1)
    return (
        v[keep],
        index[triangles[inside]],
        {n: x[keep] for n, x in d.items()},
        identities[:, keep],
    )


# Vitruvian's FACS names -> ARKit; sums where ARKit has one shape for two; {O}: two shapes are on
# the other side than they say
VITRUVIAN = {
    "eyeBlink{S}": ["Eyes_Closed_{S}"],
    "eyeWide{S}": ["Eyes_Opened_Max_{S}"],
    "eyeSquint{S}": ["Lower_Eyelid_Up_{S}"],
    "eyeLookUp{S}": ["Look_Up_{S}"],
    "eyeLookDown{S}": ["Look_Dwn_{S}"],
    "eyeLookIn{S}": ["Look_In_{S}"],
    "eyeLookOut{S}": ["Look_Out_{S}"],
    "browDown{S}": ["Eyebrows_Lower_{S}"],
    "browOuterUp{S}": ["Eyebrows_OuterBrow_Raised_{S}"],
    "browInnerUp": ["Eyebrows_InnerBrow_Raised_Left", "Eyebrows_InnerBrow_Raised_Right"],
    "cheekPuff": ["Cheeks_Puffed"],
    "cheekSquint{S}": ["Cheeks_Raised_{S}"],
    "noseSneer{S}": ["Nostrils_Corners_Raise_GLOBAL_{S}"],
    "jawOpen": ["Mouth_Large_Opened"],
    "jawForward": ["Jaw_Out"],
    "mouthPucker": ["Kiss"],
    "mouthFunnel": ["Lips_Up_Funnel", "Lips_Dn_Funnel"],
    "mouthLeft": ["Mouth_Closed_Move_Left"],
    "mouthRight": ["Mouth_Closed_Move_Right"],
    "mouthSmile{S}": ["Smile_Lips_Closed_{S}"],
    "mouthFrown{S}": ["Frown_{O}"],
    "mouthDimple{S}": ["Lips_Dimple_{S}"],
    "mouthStretch{S}": ["Lips_Dn_Corner_Wide_{S}"],
    "mouthRollLower": ["Lips_Dn_In"],
    "mouthRollUpper": ["Lips_Up_In"],
    "mouthShrugLower": ["Lips_Dn_Raised"],
    "mouthUpperUp{S}": ["Lips_Up_Raised_{O}"],
    "mouthLowerDown{S}": ["Lips_Dn_Lower_{S}"],
    "tongueOut": ["Tongue_Forward"],
}


def vitruvian(folder: Path) -> Rig:
    """Vitruvian with its FACS shapes under ARKit names; where no shape means the same, the name is
    left out.
    """
    z, d = _arrays(folder / "train" / "vitruvian.npz", "expression_names", "expression_deltas")
    shapes = {
        arkit.replace("{S}", side): np.sum(
            [d[n.replace("{S}", side).replace("{O}", mirrored(side))] for n in own], axis=0
        )
        for arkit, own in VITRUVIAN.items()
        for side in (("Left", "Right") if "{S}" in arkit else ("",))
    }
    rig = Rig(
        "vitruvian",
        z["neutral"],
        z["triangles"],
        shapes,
        identities=z["identity_deltas"],
        identity_names=[str(n) for n in z["identity_names"]],
    )
    find_anchors(rig, _pair(shapes, "browDown"), _pair(shapes, "mouthSmile"), d["Jaw_Lower"])
    return rig


ANTONIA = {  # Antonia's names -> ARKit
    "eyeBlink{S}": "UprLidDn{S}",
    "eyeWide{S}": "UprLidUp{S}",
    "browDown{S}": "BrowDown{S}",
    "browOuterUp{S}": "BrowOutUp{S}",
    "browInnerUp": "BrowMidUp",
    "noseSneer{S}": "Sneer{S}",
    "mouthSmile{S}": "Smile{S}",
    "mouthFrown{S}": "Frown{S}",
    "mouthUpperUp{S}": "UprLipUp{S}",
    "mouthLowerDown{S}": "LwrLipDn{S}",
}


def antonia(folder: Path) -> Rig:
    """Antonia, a realistic head with 19 shapes that ARKit has too. Never trained on: what the model
    has not seen is measured on her.
    """
    z, d = _arrays(folder / "train" / "antonia.npz", "expression_names", "expression_deltas")
    shapes = {
        arkit.replace("{S}", side): d[own.replace("{S}", side)]
        for arkit, own in ANTONIA.items()
        for side in (("Left", "Right") if "{S}" in arkit else ("",))
    }
    rig = Rig("antonia", z["neutral"], z["triangles"], shapes)
    find_anchors(
        rig,
        _pair(shapes, "browDown"),
        _pair(shapes, "mouthSmile"),
        d["LwrLipDnLeft"] + d["LwrLipDnRight"],
    )
    return rig


def avatar(folder: Path, name: str) -> Rig:
    """gene or uka: whole anime avatars with ARKit shapes by their artists."""
    z, d = _arrays(folder / "avatars" / f"{name}.npz", "morph_names", "morph_deltas")
    table = json.loads((folder / "avatars" / "names.json").read_text(encoding="utf-8"))[name]
    shapes = {
        n: np.sum([w * d[own] for own, w in table[n]], axis=0, dtype=np.float32)
        for n in arkit_names()
        if n in table
    }
    rig = Rig(name, z["vertices"], z["triangles"], shapes, whole_avatar=True)
    brows = (
        _pair(shapes, "browDown")
        if "browDownRight" in shapes
        else dict.fromkeys(("left", "right"), d["怒り"])
    )
    find_anchors(rig, brows, _pair(shapes, "mouthSmile"), shapes["jawOpen"])
    return rig


def godette(folder: Path) -> Rig:
    """Low-poly cartoon head: blinks, and vowels as mixes. Its lids meet half-way, so the lower lid
    is what moves up.
    """
    z, d = _arrays(folder / "avatars" / "godette.npz", "morph_names", "morph_deltas")
    shapes = {"eyeBlinkLeft": d["blink_left"], "eyeBlinkRight": d["blink_right"]}
    rig = Rig(
        "godette",
        z["vertices"],
        z["triangles"],
        shapes,
        mixes=[({"jawOpen": 0.6}, d["ah"])],
        whole_avatar=True,
    )
    v = rig.vertices
    ends = {
        side: d["ah"] * ((sign * v[:, 0] > 0.015) & (sign * v[:, 0] < 0.02))[:, None]
        for side, sign in (("left", 1), ("right", -1))
    }
    find_anchors(rig, dict.fromkeys(("left", "right"), d["angled_eyebrows"]), ends, d["ah"])
    for side in ("left", "right"):
        up = d[f"blink_{side}"][:, 1]
        rig.anchors[f"lid_lower_{side}"] = Anchor(
            np.flatnonzero(up > 0.7 * up.max()).astype(np.int32)
        )
        lid, sign = np.flatnonzero(up > 0.2 * up.max()), 1 if side == "left" else -1
        rig.anchors[f"eye_inner_{side}"] = Anchor(extreme(lid, -sign * v[:, 0], 0.03))
        rig.anchors[f"eye_outer_{side}"] = Anchor(extreme(lid, sign * v[:, 0], 0.03))
    below = np.flatnonzero((np.abs(v[:, 0]) < 0.02) & (v[:, 1] < 1.0))  # no shape moves its chin
    rig.anchors["chin"] = Anchor(extreme(below, 0.5 * v[:, 2] - v[:, 1], 0.0))
    return rig


JEELIZ = ("jeeliz_boy", "jeeliz_kangaroo", "jeeliz_lama", "jeeliz_turtle")
POLYGONAL = ("pm_bizdude", "pm_crimsom")


def cartoon(folder: Path, name: str) -> Rig:
    """A cartoon head with 6 to 8 shapes of ARKit, or a blocky avatar with blinks and visemes. Its
    landmarks are where the shipped model sees them; a cartoon head's mouth is where its shapes say.
    """
    z, d = _arrays(folder / "avatars" / f"{name}.npz", "morph_names", "morph_deltas")
    table = json.loads((folder / "avatars" / "names.json").read_text(encoding="utf-8"))[name]
    own = {
        n: np.sum([w * d[o] for o, w in parts], axis=0, dtype=np.float32)
        for n, parts in table.items()
    }
    own |= {f"eyeBlink{s}": own[f"blink{s}"] for s in ("Left", "Right") if f"blink{s}" in own}
    rig = Rig(
        name,
        z["vertices"].astype(np.float32),
        np.ascontiguousarray(z["triangles"], np.int32),
        {n: own[n] for n in arkit_names() if n in own},
        mixes=[({"jawOpen": 0.6}, own["viseme_aa"])] if "viseme_aa" in own else [],
    )
    face = face_in(mesh_of(folder, name, rig.vertices, rig.triangles))
    seen = y_up(face.frame.to_object(face.landmarks))
    rig.anchors = {n: nearest(rig.vertices, p) for n, p in zip(LANDMARKS, seen, strict=True)}
    if name in JEELIZ:
        mouth_anchors(rig, _pair(own, "mouthSmile"), own["jawOpen"])
    return rig


def load(folder: Path, leave_out: frozenset[str] = frozenset()) -> list[Rig]:
    """All rigs of the folder, less those left out by name."""
    makers: dict[str, Callable[[Path], Rig]] = {
        "ict": ict,
        "makehuman": makehuman,
        "vitruvian": vitruvian,
        "gene": partial(avatar, name="gene"),
        "uka": partial(avatar, name="uka"),
        "godette": godette,
        **{name: partial(cartoon, name=name) for name in (*JEELIZ, *POLYGONAL)},
    }
    return [make(folder) for name, make in makers.items() if name not in leave_out]
