#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Start the workers of one machine:   scripts/farm/worker.sh [--insecure] tls://SCHEDULER:8786 [NAME]
#
# The machine needs this folder in the version that the command is started from, and a CPython 3.11 (PYTHON, default python3) with the packages of
# requirements/batch.txt and requirements/farm.txt; or those of farm.txt alone and GENERATE_BLENDER naming a Blender, or a Python that has bpy. Files come
# along with --send; otherwise inputs and outputs must have the same paths here. A worker for every core, each with a Blender of its own (1 to 2 GB of
# memory): WORKERS says how many. TLS_CA, TLS_CERT and TLS_KEY, or --insecure and tcp://, as for the scheduler: it can run
# code here, and so can who takes its place.
set -eu
cd "$(dirname "$0")/../.."
export PYTHONPATH="$PWD${PYTHONPATH:+:$PYTHONPATH}"
. scripts/farm/secure.sh
insecure=
if [ "${1:-}" = --insecure ]; then
    insecure=1
    shift
fi
if [ $# -eq 0 ]; then
    echo "Give the address of the scheduler, such as tls://10.0.0.5:8786." >&2
    exit 2
fi
address="$1"
check_tls "$address" "$insecure"
name="${2:-$(hostname)}"
scratch="$(mktemp -d)"
trap 'rm -rf "$scratch"' EXIT
set -- "$address" --name "$name" --nthreads 1 --nworkers "${WORKERS:-$(nproc)}" --memory-limit 0 --no-dashboard --local-directory "$scratch"
if [ -n "${TLS_CA:-}" ]; then
    set -- "$@" --tls-ca-file "$TLS_CA" --tls-cert "$TLS_CERT" --tls-key "$TLS_KEY"
fi
if [ "${WORKERS:-}" = 1 ]; then
    set -- "$@" --no-nanny  # whoever starts it sees its end
fi
"${PYTHON:-python3}" -m distributed.cli.dask_worker "$@" &
worker=$!
trap 'kill "$worker" 2>/dev/null; wait "$worker"; rm -rf "$scratch"; exit 0' INT TERM
wait "$worker"
