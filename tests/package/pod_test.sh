#!/usr/bin/env bash
# A pod's life rehearsed without a cluster: the image's root file system with what the chart renders to, by kubelet.py.
# Usage: pod_test.sh SOURCE_DIRECTORY BUILD_DIRECTORY CACHE_DIRECTORY
set -euo pipefail
source=$1 build=$2 cache=$3
skip() {
    printf 'skipped: %s\n' "$*"
    exit 77
}
[ "$(id -u)" = 0 ] || skip 'a read-only root and another user ask for root'
for tool in unshare ip setpriv openssl jq; do command -v "$tool" >/dev/null || skip "there is no $tool here"; done
unshare --mount --net --pid --fork true 2>/dev/null || skip 'namespaces are not permitted here'
# shellcheck source=tests/package/kubernetes_tools.sh
source "$source/tests/package/kubernetes_tools.sh"
kubernetes_tools
work=$(mktemp -d)
trap 'rm -rf --one-file-system "$work"' EXIT

"$source/deploy/container/rootfs.sh" "$build/akidb" "$work/root"
"$helm" template akidb "$source/deploy/helm/akidb" --values "$source/deploy/kubernetes/values.yaml" >"$work/manifests.yaml" 2>/dev/null
python3 "$source/tests/package/manifests.py" json "$work/manifests.yaml" >"$work/manifests.json"

# The jobs say to the binary what it understands; here they reach neither a server nor S3.
jq -r '.[] | select(.kind == "CronJob").spec.jobTemplate.spec.template.spec | (.initContainers // []) + .containers | .[].args | @sh' \
    "$work/manifests.json" >"$work/jobs"
while read -r words; do
    eval "arguments=($words)"
    # shellcheck disable=SC2154
    if unshare --net timeout 20 "$build/akidb" "${arguments[@]}" >"$work/said" 2>&1 || grep -q -e '--help' "$work/said"; then
        printf 'akidb %s: %s\n' "$words" "$(cat "$work/said")"
        exit 1
    fi
done <"$work/jobs"
printf 'pod: the binary understands what %s jobs ask of it\n' "$(wc -l <"$work/jobs")"

unshare --mount --net --pid --fork --kill-child python3 "$source/tests/package/kubelet.py" "$work/manifests.json" "$work/root" "$work"

# What the others have for settings the binary takes as well; the files that they name are those of the rehearsal here.
"$helm" template akidb "$source/deploy/helm/akidb" --set tls.insecure=true,backup.enabled=true,settings.limits.connections=100 \
    >"$work/insecure.yaml" 2>/dev/null
"$kubectl" kustomize "$source/deploy/kubernetes/overlays/dev" >"$work/dev.yaml"
"$kubectl" kustomize "$source/deploy/kubernetes/overlays/production" >"$work/production.yaml"
printf '[default]\naws_access_key_id = a\naws_secret_access_key = b\n' >"$work/credentials"
chmod 600 "$work/credentials" "$work/tls.key"
for name in insecure dev production; do
    python3 "$source/tests/package/manifests.py" json "$work/$name.yaml" |
        jq -r '.[] | select(.kind == "ConfigMap").data["akidb.toml"]' >"$work/$name.toml"
    own=(--storage.data_dir "$work/$name.data" --s3.credentials_file "$work/credentials")
    if grep -q certificate_file "$work/$name.toml"; then own+=(--tls.certificate_file "$work/tls.crt" --tls.key_file "$work/tls.key"); fi
    printf 'pod: settings of %s: ' "$name"
    unshare --net "$build/akidb" check-config --config "$work/$name.toml" "${own[@]}"
done
