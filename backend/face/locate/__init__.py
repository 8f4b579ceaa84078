# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the face is: the search for it, its landmarks, its frame, and what of the mesh may move."""
