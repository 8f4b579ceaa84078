# SPDX-License-Identifier: GPL-3.0-or-later
"""ONNX Runtime: hardware, providers, model files and their contract, sessions, benchmark."""
