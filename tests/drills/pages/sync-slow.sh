# A disk that takes its time.
alert=AkidbSyncSlow
prepare() { environment=("LD_PRELOAD=$build/tests/e2e/libakidb_failing_sync.so" "SYNC_TAKES_300_MS_WHILE=$here/slow"); }
one_write() { documents 1 1 16 | get -X PUT --json @- "$URL/api/v1/collections/words/documents"; }
inject() {
    touch "$here/slow"
    background one_write
}
operator() { rm "$here/slow"; }
