"""Answers the two routes of Chroma's API that docs/migrate.md reads, for 301 records: one more than its page."""

import http.server
import json
import threading

COUNT = 301


class ChromaStandIn(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.answer({"id": "c0ffee00-0000-4000-8000-000000000000", "name": self.path.rsplit("/", 1)[-1]})

    def do_POST(self):
        wanted = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        numbers = range(wanted["offset"], min(COUNT, wanted["offset"] + wanted["limit"]))
        self.answer(
            {
                "ids": [f"note-{number}" for number in numbers],
                "embeddings": [[float(number + i) for i in range(16)] for number in numbers],
                "metadatas": [{"number": number} if number % 2 else None for number in numbers],
                "documents": [f"text {number}" if number % 3 else None for number in numbers],
                "include": wanted["include"],
            }
        )

    def answer(self, body):
        content = json.dumps(body).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_):
        pass


def start():
    """Its address; it ends with the process."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), ChromaStandIn)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_port}"
