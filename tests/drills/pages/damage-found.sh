# A bit of a segment flips while the server runs; the next scrub finds it.
alert=AkidbDamageFound
settings=(--storage.scrub_interval_s 2)
inject() {
    fill words 3000 16 # beyond the padding of a file
    until_true 30 is_in_segments
    stop_server
    start_server # so that only the file has these rows
    flip_a_byte "$(segments | grep 'rows$' | head -n 1)"
}
