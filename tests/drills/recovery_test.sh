#!/usr/bin/env bash
# docs/runbooks/error-recovery.md, followed: each part after what it is for was done to a server of its own.
# Usage: recovery_test.sh SOURCE_DIRECTORY BUILD_DIRECTORY
set -euo pipefail
source=$1 build=$2 page=recovery
work=$(mktemp -d)
here=$work/drills/$page
mkdir -p "$here" "$work/targets"
# shellcheck source=tests/drills/server.sh
source "$source/tests/drills/server.sh"
end() {
    disown -a
    kill -9 "$(cat "$here/pid")" 2>/dev/null || true
    rm -rf "$work"
}
trap end EXIT

follow() { # follow PART: its commands as they stand on the page, each of which must succeed
    sed -n "/^## $1\$/,/^## /{/^\`\`\`sh\$/,/^\`\`\`\$/{/^\`\`\`/d;p}}" "$source/docs/runbooks/error-recovery.md" >"$here/part"
    [ -s "$here/part" ] || give_up "the page has no part \"$1\""
    # shellcheck disable=SC1091
    source "$here/part" >"$here/out" 2>&1 || { cat "$here/out"; give_up "the part \"$1\" failed"; }
    say "$1: $(grep -c '[^ ]' "$here/part") lines followed"
}
count() { get -X POST --json '{}' "$URL/api/v1/collections/$1/count" | jq -r .count; }
has() { [ "$(count "$1")" = "$2" ] || give_up "$1 has $(count "$1") documents of $2"; }

export BACKUPS=$here/backups LOST=words
start_server
fill words 300 16
fill others 20 16
akidb backup create --url "$URL" --to "$BACKUPS" >/dev/null

kill -9 "$(cat "$here/pid")"
until_true 10 is_gone "$(cat "$here/pid")"
rm -r "$DATA"/collections
follow 'Restore everything'
has words 300
has others 20
rm -r "$DATA.before"

get -o /dev/null -X DELETE "$URL/api/v1/collections/words"
follow 'Restore one collection'
has restored 300
get "$URL/api/v1/collections/restored" | jq -e '.metric == "l2"' >/dev/null || give_up "it was restored with another metric"
get -o /dev/null --json '{"name":"words","dimension":16,"metric":"l2"}' "$URL/api/v1/collections"

for from in 0 100 200; do documents "$from" 100 16 | get -o /dev/null -X PUT --json @- "$URL/api/v1/collections/words/documents"; done
folder=$DATA/collections/$(get "$URL/api/v1/collections/words" | jq -r .id)
kill -9 "$(cat "$here/pid")" # so that only the log has them
until_true 10 is_gone "$(cat "$here/pid")"
flip_a_byte "$(find "$folder/log" -name '*.log' -size +4k | sort | head -n 1)" 6000 # in the first of three writes
start_server
curl -fsS "$URL/api/v1/collections/words" | jq -e '.condition == "quarantined"' >/dev/null || give_up "a damaged log serves"
follow 'A damaged log'
[ "$(count words)" -lt 300 ] || give_up "nothing was lost of a damaged log"
has others 20

fill words 3000 16
background get -X POST "$URL/api/v1/collections/words/optimize"
fill words 6000 16
kill -9 "$(cat "$here/pid")"
calm
until_true 10 is_gone "$(cat "$here/pid")"
follow 'A merge that was cut short'
has words 6000
