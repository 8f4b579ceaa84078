# SPDX-License-Identifier: GPL-3.0-or-later
"""Landmarks that the encoder saw amiss go where the mesh has its openings, and of two places for a
face the one counts whose eyes the mesh has.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from fixtures.flat_head import flat_head
from fixtures.located import locate, silent

from backend.face.geometry.frame import Floats, Frame
from backend.face.geometry.landmarks import NAMES, SIDES
from backend.face.geometry.mesh import AvatarMesh
from backend.face.locate.cut import framed
from backend.face.locate.encoder_search import Encode, EncoderSearch, Found
from backend.face.locate.face import Face, Place
from backend.face.locate.places import Asked, place_of, plainer
from backend.face.locate.points import cloud_of
from backend.face.locate.to_openings import open_eyes
from scripts.samples.drawn import build as drawn
from scripts.samples.head import SampleHead

UP = np.array([0.0, 0.0, 1.0])
EYES = [name for name in NAMES if name.startswith(("eye_", "lid_"))]


def amiss(encode: Encode, moved: dict[str, float], likeness: float | None = None) -> Encode:
    """An encoder that sees landmarks so much higher, canonical units, by name."""

    def seen(points: Floats) -> tuple[Floats, Floats]:
        latent, sure = encode(points)
        latent = latent.copy()
        for name, up in moved.items():
            latent[:, 3 * NAMES.index(name) + 1] += up
        if likeness is not None:
            latent[:, -1] = likeness
        return latent, sure

    return seen


def at(face: Face) -> dict[str, Floats]:
    """The face's landmarks (3,) by name, in the object's space."""
    return dict(zip(NAMES, face.frame.to_object(face.landmarks), strict=True))


def test_lids_inside_an_opening_are_none_of_a_head_that_is_learnt(encode: Encode) -> None:
    """A drawn head that the encoder takes for a training rig: its lower lids are seen in the middle
    of its eyes.
    """
    vertices, triangles, _ = drawn()
    mesh = AvatarMesh(vertices, triangles, up=(0, 0, 1))
    right = locate(mesh, amiss(encode, {}, 1.0), NAMES, silent)
    low = amiss(encode, {f"lid_lower_{side}": 0.3 for side in SIDES}, 1.0)
    wrong = locate(mesh, low, NAMES, silent)
    assert right.surely == 1 and wrong.surely == 0
    for side in SIDES:
        name = f"lid_lower_{side}"
        apart = np.linalg.norm(at(wrong)[name] - at(right)[name]) / right.frame.scale
        assert apart < 0.15, "the lid is where the opening ends"


@pytest.mark.parametrize("up", [0.25, -0.25])
def test_eyes_that_are_seen_beside_their_place_are_found(
    sample: SampleHead, encode: Encode, up: float
) -> None:
    mesh = AvatarMesh(sample.vertices, sample.triangles, up=(0, 0, 1))
    right = at(locate(mesh, encode, NAMES, silent))
    face = locate(mesh, amiss(encode, dict.fromkeys(EYES, up)), NAMES, silent)
    for name in (name for name in EYES if name.startswith("lid_")):
        apart = np.linalg.norm(at(face)[name] - right[name]) / face.frame.scale
        assert apart < 0.06, (name, apart)


@pytest.mark.parametrize("confidence", [0.9, 0.1])
def test_what_features_say_counts_less_where_the_encoder_sees_open_eyes(
    sample: SampleHead, encode: Encode, confidence: float
) -> None:
    """Eyeballs behind the lids and teeth are features, too; they once took the place of a face that
    the encoder saw right.
    """
    mesh = AvatarMesh(sample.vertices, sample.triangles, up=(0, 0, 1))
    asked = Asked(
        mesh,
        np.arange(len(mesh.vertices), dtype=np.int32),
        mesh.parts,
        np.ones(len(mesh.triangles), bool),
    )
    cloud = cloud_of(mesh.vertices, mesh.triangles, mesh.parts)
    search = EncoderSearch(cloud, encode, NAMES, mesh.vertices)
    face = locate(mesh, encode, NAMES, silent)
    seen = place_of(asked, search, Found(face.frame, 0.9), UP)
    closed = _with(seen, lambda name: 0.5 if name in EYES else 0.0)
    assert (open_eyes(seen), open_eyes(closed)) == (2, 0)
    own = plainer(asked, search, Found(face.frame, confidence), closed, UP)
    assert (own is not None) == (confidence > 0.5)
    assert plainer(asked, search, Found(face.frame, confidence), seen, UP) is None


def _with(place: Place, up: Callable[[str], float]) -> Place:
    """A place whose landmarks lie so much higher, canonical units."""
    moved = np.array([[0, up(name), 0] for name in place.names], np.float32)
    return replace(place, landmarks=place.landmarks + moved)


@pytest.mark.parametrize("likeness", [0.0, 1.0])
@pytest.mark.parametrize("beside", [0.0, 0.1])
def test_a_head_whose_eyes_are_flat_is_not_sought_elsewhere(likeness: float, beside: float) -> None:
    """Flat eyes stay where a model that is believed alone sees them, and are moved to their parts
    else: they are eyes all the same.
    """
    made = flat_head()
    middle = made.landmarks["nose_tip"] * 0
    frame = Frame(middle.astype(np.float64), np.eye(3), 1.0)
    mesh = AvatarMesh(made.vertices, made.triangles, up=(0, 1, 0))
    asked_elsewhere = []

    def otherwise() -> Place | None:
        asked_elsewhere.append(True)
        return None

    place = Place(
        mesh,
        mesh.group,
        mesh.parts,
        frame,
        tuple(NAMES),
        landmarks=np.stack(
            [made.landmarks[n] + np.array([0, beside * (n in EYES), 0]) for n in NAMES]
        ).astype(np.float32),
        confidence=1.0,
        searched=True,
        warnings=(),
        more=lambda: np.full(1, likeness, np.float32),
        alike=lambda landmarks, frame, _known: (landmarks, frame),
        otherwise=otherwise,
    )
    framed(place)
    assert not asked_elsewhere


@pytest.mark.parametrize(
    ("low", "eyes_up", "likeness", "taken"),
    [
        (1.5, 0.0, 0.0, True),
        (1.5, 0.0, 1.0, False),  # the encoder is believed alone
        (1.5, 1.0, 0.0, False),  # the other place is of other eyes
        (0.0, 0.0, 0.0, False),  # the mesh has lips here
    ],
)
def test_eyes_that_are_seen_right_have_the_mouth_whose_lips_meet(
    sample: SampleHead, encode: Encode, low: float, eyes_up: float, likeness: float, taken: bool
) -> None:
    """Of long muzzles the encoder saw the eyes, and the mouth at the throat."""
    mesh = AvatarMesh(sample.vertices, sample.triangles, up=(0, 0, 1))
    asked = Asked(mesh, mesh.group, mesh.parts, np.ones(len(mesh.triangles), bool))
    cloud = cloud_of(mesh.vertices, mesh.triangles, mesh.parts)
    search = EncoderSearch(cloud, encode, NAMES, mesh.vertices)
    face = locate(mesh, encode, NAMES, silent)
    right = replace(
        place_of(asked, search, Found(face.frame, 0.9), UP),
        more=lambda: np.full(1, likeness, np.float32),
    )
    asked_for = []

    def otherwise() -> Place:
        asked_for.append(True)
        return _with(right, lambda name: eyes_up if name in EYES else 0.0)

    seen = replace(
        _with(right, lambda name: 0.0 if name in EYES else -low),
        otherwise=otherwise,
        alike=lambda landmarks, frame, _known: (landmarks, frame),
    )
    found, wanted = at(framed(seen)), at(framed(right))
    apart = np.linalg.norm(found["lip_upper"] - wanted["lip_upper"]) / right.frame.scale
    assert bool(apart < 0.05) is (taken or low == 0)
    assert bool(asked_for) is (low > 0 and likeness < 1)
