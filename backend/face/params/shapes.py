# SPDX-License-Identifier: GPL-3.0-or-later
"""Parameters of `backend/face/shapes`."""
