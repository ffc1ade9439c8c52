#!/usr/bin/env bash
# One drill, called by run.sh: sources pages/PAGE.sh, which says which alert it is about and how to cause it.
#   alert=Name            which has to fire
#   settings=(--key …)    of the server, beside its ports
#   prepare               before the server starts (optional)
#   inject                the cause; returns at once, what goes on goes on in the background
#   operator              what the page asks of a person and no command can do (optional), before the part "Fix"
#   recovered             whether the server does its work again; the default is a search
set -euo pipefail
page=$1
here=$work/drills/$page
# shellcheck source=tests/drills/server.sh
source "$source/tests/drills/server.sh"

is_firing() { query "ALERTS{alertname=\"$alert\",instance=\"$page\",alertstate=\"firing\"}" '.data.result | length > 0'; }
is_told() {
    amtool --alertmanager.url="http://127.0.0.1:$alertmanager_port" alert query -o json "alertname=$alert" \
        "instance=$page" | jq -e 'length > 0'
}
is_over() { ! is_firing && ! is_told; }

# The sh blocks of one part of the page, as commands.
part() {
    awk -v part="## $1" '
        /^## / { within = $0 == part }
        within && /^```/ { fenced = /^```sh$/; next }
        within && fenced' "$source/docs/runbooks/$page.md"
}
commands=0
follow() { # follow PART strict|lenient: while something is broken, a command that looks at it may fail
    local script=$here/part
    part "$1" >"$script"
    commands=$((commands + $(grep -c '[^ ]' "$script" || true)))
    sed 's/^/+ /' "$script"
    if [ "$2" = strict ]; then
        # shellcheck disable=SC1090
        source "$script"
    else
        set +e
        # shellcheck disable=SC1090
        source "$script"
        set -e
    fi
}

prepare() { :; }
operator() { :; }
recovered() { search; }
# shellcheck disable=SC1090
source "$source/tests/drills/pages/$page.sh"
trap calm EXIT

prepare
start_server
fill words 50 16
# Each wait ends as soon as it can; its length is what a machine may take that builds and tests other things meanwhile.
until_true 120 recovered || give_up "it did not work before anything was done"
until_true 60 is_scraped || give_up "Prometheus does not reach it"
if is_firing >/dev/null; then give_up "$alert fires before its cause"; fi
began=$SECONDS
inject
until_true 240 is_firing || give_up "$alert does not fire"
until_true 60 is_told || give_up "$alert does not reach the Alertmanager"
fired=$((SECONDS - began))
follow 'First five minutes' lenient
operator
follow Fix strict
until_true 120 recovered || give_up "the page does not mend it"
follow Check strict
began=$SECONDS
until_true 240 is_over || give_up "$alert does not resolve"
echo
say "$alert fired after $fired s, $commands lines of the page were run, resolved $((SECONDS - began)) s later"
