# SPDX-License-Identifier: GPL-3.0-or-later
"""The drawn head as the pictures of the README show it: toon materials, poses, frames."""
