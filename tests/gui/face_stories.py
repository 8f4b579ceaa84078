# SPDX-License-Identifier: GPL-3.0-or-later
"""What a user does with a face that is driven: recordings on the timeline, packets of trackers."""

import fcntl
import math
import socket
import struct
import sys
import threading
import time
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import bpy
import numpy as np
from hand import EDGE, STEP, Hand, Place, Steps
from shape_stories import four_clicks
from stories import begin, click_to_keys, rest_and_shown, the_object

sys.path.append(str(Path(__file__).resolve().parents[1]))
from fixtures import tracking

PANEL = "BLENDSHAPES_PT_face"
SENDERS = {
    "vrchat": tracking.vrchat,
    "vmc": tracking.vmc,
    "ifacialmocap": tracking.ifacialmocap,
}
PER_SECOND, SECONDS = 60, 10


def state() -> list[Any]:
    """All that a test of the face might leave."""
    scene, key = bpy.context.scene, the_object().data.shape_keys
    return [
        [(block.name, round(block.value, 6), block.mute) for block in key.key_blocks],
        [scene.frame_current, scene.use_preview_range, scene.frame_start, scene.frame_end],
        [name for name in (*key.keys(), *scene.keys()) if name != "blendshapes"],
        [action.name for action in bpy.data.actions],
        len(bpy.data.objects),
        round(rest_and_shown(), 7),
    ]


def left(before: list[Any]) -> list[Any]:
    """What is otherwise than it was."""
    return [one for one, other in zip(state(), before, strict=True) if one != other]


def playing() -> bool:
    """Whether the timeline plays."""
    return bool(bpy.context.window_manager.windows[0].screen.is_animation_playing)


def find_below(hand: Hand, text: str) -> Generator[None, None, Place]:
    """A button near the sidebar's lower end, looked for from there: quick while every look costs a
    drawn frame.
    """
    yield from hand.wheel(False, 30)
    yield from hand.wait(2)
    region = hand.sidebar
    x, step = region.x + round(region.width * 0.6), round(STEP * hand.scale)
    heights = range(region.y + EDGE, region.y + region.height, step)
    for y in (*heights, *heights):  # the lowest is missed where the sidebar scrolls on meanwhile
        yield from hand.move((x, y))
        yield
        if text in hand.below_mouse():
            return x, y
    raise LookupError(f"there is no button with {text!r} in the sidebar")


