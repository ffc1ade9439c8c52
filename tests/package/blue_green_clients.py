#!/usr/bin/env python3
"""Clients of the proxy while deploy/blue-green.sh moves what is behind it: they search and write, and end when the file is gone.

Prints what was sent and failed, and leaves the ids that were acknowledged in a file: exactly these must be there in the end.
Usage: blue_green_clients.py PORT GOING_FILE ACKNOWLEDGED_FILE
"""

import http.client
import json
import os
import sys
import threading
import time

CLIENTS = 4


def main(words):
    port, going, acknowledged = int(words[0]), words[1], words[2]
    lock = threading.Lock()
    totals = {"searches": 0, "writes": 0, "failed": 0}
    longest = {"searches": 0.0, "writes": 0.0}
    ids, faults = [], []

    def call(connection, method, path, body):
        connection.request(method, path, json.dumps(body), {"Content-Type": "application/json"})
        answer = connection.getresponse()
        return answer.status, answer.read()

    def client(number):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        round_ = 0
        # Half of them write now and then and would be held; the others only search.
        while os.path.exists(going):
            round_ += 1
            is_write = number % 2 == 0 and round_ % 3 == 0
            id_ = number * 1_000_000 + round_
            vector = [float(1 + (id_ * 7 + i) % 11) for i in range(16)]
            begun = time.monotonic()
            try:
                if is_write:
                    documents = {"documents": [{"id": id_, "vector": vector, "metadata": {"n": round_}}]}
                    status, text = call(connection, "PUT", "/api/v1/collections/moved/documents", documents)
                else:
                    status, text = call(connection, "POST", "/api/v1/collections/moved/search", {"vector": vector, "top_k": 3})
                fault = None if status == 200 else f"{status} {text[:200]!r}"
            except (OSError, http.client.HTTPException) as problem:
                fault = repr(problem)
                connection.close()
            kind = "writes" if is_write else "searches"
            with lock:
                totals[kind] += 1
                longest[kind] = max(longest[kind], time.monotonic() - begun)
                if fault:
                    totals["failed"] += 1
                    faults.append(f"{kind}: {fault}")
                elif is_write:
                    ids.append(id_)

    threads = [threading.Thread(target=client, args=(number,)) for number in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with open(acknowledged, "w", encoding="utf-8") as file:
        file.writelines(f"{one}\n" for one in sorted(ids))
    for fault in faults[:10]:
        print("   ", fault)
    print(
        f"clients: {totals['searches']} searches (longest {longest['searches'] * 1000:.0f} ms), "
        f"{totals['writes']} writes (longest {longest['writes'] * 1000:.0f} ms), {totals['failed']} failed"
    )
    return 1 if totals["failed"] or not ids else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
