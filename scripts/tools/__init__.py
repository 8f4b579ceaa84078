# SPDX-License-Identifier: GPL-3.0-or-later
"""Gates and tools of developers, each a task of `dev.py` or a program of its own."""
