# Somebody drained the server, or its stop hangs: it is there and takes no requests.
alert=AkidbNotReady
drain_ms=120000 settings=(--drain.max_ms 130000)
inject() { kill -TERM "$(cat "$here/pid")"; }
operator() {
    drain_ms=200
    settings=()
}
