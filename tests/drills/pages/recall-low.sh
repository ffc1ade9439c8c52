# A graph whose neighbours are no neighbours, in a file that is right in every checksum.
alert=AkidbRecallLow
settings=(--index.layout turbo --probe.share_permille 1000 --index.graph_rows_min 1000)
inject() {
    fill words 16000 16
    until_true 80 is_linked || give_up "the graph is not there"
    stop_server # writes the graph
    "$build/tests/drills/spoil_graph" "$DATA"
    start_server
    background search
}
is_linked() { get "$URL/api/v1/collections/words/stats" | jq -e '.head_rows == 0 and .linked_rows >= 16000'; }
