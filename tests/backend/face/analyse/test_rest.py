# SPDX-License-Identifier: GPL-3.0-or-later
"""Faces that are not neutral, that are joined, hidden or one-eyed: what is said of them, how sure
it is, and what the shapes then leave alone.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from backend.face import pipeline
from backend.face.analyse import rest
from backend.face.geometry.mesh import AvatarMesh
from backend.face.shapes.shape_sets import load_sets
from backend.inference.cancellation import Cancellation
from backend.inference.catalogue import find_model
from backend.inference.loading import load_model
from backend.inference.models import Model
from backend.inference.settings import resolve
from backend.service.asked import Asked
from backend.service.generate import Shapes, find_face, generate
from backend.service.report import Report, new_report
from scripts.samples.head import PARTS, build
from scripts.samples.head_skin import MATERIALS, OPENINGS
from scripts.samples.surface import HeadSpec

Floats = NDArray[np.float32]
SETS = {name: load_sets()[name].shapes for name in ("arkit", "vrchat")}
POSES: dict[str, dict[str, float]] = {
    "both closed": {"eyeBlinkLeft": 1, "eyeBlinkRight": 1},
    "left closed": {"eyeBlinkLeft": 1},
    "right closed": {"eyeBlinkRight": 1},
    "nearly closed": {"eyeBlinkLeft": 0.75, "eyeBlinkRight": 0.75},
    "open": {"jawOpen": 0.6},
    "open and smiling": {"jawOpen": 0.35, "mouthSmileLeft": 0.8, "mouthSmileRight": 0.8},
    "tongue": {"jawOpen": 0.5, "tongueOut": 1},
    "squinting": {"eyeSquintLeft": 1, "eyeSquintRight": 1},
    "frowning": {"mouthFrownLeft": 0.8, "mouthFrownRight": 0.8},
    "a little open": {"jawOpen": 0.12},
}


@cache
def model() -> Model:
    return load_model(find_model(None, resolve({}, {})))


@cache
def head(style: float = 0.0) -> Any:
    return build(HeadSpec(stylisation=style))


def made(vertices: Floats, triangles: Any) -> tuple[Report, dict[str, Floats], dict[str, float]]:
    """The report, the shapes on all vertices, and how sure each is."""
    mesh = AvatarMesh(
        np.ascontiguousarray(vertices, np.float32),
        np.ascontiguousarray(triangles, np.int32),
        up=(0, 0, 1),
    )
    face, *blocks, report = generate(
        mesh, Asked(SETS), model(), lambda stage, fraction: None, Cancellation()
    )
    shapes, sure = {}, {}
    for block in blocks:
        assert isinstance(block, Shapes)
        for name, offsets, confidence in zip(
            block.names, block.offsets, block.confidence, strict=True
        ):
            shapes[name] = np.zeros_like(mesh.vertices)
            shapes[name][face.indices] = offsets  # type: ignore[union-attr]
            sure[name] = float(confidence)
    assert isinstance(report, Report)
    return report, shapes, sure


@cache
def neutral(style: float = 0.0) -> tuple[Report, dict[str, Floats], dict[str, float]]:
    return made(head(style).vertices, head(style).triangles)


def posed(pose: str, style: float = 0.0) -> Floats:
    shapes = neutral(style)[1]
    return np.asarray(
        head(style).vertices + sum(weight * shapes[name] for name, weight in POSES[pose].items()),
        np.float32,
    )


def said(vertices: Floats, triangles: Any) -> tuple[list[str], float]:
    """What is found before anything is made, and the face's confidence."""
    mesh = AvatarMesh(
        np.ascontiguousarray(vertices, np.float32),
        np.ascontiguousarray(triangles, np.int32),
        up=(0, 0, 1),
    )
    report = new_report(mesh, model())
    face = find_face(mesh, model(), report, lambda stage, fraction: None, Cancellation())
    report.found(pipeline.at_rest(face, mesh, model().info.landmarks))
    assert [finding["words"] for finding in report.findings] == report.warnings
    return [finding["code"] for finding in report.findings], report.confidence


