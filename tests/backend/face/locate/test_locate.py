# SPDX-License-Identifier: GPL-3.0-or-later
"""Finding the face with the shipped model: on the sample head, alone and on a body, however it is
placed; and not where there is none.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace

import numpy as np
import pytest
from fixtures.located import locate, silent
from fixtures.meshes import ball

from backend.errors import BackendError
from backend.face.geometry.frame import Frame, frame_of_landmarks
from backend.face.geometry.landmarks import NAMES
from backend.face.geometry.mesh import AvatarMesh, Floats, Ints, check
from backend.face.locate import features, search
from backend.face.locate.encoder_search import Encode
from backend.face.locate.face import Effort, Face, Place
from backend.face.locate.places import agreed
from backend.face.locate.proposals import sizes
from backend.face.params.locate import FINDING, SEARCH
from scripts.samples.head import SampleHead

TURN = {"z90": [[0, -1, 0], [1, 0, 0], [0, 0, 1]], "z180": [[-1, 0, 0], [0, -1, 0], [0, 0, 1]]}


def tube(
    bottom: float, top: float, radius: float, at: tuple[float, float] = (0, 0)
) -> tuple[Floats, Ints]:
    """An upright open tube of 40 rings of 24 vertices, for bodies and limbs."""
    angle, height = np.meshgrid(
        np.linspace(0, 2 * np.pi, 24, endpoint=False), np.linspace(bottom, top, 40)
    )
    vertices = np.stack(
        [at[0] + radius * np.cos(angle), at[1] + radius * np.sin(angle), height], axis=-1
    ).reshape(-1, 3)
    ring, around = np.meshgrid(np.arange(39), np.arange(24), indexing="ij")
    a, b = ring * 24 + around, ring * 24 + (around + 1) % 24
    triangles = np.concatenate(
        [
            np.stack([a, b, b + 24], -1).reshape(-1, 3),
            np.stack([a, b + 24, a + 24], -1).reshape(-1, 3),
        ]
    )
    return vertices.astype(np.float32), triangles.astype(np.int32)


def joined(*meshes: tuple[Floats, Ints]) -> tuple[Floats, Ints]:
    starts = np.cumsum([0] + [len(v) for v, _ in meshes])
    return np.concatenate([v for v, _ in meshes]), np.concatenate(
        [t + s for (_, t), s in zip(meshes, starts, strict=False)]
    ).astype(np.int32)


@pytest.fixture(scope="module")
def avatar(sample: SampleHead) -> AvatarMesh:
    """The sample head on a trunk with two arms and legs, head vertices first."""
    low = float(sample.vertices[:, 2].min())
    body = [
        tube(low - 0.65, low, 0.15),
        tube(low - 0.6, low, 0.05, (0.25, 0)),
        tube(low - 0.6, low, 0.05, (-0.25, 0)),
        tube(low - 1.45, low - 0.6, 0.07, (0.09, 0)),
        tube(low - 1.45, low - 0.6, 0.07, (-0.09, 0)),
    ]
    vertices, triangles = joined((sample.vertices, sample.triangles), *body)
    return AvatarMesh(vertices, triangles, up=(0, 0, 1))


@pytest.fixture(scope="module")
def found(avatar: AvatarMesh, encode: Encode) -> Face:
    return locate(avatar, encode, NAMES, silent)


@pytest.mark.parametrize(
    "turn",
    [[[1, 0, 0], [0, 1, 0], [0, 0, 1]], [[1, 0, 0], [0, 0, 1], [0, -1, 0]]],
    ids=["z-up", "y-up"],
)
def test_a_head_that_looks_where_avatars_look_takes_few_looks(
    sample: SampleHead, encode: Encode, turn: list[list[int]]
) -> None:
    def looks(rotation: Floats) -> int:
        seen = 0

        def counting(points: Floats) -> tuple[Floats, Floats]:
            nonlocal seen
            seen += len(points)
            return encode(points)

        up = tuple(float(x) for x in rotation @ np.array([0, 0, 1], np.float32))
        face = locate(
            AvatarMesh(sample.vertices @ rotation.T, sample.triangles, up=(up[0], up[1], up[2])),
            counting,
            NAMES,
            silent,
        )
        assert (
            face.confidence > 0.9 and np.abs(face.frame.rotation[2] @ rotation @ [0, -1, 0]) > 0.9
        )
        return seen

    placed = np.array(turn, np.float32)
    assert looks(placed) + 20 < looks(placed @ np.array(TURN["z180"], np.float32))


def marks(face: Face) -> Floats:
    return face.frame.to_object(face.landmarks)


def test_corrected_landmarks_are_believed(
    avatar: AvatarMesh, encode: Encode, found: Face, sample: SampleHead
) -> None:
    given = {name: (float(p[0]), float(p[1]), float(p[2])) for name, p in sample.landmarks.items()}
    some = locate(replace(avatar, landmarks={"chin": given["chin"]}), encode, NAMES, silent)
    np.testing.assert_allclose(marks(some)[NAMES.index("chin")], given["chin"], atol=1e-5)
    np.testing.assert_allclose(marks(some)[0], marks(found)[0], atol=1e-5)

    def astray(points: Floats) -> tuple[Floats, Floats]:
        latent, sure = encode(points)
        return latent + 0.3, sure

    every = locate(replace(avatar, landmarks=given), astray, NAMES, silent)
    np.testing.assert_allclose(
        marks(every), np.stack([sample.landmarks[n] for n in NAMES]), atol=1e-5
    )
    for wrong in ({"nose": (0.0, 0.0, 0.0)}, dict.fromkeys(NAMES, (0.0, 0.0, 0.0))):
        with pytest.raises(BackendError) as caught:
            mesh = replace(avatar, landmarks=wrong)
            check(mesh)
            locate(mesh, encode, NAMES, silent)
        assert caught.value.code == "mesh_invalid" and caught.value.fix


def test_the_landmarks_lie_where_the_head_was_modelled(found: Face, sample: SampleHead) -> None:
    true = np.stack([sample.landmarks[name] for name in NAMES])
    miss = np.linalg.norm(marks(found) - true, axis=1) / found.frame.scale
    assert miss.mean() < 0.12 and miss.max() < 0.35, dict(zip(NAMES, miss.round(2), strict=True))
    assert found.confidence > 0.9 and not found.warnings


@pytest.mark.parametrize(("likeness", "ends"), [(0.9999, True), (1.0, False)])
def test_a_mouth_ends_where_its_slit_does_unless_the_head_surely_is_one_of_those_learnt(
    sample: SampleHead, encode: Encode, likeness: float, ends: bool
) -> None:
    """Small mouths of drawn heads that the encoder takes for MakeHuman's were seen too wide."""
    left, right = NAMES.index("mouth_left"), NAMES.index("mouth_right")

    def wide(points: Floats) -> tuple[Floats, Floats]:
        latent, sure = encode(points)
        latent = latent.copy()
        latent[:, 3 * left] += 0.12
        latent[:, 3 * right] -= 0.12
        latent[:, -1] = likeness
        return latent, sure

    head = AvatarMesh(sample.vertices, sample.triangles, up=(0, 0, 1))
    at = marks(locate(head, wide, NAMES, silent))
    true = np.linalg.norm(sample.landmarks["mouth_left"] - sample.landmarks["mouth_right"])
    width = float(np.linalg.norm(at[left] - at[right]) / true)
    assert width < 1.25 if ends else width > 1.3


