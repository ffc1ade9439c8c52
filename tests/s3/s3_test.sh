#!/usr/bin/env bash
# s3_test.sh SOURCE PROGRAM…: runs PROGRAM with a real S3 server beside it, whose port and keys are in the environment.
# Exit 77 (skipped): this system cannot run one.
set -euo pipefail
source=$1
shift
directory=$(mktemp -d)
trap '"$source/tools/s3_server.sh" stop "$directory"; rm -rf "$directory"' EXIT
AKIDB_S3_PORT=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
export AKIDB_S3_PORT
keys=$("$source/tools/s3_server.sh" start "$directory" "$AKIDB_S3_PORT")
eval "$keys"
"$@"
