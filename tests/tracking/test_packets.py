# SPDX-License-Identifier: GPL-3.0-or-later
"""Packets from bytes: the three protocols as they are sent, and that no bytes do harm."""

from __future__ import annotations

import random
import struct

import pytest
from blendshape_auto_generator.blendshape_addon.tracking import osc, packets
from blendshape_auto_generator.blendshape_addon.tracking.names import Routes
from fixtures.tracking import bits, bundle, message
from hypothesis import given
from hypothesis import strategies as st

KEYS = ["jawOpen", "eyeBlinkLeft", "eyeBlinkRight", "mouthSmileLeft", "aa"]
SIDES = ["jawLeft", "jawRight", "jawOpen"]
PREFIXES = ("v2/", "FT/v2/", "Example/Nest/v2/", "FT/")


def state(keys: list[str] = KEYS) -> packets.State:
    return packets.State(Routes(keys))


def shown(told: packets.State) -> dict[str, float]:
    found: dict[str, float] = told.routes.values(told.tracked)
    return found


def test_osc_is_read_as_the_specification_writes_it() -> None:
    packet = b"/oscillator/4/frequency\0,f\0\0\x43\xdc\0\0"  # its own example
    assert osc.messages(packet) == [osc.Message("/oscillator/4/frequency", (440.0,))]
    packet = (
        b"/foo\0\0\0\0,iisff\0\0\0\0\x03\xe8\xff\xff\xff\xff"
        b"hello\0\0\0\x3f\x9d\xf3\xb6\x40\xb5\xb2\x2d"
    )
    assert osc.messages(packet)[0].values == pytest.approx((1000, -1, "hello", 1.234, 5.678))


def test_all_types_have_their_size() -> None:
    packet = message("/a", ",TFNIhdtcrmbs", struct.pack(">qdQ4s4s4s", 5, 0.5, 1, *[b"abcd"] * 3)
                     + struct.pack(">i", 5) + b"abcde\0\0\0" + b"end\0")  # fmt: skip
    (told,) = osc.messages(packet)
    assert told.values == (True, False, None, None, 5, 0.5, None, None, None, None, None, "end")


def test_bundles_are_read_in_order_and_not_too_deep() -> None:
    inner = bundle(message("/b", ",i", struct.pack(">i", 2)))
    packet = bundle(message("/a", ",i", struct.pack(">i", 1)), inner)
    assert [told.address for told in osc.messages(packet)] == ["/a", "/b"]
    for _ in range(osc.DEEPEST):
        packet = bundle(packet)
    with pytest.raises(osc.PacketError):
        osc.messages(packet)


@pytest.mark.parametrize(
    "packet",
    [
        b"",
        b"/a\0",
        b"/a\0\0,f\0\0",
        b"/a\0\0,f\0\0\0\0\0\0\0\0\0\0",
        b"/a\0x,f\0\0\0\0\0\0",
        b"/a\0\0f\0\0\0",
        b"/a\0\0,q\0\0",
        b"/aaa",
        b"a\0\0\0",
        b"/\xff\0\0",
        b"#bundle\0\0\0\0\0",
        b"#bundle\0\0\0\0\0\0\0\0\0\0\0\0\x64",
        b"#bundle\0\0\0\0\0\0\0\0\0\0\0\0\0",
        b"#bundle\0" + b"\0" * 8 + b"\xff\xff\xff\xfc",
        b"/a\0\0,b\0\0\xff\xff\xff\xff",
        b"/a\0\0" * 4096,
        bundle(*[b"/a\0\0"] * (osc.MOST_MESSAGES + 1)),
    ],
)
def test_what_is_no_osc_is_refused(packet: bytes) -> None:
    with pytest.raises(osc.PacketError):
        osc.messages(packet)


@pytest.mark.parametrize(
    ("address", "value"),
    [
        ("/avatar/parameters/v2/JawOpen", 0.5),
        ("/avatar/parameters/FT/v2/JawOpen", 0.5),
        ("/avatar/parameters/jawOpen", 0.5),
        ("/avatar/parameters/JawOpen", 0.5),
    ],
)
def test_vrchats_parameters_move_the_jaw(address: str, value: float) -> None:
    told = state()
    assert told.take(message(address, ",f", struct.pack(">f", value))) == packets.TAKEN
    assert shown(told) == {"jawOpen": value}
    assert told.take(message(address, ",T")) == packets.TAKEN and shown(told) == {"jawOpen": 1.0}


