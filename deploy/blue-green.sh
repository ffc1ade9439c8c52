#!/usr/bin/env bash
# Moves a service from one AkiDB server to another while clients search and write: from blue to green for a new version, and back
# the same way. Each colour has its own binary, address and data directory; searches go on throughout, writes wait at the proxy
# from the last, small backup until the other colour has it.
#
#   1 a backup while everything goes on (all that is there)     4 restored as the data of the other colour, which is started
#   2 writes wait                                               5 both compared: collections, counts, and every document
#   3 a backup of what came since (incremental)                 6 the proxy goes to the other colour, writes go on
#
# Whatever fails before 6 leaves everything with the first colour, and writes go on there. The first colour keeps running until you
# stop it; what is written after 6 is the other colour's alone, so going back is this script again, the other way.
#
# Usage: deploy/blue-green.sh HOOKS FROM TO
# HOOKS is a file to be sourced that says how (deploy/blue-green/processes.sh is one):
#   binary_of COLOUR, url_of COLOUR, probes_of COLOUR, data_of COLOUR    print what they are named for
#   start COLOUR, stop COLOUR                                            of a server; start returns before it is ready
#   hold_writes, release_writes, route_to COLOUR                         at the proxy; hold_writes returns when none is under way
#   BACKUPS                                                              a directory that both colours reach, or s3://…
# A token for the servers is taken from AKIDB_API_KEY, where they ask for one. HOOKS may set two arrays: client_options for verbs that
# are clients (--ca-file …) and s3_options for the restore (--endpoint …).
set -euo pipefail
if [ $# != 3 ] || [ "$2" = "$3" ]; then
    sed -n 's/^# \{0,1\}//; 2,/^set/p' "${BASH_SOURCE[0]}" | sed '/^set/d' >&2
    exit 64
fi
from=$2 to=$3
client_options=() s3_options=()
# shellcheck source=deploy/blue-green/processes.sh
source "$1"
say() { printf 'blue-green: %s\n' "$*"; }
milliseconds() { date +%s%3N; }

if [ -e "$(data_of "$to")" ]; then
    say "$(data_of "$to") is there already: move it away, a restore makes a new one"
    exit 1
fi
"$(binary_of "$from")" health --ready --url "$(probes_of "$from")" >/dev/null
scratch=$(mktemp -d)
is_held='' is_started='' is_done=''
give_up() {
    status=$?
    trap - EXIT
    if [ -z "$is_done" ]; then
        say "not moved; everything stays with $from"
        if [ -n "$is_started" ]; then stop "$to" || true; fi
        if [ -n "$is_held" ]; then release_writes; fi
    fi
    rm -rf "$scratch"
    exit "$status"
}
trap give_up EXIT
trap 'exit 130' INT TERM

backup() { "$(binary_of "$from")" backup create --url "$(url_of "$from")" "${client_options[@]}" --to "$BACKUPS"; }
# Of one server: its collections with their counts, and of each every document, in one order.
contents() {
    local binary url name
    binary=$(binary_of "$1") url=$(url_of "$1")
    "$binary" collection list --url "$url" "${client_options[@]}" --json |
        jq -c '.collections | sort_by(.name)[] | {name, dimension, metric, storage, count}' >"$scratch/$1"
    jq -r .name "$scratch/$1" >"$scratch/$1.names"
    while read -r name; do
        printf '%s ' "$name"
        "$binary" export --url "$url" "${client_options[@]}" --collection "$name" --page 5000 --out - | LC_ALL=C sort | sha256sum
    done <"$scratch/$1.names" >"$scratch/$1.hashes" 2>"$scratch/$1.said" || { cat "$scratch/$1.said" && return 1; }
    cat "$scratch/$1.hashes" >>"$scratch/$1"
}

say "1 backup of $from while everything goes on"
backup
say '2 writes wait'
is_held=1
held_at=$(milliseconds)
hold_writes
say '3 backup of what came since'
backup
say "4 restored as the data of $to, which is started"
"$(binary_of "$to")" restore --from "$BACKUPS" "${s3_options[@]}" --data "$(data_of "$to")"
is_started=1
start "$to"
for ((i = 0; ; i++)); do
    if "$(binary_of "$to")" health --ready --url "$(probes_of "$to")" >/dev/null 2>"$scratch/said"; then break; fi
    if [ "$i" -ge "${READY_TRIES:-600}" ]; then
        cat "$scratch/said"
        exit 1
    fi
    sleep 0.1
done
contents "$from"
contents "$to"
if ! diff -u "$scratch/$from" "$scratch/$to"; then
    say "5 $to does not have what $from has"
    exit 1
fi
say "5 compared: $(wc -l <"$scratch/$from.names") collections with $(jq -s 'map(.count? // 0) | add // 0' <(grep '^{' "$scratch/$from")) documents are equal"
route_to "$to"
is_done=1
release_writes
say "6 $to serves; writes waited $(($(milliseconds) - held_at)) ms. $from still runs: stop it when you are content, and move its data away"
