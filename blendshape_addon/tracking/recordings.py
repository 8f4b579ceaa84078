# SPDX-License-Identifier: GPL-3.0-or-later
"""Recordings of faces as files: Live Link Face's CSV and Face Cap's TXT, from bytes to arrays.

Live Link Face: a row of names, `Timecode,BlendShapeCount,EyeBlinkLeft,...,HeadYaw,...`, then a row
for each moment. A timecode is HH:MM:SS:FF.fff, where FF counts frames; a row with a count of 0 has
no face. Face Cap: rows begin with what they are: `info`, `bs` for the names of the shapes, `k` for
a moment: milliseconds, place (3) and turn (3) of the head, turns (2) of each eye, then the shapes.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..errors import AddonError
from .turns import Turn, of_angles

MOST_BYTES = 64 << 20  # of a file: hours of a face
MOST_ROWS = 500_000
MOST_COLUMNS = 512
LONGEST_SECONDS = 6 * 3600.0
RATES = (24.0, 25.0, 30.0, 48.0, 50.0, 60.0, 120.0, 240.0)  # frames in a second of a timecode
USUAL_RATE = 60.0  # of the app, for a recording that is too short to tell
_POSE = re.compile(r"(head|lefteye|righteye)(yaw|pitch|roll)", re.IGNORECASE)
_HEAD = ("headyaw", "headpitch", "headroll")
_FACE_CAP_POSE = 10  # numbers between a moment's time and its shapes
_HALF_DAY, _DAY = 12 * 3600.0, 24 * 3600.0
_FIX = "Export it again from Live Link Face (.csv) or Face Cap (.txt)."

Doubles = NDArray[np.float64]
Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Recording:
    """name: as the file is called. names: of the N shapes, as the file spells them. times: float64
    (T,), seconds from 0, each more than the one before. values: float32 (T,N), 0 to 1. left_out:
    rows that hold no face, or are not later than the one before. head: float64 (T,3), radians about
    Unreal's axes, of Live Link Face: to the face's right, down, its top to its left; None without.
    """

    name: str
    names: tuple[str, ...]
    times: Doubles
    values: Floats
    left_out: int = 0
    head: Doubles | None = None

    def turns_at(self, seconds: float) -> dict[str, Turn]:
        """How the head is turned at a time, as `turns.pose` takes it."""
        if self.head is None:
            return {}
        right, down, aside = (float(np.interp(seconds, self.times, row)) for row in self.head.T)
        return {"head": of_angles(-right, down, aside)}

    @property
    def seconds(self) -> float:
        """How long it lasts."""
        return float(self.times[-1])

    def at(self, seconds: float) -> Floats:
        """The shapes at a time, float32 (N,), between two rows in proportion; before the first and
        after the last as they are there.
        """
        after = int(np.searchsorted(self.times, seconds, side="right"))
        if after == 0 or after == len(self.times):
            row: Floats = self.values[min(after, len(self.times) - 1)]
            return row
        before = after - 1
        share = (seconds - self.times[before]) / (self.times[after] - self.times[before])
        mixed: Floats = (1 - share) * self.values[before] + share * self.values[after]
        return mixed.astype(np.float32)

    def sampled(self, rate: float) -> Floats:
        """The shapes at whole frames, float32 (F,N). rate: frames in a second."""
        moments = np.arange(math.floor(self.seconds * rate + 1e-6) + 1) / rate
        found = [np.interp(moments, self.times, column) for column in self.values.T]
        return np.stack(found, axis=1).astype(np.float32)


def read(name: str, data: bytes) -> Recording:
    """A recording of either kind, which its first words tell. Raises AddonError
    `recording_invalid`.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _invalid(name, "is no text") from error
    rows = [line.split(",") for line in text.splitlines() if line.strip()]
    if not 1 < len(rows) <= MOST_ROWS:
        raise _invalid(name, "holds no recording, or too long a one")
    kind = rows[0][0].strip().casefold()
    if kind == "timecode":
        return _live_link(name, rows)
    if kind in ("info", "bs", "k"):
        return _face_cap(name, rows)
    raise _invalid(name, "is of no known kind")