@given(
    count=st.integers(1, 8),
    value=st.floats(-1, 1, width=32),
    prefix=st.sampled_from(PREFIXES),
    order=st.randoms(use_true_random=False),
)
def test_bits_one_at_a_time_give_the_number_that_was_packed(
    count: int, value: float, prefix: str, order: random.Random
) -> None:
    told, sent = state(SIDES), bits({"JawX": value}, count, prefix)
    order.shuffle(sent)
    kinds = [told.take(packet) for packet in sent]
    assert set(kinds) <= {packets.TAKEN, packets.PARTIAL} and kinds[-1] == packets.TAKEN
    assert told.counts.total() == count + 1
    whole = min(int(abs(value) * 2**count), 2**count - 1) / (2**count - 1)
    ends = (
        {"jawRight": whole, "jawLeft": 0.0} if value >= 0 else {"jawRight": 0.0, "jawLeft": whole}
    )
    assert shown(told) == pytest.approx(ends)
    assert abs(whole - abs(value)) <= 1 / 2**count


@given(counts=st.lists(st.integers(0, 15), min_size=1, max_size=9))
def test_bits_are_sent_when_they_change(counts: list[int]) -> None:
    told, last = state(), dict[int, bool]()
    for number in counts:
        for place in range(4):
            on = bool(number >> place & 1)
            if last.get(place) != on:
                address = f"/avatar/parameters/v2/JawOpen{1 << place}"
                told.take(message(address, ",T" if on else ",F"))
                last[place] = on
        assert shown(told) == pytest.approx({"jawOpen": number / 15})


def test_all_bits_of_a_moment_may_come_in_one_packet() -> None:
    told = state(SIDES)
    assert told.take(bundle(*bits({"JawX": -0.6, "JawOpen": 0.3}, 3))) == packets.TAKEN
    assert shown(told) == pytest.approx({"jawLeft": 4 / 7, "jawRight": 0, "jawOpen": 2 / 7})
    assert told.take(bundle(*bits({"JawX": 0.6}, 3))) == packets.TAKEN
    assert shown(told) == pytest.approx({"jawLeft": 0, "jawRight": 4 / 7, "jawOpen": 2 / 7})


@pytest.mark.parametrize(
    ("name", "types", "values", "kind"),
    [
        ("JawOpen2", ",T", b"", packets.PARTIAL),
        ("JawOpen8", ",F", b"", packets.PARTIAL),
        ("JawOpenNegative", ",T", b"", packets.PARTIAL),
        ("JawOpen3", ",T", b"", packets.FOREIGN),
        ("JawOpen0", ",T", b"", packets.FOREIGN),
        ("JawOpen01", ",T", b"", packets.FOREIGN),
        ("JawOpen256", ",T", b"", packets.FOREIGN),
        ("Hat1", ",T", b"", packets.FOREIGN),
        ("HatNegative", ",T", b"", packets.FOREIGN),
        ("JawOpen1", ",f", struct.pack(">f", 1), packets.BAD),
        ("JawOpen1", ",i", struct.pack(">i", 1), packets.BAD),
        ("JawOpenNegative", ",f", bytes(4), packets.BAD),
        ("JawOpen1", ",TT", b"", packets.FOREIGN),
        ("JawOpen1", ",s", b"abc\0", packets.FOREIGN),
    ],
)
def test_wrong_and_partial_bits_change_nothing_and_are_counted(
    name: str, types: str, values: bytes, kind: str
) -> None:
    told = state()
    told.take(b"jawOpen-50|")
    assert told.take(message(f"/avatar/parameters/v2/{name}", types, values)) == kind
    assert shown(told) == {"jawOpen": 0.5} and told.counts[kind] == 1


def test_a_wrong_bit_spoils_its_whole_packet() -> None:
    told = state()
    wrong = message("/avatar/parameters/v2/JawOpen4", ",f", struct.pack(">f", 1))
    assert told.take(bundle(*bits({"JawOpen": 1.0}, 2), wrong)) == packets.BAD and not shown(told)


def test_a_key_of_ones_own_whose_name_looks_like_a_bit_is_that_key() -> None:
    told = state(["Smile", "Smile2"])
    assert told.take(message("/avatar/parameters/Smile2", ",f", struct.pack(">f", 0.5)))
    assert shown(told) == {"Smile2": 0.5}


