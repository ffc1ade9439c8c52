# More logins than there are cores to hash passwords. Threshold scaled from 500 ms to 10 ms.
alert=AkidbLoginSlow
scale='/alert: AkidbLoginSlow/,/for:/s/> 0.5/> 0.01/'
settings=(--auth.trusted_proxies 127.0.0.1)
one_login() {
    curl -s -o /dev/null --max-time 20 -H "X-Forwarded-For: 10.$((RANDOM % 256)).$((RANDOM % 256)).$((RANDOM % 256))" \
        --json "{\"email\":\"user$RANDOM@example.com\",\"password\":\"not the right one $RANDOM\"}" "$URL/api/v1/auth/login"
}
inject() { background one_login; }
operator() { calm; }
