# SPDX-License-Identifier: GPL-3.0-or-later
"""How long the child may take over a request, and what is told of one that takes longer. A model of
unknown origin may never end.
"""

from __future__ import annotations

from pathlib import Path

from ..errors import AddonError

SILENCE_SECONDS = (
    300.0  # a child that works tells how far it is; one that says nothing for so long does not
)
# a cancel is answered after the operators that run, in much less; ESC is to free the child within
# 10 s
CANCEL_SECONDS = 5.0
# for looking where the face is without having been asked: nobody waits for it, and it keeps cores
# busy
LOOK_SECONDS = 60.0
WINDOW_SECONDS = 20.0  # for what keeps the window waiting: longer, and people take Blender for hung


class StoppedError(AddonError):
    """The child was ended on purpose. That is no crash: the next may be started at once."""


def unfinished(model: str, vertices: int, seconds: float) -> StoppedError:
    """What is told of a request that was ended after so many seconds. model: a path or name, or
    empty for the extension's own.

    More time helps the extension's own model on a huge mesh, but no model that goes on for ever.
    """
    within = f"did not finish within {seconds:.3g} s and was ended."
    if model:
        fix = "Choose another model; without any, the extension's own is used."
        return StoppedError("model_stuck", f"The model {Path(model).name} {within}", fix)
    fix = (
        "Close other programs or choose a mesh with fewer vertices; the command takes more time"
        " with --timeout."
    )
    return StoppedError("child_timeout", f"The work on {vertices:,} vertices {within}", fix)


def too_large() -> StoppedError:
    """What is told of a child that ended itself because of its memory."""
    what = (
        "The model took more memory than one that is not the extension's own may take, half of this"
        " computer's, and the backend was ended."
    )
    return StoppedError(
        "out_of_memory", what, "Choose another model; without any, the extension's own is used."
    )


def not_given_up(model: str) -> StoppedError:
    """What is told to others whose requests a child held that had to be ended, because it did not
    give another one up.
    """
    what = f"the model {Path(model).name}" if model else "its last work"
    return StoppedError(
        "child_timeout",
        f"The backend was ended, because it did not give {what} up.",
        "Try again; it is started anew.",
    )
