# SPDX-License-Identifier: GPL-3.0-or-later
"""Machines of a farm on this one: network namespaces with addresses of their own on a bridge. Needs
root and iproute2.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from types import TracebackType

HUB = "10.213.77.1"


def why_not() -> str:
    """Why there can be no such machines here, or nothing."""
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        return "network namespaces need root"
    if shutil.which("ip") is None:
        return "network namespaces need iproute2"
    name = f"bsg{os.getpid()}-try"
    made = subprocess.run(["ip", "netns", "add", name], capture_output=True, text=True, check=False)
    if made.returncode:
        return f"network namespaces cannot be made here: {made.stderr.strip()}"
    subprocess.run(["ip", "netns", "delete", name], check=False)
    return ""


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True, timeout=20)


class Network:
    """A hub with the address HUB and so many other machines; none of them reaches anything else."""

    def __init__(self, machines: int) -> None:
        self._prefix = f"bsg{os.getpid()}"
        self.hub = f"{self._prefix}-hub"
        self.machines = {
            f"{self._prefix}-{number}": f"10.213.77.{10 + number}"
            for number in range(1, machines + 1)
        }

    def __enter__(self) -> Network:
        _ip("netns", "add", self.hub)
        _ip("-n", self.hub, "link", "set", "lo", "up")
        _ip("-n", self.hub, "link", "add", "bridge", "type", "bridge")
        _ip("-n", self.hub, "addr", "add", f"{HUB}/24", "dev", "bridge")
        _ip("-n", self.hub, "link", "set", "bridge", "up")
        for number, (name, address) in enumerate(self.machines.items(), 1):
            _ip("netns", "add", name)
            _ip(
                "-n",
                self.hub,
                "link",
                "add",
                f"to{number}",
                "type",
                "veth",
                "peer",
                "name",
                "eth0",
                "netns",
                name,
            )
            _ip("-n", self.hub, "link", "set", f"to{number}", "master", "bridge", "up")
            _ip("-n", name, "link", "set", "lo", "up")
            _ip("-n", name, "addr", "add", f"{address}/24", "dev", "eth0")
            _ip("-n", name, "link", "set", "eth0", "up")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for name in (*self.machines, self.hub):
            subprocess.run(["ip", "netns", "delete", name], check=False, capture_output=True)

    def on(self, name: str, *command: object) -> list[str]:
        """The command line that runs a command on a machine."""
        return ["ip", "netns", "exec", name, *map(str, command)]

    def cut(self, name: str) -> None:
        """Pull a machine's plug out of the network; it goes on running."""
        _ip("-n", name, "link", "set", "eth0", "down")
