# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the cluster is and what its tasks get, from the batch's arguments."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from scripts.batch.pool import BACKEND_PYTHON, BatchError

from .tasks import PROGRAM

LOOPBACK = ("localhost", "127.0.0.1", "::1")  # as in secure.sh


@dataclass(frozen=True)
class Farm:
    """Where the cluster is, and what each task gets. tls: files of the authority, the certificate
    and the key, or empty.
    """

    address: str
    send: bool
    retries: int
    tls: tuple[str, str, str]
    task: Mapping[str, Any]


def farm_of(
    options: argparse.Namespace, settings: Mapping[str, str], described: Mapping[str, Any]
) -> Farm:
    """The farm that the arguments name. Raises BatchError `usage`."""
    tls = (options.tls_ca, options.tls_cert, options.tls_key)
    if options.scheduler.startswith("tls://") != all(tls) or any(tls) != all(tls):
        raise BatchError(
            "usage",
            "tls:// and --tls-ca, --tls-cert, --tls-key belong together.",
            "Give all of them, or tcp:// and none.",
        )
    if not options.scheduler.startswith(("tcp://", "tls://")):
        raise BatchError(
            "usage",
            f"{options.scheduler} is no scheduler's address.",
            "Write tcp://HOST:PORT or tls://HOST:PORT.",
        )
    if (
        not any(tls)
        and not options.insecure
        and urlsplit(options.scheduler).hostname not in LOOPBACK
    ):
        message = (
            f"{options.scheduler} is on another machine, and without TLS whoever is on the way can"
            " read what passes and take its place."
        )
        raise BatchError(
            "usage",
            message,
            "Give tls:// with --tls-ca, --tls-cert and --tls-key, or --insecure if everyone in that"
            " network may.",
        )
    if options.blender or options.backend_python:
        raise BatchError(
            "usage",
            "--blender and --backend-python are for this machine.",
            f"Set {PROGRAM} and {BACKEND_PYTHON} on the workers.",
        )
    task: dict[str, Any] = {name: described[name] for name in ("code_digest", "model_digest")}
    task.update(settings=dict(settings), memory=options.memory, timeout=options.timeout)
    return Farm(options.scheduler, options.send, options.retries, tls, task)
