#!/usr/bin/env bash
# fuzz.sh [NAME] [--seconds N]: lets libFuzzer press on the readers of what strangers send (tests/fuzz), each N seconds
# (600 without it), starting from their corpora and what earlier runs found (build/fuzz/found). A crash, an answer that
# takes more than a second, or more than 256 MiB of memory ends the run; the input is left in build/fuzz/faults.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
all=(http_head json_bodies filter protobuf import_files)
seconds=600
names=()
while [ $# -gt 0 ]; do
    case $1 in
        --seconds) seconds=${2:?--seconds N}; shift 2 ;;
        -*) echo "fuzz: unknown option $1" >&2; exit 64 ;;
        *) names+=("$1"); shift ;;
    esac
done
for name in "${names[@]}"; do
    [ -d "tests/fuzz/corpus/$name" ] || { echo "fuzz: no target $name; there are: ${all[*]}" >&2; exit 64; }
done
[ ${#names[@]} -gt 0 ] || names=("${all[@]}")
mkdir -p build/fuzz/faults
# What is freed is to be given back: the limit is for what the readers hold, not for what AddressSanitizer keeps in quarantine.
export ASAN_OPTIONS="quarantine_size_mb=8:allocator_release_to_os_interval_ms=500:${ASAN_OPTIONS:-}"
for name in "${names[@]}"; do
    mkdir -p "build/fuzz/found/$name"
    log=build/fuzz/$name.log
    if ! build/fuzz/fuzz/fuzz_"$name" -max_total_time="$seconds" -timeout=1 -rss_limit_mb=256 -max_len=65536 \
        -artifact_prefix="build/fuzz/faults/$name-" -print_final_stats=1 \
        "build/fuzz/found/$name" "tests/fuzz/corpus/$name" 2>"$log"; then
        tail -n 40 "$log" >&2
        echo "fuzz: $name found a fault; see build/fuzz/faults and $log" >&2
        exit 1
    fi
    runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
    peak=$(sed -n 's/^stat::peak_rss_mb: *//p' "$log")
    echo "fuzz: $name: $runs inputs in $seconds s, at most $peak MiB, no fault"
done
