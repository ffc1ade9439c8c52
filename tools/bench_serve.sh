#!/usr/bin/env bash
# ./dev bench serve DIR [serve_bench argument …]: a fresh server, DIR/base.fbin imported and linked, then serve_bench
# with DIR/query.fbin and, where it is there, DIR/truth.ibin. Environment: BENCH_METRIC (cosine), BENCH_DATA=DIRECTORY keeps
# the data directory and uses what it holds already.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

if [ ! -f "${1:-}/base.fbin" ]; then
    printf 'usage: ./dev bench serve DIR [serve_bench argument …]; DIR holds base.fbin and query.fbin\n' >&2
    exit 64
fi
sets=$1
shift
akidb=build/release/akidb
data=${BENCH_DATA:-$(mktemp -d)}
work=$(mktemp -d)
server_pid=

finish() {
    [ -z "$server_pid" ] || kill -INT "$server_pid" 2>/dev/null || true
    [ -z "$server_pid" ] || wait "$server_pid" || true
    rm -rf "$work"
    [ -n "${BENCH_DATA:-}" ] || rm -rf "$data"
}
trap finish EXIT

"$akidb" serve --data "$data" --server.rest_port 0 --server.grpc_port 0 --metrics.port 0 \
    >"$work/server.out" 2>"$work/server.log" &
server_pid=$!
until rest=$(grep -o 'rest=[^ ]*' "$work/server.out") && curl -fsS -o /dev/null "${rest#rest=}/ready" 2>/dev/null; do
    kill -0 "$server_pid" 2>/dev/null || { cat "$work/server.log" >&2; exit 70; }
    sleep 0.05
done
rest=${rest#rest=}
if ! curl -fsS -o /dev/null "$rest/api/v1/collections/bench" 2>/dev/null; then
    "$akidb" import --url "$rest" --collection bench --create --metric "${BENCH_METRIC:-cosine}" \
        --vectors "$sets/base.fbin" --batch 500 --state "$work/import.json"
fi
until [ "$(curl -fsS "$rest/api/v1/collections/bench/stats" | jq -r .head_rows)" = 0 ]; do sleep 1; done
truth=()
[ ! -f "$sets/truth.ibin" ] || truth=(--truth "$sets/truth.ibin")
build/release/serve_bench --url "$rest" --collection bench --queries "$sets/query.fbin" "${truth[@]}" "$@"
