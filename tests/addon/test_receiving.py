# SPDX-License-Identifier: GPL-3.0-or-later
"""Live tracking with real packets over loopback: they move the face, what is wrong changes nothing,
and nothing is left of it.
"""

from __future__ import annotations

import math
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import bpy
import numpy as np
import pytest
from blendshape_auto_generator.blendshape_addon import registration
from blendshape_auto_generator.blendshape_addon.job import held, receiving
from blendshape_auto_generator.blendshape_addon.tracking import osc, packets
from fixtures import tracking
from fixtures.scenes import activate, add

NAMES = ("jawOpen", "eyeBlinkLeft", "mouthSmileLeft")
PER_SECOND, SECONDS = 60, 10
SENDERS: dict[str, Callable[[Mapping[str, float]], bytes]] = {
    "vrchat": tracking.vrchat,
    "vmc": tracking.vmc,
    "ifacialmocap": tracking.ifacialmocap,
}


@pytest.fixture
def face() -> Any:
    """A mesh with keys that move different vertices, one of them at a value of the user's."""
    ob = add("Face", [(x, y, 0) for x in range(4) for y in (0, 1)], [(0, 1, 2), (1, 3, 2)])
    ob.shape_key_add(name="Basis", from_mix=False)
    for number, name in enumerate((*NAMES, "Mine")):
        key = ob.shape_key_add(name=name, from_mix=False)
        key.value = 0.0
        key.data[2 * number].co.z = 1.0
    ob.data.shape_keys.key_blocks["jawOpen"].value = 0.3
    ob.data.shape_keys.key_blocks["Mine"].value = 0.6
    activate(ob)
    return ob


@pytest.fixture
def sender(face: Any) -> Iterator[socket.socket]:
    """A socket that sends to a face that listens."""
    before = values(face)
    shown = bpy.context.window_manager.blendshapes
    shown.track_port, shown.track_address = free_port(), receiving.LOCAL
    assert bpy.ops.blendshapes.track_start() == {"FINISHED"}
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as opened:
        opened.connect((receiving.LOCAL, shown.track_port))
        yield opened
    if receiving.current() is not None:
        assert bpy.ops.blendshapes.track_stop() == {"FINISHED"}
        assert values(face) == before and held.KEPT not in face.data.shape_keys


def free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as opened:
        opened.bind((receiving.LOCAL, 0))
        return int(opened.getsockname()[1])


def values(ob: Any) -> dict[str, float]:
    return {k.name: k.value for k in ob.data.shape_keys.key_blocks[1:]}


def seen(ob: Any) -> Any:
    """Heights of the evaluated vertices."""
    evaluated = ob.evaluated_get(bpy.context.evaluated_depsgraph_get())
    points = np.empty((len(evaluated.data.vertices), 3), np.float32)
    evaluated.data.vertices.foreach_get("co", points.reshape(-1))
    return points[:, 2]


def poll(packets_wanted: int = 1) -> None:
    """What Blender's timer does, until so many packets more have come in."""
    receiver = receiving.current()
    assert receiver is not None
    until = time.monotonic() + 5
    wanted = sum(receiver.state.counts.values()) + packets_wanted
    while sum(receiver.state.counts.values()) < wanted:
        assert time.monotonic() < until, "the packets did not arrive"
        receiving._tick()


def counts() -> Mapping[str, int]:
    receiver = receiving.current()
    assert receiver is not None
    return receiver.state.counts


