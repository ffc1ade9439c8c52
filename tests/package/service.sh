#!/usr/bin/env bash
# Runs the service of the package in a chroot the way its unit says, and a command while it is ready; in namespaces of its own
# (mount, network, process). What the service manager is told goes to WORK/told. Called by deb_test.sh.
# Usage: service.sh ROOT WORK COMMAND…
set -euo pipefail
root=$1 work=$2
shift 2
unit=$root/usr/lib/systemd/system/akidb.service
of_unit() { sed -n "s/^$1=//p" "$unit" | tail -n 1; }
ip link set lo up

# Before anything is read-only: what systemd would make.
mount --bind "$root" "$root"
mount -t proc -o subset=pid,hidepid=2 proc "$root/proc" # ProtectProc and ProcSubset
mount -t tmpfs tmpfs "$root/tmp"
mount -t tmpfs tmpfs "$root/dev"
for device in null urandom; do
    : >"$root/dev/$device"
    mount --bind "/dev/$device" "$root/dev/$device"
done
mount -t tmpfs tmpfs "$root/run"
for directory in "/var/lib/$(of_unit StateDirectory)" "/var/log/$(of_unit LogsDirectory)"; do
    mount --bind "$root$directory" "$root$directory"
done
mount -o remount,ro,bind "$root"
[ "$(of_unit ProtectSystem)" = strict ]

python3 - "$root/run/notify" >"$work/told" 2>/dev/null <<'PY' &
import os, socket, sys
listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
listener.bind(sys.argv[1])
os.chmod(sys.argv[1], 0o777)
while True:
    print(listener.recv(4096).decode(), flush=True)
PY
until [ -S "$root/run/notify" ]; do sleep 0.05; done

# setpriv execs, so the process is the one that systemd would call MAINPID.
read -ra command <<<"$(of_unit ExecStart)"
(
    umask "$(of_unit UMask)"
    ulimit -n "$(of_unit LimitNOFILE)" 2>/dev/null || true # a machine may allow less
    environment=$(of_unit EnvironmentFile)
    mapfile -t variables < <(grep -v '^#' "$root${environment#-}")
    exec chroot "$root" env -i --chdir="$(of_unit WorkingDirectory)" PATH=/usr/bin "${variables[@]}" NOTIFY_SOCKET=/run/notify WATCHDOG_USEC=3000000 \
        setpriv --reuid "$(of_unit User)" --regid "$(of_unit Group)" --clear-groups --no-new-privs --bounding-set=-all --inh-caps=-all \
        "${command[@]}"
) >"$work/out" 2>"$work/log" &
server=$!
wait_for() {
    for ((i = 0; i < 600; i++)); do
        if [ "$(grep -c "^$1" "$work/told")" -ge "${2:-1}" ]; then return; fi
        kill -0 "$server" || break
        sleep 0.05
    done
    printf 'the service manager was not told %s\n' "$1"
    cat "$work/out" "$work/log"
    return 1
}
wait_for READY=1
export URL=http://127.0.0.1:8080 METRICS=http://127.0.0.1:9091
chroot "$root" akidb health --ready
"$@"
wait_for WATCHDOG=1 2 # the first came with READY=1
kill -HUP "$server"
wait_for RELOADING=1
kill -TERM "$server"
wait_for STOPPING=1
status=0
wait "$server" || status=$?
printf '    uid %s, exit code %s, told: %s\n' "$(stat -c %u "$root/var/lib/akidb/akidb.db")" "$status" "$(grep -oE '^(READY|WATCHDOG|RELOADING|STOPPING)' "$work/told" | uniq -c | xargs)"
[ "$status" = 0 ]
