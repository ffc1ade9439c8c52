#!/usr/bin/env bash
# The Debian package in a clean Debian, under a systemd of its own: installed by apt, served by its unit with all that confines it,
# restarted when it hangs, stopped by settings that cannot be used, upgraded, removed, purged.
# Usage: deb_test.sh SOURCE_DIRECTORY BUILD_DIRECTORY CACHE_DIRECTORY
# shellcheck disable=SC2016 # what stands in single quotes is for the shell inside
set -euo pipefail
source=$1 build=$2 cache=$3
skip() {
    printf 'skipped: %s\n' "$*"
    exit 77
}
[ "$(id -u)" = 0 ] || skip 'a system of its own asks for root'
for tool in cpack dpkg-deb mmdebstrap unshare nsenter ip jq systemd-analyze; do
    command -v "$tool" >/dev/null || skip "there is no $tool here (apt-get install mmdebstrap iproute2 systemd)"
done
namespaces=(unshare --mount --net --pid --uts --ipc --cgroup --fork --kill-child)
"${namespaces[@]}" true 2>/dev/null || skip 'namespaces are not permitted here'

work=$(mktemp -d)
mount -t tmpfs -o size=3g tmpfs "$work" # dpkg syncs each file, of a system that lives for a minute
init=
trap 'if [ -n "$init" ]; then kill -9 "$init" 2>/dev/null || true; fi; umount -l "$work" && rmdir "$work"' EXIT
root=$work/root
say() { printf 'package: %s\n' "$*"; }
fail() {
    say "$*"
    if [ -n "$init" ]; then machine journalctl -u akidb --no-pager -n 40 || true; fi
    exit 1
}

# shellcheck source=/dev/null
. /etc/os-release
[ "$ID" = debian ] || skip "the system is Debian's; this is $ID"
mirror=$(apt-get indextargets --format '$(SITE) $(CODENAME)' 'Created-By: Packages' | awk -v name="$VERSION_CODENAME" '$2 == name {print $1; exit}')
archives=$cache/archives
base=$cache/$VERSION_CODENAME-systemd.tar
mkdir -p "$archives" "$root"
if [ ! -f "$base" ]; then
    mmdebstrap --quiet --format=tar --variant=apt --include=adduser,systemd-sysv,dbus --skip=cleanup/apt/lists "$VERSION_CODENAME" \
        "$base.new" "deb $mirror $VERSION_CODENAME main" >"$cache/mmdebstrap.log" 2>&1 ||
        skip "no Debian from $mirror: $(tail -n 1 "$cache/mmdebstrap.log")"
    mv "$base.new" "$base"
fi
tar -C "$root" --exclude './dev/*' -xf "$base"
cp /etc/resolv.conf /etc/hosts "$root/etc/"

(cd "$build" && cpack -G DEB -B "$work/first" >"$work/cpack.log" 2>&1) || { cat "$work/cpack.log" && exit 1; }
first=$(ls "$work"/first/akidb_*.deb)
version=$(dpkg-deb -f "$first" Version)
# The next version is the same but for its number.
dpkg-deb -R "$first" "$work/next"
sed -i "s/^Version: .*/Version: $version.1/" "$work/next/DEBIAN/control"
dpkg-deb --root-owner-group -Zxz -z0 -b "$work/next" "$work/next.deb" >/dev/null
cp "$first" "$root/first.deb"
cp "$work/next.deb" "$root/next.deb"
say "$(basename "$first"): $(stat -c %s "$first") bytes; depends on: $(dpkg-deb -f "$first" Depends | tr ',' '\n' | wc -l) packages"

# What it depends on, while there is a network.
apt=(apt-get -y -qq --no-install-recommends -o APT::Keep-Downloaded-Packages=true -o Dpkg::Use-Pty=0)
mkdir -p "$root/var/cache/apt/archives"
unshare --mount bash -c 'mount --bind "$2" "$1/var/cache/apt/archives" && exec chroot "$1" "${@:3}"' fetch "$root" "$archives" \
    "${apt[@]}" --download-only install /first.deb >"$work/apt.log" 2>&1 ||
    skip "apt is offline and $archives has not all that the package depends on"

"${namespaces[@]}" "$source/tests/package/machine.sh" "$root" "$archives" </dev/null >"$work/boot.log" 2>&1 &
unshare=$!
machine() { nsenter --target "$init" --mount --net --pid --uts --ipc --root --wd env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin \
    DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 "$@"; }
# until_true SECONDS COMMAND…
until_true() {
    local end=$((SECONDS + $1))
    until "${@:2}" >/dev/null 2>&1; do
        if [ "$SECONDS" -ge "$end" ]; then return 1; fi
        sleep 0.2
    done
}
booted() {
    init=$(pgrep -P "$unshare") && [ "$(cat "/proc/$init/comm")" = systemd ] &&
        machine systemctl is-system-running | grep -qE 'running|degraded'
}
until_true 60 booted || skip "no systemd of its own comes up here: $(tail -n 1 "$work/boot.log")"
apt() { machine "${apt[@]}" "$@" >"$work/apt.log" 2>&1 || { cat "$work/apt.log" && fail "apt-get $*"; }; }
of_service() { machine systemctl show akidb --property "$1" --value; }
is_serving() { machine systemctl is-active --quiet akidb && machine akidb health --ready; }
ask() { nsenter --target "$init" --net curl -fsS --json "$2" "http://127.0.0.1:8080/api/v1/collections$1"; }
count() { ask /kept/count '{}'; }

