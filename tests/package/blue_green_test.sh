#!/usr/bin/env bash
# deploy/blue-green.sh rehearsed with two local servers behind a real HAProxy, under load: to green as for a new version, back to
# blue as for a rollback, and a move that fails half-way. No request may fail, and in the end exactly what was acknowledged is there.
# Usage: blue_green_test.sh SOURCE_DIRECTORY BUILD_DIRECTORY CACHE_DIRECTORY
set -euo pipefail
source=$1 build=$2 cache=$3
skip() {
    printf 'skipped: %s\n' "$*"
    exit 77
}
say() { printf 'rehearsal: %s\n' "$*"; }
for tool in python3 jq unshare ip; do command -v "$tool" >/dev/null || skip "there is no $tool here"; done

# HAProxy and what it is linked with beyond a base system, unpacked, not installed: an installed one starts at once.
proxy=$cache/haproxy
mkdir -p "$proxy"
if [ ! -x "$proxy/usr/sbin/haproxy" ]; then
    (cd "$proxy" && apt-get download haproxy liblua5.3-0 libopentracing-c-wrapper0 libopentracing1 >download.log 2>&1) ||
        skip 'no apt-get here that brings haproxy'
    for package in "$proxy"/*.deb; do dpkg-deb -x "$package" "$proxy"; done
    rm -f "$proxy"/*.deb
fi
if [ "${4:-}" != inside ]; then
    # A network of its own, so that ports are free.
    unshare --net --pid --mount --fork true 2>/dev/null || skip 'namespaces are not permitted here'
    exec unshare --net --pid --mount --mount-proc --fork --kill-child "$0" "$@" inside
fi
ip link set lo up

LD_LIBRARY_PATH=$(dirname "$(find "$proxy/usr/lib" -name 'liblua5.3.so.0')")
export LD_LIBRARY_PATH
"$proxy/usr/sbin/haproxy" -v >/dev/null 2>&1 || skip 'this haproxy does not run here'

RUN=$(mktemp -d)
trap 'rm -rf "$RUN"' EXIT
export AKIDB_DRAIN_MIN_MS=200 # nobody is routed to a server that is stopped here
export RUN BLUE_BINARY=$build/akidb GREEN_BINARY=$build/akidb BLUE_PORT=8081 GREEN_PORT=8082
export PROXY_SOCKET=$RUN/proxy.sock HELD_MAP=$RUN/held.map HOLD_LUA=$source/deploy/blue-green/hold.lua
export PROXY_BIND=127.0.0.1:8080 BLUE_ADDRESS=127.0.0.1:$BLUE_PORT GREEN_ADDRESS=127.0.0.1:$GREEN_PORT
# shellcheck source=deploy/blue-green/processes.sh
source "$source/deploy/blue-green/processes.sh"
url=http://$PROXY_BIND
wait_until() { for ((i = 0; i < 300; i++)); do if "$@" >/dev/null 2>&1; then return; fi && sleep 0.1; done && return 1; }

printf 'writes no\n' >"$HELD_MAP"
start blue
wait_until "$BLUE_BINARY" health --ready --url "$(probes_of blue)" || { cat "$RUN"/blue.* && exit 1; }
"$proxy/usr/sbin/haproxy" -f "$source/deploy/blue-green/haproxy.cfg" -db >"$RUN/proxy.log" 2>&1 &
wait_until curl -fsS "$url/health" || { cat "$RUN/proxy.log" && exit 1; }
curl -fsS -o /dev/null --json '{"name":"moved","dimension":16,"metric":"l2"}' "$url/api/v1/collections"
touch "$RUN/going"
python3 "$source/tests/package/blue_green_clients.py" 8080 "$RUN/going" "$RUN/acknowledged" >"$RUN/clients" 2>&1 &
clients=$!
move() { "$source/deploy/blue-green.sh" "$source/deploy/blue-green/processes.sh" "$@"; }
writes_go_on() { # a held write would wait here
    timeout 20 curl -fsS -o /dev/null -X PUT --json "{\"documents\":[{\"id\":\"$1\",\"vector\":[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1]}]}" \
        "$url/api/v1/collections/moved/documents"
    printf '"%s"\n' "$1" >>"$RUN/own"
}

say 'a version that cannot start'
printf '#!/bin/sh\nif [ "%s" != serve ]; then exec %s "%s"; fi\nexit 70\n' "\$1" "$build/akidb" "\$@" >"$RUN/broken"
chmod +x "$RUN/broken"
if GREEN_BINARY=$RUN/broken READY_TRIES=5 move blue green >"$RUN/said" 2>&1; then cat "$RUN/said" && exit 1; fi
grep 'not moved; everything stays with blue' "$RUN/said"
rm -rf "$(data_of green)"
writes_go_on after-the-failed-move

say 'to green'
move blue green
writes_go_on on-green
stop blue
mv "$(data_of blue)" "$RUN/blue.before"

say 'and back'
move green blue
writes_go_on on-blue-again
stop green

rm "$RUN/going"
status=0
wait "$clients" || status=$?
cat "$RUN/clients"
"$BLUE_BINARY" export --url "$(url_of blue)" --collection moved --out - 2>/dev/null | jq -c .id | LC_ALL=C sort >"$RUN/there"
cat "$RUN/acknowledged" "$RUN/own" | LC_ALL=C sort | diff -q - "$RUN/there" || { say 'what is there is not what was acknowledged' && exit 1; }
say "$(wc -l <"$RUN/there") documents acknowledged, and exactly these are there"
exit "$status"
