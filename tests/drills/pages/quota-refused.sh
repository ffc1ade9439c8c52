# A key asks for more than its quota.
alert=AkidbQuotaRefused
inject() {
    sign_in
    akidb key create greedy --url "$URL" --api-key-file "$here/session" --role viewer --requests-per-second 1 >"$here/greedy"
    background searches
}
searches() { # twenty by one curl: a busy machine starts few of them a second
    curl -s -o /dev/null -H "Authorization: Bearer $(cat "$here/greedy")" --json "{\"vector\":$vector,\"top_k\":3}" \
        "$URL/api/v1/collections/words/search#[1-20]"
}
operator() { calm; }
recovered() { [ ! -e "$here/session" ] && search || akidb collection list --url "$URL" --api-key-file "$here/session"; }
