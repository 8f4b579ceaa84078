# SPDX-License-Identifier: GPL-3.0-or-later
"""From conditions to keys: tables of sets, derived conditions, regions, and what is said about the
keys that were made.
"""
