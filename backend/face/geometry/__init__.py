# SPDX-License-Identifier: GPL-3.0-or-later
"""Arrays of points and triangles, frames and mirror images: what knows nothing of faces but the
names of landmarks.
"""
