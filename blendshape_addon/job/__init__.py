# SPDX-License-Identifier: GPL-3.0-or-later
"""What the operators start: generation, preview, live sliders, sheets, the batch command.

Scripts of users call functions of `generation` by this package's name: `job.generate_for_object`.
"""

from importlib import import_module
from importlib.util import find_spec


def __getattr__(name: str) -> object:
    """What `generation` has, for scripts that know it as `job`."""
    if not name.startswith("_") and find_spec(f".{name}", __package__) is None:
        return getattr(import_module(".generation", __package__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
