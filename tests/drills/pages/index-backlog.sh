# Documents come faster than the builder links them. Threshold scaled from 100,000 to 1,000.
alert=AkidbIndexBacklog
scale='/alert: AkidbIndexBacklog/,/for:/s/> 100000/> 1000/'
settings=(--index.build_ef 512 --index.graph_rows_min 1000)
inject() { fill many 4000 64; }
