# SPDX-License-Identifier: GPL-3.0-or-later
"""What shapes must do on this mesh whatever a model says: written shapes mixed in, lids and lips
that meet, parts that keep stiff.
"""
