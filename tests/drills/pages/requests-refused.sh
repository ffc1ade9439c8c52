# One client opens more connections than one address may.
alert=AkidbRequestsRefused
settings=(--limits.connections_per_address 8)
inject() {
    python3 - "$rest_port" "$here/going" <<'PY' &
import os, socket, sys, time
open(sys.argv[2], "w").close()
kept = []
while os.path.exists(sys.argv[2]):
    try:
        one = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
        kept = (kept + [one])[-40:]
    except OSError:
        pass
    time.sleep(0.05)
PY
    disown
}
operator() { calm; }
