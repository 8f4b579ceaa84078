# SPDX-License-Identifier: GPL-3.0-or-later
"""The one exception that is told to users and crosses the pipe, and the closed table of its codes;
the add-on imports both.
"""

from __future__ import annotations

# Code -> what it stands for. Codes are stable: the add-on and scripts may branch on them.
CODES: dict[str, str] = {
    "mesh_empty": "the mesh has no vertices or no faces",
    "mesh_invalid": "the mesh's arrays do not fit together",
    "mesh_not_finite": "coordinates are NaN, infinite or too large",
    "no_face": "no face was found in the mesh",
    "unknown_set": "there is no shape set of that name",
    "unknown_condition": "the model knows no condition of that name",
    "table_invalid": "a shape table is not {key: {condition: weight}}",
    "setting_invalid": "a setting or an environment variable has a value out of its range",
    "model_missing": "a model file is not there",
    "model_unreadable": "a model file is damaged, too large, or points outside itself",
    "model_contract": "a model's inputs, outputs or metadata are not as agreed",
    "provider_failed": "the execution provider that was asked for cannot be used",
    "runtime_missing": "ONNX Runtime or another package that is needed cannot be imported",
    "cancelled": "the request was cancelled",
    "model_stuck": "a model that is not the shipped one does not come to an end",
    "child_timeout": "a command took more time than it was given",
    "out_of_memory": "memory ran out",
    "protocol": "a frame or a request is malformed",
    "input_missing": "an input file is missing or cannot be read",
    "output_unwritable": "an output file cannot be written",
    "disk_full": "the disk is full",
    "internal": "an error that has no code of its own: a bug",
    # what only the add-on meets
    "child_died": "the child process ended while it was needed",
    "child_start": "the child process cannot be started",
    "not_a_mesh": "the object is no mesh",
    "unknown_object": "there is no object of that name",
    "hidden_object": "an object is hidden so that it cannot leave its mode",
    "unknown_group": "there is no vertex group of that name",
    "linked_data": "the mesh comes from another file or is an override",
    "absolute_keys": "the shape keys are absolute, not relative",
    "keys_broken": "the shape keys have another number of points than the mesh",
    "reserved_name": "a shape would take the place of the reference key",
    "mesh_changed": "the mesh was changed while the shapes were computed",
    "input_unreadable": (
        "a file is there and cannot be read: damaged, or of a kind that Blender's importer does not"
        " know"
    ),
    "format_unknown": "a file's type is not one that can be read",
    "output_is_input": "an output would replace an input",
    "output_exists": "an output is already there",
    "vrm_needed": "a .vrm is wanted, and the input is none",
    "vrm_unwritable": "a .vrm is damaged, or of a kind that no keys can be written into",
    "vrm_unmatched": "the vertices of an imported .vrm are not those of the file",
    "recording_invalid": "a recording of a face is damaged, or of no known kind",
    "port_unavailable": "a port for live tracking cannot be listened to",
    "no_runtime": "there is no better build of ONNX Runtime for this machine",
    "runtime_failed": "a second runtime could not be made or removed",
    "usage": "the arguments do not fit together",
}

# Codes that no change to the input or the settings can mend; the commands exit with 1 for these and
# with 2 for all others.
NOT_THE_INPUT = frozenset(
    {
        "internal",
        "out_of_memory",
        "cancelled",
        "child_timeout",
        "child_died",
        "child_start",
        "protocol",
        "runtime_failed",
    }
)


class BackendError(Exception):
    """An error with a stable code of CODES, a sentence that says what is wrong and another that
    says what to do about it.
    """

    def __init__(self, code: str, message: str, fix: str) -> None:
        if code not in CODES:
            raise ValueError(f"{code!r} is not a code of backend.errors.CODES")
        super().__init__(message)
        self.code = code
        self.message = message
        self.fix = fix

    def __str__(self) -> str:
        return f"{self.message} {self.fix}".strip()

    def as_dict(self) -> dict[str, str]:
        """For a report: code, message, fix."""
        return {"code": self.code, "message": self.message, "fix": self.fix}


def as_backend_error(error: BaseException) -> BackendError:
    """The error as it is told to others: unknown exceptions become `internal` with their text,
    MemoryError `out_of_memory`.
    """
    if isinstance(error, BackendError):
        return error
    if isinstance(error, MemoryError):
        return BackendError(
            "out_of_memory",
            "Memory ran out.",
            "Close other programs, or choose an object with fewer vertices.",
        )
    if isinstance(error, ModuleNotFoundError) and error.name in ("numpy", "onnxruntime", "psutil"):
        fix = (
            "Reinstall the extension for this platform, or choose another Python (needs numpy,"
            " onnxruntime, psutil)."
        )
        return BackendError("runtime_missing", f"The Python that is used has no {error.name}.", fix)
    return BackendError(
        "internal",
        f"Something unexpected happened: {type(error).__name__}: {error}",
        "Please report this with the log, which holds the details.",
    )