def test_the_frame_is_that_of_the_landmarks(found: Face) -> None:
    own = frame_of_landmarks(dict(zip(NAMES, marks(found).astype(np.float64), strict=True)))
    assert np.allclose(
        own.rotation, found.frame.rotation, atol=1e-4
    ) and own.scale == pytest.approx(found.frame.scale, rel=1e-4)
    assert np.linalg.norm(own.origin - found.frame.origin) < 1e-4 * own.scale


def test_only_the_head_may_move(found: Face, sample: SampleHead) -> None:
    assert found.indices.max() < len(sample.vertices)
    assert found.movement_mask[~found.still].min() > 0 and found.movement_mask.max() == 1
    assert found.still.any() and not found.movement_mask[found.still].any()  # its hair


@pytest.fixture(params=["x0.01", "x100", "z90", "z180", "moved", "weights", "lying"])
def variant(
    request: pytest.FixtureRequest, avatar: AvatarMesh, sample: SampleHead
) -> Iterator[tuple[AvatarMesh, Floats, Floats, float]]:
    """The avatar changed, and the rotation, translation and scale that changed it."""
    rotation, move, scale = np.eye(3, dtype=np.float32), np.zeros(3, np.float32), 1.0
    mesh = avatar
    if request.param.startswith("x"):
        scale = float(request.param[1:])
    elif request.param in TURN:
        rotation = np.array(TURN[request.param], np.float32)
    elif request.param == "moved":
        move = np.array([50, -3, 20], np.float32)
    elif request.param == "lying":  # on its back: the hint says that up is where the nose points
        rotation = np.array([[1, 0, 0], [0, 0, 1], [0, -1, 0]], np.float32)
    else:
        mesh = replace(
            avatar,
            head_weights=(np.arange(len(avatar.vertices)) < len(sample.vertices)).astype(
                np.float32
            ),
        )
    vertices = np.ascontiguousarray((avatar.vertices @ rotation.T) * np.float32(scale) + move)
    yield replace(mesh, vertices=vertices), rotation, move, scale