apt install /first.deb
is_serving >/dev/null || fail 'not serving once apt is through'
[ "$(of_service UnitFileState)" = enabled ] || fail 'the service is not enabled'
[ "$(machine stat -c '%U:%G %a' /var/lib/akidb)" = 'akidb:akidb 700' ] || fail 'the data directory is not akidb'"'"'s alone'
[ "$(machine stat -c '%U:%G %a' /etc/akidb/akidb.toml)" = 'root:akidb 640' ] || fail 'the configuration is open to all'
completed=$(machine bash -c '. /usr/share/bash-completion/completions/akidb
    COMP_WORDS=(akidb collection cr) COMP_CWORD=2 && _akidb && echo "${COMPREPLY[*]}"
    COMP_WORDS=(akidb serve --server.rest) COMP_CWORD=2 && _akidb && echo "${COMPREPLY[*]}"' | xargs)
[ "$completed" = 'create --server.rest_port' ] || fail "bash completes to: $completed"
say "installed, and serving: $(of_service StatusText)"

# The unit: no line that systemd does not know, and little that an attacker could do with it.
machine systemd-analyze verify akidb.service >"$work/verify" 2>&1 || { cat "$work/verify" && exit 1; }
[ ! -s "$work/verify" ] || { cat "$work/verify" && exit 1; }
machine systemd-analyze security --threshold=15 --no-pager akidb.service >"$work/security" || { cat "$work/security" && exit 1; }
main=$(nsenter --target "$init" --pid --mount --root --wd cat "/proc/$(of_service MainPID)/status" | grep -E '^(Uid|CapEff|NoNewPrivs|Seccomp):' | xargs)
say "unit: $(tail -n 1 "$work/security" | sed -E 's/.*level for akidb.service: ([0-9.]+).*/exposure \1 of 10/'); process: $main"

# Hurried, by what an operator has for it: a drop-in and the file of variables.
machine mkdir -p /etc/systemd/system/akidb.service.d
machine sh -c 'printf "[Service]\nWatchdogSec=3\nTimeoutAbortSec=1\n" >/etc/systemd/system/akidb.service.d/hurry.conf'
machine sh -c 'echo AKIDB_DRAIN_MIN_MS=200 >>/etc/default/akidb && systemctl daemon-reload && systemctl restart akidb'
ask '' '{"name":"kept","dimension":16,"metric":"l2"}' >/dev/null
nsenter --target "$init" --net curl -fsS -o /dev/null -X PUT --json '{"documents":[{"id":7,"vector":[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16]}]}' \
    http://127.0.0.1:8080/api/v1/collections/kept/documents
machine systemctl reload akidb
is_serving >/dev/null || fail 'not serving after a reload'

before=$(of_service MainPID)
machine kill -STOP "$before"
was_restarted() { [ "$(of_service NRestarts)" = 1 ] && is_serving; }
until_true 40 was_restarted || fail 'a server that hangs is not restarted'
[ "$(count)" = '{"count":1}' ] || fail 'the document is gone'
say "a server that hangs is restarted by the watchdog, with its data: process $before, then $(of_service MainPID)"

machine sh -c 'cp /etc/akidb/akidb.toml /tmp/good && printf "[server]\nrest_prot = 1\n" >>/etc/akidb/akidb.toml'
if machine systemctl restart akidb 2>/dev/null; then fail 'started with settings that cannot be used'; fi
[ "$(of_service ActiveState) $(of_service ExecMainStatus)" = 'failed 78' ] || fail "settings that cannot be used: $(of_service ActiveState) $(of_service ExecMainStatus)"
machine sh -c 'cat /tmp/good >/etc/akidb/akidb.toml && echo "# mine" >>/etc/akidb/akidb.toml && systemctl restart akidb'
say 'settings that cannot be used: exit code 78, and not tried again'

before=$(of_service MainPID)
apt install /next.deb
[ "$(machine dpkg-query -W -f '${Version}' akidb)" = "$version.1" ] || fail 'not upgraded'
is_serving >/dev/null || fail 'not serving after the upgrade'
[ "$(of_service MainPID)" != "$before" ] || fail 'the old server is still there'
grep -qx '# mine' "$root/etc/akidb/akidb.toml" || fail 'the upgrade took the configuration'
[ "$(count)" = '{"count":1}' ] || fail 'the upgrade took the document'
say 'upgraded: configuration and data are kept, the new server serves'

apt remove akidb
[ ! -e "$root/usr/bin/akidb" ] || fail 'the binary is left'
[ -z "$(machine pgrep akidb)" ] || fail 'the server still runs'
grep -qx '# mine' "$root/etc/akidb/akidb.toml" || fail 'remove took the configuration'
[ -s "$root/var/lib/akidb/akidb.db" ] || fail 'remove took the data'
say 'removed: configuration and data are left'

apt purge akidb
[ ! -e "$root/etc/akidb" ] || fail 'purge left the configuration'
[ -s "$root/var/lib/akidb/akidb.db" ] || fail 'purge took the data'
grep -q 'data is still in /var/lib/akidb' "$work/apt.log" || fail 'purge does not say where the data is'
say 'purged: configuration is gone, data is left and told'
