# SPDX-License-Identifier: GPL-3.0-or-later
"""What runs in the child process: command line, loop of requests, watchdog of the parent."""
