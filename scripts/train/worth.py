# SPDX-License-Identifier: GPL-3.0-or-later
"""What each number of `backend/face/params` is worth: how near the tool's shapes come to their
makers' on the avatars that are trained on, with the number moved up and down by a fifth.

python -m scripts.train.worth --data DATA [--only correct.FlatShapes] [--estimates] [--out FILE]

For every number and both ways it reports how many heads change, of how many makers, and the mean
and the spread of the change over these: of likeness, and of the share of shapes that are usable. A
number is worth moving only where heads of several makers gain and none loses. It only reports. With
--out what is known already is kept in FILE, as JSON, and a run that was broken off goes on from
there while the code of `backend/face` is the same. A number that leaves what the networks see alone
takes about fifteen seconds on nine heads, another about thirty.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.errors import BackendError
from backend.face.geometry.mesh import AvatarMesh
from backend.face.params.number import Number
from backend.face.shapes.shape_sets import choose_sets, load_sets
from backend.inference.loading import load_model
from backend.inference.models import Model
from backend.inference.settings import resolve
from backend.service.asked import Asked

from ..samples.rig import Floats
from ..tools.sensitivity import known_in, moved, moves, named, remember, state
from .located import made, mesh_of, z_up

MAKERS = {
    "gene": "CG-CA",
    "uka": "CG-CA",
    "godette": "Godette",
    "jeeliz_boy": "Jeeliz",
    "jeeliz_kangaroo": "Jeeliz",
    "jeeliz_lama": "Jeeliz",
    "jeeliz_turtle": "Jeeliz",
    "pm_bizdude": "Polygonal Mind",
    "pm_crimsom": "Polygonal Mind",
}
SETS = ("arkit", "vrchat", "vrm1")
# names of names.json that the tool's sets spell otherwise
SPELT = {"viseme_I": "vrc.v_ih", "viseme_O": "vrc.v_oh", "viseme_U": "vrc.v_ou"}
UNKNOWN = "eyeLook"  # whether it turns eyeballs hangs on bones, which the data does not tell
USABLE_COSINE, USABLE_SIZES = 0.5, (0.5, 2.0)  # a shape that a maker would go on from
SIZE_COUNTS, FARTHEST = 0.25, 2.0  # likeness lost by twice or half the size; no more than twice so
SAME = 1e-4  # a smaller change of likeness is none


@dataclass(frozen=True)
class Made:
    """A head with its maker's shapes.

    Args:
        mesh: as the add-on would send it
        shapes: float32 (V,3) of Blender's axes, by the tool's names
    """

    mesh: AvatarMesh
    shapes: Mapping[str, Floats]


@dataclass
class Remembered:
    """ONNX Runtime's session that does not compute twice what it has computed before `closed`."""

    session: Any
    known: dict[bytes, list[Floats]] = field(default_factory=dict)
    closed: bool = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self.session, name)

    def run(self, names: Any, feeds: Mapping[str, NDArray[Any]], options: Any = None) -> Any:
        """As the session's own."""
        seen = hashlib.blake2b(digest_size=16)
        for name in sorted(feeds):
            seen.update(name.encode() + np.ascontiguousarray(feeds[name]).tobytes())
        key = seen.digest()
        if key in self.known:
            return self.known[key]
        outputs = self.session.run(names, feeds, options)
        if not self.closed:
            self.known[key] = outputs
        return outputs


@contextmanager
def remembering(model: Model) -> Iterator[list[Remembered]]:
    """The model's sessions remember what they compute for as long; others may use it afterwards."""
    parts = [part for part in (model.encoder, model.decoder) if part is not None]
    own = [part.session for part in parts]
    remembered = [Remembered(session) for session in own]
    for part, session in zip(parts, remembered, strict=True):
        part.session = session
    try:
        yield remembered
    finally:
        for part, session in zip(parts, own, strict=True):
            part.session = session


def spelt(name: str) -> str:
    """The tool's name of a shape that names.json tells of."""
    if name in SPELT:
        return SPELT[name]
    if name.startswith("viseme_"):
        return f"vrc.v_{name.removeprefix('viseme_').lower()}"
    return name.removeprefix("vrm_")


def heads(folder: Path) -> dict[str, Made]:
    """The avatars of a folder of training data, by name."""
    table = json.loads((folder / "avatars" / "names.json").read_text(encoding="utf-8"))
    found = {}
    for name in MAKERS:
        with np.load(folder / "avatars" / f"{name}.npz", allow_pickle=False) as stored:
            own = dict(zip(map(str, stored["morph_names"]), stored["morph_deltas"], strict=True))
            mesh = mesh_of(folder, name, stored["vertices"].astype(np.float32), stored["triangles"])
        shapes = {
            spelt(said): z_up(sum(w * own[one].astype(np.float32) for one, w in parts))
            for said, parts in table[name].items()
            if not said.startswith(UNKNOWN)
        }
        found[name] = Made(mesh, shapes)
    return found


