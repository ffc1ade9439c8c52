#!/usr/bin/env bash
# The alerts against what belongs to each: unit tests (silent, fires, resolves), a page in docs/runbooks with the parts that every
# page has, and a drill of that page. And the other way round: no page and no drill without an alert.
# Usage: alerts_test.sh SOURCE_DIRECTORY CACHE_DIRECTORY
set -euo pipefail
source=$1 cache=$2
programs=$("$source/tools/prometheus.sh" "$cache/prometheus") || exit $?
export PATH=$programs:$PATH
cd "$source"
faults=0
fault() {
    printf '%s\n' "$*"
    faults=$((faults + 1))
}

promtool check rules deploy/prometheus/rules/*.yml || fault 'promtool refuses the rules'
promtool test rules deploy/prometheus/tests/*.yml || fault 'the unit tests fail'
alerts=0
while read -r alert page; do
    alerts=$((alerts + 1))
    # Three moments: two without the alert, one with it.
    evaluated=$(cat deploy/prometheus/tests/*.yml | grep -c "alertname: $alert\b" || true)
    with=$(cat deploy/prometheus/tests/*.yml | grep -A 1 "^        alertname: $alert\$" | grep -c 'exp_alerts:' || true)
    [ "$evaluated" -ge 3 ] && [ "$with" -ge 1 ] || fault "$alert: not three unit tests (silent, fires, resolves)"
    if [ ! -f "$page" ]; then
        fault "$alert: no page $page"
        continue
    fi
    grep -q "\`$alert\`" "$page" || fault "$page: does not name $alert"
    grep -q "\`$alert\`.*$(basename "$page")" docs/runbooks/README.md || fault "docs/runbooks/README.md: has no line for $alert"
    for part in 'What it means' 'What users notice' 'First five minutes' Decide Fix Check 'If that does not help' \
        'So that it does not come back'; do
        grep -q "^## $part\$" "$page" || fault "$page: has no part \"$part\""
    done
    [ -f "tests/drills/pages/$(basename "$page" .md).sh" ] || fault "$page: is not rehearsed"
done < <(awk '/^ *- alert:/ { alert = $3 } /^ *runbook:/ { print alert, $2 }' deploy/prometheus/rules/*.yml)
for page in docs/runbooks/*.md; do
    case $page in */README.md | */error-recovery.md) continue ;; esac
    grep -q "runbook: $page\$" deploy/prometheus/rules/*.yml || fault "$page: no alert leads to it"
done
for drill in tests/drills/pages/*.sh; do
    page=docs/runbooks/$(basename "$drill" .sh).md
    alert=$(sed -n 's/^alert=//p' "$drill")
    grep -A 9 "alert: $alert\$" deploy/prometheus/rules/*.yml | grep -q "runbook: $page\$" || fault "$drill: $alert does not lead to $page"
done
python3 tools/dashboards.py --check || fault 'deploy/grafana differs from tools/dashboards.py'
printf '%d alerts, %d faults\n' "$alerts" "$faults"
[ "$faults" = 0 ]
