# There is no room for a checkpoint, which each scrub begins with.
alert=AkidbCheckpointsFail
settings=(--storage.scrub_interval_s 2 --storage.disk_soft_free_bytes 60000000 --storage.disk_hard_free_bytes 40000000)
prepare() { small_disk; }
inject() {
    fill many 3000 256
    head -c 300000000 /dev/zero >"$here/disk/core.1234" 2>/dev/null || true
    get -X DELETE "$URL/api/v1/collections/many/documents/1" || true
}
operator() { rm "$here/disk/core.1234"; }
