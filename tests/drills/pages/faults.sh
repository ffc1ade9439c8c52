# A mark that is set too high makes every write end in 507.
alert=AkidbFaultsFast
prepare() { printf '[storage]\n' >"$CONFIG"; }
inject() {
    printf '[storage]\ndisk_soft_free_bytes = 1000000000000000\ndisk_hard_free_bytes = 1000000000000000\n' >"$CONFIG"
    systemctl restart akidb
    background one_write
}
operator() { printf '[storage]\n' >"$CONFIG"; }
recovered() { one_write; }
