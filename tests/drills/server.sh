# shellcheck shell=bash disable=SC2154
# Sourced: one server of the folder $here, known to Prometheus as instance $page, and what is done to it. Needs $work, $build and
# prometheus_port.

DATA=$here/data CONFIG=$here/akidb.toml
settings=() environment=()
export DATA CONFIG

say() { printf 'drill %s: %s\n' "$page" "$*"; }
skip() {
    say "skipped: $*"
    exit 77
}
give_up() { # with what the server says now
    say "$*"
    curl -sS -v --max-time 5 ${authority:+--cacert "$authority"} "$METRICS/ready" "$URL/health" 2>&1 | head -n 60
    ps -p "$(cat "$here/pid")" -o pid,stat,etime,rss,cmd || true
    exit 1
}
# until_true SECONDS COMMAND…
until_true() {
    local end=$((SECONDS + $1))
    shift
    until "$@" >/dev/null 2>&1; do
        if [ $SECONDS -ge $end ]; then return 1; fi
        sleep 0.2
    done
}

start_server() {
    local port
    : >>"$CONFIG"
    rm -f "$here/ready" # else the words of the last start are read
    env -i PATH="$PATH" HOME="$here" "${environment[@]}" "$build/akidb" serve --config "$CONFIG" --data "$DATA" \
        --server.rest_port "${rest_port:-0}" --server.grpc_port 0 --metrics.port "${metrics_port:-0}" \
        --storage.ballast_bytes "${ballast:-0}" --drain.min_ms "${drain_ms:-200}" "${settings[@]}" >"$here/ready" 2>>"$here/log" &
    echo $! >"$here/pid"
    disown
    until_true 60 grep -q 'rest=' "$here/ready" || return 1
    port=$(sed -n 's/.*rest=https*:\/\/[^:]*:\([0-9]*\).*/\1/p' "$here/ready")
    rest_port=$port
    grpc_port=$(sed -n 's/.*grpc=[^:]*:\([0-9]*\).*/\1/p' "$here/ready")
    metrics_port=$(sed -n 's/.*metrics=http:\/\/[^:]*:\([0-9]*\).*/\1/p' "$here/ready")
    URL=http${scheme_s:-}://127.0.0.1:$rest_port METRICS=http://127.0.0.1:$metrics_port
    export URL METRICS
    printf '[{"targets": ["127.0.0.1:%s"], "labels": {"instance": "%s"}}]\n' "$metrics_port" "$page" >"$here/target"
    mv "$here/target" "$work/targets/$page.json"
    until_true 60 get "$METRICS/ready" || true
}
stop_server() { # as systemd does: a signal, some patience, the axe
    local pid
    pid=$(cat "$here/pid")
    kill -TERM "$pid" 2>/dev/null || return 0
    until_true 10 is_gone "$pid" || kill -9 "$pid" 2>/dev/null || true
    until_true 10 is_gone "$pid"
}
is_gone() { # a zombie's last threads may still hold its files
    { [ ! -e "/proc/$1" ] || grep -q '^State:.Z' "/proc/$1/status"; } && flock -n "$DATA/LOCK" true
}

# What pages use of the system, acting on this drill's server.
systemctl() {
    case "$1" in
        start) start_server ;;
        stop) stop_server ;;
        restart) stop_server && start_server ;;
        reload) kill -HUP "$(cat "$here/pid")" ;;
        status) ps -p "$(cat "$here/pid")" -o pid,etime,rss,cmd ;;
        show) cat "$here/pid" ;;
        *) return 64 ;;
    esac
}
journalctl() { tail -n 50 "$here/log"; }
dmesg() { command dmesg "$@" 2>/dev/null || true; }
akidb() { "$build/akidb" "$@"; }
get() { curl -fsS --max-time 20 ${authority:+--cacert "$authority"} "$@"; }

