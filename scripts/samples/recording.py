# SPDX-License-Identifier: GPL-3.0-or-later
"""The sample recording of Test Face, in Live Link Face's format: a face that blinks, looks around,
talks, smiles and is surprised. Computed, so nobody's face is in it.

python -m scripts.samples.recording [FILE]
"""

from __future__ import annotations

import math
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SAMPLE = ROOT / "blendshape_addon" / "tracking" / "sample.csv"
RATE = 30  # frames in a second
SECONDS = 9.0
POSE = ("HeadYaw", "HeadPitch", "HeadRoll")
BOTH = ("Left", "Right")
# ARKit's names in Apple's order: what is there on both sides, and what is there once
COLUMNS = (
    *(
        f"Eye{part}{side}"
        for side in BOTH
        for part in ("Blink", "LookDown", "LookIn", "LookOut", "LookUp", "Squint", "Wide")
    ),
    *("JawForward", "JawRight", "JawLeft", "JawOpen", "MouthClose", "MouthFunnel", "MouthPucker"),
    *("MouthRight", "MouthLeft"),
    *(f"Mouth{part}{side}" for part in ("Smile", "Frown", "Dimple", "Stretch") for side in BOTH),
    *("MouthRollLower", "MouthRollUpper", "MouthShrugLower", "MouthShrugUpper"),
    *(f"Mouth{part}{side}" for part in ("Press", "LowerDown", "UpperUp") for side in BOTH),
    *("BrowDownLeft", "BrowDownRight", "BrowInnerUp", "BrowOuterUpLeft", "BrowOuterUpRight"),
    *("CheekPuff", "CheekSquintLeft", "CheekSquintRight", "NoseSneerLeft", "NoseSneerRight"),
    "TongueOut",
)
# Shape without its side -> (middle, half length, height) in seconds of each time it comes
MOVES: dict[str, tuple[tuple[float, float, float], ...]] = {
    "EyeBlink": tuple((at, 0.14, 1.0) for at in (0.6, 2.3, 4.1, 6.0, 7.9)),
    "BrowInnerUp": ((3.2, 0.3, 0.5), (6.7, 0.6, 0.9)),
    "BrowOuterUp": ((3.2, 0.3, 0.3), (6.7, 0.6, 0.8)),
    "EyeWide": ((6.7, 0.6, 0.8),),
    "MouthSmile": ((5.1, 0.7, 0.9), (8.3, 0.5, 0.6)),
    "CheekSquint": ((5.1, 0.7, 0.7), (8.3, 0.5, 0.4)),
    "EyeSquint": ((5.1, 0.6, 0.4),),
    "JawOpen": tuple((at, 0.16, height) for at, height in ((1.9, 0.5), (2.6, 0.35), (3.3, 0.55)))
    + ((6.7, 0.55, 0.75),),
    "MouthFunnel": ((2.25, 0.18, 0.7), (3.6, 0.2, 0.4)),
    "MouthPucker": ((2.95, 0.17, 0.8),),
    "MouthUpperUp": ((1.9, 0.16, 0.3), (3.3, 0.16, 0.3)),
    "MouthLowerDown": ((1.9, 0.16, 0.4), (2.6, 0.16, 0.3), (3.3, 0.16, 0.4)),
    "MouthPress": ((3.85, 0.15, 0.6),),
    "BrowDown": ((4.3, 0.25, 0.5),),
    "NoseSneer": ((4.3, 0.25, 0.4),),
    "CheekPuff": ((7.5, 0.3, 0.8),),
    "MouthDimple": ((5.1, 0.7, 0.2),),
}
LOOK = ((1.2, 0.45, 0.7), (5.6, 0.4, -0.6))  # to the character's left


def bump(seconds: float, rows: tuple[tuple[float, float, float], ...]) -> float:
    """The height of a curve that rises and falls softly at each of its times."""
    return sum(
        height * (0.5 + 0.5 * math.cos(math.pi * (seconds - at) / half))
        for at, half, height in rows
        if abs(seconds - at) < half
    )


def value(column: str, seconds: float) -> float:
    """A shape at a time, 0 to 1."""
    side = next((side for side in BOTH if column.endswith(side)), "")
    shape = column if column in MOVES else column.removesuffix(side)
    if shape in ("EyeLookIn", "EyeLookOut"):
        left = bump(seconds, LOOK)
        return max(left if (shape == "EyeLookOut") == (side == "Left") else -left, 0.0)
    return bump(seconds, MOVES[shape]) if shape in MOVES and shape not in BOTH else 0.0


def text() -> str:
    """The whole file."""
    rows = [",".join(("Timecode", "BlendShapeCount", *COLUMNS, *POSE))]
    for frame in range(int(SECONDS * RATE) + 1):
        seconds = frame / RATE
        numbers = [f"{value(column, seconds):.3g}" for column in COLUMNS]
        numbers += [f"{angle:.3g}" for angle in (0.05 * bump(seconds, LOOK), 0.0, 0.0)]
        code = f"00:00:{frame // RATE:02}:{frame % RATE:02}.000"
        rows.append(",".join((code, str(len(numbers)), *numbers)))
    return "\n".join(rows) + "\n"


if __name__ == "__main__":
    Path(sys.argv[1] if len(sys.argv) > 1 else SAMPLE).write_text(text(), encoding="utf-8")
