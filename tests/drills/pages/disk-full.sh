# The disk is full, and not of what is AkiDB's.
alert=AkidbDiskFull
settings=(--storage.disk_soft_free_bytes 60000000 --storage.disk_hard_free_bytes 40000000)
prepare() {
    mkdir -p "$here/disk"
    mount -t tmpfs -o size=200m tmpfs "$here/disk" 2>/dev/null || skip "mounting is not permitted here"
    DATA=$here/disk/data
}
one_write() { documents 1 1 16 | get -X PUT --json @- "$URL/api/v1/collections/words/documents"; }
inject() {
    head -c 180000000 /dev/zero >"$here/disk/core.1234" || true
    one_write || true
}
operator() { rm "$here/disk/core.1234"; }
recovered() { one_write; }
