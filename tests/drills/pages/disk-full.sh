# The disk is full, and not of what is AkiDB's.
alert=AkidbDiskFull
settings=(--storage.disk_soft_free_bytes 60000000 --storage.disk_hard_free_bytes 40000000)
prepare() { small_disk; }
inject() {
    head -c 180000000 /dev/zero >"$here/disk/core.1234" || true
    one_write || true
}
operator() { rm "$here/disk/core.1234"; }
recovered() { one_write; }
