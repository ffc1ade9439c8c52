# More documents than fit. Threshold scaled from 80 % to what the machine's share of 60 MB is.
alert=AkidbMemoryHigh
scale='/alert: AkidbMemoryHigh/,/for:/s/> 0.8/* akidb_memory_limit_bytes > 60e6/'
inject() { fill many 3000 2048; }
operator() { get -X DELETE "$URL/api/v1/collections/many"; }
