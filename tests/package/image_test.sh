#!/usr/bin/env bash
# The container's image: built as deploy/container/build.sh does, by buildah where it is there (else its root file system alone), and
# run without a daemon as a runtime would: an ordinary user, a read-only root, a volume, the image's own variables and health check.
# Usage: image_test.sh SOURCE_DIRECTORY BUILD_DIRECTORY
set -euo pipefail
source=$1 build=$2
skip() {
    printf 'skipped: %s\n' "$*"
    exit 77
}
say() { printf 'image: %s\n' "$*"; }
fail() {
    say "$*"
    exit 1
}
if [ "${3:-}" != inside ]; then
    [ "$(id -u)" = 0 ] || skip 'an image is built and run by root here'
    for tool in unshare ip setpriv jq; do command -v "$tool" >/dev/null || skip "there is no $tool here"; done
    unshare --mount --net --pid --fork true 2>/dev/null || skip 'namespaces are not permitted here'
    work=$(mktemp -d)
    trap 'rm -rf --one-file-system "$work"' EXIT
    export work
    unshare --mount --net --pid --fork --kill-child "$0" "$source" "$build" inside
    exit
fi

ip link set lo up
export AKIDB_BINARY=$build/akidb
if command -v buildah >/dev/null; then
    export AKIDB_CONTAINER_STORAGE="--storage-driver vfs --root $work/storage --runroot $work/run"
    "$source/deploy/container/build.sh" akidb:test >"$work/built" 2>&1 || { cat "$work/built" && exit 1; }
    tail -n 1 "$work/built"
    # shellcheck disable=SC2086 # options, split at spaces
    container=$(buildah $AKIDB_CONTAINER_STORAGE from akidb:test)
    # shellcheck disable=SC2086
    root=$(buildah $AKIDB_CONTAINER_STORAGE mount "$container")
    # shellcheck disable=SC2086
    buildah $AKIDB_CONTAINER_STORAGE inspect --type image akidb:test | jq .Docker.config >"$work/config"
else
    say 'no buildah here (apt-get install buildah): the root file system alone'
    root=$work/root
    "$source/deploy/container/rootfs.sh" "$AKIDB_BINARY" "$root"
    jq -n '{User: "10001:10001", Env: [], Entrypoint: ["/usr/bin/akidb"], Cmd: ["serve"], Healthcheck: {Test: ["CMD", "/usr/bin/akidb", "health"]}}' |
        jq --arg env "$(sed -n 's/^ENV //p' "$source/deploy/container/Containerfile")" '.Env = ($env | split(" "))' >"$work/config"
fi
of_config() { jq -r "$1" "$work/config"; }
user=$(of_config .User)
[ "$user" = 10001:10001 ] || fail "runs as \"$user\""
mapfile -t variables < <(of_config '.Env[]')
mapfile -t command < <(of_config '(.Entrypoint + .Cmd)[]')
mapfile -t check < <(of_config '.Healthcheck.Test[1:][]')

# A volume, as a runtime makes one of what the image has there; the rest is read-only.
volume=$work/volume
cp -a "$root/var/lib/akidb" "$volume"
mount --bind "$root" "$root"
mount -t proc proc "$root/proc"
mount -t tmpfs tmpfs "$root/dev"
for device in null urandom; do
    : >"$root/dev/$device"
    mount --bind "/dev/$device" "$root/dev/$device"
done
mount --bind "$volume" "$root/var/lib/akidb"
mount -o remount,ro,bind "$root"
contained=(env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin "${variables[@]}")
as_user=(setpriv --no-new-privs chroot --userspec="$user" --groups= "$root")
contain() { "${contained[@]}" "${as_user[@]}" "$@"; }

status=0
contain "${command[@]}" >"$work/log" 2>&1 || status=$?
{ [ "$status" = 78 ] && grep -q 'insecure-i-understand' "$work/log"; } || { cat "$work/log" && fail "ended with $status"; }
say 'refuses to listen beyond loopback without TLS and users: exit code 78'

if contain "${check[@]}" 2>/dev/null; then fail 'healthy without a server'; fi
"${contained[@]}" AKIDB_SERVER_INSECURE_I_UNDERSTAND=true AKIDB_DRAIN_MIN_MS=200 "${as_user[@]}" "${command[@]}" >"$work/log" 2>&1 &
server=$!
for ((i = 0; i < 200; i++)); do
    if contain "${check[@]}" --ready >/dev/null 2>&1; then break; fi
    sleep 0.1
done
contain "${check[@]}" || { cat "$work/log" && fail 'not healthy'; }
url=http://127.0.0.1:8080/api/v1/collections
curl -fsS -o /dev/null --json '{"name":"kept","dimension":16,"metric":"l2"}' "$url"
[ "$(stat -c '%u:%g' "$volume/akidb.db")" = 10001:10001 ] || fail 'the data is not the user'"'"'s'
if contain /usr/bin/akidb restore --from /nowhere --data /etc/other 2>/dev/null; then fail 'the root can be written'; fi
kill -TERM "$server"
wait "$server" || fail "ended with $?"
grep -q '"event":"stopped"' "$work/log" || fail 'no JSON log'
say "served as $user on a read-only root, healthy by its own check, data on its volume, ended with 0"
