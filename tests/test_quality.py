# SPDX-License-Identifier: GPL-3.0-or-later
"""What holds for the repository as a whole: licences, links, names, and what docs/guide/privacy.md
promises of the code that ships.
"""

from __future__ import annotations

import ast
import json
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

import backend
from backend.face.shapes.derived import DERIVED
from backend.face.shapes.shape_sets import load_sets
from scripts import build

ROOT = Path(__file__).resolve().parents[1]
STANDARDS = ROOT.parent / "shared" / "standards.json"
OURS = ("backend", "blendshape_addon", "scripts", "tests")
SOURCES = sorted(
    [ROOT / "__init__.py", *(path for folder in OURS for path in (ROOT / folder).rglob("*.py"))]
)
SHIPPED = [path for path in SOURCES if path.relative_to(ROOT).parts[0] in build.SHIPPED]
PAGES = sorted(
    [
        *ROOT.glob("*.md"),
        *(ROOT / "docs").rglob("*.md"),
        *(ROOT / "backend").rglob("*.md"),
        *(ROOT / "scripts").rglob("*.md"),
    ]
)

# Modules that run what they read, or talk to the network. The one way to the network is pip, in
# runtimes.py, and the Triton client that a user names. Live tracking listens, see below.
FORBIDDEN = {
    "pickle",
    "cPickle",
    "dill",
    "marshal",
    "shelve",
    "joblib",
    "cloudpickle",
    "socket",
    "socketserver",
    "http",
    "urllib",
    "requests",
}
FORBIDDEN |= {
    "ftplib",
    "smtplib",
    "telnetlib",
    "xmlrpc",
    "asyncio.streams",
    "ssl",
    "webbrowser",
    "ctypes.util",
}
LISTENS = "blendshape_addon/job/receiving.py"  # when asked, and sends nothing
SENDS = {"connect", "connect_ex", "send", "sendall", "sendfile", "sendmsg", "sendto"}
SENDS |= {"accept", "create_connection", "create_server", "fromfd", "socketpair", "getaddrinfo"}
SENDS |= {"gethostbyname", "gethostbyaddr", "gethostbyname_ex", "getnameinfo", "getfqdn"}
CALLS = {"eval", "exec", "compile", "__import__", "execfile"}
OF_MODULES = {
    ("os", "system"),
    ("os", "popen"),
    ("os", "startfile"),
    ("subprocess", "getoutput"),
    ("subprocess", "getstatusoutput"),
}


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else path.name


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_every_source_says_its_licence(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    first = [line for line in text.splitlines() if not line.startswith("#!")][:1]
    assert not text.strip() or first == ["# SPDX-License-Identifier: GPL-3.0-or-later"]


def found_in(path: Path) -> Iterator[str]:
    """What a shipped source does that none may do."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        line = f"line {getattr(node, 'lineno', 0)}"
        modules = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom) and node.level == 0:
            modules = [node.module or ""]
        for module in modules:
            if module == "socket" and name_of(path) == LISTENS:
                continue
            if module in FORBIDDEN or module.split(".")[0] in FORBIDDEN:
                yield f"{line}: imports {module}"
        if not isinstance(node, ast.Call):
            continue
        called = node.func
        if isinstance(called, ast.Name) and called.id in CALLS:
            yield f"{line}: calls {called.id}"
        if isinstance(called, ast.Attribute) and isinstance(called.value, ast.Name):
            if (called.value.id, called.attr) in OF_MODULES:
                yield f"{line}: calls {called.value.id}.{called.attr}"
            if (called.value.id, called.attr) == ("np", "load") and "allow_pickle" not in {
                k.arg for k in node.keywords
            }:
                yield f"{line}: np.load without allow_pickle=False"
        for keyword in node.keywords:
            value = keyword.value.value if isinstance(keyword.value, ast.Constant) else None
            if (keyword.arg == "shell" and value is not False) or (
                keyword.arg == "allow_pickle" and value is not False
            ):
                yield f"{line}: {keyword.arg} is not False"


@pytest.mark.parametrize("path", SHIPPED, ids=name_of)
def test_nothing_that_ships_runs_what_it_reads_or_opens_connections(path: Path) -> None:
    assert list(found_in(path)) == []


def test_the_search_for_such_things_finds_them(tmp_path: Path) -> None:
    bad = tmp_path / "bad.py"
    lines = [
        "import pickle",
        "from urllib.request import urlopen",
        "eval('1')",
        "import os; os.system('x')",
        "np.load('x')",
    ]
    lines += ["subprocess.run('x', shell=True)", "np.load('x', allow_pickle=True)"]
    bad.write_text("\n".join(lines))
    assert len(list(found_in(bad))) == len(lines)


def test_what_listens_sends_nothing_and_asks_before_it_listens_to_others() -> None:
    text = (ROOT / LISTENS).read_text(encoding="utf-8")
    called = {node.attr for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Attribute)}
    assert called & SENDS == set() and {"bind", "recv", "setblocking"} <= called
    assert "threading" not in text and "online_access" in called and "is_loopback" in called


def test_only_one_module_installs_packages_and_asks_first() -> None:
    installing = {
        name_of(path) for path in SHIPPED if re.search(r'"pip"', path.read_text(encoding="utf-8"))
    }
    assert installing == {"blendshape_addon/process/runtimes.py"}
    asked = (ROOT / "blendshape_addon" / "ops" / "runtime_operators.py").read_text(encoding="utf-8")
    assert "online_access" in asked


def test_the_manifest_asks_for_no_more_than_is_used() -> None:
    manifest = tomllib.loads((ROOT / "blender_manifest.toml").read_text(encoding="utf-8"))
    assert set(manifest["permissions"]) == {"network", "files", "clipboard"}
    assert all(
        len(text) <= 64 and not text.endswith(".")
        for text in (manifest["tagline"], *manifest["permissions"].values())
    )
    page = (ROOT / "docs" / "guide" / "privacy.md").read_text(encoding="utf-8")
    assert all(
        f"`{name}`" in page and text in page for name, text in manifest["permissions"].items()
    )


def test_the_version_is_the_manifests_everywhere() -> None:
    version = tomllib.loads((ROOT / "blender_manifest.toml").read_text(encoding="utf-8"))["version"]
    assert re.fullmatch(r"\d+\.\d+\.\d+", version)
    assert version == backend.VERSION
    assert (
        version
        == tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"][
            "version"
        ]
    )
    changes = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    released = re.findall(r"^## \[(.+?)\]", changes, re.MULTILINE)
    assert released[:2] == ["Unreleased", version], (
        "CHANGELOG.md begins with what is unreleased, then this version"
    )


def test_no_other_file_of_ours_repeats_the_version() -> None:
    literal = f'"{backend.VERSION}"'
    stated = {
        name_of(path)
        for path in [*SOURCES, *ROOT.glob("*.toml")]
        if f"version = {literal}" in path.read_text(encoding="utf-8").lower()
    }
    assert stated == {"backend/__init__.py", "blender_manifest.toml", "pyproject.toml"}


def test_everything_that_is_installed_is_pinned() -> None:
    for path in (ROOT / "requirements").glob("*.txt"):
        for line in path.read_text(encoding="utf-8").splitlines():
            assert (
                not line.strip()
                or line.startswith("#")
                or re.fullmatch(r"[A-Za-z0-9_.\[\]-]+==[\w.+]+( *;.*)?", line)
            ), f"{path.name}: {line}"
    assert all(
        len(digest) == 64
        for pins in json.loads(build.PINS.read_text(encoding="utf-8")).values()
        for digest in pins.values()
    )


LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")


def anchors(page: Path) -> set[str]:
    """The anchors that headings make."""
    heads = re.findall(r"^#+\s+(.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).strip().replace(" ", "-") for head in heads}


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_in_the_docs_lead_somewhere(page: Path) -> None:
    for target in LINK.findall(page.read_text(encoding="utf-8")):
        if re.match(r"[a-z]+:", target):
            continue
        file, _, anchor = target.partition("#")
        other = (page.parent / file).resolve() if file else page
        assert other.exists(), f"{target} is not there"
        assert not anchor or anchor in anchors(other), f"{target} has no such heading"


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_files_that_the_docs_name_are_there(page: Path) -> None:
    folders, ends = (
        "backend|blendshape_addon|scripts|tests|docs|requirements",
        "py|md|json|txt|onnx|toml",
    )
    named = re.findall(rf"`((?:{folders})/[\w./-]+\.(?:{ends}))`", page.read_text(encoding="utf-8"))
    assert [name for name in named if not (ROOT / name).exists()] == []


def test_what_contributors_are_told_to_change_is_there() -> None:
    told = re.findall(
        r"`(\w+)`(?: \([^)]*\))? in\s+`([\w/]+\.py)`",
        (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"),
    )
    assert len(told) > 15
    missing = [
        f"{name} in {file}"
        for name, file in told
        if not re.search(
            rf"(?m)^(?:def|class) {name}\b|^{name}\b.* = ", (ROOT / file).read_text("utf-8")
        )
    ]
    assert missing == []


def known_names() -> set[str]:
    """Names of shapes: of the shipped sets and conditions, and of the gathered standards where they
    are at hand.
    """
    known = set(DERIVED)
    for shape_set in load_sets().values():
        known |= set(shape_set.shapes) | {
            condition for row in shape_set.shapes.values() for condition in row
        }
    if STANDARDS.exists():
        known |= set(re.findall(r"\w+", STANDARDS.read_text(encoding="utf-8")))
    return known


# written like shapes, but other things: landmarks, properties, and parts of names that a sentence
# speaks of
NO_SHAPES = {
    "mouthOpen",
    "mouthSmile",
    "mouthFrown",
    "eyeLook",
    "mouthUp",
    "browInner",
    "mouthUpper",
    "mouthLower",
}


@pytest.mark.parametrize(
    "path", [*PAGES, *SHIPPED, ROOT / "backend/face/shapes/shape_sets.json"], ids=name_of
)
def test_names_of_shapes_are_spelt_as_in_the_standards(path: Path) -> None:
    known = known_names()
    written = set(
        re.findall(
            r"\b(?:eye|jaw|mouth|cheek|brow|nose|tongue)[A-Z][a-z]+[A-Za-z]*\b",
            path.read_text(encoding="utf-8"),
        )
    )
    wrong = {
        name for name in written - NO_SHAPES if not any(other.startswith(name) for other in known)
    }
    assert not wrong, f"not the name of a shape: {', '.join(sorted(wrong))}"


# What is filled while the work goes on; all else that travels is what it was when it was made.
FILLED = {"Request", "Report", "Written", "Inspection", "Overlay", "Guide", "Outcome", "Status"}


@pytest.mark.parametrize("path", SHIPPED, ids=name_of)
def test_data_classes_that_others_get_do_not_change(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.ClassDef) or node.name.startswith("_") or node.name in FILLED:
            continue
        for decorator in node.decorator_list:
            if "dataclass" in ast.unparse(decorator):
                assert ast.unparse(decorator) == "dataclass(frozen=True)", node.name
