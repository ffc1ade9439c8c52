# Backups are made, and nobody restores one. Threshold scaled from 8 days to 12 seconds.
alert=AkidbBackupUnverified
scale='/alert: AkidbBackupUnverified/,/for:/s/> 8 \* 86400/> 12/'
BACKUPS=$here/backups
inject() {
    akidb backup create --url "$URL" --to "$BACKUPS"
    akidb backup verify "$BACKUPS" --level 3
    akidb backup create --url "$URL" --to "$BACKUPS"
}
