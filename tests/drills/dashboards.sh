#!/usr/bin/env bash
# Every query of every dashboard returns data from a server that was used: collections made, written to, searched and deleted
# over REST and gRPC, checkpoints, rewrites and scrubs, logins that fail and others, a key that may not, TLS. Then what promtool
# says of the metrics' names, and that secrets are in no backup, log or metric.
# Usage: dashboards.sh SOURCE_DIRECTORY BUILD_DIRECTORY CACHE_DIRECTORY
set -euo pipefail
source=$1 build=$2 cache=$3
work=$(mktemp -d)
page=used here=$work/drills/used
export source build work
# shellcheck source=tests/drills/watchers.sh
source "$source/tests/drills/watchers.sh"
# shellcheck source=tests/drills/server.sh
source "$source/tests/drills/server.sh"
trap 'status=$?; [ $status = 0 ] || tail -n 20 "$here/log"; calm; end_all; exit $status' EXIT
mkdir -p "$here"
hurried_rules >"$work/rules.yml"
start_watchers

scheme_s=s
certificate 300
authority=$here/certificate.pem
settings=(--tls.certificate_file "$here/certificate.pem" --tls.key_file "$here/key.pem" --storage.scrub_interval_s 2
    --index.graph_rows_min 1000 --probe.share_permille 1000 --auth.trusted_proxies 127.0.0.1)
ballast=1048576
start_server
sign_in
akidb key create viewer --role viewer --requests-per-second 1 --url "$URL" --ca-file "$authority" --api-key-file "$here/session" \
    >"$here/key"
get() { curl -fsS --max-time 20 --cacert "$authority" -H "Authorization: Bearer $(cat "$here/session")" "$@"; }
fill many 1500 32
fill probed 1500 16 # its graph stays, so that there are searches enough to tell of
use() { # everything that a panel shows, once
    local one
    fill words 50 16
    search
    get -o /dev/null --json '{"id":7,"filter":{"must":[{"key":"n","range":{"gte":3}}]}}' "$URL/api/v1/collections/many/search"
    for one in 1 2 3; do
        get -o /dev/null --json "{\"vector\":$vector,\"top_k\":3}" "$URL/api/v1/collections/probed/search"
    done
    get -o /dev/null --json '{"id":7,"params":{"exact":true}}' "$URL/api/v1/collections/many/search"
    get -o /dev/null -X DELETE "$URL/api/v1/collections/many/documents/$((RANDOM % 1500))"
    get -o /dev/null -X POST "$URL/api/v1/collections/many/optimize"
    for one in 1 2 3; do
        curl -s -o /dev/null --cacert "$authority" -H "Authorization: Bearer $(cat "$here/key")" -X DELETE "$URL/api/v1/collections/many"
    done
    one_login
    curl -s -o /dev/null --cacert "$authority" "$URL/api/v1/collections"
    printf '\0\0\0\0\0' | curl -s -o /dev/null --cacert "$authority" --http2 -H 'Content-Type: application/grpc' -H 'TE: trailers' \
        -H "Authorization: Bearer $(cat "$here/session")" --data-binary @- \
        "https://127.0.0.1:$grpc_port/akidb.v1.CollectionService/List"
    get -o /dev/null -X DELETE "$URL/api/v1/collections/words"
}
for level in 2 3; do # the second backup knows that the first was restored
    akidb backup create --url "$URL" --ca-file "$authority" --api-key-file "$here/session" --to "$here/backups"
    akidb backup verify "$here/backups" --level "$level"
done
akidb backup create --url "$URL" --ca-file "$authority" --api-key-file "$here/session" --to "$here/backups"
background use
until_true 30 is_scraped

curl -fsS "$METRICS/metrics" | promtool check metrics
python3 - "$source/deploy/grafana" "http://127.0.0.1:$prometheus_port" <<'PY'
import json, math, pathlib, sys, time, urllib.parse, urllib.request

def values(query):
    with urllib.request.urlopen(f"{sys.argv[2]}/api/v1/query?" + urllib.parse.urlencode({"query": query})) as answer:
        found = json.load(answer)["data"]["result"]
    return [float(one["value"][1]) for one in found]

missing = [(path.name, panel["title"], target["expr"].replace("$instance", ".*").replace("$__rate_interval", "12s"))
           for path in sorted(pathlib.Path(sys.argv[1]).glob("*.json"))
           for panel in json.loads(path.read_text())["panels"] for target in panel["targets"]]
count, end = len(missing), time.monotonic() + 90
while missing and time.monotonic() < end:
    missing = [one for one in missing if not any(not math.isnan(value) for value in values(one[2]))]
    time.sleep(0.5)
for name, title, query in missing:
    print(f"{name}: \"{title}\" has no data: {query}")
print(f"{count} queries of dashboards, {len(missing)} without data")
sys.exit(1 if missing else 0)
PY

# What opens a door is in no backup, log or metric (the set-up token, good once, is told in the log on purpose); a name is, so
# the search would find it.
curl -fsS "$METRICS/metrics" >"$here/metrics"
grep -rqF many "$here/backups"
secrets=0
while read -r secret; do
    if grep -rlF -- "$secret" "$here/backups" "$here/log" "$here/metrics"; then
        printf 'a secret stands in the files above\n'
        exit 1
    fi
    secrets=$((secrets + 1))
done < <(for file in password session key; do cat "$here/$file" && echo; done | grep . && sed -n 2p "$here/key.pem")
printf '%d secrets are in no backup, log or metric\n' "$secrets"
[ "$secrets" = 4 ]
