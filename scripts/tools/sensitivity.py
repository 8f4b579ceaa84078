# SPDX-License-Identifier: GPL-3.0-or-later
"""What each number of `backend/face/params` does: moved up and down by a fifth, on golden heads.

python3 scripts/dev.py sensitivity [--only locate.Cut] [--heads realistic,drawn] [--out FILE]

For every number and both ways it reports the largest change of any vertex in any shape, in heights
of the eye and in radii of the head, and which heads change. It only reports; what is then deleted,
or made smooth, is another change. With --out what is known already is kept in FILE, as JSON, and a
run that was broken off goes on from there while the code of `backend/face` is the same. All numbers
on all nine heads take hours.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
for folder in (ROOT / "tests", ROOT):
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))

from fixtures import golden  # noqa: E402  (after the path is there)

from backend.atomic import replace_file  # noqa: E402
from backend.errors import BackendError  # noqa: E402
from backend.face.geometry.frame import Floats  # noqa: E402
from backend.face.geometry.mesh import AvatarMesh  # noqa: E402
from backend.face.locate.face import Face  # noqa: E402
from backend.face.params.number import Number, groups, numbers  # noqa: E402
from backend.face.shapes.derived import derivable  # noqa: E402
from backend.inference.cancellation import Cancellation  # noqa: E402
from backend.inference.loading import load_model  # noqa: E402
from backend.inference.settings import resolve  # noqa: E402
from backend.service.asked import Asked  # noqa: E402
from backend.service.generate import Shapes, generate  # noqa: E402

MOVE = 0.2  # of a number, or of its range where it is nought
SAME = 1e-6  # of the head's radius: a smaller change is rounding
Heads = Mapping[str, Callable[[], AvatarMesh]]


@dataclass(frozen=True)
class Made:
    """What a head gets.

    Args:
        names: of the K shapes
        offsets: float32 (K,V,3), object space, of all vertices
        eye: height of the left eye, object space
        radius: of the face, object space
    """

    names: tuple[str, ...]
    offsets: Floats
    eye: float
    radius: float


def heads() -> Heads:
    """The golden heads by name."""
    rigs = {
        name: lambda make=make: AvatarMesh(
            make().vertices.astype(np.float32), make().triangles.astype(np.int32), up=(0, 1, 0)
        )
        for name, make in golden.rigs().items()
    }
    return {**rigs, **golden.heads()}


def shapes_of(mesh: AvatarMesh) -> Made:
    """All shapes that the shipped model makes of a head.

    Raises:
        BackendError: as `generate` does
    """
    model = load_model(settings=resolve({"threads": 1, "provider": "cpu"}, environment={}))
    names = [*model.info.condition_names, *derivable(model.info.condition_names)]
    asked = Asked({"table": {name: {name: 1.0} for name in names}})
    whole = np.zeros((len(names), len(mesh.vertices), 3), np.float32)
    for result in generate(mesh, asked, model, lambda stage, fraction: None, Cancellation()):
        if isinstance(result, Face):
            face = result
        elif isinstance(result, Shapes):
            rows = np.array([names.index(name) for name in result.names])
            whole[rows[:, None], face.indices] = result.offsets
    at = dict(zip(model.info.landmarks, face.landmarks, strict=True))
    eye = float(np.linalg.norm(at["lid_upper_left"] - at["lid_lower_left"]))
    radius = float(np.linalg.norm(np.ptp(face.vertices, axis=0))) / 2
    return Made(tuple(names), whole, eye * face.frame.scale, radius * face.frame.scale)


def moves(number: Number) -> dict[str, float]:
    """The values that a number is tried with, by "less" and "more": a fifth away, within its range;
    without those that are the number itself.
    """
    step = MOVE * abs(number.default) or MOVE * (number.high - number.low)
    found: dict[str, float] = {}
    for name, sign in (("less", -1), ("more", 1)):
        value = float(min(max(number.default + sign * step, number.low), number.high))
        if isinstance(number.default, int):
            value = round(value)
            if value == number.default:
                value = round(min(max(value + sign, number.low), number.high))
        if value != number.default:
            found[name] = value
    return found


@contextmanager
def moved(number: Number, value: float) -> Iterator[None]:
    """The number has that value for as long, everywhere: stages look it up when they need it."""
    group = dict(groups())[number.group]
    object.__setattr__(group, number.name, value)
    try:
        yield
    finally:
        object.__setattr__(group, number.name, number.default)


def change(mesh: AvatarMesh, before: Made) -> dict[str, Any]:
    """How shapes of a head now differ from those made before: the largest change of a vertex, in
    heights of the eye and radii of the head, and in which shape; or why there are none.
    """
    try:
        now = shapes_of(mesh)
    except BackendError as error:
        return {"refused": error.code}
    away = np.linalg.norm(now.offsets - before.offsets, axis=2).max(axis=1)
    shape = int(away.argmax())
    return {
        "eyes": round(float(away[shape]) / max(before.eye, 1e-30), 6),
        "radii": round(float(away[shape]) / max(before.radius, 1e-30), 6),
        "shape": before.names[shape],
    }


def tried(number: Number, some: Heads, before: dict[str, Made]) -> dict[str, Any]:
    """What a number does: its value, and by "less" and "more" the value that was tried and the
    change of each head. before: what heads got, by name; those that are missing are added.
    """
    found: dict[str, Any] = {"default": number.default}
    for way, value in moves(number).items():
        changes = {}
        for name, make in some.items():
            mesh = make()
            if name not in before:
                before[name] = shapes_of(mesh)
            with moved(number, value):
                changes[name] = change(mesh, before[name])
        found[way] = {"value": value, "heads": changes}
    return found


def changed(one: Mapping[str, Any]) -> bool:
    """Whether a head changes at all."""
    return "refused" in one or one["radii"] > SAME


def row(key: str, found: Mapping[str, Any]) -> str:
    """A line of the table."""
    cells = [key, f"{found['default']:g}"]
    for way in ("less", "more"):
        if way not in found:
            cells.append("at its limit")
            continue
        own = found[way]["heads"]
        which = [name for name, one in own.items() if changed(one)]
        refused = [name for name in which if "refused" in own[name]]
        worst = max(
            (one for one in own.values() if "eyes" in one),
            key=lambda o: float(o["radii"]),
            default=None,
        )
        text = f"{found[way]['value']:g}: "
        if not which:
            text += "nothing"
        elif worst is not None:
            text += f"{worst['eyes']:.3f} eyes, {worst['radii']:.4f} radii ({worst['shape']}); "
        text += ", ".join(f"{name} refused" if name in refused else name for name in which)
        cells.append(text)
    return "| " + " | ".join(cells) + " |"


def state() -> str:
    """The code and the data of `backend/face` in short: what is known of another does not count."""
    found = hashlib.sha256()
    for file in sorted((ROOT / "backend" / "face").rglob("*")):
        if file.suffix in (".py", ".json"):
            found.update(file.relative_to(ROOT).as_posix().encode() + b"\0" + file.read_bytes())
    return found.hexdigest()


def known_in(out: Path | None, names: Sequence[str], code: str) -> dict[str, Any]:
    """What a file says of these heads and this code, see `state`, by number; nothing where it does
    not.
    """
    if out is None or not out.exists():
        return {}
    data = json.loads(out.read_text(encoding="utf-8"))
    same = data.get("state") == code and data.get("heads") == list(names)
    return dict(data["numbers"]) if same else {}


def remember(out: Path | None, names: Sequence[str], code: str, found: Mapping[str, Any]) -> None:
    """Write what is known of these heads and this code, where there is a file for it."""
    if out is not None:
        data = {"state": code, "heads": list(names), "numbers": found}
        replace_file(out, (json.dumps(data, indent=1) + "\n").encode())


def named(only: Sequence[str]) -> Iterator[tuple[str, Number]]:
    """Numbers by `stage.Group.name`: all, or those whose name begins with one of some."""
    for number in numbers():
        key = f"{number.group}.{number.name}"
        if not only or key.startswith(tuple(only)):
            yield key, number


def measure(
    some: Heads,
    only: Sequence[str] = (),
    out: Path | None = None,
    say: Callable[[str], None] = print,
) -> dict[str, Any]:
    """Move every number, or those whose `stage.Group` or `stage.Group.name` begins with one of
    `only`, and say a line of each; what the file `out` knows is not measured again.
    """
    code = state()  # as it was loaded: files may change while this runs
    found, before = known_in(out, list(some), code), dict[str, Made]()
    for key, number in named(only):
        if key not in found:
            found[key] = tried(number, some, before)
            remember(out, list(some), code, found)
        say(row(key, found[key]))
    return found


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", action="append", default=[], help="a group, or a number; again")
    parser.add_argument("--heads", default="", help="names of golden heads, with commas between")
    parser.add_argument("--out", type=Path, help="JSON that is written, and gone on with")
    options = parser.parse_args()
    every = heads()
    wanted = [name for name in options.heads.split(",") if name] or list(every)
    unknown = sorted(set(wanted) - set(every))
    if unknown:
        parser.error(f"There is no head {unknown[0]!r}; there are {', '.join(every)}.")
    print("| number | value | a fifth less | a fifth more |\n| --- | --- | --- | --- |")
    found = measure({name: every[name] for name in wanted}, options.only, options.out)
    if not found:
        parser.error("No number's name begins so.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
