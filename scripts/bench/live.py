# SPDX-License-Identifier: GPL-3.0-or-later
"""How long live tracking takes, from a packet that is sent to the evaluated mesh, without a redraw.

python -m scripts.bench.live FILE.blend [--object NAME] [--packets 600] [--all]

The bundled recording is sent, all of ARKit's shapes in each packet, by the three protocols in turn,
over loopback, 60 a second; with --all every shape is between 0.3 and 0.8 at once, which no face
does. Blender's timer, which looks every 4 ms, does not run in a Blender without a window: it is
stood in for by looking at once. Work is the processor's time, which is what an otherwise idle
machine takes at most.
"""

from __future__ import annotations

import argparse
import importlib
import math
import socket
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

import bpy  # noqa: E402  (after the path is there)
import numpy as np  # noqa: E402
from fixtures import tracking  # noqa: E402

from scripts.generate import load_extension  # noqa: E402

PER_SECOND = 60


def evaluated(ob: Any) -> Any:
    """The vertices of the evaluated mesh, float32 (V,3)."""
    mesh = ob.evaluated_get(bpy.context.evaluated_depsgraph_get()).data
    points = np.empty((len(mesh.vertices), 3), np.float32)
    mesh.attributes["position"].data.foreach_get("vector", points.reshape(-1))
    return points


def moments(names: list[str], packets: int, everything: bool) -> Iterator[dict[str, float]]:
    """Shape -> value of each packet."""
    recorded = importlib.import_module("blendshape_auto_generator.blendshape_addon.job.recorded")
    sample = recorded.sample()
    places = {name.casefold(): place for place, name in enumerate(sample.names)}
    for number in range(packets):
        if everything:
            waves = [0.3 + 0.5 * math.sin(0.3 * number + place) ** 2 for place in range(len(names))]
            yield dict(zip(names, waves, strict=True))
        else:
            row = sample.at(number / PER_SECOND % sample.seconds)
            yield {name: float(row[places[name.casefold()]]) for name in names}


def measure(
    ob: Any, told: Iterator[dict[str, float]]
) -> tuple[dict[str, list[float]], dict[str, list[float]]]:
    """Milliseconds, and milliseconds of the processor, of each packet by protocol."""
    receiving = importlib.import_module("blendshape_auto_generator.blendshape_addon.job.receiving")
    receiver = receiving.start(ob, receiving.LOCAL, 0)
    senders = (tracking.vrchat, tracking.vmc, tracking.ifacialmocap)
    took: dict[str, list[float]] = {sender.__name__: [] for sender in senders}
    worked: dict[str, list[float]] = {sender.__name__: [] for sender in senders}
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as opened:
        opened.connect((receiving.LOCAL, receiver.port))
        for number, values in enumerate(told):
            time.sleep(1 / PER_SECOND)
            sender = senders[number % len(senders)]
            packet, heard = sender(values), receiver.state.counts["taken"]
            began, work = time.perf_counter(), time.process_time()
            opened.send(packet)
            while receiver.state.counts["taken"] == heard:
                receiver.poll()
            evaluated(ob)
            took[sender.__name__].append(1000 * (time.perf_counter() - began))
            worked[sender.__name__].append(1000 * (time.process_time() - work))
    receiving.stop()
    return took, worked


def main() -> None:
    """Measure, and print a line for each protocol."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("--object", default="")
    parser.add_argument("--packets", type=int, default=600)
    parser.add_argument("--all", action="store_true")
    asked = parser.parse_args()
    extension = importlib.import_module(load_extension().__name__)
    extension.register()
    try:
        _tell(asked)
    finally:
        extension.unregister()  # Blender crashes at its end when classes are left


def _tell(asked: argparse.Namespace) -> None:
    bpy.ops.wm.open_mainfile(filepath=str(asked.file), use_scripts=False)
    objects: list[Any] = list(bpy.data.objects)
    with_keys = [ob for ob in objects if ob.type == "MESH" and ob.data.shape_keys]
    ob: Any = (
        bpy.data.objects[asked.object]
        if asked.object
        else max(with_keys, key=lambda each: len(each.data.shape_keys.key_blocks))
    )
    bpy.context.view_layer.objects.active = ob
    standards = importlib.import_module(
        "blendshape_auto_generator.blendshape_addon.blender_io.standards"
    )
    names = [
        name for name in standards.standards()["arkit"] if name in ob.data.shape_keys.key_blocks
    ]
    took, worked = measure(ob, moments(names, asked.packets, asked.all))
    print(f"{ob.name}: {len(ob.data.vertices)} vertices, {len(names)} keys in a packet")
    for protocol, each in took.items():
        low, middle, high = np.percentile(each, [5, 50, 95])
        work = np.median(worked[protocol])
        print(
            f"{protocol}: median {middle:.1f} ms, 5 % {low:.1f}, 95 % {high:.1f};"
            f" work {work:.1f} ms"
        )


if __name__ == "__main__":
    main()
