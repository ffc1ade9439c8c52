# A bit of a segment flips while the server is down.
alert=AkidbQuarantined
settings=(--storage.scrub_interval_s 2) # a scrub begins with a checkpoint
inject() {
    fill words 3000 16 # beyond the padding of a file
    until_true 30 is_in_segments
    stop_server
    settings=()
    flip_a_byte "$(segments | grep 'rows$' | head -n 1)"
    start_server
}
