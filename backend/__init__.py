# SPDX-License-Identifier: GPL-3.0-or-later
"""The computing half of the extension: runs as `python -m backend` in a process of its own and
imports no bpy.
"""

VERSION = "0.1.0"
