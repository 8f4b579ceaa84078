# SPDX-License-Identifier: GPL-3.0-or-later
"""Morph targets and expressions for a .vrm file, written into the file as it is: bytes in, bytes
out. Imports no bpy.
"""