def test_vmc_shows_when_it_is_applied() -> None:
    told, named = state(), "/VMC/Ext/Blend/Val"
    one = message(named, ",sf", b"A\0\0\0" + struct.pack(">f", 0.25))
    assert told.take(one) == packets.TAKEN and shown(told) == {}
    assert told.take(message("/VMC/Ext/Blend/Apply", ",")) == packets.TAKEN
    assert shown(told) == {"aa": 0.25}
    both = bundle(message(named, ",sf", b"Blink\0\0\0" + struct.pack(">f", 1.0)),
                  message("/VMC/Ext/Blend/Apply", ","))  # fmt: skip
    assert told.take(both) == packets.TAKEN
    assert shown(told) == {"aa": 0.25, "eyeBlinkLeft": 1.0, "eyeBlinkRight": 1.0}


def test_ifacialmocap_has_hundredths() -> None:
    told = state()
    first = b"mouthSmile_L-50|jawOpen-12|trackingStatus-1|=head#-21.4,-6.0,1,0,0,0|rightEye#6,2,0|"
    assert told.take(first) == packets.TAKEN
    assert shown(told) == pytest.approx({"mouthSmileLeft": 0.5, "jawOpen": 0.12})
    assert told.take(b"mouthSmile_L&100|jawOpen&-5|=head#1,2,3,4,5,6|") == packets.TAKEN
    assert shown(told) == pytest.approx({"mouthSmileLeft": 1.0, "jawOpen": 0.0})
    assert told.take(b"jawOpen--5|") == packets.TAKEN


@pytest.mark.parametrize(
    ("packet", "kind"),
    [
        (message("/tracking/eye/CenterPitchYaw", ",ff", bytes(8)), packets.FOREIGN),
        (message("/avatar/change", ",s", b"abc\0"), packets.FOREIGN),
        (message("/avatar/parameters/Hat", ",T"), packets.FOREIGN),
        (message("/avatar/parameters/jawOpen", ",s", b"abc\0"), packets.FOREIGN),
        (message("/avatar/parameters/jawOpen", ",f", struct.pack(">f", float("nan"))), packets.BAD),
        (message("/avatar/parameters/jawOpen", ",f", struct.pack(">f", float("inf"))), packets.BAD),
        (message("/avatar/parameters/jawOpen", ",d", struct.pack(">d", 1e300)), packets.BAD),
        (message("/avatar/parameters/" + "x" * 99, ",T"), packets.FOREIGN),
        (message("/VMC/Ext/Blend/Val", ",f", bytes(4)), packets.BAD),
        (message("/VMC/Ext/Blend/Apply", ","), packets.FOREIGN),
        (b"hello", packets.BAD),
        (b"hat-5|", packets.FOREIGN),
        (b"jawOpen-x|", packets.BAD),
        (b"jawOpen-1e400|", packets.BAD),
        (b"jawOpen-nan|", packets.BAD),
        (b"jawOpen-5|\xff", packets.BAD),
        (b"|" * 99, packets.BAD),
        (b"jawOpen-5|" * 2000, packets.BAD),
        (b"jawOpen-50|eyeBlink_L-x|", packets.BAD),
    ],
)
def test_what_is_not_about_a_face_changes_nothing(packet: bytes, kind: str) -> None:
    told = state()
    told.take(b"jawOpen-50|")
    assert told.take(packet) == kind and shown(told) == {"jawOpen": 0.5}
    assert told.counts[kind] == 1


KINDS = (packets.TAKEN, packets.PARTIAL, packets.FOREIGN, packets.BAD)
BITS = [f"/avatar/parameters/v2/JawOpen{end}" for end in (1, 2, 3, 4, 128, 256, "Negative")]
ADDRESSES = st.sampled_from(
    [
        *BITS,
        "/avatar/parameters/v2/JawOpen",
        "/VMC/Ext/Blend/Val",
        "/VMC/Ext/Blend/Apply",
        "/",
        "/x",
    ]
)
MESSAGES = st.builds(
    message, ADDRESSES, st.text("ifsTFNbhd", max_size=4).map(",".__add__), st.binary(max_size=24)
)
PACKETS = (
    st.binary(max_size=400)
    | MESSAGES
    | st.lists(MESSAGES, max_size=5).map(lambda some: bundle(*some))
    | st.text("jawOpenEyBlk_LR-&|#=.0159", max_size=60).map(str.encode)
)


@given(told=st.lists(PACKETS, max_size=20))
def test_no_packets_do_harm(told: list[bytes]) -> None:
    now = state()
    for packet in told:
        assert now.take(packet) in KINDS
    assert sum(now.counts.values()) == len(told)
    assert now.tracked.keys() <= now.routes.heard and now._pending.keys() <= now.routes.heard
    assert all(0 <= value <= 1 for value in shown(now).values())