def score(head: Made, got: Mapping[str, Floats]) -> tuple[float, float]:
    """Likeness to the maker's shapes and the share of them that are usable.

    Likeness is the mean over the maker's shapes of the cosine between the offsets less SIZE_COUNTS
    for each doubling or halving of their size; a shape that is missing counts as one that does not
    move.

    Args:
        head: whose shapes are wanted
        got: float32 (V,3) by name
    """
    likeness, usable = [], 0
    for name, wanted in head.shapes.items():
        own = got.get(name, np.zeros_like(wanted)).astype(np.float64)
        power, mine = float((wanted.astype(np.float64) ** 2).sum()), float((own**2).sum())
        cosine = float((own * wanted).sum()) / max((power * mine) ** 0.5, 1e-18)
        size = max((mine / max(power, 1e-18)) ** 0.5, 1e-6)
        likeness.append(cosine - SIZE_COUNTS * min(abs(float(np.log2(size))), FARTHEST))
        usable += cosine >= USABLE_COSINE and USABLE_SIZES[0] <= size <= USABLE_SIZES[1]
    return float(np.mean(likeness)), usable / len(head.shapes)


def scored(head: Made, model: Model, asked: Asked) -> tuple[float, float]:
    """`score` of what the tool makes of a head; of nothing where it refuses."""
    try:
        return score(head, made(head.mesh, asked, model)[1])
    except BackendError:
        return score(head, {})


def tried(
    number: Number, before: Mapping[str, tuple[float, float]], rate: Callable[[str], Any]
) -> dict[str, Any]:
    """The change of likeness and of what is usable of each head that changes, by "less" and "more".

    Args:
        number: that is moved
        before: what `rate` says of each head without
        rate: of a head's name
    """
    found: dict[str, Any] = {"default": number.default}
    for way, value in moves(number).items():
        with moved(number, value):
            now = {name: rate(name) for name in before}
        changes = {
            name: [round(float(a - b), 4) for a, b in zip(now[name], before[name], strict=True)]
            for name in before
        }
        found[way] = {
            "value": value,
            "heads": {name: both for name, both in changes.items() if max(map(abs, both)) > SAME},
        }
    return found


def row(key: str, found: Mapping[str, Any]) -> str:
    """A line of the table."""
    cells = [key, f"{found['default']:g}"]
    for way in ("less", "more"):
        if way not in found:
            cells.append("at its limit")
            continue
        changes = found[way]["heads"]
        text = f"{found[way]['value']:g}: "
        if not changes:
            cells.append(text + "nothing")
            continue
        likeness, usable = np.array(list(changes.values())).T
        makers = {MAKERS[name] for name in changes}
        text += f"{len(changes)} of {len(makers)}; {likeness.mean():+.3f} ± {likeness.std():.3f}"
        if usable.any():
            text += f"; usable {usable.mean():+.3f}"
        cells.append(text)
    return "| " + " | ".join(cells) + " |"


def measure(
    folder: Path,
    only: Sequence[str] = (),
    estimates: bool = False,
    out: Path | None = None,
    say: Callable[[str], None] = print,
) -> dict[str, Any]:
    """Move every number, or those whose `stage.Group.name` begins with one of `only`, and say a
    line of each; what the file `out` knows is not measured again.

    Args:
        folder: of the training data
        only: beginnings; none for all
        estimates: leave out numbers whose source says from how many heads they come
        out: JSON that is written and gone on with
        say: gets each line
    """
    some, code = heads(folder), state()
    found = known_in(out, list(some), code)
    model = load_model(settings=resolve({"threads": 1, "provider": "cpu"}, environment={}))
    asked = Asked(choose_sets(list(SETS), load_sets()))

    def rate(name: str) -> tuple[float, float]:
        return scored(some[name], model, asked)

    with remembering(model) as remembered:
        before = {name: rate(name) for name in some}
        for session in remembered:
            session.closed = True
        for key, number in named(only):
            if estimates and "an estimate" not in number.source:
                continue
            if key not in found:
                found[key] = tried(number, before, rate)
                remember(out, list(some), code, found)
            say(row(key, found[key]))
    return found


def main() -> int:
    """Say the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="folder with avatars/")
    parser.add_argument("--only", action="append", default=[], help="a group, or a number; again")
    parser.add_argument("--estimates", action="store_true", help="only numbers that are estimates")
    parser.add_argument("--out", type=Path, help="JSON that is written, and gone on with")
    options = parser.parse_args()
    print("| number | value | a fifth less | a fifth more |\n| --- | --- | --- | --- |")
    if not measure(options.data, options.only, options.estimates, options.out):
        parser.error("No number's name begins so.")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