@pytest.mark.parametrize("protocol", SENDERS)
def test_sixty_packets_a_second_move_the_face_for_ten_seconds(
    face: Any, sender: socket.socket, protocol: str
) -> None:
    began, highest, late = time.monotonic(), 0.0, []
    for number in range(PER_SECOND * SECONDS):
        time.sleep(max(began + number / PER_SECOND - time.monotonic(), 0))
        wave = round(0.5 - 0.5 * math.cos(number / 9), 2)
        sent = time.perf_counter()
        sender.send(SENDERS[protocol]({"jawOpen": wave, "mouthSmileLeft": 1 - wave}))
        poll()
        heights = seen(face)
        late.append(time.perf_counter() - sent)
        assert heights[0] == pytest.approx(wave, abs=0.006)
        assert heights[4] == pytest.approx(1 - wave, abs=0.006)
        highest = max(highest, float(heights[0]))
    assert highest > 0.9 and heights[6] == pytest.approx(0.6)  # the user's own stays
    assert counts()[packets.TAKEN] == PER_SECOND * SECONDS
    assert sorted(late)[len(late) // 2] < 0.016


@pytest.mark.parametrize("prefix", ["v2/", "FT/v2/"])
def test_bits_arrive_one_at_a_time(face: Any, sender: socket.socket, prefix: str) -> None:
    before = values(face)
    for packet in tracking.bits({"JawOpen": 0.8}, 4, prefix)[1:]:  # the lowest is missing
        sender.send(packet)
        poll()
    assert values(face) == before and counts() == {packets.PARTIAL: 4}
    for number in range(16):
        for packet in tracking.bits({"JawOpen": number / 16}, 4, prefix):
            sender.send(packet)
            poll()
        assert seen(face)[0] == pytest.approx(number / 15)
    sender.send(tracking.message("/avatar/parameters/v2/JawOpen1", ",f", bytes(4)))
    poll()
    assert counts()[packets.BAD] == 1 and seen(face)[0] == pytest.approx(1.0)


def test_wrong_huge_and_foreign_packets_change_nothing(face: Any, sender: socket.socket) -> None:
    sender.send(tracking.vrchat({"jawOpen": 0.5}))
    poll()
    before = values(face)
    for packet in (b"", b"x", b"\xff" * 100, b"#bundle\0", b"/a\0\0,f\0\0", b"jawOpen-x|"):
        sender.send(packet)
        poll()
    huge = tracking.vrchat({"jawOpen": 1.0}) * 500
    assert len(huge) > osc.MOST_BYTES
    sender.send(huge[: 60_000 // 4 * 4])
    poll()
    assert counts()[packets.BAD] == 7
    for packet in (tracking.message("/chatbox", ",s", b"abc\0"), b"hat-100|", tracking.vmc({})):
        sender.send(packet)
        poll()
    assert counts()[packets.FOREIGN] == 3 and values(face) == before
    sender.send(tracking.vrchat({"jawOpen": 0.75}))
    poll()
    assert values(face)["jawOpen"] == 0.75


def test_a_flood_keeps_the_window_alive(face: Any, sender: socket.socket) -> None:
    packet = tracking.vrchat(dict.fromkeys(NAMES, 0.5))
    longest = 0.0
    for _ in range(20):
        for _ in range(400):
            sender.send(packet)
        began = time.perf_counter()
        receiving._tick()
        longest = max(longest, time.perf_counter() - began)
    assert longest < 0.05 and values(face)["jawOpen"] == 0.5


def test_no_packet_is_lost_where_a_look_takes_too_long(
    face: Any, sender: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(receiving, "MOST_SECONDS", -1.0)
    for number in range(5):
        sender.send(tracking.vrchat({"jawOpen": number / 8}))
    poll(5)
    assert counts()[packets.TAKEN] == 5 and values(face)["jawOpen"] == 0.5


def test_what_nobody_sees_costs_no_evaluation(face: Any, sender: socket.socket) -> None:
    def show(value: float) -> float:
        sender.send(tracking.vrchat({"jawOpen": value, "eyeBlinkLeft": 0.0005}))
        poll()
        return values(face)["jawOpen"]

    assert show(0.5) == 0.5 and values(face)["eyeBlinkLeft"] == 0.0, "noise is not evaluated"
    updates: list[int] = []

    def count(*_: object) -> None:
        updates.append(1)

    bpy.context.view_layer.update()
    bpy.app.handlers.depsgraph_update_post.append(count)
    assert show(0.5004) == 0.5
    bpy.context.view_layer.update()
    assert not updates, "and what does not change is not evaluated again"
    assert show(0.502) == pytest.approx(0.502)
    bpy.context.view_layer.update()
    bpy.app.handlers.depsgraph_update_post.remove(count)
    assert updates and show(0.0006) == 0.0
    for number in range(1, 40):  # small steps are not lost
        assert show(0.0006 * number) == pytest.approx(0.0006 * number, abs=0.00101)


def test_a_file_saved_while_live_has_the_values_from_before(
    face: Any, sender: socket.socket, tmp_path: Path
) -> None:
    path, before = tmp_path / "a.blend", values(face)
    sender.send(tracking.vrchat({"jawOpen": 0.5}))
    poll()
    during = values(face)
    bpy.ops.wm.save_as_mainfile(filepath=str(path), copy=True)
    assert receiving.current() is not None
    receiving._tick()
    assert values(face) == during != before
    with bpy.data.libraries.load(str(path)) as (_source, wanted):
        wanted.objects = ["Face"]
    assert values(wanted.objects[0]) == before
    assert wanted.objects[0].data.shape_keys.get(held.KEPT) is None


def test_an_undo_while_live_goes_on_and_leaves_nothing(face: Any, sender: socket.socket) -> None:
    bpy.ops.ed.undo_push(message="before")
    before = values(face)
    sender.send(tracking.vrchat({"jawOpen": 0.5}))
    poll()
    bpy.ops.ed.undo_push(message="something else")
    bpy.ops.ed.undo()
    again = bpy.data.objects["Face"]
    assert receiving.current() is not None and values(again) == before
    sender.send(tracking.vrchat({"jawOpen": 1.0}))
    poll()
    assert values(again)["jawOpen"] == 1.0
    bpy.ops.blendshapes.track_stop()
    assert values(again) == before and again.data.shape_keys.get(held.KEPT) is None


def test_drivers_and_actions_wait_while_live(face: Any, sender: socket.socket) -> None:
    block = face.data.shape_keys.key_blocks["eyeBlinkLeft"]
    sender.close()
    bpy.ops.blendshapes.track_stop()
    driver = block.driver_add("value")
    driver.driver.expression = "0.25"
    bpy.context.view_layer.update()
    receiver = receiving.start(face, receiving.LOCAL, 0)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as opened:
        opened.sendto(tracking.vrchat({"eyeBlinkLeft": 1.0}), (receiving.LOCAL, receiver.port))
    poll()
    assert seen(face)[2] == 1.0 and driver.mute
    receiving.stop()
    assert seen(face)[2] == pytest.approx(0.25, abs=1e-6) and not driver.mute


def test_another_file_or_no_face_ends_it(face: Any, sender: socket.socket) -> None:
    sender.send(tracking.vrchat({"jawOpen": 0.5}))
    bpy.data.objects.remove(face)
    poll()
    assert receiving.current() is None


def test_another_file_closes_the_port(face: Any, sender: socket.socket) -> None:
    port = sender.getpeername()[1]
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
    assert receiving.current() is None
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as opened:
        opened.bind((receiving.LOCAL, port))


def test_a_port_that_is_taken_is_an_error_with_what_to_do(face: Any) -> None:
    shown, before = bpy.context.window_manager.blendshapes, values(face)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as opened:
        opened.bind((receiving.LOCAL, 0))
        shown.track_port = opened.getsockname()[1]
        with pytest.raises(RuntimeError, match="choose another port"):
            bpy.ops.blendshapes.track_start()
    assert receiving.current() is None and values(face) == before


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("0.0.0.0", "offline"),  # noqa: S104  (refused)
        ("192.168.1.2", "offline"),
        ("localhost", "no address"),
        ("", "no ad"),
    ],
)
def test_other_addresses_are_for_blender_online(face: Any, address: str, words: str) -> None:
    assert not bpy.app.online_access
    shown = bpy.context.window_manager.blendshapes
    shown.track_address = address
    with pytest.raises(RuntimeError, match=words):
        bpy.ops.blendshapes.track_start()
    shown.property_unset("track_address")
    assert shown.track_address == "127.0.0.1" and receiving.current() is None


@pytest.fixture
def online() -> Iterator[Any]:
    """Blender's preference that lets it go online, switched on."""
    system = bpy.context.preferences.system
    system.use_online_access = True
    yield system
    system.use_online_access = False


def own_address() -> str:
    """This computer's in its network; nothing is sent to learn it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as opened:
        try:
            opened.connect(("192.0.2.1", 9))  # of no computer, by RFC 5737
            return str(opened.getsockname()[0])
        except OSError:
            return "0.0.0.0"  # noqa: S104  (a computer without a network)


@pytest.mark.parametrize("address", ["0.0.0.0", own_address()], ids=["all", "own"])  # noqa: S104
def test_online_other_addresses_are_listened_to(face: Any, address: str, online: Any) -> None:
    before, shown = values(face), bpy.context.window_manager.blendshapes
    shown.track_address, shown.track_port = address, free_port()
    assert bpy.ops.blendshapes.track_start() == {"FINISHED"}
    target = receiving.LOCAL if address == "0.0.0.0" else address  # noqa: S104
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as opened:
        opened.sendto(tracking.vrchat({"jawOpen": 0.75}), (target, shown.track_port))
        poll()
        assert values(face)["jawOpen"] == 0.75
    online.use_online_access = False
    receiving._tick()
    assert receiving.current() is None and values(face) == before, "offline, it ends"
    with pytest.raises(RuntimeError, match="offline"):
        bpy.ops.blendshapes.track_start()
    shown.property_unset("track_address")


def test_what_listens_is_never_saved_with_a_file() -> None:
    holders = [holder for holder in registration._HOLDERS if holder is not bpy.types.WindowManager]
    for holder in holders:
        group = registration._HOLDERS[holder]
        names = [field.identifier for field in group.bl_rna.properties]
        assert not [name for name in names if name.startswith("track_")]
