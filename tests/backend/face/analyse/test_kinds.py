# SPDX-License-Identifier: GPL-3.0-or-later
"""What loose parts are named, and that hair and what is worn stays where it is under a blink."""

from __future__ import annotations

import json
from functools import cache

import numpy as np
import pytest
from numpy.typing import NDArray

from backend.face.analyse import kinds, part_inputs
from backend.face.analyse.face_skin import face_skin
from backend.face.geometry.mesh import AvatarMesh, loose_parts
from backend.face.locate.face import Face
from backend.face.params.analyse import KINDS
from backend.inference.cancellation import Cancellation
from backend.inference.loading import load_model
from backend.inference.settings import resolve
from backend.service.asked import Asked
from backend.service.generate import Shapes, generate
from scripts.samples import dressed, dressed_hair
from scripts.samples.anatomy import PARTS
from scripts.samples.dressed_parts import Scalp
from scripts.samples.modelled import anatomy

Floats = NDArray[np.float32]


def named(
    vertices: Floats, triangles: NDArray[np.int32], marks: dict[str, Floats]
) -> tuple[kinds.Kinds, NDArray[np.int32], NDArray[np.bool_]]:
    """Kinds of a head, its parts and the part that is its skin."""
    parts = loose_parts(vertices, triangles)
    skin = face_skin(vertices, parts, marks)
    return kinds.kinds_of(vertices, triangles, parts, skin, marks), parts, skin


def test_most_parts_of_modelled_heads_are_named_right() -> None:
    right, wrongly_still, total = 0, 0, 0
    for seed in range(6):  # of no seed that was trained on
        vertices, triangles, label, marks = dressed.dressed(np.random.default_rng([77, seed]))
        found, parts, _skin = named(vertices, triangles, marks)
        for part in np.flatnonzero(found.sure.any(axis=1)):
            kind = np.bincount(label[parts == part]).argmax()
            best = kinds.CLASSES[found.sure[part].argmax()]
            right += best == kinds.CLASSES[kind]
            wrongly_still += kinds.CLASSES[kind] not in ("hair", "worn") and bool(
                found.of("hair", "worn")[parts == part][0] > KINDS.still
            )
            total += 1
    assert right > 0.85 * total
    assert wrongly_still <= 0.02 * total


def test_probabilities_are_such_and_parts_far_from_the_face_have_none() -> None:
    head, triangles = anatomy()
    far = np.array([[30, 0, 0], [31, 0, 0], [30, 1, 0]], np.float32)
    vertices = np.concatenate([head.vertices, far])
    more = np.concatenate([triangles, np.array([[0, 1, 2]], np.int32) + len(head.vertices)])
    found, parts, skin = named(vertices, more, head.landmarks)
    near = np.unique(parts[:-3])
    np.testing.assert_allclose(found.sure[near].sum(axis=1), 1, atol=1e-5)
    assert not found.sure[parts[-1]].any()
    assert kinds.CLASSES[found.sure[parts[skin][0]].argmax()] == "skin"


def test_a_mesh_of_loose_triangles_is_described_within_bounds() -> None:
    head, _ = anatomy()
    rng = np.random.default_rng(3)
    heap = (
        (
            rng.uniform(-1, 1, (3 * KINDS.parts_most + 30, 1, 3))
            + rng.normal(0, 0.01, (3 * KINDS.parts_most + 30, 3, 3))
        )
        .reshape(-1, 3)
        .astype(np.float32)
    )
    triangles = np.arange(len(heap), dtype=np.int32).reshape(-1, 3)
    parts = loose_parts(heap, triangles)
    which, said = part_inputs.described(heap, triangles, parts, parts == 0, head.landmarks)
    assert len(which) == KINDS.parts_most == 2048 and np.isfinite(said).all()


