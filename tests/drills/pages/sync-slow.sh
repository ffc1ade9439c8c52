# A disk that takes its time.
alert=AkidbSyncSlow
prepare() { environment=("LD_PRELOAD=$build/tests/e2e/libakidb_failing_sync.so" "SYNC_TAKES_300_MS_WHILE=$here/slow"); }
inject() {
    touch "$here/slow"
    background one_write
}
operator() { rm "$here/slow"; }
