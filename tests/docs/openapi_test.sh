#!/usr/bin/env bash
# Sends every example of openapi.yaml to a server of its own and holds the answers against the page (openapi_test.py), and the generated
# reference against it (tools/api_reference.py). Exits 77, which
# ctest takes for "skipped", where python3 or its modules yaml and jsonschema are missing.
# Usage: openapi_test.sh SOURCE_DIRECTORY AKIDB_PROGRAM
set -euo pipefail
source=$1 akidb=$2
export PYTHONDONTWRITEBYTECODE=1
if ! python3 -W ignore -c 'import jsonschema, yaml' 2>/dev/null; then
    printf 'skipped: python3, its yaml or its jsonschema is missing\n'
    exit 77
fi
(cd "$source" && tools/api_reference.py --check)
# Tenants have keys in backups, which one of the routes destroys.
keys=$(mktemp -d)
trap 'rm -rf "$keys"' EXIT
(umask 077 && printf '%064d\n' 7 >"$keys/key")
AKIDB_AUTH_ENABLED=true AKIDB_BACKUP_KEY_FILE=$keys/key AKIDB_BACKUP_TENANT_KEYS=$keys/tenants \
    "$source/tests/support/with_server.sh" "$akidb" python3 "$source/tests/docs/openapi_test.py" "$source"