def test_place_scale_heading_and_weights_do_not_change_what_is_found(
    variant: tuple[AvatarMesh, Floats, Floats, float], found: Face, encode: Encode
) -> None:
    mesh, rotation, move, scale = variant
    face = locate(mesh, encode, NAMES, silent)
    back = ((marks(face) - move) / np.float32(scale)) @ rotation
    assert np.abs(back - marks(found)).max() < 0.01 * found.frame.scale


def test_a_mask_tells_which_of_two_heads_is_meant(
    avatar: AvatarMesh, found: Face, sample: SampleHead, encode: Encode
) -> None:
    other = avatar.vertices + np.array([1.5, 0, 0], np.float32)
    vertices, triangles = joined((avatar.vertices, avatar.triangles), (other, avatar.triangles))
    mask = np.zeros(len(vertices), np.float32)
    mask[len(other) : len(other) + len(sample.vertices)] = 1
    face = locate(AvatarMesh(vertices, triangles, mask=mask, up=(0, 0, 1)), encode, NAMES, silent)
    assert face.indices.min() >= len(other) and (mask[face.indices] > 0).all()
    assert (
        np.abs(marks(face) - np.array([1.5, 0, 0]) - marks(found)).max() < 0.1 * found.frame.scale
    )


@pytest.mark.parametrize("shape", ["tube", "ball", "noise", "headless"])
def test_where_there_is_no_face_it_says_so_and_what_to_do(
    shape: str, avatar: AvatarMesh, sample: SampleHead, encode: Encode
) -> None:
    rng = np.random.default_rng(5)
    vertices, triangles = tube(0, 1, 0.2)
    if shape == "ball":
        vertices = vertices * np.array([1, 1, 0], np.float32) * 5 * np.sqrt(
            0.2501 - (vertices[:, 2:] - 0.5) ** 2
        ) + vertices * np.array([0, 0, 1], np.float32)
    if shape == "noise":
        vertices = rng.normal(size=vertices.shape).astype(np.float32)
    if shape == "headless":
        triangles = avatar.triangles[(avatar.triangles >= len(sample.vertices)).all(axis=1)]
        vertices = avatar.vertices
    with pytest.raises(BackendError) as error:
        locate(AvatarMesh(vertices, triangles, up=(0, 0, 1)), encode, NAMES, silent)
    assert error.value.code == "no_face" and "vertex group" in error.value.fix


