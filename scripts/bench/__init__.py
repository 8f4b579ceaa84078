# SPDX-License-Identifier: GPL-3.0-or-later
"""How long things take, and how much memory."""
