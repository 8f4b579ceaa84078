# SPDX-License-Identifier: GPL-3.0-or-later
"""Recordings from bytes: what the two formats say, and that anything else is refused in words."""

from __future__ import annotations

import numpy as np
import pytest
from blendshape_auto_generator.blendshape_addon.errors import AddonError
from blendshape_auto_generator.blendshape_addon.tracking import parade, recordings
from hypothesis import given
from hypothesis import strategies as st

from scripts.samples import recording as sample

COLUMNS = "Timecode,BlendShapeCount,EyeBlinkLeft,JawOpen,HeadYaw,HeadPitch,HeadRoll,LeftEyeYaw"


def live_link(*rows: str) -> bytes:
    return "\n".join((COLUMNS, *rows)).encode()


def row(code: str, blink: float = 0.0, jaw: float = 0.0, count: int = 61) -> str:
    return f"{code},{count},{blink},{jaw},0.1,0.2,0.3,0.4"


def test_live_link_face_has_names_times_and_values() -> None:
    read = recordings.read(
        "a",
        live_link(
            row("10:59:59:28.500", 0.25, 1.0),
            row("10:59:59:29.500"),
            row("11:00:00:00.500", 0.5, 0.75),
        ),
    )
    assert read.names == ("EyeBlinkLeft", "JawOpen") and read.left_out == 0
    assert read.times.tolist() == pytest.approx([0, 1 / 30, 2 / 30])
    assert read.values.tolist() == [[0.25, 1.0], [0.0, 0.0], [0.5, 0.75]]
    assert read.at(-1).tolist() == [0.25, 1.0] and read.at(9).tolist() == [0.5, 0.75]
    assert read.at(1.5 / 30).tolist() == pytest.approx([0.25, 0.375])


@pytest.mark.parametrize(("last", "rate"), [(23, 24), (24, 25), (29, 30), (58, 60), (59, 60)])
def test_the_frames_of_a_timecode_are_counted(last: int, rate: int) -> None:
    read = recordings.read("a", live_link(row(f"00:00:00:{last:02}"), row("00:00:01:00")))
    assert read.times[1] == pytest.approx(1 - last / rate)


def test_rows_without_a_face_and_rows_that_come_again_are_left_out() -> None:
    read = recordings.read(
        "a",
        live_link(
            row("00:00:00:00"),
            "00:00:00:01,0",
            row("00:00:00:02", 0.5),
            row("00:00:00:02", 0.75),
            row("00:00:00:01", 1.0),
            row("00:00:00:03"),
        ),
    )
    assert len(read.times) == 3 and read.left_out == 3
    assert read.values[:, 0].tolist() == [0, 0.5, 0]


def test_a_recording_over_midnight_goes_on() -> None:
    read = recordings.read(
        "a", live_link(row("23:59:59:00"), row("23:59:59:30"), row("00:00:00:00"))
    )
    assert read.times.tolist() == pytest.approx([0, 30 / 48, 1])


def test_face_cap_has_milliseconds_and_its_own_names() -> None:
    pose = "1,2,3,4,5,6,7,8,9,10"
    text = (
        f"info,Face Cap,2\nbs,browInnerUp,mouthSmile_L\nk,500,{pose},0.25,1\nk,533.3,{pose},2,-1\n"
    )
    read = recordings.read("a", text.encode())
    assert read.names == ("browInnerUp", "mouthSmile_L")
    assert read.times.tolist() == pytest.approx([0, 0.0333])
    assert read.values.tolist() == [[0.25, 1.0], [1.0, 0.0]]  # 0 to 1, whatever is there


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "holds no recording"),
        (b"\xff\xfe\x00\x01\n\n", "is no text"),
        (b"a,b\n1,2", "is of no known kind"),
        (b"Timecode,JawOpen,B\n00:00:00:00,0,0", "lacks the column BlendShapeCount"),
        (live_link(), "holds no recording"),
        (live_link(row("00:00:00:00")), "holds no face"),
        (live_link("00:00:00:00,61,0,0", row("00:00:00:01")), "has 4 columns in row 2, not 8"),
        (live_link(row("0:0:0"), row("00:00:00:01")), "has no timecode HH:MM:SS:FF in row 2"),
        (live_link(row("00:00:00:-1"), row("00:00:00:01")), "has no timecode HH:MM:SS:FF in row 2"),
        (live_link(row("00:00:00:00"), row("00:00:00:00")), "has times that do not go on"),
        (live_link(row("00:00:00:00", float("nan"))), "something that is no number in row 2"),
        (live_link(row("00:00:00:00", float("inf"))), "something that is no number in row 2"),
        (live_link(row("00:00:00:00"), row("x:00:00:00")), "something that is no number in row 3"),
        (live_link(row("00:00:00:00"), row("09:00:00:00")), "has times that do not go on"),
        (b"Timecode,BlendShapeCount,A,A\n0,1,2,3", "names its columns twice"),
        (b"k,0,1\nk,1,2", "does not name its shapes"),
        (b"bs,a\nk,0,1\nk,1,2", "has 3 columns in row 2, not 13"),
    ],
)
def test_what_is_no_recording_is_refused(data: bytes, words: str) -> None:
    with pytest.raises(AddonError, match=words) as caught:
        recordings.read("Take 1", data)
    assert caught.value.code == "recording_invalid" and caught.value.fix
    assert "Take 1" in caught.value.message


WORDS = st.sampled_from(
    ("Timecode", "BlendShapeCount", "bs", "k", "info", "jawOpen", "0", "1", "-1", "1e400", "nan")
    + ("00:00:00:00", "00:00:01:00.5", "", "\x00", "\u2028", "１")
)


@given(
    data=st.binary(max_size=300)
    | st.lists(st.lists(WORDS, max_size=14).map(",".join), max_size=8)
    .map("\n".join)
    .map(str.encode)
)
def test_any_bytes_are_a_recording_or_refused(data: bytes) -> None:
    try:
        read = recordings.read("a", data)
    except AddonError as error:
        assert error.code == "recording_invalid"
        return
    assert np.isfinite(read.values).all() and 0 <= read.values.min() <= read.values.max() <= 1
    assert (np.diff(read.times) > 0).all() and read.times[0] == 0
    assert read.values.shape == (len(read.times), len(read.names))


@pytest.mark.parametrize("rate", [24.0, 29.97, 60.0])
def test_samples_at_whole_frames_lie_on_the_recording(rate: float) -> None:
    read = recordings.read("a", sample.text().encode())
    sampled = read.sampled(rate)
    assert len(sampled) == int(read.seconds * rate + 1e-6) + 1
    for frame in (0, 7, len(sampled) - 1):
        assert sampled[frame] == pytest.approx(read.at(frame / rate), abs=1e-5)


def test_the_bundled_recording_is_what_its_script_makes() -> None:
    assert sample.SAMPLE.read_text(encoding="utf-8") == sample.text()
    assert len(sample.COLUMNS) == 52 and sample.SAMPLE.stat().st_size < 60_000


def test_all_shapes_in_a_row_rise_alone_and_with_their_companion() -> None:
    row = parade.parade("All", ["a", "b", "c"], {"b": "c", "c": "not there"})
    held = row.at(parade.EACH + parade.RISE + 0.1)
    assert held.tolist() == [0, 1, 1] and parade.at(row, parade.EACH + 0.1) == "b"
    assert row.at(0.0).tolist() == row.at(row.seconds).tolist() == [0, 0, 0]
    assert row.at(parade.RISE / 2).tolist() == pytest.approx([0.5, 0, 0])
    assert parade.at(row, -1) == "a" and parade.at(row, 99) == "c"
