# SPDX-License-Identifier: GPL-3.0-or-later
"""The child process as Blender sees it: how it is started, asked and ended."""
