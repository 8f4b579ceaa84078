# SPDX-License-Identifier: GPL-3.0-or-later
"""Heads that the project models itself: for the demo, the tests and the training."""
