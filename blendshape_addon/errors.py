# SPDX-License-Identifier: GPL-3.0-or-later
"""The one exception of the add-on: a stable code, a sentence, and what to do about it."""

from __future__ import annotations

# The add-on's own codes; those that the child sends are listed in docs/architecture.md and pass through unchanged.
CODES: dict[str, str] = {
    "child_died": "the child process ended while it was needed",
    "child_timeout": "the child process does not answer",
    "model_stuck": "a model that is not the extension's own does not come to an end",
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
    "input_unreadable": "a file is there and cannot be read: damaged, or of a kind that Blender's importer does not know",
    "format_unknown": "a file's type is not one that can be read",
    "output_is_input": "an output would replace an input",
    "output_exists": "an output is already there",
    "no_runtime": "there is no better build of ONNX Runtime for this machine",
    "runtime_failed": "a second runtime could not be made or removed",
    "usage": "the arguments do not fit together",
}

# No change to the input or the settings mends these: the batch command ends with 1 for them and with 2 for all others.
NOT_THE_INPUT = frozenset({"child_died", "child_timeout", "child_start", "internal", "out_of_memory", "cancelled", "protocol", "runtime_failed"})

# The child was there and is gone. A file at which that happens is tried once more; one that took too long, or too much memory, is not.
DEATHS = frozenset({"child_died"})


class AddonError(Exception):
    """An error that is told to the user: `code` is stable, `message` says what is wrong, `fix` what to do."""

    def __init__(self, code: str, message: str, fix: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.fix = fix

    def __str__(self) -> str:
        return f"{self.message} {self.fix}".strip()

    def as_dict(self) -> dict[str, str]:
        """For a report: code, message, fix."""
        return {"code": self.code, "message": self.message, "fix": self.fix}


def as_addon_error(error: BaseException) -> AddonError:
    """The error as it is told: an unknown exception becomes `internal` with its text, MemoryError `out_of_memory`."""
    if isinstance(error, AddonError):
        return error
    if isinstance(error, MemoryError):
        return AddonError("out_of_memory", "Memory ran out.", "Close other programs, or choose an object with fewer vertices.")
    text = " ".join(str(error).split())
    return AddonError("internal", f"Something unexpected happened: {type(error).__name__}: {text}", "Please report this with the console's text.")