def welded(bag: bool, style: float = 0.0) -> Any:
    """Triangles of the head with its lips welded, the mouth behind them left there or taken
    away.
    """
    whole = head(style)
    mouth = whole.opening == OPENINGS.index("mouth")
    edge = np.flatnonzero(mouth & (whole.ring == 0))
    same = np.arange(len(whole.vertices))
    for index in edge:
        near = edge[np.linalg.norm(whole.vertices[edge] - whole.vertices[index], axis=1) < 0.0009]
        same[index] = near.min()
    triangles = same[whole.triangles]
    gone = mouth & (whole.ring < 0)
    for polygon, material in zip(whole.polygons, whole.material, strict=True):
        if MATERIALS[int(material)] in ("teeth", "tongue"):
            gone[polygon] = True
    if not bag:
        triangles = triangles[~gone[whole.triangles].any(axis=1)]
    return triangles[
        (triangles[:, 0] != triangles[:, 1])
        & (triangles[:, 1] != triangles[:, 2])
        & (triangles[:, 0] != triangles[:, 2])
    ]


@pytest.mark.parametrize("style", [0.0, 1.0])
def test_nothing_is_said_of_a_neutral_face(style: float) -> None:
    report, _shapes, sure = neutral(style)
    assert report.findings == [] and report.confidence > 0.99 and sure["jawOpen"] > 0.99


@pytest.mark.parametrize("pose", ["squinting", "frowning", "a little open"])
def test_nothing_is_said_of_one_that_is_nearly_neutral(pose: str) -> None:
    assert said(posed(pose), head().triangles)[0] == []


@pytest.mark.parametrize(("bag", "style"), [(False, 0.0), (True, 0.0), (False, 1.0)])
def test_joined_lips_are_said_and_move_together(bag: bool, style: float) -> None:
    vertices, triangles = head(style).vertices, welded(bag, style)
    codes, confidence = said(vertices, triangles)
    assert codes == ["lips_joined"] and confidence < 0.75
    report, shapes, sure = made(vertices, triangles)
    assert [finding["code"] for finding in report.findings] == codes and "Rip" in report.warnings[0]
    assert (
        all(sure[name] < 0.5 for name in ("jawOpen", "mouthClose", "tongueOut", "vrc.v_aa"))
        and sure["browInnerUp"] > 0.99
    )
    edges = np.concatenate([triangles[:, :2], triangles[:, 1:], triangles[:, ::2]])
    before, after = (
        np.linalg.norm(points[edges[:, 0]] - points[edges[:, 1]], axis=1)
        for points in (vertices, vertices + shapes["jawOpen"])
    )
    assert (after - before).max() < 0.006  # 10 mm before: a film


@pytest.mark.parametrize("style", [0.0, 0.5, 1.0])
def test_closed_eyes_are_said_and_stay_closed(style: float) -> None:
    vertices = posed("both closed", style)
    codes, confidence = said(vertices, head(style).triangles)
    assert codes == ["eye_closed_left", "eye_closed_right"] and confidence < 0.7
    _report, shapes, sure = made(vertices, head(style).triangles)
    assert (
        not shapes["eyeBlinkLeft"].any()
        and not shapes["eyeBlinkRight"].any()
        and sure["eyeBlinkLeft"] == 0
    )
    assert shapes["jawOpen"].any() and sure["jawOpen"] > 0.99


@pytest.mark.parametrize("style", [0.0, 1.0])
def test_eyes_whose_lids_are_sewn_together_are_closed(style: float) -> None:
    whole, vertices = head(style), posed("both closed", style)
    same = np.arange(len(vertices))
    for side in ("left", "right"):
        edge = np.flatnonzero((whole.opening == OPENINGS.index(f"eye_{side}")) & (whole.ring == 0))
        for index in edge:
            same[index] = edge[
                np.linalg.norm(vertices[edge] - vertices[index], axis=1) < 0.004
            ].min()
    triangles = same[whole.triangles]
    triangles = triangles[
        (triangles[:, 0] != triangles[:, 1])
        & (triangles[:, 1] != triangles[:, 2])
        & (triangles[:, 0] != triangles[:, 2])
    ]
    assert said(vertices, triangles)[0] == ["eye_closed_left", "eye_closed_right"]
    shapes = made(vertices, triangles)[1]
    assert (
        not shapes["eyeBlinkLeft"].any()
        and not shapes["eyeBlinkRight"].any()
        and shapes["jawOpen"].any()
    )


def test_one_closed_eye_leaves_the_other_its_blink() -> None:
    report, shapes, sure = made(posed("right closed"), head().triangles)
    assert [finding["code"] for finding in report.findings] == [
        "eye_closed_right"
    ] and 0.75 < report.confidence < 0.85
    assert (
        not shapes["eyeBlinkRight"].any()
        and np.abs(shapes["eyeBlinkLeft"]).max() > 0.01
        and sure["eyeBlinkLeft"] > 0.99
    )