def recording_story(hand: Hand, seen: dict[str, object]) -> Steps:
    """Generate, play the sample and see the face move, stop; the same with all shapes in a row, and
    with Ctrl-Z while they play.
    """
    yield from begin(hand, PANEL)
    yield from click_to_keys(hand, {})
    yield from hand.wait(8)
    before = state()
    for name, button in (("sample", "play_sample"), ("row", "play_shapes")):
        across = 0.7 if button == "play_sample" else 0.3
        yield from hand.click(
            (yield from hand.find(f"blendshapes.{button}", across, name == "sample"))
        )
        yield from hand.until(playing, 20, "playback")
        frames, farthest, moved, end = set(), 0.0, set(), time.monotonic() + 6
        while time.monotonic() < end:
            yield
            frames.add(bpy.context.scene.frame_current)
            farthest = max(farthest, rest_and_shown())
            moved |= {b.name for b in the_object().data.shape_keys.key_blocks[1:] if b.value > 0.3}
        seen[name] = {"frames": len(frames), "farthest": farthest, "moved": sorted(moved)}
        seen[f"{name}_picture"] = hand.picture(name)
        yield from hand.click((yield from find_below(hand, "blendshapes.test_stop")))
        yield from hand.wait(8)
        seen[f"{name}_left"] = left(before)
        seen[f"{name}_plays_on"] = playing()
    yield from hand.click((yield from hand.find("blendshapes.play_sample", 0.7)))
    yield from hand.until(playing, 20, "playback")
    yield from hand.wait(60)
    yield from hand.move((hand.area.x + hand.area.width // 3, hand.area.y + hand.area.height // 2))
    yield from hand.key("Z", ctrl=True)
    yield from hand.wait(8)
    key = the_object().data.shape_keys
    seen["undone"] = [] if key is None else [round(block.value, 3) for block in key.key_blocks]
    scene = bpy.context.scene
    seen["after_undo"] = [scene.frame_current, scene.use_preview_range, playing()]


def farthest_shown() -> float:
    """How far a vertex is shown from where it rests, at most; quick also for a whole avatar."""
    ob = the_object()
    mesh = ob.evaluated_get(bpy.context.evaluated_depsgraph_get()).data
    shown, rest = (np.empty(3 * len(each.vertices), np.float32) for each in (mesh, ob.data))
    mesh.vertices.foreach_get("co", shown)
    ob.data.shape_keys.reference_key.points.foreach_get("co", rest)
    return float(np.linalg.norm((shown - rest).reshape(-1, 3), axis=1).max())


def click_header(hand: Hand, above: str) -> Steps:
    """Open the panel by its header, which is the first below the list of the shapes. Blender tells
    nobody where a header is: it is where a click lets the panel be drawn. above: what the buttons
    of the list are told by.
    """
    yield from hand.find(above)
    lowest = min(place[1] for place, text in (yield from hand.look()) if above in text)
    cls: Any = getattr(bpy.types, PANEL)
    drawn: list[bool] = []
    draw = cls.draw

    def noted(self: Any, context: bpy.types.Context) -> None:
        drawn.append(True)
        draw(self, context)

    cls.draw = noted
    x, step = hand.sidebar.x + round(hand.sidebar.width * 0.4), round(STEP * hand.scale)
    for y in range(lowest - 5 * step, hand.sidebar.y + EDGE, -step):
        yield from hand.click((x, y))
        yield from hand.wait(4)
        if drawn:
            break
    cls.draw = draw
    yield from hand.wait(8)


def gene_story(hand: Hand, seen: dict[str, object]) -> Steps:
    """A whole avatar, from the installed extension to a face that plays a recording: how many
    clicks; then stop, and what is left.
    """
    yield from four_clicks(hand, seen, time.perf_counter(), look=False)
    yield from click_header(hand, "blendshapes.key")
    before = state()
    yield from hand.click((yield from hand.find("blendshapes.play_sample", 0.7)))
    seen["clicks"] = int(str(seen["clicks"])) + 2
    yield from hand.until(playing, 30, "playback")
    frames, farthest, moved, end = set(), 0.0, set(), time.monotonic() + 12
    while time.monotonic() < end:
        yield
        frames.add(bpy.context.scene.frame_current)
        farthest = max(farthest, farthest_shown())
        moved |= {b.name for b in the_object().data.shape_keys.key_blocks[1:] if b.value > 0.3}
    seen["played"] = {"frames": len(frames), "farthest": farthest, "moved": sorted(moved)}
    seen["picture"] = hand.picture("plays")
    yield from hand.click((yield from find_below(hand, "blendshapes.test_stop")))
    yield from hand.wait(8)
    seen["left"], seen["plays_on"] = left(before), playing()


def raise_loopback() -> None:
    """The window's machine has a network of its own, whose loopback is down."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as opened:
        asked = fcntl.ioctl(opened, 0x8913, struct.pack("16sh14x", b"lo", 0))
        flags = struct.unpack("16sh14x", asked)[1]
        fcntl.ioctl(opened, 0x8914, struct.pack("16sh14x", b"lo", flags | 1))


def receiver() -> Any:
    """What listens."""
    name = next(
        name
        for name in sys.modules
        if name.endswith("blendshape_auto_generator.blendshape_addon.job.receiving")
    )
    return sys.modules[name].current()


def send(opened: socket.socket, sender: Callable[[dict[str, float]], bytes]) -> None:
    """What a tracker sends: a jaw that goes up and down, and a smile."""
    began = time.monotonic()
    for number in range(PER_SECOND * SECONDS):
        time.sleep(max(began + number / PER_SECOND - time.monotonic(), 0))
        wave = 0.5 - 0.5 * math.cos(number / 9)
        opened.send(sender({"jawOpen": wave, "mouthSmileLeft": 1 - wave}))


def packets_story(hand: Hand, seen: dict[str, object]) -> Steps:
    """Each of the three protocols at 60 packets a second for 10 s; then wrong, huge and foreign
    ones, which change nothing; stop.
    """
    raise_loopback()
    yield from begin(hand, PANEL)
    yield from click_to_keys(hand, {})
    yield from hand.wait(8)
    before = state()
    for protocol, sender in SENDERS.items():
        bpy.context.window_manager.blendshapes.track_source = protocol
        yield from hand.wait()
        yield from hand.click((yield from hand.find("blendshapes.track_start", 0.8)))
        yield from hand.until(receiver, 20, "a receiver")
        jaw = the_object().data.shape_keys.key_blocks["jawOpen"]
        heights, farthest = set(), 0.0
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as opened:
            opened.connect(("127.0.0.1", receiver().port))
            tracker = threading.Thread(target=send, args=(opened, sender))
            tracker.start()  # as the program that it stands for: it waits for no window
            while tracker.is_alive():
                yield
                heights.add(round(jaw.value, 2))
                farthest = max(farthest, rest_and_shown())
            yield from hand.wait(6)
            held = jaw.value
            for packet in (b"x", b"#bundle\0", b"\xff" * 7000, sender({"hat": 1.0}), b"jawOpen-x|"):
                opened.send(packet)
            opened.send(tracking.vrchat({"jawOpen": 1.0}) * 300)
            yield from hand.wait(6)
        counts = dict(receiver().state.counts)
        seen[protocol] = {
            "counts": counts,
            "farthest": farthest,
            "heights": len(heights),
            "same": jaw.value == held,
        }
        seen[f"{protocol}_picture"] = hand.picture(protocol)
        yield from hand.click((yield from find_below(hand, "blendshapes.track_stop")))
        yield from hand.wait(8)
        seen[f"{protocol}_left"] = left(before)
