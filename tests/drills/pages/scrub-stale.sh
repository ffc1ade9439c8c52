# Scrubs read too slowly for this much data. Threshold scaled from 16 days to 8 seconds.
alert=AkidbScrubStale
scale='/alert: AkidbScrubStale/,/for:/s/> 16 \* 86400/> 8/'
prepare() { printf '[storage]\nscrub_interval_s = 1\nscrub_bytes_per_second = 1048576\n' >"$CONFIG"; }
inject() { fill many 3000 1024; }
operator() { printf '[storage]\nscrub_interval_s = 1\nscrub_bytes_per_second = 1000000000\n' >"$CONFIG"; }
