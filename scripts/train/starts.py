# SPDX-License-Identifier: GPL-3.0-or-later
"""Compare the weights from which vowels and visemes are solved, on heads that training may use.

python -m scripts.train.starts vowels --data DATA
python -m scripts.train.starts visemes --data DATA

A mouth reaches its figures from many weights, and what else the lips do hangs on where they start.
Each start is solved with the shipped model and all rules, as a user gets it, and compared with the
artist's own shape; prints the cosine with each and the mean over makers. Starts are `start` in
backend/face/shapes/goals.json.

vowels: ih and ee of drawn heads from each of VOWELS, on gene and uka, who are one maker's, and on
godette. The start with the greatest mean is taken.

visemes: from every mixture of one to three LEVERS, on MakeHuman, Vitruvian and two blocky heads by
one maker. Prints the shipped start and the best mixtures. What is taken is one of the best that
also does what the sound is for, so that lips tuck in for ff, and dd and kk are told apart.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import numpy as np

from backend.face.shapes import goals, solving

from .spoken import Spoken, spoken

VOWEL_MAKERS = {"gene": "nagoya", "uka": "nagoya", "godette": "sirrichard"}
VOWELS: Mapping[str, tuple[Mapping[str, float], ...]] = {
    "ih": (
        {
            "mouthUpperUp": 0.6,
            "mouthLowerDown": 0.6,
            "mouthStretch": 0.3,
            "mouthSmile": 0.3,
            "jawOpen": 0.05,
        },
        {"mouthUpperUp": 0.6, "mouthLowerDown": 0.6, "mouthStretch": 0.6, "jawOpen": 0.05},
        {"mouthUpperUp": 0.6, "mouthLowerDown": 0.6, "mouthSmile": 0.6, "jawOpen": 0.05},
        {"mouthUpperUp": 0.6, "mouthLowerDown": 0.6, "mouthDimple": 0.6, "jawOpen": 0.05},
        {"mouthStretch": 0.8, "jawOpen": 0.15},
        {"mouthSmile": 0.5, "jawOpen": 0.15},
        {"mouthPress": 0.6, "mouthDimple": 0.6, "jawOpen": 0.2},  # the mixture of the sets
    ),
    "ee": (
        {
            "mouthUpperUp": 0.6,
            "mouthLowerDown": 0.6,
            "mouthSmile": 0.3,
            "mouthDimple": 0.3,
            "jawOpen": 0.2,
        },
        {"mouthUpperUp": 0.6, "mouthLowerDown": 0.6, "mouthStretch": 0.5, "jawOpen": 0.2},
        {"mouthUpperUp": 0.6, "mouthLowerDown": 0.6, "mouthSmile": 0.5, "jawOpen": 0.2},
        {"mouthUpperUp": 0.6, "mouthLowerDown": 0.6, "jawOpen": 0.3},
        {"mouthStretch": 0.5, "jawOpen": 0.3},
        {"mouthSmile": 0.3, "jawOpen": 0.3},
        {"mouthPress": 0.8, "mouthDimple": 1.0, "jawOpen": 0.3},  # the mixture of the sets
    ),
}


VISEME_MAKERS = {
    "makehuman": "makehuman",
    "vitruvian": "vitruvian",
    "pm_bizdude": "polygonal mind",
    "pm_crimsom": "polygonal mind",
}
# viseme -> its key in VRChat's set
VISEMES = {
    "FF": "vrc.v_ff",
    "DD": "vrc.v_dd",
    "kk": "vrc.v_kk",
    "CH": "vrc.v_ch",
    "SS": "vrc.v_ss",
    "nn": "vrc.v_nn",
    "RR": "vrc.v_rr",
    "E": "vrc.v_e",
    "I": "vrc.v_ih",
}
LEVERS = {
    "mouthUpperUp": 0.4,
    "mouthLowerDown": 0.4,
    "jawOpen": 0.15,
    "mouthFunnel": 0.4,
    "mouthPucker": 0.4,
    "mouthStretch": 0.3,
    "mouthDimple": 0.4,
    "mouthRollLower": 0.5,
    "mouthSmile": 0.3,
    "mouthPress": 0.6,
}
TOLD = 5  # best mixtures that are printed
USABLE = (0.5, 0.5, 2.0)  # least cosine, least and greatest size beside the artist's
USABLE_COUNTS = 0.03  # of cosine, by which a usable head counts


def mixtures() -> Iterator[dict[str, float]]:
    """Of one to three LEVERS."""
    for count in (1, 2, 3):
        for names in combinations(LEVERS, count):
            yield {name: LEVERS[name] for name in names}


def compared(one: Spoken, goal: goals.Goal, sound: str) -> tuple[float, float]:
    """Cosine with the artist's sound, and size beside it, of what is solved for a goal."""
    names, basis = list(one.shapes), list(one.shapes.values())
    found = solving.solved(one.places, basis, names, [goal], bounds=goals.GOALS.bounds)
    shape = np.tensordot(found.weights[0], np.stack(basis), 1)
    wanted = one.sounds[sound]
    size, artist = float(np.linalg.norm(shape)), float(np.linalg.norm(wanted))
    return float((shape * wanted).sum()) / max(size * artist, 1e-12), size / max(artist, 1e-12)


def over_makers(values: Mapping[str, float], makers: Mapping[str, str]) -> float:
    """Mean over makers of the means over their heads."""
    of = {m: [v for n, v in values.items() if makers[n] == m] for m in makers.values()}
    return float(np.mean([np.mean(own) for own in of.values()]))


def told(
    heads: Mapping[str, Spoken], makers: Mapping[str, str], goal: goals.Goal, sound: str
) -> tuple[float, str]:
    """How good a goal's start is, and a line that says so."""
    found = {name: compared(one, goal, sound) for name, one in heads.items()}
    mean = over_makers({name: cosine for name, (cosine, _) in found.items()}, makers)
    least, low, high = USABLE
    usable = sum(cosine >= least and low <= size <= high for cosine, size in found.values())
    each = "  ".join(f"{name} {cosine:.2f} x{size:.2f}" for name, (cosine, size) in found.items())
    return mean + USABLE_COUNTS * usable, f"mean {mean:.3f}  usable {usable}  {each}"


def vowels(data: Path) -> None:
    heads = {name: spoken(data, name) for name in VOWEL_MAKERS}
    for name, starts in VOWELS.items():
        for start in starts:
            goal = replace(goals.GOALS.of["vrm1"][name], start=start, start_other=start)
            print(name, told(heads, VOWEL_MAKERS, goal, f"vrm_{name}")[1], json.dumps(dict(start)))


def visemes(data: Path) -> None:
    heads = {name: spoken(data, name) for name in VISEME_MAKERS}
    for name, key in VISEMES.items():
        shipped, sound = goals.GOALS.of["vrchat"][key], f"viseme_{name}"
        print(name, "shipped ", told(heads, VISEME_MAKERS, shipped, sound)[1])
        found = [
            (*told(heads, VISEME_MAKERS, replace(shipped, start=s, start_other=s), sound), s)
            for s in mixtures()
        ]
        for _, line, start in sorted(found, key=lambda row: -row[0])[:TOLD]:
            print(name, line, json.dumps(start))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=("vowels", "visemes"))
    parser.add_argument("--data", type=Path, required=True, help="folder with train/ and avatars/")
    options = parser.parse_args()
    (vowels if options.what == "vowels" else visemes)(options.data)


if __name__ == "__main__":
    main()
