#!/usr/bin/env bash
# Rehearses runbooks: for each page a server is broken as the page says, its alert has to fire in a real Prometheus and reach
# a real Alertmanager, the commands of the page are run as they stand there, and the alert has to resolve. `./dev drill`.
#
# The rules are the shipped ones, hurried; where a cause would need gigabytes or days its threshold is scaled by the drill
# (`scale` in its file). systemctl and journalctl in a page act on the drill's own server.
# Usage: run.sh SOURCE_DIRECTORY BUILD_DIRECTORY CACHE_DIRECTORY [PAGE …]
set -euo pipefail
source=$1 build=$2 cache=$3
shift 3
work=$(mktemp -d)
export source build work
together=8 # drills that run at once: they mostly wait
# shellcheck source=tests/drills/watchers.sh
source "$source/tests/drills/watchers.sh"
trap end_all EXIT

pages=("$@")
if [ ${#pages[@]} = 0 ]; then
    for drill in "$source"/tests/drills/pages/*.sh; do pages+=("$(basename "$drill" .sh)"); done
fi
for page in "${pages[@]}"; do
    if [ ! -f "$source/tests/drills/pages/$page.sh" ]; then
        printf 'there is no drill of the page "%s"; there are: %s\n' "$page" "$(cd "$source/tests/drills/pages" && echo *.sh)" >&2
        exit 64
    fi
done

hurried_rules >"$work/rules.yml"
for page in "${pages[@]}"; do
    scale=$(sed -n "s/^scale='\(.*\)'\$/\1/p" "$source/tests/drills/pages/$page.sh")
    [ -z "$scale" ] || sed -i -e "$scale" "$work/rules.yml"
done
start_watchers

running=0
for page in "${pages[@]}"; do
    if [ "$running" -ge "$together" ]; then
        wait -n || true
        running=$((running - 1))
    fi
    mkdir -p "$work/drills/$page"
    (
        status=0
        bash "$source/tests/drills/drill.sh" "$page" >"$work/drills/$page/out" 2>&1 || status=$?
        echo "$status" >"$work/drills/$page/status"
    ) &
    running=$((running + 1))
done
for ((; running > 0; running--)); do wait -n || true; done

passed=0 failed=0 skipped=0
for page in "${pages[@]}"; do
    case $(cat "$work/drills/$page/status") in
        0)
            passed=$((passed + 1))
            tail -n 1 "$work/drills/$page/out"
            ;;
        77)
            skipped=$((skipped + 1))
            tail -n 1 "$work/drills/$page/out"
            ;;
        *)
            failed=$((failed + 1))
            printf 'drill %s: FAILED\n' "$page"
            sed 's/^/    /' "$work/drills/$page/out"
            tail -n 20 "$work/drills/$page/log" 2>/dev/null | sed 's/^/    | /'
            ;;
    esac
done
printf '%d drills passed, %d failed, %d skipped\n' "$passed" "$failed" "$skipped"
[ "$failed" = 0 ]
