# The disk fills up with what is not AkiDB's.
alert=AkidbDiskLow
settings=(--storage.disk_soft_free_bytes 120000000 --storage.disk_hard_free_bytes 20000000)
prepare() { small_disk; }
inject() { head -c 100000000 /dev/zero >"$here/disk/core.1234"; }
operator() { rm "$here/disk/core.1234"; }
