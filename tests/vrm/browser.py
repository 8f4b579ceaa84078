# SPDX-License-Identifier: GPL-3.0-or-later
"""three-vrm in a browser without a window, on a .vrm; and gltf-validator. Both come from npm:
`npm ci` in tests/vrm/js.

python tests/vrm/browser.py FILE.vrm OUT.png EXPRESSION... draws expressions beside each other.
"""

from __future__ import annotations

import base64
import functools
import http.server
import json
import queue
import shutil
import subprocess
import sys
import tempfile
import threading
import urllib.parse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

JS = Path(__file__).resolve().parent / "js"
CHROMIUM = next(
    (
        path
        for name in ("chromium", "chromium-browser", "google-chrome")
        if (path := shutil.which(name))
    ),
    "",
)
NODE = shutil.which("node") or ""
INSTALLED = (JS / "node_modules" / "gltf-validator").is_dir()
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
SECONDS = 120.0


class _Handler(http.server.SimpleHTTPRequestHandler):
    """Serves the page and one avatar, and takes one result."""

    def __init__(self, *args: Any, avatar: Path, results: queue.Queue[Any], **more: Any) -> None:
        self._avatar, self._results = avatar, results
        super().__init__(*args, directory=str(JS), **more)

    def translate_path(self, path: str) -> str:
        """Where a path of the address lies."""
        if urllib.parse.urlsplit(path).path == "/avatar.vrm":
            return str(self._avatar)
        return super().translate_path(path)

    def do_POST(self) -> None:
        """Take what the page has found."""
        self._results.put(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(204)
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing of what goes well."""


_Handler.extensions_map = {**_Handler.extensions_map, ".mjs": "text/javascript"}


def look(avatar: Path, show: Sequence[str] = ()) -> dict[str, Any]:
    """What three-vrm makes of a file: `moved`, metres that each expression moves a vertex as it is
    drawn; `overrides`; `picture`, a PNG of the expressions to show, as a data URL.
    """
    results: queue.Queue[dict[str, Any]] = queue.Queue()
    handler = functools.partial(_Handler, avatar=avatar, results=results)
    with (
        http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server,
        tempfile.TemporaryDirectory() as profile,
    ):
        threading.Thread(target=server.serve_forever, daemon=True).start()
        asked = urllib.parse.urlencode([("show", name) for name in show])
        page = f"http://127.0.0.1:{server.server_port}/expressions.html?{asked}"
        browser = subprocess.Popen(
            [CHROMIUM, *FLAGS, f"--user-data-dir={profile}", "--remote-debugging-port=0", page],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            found = results.get(timeout=SECONDS)
        finally:
            browser.terminate()
            browser.wait(20)
            server.shutdown()
    if "error" in found:
        raise AssertionError(found["error"])
    return found


def issues(path: Path) -> list[tuple[str, int]]:
    """Code and severity (0 is an error, 1 a warning) of all that gltf-validator says."""
    done = subprocess.run(
        [NODE, str(JS / "validate.mjs"), str(path)],
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=True,
    )
    return sorted((one["code"], one["severity"]) for one in json.loads(done.stdout))


def save(picture: str, path: Path) -> None:
    """Write a picture of `look`."""
    path.write_bytes(base64.b64decode(picture.partition(",")[2]))


if __name__ == "__main__":
    told = look(Path(sys.argv[1]), sys.argv[3:])
    save(told.pop("picture"), Path(sys.argv[2]))
    print(json.dumps(told))
