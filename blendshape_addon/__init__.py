# SPDX-License-Identifier: GPL-3.0-or-later
"""The half of the extension that runs inside Blender: draws, gathers, writes, reports. It computes
no shapes itself.
"""
