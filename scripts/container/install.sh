#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Make a machine for the batch and for workers of a farm out of a clean Debian 12: what the Dockerfile runs, and what a studio runs on its own machines.
#
#   as root, from the repository:   scripts/container/install.sh
set -eu
cd "$(dirname "$0")/../.."
export DEBIAN_FRONTEND=noninteractive
apt-get update
# Python, and the libraries that Blender links to even without a window
apt-get install -y --no-install-recommends ca-certificates python3 python3-venv \
    libegl1 libgl1 libice6 libsm6 libx11-6 libxfixes3 libxi6 libxkbcommon0 libxrender1 libxxf86vm1
python3 -m venv .venv
.venv/bin/python -m pip install --no-cache-dir --disable-pip-version-check -r requirements/batch.txt -r requirements/farm.txt -c requirements/farm.lock
.venv/bin/python -m compileall -q backend blendshape_addon scripts/batch scripts/farm
id blendshapes >/dev/null 2>&1 || useradd --create-home --uid 1000 blendshapes  # nothing here needs root
rm -rf /var/lib/apt/lists/*
