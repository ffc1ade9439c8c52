# More logins than there are cores to hash passwords. Threshold scaled from 500 ms to 10 ms.
alert=AkidbLoginSlow
scale='/alert: AkidbLoginSlow/,/for:/s/> 0.5/> 0.01/'
settings=(--auth.trusted_proxies 127.0.0.1)
inject() { background one_login; }
operator() { calm; }
