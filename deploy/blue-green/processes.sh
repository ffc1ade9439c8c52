# shellcheck shell=bash
# Hooks of deploy/blue-green.sh for two servers that are plain processes of this machine, and HAProxy in front. The rehearsal uses
# it as it is; a copy is a start for your own, where `start` and `stop` are for instance systemctl's.
# Needs: RUN, a folder with what is running; BLUE_BINARY and GREEN_BINARY; ports as below.
BACKUPS=${BACKUPS:-$RUN/backups}
# shellcheck source=deploy/blue-green/haproxy.sh
source "$(dirname "${BASH_SOURCE[0]}")/haproxy.sh"
port_of() { if [ "$1" = blue ]; then echo "${BLUE_PORT:-8081}"; else echo "${GREEN_PORT:-8082}"; fi; }
binary_of() { if [ "$1" = blue ]; then echo "$BLUE_BINARY"; else echo "$GREEN_BINARY"; fi; }
url_of() { echo "http://127.0.0.1:$(port_of "$1")"; }
probes_of() { echo "http://127.0.0.1:$(($(port_of "$1") + 1000))"; }
data_of() { echo "$RUN/$1.data"; }
start() {
    setsid "$(binary_of "$1")" serve --data "$(data_of "$1")" --server.rest_port "$(port_of "$1")" --server.grpc_port 0 \
        --metrics.port "$(($(port_of "$1") + 1000))" </dev/null >"$RUN/$1.out" 2>>"$RUN/$1.log" &
    echo $! >"$RUN/$1.pid"
}
stop() {
    local pid
    pid=$(cat "$RUN/$1.pid")
    kill -TERM "$pid" 2>/dev/null || return 0
    while kill -0 "$pid" 2>/dev/null && ! grep -q '^State:.Z' "/proc/$pid/status" 2>/dev/null; do sleep 0.05; done
}
