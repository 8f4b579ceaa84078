#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# What a container does:   start.sh scheduler [--insecure] ADDRESS [PORT]  |  start.sh worker [--insecure] tls://SCHEDULER:8786 [NAME]
#   |  start.sh IN... --set arkit --out OUT ...
set -eu
home="$(cd "$(dirname "$0")/../.." && pwd)"
export PYTHON="$home/.venv/bin/python"
case "${1:-}" in
    scheduler) shift; exec "$home/scripts/farm/scheduler.sh" "$@" ;;
    worker) shift; exec "$home/scripts/farm/worker.sh" "$@" ;;
    *) exec "$PYTHON" "$home/scripts/generate.py" "$@" ;;
esac
