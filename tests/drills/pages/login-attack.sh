# Somebody tries passwords, from many addresses.
alert=AkidbLoginAttack
settings=(--auth.trusted_proxies 127.0.0.1)
one_login() {
    curl -s -o /dev/null --max-time 20 -H "X-Forwarded-For: 10.$((RANDOM % 256)).$((RANDOM % 256)).$((RANDOM % 256))" \
        --json "{\"email\":\"user$RANDOM@example.com\",\"password\":\"not the right one $RANDOM\"}" "$URL/api/v1/auth/login"
}
inject() {
    background one_login
    background one_login
}
operator() { calm; }
