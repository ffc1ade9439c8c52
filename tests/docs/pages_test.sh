#!/usr/bin/env bash
# Runs the examples of pages in Python, JavaScript and the shell (pages_test.py), each page with a server of its own. Exits
# 77, which ctest takes for "skipped", where python3 is missing.
# Usage: pages_test.sh SOURCE_DIRECTORY AKIDB_PROGRAM PAGE…
set -euo pipefail
source=$1 akidb=$2
shift 2
if ! python3 -c 'import sys; sys.exit(sys.version_info < (3, 9))' 2>/dev/null; then
    printf 'skipped: python3 is missing or too old\n'
    exit 77
fi
export PYTHONDONTWRITEBYTECODE=1
for page in "$@"; do
    "$source/tests/support/with_server.sh" "$akidb" \
        python3 "$source/tests/docs/pages_test.py" "$source" "$akidb" "$source/$page"
done