def gap(vertices: Floats, side: str, style: float) -> float:
    """How far the edges of the lids are apart in the eye's middle, as a share of the neutral
    head's; below 0 they pass each other.
    """
    whole = head(style)
    edge = np.flatnonzero((whole.opening == OPENINGS.index(f"eye_{side}")) & (whole.ring == 0))
    x, z = whole.vertices[edge, 0], whole.vertices[edge, 2]
    near = np.abs(x - (x.min() + x.max()) / 2) < (x.max() - x.min()) / 4
    upper, lower = edge[near & (z > z.mean())], edge[near & (z < z.mean())]
    apart = [
        float(points[upper, 2].mean() - points[lower, 2].mean())
        for points in (vertices, whole.vertices)
    ]
    return apart[0] / apart[1]


@pytest.mark.parametrize("style", [0.0, 0.5, 1.0])
@pytest.mark.parametrize(("closed", "other"), [("left", "right"), ("right", "left")])
def test_the_eye_beside_a_closed_one_closes_as_ever(closed: str, other: str, style: float) -> None:
    vertices, blink = posed(f"{closed} closed", style), f"eyeBlink{other.title()}"
    usual = gap(head(style).vertices + neutral(style)[1][blink], other, style)
    got = gap(vertices + made(vertices, head(style).triangles)[1][blink], other, style)
    assert -0.01 < got < usual + 0.015 < 0.06


@pytest.mark.parametrize("share", [0.94, 0.96, 0.98])
def test_the_eye_beside_one_that_is_nearly_closed_closes_as_ever(share: float) -> None:
    """The encoder sees a closed eye half open: its landmarks say nothing of the open one's."""
    blinks = neutral()[1]
    vertices = head().vertices + np.float32(share) * blinks["eyeBlinkLeft"]
    usual = gap(head().vertices + blinks["eyeBlinkRight"], "right", 0.0)
    got = gap(vertices + made(vertices, head().triangles)[1]["eyeBlinkRight"], "right", 0.0)
    assert -0.01 < got < usual + 0.015


@pytest.mark.parametrize(
    "style", [0.0, 1.0]
)  # between them how tall its eyes are says whether it is drawn, and closed ones do not tell
def test_the_mouth_of_a_face_with_closed_eyes_opens_as_ever(style: float) -> None:
    closed = made(posed("both closed", style), head(style).triangles)[1]
    usual, got = (
        np.linalg.norm(shapes["jawOpen"], axis=1).max() for shapes in (neutral(style)[1], closed)
    )
    assert got == pytest.approx(usual, rel=0.1)


@pytest.mark.parametrize(("style", "most"), [(0.0, 0.2), (0.5, 0.06)])
def test_the_open_eyes_lids_are_found_where_they_are_whatever_the_other_does(
    style: float, most: float
) -> None:
    def lids(vertices: Floats) -> Floats:
        mesh = AvatarMesh(vertices, head(style).triangles, up=(0, 0, 1))
        face = find_face(
            mesh, model(), new_report(mesh, model()), lambda stage, fraction: None, Cancellation()
        )
        names = model().info.landmarks
        return face.frame.to_object(
            face.landmarks[[names.index(f"lid_{which}_left") for which in ("upper", "lower")]]
        )

    usual, beside = lids(head(style).vertices), lids(posed("right closed", style))
    assert np.linalg.norm(beside - usual, axis=1).max() < most * np.linalg.norm(usual[0] - usual[1])


@pytest.mark.parametrize("share", [0.5, 0.6, 0.7])
@pytest.mark.parametrize("style", [0.0, 0.5, 1.0])
def test_an_eye_of_which_something_is_seen_is_not_called_closed(style: float, share: float) -> None:
    shapes = neutral(style)[1]
    vertices = np.asarray(
        head(style).vertices
        + np.float32(share) * (shapes["eyeBlinkLeft"] + shapes["eyeBlinkRight"]),
        np.float32,
    )
    assert {"eye_closed_left", "eye_closed_right"}.isdisjoint(
        said(vertices, head(style).triangles)[0]
    )


def test_lids_that_are_nearly_closed_close_by_what_is_left() -> None:
    report, shapes, _sure = made(posed("nearly closed"), head().triangles)
    assert [finding["code"] for finding in report.findings] == [
        "eye_narrow_left",
        "eye_narrow_right",
    ]
    assert (
        0 < np.abs(shapes["eyeBlinkLeft"]).max() < 0.5 * np.abs(neutral()[1]["eyeBlinkLeft"]).max()
    )


