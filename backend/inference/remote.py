# SPDX-License-Identifier: GPL-3.0-or-later
"""Sessions on a server that speaks the KServe v2 protocol over gRPC, such as Triton; needs the
package tritonclient.

The model's file stays at hand: it tells the contract, it is what the server's answers are compared
with on a small head, and it takes over when the server fails. Nothing is sent anywhere unless the
setting `server` names a server.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import regular_file
from ..errors import BackendError
from .settings import Settings

_LOOK_S = 0.005


class RemoteSession:
    """Looks like an InferenceSession and runs on a server. local: the real one, for what is known
    of inputs and outputs.
    """

    def __init__(self, local: Any, name: str, sha256: str, settings: Settings) -> None:
        """Connect and look whether the server has the model, and that it is this one where it
        tells.

        Raises BackendError `setting_invalid` without tritonclient or for a certificate that cannot
        be read; any exception of tritonclient's, or ValueError, for a server that is of no use.
        """
        client = _library()
        self._grpc, self._name, self._seconds = client, server_name(name), settings.server_timeout_s
        address = settings.server.partition("://")[2]
        secure = settings.server.startswith("grpcs://")
        self._client = client.InferenceServerClient(
            address, ssl=secure, root_certificates=_certificate(settings) if secure else None
        )
        self._local = local
        self._outputs = [entry.name for entry in local.get_outputs()]
        try:
            if not self._client.is_model_ready(self._name, client_timeout=self._seconds):
                raise ValueError(f"{settings.server} has no model {self._name} that is ready")
            told = self._told_hash()
            if told and told != sha256:
                raise ValueError(f"{settings.server} has another {self._name} than {name}")
        except BaseException:
            self.close()
            raise

    def __getattr__(self, name: str) -> Any:
        return getattr(self._local, name)

    def get_providers(self) -> list[str]:
        """Where it runs."""
        return ["server"]

    def run(
        self, names: object, feeds: Mapping[str, NDArray[np.float32]], options: Any = None
    ) -> list[NDArray[np.float32]]:
        """All outputs. `options.terminate` gives the call up. Raises TimeoutError and
        tritonclient's InferenceServerException.
        """
        inputs = []
        for name, array in feeds.items():
            sent = self._grpc.InferInput(name, list(array.shape), "FP32")
            sent.set_data_from_numpy(np.ascontiguousarray(array, np.float32))
            inputs.append(sent)
        wanted = [self._grpc.InferRequestedOutput(name) for name in self._outputs]
        done = threading.Event()
        answer: list[Any] = []

        def take(result: Any, error: Any) -> None:
            answer.extend((result, error))
            done.set()

        call = self._client.async_infer(
            self._name, inputs, take, outputs=wanted, client_timeout=self._seconds
        )
        while not done.wait(_LOOK_S):
            if options is not None and options.terminate:
                call.cancel()
                raise RuntimeError("the call was given up")
        result, error = answer
        if error is not None:
            raise error
        return [np.asarray(result.as_numpy(name), np.float32) for name in self._outputs]

    def end_profiling(self) -> str:
        """Servers keep profiles of their own."""
        return ""

    def close(self) -> None:
        """Close the connection."""
        self._client.close()

    def _told_hash(self) -> str:
        """The file's SHA-256 that `export-triton` puts into the model's configuration, "" where the
        server does not tell.
        """
        try:
            config = self._client.get_model_config(self._name, client_timeout=self._seconds).config
        except (
            self._grpc.InferenceServerException
        ):  # part of Triton's extension, which others need not have
            return ""
        return (
            str(config.parameters["sha256"].string_value) if "sha256" in config.parameters else ""
        )


def server_name(file: str) -> str:
    """A model's name on a server: face.decoder.onnx -> face_decoder."""
    return re.sub(r"[^0-9A-Za-z]+", "_", file.removesuffix(".onnx"))


def _library() -> Any:
    try:
        import tritonclient.grpc as client
    except ImportError as error:
        fix = "Install it into the Python that is used: pip install 'tritonclient[grpc]'."
        raise BackendError(
            "setting_invalid",
            f"The setting server needs the package tritonclient, which is not there ({error}).",
            fix,
        ) from error
    return client


def _certificate(settings: Settings) -> str | None:
    """Path of the certificates to trust, None for the system's."""
    if settings.server_ca and not regular_file.is_regular(settings.server_ca):
        raise BackendError(
            "setting_invalid",
            f"There is no certificate file {settings.server_ca} (server_ca).",
            "Correct the path.",
        )
    return settings.server_ca or None
