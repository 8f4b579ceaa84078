# SPDX-License-Identifier: GPL-3.0-or-later
"""Build the installable extension: a staged copy of what ships, the guide as HTML (help_pages.py),
the pinned wheels with their licences, some of them packed anew (repack.py), and Blender's own
builder.

.venv/bin/python scripts/build.py [--all-platforms]

Two builds of one state are equal to the last byte: the zip is packed anew in a fixed order with a
fixed date.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import platform
import shutil
import subprocess
import sys
import tempfile
import zipfile
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from scripts import help_pages  # noqa: E402  (after the path is there)
from scripts.repack import DATE, shipped  # noqa: E402

DIST = ROOT / "dist"
WHEELS = ROOT / "build" / "wheels"
PINS = ROOT / "requirements" / "wheels.json"
LICENCES = (
    "license",
    "licence",
    "copying",
    "thirdpartynotices",
    "notice",
)  # beginnings of file names in wheels
SHIPPED = ("__init__.py", "blender_manifest.toml", "LICENSE", "blendshape_addon", "backend")
# pip matches these tags literally, so every tag that a pinned wheel may carry is named.
TAGS = {
    "linux-x64": (
        "manylinux_2_28_x86_64",
        "manylinux_2_27_x86_64",
        "manylinux_2_17_x86_64",
        "manylinux2014_x86_64",
        "manylinux2010_x86_64",
    ),
    "windows-x64": ("win_amd64",),
    "macos-arm64": ("macosx_14_0_arm64", "macosx_11_0_arm64"),
    "macos-x64": (
        "macosx_13_0_x86_64",
        "macosx_10_9_x86_64",
    ),  # for Blender 4.2 to 4.5, the last for Intel Macs, as is ONNX Runtime 1.23.2
}


def this_platform() -> str:
    """Blender's name for the platform that this runs on."""
    names = {
        "Linux": "linux-x64",
        "Windows": "windows-x64",
        "Darwin": "macos-arm64" if platform.machine() == "arm64" else "macos-x64",
    }
    return names[platform.system()]


def blender_ext() -> Path:
    """Blender's extension command, which the bpy wheel carries."""
    spec = find_spec("bpy")
    if spec is None or spec.origin is None:
        raise SystemExit("bpy is not installed: run this through scripts/dev.py build.")
    found = sorted(Path(spec.origin).parent.glob("*/scripts/addons_core/bl_pkg/cli/blender_ext.py"))
    return found[0]


def fetch(name: str, digest: str, tags: tuple[str, ...]) -> Path:
    """A pinned wheel, downloaded once and checked by its SHA-256."""
    file = WHEELS / name
    if not file.exists():
        project, version, python, *_ = name.split("-")
        number = python.removeprefix("cp") if python in ("cp311", "cp313", "cp314") else "311"
        command = [
            sys.executable,
            "-m",
            "pip",
            "download",
            "--quiet",
            "--disable-pip-version-check",
            "--no-deps",
            "--only-binary=:all:",
            "--implementation",
            "cp",
            "--python-version",
            f"{number[0]}.{number[1:]}",
            "--dest",
            str(WHEELS),
            f"{project}=={version}",
        ]
        for tag in tags:
            command += ["--platform", tag]
        subprocess.run(command, check=True)
    if not file.exists() or hashlib.sha256(file.read_bytes()).hexdigest() != digest:
        raise SystemExit(
            f"{name} could not be had with the pinned SHA-256; delete {WHEELS} and try again, or"
            f" update {PINS.name}."
        )
    return file


