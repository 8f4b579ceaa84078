# SPDX-License-Identifier: GPL-3.0-or-later
"""Geometry of the face: arrays in, arrays out, numpy only."""
