# The disk fails under the audit log.
alert=AkidbAuditBroken
prepare() { environment=("LD_PRELOAD=$build/tests/e2e/libakidb_failing_sync.so" "SYNC_FAILS_WHILE=$here/fails"); }
inject() {
    sign_in
    touch "$here/fails"
    akidb tenant create acme --url "$URL" --api-key-file "$here/session" || true
}
operator() { rm "$here/fails"; }
recovered() { [ ! -e "$here/session" ] && search || akidb tenant list --url "$URL" --api-key-file "$here/session"; }
