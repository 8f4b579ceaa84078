# SPDX-License-Identifier: GPL-3.0-or-later
"""Mutation testing: cosmic-ray changes one place at a time, and the tests that reach it must
notice.
"""