def stage(folder: Path, platforms: list[str], more: tuple[str, ...] = ()) -> None:
    """Copy what ships into an empty folder, with the guide, the wheels of the platforms and a
    manifest that names them. more: further lists of pins.
    """
    for name in SHIPPED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(
                source,
                folder / name,
                ignore=shutil.ignore_patterns("__pycache__", "*.pyc"),
            )
        else:
            shutil.copy2(source, folder / name)
    help_pages.write(folder / help_pages.FOLDER)
    wheels = folder / "wheels"
    wheels.mkdir()
    pins: dict[str, dict[str, str]] = json.loads(PINS.read_text(encoding="utf-8"))
    names = []
    for target in (*platforms, *more):
        for name, digest in pins[target].items():
            shipped(fetch(name, digest, TAGS[target.split()[0]]), digest, wheels)
            names.append(name)
    _licences(folder, names)
    listed = "".join(f'  "./wheels/{name}",\n' for name in names)
    head, permissions, rest = (
        (folder / "blender_manifest.toml").read_text(encoding="utf-8").partition("[permissions]")
    )
    manifest = (
        f"{head}platforms = {json.dumps(platforms)}\nwheels = [\n{listed}]\n\n{permissions}{rest}"
    )
    (folder / "blender_manifest.toml").write_text(manifest, encoding="utf-8")


def _licences(folder: Path, wheels: list[str]) -> None:
    """Copy the licences and notices that the wheels carry to third_party/, where a user finds them
    without unpacking wheels.
    """
    target = folder / "third_party"
    target.mkdir()
    for name in wheels:
        package = name.partition("-")[0]
        with zipfile.ZipFile(folder / "wheels" / name) as wheel:
            for entry in wheel.namelist():
                if Path(entry).name.lower().startswith(LICENCES):
                    (target / f"{package}-{Path(entry).name.removesuffix('.txt')}.txt").write_bytes(
                        wheel.read(entry)
                    )
    without = {name.partition("-")[0] for name in wheels} - {
        path.name.partition("-")[0] for path in target.iterdir()
    }
    if without:
        raise SystemExit(f"The wheels of {', '.join(sorted(without))} carry no licence.")


def normalise(archive: Path) -> None:
    """Pack a zip anew so that its bytes depend on nothing but the names and contents of its
    files.
    """
    with tempfile.TemporaryDirectory(dir=archive.parent) as folder:
        temporary = Path(folder) / archive.name
        with zipfile.ZipFile(archive) as old, zipfile.ZipFile(temporary, "w") as new:
            for name in sorted(old.namelist()):
                if name.endswith("/"):
                    continue
                entry = zipfile.ZipInfo(name, DATE)
                entry.external_attr = 0o644 << 16
                entry.compress_type = (
                    zipfile.ZIP_STORED if name.endswith(".whl") else zipfile.ZIP_DEFLATED
                )
                new.writestr(entry, old.read(name), compresslevel=9)
        temporary.replace(archive)


def build(platforms: list[str], out: Path = DIST, more: tuple[str, ...] = ()) -> list[Path]:
    """Zips in `out`, one per platform, each validated by Blender's own command. more: lists of pins
    for a Python that is not Blender's own.
    """
    WHEELS.mkdir(parents=True, exist_ok=True)
    out.mkdir(parents=True, exist_ok=True)
    for old in out.glob("*.zip"):
        old.unlink()
    for target in platforms:
        with tempfile.TemporaryDirectory() as folder:
            stage(Path(folder), [target], more)
            tool = [sys.executable, str(blender_ext())]
            subprocess.run(
                [
                    *tool,
                    "build",
                    "--source-dir",
                    folder,
                    "--output-dir",
                    str(out),
                    "--split-platforms",
                ],
                check=True,
                stdout=subprocess.DEVNULL,
            )
    zips = sorted(out.glob("*.zip"))
    for file in zips:
        normalise(file)
        subprocess.run(
            [sys.executable, str(blender_ext()), "validate", str(file)],
            check=True,
            stdout=subprocess.DEVNULL,
        )
    return zips


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--all-platforms",
        action="store_true",
        help=f"{', '.join(TAGS)} instead of this platform's alone",
    )
    options = parser.parse_args()
    for file in build(list(TAGS) if options.all_platforms else [this_platform()]):
        print(f"{file.relative_to(ROOT)}  {file.stat().st_size / 1e6:.1f} MB")
    return 0


if __name__ == "__main__":
    from backend import streams

    sys.exit(streams.run(main))
