# SPDX-License-Identifier: GPL-3.0-or-later
"""Many machines: files of the batch as tasks of a Dask cluster. Needs the packages of
requirements/farm.txt.
"""
