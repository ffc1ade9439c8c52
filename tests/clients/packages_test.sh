#!/usr/bin/env bash
# Runs the client packages of the Qdrant dialect against a server of its own. The packages come from npm, once, into a
# cache beside the build trees. Exits 77, which ctest takes for "skipped", where node or npm is missing.
# Usage: packages_test.sh SOURCE_DIRECTORY AKIDB_PROGRAM CACHE_DIRECTORY
set -euo pipefail
source=$1 akidb=$2 cache=$3
for program in node npm; do
    if ! command -v "$program" >/dev/null; then
        printf 'skipped: %s is not installed\n' "$program"
        exit 77
    fi
done

mkdir -p "$cache"
if ! cmp -s "$source/package.json" "$cache/installed.json"; then
    cp "$source/package.json" "$cache/package.json"
    if ! npm install --prefix "$cache" --no-audit --no-fund --no-package-lock --loglevel=error; then
        printf 'skipped: the packages are not to be had from npm\n'
        exit 77
    fi
    cp "$source/package.json" "$cache/installed.json"
fi
cp "$source/qdrant_packages.mjs" "$cache/"

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
rest=${rest#rest=}
until curl -fsS -o /dev/null "$rest/ready" 2>/dev/null; do
    kill -0 "$server_pid"
    sleep 0.02
done
node "$cache/qdrant_packages.mjs" "$rest"
