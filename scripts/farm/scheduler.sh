#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Start the farm's scheduler on one machine of the studio:   scripts/farm/scheduler.sh [--insecure] [ADDRESS [PORT]]
#
# ADDRESS is the one that workers and the command reach it under (default 127.0.0.1: this machine alone), PORT 8786. With TLS_CA, TLS_CERT and TLS_KEY
# (PEM files) set it speaks tls:// and lets in only who has a certificate of that authority. Anyone who reaches a scheduler can run code on its workers:
# without TLS it serves this machine alone, unless --insecure says that everyone in the network may do that.
set -eu
cd "$(dirname "$0")/../.."
. scripts/farm/secure.sh
export PYTHONPATH="$PWD${PYTHONPATH:+:$PYTHONPATH}"
# a worker that is silent so long counts as lost; a file at which so many workers were lost is reported instead of tried on
export DASK_DISTRIBUTED__SCHEDULER__WORKER_TTL="${WORKER_TTL:-60s}"
export DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES="${ALLOWED_FAILURES:-3}"
insecure=
if [ "${1:-}" = --insecure ]; then
    insecure=1
    shift
fi
check_tls "${1:-127.0.0.1}" "$insecure"
set -- --host "${1:-127.0.0.1}" --port "${2:-8786}" --no-dashboard
if [ -n "${TLS_CA:-}" ]; then
    set -- "$@" --protocol tls --tls-ca-file "$TLS_CA" --tls-cert "$TLS_CERT" --tls-key "$TLS_KEY"
fi
exec "${PYTHON:-python3}" -m distributed.cli.dask_scheduler "$@"
