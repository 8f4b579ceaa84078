# SPDX-License-Identifier: GPL-3.0-or-later
"""The batch command's arguments and the names of its outputs: what needs no Blender, so that a
program that starts Blenders can share it.
"""

from __future__ import annotations

import argparse
import itertools
import math
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..blender_io.naming import STYLES
from ..errors import AddonError
from ..foreign import shortened, too_long
from ..shared import BASE_SECONDS, MAX_TIMEOUT, SECONDS_PER_VERTEX
from .tables import parse_conditions, user_table

EXPORTS = ("glb", "fbx", "vrm")
REGIONS = ("brows", "eyes", "cheeks", "mouth", "jaw", "tongue")
GUIDES = ("off", "size", "shape")
VRM = ("off", "bind", "bones", "keys")
MAX_STRENGTH = 10.0
_TIMEOUT = (
    f"seconds after which a file is given up (default {BASE_SECONDS:.0f}, and"
    f" {1000 * SECONDS_PER_VERTEX:g} more for every 1,000 vertices)"
)

_DASHES = "\0--"  # stands for the value --, which argparse drops; no argument can hold a NUL


class Parser(argparse.ArgumentParser):
    """Says what is wrong in one sentence, without a page of usage, and takes values that begin with
    a dash: an object may be called -face.
    """

    def parse_known_args(self, args: Sequence[str] | None = None, namespace: Any = None) -> Any:  # type: ignore[override]
        """As argparse does it, but `--object -face` is `--object=-face`. What is an option itself,
        such as --help, needs the sign of equality.
        """
        found, rest = super().parse_known_args(
            self._joined(sys.argv[1:] if args is None else args), namespace
        )
        for name in [name for name, value in vars(found).items() if value == _DASHES]:
            setattr(found, name, "--")
        return found, rest

    def _joined(self, arguments: Sequence[str]) -> list[str]:
        options = self._option_string_actions
        joined: list[str] = []
        rest = iter(arguments)
        for word in rest:
            if (
                word == "--"
                # what follows are files, whatever they are called; argparse forgets that between
                # its two passes
            ):
                return [*joined, *(f"./{path}" if path.startswith("-") else path for path in rest)]
            option, equals, value = word.partition("=")
            joined.append(
                f"{option}={_DASHES}" if equals and value == "--" and option in options else word
            )
            if word in options and options[word].nargs is None:
                for value in itertools.islice(rest, 1):
                    if (
                        value.startswith("-")
                        and value != "--"
                        and value.partition("=")[0] not in options
                    ):
                        joined[-1] = f"{word}={value}"
                    else:
                        joined.append(value)
        return joined

    def error(self, message: str) -> None:  # type: ignore[override]
        """Raise AddonError `usage`."""
        raise AddonError(
            "usage", f"{message[:1].upper()}{message[1:]}.", f"See {self.prog} --help."
        )


def parser(prog: str) -> Parser:
    """The arguments that every door of the batch command takes."""
    made = Parser(
        prog=prog,
        description="Make facial shape keys for avatars: .blend, .glb, .gltf, .vrm, .fbx, .obj.",
    )
    made.add_argument(
        "inputs",
        nargs="*",
        type=Path,
        metavar="IN",
        help="files; without any, the .blend file that Blender has open",
    )
    made.add_argument(
        "--out",
        type=Path,
        required=True,
        metavar="DIR",
        help="folder for NAME.blend; inputs are never overwritten",
    )
    made.add_argument(
        "--export",
        choices=EXPORTS,
        help="also write NAME.glb or NAME.fbx, or the .vrm that was read, with the new keys",
    )
    made.add_argument(
        "--report",
        type=Path,
        metavar="R.json",
        help="what was made, how long it took, what went wrong",
    )
    made.add_argument(
        "--overwrite", action="store_true", help="replace outputs that are already there"
    )
    made.add_argument("--timeout", type=seconds, metavar="S", help=_TIMEOUT)
    _add_shapes(made)
    _add_face(made)
    _add_keys(made)
    return made


def _add_shapes(made: Parser) -> None:
    """Which shapes, and how large."""
    made.add_argument(
        "--set", default="", metavar="NAMES", help="shape sets, such as arkit or arkit,vrchat"
    )
    made.add_argument(
        "--conditions",
        default="",
        metavar="LIST",
        help='a key of your own: "jawOpen=0.6,mouthSmileLeft=0.3"',
    )
    made.add_argument("--name", default="", help="the name of that key")
    made.add_argument(
        "--table",
        default="",
        metavar="FILE.json",
        help='keys of your own: {"Key": {"jawOpen": 0.6}}',
    )
    made.add_argument(
        "--strength", type=float, default=1.0, help="factor on all movements (default 1)"
    )
    made.add_argument(
        "--style",
        type=float,
        default=0.5,
        help="sizes of shapes, 0 subtle to 1 bold (default 0.5: as most makers have them)",
    )
    made.add_argument(
        "--turn-eyes",
        action="store_true",
        help="let eyeLook shapes turn eyeballs also where the avatar has bones for that",
    )
    made.add_argument(
        "--regions",
        default="",
        metavar="LIST",
        help=f'strength of regions ({", ".join(REGIONS)}): "jaw=0.8,eyes=1.1"',
    )
    made.add_argument(
        "--guide",
        choices=GUIDES,
        default="off",
        help="what the mesh's own vowels and blinks decide (default off)",
    )


