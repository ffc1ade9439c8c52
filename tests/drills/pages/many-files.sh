# Clients open connections and keep them.
alert=AkidbFilesNearLimit
inject() {
    prlimit --nofile=300:300 --pid "$(cat "$here/pid")"
    python3 - "$rest_port" "$here/going" <<'PY' &
import os, socket, sys, time
open(sys.argv[2], "w").close()
kept = [socket.create_connection(("127.0.0.1", int(sys.argv[1]))) for _ in range(250)]
while os.path.exists(sys.argv[2]):
    for one in kept:
        one.sendall(b"GET /health HTTP/1.1\r\nHost: a\r\n\r\n")
    for one in kept:
        one.recv(4096)
    time.sleep(1)
PY
    disown
}
operator() { calm; }
