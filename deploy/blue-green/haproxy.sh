# shellcheck shell=bash
# Sourced by hooks of deploy/blue-green.sh: the proxy's part, for deploy/blue-green/haproxy.cfg. Needs PROXY_SOCKET and
# HELD_MAP as HAProxy got them.
to_proxy() {
    python3 - "$PROXY_SOCKET" "$1" <<'PY'
import socket, sys
connection = socket.socket(socket.AF_UNIX)
connection.connect(sys.argv[1])
connection.sendall(sys.argv[2].encode() + b"\n")
answer = b""
while part := connection.recv(65536):
    answer += part
print(answer.decode().strip())
PY
}
command_proxy() { # for what has no answer but a complaint
    local answer
    answer=$(to_proxy "$1")
    [ -z "$answer" ] || { printf 'the proxy says to "%s": %s\n' "$1" "$answer" && return 1; }
}
hold_writes() {
    local quiet=0
    command_proxy "set map $HELD_MAP writes yes"
    # Until none is under way, three times in a row: one may be on its way from the map to the server.
    for ((i = 0; i < 600; i++)); do
        if [ "$(to_proxy 'show stat' | awk -F, '$1 == "writes" && $2 == "BACKEND" {print $5}')" = 0 ]; then
            quiet=$((quiet + 1))
            if [ "$quiet" -ge 3 ]; then return; fi
        else
            quiet=0
        fi
        sleep 0.05
    done
    printf 'writes are still under way\n'
    return 1
}
release_writes() { command_proxy "set map $HELD_MAP writes no"; }
route_to() {
    local backend other=blue
    if [ "$1" = blue ]; then other=green; fi
    for backend in reads writes; do command_proxy "enable server $backend/$1"; done
    for backend in reads writes; do command_proxy "disable server $backend/$other"; done
}
