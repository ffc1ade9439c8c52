#!/usr/bin/env bash
# Lets the npm package altcha-lib, unmodified, solve our proofs of work. Exits 77, which ctest takes for "skipped", where node
# or npm is missing.
# Usage: altcha_test.sh SOURCE_DIRECTORY PROOF_PEER CACHE_DIRECTORY
set -euo pipefail
source=$1 peer=$2 cache=$3
for program in node npm; do
    if ! command -v "$program" >/dev/null; then
        printf 'skipped: %s is not installed\n' "$program"
        exit 77
    fi
done
mkdir -p "$cache"
if [ ! -d "$cache/node_modules/altcha-lib" ] &&
    ! npm install --prefix "$cache" --no-audit --no-fund --no-save --loglevel=error altcha-lib@2.8.0; then
    printf 'skipped: altcha-lib is not to be had from npm\n'
    exit 77
fi
cp "$source/altcha_solver.mjs" "$cache/"
exec node "$cache/altcha_solver.mjs" "$peer"
