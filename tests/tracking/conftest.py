# SPDX-License-Identifier: GPL-3.0-or-later
"""The extension's modules that need no Blender, under the name that the other tests use."""

from scripts.generate import load_extension

load_extension()
