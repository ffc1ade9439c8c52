# The catalog's disk takes its time. Threshold scaled from 1 s to 0.2 s: a sync takes 0.3 s.
alert=AkidbCollectionDeleteSlow
scale='/alert: AkidbCollectionDeleteSlow/,/for:/s/> 1$/> 0.2/'
prepare() { environment=("LD_PRELOAD=$build/tests/e2e/libakidb_failing_sync.so" "SYNC_TAKES_300_MS_WHILE=$here/slow"); }
deletion() {
    get --json '{"name":"gone","dimension":16,"metric":"l2"}' "$URL/api/v1/collections"
    get -X DELETE "$URL/api/v1/collections/gone"
}
inject() {
    touch "$here/slow"
    background deletion
}
operator() {
    calm
    rm "$here/slow"
}
