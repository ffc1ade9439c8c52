# The server is told to back up to an S3 server that does not run; then somebody starts it.
alert=AkidbS3BreakerOpen
[ "$(id -u)" = 0 ] && command -v radosgw >/dev/null || skip "no S3 server can be started here"
s3_port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
S3=http://127.0.0.1:$s3_port BUCKET=akidb-test BACKUPS=s3://akidb-test/backups
export AWS_ACCESS_KEY_ID=AKIDBTESTACCESSKEY01 AWS_SECRET_ACCESS_KEY=akidb-test-secret-key-0000000000000000001
environment=("AWS_ACCESS_KEY_ID=$AWS_ACCESS_KEY_ID" "AWS_SECRET_ACCESS_KEY=$AWS_SECRET_ACCESS_KEY")
inject() {
    settings+=(--s3.endpoint "$S3" --s3.breaker_cool_down_s 3 --backup.to "$BACKUPS" --backup.schedule 3s --backup.drill_interval_s 0)
    stop_server
    start_server
}
operator() { "$source/tools/s3_server.sh" start "$here/s3" "$s3_port"; }
calm() {
    rm -f "$here/going"
    "$source/tools/s3_server.sh" stop "$here/s3"
}
recovered() { search && get "$METRICS/metrics" | grep -q '^akidb_s3_breaker_state 0'; }
