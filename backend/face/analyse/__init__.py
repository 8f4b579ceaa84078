# SPDX-License-Identifier: GPL-3.0-or-later
"""What the mesh of a face says: openings, lids, eyeballs, brows, teeth, decals, and what a face at
rest is like. Reads, never moves anything.
"""
