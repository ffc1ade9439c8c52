#!/usr/bin/env bash
# Writes deploy/kubernetes/base/akidb.yaml: the Helm chart rendered as plain manifests, so that both are one. With --check compares
# instead. A test runs it; helm is the one given, or whichever is installed.
# Usage: tools/kubernetes.sh [--check] [HELM]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
check=
if [ "${1:-}" = --check ]; then
    check=1
    shift
fi
helm=${1:-helm}
base=deploy/kubernetes/base/akidb.yaml

render() {
    printf '# The chart of deploy/helm/akidb, rendered by tools/kubernetes.sh; do not edit.\n'
    "$helm" template akidb deploy/helm/akidb --values deploy/kubernetes/values.yaml 2>/dev/null | sed '/^# Source: /d'
}
if [ -n "$check" ]; then
    render | diff -u "$base" - || { printf '%s is not what the chart renders to: run tools/kubernetes.sh\n' "$base" && exit 1; }
else
    render >"$base.new"
    mv "$base.new" "$base"
fi
