# SPDX-License-Identifier: GPL-3.0-or-later
"""Hair that names tell is kept out of a face, also where it is one mesh with the skin, and a face
that is called hair stays a face.
"""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from fixtures.fringe import Fringed, fringed

from backend.errors import BackendError
from backend.face.correct.roles import ROLES
from backend.face.evidence.evidence import Evidence
from backend.face.geometry.landmarks import NAMES
from backend.face.geometry.mesh import AvatarMesh, Floats
from backend.face.locate import worn
from backend.face.locate.face import Face, Place
from backend.face.locate.search import find
from backend.face.params.locate import FINDING
from backend.inference.cancellation import Cancellation
from backend.inference.decoding import encode_with
from backend.inference.loading import load_model
from backend.inference.models import Model
from backend.inference.settings import resolve
from backend.service.asked import Asked
from backend.service.generate import Shapes, generate
from scripts.samples.head import PARTS, SampleHead, build
from scripts.samples.head_skin import MATERIALS

TABLE = {
    name: {name: 1.0}
    for name in (
        "eyeBlinkLeft",
        "eyeBlinkRight",
        "jawOpen",
        "mouthPucker",
        "browDownLeft",
        "browDownRight",
    )
}


@pytest.fixture(scope="module")
def model() -> Model:
    return load_model(settings=resolve({"threads": 1, "provider": "cpu"}, environment={}))


@pytest.fixture(scope="module")
def head() -> Fringed:
    return fringed()


def shapes_of(mesh: AvatarMesh, model: Model) -> tuple[Face, Mapping[str, Floats]]:
    """The face and each key's offsets (V,3) on the whole mesh."""
    face, *others = generate(
        mesh, Asked({"table": TABLE}), model, lambda _stage, _fraction: None, Cancellation()
    )
    assert isinstance(face, Face) and isinstance(others[0], Shapes)
    found = {}
    for name, offsets in zip(others[0].names, others[0].offsets, strict=True):
        found[name] = np.zeros_like(mesh.vertices)
        found[name][face.indices] = offsets
    return face, found


def moved(shapes: Mapping[str, Floats], some: Any) -> float:
    """The farthest that any of some vertices (V,) goes, in metres."""
    return max(float(np.abs(offsets[some]).max(initial=0)) for offsets in shapes.values())


def told(head: Fringed, by: str) -> Evidence:
    """The fringe told by one source, whose names are the head's for the rest."""
    names = {
        "bone": ("Head", "Hair1Bang"),
        "group": ("mouth", "前髪"),
        "object": ("Body", "앞머리"),
    }
    number = head.hair.astype(np.int32)
    if by == "material":
        of = np.where(head.hair_triangles, 1, 0).astype(np.int32)
        return Evidence(triangle_materials=of, materials=("Face_00_SKIN", "N00_000_Hair_00_HAIR"))
    if by == "bone":
        return Evidence(vertex_bones=number, bones=names["bone"])
    if by == "group":
        return Evidence(vertex_groups=number * 2 - 1, groups=names["group"])
    return Evidence(vertex_objects=number, objects=names["object"])


@pytest.fixture(scope="module")
def untold(head: Fringed, model: Model) -> tuple[Face, Mapping[str, Floats]]:
    return shapes_of(AvatarMesh(head.vertices, head.triangles, up=(0, 0, 1)), model)


def test_by_its_shape_alone_such_a_fringe_goes_along(
    head: Fringed, untold: tuple[Face, Mapping[str, Floats]]
) -> None:
    assert moved(untold[1], head.hair) > 0.002


@pytest.mark.parametrize("by", ["material", "bone", "group", "object"])
def test_hair_that_a_name_tells_never_moves(by: str, head: Fringed, model: Model) -> None:
    face, shapes = shapes_of(
        AvatarMesh(head.vertices, head.triangles, up=(0, 0, 1), evidence=told(head, by)), model
    )
    assert moved(shapes, head.hair) == 0 and face.confidence > 0.9
    lids = head.head.landmarks
    near = np.linalg.norm(head.vertices - lids["lid_upper_left"], axis=1).argmin()
    high = float(lids["lid_upper_left"][2] - lids["lid_lower_left"][2])
    assert -shapes["eyeBlinkLeft"][near, 2] > 0.7 * high  # the lid itself closes


