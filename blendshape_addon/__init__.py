# SPDX-License-Identifier: GPL-3.0-or-later
"""The half of the extension that runs inside Blender: draws, gathers, writes, reports. It computes
no shapes itself.

    ui          what is drawn: panels, menus, settings, words
    ops         operators: thin, they start jobs and report
    job         what operators start: generation, preview, sliders, sheets, the batch command
    tracking    recordings and packets of face tracking, from bytes
    blender_io  from Blender's data to arrays and back
    process     the child process: started, asked, ended

Scripts of users name modules without their package: `from ...blendshape_addon import session`.
"""

from importlib import import_module
from importlib.util import find_spec

_PACKAGES = ("job", "blender_io", "ops", "ui", "process", "tracking")


def __getattr__(name: str) -> object:
    """A module of one of the packages, for scripts that know it by its name alone."""
    for package in () if name.startswith("_") or name in _PACKAGES else _PACKAGES:
        if find_spec(f".{package}.{name}", __package__) is not None:
            return import_module(f".{package}.{name}", __package__)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
