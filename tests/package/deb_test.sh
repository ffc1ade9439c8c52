#!/usr/bin/env bash
# The Debian package in a clean Debian: installed by apt, served as its unit says, upgraded, removed, purged.
#
# In a chroot systemd is not PID 1, so service.sh does what the unit asks for and a namespace can give: its user, no capabilities,
# no new privileges, a read-only root but for the unit's directories, its environment, and a socket for sd_notify that is
# listened to. The unit itself is judged by systemd-analyze.
# Usage: deb_test.sh SOURCE_DIRECTORY BUILD_DIRECTORY CACHE_DIRECTORY
# shellcheck disable=SC2016 # what stands in single quotes is for the shell inside
set -euo pipefail
source=$1 build=$2 cache=$3
skip() {
    printf 'skipped: %s\n' "$*"
    exit 77
}
[ "$(id -u)" = 0 ] || skip 'a chroot asks for root'
for tool in cpack dpkg-deb mmdebstrap unshare ip setpriv python3 systemd-analyze; do
    command -v "$tool" >/dev/null || skip "there is no $tool here (apt-get install mmdebstrap iproute2 systemd)"
done
unshare --mount --net --pid --fork true 2>/dev/null || skip 'namespaces are not permitted here'

work=$(mktemp -d)
root=$work/root
mount -t tmpfs -o size=2g tmpfs "$work" # dpkg syncs each file, of a system that lives for a minute
trap 'umount -l "$work" && rmdir "$work"' EXIT
say() { printf 'package: %s\n' "$*"; }
# In the chroot, with a /proc of its own, and no service of the machine in reach.
inside() {
    unshare --mount --pid --fork bash -c '
        root=$1
        shift
        mount --bind "$root" "$root"
        mount -t proc proc "$root/proc"
        mount --rbind /dev "$root/dev"
        mkdir -p "$root/var/cache/apt/archives"
        mount --bind "$archives" "$root/var/cache/apt/archives"
        exec chroot "$root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 "$@"
    ' inside "$root" "$@"
}

# shellcheck source=/dev/null
. /etc/os-release
[ "$ID" = debian ] || skip "the chroot is Debian's; this is $ID"
mirror=$(apt-get indextargets --format '$(SITE) $(CODENAME)' 'Created-By: Packages' | awk -v name="$VERSION_CODENAME" '$2 == name {print $1; exit}')
export archives=$cache/archives
base=$cache/$VERSION_CODENAME.tar
mkdir -p "$archives"
if [ ! -f "$base" ]; then
    mmdebstrap --quiet --format=tar --variant=apt --include=adduser --skip=cleanup/apt/lists "$VERSION_CODENAME" "$base.new" \
        "deb $mirror $VERSION_CODENAME main" >"$cache/mmdebstrap.log" 2>&1 || skip "no Debian from $mirror: $(tail -n 1 "$cache/mmdebstrap.log")"
    mv "$base.new" "$base"
fi
mkdir -p "$root"
tar -C "$root" --exclude './dev/*' -xf "$base"
cp /etc/resolv.conf /etc/hosts "$root/etc/"

(cd "$build" && cpack -G DEB -B "$work/first" >"$work/cpack.log" 2>&1) || { cat "$work/cpack.log" && exit 1; }
first=$(ls "$work"/first/akidb_*.deb)
version=$(dpkg-deb -f "$first" Version)
# The next version is the same but for its number and a new line in its configuration.
dpkg-deb -R "$first" "$work/next"
sed -i "s/^Version: .*/Version: $version.1/" "$work/next/DEBIAN/control"
dpkg-deb --root-owner-group -Zxz -z0 -b "$work/next" "$work/next.deb" >/dev/null
cp "$first" "$root/first.deb"
cp "$work/next.deb" "$root/next.deb"
say "$(basename "$first"): $(stat -c %s "$first") bytes; depends on: $(dpkg-deb -f "$first" Depends | tr ',' '\n' | wc -l) packages"

