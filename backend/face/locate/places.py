# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a face is: by landmarks that the user placed, by features that are plain to see, or by what
the encoder found.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ...errors import BackendError
from ..geometry.frame import Doubles, Floats, Frame, frame_of_landmarks
from ..geometry.landmarks import NAMES
from ..geometry.mesh import AvatarMesh, Ints, all_corners, extent
from ..geometry.orientation import outward
from ..params.locate import CUT, FINDING, SEARCH
from . import features, marks
from .cut import allowed
from .encoder_search import Encode, EncoderSearch, Found
from .face import Place
from .points import cloud_of
from .proposals import front_of, level_headings
from .to_openings import open_eyes


@dataclass(frozen=True)
class Asked:
    """A mesh whose face is looked for.

    Args:
        mesh: its triangles look outwards
        group: int32 (V,), vertices in one place share one
        parts: int32 (V,), loose parts
        inside: flags (T,), triangles in which the face is sought
        whole: of which the mesh is a part, if it is one
    """

    mesh: AvatarMesh
    group: Ints
    parts: Ints
    inside: NDArray[np.bool_]
    whole: AvatarMesh | None = None

    @property
    def rest(self) -> float:
        """The step that ends a way to a face: in a part of a mesh it is only where the way in the
        whole begins.
        """
        return SEARCH.rest if self.whole is None else SEARCH.roughly

    @property
    def marked(self) -> bool:
        """Whether a mask or head weights say where the head is."""
        weights = self.mesh.head_weights
        weighted = weights is not None and bool((weights > CUT.head_from).any())
        return self.mesh.mask is not None or weighted

    @property
    def enough(self) -> float:
        """The confidence from which on there is a face."""
        return FINDING.likely if self.marked else FINDING.sure


def placed(asked: Asked, search: EncoderSearch, threads: int) -> Place:
    """The face where all of its landmarks are the user's."""
    landmarks, frame = corrected(asked.mesh, search.names, None)
    beside = ThreadPoolExecutor(1, "locate")
    more = beside.submit(search.more, frame)
    beside.shutdown(wait=threads < 2)
    return Place(
        asked.mesh,
        asked.group,
        asked.parts,
        frame,
        search.names,
        landmarks=landmarks,
        confidence=1.0,
        searched=False,
        warnings=(),
        more=more.result,
        alike=search.mirrored_alike,
    )


def by_features(asked: Asked, search: EncoderSearch, up: Doubles, best: Found) -> Place | None:
    """The face where its features say that it is, if they are plain to see: the encoder is not
    certain.

    Args:
        asked: the mesh and what hints where up is
        search: the encoder's
        up: float (3,), unit
        best: what the encoder found
    """
    if set(search.names) != set(NAMES):
        return None
    # of a muzzle whose middle lies in the plane to the last digit, both ends of the mouth were read
    # in the wrong fold, not one
    search = replace(search, vertices=None)
    mesh, seen, axes = asked.mesh, {}, np.eye(3)
    for ahead in _headings(asked, up, best):
        axes = np.stack([np.cross(up, ahead), up, ahead])
        seen = _features(asked, axes)
        if seen:
            break
    if not seen:
        return None
    points = np.stack([seen[name] for name in search.names]) @ axes
    if mesh.landmarks:
        landmarks, frame = corrected(mesh, search.names, points)
    else:
        own = frame_of_landmarks(dict(zip(search.names, points, strict=True)))
        landmarks, frame = search.mirrored_alike(own.to_canonical(points), own)
    confidence = max(best.confidence, FINDING.featured)
    warnings = (doubted(confidence),) if confidence < FINDING.doubt else ()
    return Place(
        mesh,
        asked.group,
        asked.parts,
        frame,
        search.names,
        landmarks=landmarks,
        confidence=confidence,
        searched=True,
        warnings=warnings,
        more=lambda: search.more(frame),
        alike=search.mirrored_alike,
    )


def plainer(
    asked: Asked, search: EncoderSearch, best: Found, featured: Place, up: Doubles
) -> Place | None:
    """The place that the encoder found, where the mesh has more open eyes at its landmarks than
    where features say: balls behind the lids and teeth are features, too, and tell less of lids and
    lips. None where it has not.

    Args:
        asked: the mesh
        search: the encoder's
        best: what the encoder found
        featured: where the face is by its features
        up: float (3,), unit
    """
    if best.confidence < asked.enough or asked.mesh.landmarks:
        return None
    own = place_of(asked, search, best, up)
    return own if open_eyes(own) > open_eyes(featured) else None