def test_what_lies_in_the_middle_of_an_eye_is_described_as_what_lies_just_behind_it() -> None:
    head, triangles = anatomy()
    marks = {
        name: place * np.array([1, 1, 0 if name.startswith(("eye", "lid")) else 1], np.float32)
        for name, place in head.landmarks.items()
    }
    middle = (
        marks["eye_inner_left"]
        + marks["eye_outer_left"]
        + marks["lid_upper_left"]
        + marks["lid_lower_left"]
    ) / 4

    def patch(before: float) -> Floats:
        corners = middle + np.array(
            [(-0.02, -0.02, before), (0.02, -0.02, before), (0, 0.02, before)], np.float32
        )
        vertices = np.concatenate([head.vertices, corners])
        more = np.concatenate([triangles, np.arange(3, dtype=np.int32)[None] + len(head.vertices)])
        parts = loose_parts(vertices, more)
        which, rows = part_inputs.described(
            vertices, more, parts, face_skin(vertices, parts, marks), marks
        )
        return np.asarray(rows[which == parts[-1]][0])

    np.testing.assert_allclose(patch(0.0), patch(-1e-6), atol=1e-3)
    assert np.abs(patch(0.0) - patch(1e-6)).max() > 0.9


def test_other_classes_in_the_file_are_refused() -> None:
    data = json.loads(kinds.DATA.read_text(encoding="utf-8"))
    kinds.network_of(data)
    with pytest.raises(ValueError, match="classes"):
        kinds.network_of(data | {"classes": data["classes"][::-1]})


@cache
def fringed(role: int = 0) -> tuple[Face, Floats, NDArray[np.bool_]]:
    """The face of a modelled head with a fringe before its eyes, the offsets of both blinks on its
    vertices, and which of these are the fringe. role: what the user says that the fringe is.
    """
    head, triangles = anatomy()
    scalp = Scalp(head.vertices[head.part == PARTS.index("skin")])
    azimuth = np.linspace(-0.7, 0.7, 9)
    rng = np.random.default_rng(4)
    fringe, more = dressed_hair.ribbons(
        scalp, rng, azimuth, np.full(9, 1.1), np.full(9, -0.12), welded=True
    )
    vertices = np.concatenate([head.vertices, fringe.astype(np.float32)]) @ np.array(
        [[1, 0, 0], [0, 0, 1], [0, -1, 0]], np.float32
    )
    hair = np.arange(len(vertices)) >= len(head.vertices)
    roles = None if role == 0 else (role * hair).astype(np.int32)
    mesh = AvatarMesh(
        np.ascontiguousarray(vertices),
        np.concatenate([triangles, (more + len(head.vertices)).astype(np.int32)]),
        up=(0, 0, 1),
        roles=roles,
    )
    model = load_model(settings=resolve({"threads": 1, "provider": "cpu"}, environment={}))
    table = {name: {name: 1.0} for name in ("eyeBlinkLeft", "eyeBlinkRight")}
    face, *rest = generate(
        mesh, Asked({"table": table}), model, lambda _stage, _share: None, Cancellation()
    )
    assert isinstance(face, Face) and isinstance(rest[0], Shapes)
    return face, rest[0].offsets, hair[face.indices]


def test_a_fringe_before_the_eyes_stays_while_they_close() -> None:
    face, blinks, hair = fringed()
    assert hair.any() and face.confidence > 0.6
    assert not blinks[:, hair].any()
    assert np.abs(blinks[:, ~hair]).max() > 0.1 * face.frame.scale


def test_what_the_user_says_counts_more() -> None:
    face, _blinks, hair = fringed(role=1)
    assert (face.movement_mask[hair] > 0).any()


def test_hair_that_carries_the_landmarks_is_not_taken_for_the_skin(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    head, triangles = anatomy()
    scalp = Scalp(head.vertices[head.part == PARTS.index("skin")])
    helmet, more = dressed_hair.helmet(scalp, np.random.default_rng(2), 0.3)
    vertices = np.concatenate([head.vertices, helmet.astype(np.float32)])
    both = np.concatenate([triangles, (more + len(head.vertices)).astype(np.int32)])
    hair, parts = np.arange(len(vertices)) >= len(head.vertices), loose_parts(vertices, both)
    true, still = kinds.skin_and_still(vertices, both, parts, head.landmarks)
    assert still[hair].all() and not still[true].any()
    monkeypatch.setattr(kinds, "face_skin", lambda *_: hair)
    skin, still = kinds.skin_and_still(vertices, both, parts, head.landmarks)
    assert (skin == true).all() and still[hair].all()
