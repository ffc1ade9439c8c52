# Checkpoints come too seldom. Threshold scaled from 10 GB to 1 MB.
alert=AkidbLogsLarge
scale='/alert: AkidbLogsLarge/,/for:/s/> 10e9/> 1e6/'
settings=(--storage.checkpoint_log_bytes 1000000000)
inject() { fill many 4000 64; }
