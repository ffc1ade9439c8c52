# Where the store's directory should be is a file; then somebody takes it away. Threshold scaled from an hour to 6 seconds.
alert=AkidbUploadBacklog
scale='/alert: AkidbUploadBacklog/,/for:/s/> 3600/> 6/'
inject() {
    : >"$here/store"
    settings+=(--tiers.to "$here/store" --tiers.tries 1000 --tiers.copy_interval_s 1)
    stop_server
    start_server
    akidb tiers policy words memory_s3 --url "$URL"
}
operator() { rm -f "$here/store"; }
recovered() { search && get "$METRICS/metrics" | grep -q '^akidb_uploads_pending 0'; }
