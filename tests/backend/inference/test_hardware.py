# SPDX-License-Identifier: GPL-3.0-or-later
"""Which adapters are GPUs: a pretended registry, and a pretended /sys."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from backend.inference import hardware

VIRTUAL = {
    "Microsoft Basic Display Adapter": r"PCI\CC_0300",
    "Microsoft Remote Display Adapter": r"SWD\RemoteDisplayEnum",
    "Microsoft Hyper-V Video": r"VMBUS\{da0a7802-e377-4aac-8e77-0558eb1073f8}",
    "Parsec Virtual Display Adapter": r"Root\Parsec\VDA",
    "IddSampleDriver Device": r"Root\IddSampleDriver",
    "Virtual Display Driver": r"Root\MttVDD",
    "Meta Virtual Monitor": r"Root\MetaVirtualMonitor",
    "spacedesk Graphics Adapter": r"ROOT\spacedesk",
    "TeamViewer Virtual Monitor": r"root\tvmonitor",
    "Citrix Indirect Display Adapter": r"root\cid",
    "DisplayLink USB Device": r"USB\VID_17E9&PID_4307",
    "VMware SVGA 3D": r"PCI\VEN_15AD&DEV_0405",
    "Red Hat QXL controller": r"PCI\VEN_1B36&DEV_0100",
    "Red Hat VirtIO GPU": r"PCI\VEN_1AF4&DEV_1050",
    "VirtualBox Graphics Adapter": r"PCI\VEN_80EE&DEV_BEEF",
    "ASPEED Graphics Family": r"PCI\VEN_1A03&DEV_2000",
    "NVIDIA lookalike": r"ROOT\NVIDIA",
}
REAL = {
    "NVIDIA GeForce RTX 4090": r"PCI\VEN_10DE&DEV_2684&SUBSYS_88E21043",
    "Radeon RX 580 Series": r"pci\ven_1002&dev_67df",
    "Intel(R) UHD Graphics 770": r"PCI\VEN_8086&DEV_4680",
    "Qualcomm(R) Adreno(TM) X1-85 GPU": r"ACPI\VEN_QCOM&DEV_0C36",
}


class Key:
    """An open key of the registry."""

    def __init__(self, content: dict[str, Any]) -> None:
        self.content = content

    def __enter__(self) -> Key:
        return self

    def __exit__(self, *_: object) -> None:
        pass


def registry(adapters: dict[str, str]) -> SimpleNamespace:
    """A winreg with these adapters, one that was not finished, and a key that nobody may read."""
    keys: dict[str, Any] = {
        f"{i:04d}": {"DriverDesc": name, "MatchingDeviceId": device}
        for i, (name, device) in enumerate(adapters.items())
    }
    keys |= {"9998": {"DriverDesc": "half installed"}, "Properties": None}

    def open_key(parent: Any, name: str) -> Key:
        if isinstance(parent, str):
            return Key(keys)
        if parent.content[name] is None:
            raise PermissionError(13, "Access is denied")
        return Key(parent.content[name])

    def value(key: Key, name: str) -> tuple[str, int]:
        if name not in key.content:
            raise FileNotFoundError(2, "The system cannot find the file specified")
        return key.content[name], 1

    def enumerate_key(key: Key, index: int) -> str:
        if index >= len(key.content):
            raise OSError(22, "No more data is available")
        return list(key.content)[index]

    return SimpleNamespace(
        HKEY_LOCAL_MACHINE="HKLM", OpenKey=open_key, QueryValueEx=value, EnumKey=enumerate_key
    )


@pytest.fixture
def windows(monkeypatch: pytest.MonkeyPatch) -> Any:
    """What a Windows with the given adapters has for GPUs."""

    def gpus(adapters: dict[str, str]) -> tuple[str, ...]:
        monkeypatch.setitem(sys.modules, "winreg", registry(adapters))
        monkeypatch.setattr(sys, "platform", "win32")
        try:
            return hardware.gpus.__wrapped__()
        finally:
            monkeypatch.undo()

    return gpus


@pytest.mark.parametrize("name", VIRTUAL)
def test_an_adapter_without_a_gpu_behind_it_is_none(windows: Any, name: str) -> None:
    assert windows({name: VIRTUAL[name]}) == ()


def test_gpus_are_found_among_all_the_others_with_their_makers(windows: Any) -> None:
    names = (
        "NVIDIA GeForce RTX 4090",
        "AMD Radeon RX 580 Series",
        "Intel(R) UHD Graphics 770",
        "Qualcomm(R) Adreno(TM) X1-85 GPU",
    )
    assert windows({**VIRTUAL, **REAL}) == names, "also when more than sixteen come before them"


def test_a_windows_without_the_key_has_none(windows: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    assert windows({}) == ()


@pytest.mark.parametrize(
    "vendor", ["0x1af4", "0x15ad", "0x1b36", "0x1a03", "0x1234", "0x80ee", "0x1414", ""]
)
def test_on_linux_the_cards_of_virtual_machines_and_boards_are_none(
    tmp_path: Path, vendor: str
) -> None:
    device = tmp_path / "sys/class/drm/card0/device"
    device.mkdir(parents=True)
    (device / "vendor").write_text(f"{vendor}\n")
    (device / "device").write_text("0x1050\n")
    assert hardware._linux_gpus(tmp_path) == ()


def test_on_linux_sockets_of_a_card_are_none_and_the_cards_behind_them_are(tmp_path: Path) -> None:
    for name, vendor in (("card0", "0x8086"), ("card0-HDMI-A-1", "0x8086"), ("card1", "0x1002")):
        device = tmp_path / "sys/class/drm" / name / "device"
        device.mkdir(parents=True)
        (device / "vendor").write_text(f"{vendor}\n")
        (device / "device").write_text("0x1050\n")
    found = hardware._linux_gpus(tmp_path)
    assert len(found) == 2 and found[0].startswith("Intel") and found[1].startswith("AMD")


def test_freed_memory_goes_back_where_the_system_is_linux_with_glibc(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told: dict[int, int] = {}
    monkeypatch.setattr(hardware, "_libc", lambda: SimpleNamespace(mallopt=told.__setitem__))
    for system in ("win32", "darwin"):
        monkeypatch.setattr(sys, "platform", system)
        hardware.give_memory_back()
    assert not told
    monkeypatch.setattr(sys, "platform", "linux")
    hardware.give_memory_back()
    assert told == {-1: 4 << 20, -3: 4 << 20, -8: 1}, (
        "malloc.h: M_TRIM_THRESHOLD, M_MMAP_THRESHOLD, M_ARENA_MAX; 0 would be no limit"
    )
    monkeypatch.setattr(hardware, "_libc", lambda: SimpleNamespace())  # musl has no mallopt
    hardware.give_memory_back()
