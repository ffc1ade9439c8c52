#!/usr/bin/env bash
# load_smoke.sh BUILD: the whole load suite over few rows for moments; its exit code says that nothing failed,
# and the report must have all its parts.
set -euo pipefail
build=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

"$build/make_vectors" --rows 3000 --dimension 256 --queries 100 --out "$work/made-256"
"$build/load_bench" --data "$work/made-256" --out "$work/report" --rates 100,300 --rounds 1 --seconds 0.4 \
    --echo-seconds 0.2 --closed-seconds 0.3 --scenario-seconds 0.5 --drill-seconds 0.5 >"$work/out"
jq -e '.errors == 0 and .requests > 500 and (.rungs | length) == 3 and (.scenarios | length) == 8 and
    (.drills | length) == 3 and all(.drills[]; .passed) and all(.rungs[]; .recall > 0.9 and .akidb.p95_ms > 0 and .echo.p95_ms > 0)
    and all(.scenarios[]; .judged > 0 and (.holds_errors or .name == "failure"))' "$work/report/report.json" >"$work/judged" ||
    { cat "$work/out"; exit 1; }
grep -q '^| baseline |' "$work/report/report.md"
grep -q '</svg>' "$work/report/latency-1.svg"