@pytest.mark.parametrize(("below", "moves"), [(0.3, False), (0.8, True)])
def test_of_loose_parts_only_those_may_move_that_are_mostly_in_the_faces_space(
    below: float, moves: bool, sample: SampleHead, encode: Encode
) -> None:
    given = {name: (float(p[0]), float(p[1]), float(p[2])) for name, p in sample.landmarks.items()}
    nose, top = sample.landmarks["nose_tip"], float(sample.vertices[:, 2].max())
    height = np.where(
        np.arange(40) < 40 * below,
        np.linspace(0, 0.02, 40) + nose[2],
        np.linspace(0, 0.5, 40) + top + 0.3,
    )
    left, right = (
        np.stack([np.full(40, x), np.full(40, nose[1] - 0.02), height], axis=1)
        for x in (-0.01, 0.01)
    )
    a = np.arange(39)
    strip = np.concatenate(
        [np.stack([a, a + 1, a + 40], 1), np.stack([a + 40, a + 1, a + 41], 1)]
    ).astype(np.int32)
    vertices, triangles = joined(
        (sample.vertices, sample.triangles),
        (np.concatenate([left, right]).astype(np.float32), strip),
    )
    face = locate(
        AvatarMesh(vertices, triangles, up=(0, 0, 1), landmarks=given), encode, NAMES, silent
    )
    assert bool((face.indices >= len(sample.vertices)).any()) is moves


def test_an_empty_mask_is_no_face(avatar: AvatarMesh, encode: Encode) -> None:
    with pytest.raises(BackendError) as error:
        locate(
            replace(avatar, mask=np.zeros(len(avatar.vertices), np.float32)), encode, NAMES, silent
        )
    assert error.value.code == "no_face" and "empty" in str(error.value)


@pytest.mark.parametrize("size", [1e-44, 1e-30, 1e15])
def test_a_head_of_any_size_is_found_or_refused(
    size: float, avatar: AvatarMesh, found: Face, encode: Encode
) -> None:
    small = replace(avatar, vertices=(avatar.vertices.astype(np.float64) * size).astype(np.float32))
    if size < 1e-40:  # float32 keeps hardly a digit of such a head
        with pytest.raises(BackendError) as refused:
            locate(small, encode, NAMES, silent)
        assert refused.value.code in ("mesh_invalid", "no_face") and refused.value.fix
    else:
        again = locate(small, encode, NAMES, silent)
        assert np.abs(again.landmarks - found.landmarks).max() < 0.02


def test_landmarks_that_no_number_holds_are_refused(avatar: AvatarMesh, encode: Encode) -> None:
    def endless(points: Floats) -> tuple[Floats, Floats]:
        latent, sure = encode(points)
        latent = latent.copy()
        latent[:, 3 * NAMES.index("nose_tip")] = np.inf
        return latent, sure

    with np.errstate(invalid="ignore"), pytest.raises(BackendError) as refused:
        locate(avatar, endless, NAMES, silent)
    assert refused.value.code == "mesh_invalid" and refused.value.fix


@pytest.fixture
def encoder_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """A search in which only the encoder says where a face is: heads of these tests have plain
    features, too, and ways come to rest there.
    """
    monkeypatch.setattr(features, "landmarks", lambda *_: {})
    monkeypatch.setattr(search, "by_rest", lambda *_: None)


@pytest.mark.usefixtures("encoder_alone")
@pytest.mark.parametrize(("share", "enough"), [(1.0, True), (0.4, True), (0.2, False)])
def test_a_face_that_draws_every_proposal_is_found_though_the_encoder_doubts_it(
    share: float, enough: bool, found: Face, avatar: AvatarMesh, encode: Encode
) -> None:
    glimpse = iter(
        [share, share]
        # seen from the front, then all around: of unlike heads landmarks may be right and the
        # confidence not
    )

    def doubting(points: Floats) -> tuple[Floats, Floats]:
        latent, sure = encode(points)
        return latent, sure * (next(glimpse, 0) if len(points) > SEARCH.keep else 0)

    small = replace(
        avatar,
        head_weights=(np.arange(len(avatar.vertices)) <= found.indices.max()).astype(np.float32),
    )
    if enough:
        face = locate(small, doubting, NAMES, silent)
        assert face.confidence == pytest.approx(SEARCH.steady) and face.warnings
        assert np.abs(marks(face) - marks(found)).max() < 0.02 * found.frame.scale
        return
    with pytest.raises(BackendError) as error:
        locate(small, doubting, NAMES, silent)
    assert error.value.code == "no_face"


