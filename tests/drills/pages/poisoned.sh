# The disk says that a sync failed.
alert=AkidbPoisoned
drain_ms=6000
prepare() { environment=("LD_PRELOAD=$build/tests/e2e/libakidb_failing_sync.so" "SYNC_FAILS_WHILE=$here/fails"); }
inject() {
    touch "$here/fails"
    one_write || true
}
operator() { rm "$here/fails"; }
recovered() { one_write; }
