# shellcheck shell=bash
# Sourced: a Prometheus and an Alertmanager of their own, on free ports, over the folder $work: rules.yml, and targets/*.json
# of the servers to watch. Needs $source and $cache; sets prometheus_port and alertmanager_port.

watchers=()
free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }

# The shipped rules, hurried: waits become a second and windows some seconds.
hurried_rules() {
    sed -E -e 's/^(        for:) [1-9][0-9]*[smhd]$/\1 1s/' \
        -e 's/\[(5m|10m|15m)\]/[12s]/g; s/\[(30m|1h)\]/[15s]/g; s/\[(6h|3d)\]/[18s]/g' \
        "$source/deploy/prometheus/rules/akidb.yml"
}

start_watchers() {
    local programs
    programs=$("$source/tools/prometheus.sh" "$cache/prometheus") || exit $?
    export PATH=$programs:$PATH
    prometheus_port=$(free_port) alertmanager_port=$(free_port)
    export prometheus_port alertmanager_port
    mkdir -p "$work/targets"
    promtool check rules "$work/rules.yml" >/dev/null
    cat >"$work/prometheus.yml" <<YML
global: {scrape_interval: 1s, evaluation_interval: 1s}
rule_files: [rules.yml]
alerting: {alertmanagers: [{static_configs: [{targets: ['127.0.0.1:$alertmanager_port']}]}]}
scrape_configs:
  - job_name: akidb
    file_sd_configs: [{files: [targets/*.json], refresh_interval: 1s}]
YML
    cat >"$work/alertmanager.yml" <<YML
route: {receiver: nobody, group_by: [alertname, instance], group_wait: 0s, group_interval: 1s}
receivers: [{name: nobody}]
YML
    prometheus --config.file="$work/prometheus.yml" --storage.tsdb.path="$work/tsdb" --log.level=warn \
        --web.listen-address="127.0.0.1:$prometheus_port" >"$work/prometheus.log" 2>&1 &
    watchers=($!)
    prometheus-alertmanager --config.file="$work/alertmanager.yml" --storage.path="$work/alerts" --log.level=warn \
        --cluster.listen-address= --web.listen-address="127.0.0.1:$alertmanager_port" >"$work/alertmanager.log" 2>&1 &
    watchers+=($!)
}

end_all() { # what was started, and the folder
    local pid mount
    disown -a
    for pid in $(cat "$work"/drills/*/pid 2>/dev/null) "${watchers[@]}"; do kill -9 "$pid" 2>/dev/null || true; done
    for mount in "$work"/drills/*/disk; do umount -l "$mount" 2>/dev/null || true; done
    rm -rf "$work"
}