def place_of(asked: Asked, search: EncoderSearch, best: Found, up: Doubles) -> Place:
    """The place of the face that was found.

    Args:
        asked: the mesh
        search: the encoder's
        best: what it found
        up: float (3,), unit
    """
    mesh = asked.mesh
    warnings: tuple[str, ...] = ()
    if mesh.mask is not None and best.confidence <= FINDING.likely:
        doubt = (
            "is taken for one because you said that it is there; look at the result, or place the"
            " landmarks by hand."
        )
        warnings = (f"The face is only {best.confidence:.0%} sure and {doubt}",)
    elif best.confidence < FINDING.doubt:
        warnings = (doubted(best.confidence),)

    def place_at(landmarks: Floats, frame: Frame, seen: Floats) -> Place:
        def otherwise() -> Place | None:
            place = by_features(asked, search, up, best)
            return place if place is not None and same_face(place.frame, frame) else None

        return Place(
            mesh,
            asked.group,
            asked.parts,
            frame,
            search.names,
            landmarks=landmarks,
            confidence=best.confidence,
            searched=True,
            warnings=warnings,
            more=lambda: seen,
            alike=search.mirrored_alike,
            otherwise=otherwise,
        )

    if asked.whole is not None:
        for goes_on in (False, True):
            if best.seen is None:
                break
            rough = best.frame.to_canonical(best.seen), best.frame, np.empty(0, np.float32)
            place = agreed(place_at(*rough), asked.whole, search.encode, goes_on=goes_on)
            if place is not None:
                return place
            best = search.settle(best, None if goes_on else asked.rest)
    landmarks, frame, seen = search.landmarks(best.frame)
    if mesh.landmarks:
        landmarks, frame = corrected(mesh, search.names, frame.to_object(landmarks))
    return place_at(landmarks, frame, seen)


def agreed(
    place: Place, whole: AvatarMesh | None, encode: Encode, *, goes_on: bool = True
) -> Place | None:
    """A place that was found in a part of a mesh, its landmarks as they are seen in the whole,
    where that is the same face: most heads that the encoder has learnt from have their hair. Sizes
    of gene and uka: 1.00 times their artist's; half-way between both 1.19 and 1.03. None where it
    is another face, and where there are landmarks of the user's, which stay.

    goes_on: also from a way in the whole that comes to no rest, whose middle hangs on where it
    began.
    """
    if whole is None or whole.landmarks:
        return None
    triangles = outward(whole.vertices, whole.triangles, whole.parts)[
        all_corners(allowed(whole), whole.triangles)
    ]
    search = EncoderSearch(
        cloud_of(whole.vertices, triangles, whole.parts), encode, place.names, whole.vertices
    )
    steps = SEARCH.settle if goes_on else SEARCH.settle_soon
    settled = search.settle(Found(place.frame, place.confidence), steps=steps)
    first = place.frame.to_object(place.landmarks)
    apart = np.inf if settled.seen is None else np.linalg.norm(first - settled.seen, axis=1).mean()
    if not apart < FINDING.agreed * place.frame.scale or not (settled.rests or goes_on):
        return None
    landmarks, frame, seen = search.landmarks(settled.frame)
    alike = search.mirrored_alike if search.plane.is_own else place.alike
    return replace(place, frame=frame, landmarks=landmarks, more=lambda: seen, alike=alike)


def _headings(asked: Asked, up: Doubles, best: Found) -> list[Doubles]:
    """Where the face may look, unit (3,): as avatars do, and else, where the encoder saw a face
    that looks another way, that way.

    Args:
        asked: the mesh, with its bones
        up: float (3,), unit
        best: what the encoder found
    """
    front, headings = front_of(up, asked.mesh.bones), level_headings(up)
    seen = headings[np.argmax(headings @ best.frame.rotation[2])]
    return [front] if best.confidence < FINDING.sure or (seen == front).all() else [front, seen]


def _features(asked: Asked, axes: Doubles) -> dict[str, Doubles]:
    """The landmarks (3,) by name, along axes (3,3) aside, up and ahead, or nothing."""
    mesh = asked.mesh
    head = np.ones(len(mesh.vertices), bool)
    if mesh.head_weights is not None and (mesh.head_weights > CUT.head_from).any():
        head = mesh.head_weights > CUT.head_from
    return features.landmarks(
        mesh.vertices.astype(np.float64) @ axes.T,
        mesh.triangles,
        asked.group,
        asked.parts,
        head & allowed(mesh),
    )


def same_face(one: Frame, other: Frame) -> bool:
    """Whether two frames may be of one face, whose eyes or mouth one of them misses."""
    near = np.linalg.norm(one.origin - other.origin) < FINDING.beside * other.scale
    return (
        bool(near)
        and abs(np.log(one.scale / other.scale)) < np.log(FINDING.twice)
        and one.rotation[2] @ other.rotation[2] > 0
    )


def corrected(mesh: AvatarMesh, names: Sequence[str], found: Floats | None) -> tuple[Floats, Frame]:
    """Landmarks (L,3) in their own canonical frame, and that frame: the user's where given, else
    those found.

    Args:
        mesh: with the user's landmarks
        names: of the landmarks, L
        found: float32 (L,3), in object space; None where the user gives all
    """
    points = np.zeros((len(names), 3)) if found is None else found.astype(np.float64)
    for index, name in enumerate(names):
        if name in mesh.landmarks:
            points[index] = mesh.landmarks[name]
    named = dict(zip(names, points, strict=True))
    placed = {name: named[name] for name in names if name in mesh.landmarks}
    away = marks.distances(mesh.vertices, mesh.triangles, placed)
    wrong = marks.fault(named, placed, away, extent(mesh.vertices))
    if wrong:
        raise BackendError(
            "mesh_invalid", wrong, "Put each on its place on the face, or leave them out."
        )
    frame = frame_of_landmarks(named)
    return frame.to_canonical(points), frame


def doubted(confidence: float) -> str:
    return (
        f"The face is only {confidence:.0%} sure; look at the result, or name a vertex group that"
        " holds the face."
    )