def test_evidence_that_says_nothing_changes_nothing(
    head: Fringed, model: Model, untold: tuple[Face, Mapping[str, Floats]]
) -> None:
    nothing = Evidence(
        triangle_materials=np.zeros(len(head.triangles), np.int32), materials=("Material_0",)
    )
    face, shapes = shapes_of(
        AvatarMesh(head.vertices, head.triangles, up=(0, 0, 1), evidence=nothing), model
    )
    np.testing.assert_array_equal(face.indices, untold[0].indices)
    for name, offsets in shapes.items():
        np.testing.assert_array_equal(offsets, untold[1][name])


@pytest.mark.parametrize("lie", ["everything", "skin"])
def test_a_face_that_is_called_hair_stays_a_face(
    lie: str, head: Fringed, model: Model, untold: tuple[Face, Mapping[str, Floats]]
) -> None:
    of = np.zeros(len(head.triangles), np.int32)
    if lie == "skin":  # the fringe with it, since they are one
        of[
            ~(np.append(head.head.part, [0] * head.hair.sum()) == PARTS.index("skin"))[
                head.triangles
            ].all(axis=1)
        ] = 1
    own = Evidence(triangle_materials=of, materials=("Hair", "Material_1"))
    face, shapes = shapes_of(
        AvatarMesh(head.vertices, head.triangles, up=(0, 0, 1), evidence=own), model
    )
    np.testing.assert_array_equal(face.indices, untold[0].indices)
    for name, offsets in untold[1].items():
        np.testing.assert_array_equal(shapes[name], offsets)


@pytest.fixture(scope="module")
def plain() -> SampleHead:
    return build()


def test_brows_of_the_hairs_material_still_move(plain: SampleHead, model: Model) -> None:
    quads = plain.faces[:, 3] >= 0
    material = np.concatenate([plain.material, plain.material[quads]])
    hair = np.isin(material, [MATERIALS.index(name) for name in ("hair", "brow", "lash")])
    own = Evidence(triangle_materials=hair.astype(np.int32), materials=("Skin", "Hair"))
    _face, shapes = shapes_of(
        AvatarMesh(plain.vertices, plain.triangles, up=(0, 0, 1), evidence=own), model
    )
    assert (
        moved({"browDownLeft": shapes["browDownLeft"]}, plain.part == PARTS.index("brow_left"))
        > 0.002
    )
    assert (
        moved({"eyeBlinkLeft": shapes["eyeBlinkLeft"]}, plain.part == PARTS.index("lash_left"))
        > 0.004
    )
    assert moved(shapes, plain.part == PARTS.index("hair")) == 0


def test_a_face_is_looked_for_without_its_hair_as_part_of_the_mesh_and_then_with_it(
    head: Fringed,
) -> None:
    asked: list[tuple[bool, bool]] = []

    def blind(mesh: AvatarMesh, whole: AvatarMesh | None) -> Place:
        asked.append((len(mesh.vertices) < len(head.vertices), whole is not None))
        raise BackendError("no_face", "There is none.", "")

    mesh = AvatarMesh(head.vertices, head.triangles, up=(0, 0, 1), evidence=told(head, "material"))
    with pytest.raises(BackendError) as error:
        worn.located(mesh, NAMES, blind)
    assert error.value.code == "no_face" and asked == [(True, True), (False, False)]


def test_a_small_lock_before_a_brow_is_no_brow(plain: SampleHead, model: Model) -> None:
    brow = np.flatnonzero(plain.part == PARTS.index("brow_left"))
    own = plain.triangles[np.isin(plain.triangles, brow).all(axis=1)]
    unit = (
        float(
            np.linalg.norm(plain.landmarks["eye_outer_left"] - plain.landmarks["eye_outer_right"])
        )
        / 1.4
    )
    lock = plain.vertices[brow] - np.array([0, 0.8 * unit, 0], np.float32)
    vertices = np.concatenate([plain.vertices, lock]).astype(np.float32)
    triangles = np.concatenate(
        [plain.triangles, np.searchsorted(brow, own) + len(plain.vertices)]
    ).astype(np.int32)
    quads = plain.faces[:, 3] >= 0
    material = np.concatenate([plain.material, plain.material[quads]])
    hair = np.append(
        np.isin(material, [MATERIALS.index(name) for name in ("hair", "brow")]),
        np.ones(len(own), bool),
    )
    evidence = Evidence(triangle_materials=hair.astype(np.int32), materials=("Skin", "Hair"))
    _face, shapes = shapes_of(
        AvatarMesh(vertices, triangles, up=(0, 0, 1), evidence=evidence), model
    )
    assert moved(shapes, np.arange(len(vertices)) >= len(plain.vertices)) == 0
    assert (
        moved(
            {"browDownLeft": shapes["browDownLeft"]},
            np.append(plain.part, [0] * len(lock)) == PARTS.index("brow_left"),
        )
        > 0.002
    )