@pytest.mark.parametrize("pose", ["open", "open and smiling"])
def test_an_open_mouth_is_said_and_closed_as_far_as_it_is_open(pose: str) -> None:
    vertices = posed(pose)
    codes, confidence = said(vertices, head().triangles)
    assert codes == ["mouth_open"] and confidence < 0.85
    _report, shapes, sure = made(vertices, head().triangles)
    assert sure["mouthClose"] < 0.8 and sure["eyeBlinkLeft"] > 0.99
    edge = np.flatnonzero(
        (head().opening == OPENINGS.index("mouth"))
        & (head().ring == 0)
        & (np.abs(head().vertices[:, 0]) < 0.004)
    )
    upper = vertices[edge, 2] > vertices[edge, 2].mean()
    rest_gap, gap = (
        points[edge[upper], 2].min() - points[edge[~upper], 2].max()
        for points in (vertices, vertices + shapes["jawOpen"] + shapes["mouthClose"])
    )
    assert rest_gap > 0.008 and abs(gap) < 0.05 * rest_gap


def test_a_tongue_that_is_out_is_said() -> None:
    assert "tongue_out" in said(posed("tongue"), head().triangles)[0]


def sheet(reach: float, drop: float, high: float, out: float) -> tuple[Floats, Any]:
    """A bent sheet before the mouth, its vertices and triangles added to the head's."""
    marks = head().landmarks
    lips = (marks["lip_upper"] + marks["lip_lower"]) / 2
    x, z = np.meshgrid(np.linspace(-reach, reach, 24), np.linspace(-high, high, 16))
    points = np.stack(
        [x.ravel(), (lips[1] - out + 12 * x**2).ravel(), (lips[2] + drop + z).ravel()], axis=1
    ).astype(np.float32)
    first = (np.arange(15)[:, None] * 24 + np.arange(23)).ravel()
    faces = np.concatenate(
        [
            np.stack([first, first + 1, first + 25], axis=1),
            np.stack([first, first + 25, first + 24], axis=1),
        ]
    )
    return np.concatenate([head().vertices, points]), np.concatenate(
        [head().triangles, faces + len(head().vertices)]
    )


def test_a_mask_is_said_and_a_moustache_and_glasses_are_not() -> None:
    assert said(*sheet(0.055, -0.005, 0.04, 0.02))[0] == ["mouth_hidden"]
    assert said(*sheet(0.03, 0.012, 0.008, 0.008))[0] == []
    assert said(*sheet(0.06, 0.065, 0.02, 0.012))[0] == []


def test_an_eye_that_is_not_there_is_said() -> None:
    whole = head()
    left = np.isin(whole.part, [PARTS.index("eye_left"), PARTS.index("lash_left")])
    opening = whole.opening == OPENINGS.index("eye_left")
    triangles = whole.triangles[~(left | (opening & (whole.ring < 0)))[whole.triangles].any(axis=1)]
    ring = np.flatnonzero(opening & (whole.ring == 0))
    ring = ring[np.argsort(whole.turn[ring])]
    vertices = np.concatenate([whole.vertices, whole.vertices[ring].mean(axis=0)[None]])
    cap = np.stack([ring, np.roll(ring, -1), np.full(len(ring), len(whole.vertices))], axis=1)
    codes, confidence = said(vertices, np.concatenate([triangles, cap]))
    assert codes == ["eye_missing_left"] and confidence < 0.75


def test_without_any_eye_all_shapes_are_less_sure() -> None:
    assert rest.of_face(1.0, [rest.NO_EYES]) == 0.5
    assert list(rest.lowered([rest.NO_EYES], ["jawOpen"], np.ones(1, np.float32))) == [0.5]
    assert rest.findings(None) == []


def test_findings_are_factors_on_what_they_concern() -> None:
    names, sure = ["jawOpen", "eyeBlinkLeft", "browInnerUp"], np.array([0.5, 0.8, 1.0], np.float32)
    told = rest.Finding("told", "It is so.", ("jawOpen",))
    lids, whole = (
        rest.Finding("lids", "Lids.", ("eyeBlinkLeft",), 0.9, 0.5),
        rest.Finding("whole", "All.", (), 0.5, 0.1),
    )
    assert (
        rest.of_face(0.8, []) == 0.8
        and rest.of_face(0.8, [told]) == 0.8
        and rest.of_face(0.8, [told, lids, whole]) == pytest.approx(0.36)
    )
    assert rest.lowered([told], names, sure).tolist() == sure.tolist(), (
        "what is only told lowers nothing"
    )
    np.testing.assert_allclose(rest.lowered([told, lids], names, sure), [0.5, 0.4, 1.0], rtol=1e-6)
    np.testing.assert_allclose(
        rest.lowered([lids, whole], names, sure), [0.05, 0.04, 0.1], rtol=1e-6
    )
