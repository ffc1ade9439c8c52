# Somebody tries passwords, from many addresses.
alert=AkidbLoginAttack
settings=(--auth.trusted_proxies 127.0.0.1)
inject() {
    background one_login
    background one_login
}
operator() { calm; }