# documents FROM COUNT DIMENSION: one upload, of numbers that differ.
documents() {
    awk -v from="$1" -v count="$2" -v dimension="$3" 'BEGIN {
        srand(from); printf "{\"documents\":["
        for (i = 0; i < count; i++) {
            printf "%s{\"id\":%d,\"vector\":[", i ? "," : "", from + i
            for (d = 0; d < dimension; d++) printf "%s%.3f", d ? "," : "", rand() - 0.5
            printf "],\"metadata\":{\"n\":%d}}", from + i
        }
        printf "]}" }'
}
# fill COLLECTION COUNT DIMENSION
fill() {
    local from
    if ! get "$URL/api/v1/collections/$1" >/dev/null 2>&1; then
        get -o /dev/null --json "{\"name\":\"$1\",\"dimension\":$3,\"metric\":\"l2\"}" "$URL/api/v1/collections"
    fi
    for ((from = 0; from < $2; from += 500)); do
        documents "$from" $(($2 - from < 500 ? $2 - from : 500)) "$3" |
            get -o /dev/null -X PUT --json @- "$URL/api/v1/collections/$1/documents"
    done
}
vector='[0.1,0.2,0.3,0.4,0.5,0.6,0.7,0.8,0.9,1.0,1.1,1.2,1.3,1.4,1.5,1.6]'
search() { get -o /dev/null --json "{\"vector\":$vector,\"top_k\":3}" "$URL/api/v1/collections/words/search"; }
one_write() { documents 1 1 16 | get -X PUT --json @- "$URL/api/v1/collections/words/documents"; }
one_login() { # with a wrong password, from another address each time, which the server believes of a trusted proxy
    curl -s -o /dev/null --max-time 20 ${authority:+--cacert "$authority"} \
        -H "X-Forwarded-For: 10.$((RANDOM % 256)).$((RANDOM % 256)).$((RANDOM % 256))" \
        --json "{\"email\":\"user$RANDOM@example.com\",\"password\":\"not the right one $RANDOM\"}" "$URL/api/v1/auth/login"
}
small_disk() { # for the data directory, and of 200 MB
    mkdir -p "$here/disk"
    mount -t tmpfs -o size=200m tmpfs "$here/disk" 2>/dev/null || skip "mounting is not permitted here"
    DATA=$here/disk/data
}
background() { # for as long as the drill wants it: "$@" again and again, leaving the processor to the other drills
    touch "$here/going"
    (while [ -e "$here/going" ]; do
        "$@" >/dev/null 2>&1 || true
        sleep 0.05
    done) &
    disown
}
calm() { rm -f "$here/going"; }
is_in_segments() { get "$URL/api/v1/collections/words/stats" | jq -e '.covered_sequence == .sequence'; }
segments() { ls "$DATA"/collections/*/seg/*; }
certificate() { # certificate DAYS: for ourselves, by ourselves
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days "$1" -subj /CN=localhost \
        -addext 'subjectAltName=IP:127.0.0.1' -keyout "$here/key.new" -out "$here/certificate.new" 2>/dev/null
    chmod 600 "$here/key.new"
    mv "$here/key.new" "$here/key.pem"
    mv "$here/certificate.new" "$here/certificate.pem"
}
flip_a_byte() { # flip_a_byte FILE [OFFSET]: else in its middle
    python3 - "$@" <<'PY'
import os, sys
with open(sys.argv[1], "r+b") as file:
    file.seek(int(sys.argv[2]) if len(sys.argv) > 2 else os.path.getsize(sys.argv[1]) // 2)
    byte = file.read(1)
    file.seek(-1, 1)
    file.write(bytes([byte[0] ^ 0xFF]))
PY
}

sign_in() { # makes the first user, whose session is in $here/session
    settings+=(--auth.enabled true)
    stop_server
    start_server
    until_true 20 grep -q 'set-up token' "$here/ready"
    sed -n 's/.*set-up token.*: //p' "$here/ready" >"$here/token"
    printf 'a long and quite unlikely password' >"$here/password"
    chmod 600 "$here/token" "$here/password"
    akidb setup ann@example.com --url "$URL" ${authority:+--ca-file "$authority"} --token-file "$here/token" --password-file "$here/password" >"$here/session"
    chmod 600 "$here/session"
}

query() { get "http://127.0.0.1:$prometheus_port/api/v1/query" --data-urlencode "query=$1" | jq -e "$2"; }
is_scraped() { query "up{instance=\"$page\"} == 1" '.data.result | length > 0'; }
