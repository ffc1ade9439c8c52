#!/usr/bin/env bash
# The Kubernetes manifests: rendered by a real helm and a real kubectl, checked against the published schemas and against what
# must hold of them (manifests.py), the same by Helm and by Kustomize.
# Usage: kubernetes_test.sh SOURCE_DIRECTORY CACHE_DIRECTORY
set -euo pipefail
source=$1 cache=$2
skip() {
    printf 'skipped: %s\n' "$*"
    exit 77
}
# shellcheck source=tests/package/kubernetes_tools.sh
source "$source/tests/package/kubernetes_tools.sh"
kubernetes_tools
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$source"
manifests=tests/package/manifests.py
chart=deploy/helm/akidb

"$helm" lint --strict --quiet "$chart" --values deploy/kubernetes/values.yaml 2>/dev/null
"$helm" package "$chart" --destination "$work" >/dev/null 2>&1
render() { "$helm" template akidb "$@" 2>/dev/null; }
render "$chart" >"$work/default.yaml"
# As installed from the package, in which the alerts are a file and no link.
render "$work"/akidb-*.tgz --values deploy/kubernetes/values.yaml >"$work/helm.yaml"
render "$chart" --set tls.insecure=true,networkPolicy.enabled=false,resourceQuota.enabled=false,podDisruptionBudget.enabled=false \
    --set-json 'tolerations=[{"key":"db","operator":"Exists"}]' --set persistence.storageClassName=fast,backup.enabled=true >"$work/options.yaml"
"$kubectl" kustomize deploy/kubernetes/base >"$work/base.yaml"
"$kubectl" kustomize deploy/kubernetes/overlays/dev >"$work/dev.yaml"
"$kubectl" kustomize deploy/kubernetes/overlays/production >"$work/production.yaml"

tools/kubernetes.sh --check "$helm"
python3 "$manifests" same "$work/helm.yaml" "$work/base.yaml"
for name in default helm base dev production; do python3 "$manifests" check "$name" "$work/$name.yaml"; done

for name in default helm options base dev production; do python3 "$manifests" json "$work/$name.yaml" >"$work/$name.json"; done
node tests/package/schemas.mjs "$node_folder" "$work"/*.json
# The check can say no: a field that is none, and a value that is none.
sed 's/"serviceName"/"serviceNam"/' "$work/base.json" >"$work/wrong-field"
sed 's/"TCP", "port": 443/"TCQ", "port": "x y"/; s/"replicas": 1/"replicas": "one"/' "$work/base.json" >"$work/wrong-value"
if node tests/package/schemas.mjs "$node_folder" "$work/wrong-field" "$work/wrong-value" >"$work/said" ||
    ! grep -q wrong-field "$work/said" || ! grep -q wrong-value "$work/said"; then
    cat "$work/said"
    printf 'the schemas let pass what is wrong\n'
    exit 1
fi
# Nor does the chart take what it does not know, least of all more writers.
for wrong in replicaCount=3 tls.secretname=x settings.server.threads=-x-,settings.servers.a=1 terminationGracePeriodSeconds=5; do
    if "$helm" template akidb "$chart" --set "$wrong" >/dev/null 2>&1; then
        printf 'the chart takes --set %s\n' "$wrong"
        exit 1
    fi
done
