# SPDX-License-Identifier: GPL-3.0-or-later
# What scheduler.sh and worker.sh share: no connection beyond this machine without TLS, unless --insecure was given.

# check_tls ADDRESS INSECURE: ADDRESS is HOST, tcp://HOST:PORT or tls://HOST:PORT
check_tls() {
    if [ -n "${TLS_CA:-}${TLS_CERT:-}${TLS_KEY:-}" ]; then
        if [ -z "${TLS_CA:-}" ] || [ -z "${TLS_CERT:-}" ] || [ -z "${TLS_KEY:-}" ]; then
            echo "TLS_CA, TLS_CERT and TLS_KEY belong together: set all of them, or none." >&2
            exit 2
        fi
        case "$1" in
            tcp://*)
                echo "$1 is an address without TLS, but TLS_CA is set: write tls://, or unset it." >&2
                exit 2
                ;;
        esac
        return 0
    fi
    case "$1" in
        tls://*)
            echo "$1 needs TLS_CA, TLS_CERT and TLS_KEY (PEM files)." >&2
            exit 2
            ;;
        localhost | 127.0.0.1 | ::1 | "[::1]") return 0 ;;
        tcp://localhost:* | tcp://127.0.0.1:* | "tcp://[::1]:"*) return 0 ;;
    esac
    if [ -z "$2" ]; then
        echo "$1 is not this machine alone, and without TLS everyone who reaches it can run code here and on every worker." >&2
        echo "Set TLS_CA, TLS_CERT and TLS_KEY (PEM files), or give --insecure if everyone in that network may." >&2
        exit 2
    fi
    echo "Warning: --insecure. Everyone who reaches $1 can run code on the farm's machines, and read what passes." >&2
}
