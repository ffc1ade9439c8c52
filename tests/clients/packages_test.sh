#!/usr/bin/env bash
# Runs the client packages of the Qdrant dialect against a server of its own. The packages come from npm, once, into a
# cache beside the build trees. Exits 77, which ctest takes for "skipped", where node or npm is missing.
# Usage: packages_test.sh SOURCE_DIRECTORY AKIDB_PROGRAM CACHE_DIRECTORY
set -euo pipefail
source=$1 akidb=$2 cache=$3
for program in node npm; do
    if ! command -v "$program" >/dev/null; then
        printf 'skipped: %s is not installed\n' "$program"
        exit 77
    fi
done

mkdir -p "$cache"
if ! cmp -s "$source/package.json" "$cache/installed.json"; then
    cp "$source/package.json" "$cache/package.json"
    if ! npm install --prefix "$cache" --no-audit --no-fund --no-package-lock --loglevel=error; then
        printf 'skipped: the packages are not to be had from npm\n'
        exit 77
    fi
    cp "$source/package.json" "$cache/installed.json"
fi
cp "$source/qdrant_packages.mjs" "$cache/"

# shellcheck disable=SC2016  # the address is known to the inner shell alone
exec "$source/../support/with_server.sh" "$akidb" sh -c 'exec node "$1" "$AKIDB_URL"' sh "$cache/qdrant_packages.mjs"
