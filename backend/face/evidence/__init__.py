# SPDX-License-Identifier: GPL-3.0-or-later
"""What the names of bones, materials, vertex groups and objects say of a mesh: hints. Knows no
place of anything.
"""