def _live_link(name: str, rows: Sequence[Sequence[str]]) -> Recording:
    columns = _names(name, rows[0])
    if len(columns) < 3 or columns[1].casefold() != "blendshapecount":
        raise _invalid(name, "lacks the column BlendShapeCount")
    kept = [place for place, word in enumerate(columns) if place > 1 and not _POSE.fullmatch(word)]
    words = [word.casefold() for word in columns]
    pose = [words.index(word) for word in _HEAD] if set(_HEAD) <= set(words) else []
    codes, values, head = [], [], []
    for number, row in enumerate(rows[1:], 2):
        if len(row) > 1 and row[1].strip() == "0":
            continue
        if len(row) != len(columns):
            raise _invalid(name, f"has {len(row)} columns in row {number}, not {len(columns)}")
        codes.append(_timecode(name, row[0], number))
        values.append(_numbers(name, [row[place] for place in kept], number))
        head.append(_numbers(name, [row[place] for place in pose], number))
    rate = _rate(codes)
    times = [clock + frame / rate for clock, frame in codes]
    told = _Told([columns[place] for place in kept], times, values, head if pose else [])
    return _recording(name, told, len(rows) - 1 - len(codes))


def _face_cap(name: str, rows: Sequence[Sequence[str]]) -> Recording:
    columns: list[str] | None = None
    times, values = [], []
    for number, row in enumerate(rows, 1):
        kind = row[0].strip().casefold()
        if kind == "bs":
            columns = _names(name, row[1:])
        elif kind == "k":
            if columns is None:
                raise _invalid(name, "does not name its shapes (no row bs) before the first moment")
            wanted = 2 + _FACE_CAP_POSE + len(columns)
            if len(row) != wanted:
                raise _invalid(name, f"has {len(row)} columns in row {number}, not {wanted}")
            times.append(_numbers(name, row[1:2], number)[0] / 1000)
            values.append(_numbers(name, row[2 + _FACE_CAP_POSE :], number))
    return _recording(name, _Told(columns or [], times, values), 0)


@dataclass(frozen=True)
class _Told:
    """What a file says: N names, T times in seconds, T rows of N values, and of three angles."""

    columns: Sequence[str]
    times: Sequence[float]
    values: Sequence[Sequence[float]]
    head: Sequence[Sequence[float]] = ()


def _recording(name: str, told: _Told, left_out: int) -> Recording:
    times = told.times
    if len(times) < 2 or not told.columns:
        raise _invalid(name, "holds no face")
    kept, moments = [0], [0.0]
    day = 0.0
    for number in range(1, len(times)):
        if times[number] + day - times[0] < moments[-1] - _HALF_DAY:
            day += _DAY  # it was recorded over midnight
        moment = times[number] + day - times[0]
        if moment > moments[-1]:
            kept.append(number)
            moments.append(moment)
    if len(kept) < 2 or moments[-1] > LONGEST_SECONDS:
        raise _invalid(name, "has times that do not go on")
    chosen = np.clip(np.array([told.values[number] for number in kept], np.float32), 0, 1)
    head = np.array([told.head[number] for number in kept]) if told.head else None
    lost = len(times) - len(kept) + left_out
    return Recording(name, tuple(told.columns), np.array(moments), chosen, lost, head=head)


def _names(name: str, row: Sequence[str]) -> list[str]:
    names = [word.strip() for word in row]
    while names and not names[-1]:
        names.pop()
    if not 0 < len(names) <= MOST_COLUMNS or len(set(names)) < len(names) or not all(names):
        raise _invalid(name, "names its columns twice, or not at all")
    return names


def _numbers(name: str, words: Sequence[str], number: int) -> list[float]:
    try:
        values = [float(word) for word in words]
    except ValueError:
        values = [math.nan]
    if not all(math.isfinite(value) and abs(value) < 1e9 for value in values):
        raise _invalid(name, f"has something that is no number in row {number}")
    return values


def _timecode(name: str, word: str, number: int) -> tuple[float, float]:
    """Seconds, and the frame within the second."""
    parts = word.strip().replace(";", ":").split(":")
    if len(parts) != 4:
        raise _invalid(name, f"has no timecode HH:MM:SS:FF in row {number}")
    hours, minutes, seconds, frame = _numbers(name, parts, number)
    if min(hours, minutes, seconds, frame) < 0 or frame > RATES[-1]:
        raise _invalid(name, f"has no timecode HH:MM:SS:FF in row {number}")
    return 3600 * hours + 60 * minutes + seconds, frame


def _rate(codes: Sequence[tuple[float, float]]) -> float:
    """Frames in a second of timecodes: the least that counts as far as they do."""
    if len({clock for clock, _frame in codes}) < 2:  # the end of no second was seen
        return USUAL_RATE
    highest = max(math.floor(frame) for _clock, frame in codes)
    return next(rate for rate in (*RATES, highest + 1.0) if rate > highest)


def _invalid(name: str, reason: str) -> AddonError:
    return AddonError("recording_invalid", f"The recording {name} {reason}.", _FIX)
