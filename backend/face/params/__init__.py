# SPDX-License-Identifier: GPL-3.0-or-later
"""Every number of the face's stages that could be another: default, unit, range and source.

A module or a package for each stage (`geometry`, `evidence`, `locate`, `analyse`, `correct`,
`shapes`, `pipeline`), in it a frozen data class for each job, and of each class one instance that
the stage's modules import. No other module of `backend/face` has a tunable number;
`tests/backend/face/test_params.py` counts.
`python -m backend params` prints all of them.
"""
