#!/usr/bin/env bash
# Runs the tests of one of our own clients (clients/typescript, clients/python) against a server. The types of the first are
# compiled where npm gives a compiler; without one they are passed over. Exits 77, which ctest takes for "skipped", where the
# language is missing.
# Usage: own_test.sh typescript|python CLIENTS_DIRECTORY AKIDB_PROGRAM CACHE_DIRECTORY
set -euo pipefail
language=$1 clients=$2 akidb=$3 cache=$4
with_server=$(dirname "$0")/../support/with_server.sh

need() {
    if ! command -v "$1" >/dev/null || ! "$@" 2>/dev/null; then
        printf 'skipped: %s is missing or too old\n' "$1"
        exit 77
    fi
}

case $language in
typescript)
    need node -e 'if (parseInt(process.versions.node) < 18) process.exit(1)'
    "$with_server" "$akidb" node --test "$clients/typescript/test/client.test.js"
    compiler=$cache/types
    if [ ! -x "$compiler/node_modules/.bin/tsc" ]; then
        mkdir -p "$compiler"
        if ! command -v npm >/dev/null || ! npm install --prefix "$compiler" --no-audit --no-fund --no-save \
            --loglevel=error typescript@5.9.3 @types/node@20.19.25; then
            printf 'the types are not compiled: no compiler from npm\n'
            exit 0
        fi
    fi
    "$compiler/node_modules/.bin/tsc" --noEmit --strict --exactOptionalPropertyTypes --module nodenext --target es2022 \
        --lib es2022,esnext.disposable,dom --typeRoots "$compiler/node_modules/@types" --types node \
        "$clients/typescript/test/types.ts"
    printf 'the types compile\n'
    ;;
python)
    need python3 -c 'import sys; sys.exit(sys.version_info < (3, 9))'
    PYTHONDONTWRITEBYTECODE=1 "$with_server" "$akidb" python3 -W error -m unittest discover -s "$clients/python/tests"
    ;;
*)
    exit 64
    ;;
esac
