# SPDX-License-Identifier: GPL-3.0-or-later
"""Many files at once: what scripts/generate.py does with files and folders. Imports no bpy but in
worker.py, which Blenders run.
"""