def test_what_the_user_says_goes_before_names(
    head: Fringed, model: Model, untold: tuple[Face, Mapping[str, Floats]]
) -> None:
    role = np.where(head.hair, ROLES.index("face"), 0).astype(np.int32)
    mesh = AvatarMesh(
        head.vertices, head.triangles, up=(0, 0, 1), evidence=told(head, "bone"), roles=role
    )
    _face, shapes = shapes_of(mesh, model)
    for name, offsets in shapes.items():
        np.testing.assert_array_equal(offsets, untold[1][name])


def test_bones_without_names_tell_what_wholly_hangs_on_them(
    plain: SampleHead, model: Model
) -> None:
    hair = plain.part == PARTS.index("hair")
    bones = Evidence(
        vertex_bones=np.where(hair, 1 + (plain.vertices[:, 2] < 0.2), 0).astype(np.int32),
        bones=("Head", "Bone", "Bone.001"),
        bone_parents=np.array([-1, 0, 1], np.int32),
    )
    face, shapes = shapes_of(
        AvatarMesh(plain.vertices, plain.triangles, up=(0, 0, 1), evidence=bones), model
    )
    assert not np.isin(np.flatnonzero(hair), face.indices).any() and moved(shapes, ~hair) > 0.005
    skin = plain.part == PARTS.index("skin")
    rig = replace(
        bones, vertex_bones=np.where(skin & (plain.vertices[:, 1] < -0.08), 2, 0).astype(np.int32)
    )
    _face, other = shapes_of(
        AvatarMesh(plain.vertices, plain.triangles, up=(0, 0, 1), evidence=rig), model
    )
    assert moved(other, skin) > 0.005


def test_hair_stays_out_where_bones_stand_anywhere_and_the_head_lies_on_its_side(
    head: Fringed, model: Model
) -> None:
    upside_down = {"head": (0.0, 0.0, 0.0), "neck": (0.0, 0.0, 1.0)}
    mesh = AvatarMesh(
        head.vertices, head.triangles, up=(0, 0, 1), evidence=told(head, "bone"), bones=upside_down
    )
    face, shapes = shapes_of(mesh, model)
    other, same = shapes_of(replace(mesh, bones={}), model)
    np.testing.assert_array_equal(face.landmarks, other.landmarks)
    np.testing.assert_array_equal(shapes["eyeBlinkLeft"], same["eyeBlinkLeft"])
    side = np.array([[0, 0, 1], [0, 1, 0], [-1, 0, 0]], np.float32)
    lying = replace(mesh, vertices=np.ascontiguousarray(head.vertices @ side.T), bones={})
    face, shapes = shapes_of(lying, model)
    assert (
        moved(shapes, head.hair) == 0
        and face.confidence > 0.9
        and moved(shapes, ~head.hair) > 0.004
    )


def test_a_face_that_only_the_part_without_hair_shows_is_the_face(
    head: Fringed, model: Model
) -> None:
    """However doubtful: the whole mesh shows none."""
    mesh = AvatarMesh(head.vertices, head.triangles, up=(0, 0, 1), evidence=told(head, "material"))
    looked: list[bool] = []

    def doubting(seen: AvatarMesh, whole: AvatarMesh | None) -> Place:
        looked.append(whole is not None)
        if whole is None:
            raise BackendError("no_face", "There is none.", "")
        with ThreadPoolExecutor(1) as thread:
            encode = encode_with(model, Cancellation(), thread)
            place = find(seen, encode, NAMES, lambda _: None, "upright", whole=whole)
        return replace(place, confidence=FINDING.doubt - 0.1)

    face = worn.located(mesh, NAMES, doubting)
    assert looked == [True, False]
    assert face.confidence == FINDING.doubt - 0.1
    assert len(face.indices) and not head.hair[face.indices].any()
