# SPDX-License-Identifier: GPL-3.0-or-later
"""From Blender's data to arrays and back."""
