# A blob of the newest backup rots, and the server restores that backup for practice.
alert=AkidbBackupDrillFailed
BACKUPS=$here/backups
settings=(--backup.to "$BACKUPS" --backup.schedule 1d --backup.drill_interval_s 2)
inject() {
    until_true 20 akidb backup create --url "$URL" --to "$BACKUPS"
    flip_a_byte "$(find "$BACKUPS/blobs" -type f -printf '%s %p\n' | sort -n | tail -n 1 | cut -d ' ' -f 2)"
}
