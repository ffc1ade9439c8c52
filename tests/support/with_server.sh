#!/usr/bin/env bash
# Runs a command while a server of its own is there, whose address is in AKIDB_URL and whose log is AKIDB_LOG; ends with the command's exit code.
# Usage: with_server.sh AKIDB_PROGRAM COMMAND…
set -euo pipefail
akidb=$1
shift

work=$(mktemp -d)
server_pid=
trap 'if [ -n "$server_pid" ]; then kill "$server_pid"; wait "$server_pid" || true; fi; rm -rf "$work"' EXIT
: >"$work/out"
"$akidb" serve --data "$work/data" --server.rest_port 0 --server.grpc_port 0 --metrics.port 0 \
    --drain.min_ms 0 >"$work/out" 2>"$work/err" &
server_pid=$!
until rest=$(grep -o 'rest=[^ ]*' "$work/out"); do
    if ! kill -0 "$server_pid" 2>/dev/null; then
        cat "$work/err"
        exit 1
    fi
    sleep 0.02
done
export AKIDB_URL=${rest#rest=} AKIDB_LOG=$work/err
until curl -fsS -o /dev/null "$AKIDB_URL/ready" 2>/dev/null; do
    kill -0 "$server_pid"
    sleep 0.02
done
"$@"