def _add_face(made: Parser) -> None:
    """Where the face is, and what finds it."""
    made.add_argument(
        "--object",
        default="",
        metavar="NAME",
        help="the mesh object; without it, the one where a face is found",
    )
    made.add_argument(
        "--group", default="", metavar="NAME", help="vertex group that the face is inside of"
    )
    made.add_argument(
        "--alone",
        action="store_true",
        help="leave the avatar's other objects (eyes, teeth, ...) alone",
    )
    made.add_argument(
        "--model", default="", metavar="FILE.onnx", help="a model file instead of the shipped one"
    )


def _add_keys(made: Parser) -> None:
    """How the keys are written."""
    made.add_argument(
        "--overwrite-keys",
        action="store_true",
        help="replace keys of the same name that were made or edited by hand",
    )
    made.add_argument(
        "--naming",
        choices=STYLES,
        default="auto",
        help="how keys are spelled; auto: as the mesh's own (default)",
    )
    made.add_argument(
        "--vrm",
        choices=VRM,
        default="off",
        help="bind expressions in the data of the VRM add-on; eyes follow bones, or keys",
    )
    made.add_argument(
        "--alias",
        action="store_true",
        help="also write vrc.v_ee, which the face tracking template asks for",
    )


def seconds(text: str) -> float:
    """A number of seconds that can be waited for."""
    number = float(text)
    if not 0 < number < MAX_TIMEOUT:
        raise argparse.ArgumentTypeError(f"{text} s cannot be waited for: give a number above 0")
    return number


def asked(options: argparse.Namespace) -> dict[str, Any]:
    """What is asked of every file: the fields of job.Options, as JSON holds them. Raises AddonError
    `usage` and as tables.user_table does.
    """
    sets = list(dict.fromkeys(name.strip() for name in options.set.split(",") if name.strip()))
    table = user_table(options.conditions, options.name, options.table)
    if not sets and table is None:
        raise AddonError(
            "usage",
            "No shapes are asked for.",
            "Give --set, or --conditions with --name, or --table.",
        )
    if not math.isfinite(options.strength) or not 0 < options.strength <= MAX_STRENGTH:
        raise AddonError(
            "usage", f"The strength is {options.strength:g}.", "Choose one above 0 and up to 10."
        )
    if not 0 <= options.style <= 1:
        raise AddonError(
            "usage", f"The style is {options.style:g}.", "Choose one from 0, subtle, to 1, bold."
        )
    model = str(Path(options.model).absolute()) if options.model else ""
    return {
        "sets": sets,
        "table": table,
        "strength": options.strength,
        "style": options.style,
        "turn_eyes": options.turn_eyes,
        "group": options.group,
        "overwrite": options.overwrite_keys,
        "model": model,
        "regions": _regions(options.regions),
        "naming": options.naming,
        "alias": options.alias,
        "guide": options.guide,
        "vrm": options.vrm,
        "parts": not options.alone,
    }


def _regions(text: str) -> dict[str, float]:
    """{region: factor} from "jaw=0.8,eyes=1.1". Raises AddonError `usage`."""
    if not text.strip():
        return {}
    try:
        regions = parse_conditions(text)
    except AddonError as error:
        raise AddonError("usage", error.message, 'Write for example "jaw=0.8,eyes=1.1".') from error
    for name, factor in regions.items():
        if name not in REGIONS or not 0 <= factor <= MAX_STRENGTH:
            raise AddonError(
                "usage",
                f"{name}={factor:g} is no strength of a region.",
                f"Regions are {', '.join(REGIONS)}, from 0 to 10.",
            )
    return regions


def free_names(inputs: Sequence[Path]) -> list[str]:
    """An output name (without suffix) for each input; equal ones, also if only in case, get the
    input's type and then a number added. Names that leave no room for an ending are shortened.
    """
    stems = [shortened(path.stem) for path in inputs]
    taken: set[str] = set()
    names: list[str] = []
    for path, own in zip(inputs, stems, strict=True):
        alone = sum(stem.lower() == own.lower() for stem in stems) == 1
        name = candidate = own if alone else f"{own}_{path.suffix[1:].lower()}"
        number = 2
        while candidate.lower() in taken or (
            candidate != own and candidate.lower() in {stem.lower() for stem in stems}
        ):
            candidate, number = f"{name}_{number}", number + 1
        taken.add(candidate.lower())
        names.append(candidate)
    return names


def note_of(path: Path, name: str) -> tuple[str, ...]:
    """What to say about an output whose name is not its input's."""
    if name == path.stem:
        return ()
    why = (
        f"The name {path.stem!r} is too long for an output"
        if too_long(path.stem)
        else f"Several inputs are called {path.stem!r}"
    )
    return (f"{why}; this one's output is {name}.blend.",)
