# SPDX-License-Identifier: GPL-3.0-or-later
"""What drives a face: recordings and packets of face tracking, read from bytes. Imports no bpy."""
