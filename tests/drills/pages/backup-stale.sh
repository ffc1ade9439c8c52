# Nobody made a backup for a while. Threshold scaled from 26 hours to 8 seconds.
alert=AkidbBackupStale
scale='/alert: AkidbBackupStale/,/for:/s/> 26 \* 3600/> 8/'
BACKUPS=$here/backups
inject() { akidb backup create --url "$URL" --to "$BACKUPS"; }
recovered() { search; }
