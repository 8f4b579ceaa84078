# SPDX-License-Identifier: GPL-3.0-or-later
"""The commands of `python -m backend`, a module for each group of them."""