install_deb() {
    inside apt-get install -y -qq --no-install-recommends -o APT::Keep-Downloaded-Packages=true -o Dpkg::Use-Pty=0 "$1" \
        >"$work/apt.log" 2>&1 && return
    if grep -qE 'Temporary failure|Could not (connect|resolve)|Unable to connect' "$work/apt.log"; then
        skip "apt is offline and $archives has not all that the package depends on"
    fi
    cat "$work/apt.log"
    return 1
}
serve() { # does "$@" while the service runs as its unit says; $URL and $METRICS are told it
    unshare --mount --net --pid --fork --kill-child "$source/tests/package/service.sh" "$root" "$work" "$@"
}
fail() {
    say "$*"
    exit 1
}

install_deb /first.deb
inside akidb version
[ "$(inside stat -c '%U:%G %a' /var/lib/akidb)" = 'akidb:akidb 700' ] || fail 'the data directory is not akidb'"'"'s alone'
[ "$(inside stat -c '%U:%G %a' /etc/akidb/akidb.toml)" = 'root:akidb 640' ] || fail 'the configuration is open to all'
[ -L "$root/etc/systemd/system/multi-user.target.wants/akidb.service" ] || fail 'the service is not enabled'
inside setpriv --reuid akidb --regid akidb --clear-groups akidb check-config --config /etc/akidb/akidb.toml

# The unit: no line that systemd does not know, and little that an attacker could do with it.
systemd-analyze verify --root="$root" --recursive-errors=no akidb.service >"$work/verify" 2>&1 || { cat "$work/verify" && exit 1; }
if grep -q akidb.service "$work/verify"; then cat "$work/verify" && exit 1; fi
systemd-analyze security --root="$root" --offline=true --threshold=15 --no-pager akidb.service >"$work/security" || { cat "$work/security" && exit 1; }
say "unit: $(tail -n 1 "$work/security" | sed 's/.*Overall/Overall/')"

printf 'AKIDB_DRAIN_MIN_MS=200\n' >>"$root/etc/default/akidb"
say 'installed; served, with a word of life each second:'
serve bash -c '
    curl -fsS -o /dev/null --json "{\"name\":\"kept\",\"dimension\":16,\"metric\":\"l2\"}" "$URL/api/v1/collections"
    curl -fsS -o /dev/null -X PUT --json "{\"documents\":[{\"id\":7,\"vector\":[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16]}]}" "$URL/api/v1/collections/kept/documents"'
for word in READY=1 WATCHDOG=1 RELOADING=1 STOPPING=1; do
    grep -q "^$word" "$work/told" || fail "the service manager was not told $word"
done

printf '# mine\n' >>"$root/etc/akidb/akidb.toml"
install_deb /next.deb
[ "$(inside dpkg-query -W -f '${Version}' akidb)" = "$version.1" ] || fail 'not upgraded'
grep -qx '# mine' "$root/etc/akidb/akidb.toml" || fail 'the upgrade took the configuration'
serve bash -c '[ "$(curl -fsS --json "{}" "$URL/api/v1/collections/kept/count")" = "{\"count\":1}" ]'
say 'upgraded: configuration and data are kept'

inside apt-get remove -y -qq -o Dpkg::Use-Pty=0 akidb >"$work/apt.log" 2>&1
[ ! -e "$root/usr/bin/akidb" ] || fail 'the binary is left'
grep -qx '# mine' "$root/etc/akidb/akidb.toml" || fail 'remove took the configuration'
[ -s "$root/var/lib/akidb/akidb.db" ] || fail 'remove took the data'
say 'removed: configuration and data are left'

inside apt-get purge -y -qq -o Dpkg::Use-Pty=0 akidb >"$work/apt.log" 2>&1
[ ! -e "$root/etc/akidb" ] || fail 'purge left the configuration'
[ -s "$root/var/lib/akidb/akidb.db" ] || fail 'purge took the data'
grep -q 'data is still in /var/lib/akidb' "$work/apt.log" || fail 'purge does not say where the data is'
say 'purged: configuration is gone, data is left and told'
