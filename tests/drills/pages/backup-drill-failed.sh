# Blobs rot, those of the newest backup among them, whether that is the server's own or ours, and the server restores it for practice.
alert=AkidbBackupDrillFailed
BACKUPS=$here/backups
settings=(--backup.to "$BACKUPS" --backup.schedule 1d --backup.drill_interval_s 2)
inject() {
    until_true 20 akidb backup create --url "$URL" --to "$BACKUPS"
    find "$BACKUPS/blobs" -type f -size +0c | while read -r blob; do flip_a_byte "$blob"; done
}
