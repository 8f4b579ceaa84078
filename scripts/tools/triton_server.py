#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Serve a repository of `python -m backend export-triton` with the Triton that nvidia-pytriton
carries; for trying it out on one machine.

    pip install -r requirements/serving.txt -c requirements/serving.lock
    python scripts/tools/triton_server.py REPOSITORY [--grpc-port 8001]

Its Triton loads the system's libpython, so make the environment with that Python
(/usr/bin/python3), not with one of pyenv or conda. It comes without the ONNX Runtime backend, so
the sessions run in Python beside it. A full Triton serves the repository itself:

    tritonserver --model-repository REPOSITORY
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from pytriton.decorators import batch
from pytriton.model_config import DynamicBatcher, ModelConfig, Tensor
from pytriton.triton import Triton, TritonConfig

MOST_HEADS = 64


def tensors(entries: Any, batched: bool) -> list[Tensor]:
    """pytriton's description of inputs or outputs, without the axis that counts heads."""
    return [
        Tensor(
            name=e.name,
            dtype=np.float32,
            shape=tuple(a if isinstance(a, int) else -1 for a in e.shape[1 if batched else 0 :]),
        )
        for e in entries
    ]


def inference(session: Any, batched: bool) -> Callable[..., Any]:
    """What pytriton calls: a whole batch by name, or a list of requests."""
    names = [entry.name for entry in session.get_outputs()]

    @batch
    def whole(**feeds: Any) -> dict[str, Any]:
        return dict(zip(names, session.run(None, feeds), strict=True))

    def each(requests: list[Any]) -> list[dict[str, Any]]:
        return [
            dict(zip(names, session.run(None, dict(request.items())), strict=True))
            for request in requests
        ]

    return whole if batched else each


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("repository", type=Path)
    parser.add_argument("--grpc-port", type=int, default=8001)
    parser.add_argument("--http-port", type=int, default=8000)
    parser.add_argument(
        "--grpc-cert", type=Path, help="with --grpc-key: the server's certificate, for TLS"
    )
    parser.add_argument("--grpc-key", type=Path)
    options = parser.parse_args()
    folders = sorted(path.parent for path in options.repository.glob("*/config.pbtxt"))
    if not folders:
        print(f"There is no model repository at {options.repository}.", file=sys.stderr)
        return 2
    config = TritonConfig(
        grpc_address="127.0.0.1",
        grpc_port=options.grpc_port,
        http_address="127.0.0.1",
        http_port=options.http_port,
        allow_metrics=False,
        grpc_use_ssl=options.grpc_cert is not None or None,
        grpc_server_cert=options.grpc_cert,
        grpc_server_key=options.grpc_key,
    )
    with Triton(config=config) as triton:
        for folder in folders:
            session = onnxruntime.InferenceSession(
                str(folder / "1" / "model.onnx"), providers=["CPUExecutionProvider"]
            )
            batched = all(
                len(e.shape) > 1 and not isinstance(e.shape[0], int)
                for e in (*session.get_inputs(), *session.get_outputs())
            )
            triton.bind(
                model_name=folder.name,
                infer_func=inference(session, batched),
                inputs=tensors(session.get_inputs(), batched),
                outputs=tensors(session.get_outputs(), batched),
                config=ModelConfig(
                    batching=batched,
                    max_batch_size=MOST_HEADS,
                    batcher=DynamicBatcher(max_queue_delay_microseconds=2000),
                ),
                strict=True,
            )
        # Triton's own log goes to the same place, and may be in the middle of a line
        print(
            f"\nserving {', '.join(folder.name for folder in folders)} on grpc://127.0.0.1:{options.grpc_port}",
            flush=True,
        )
        triton.serve()
    return 0


if __name__ == "__main__":
    sys.exit(main())