def test_a_face_where_ways_come_to_rest_is_found_whatever_the_encoder_believes(
    sample: SampleHead, encode: Encode, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Landmarks are right on many a head whose confidence is not; without eyes it is none."""
    monkeypatch.setattr(features, "landmarks", lambda *_: {})

    def blind(points: Floats) -> tuple[Floats, Floats]:
        return encode(points)[0], np.zeros(len(points), np.float32)

    head = AvatarMesh(sample.vertices, sample.triangles, up=(0, 0, 1))
    face = locate(head, blind, NAMES, silent)
    true = np.stack([sample.landmarks[name] for name in NAMES])
    miss = np.linalg.norm(marks(face) - true, axis=1) / face.frame.scale
    assert miss.mean() < 0.12 and face.warnings
    assert face.confidence == pytest.approx(FINDING.rested)
    vertices, triangles = tube(0, 1, 0.2)
    with pytest.raises(BackendError) as error:
        locate(AvatarMesh(vertices, triangles, up=(0, 0, 1)), blind, NAMES, silent)
    assert error.value.code == "no_face"


@pytest.mark.usefixtures("encoder_alone")
@pytest.mark.parametrize(
    ("sure", "marked", "is_found"),
    [(0.5, False, False), (0.7, False, True), (0.3, True, True), (0.15, True, False)],
)
def test_a_doubtful_face_is_believed_only_where_something_marks_the_head(
    sure: float,
    marked: bool,
    is_found: bool,
    sample: SampleHead,
    encode: Encode,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def doubting(points: Floats) -> tuple[Floats, Floats]:
        return encode(points)[0], np.full(len(points), sure, np.float32)

    # a face that draws proposals is believed for that
    never = replace(SEARCH, drawn_some=SEARCH.keep + 1, drawn_all=SEARCH.keep + 1)
    monkeypatch.setattr("backend.face.locate.encoder_search.SEARCH", never)
    weights = np.ones(len(sample.vertices), np.float32) if marked else None
    mesh = AvatarMesh(sample.vertices, sample.triangles, head_weights=weights, up=(0, 0, 1))
    if is_found:
        face = locate(mesh, doubting, NAMES, silent, "upright")
        assert (
            face.confidence == pytest.approx(sure, abs=0.01)
            and f"{sure:.0%} sure" in face.warnings[0]
        )
        return
    with pytest.raises(BackendError) as error:
        locate(mesh, doubting, NAMES, silent, "upright")
    assert error.value.code == "no_face" and f"best match {sure:.0%}" in str(error.value)


@pytest.mark.usefixtures("encoder_alone")
def test_looking_upright_alone_takes_a_part_of_the_looks(encode: Encode) -> None:
    def looks(effort: Effort) -> int:
        seen = 0

        def counting(points: Floats) -> tuple[Floats, Floats]:
            nonlocal seen
            seen += len(points)
            latent, sure = encode(points)
            return latent, sure * 0

        vertices, triangles = tube(0, 1, 0.2)
        with pytest.raises(BackendError):
            locate(AvatarMesh(vertices, triangles, up=(0, 0, 1)), counting, NAMES, silent, effort)
        return seen

    assert 0 < looks("glance") < 0.3 * looks("upright") < 0.3 * 0.3 * looks("full")


@pytest.mark.usefixtures("encoder_alone")
@pytest.mark.parametrize("heap", [False, True], ids=["face", "heap"])
def test_what_is_found_the_other_way_up_must_be_symmetric(
    heap: bool, sample: SampleHead, encode: Encode
) -> None:
    mesh = AvatarMesh(sample.vertices, sample.triangles, up=(0, 0, 1))
    if heap:
        rng = np.random.default_rng(1)
        shreds = rng.normal(size=(300, 1, 3)) * 0.1 + rng.normal(size=(300, 3, 3)) * 0.005
        mesh = AvatarMesh(
            shreds.reshape(-1, 3).astype(np.float32),
            np.arange(900, dtype=np.int32).reshape(-1, 3),
            up=(0, 0, 1),
        )
    seen, upright = 0, 10**9

    def late(
        points: Floats,
    ) -> tuple[Floats, Floats]:  # sure of everything once the likeliest direction is through
        nonlocal seen
        seen += 1
        return encode(points)[0], np.full(len(points), 0.95 * (seen > upright), np.float32)

    with pytest.raises(BackendError):
        locate(mesh, late, NAMES, silent, "upright")
    seen, upright = 0, seen
    if heap:
        with pytest.raises(BackendError) as error:
            locate(mesh, late, NAMES, silent)
        assert error.value.code == "no_face"
    else:
        assert locate(mesh, late, NAMES, silent).confidence == pytest.approx(0.95, abs=0.01)


@pytest.mark.parametrize("front", [(0.0, -1.0, 0.0), (0.0, 0.0, 1.0)], ids=["z-up", "y-up"])
def test_where_a_face_is_first_looked_for_the_head_lies_behind_what_is_in_front(
    front: tuple[float, float, float],
) -> None:
    vertices, triangles = ball(24, 32, (0.0, 0.0, 0.0), (0.08, 0.1, 0.12))
    if front[2]:
        vertices = np.ascontiguousarray(
            vertices @ np.array([[1, 0, 0], [0, 0, -1], [0, 1, 0]], np.float32)
        )
    seen: list[Floats] = []

    def blind(points: Floats) -> tuple[Floats, Floats]:
        seen.append(points)
        return np.zeros((len(points), 3 * len(NAMES)), np.float32), np.zeros(
            len(points), np.float32
        )

    with pytest.raises(BackendError):
        locate(
            AvatarMesh(vertices, triangles, up=(0, 0, 1) if front[1] else (0, 1, 0)),
            blind,
            NAMES,
            silent,
            "upright",
        )
    first = np.concatenate(seen[: len(sizes())])
    full = first[first.any(axis=(1, 2))]  # crops at heights where the ball is
    deep = full[:, :, 2].mean(axis=1)
    assert len(full) >= 8 and deep.max() < 0.1 and np.median(deep) < -0.3


@pytest.mark.parametrize(
    ("apart", "given", "taken"), [(0.05, False, True), (0.2, False, False), (0.05, True, False)]
)
def test_of_a_face_that_was_found_in_a_part_the_landmarks_are_those_seen_in_all_of_it(
    apart: float, given: bool, taken: bool, sample: SampleHead
) -> None:
    true = frame_of_landmarks(
        {name: np.asarray(place, np.float64) for name, place in sample.landmarks.items()}
    )
    inside = true.to_canonical(
        np.stack([sample.landmarks[name] for name in NAMES]).astype(np.float32)
    )

    def encode(points: Floats) -> tuple[Floats, Floats]:
        """Sees the sample head's landmarks in whatever frame it looks, which is the true one but
        for a little turn.
        """
        return np.tile(
            np.append(inside, [0.25, 0.5]).astype(np.float32), (len(points), 1)
        ), np.full(len(points), 0.9, np.float32)

    marks = {"chin": (0.0, 0.0, 0.0)} if given else {}
    mesh = AvatarMesh(sample.vertices, sample.triangles, up=(0, 0, 1), landmarks=marks)
    parts = np.zeros(len(sample.vertices), np.int32)
    seen = inside + np.array([0, apart, 0], np.float32)

    def alike(landmarks: Floats, frame: Frame, known: Collection[str]) -> tuple[Floats, Frame]:
        return landmarks, frame

    place = Place(
        mesh,
        parts,
        parts,
        true,
        NAMES,
        landmarks=seen,
        confidence=0.9,
        searched=True,
        warnings=(),
        more=lambda: np.zeros(2, np.float32),
        alike=alike,
    )
    got = agreed(place, mesh, encode)
    assert (got is not None) == taken
    if got is not None:
        np.testing.assert_allclose(
            got.frame.to_object(got.landmarks), true.to_object(inside), atol=0.01 * true.scale
        )
        assert got.more().tolist() == [0.25, 0.5]
