# It ends and is started again, again and again.
alert=AkidbRestarting
# Three starts and their scrapes take a busy machine longer than the other windows.
scale='/alert: AkidbRestarting/,/for:/s/\[12s\]/[40s]/'
start_time() { query "akidb_start_time_seconds{instance=\"$page\"}" '.data.result[0].value[1]'; }
is_another_start_scraped() { is_scraped && [ "$(start_time)" != "$1" ]; } # what no scrape sees no rule can count
inject() {
    local i before
    for ((i = 1; i <= 12; i++)); do
        before=$(start_time)
        kill -9 "$(cat "$here/pid")"
        until_true 30 is_gone "$(cat "$here/pid")" || give_up "it is not gone"
        start_server
        until_true 60 is_another_start_scraped "$before" || give_up "no scrape saw start $i"
        if [ "$i" -ge 3 ] && until_true 3 is_firing; then return; fi
    done
}
