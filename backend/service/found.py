# SPDX-License-Identifier: GPL-3.0-or-later
"""Faces that were found, by what they were looked for in: who asks again about the same mesh, for
other shapes, another style or strength, does not wait for another search.
"""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, is_dataclass

import numpy as np

from ..errors import BackendError
from ..face.geometry.mesh import AvatarMesh
from ..face.locate.face import EFFORTS, Effort, Face
from ..face.params.locate import FINDING
from ..inference.models import Model

# of all faces that are kept together: four of 20,000 vertices
MOST_BYTES = 1 << 23
# of the last face, which is kept also where it is larger than these: it is the one that is most
# probably asked for again. One of 200,000 vertices takes a third of it
LAST_BYTES = 1 << 26
VERTEX_BYTES = 100  # of a face, about: before one is looked for, others make room for it
MOST = 32  # the panel asks about the objects of a scene


class FoundFaces:
    """The faces that were asked for last. Several threads may ask."""

    def __init__(self) -> None:
        self._known: OrderedDict[bytes, Face | BackendError] = OrderedDict()
        self._lock = threading.Lock()

    def face(
        self, mesh: AvatarMesh, model: Model, effort: Effort, find: Callable[[], Face]
    ) -> Face:
        """The face of a mesh, found before or now. effort: of the search. Raises what `find`
        raises; that there is none is remembered, too.
        """
        keys = {each: fingerprint(mesh, model, each) for each in EFFORTS}
        mine = keys[effort]
        with self._lock:
            known = self._known.get(mine)
            if known is not None:
                self._known.move_to_end(mine)
        if isinstance(known, BackendError):
            raise BackendError(known.code, known.message, known.fix)
        if known is not None:
            return known
        self._make_room(len(mesh.vertices) * VERTEX_BYTES)
        try:
            face = find()
        except BackendError as error:
            if error.code == "no_face":
                self._keep(mine, error)
            raise
        self._keep(mine, face)
        if face.confidence > FINDING.certain:  # then no other direction is tried
            for key in keys.values():
                self._keep(key, face)
        return face

    def clear(self) -> None:
        """Forget all."""
        with self._lock:
            self._known.clear()

    def _keep(self, key: bytes, found: Face | BackendError) -> None:
        with self._lock:
            self._known[key] = found
            self._known.move_to_end(key)
            while len(self._known) > MOST or self._more_than_allowed():
                self._known.popitem(last=False)

    def _make_room(self, needed: int) -> None:
        """Let go of faces, the oldest first, until one of so many bytes fits beside the others."""
        with self._lock:
            while self._bytes_of(faces := self._faces()) + needed > MOST_BYTES and faces:
                self._known.popitem(last=False)

    def _more_than_allowed(self) -> bool:
        faces = self._faces()
        return self._bytes_of(faces) > (MOST_BYTES if len(faces) > 1 else LAST_BYTES)

    def _faces(self) -> list[Face]:
        """Each face once, under however many keys it is known."""
        faces = {id(found): found for found in self._known.values() if isinstance(found, Face)}
        return list(faces.values())

    @staticmethod
    def _bytes_of(faces: Sequence[Face]) -> int:
        return sum(map(_size, faces))


def _size(face: Face) -> int:
    return sum(
        value.nbytes
        for value in (getattr(face, field.name) for field in fields(face))
        if isinstance(value, np.ndarray)
    )


def fingerprint(mesh: AvatarMesh, model: Model, effort: Effort) -> bytes:
    """A number for all that a face hangs on: the mesh with its hints, the encoder, what it runs on,
    and how the face is looked for.
    """
    hashed = hashlib.blake2b(digest_size=16)
    encoder = model.encoder
    asked = (encoder.hash, encoder.provider, encoder.settings, model.info.landmarks, effort)
    _take(hashed, (mesh, *asked))
    return hashed.digest()


def _take(hashed: hashlib.blake2b, value: object) -> None:
    """Let a value count: arrays by their bytes, data classes, tables and lists by what is in
    them.
    """
    if isinstance(value, np.ndarray):
        hashed.update(f"array {value.dtype} {value.shape};".encode())
        hashed.update(np.ascontiguousarray(value).data)
    elif is_dataclass(value) and not isinstance(value, type):
        for field in fields(value):
            hashed.update(f"{field.name};".encode())
            _take(hashed, getattr(value, field.name))
    elif isinstance(value, Mapping):
        for name in sorted(value):
            hashed.update(f"{name};".encode())
            _take(hashed, value[name])
    elif isinstance(value, list | tuple):
        hashed.update(f"{len(value)};".encode())
        for each in value:
            _take(hashed, each)
    else:
        hashed.update(f"{value!r};".encode())
