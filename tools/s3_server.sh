#!/usr/bin/env bash
# A real S3 server for the tests: Ceph's object gateway with one monitor and one disk, all on loopback and in one
# directory. Needs root and the packages of the group "s3" in tools/packages.sh.
#   tools/s3_server.sh start DIR PORT   up in 5 to 20 s; with one user, whose keys it prints as "export …",
#                                       and one bucket, akidb-test
#   tools/s3_server.sh stop DIR         ends its processes; the directory stays
# Exit 77: this system lacks the packages, or the right to run them; the reason is on standard error.
set -euo pipefail

ACCESS_KEY=AKIDBTESTACCESSKEY01
SECRET_KEY=akidb-test-secret-key-0000000000000000001
BUCKET=akidb-test
EMPTY_SHA256=e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855

skip() {
    printf 's3_server: %s\n' "$*" >&2
    exit 77
}

stop_processes() {
    local file
    for file in "$1"/run/*.pid; do
        [ -e "$file" ] || continue
        kill -9 "$(cat "$file")" 2>/dev/null || true
    done
}

free_port() {
    python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

write_configuration() {  # DIR PORT MONITOR_PORT
    cat >"$1/ceph.conf" <<CONF
[global]
fsid = $(cat /proc/sys/kernel/random/uuid)
mon host = v2:127.0.0.1:$3
public addr = 127.0.0.1
cluster addr = 127.0.0.1
auth cluster required = cephx
auth service required = cephx
auth client required = cephx
keyring = $1/keyring
run dir = $1/run
admin socket = $1/run/\$cluster-\$name.asok
log file = $1/log/\$name.log
pid file = $1/run/\$name.pid
crash dir = $1
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 4
osd pool default pgp num = 4
osd pool default pg autoscale mode = off
mon allow pool size one = true
mon max pg per osd = 1000
mon data avail crit = 1
osd crush chooseleaf type = 0
osd objectstore = memstore
memstore device bytes = 4294967296
osd memory target = 939524096
osd class default list = *
osd class load list = *
mon data = $1/mon
osd data = $1/osd
paxos propose interval = 0.05
paxos min wait = 0.01
[client.rgw]
rgw frontends = beast endpoint=127.0.0.1:$2
rgw data = $1/rgw
rgw thread pool size = 32
rgw enable gc threads = false
rgw enable lc threads = false
CONF
}

make_keys() {  # DIR
    local ring=$1/keyring
    ceph-authtool --create-keyring "$ring" --gen-key -n mon. --cap mon 'allow *'
    ceph-authtool "$ring" --gen-key -n client.admin --cap mon 'allow *' --cap osd 'allow *' --cap mgr 'allow *'
    ceph-authtool "$ring" --gen-key -n osd.0 --cap mon 'allow profile osd' --cap osd 'allow *' \
        --cap mgr 'allow profile osd'
    ceph-authtool "$ring" --gen-key -n client.rgw --cap mon 'allow rw' --cap osd 'allow rwx'
    cp "$ring" "$1/osd/keyring"
    cp "$ring" "$1/rgw/keyring"
}

wait_for() {  # SECONDS WHAT COMMAND…
    local left=$(($1 * 10)) what=$2
    shift 2
    until "$@" >/dev/null 2>&1; do
        left=$((left - 1))
        if [ "$left" -le 0 ]; then
            printf 's3_server: %s did not come up\n' "$what" >&2
            return 1
        fi
        sleep 0.1
    done
}

has_disk() { ceph osd stat | grep -q '1 up'; }

start() {  # DIR PORT
    local dir=$1 port=$2 monitor_port disk fsid
    [ "$(id -u)" = 0 ] || skip "needs root"
    local program
    for program in ceph ceph-mon ceph-osd ceph-authtool monmaptool radosgw radosgw-admin curl python3; do
        command -v "$program" >/dev/null || skip "$program is not installed (tools/packages.sh, group s3)"
    done
    mkdir -p "$dir"/mon "$dir"/osd "$dir"/rgw "$dir"/run "$dir"/log
    dir=$(cd "$dir" && pwd)
    monitor_port=$(free_port)
    write_configuration "$dir" "$port" "$monitor_port"
    export CEPH_CONF=$dir/ceph.conf
    {
        make_keys "$dir"
        fsid=$(sed -n 's/^fsid = //p' "$CEPH_CONF")
        monmaptool --create --fsid "$fsid" --addv a "[v2:127.0.0.1:$monitor_port]" "$dir/monmap"
        ceph-mon --mkfs -i a --monmap "$dir/monmap" --keyring "$dir/keyring"
        ceph-mon -i a --setuser root --setgroup root
        disk=$(cat /proc/sys/kernel/random/uuid)
        ceph osd new "$disk"
        ceph auth import -i "$dir/keyring"
        ceph-osd -i 0 --mkfs --osd-uuid "$disk"
        ceph-osd -i 0
        wait_for 30 'the disk' has_disk
        radosgw -n client.rgw
        wait_for 60 'the gateway' curl -s -o /dev/null "http://127.0.0.1:$port/"
        radosgw-admin -n client.rgw user create --uid=akidb --display-name=akidb --access-key="$ACCESS_KEY" \
            --secret-key="$SECRET_KEY"
        curl -sS --fail -X PUT --aws-sigv4 aws:amz:us-east-1:s3 --user "$ACCESS_KEY:$SECRET_KEY" \
            -H "x-amz-content-sha256: $EMPTY_SHA256" "http://127.0.0.1:$port/$BUCKET"
    } >"$dir/log/start.log" 2>&1 || {
        tail -20 "$dir/log/start.log" >&2
        stop_processes "$dir"
        exit 1
    }
    printf 'export AWS_ACCESS_KEY_ID=%s AWS_SECRET_ACCESS_KEY=%s\n' "$ACCESS_KEY" "$SECRET_KEY"
}

case ${1:-} in
    start) start "${2:?a directory}" "${3:?a port}" ;;
    stop) stop_processes "${2:?a directory}" ;;
    *)
        sed -n '2,7s/^# \{0,1\}//p' "$0"
        exit 64
        ;;
esac
