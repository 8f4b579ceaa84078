# SPDX-License-Identifier: GPL-3.0-or-later
"""Operators: thin, they start jobs and report."""
