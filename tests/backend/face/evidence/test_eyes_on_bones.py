# SPDX-License-Identifier: GPL-3.0-or-later
"""Eyes that bones turn: eyeLook shapes move the lids of such avatars only, unless they are asked to
turn eyeballs, too.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from backend.face.evidence.evidence import Evidence, turned_by_bones
from backend.face.geometry.mesh import AvatarMesh
from backend.face.locate.face import Face
from backend.inference.cancellation import Cancellation
from backend.inference.loading import load_model
from backend.inference.settings import resolve
from backend.service.asked import Asked
from backend.service.generate import Shapes, generate
from scripts.samples.head import PARTS, SampleHead, build
from scripts.samples.surface import HeadSpec

LOOKS = [f"eyeLook{way}{side}" for way in ("Up", "Down", "In", "Out") for side in ("Left", "Right")]
NAMES = ("Head", "左目", "RightEye", "Hair_01")


@pytest.fixture(scope="module")
def head() -> SampleHead:
    return build(HeadSpec(hair=False, density=0.7))


def eyes_of(head: SampleHead) -> NDArray[np.bool_]:
    """The vertices (V,) of both eyeballs."""
    return np.isin(head.part, [PARTS.index(f"eye_{side}") for side in ("left", "right")])


def offsets(mesh: AvatarMesh, turn_eyes: bool) -> NDArray[np.float32]:
    """What the shipped model makes of looks, (N,V,3)."""
    model = load_model(settings=resolve({"threads": 1, "provider": "cpu"}, environment={}))
    table = {name: {name: 1.0} for name in LOOKS}
    made = np.zeros((len(LOOKS), len(mesh.vertices), 3), np.float32)
    for result in generate(
        mesh, Asked({"table": table}, turn_eyes=turn_eyes), model, lambda *_: None, Cancellation()
    ):
        if isinstance(result, Face):
            face = result
        elif isinstance(result, Shapes):
            made[:, face.indices] = result.offsets
    return made


@pytest.mark.parametrize("told", ["places", "names"])
def test_looks_move_lids_only_where_bones_turn_eyes(head: SampleHead, told: str) -> None:
    eyes = eyes_of(head)
    mesh = AvatarMesh(head.vertices, head.triangles, up=(0, 0, 1))
    if told == "places":
        mesh = replace(
            mesh, bones={"left_eye": (0.03, -0.08, 0.2), "right_eye": (-0.03, -0.08, 0.2)}
        )
    else:
        bones = np.where(
            head.part == PARTS.index("eye_left"),
            1,
            np.where(head.part == PARTS.index("eye_right"), 2, 0),
        )
        mesh = replace(mesh, evidence=Evidence(vertex_bones=bones.astype(np.int32), bones=NAMES))
    turned, kept = offsets(mesh, True), offsets(mesh, False)
    assert (np.abs(turned[:, eyes]).max(axis=(1, 2)) > 1e-3).all(), (
        "without bones, or when asked to, keys turn eyes"
    )
    assert not kept[:, eyes].any()
    np.testing.assert_allclose(
        kept[:, ~eyes], turned[:, ~eyes], atol=3e-4
    )  # what counts as noise hangs on the largest movement
    assert (np.abs(kept[:4]).max(axis=(1, 2)) > 1e-4).all(), (
        "lids go along when eyes look up and down"
    )


def test_names_of_bones_tell_which_vertices_they_turn() -> None:
    evidence = Evidence(vertex_bones=np.array([0, 1, 2, 3, -1], np.int32), bones=NAMES)
    assert turned_by_bones(evidence, 5).tolist() == [False, True, True, False, False]
    assert not turned_by_bones(None, 5).any() and not turned_by_bones(Evidence(), 5).any()
