# More searches than cores. The drill's collection is small, so the threshold is scaled from 25 ms to 50 µs.
alert=AkidbSearchSlow
scale='/alert: AkidbSearchSlow/,/for:/s/> 0.025/> 0.00005/'
prepare() { settings=(--logging.level warning); }
slow_search() {
    get -o /dev/null --json "{\"vector\":$vector,\"top_k\":100,\"filter\":{\"must\":[{\"key\":\"n\",\"range\":{\"gte\":3}}]}}" \
        "$URL/api/v1/collections/many/search"
}
inject() {
    fill many 4000 16
    background slow_search
    background slow_search
}
operator() { calm; }
