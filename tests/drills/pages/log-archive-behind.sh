# The place of backups takes nothing any more: it is a file, until somebody mends that. Threshold scaled from 5 minutes to 5 seconds.
alert=AkidbLogArchiveBehind
scale='/alert: AkidbLogArchiveBehind/,/for:/{s/> 300/> 5/;s/for: 1m/for: 1s/}'
BACKUPS=$here/backups
inject() {
    settings+=(--backup.to "$BACKUPS" --backup.archive_interval_s 1)
    stop_server
    touch "$BACKUPS"
    start_server
}
operator() { rm -f "$BACKUPS"; }
recovered() { search && get "$METRICS/metrics" | grep -q '^akidb_log_archive_lag_seconds [01]'; }
