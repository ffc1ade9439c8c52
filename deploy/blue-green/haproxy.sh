# shellcheck shell=bash
# Sourced by hooks of deploy/blue-green.sh: the proxy's part, for deploy/blue-green/haproxy.cfg. Needs PROXY_SOCKET and HELD_MAP as
# HAProxy got them. Each is one process, as writes wait for it.
to_proxy() { # COMMANDS with semicolons, whose only answer is a complaint; then "quiet": waits until no write is under way
    python3 - "$PROXY_SOCKET" "$@" <<'PY'
import socket, sys, time

def ask(command):
    connection = socket.socket(socket.AF_UNIX)
    connection.connect(sys.argv[1])
    connection.sendall(command.encode() + b"\n")
    answer = b""
    while part := connection.recv(65536):
        answer += part
    return answer.decode().strip()

if complaint := ask(sys.argv[2]):
    sys.exit(f"the proxy says to \"{sys.argv[2]}\": {complaint}")
if sys.argv[3:] == ["quiet"]:
    # Three times in a row: one may be on its way from the map to the server.
    end, quiet = time.monotonic() + 60, 0
    while quiet < 3:
        if time.monotonic() > end:
            sys.exit("writes are still under way after a minute")
        time.sleep(0.05)
        rows = [line.split(",") for line in ask("show stat").splitlines()]
        quiet = quiet + 1 if any(row[:2] == ["writes", "BACKEND"] and row[4] == "0" for row in rows) else 0
PY
}
hold_writes() { to_proxy "set map $HELD_MAP writes yes" quiet; }
release_writes() { to_proxy "set map $HELD_MAP writes no"; }
route_to() {
    local other=blue
    if [ "$1" = blue ]; then other=green; fi
    to_proxy "enable server reads/$1; enable server writes/$1; disable server reads/$other; disable server writes/$other"
}
