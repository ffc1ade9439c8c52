"""Every method against a running server (AKIDB_URL), and every route of openapi.yaml that the client offers."""

import array
import http.client
import http.server
import json
import os
import pathlib
import re
import sys
import threading
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "src"))

import akidb  # noqa: E402

URL = os.environ["AKIDB_URL"]
SEEN = set()
_request = http.client.HTTPConnection.request


def recorded(self, method, url, *args, **kwargs):
    SEEN.add(f"{method} {url.split('?')[0]}")
    return _request(self, method, url, *args, **kwargs)


http.client.HTTPConnection.request = recorded


def vector(number):
    """Directions that differ by their number."""
    return [1 + (number * (i + 3)) % 7 for i in range(16)]


class WithServer(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.db = akidb.Client(URL)
        cls.words = cls.db.create_collection("words-py", 16, metric="cosine", metadata_indexes={"lang": "keyword"})
        documents = [
            {"id": i, "vector": vector(i), "metadata": {"lang": "en" if i % 5 else "de", "place": i}} for i in range(25)
        ]
        assert cls.words.upsert(documents)["upserted"] == 25

    @classmethod
    def tearDownClass(cls):
        cls.words.drop()
        cls.db.close()
        missed = []
        path = None
        for line in (HERE.parents[2] / "openapi.yaml").read_text(encoding="utf-8").splitlines():
            if found := re.match(r"  (/.*):$", line):
                path = found[1]
            found = re.match(r"    (get|put|post|patch|delete):$", line)
            # Accounts, backups and tiers are administered by the command line and scripts.
            if not found or not re.fullmatch(r"/(api/v1/(?!auth|users|keys|tenants|audit|backups|tiers|collections/\{collection\}/tier).*|health|ready|startup|metrics)?", path):
                continue
            pattern = found[1].upper() + " " + re.sub(r"\\{\w+\\}", "[^/]+", re.escape(path))
            if not any(re.fullmatch(pattern, one) for one in SEEN):
                missed.append(f"{found[1]} {path}")
        assert not missed, f"routes of openapi.yaml that no method reached: {missed}"

    def refused(self, act, **wanted):
        with self.assertRaises(akidb.AkidbError) as caught:
            act()
        self.assertRegex(caught.exception.request_id, r"^[0-9a-f-]{36}$")
        for name, value in wanted.items():
            self.assertEqual(getattr(caught.exception, name), value, name)
        return caught.exception

    def test_has_several_vectors_by_their_names(self):
        pictures = self.db.create_collection(
            "pictures-py",
            vectors={"image": {"dimension": 16, "metric": "l2"}, "caption": {"dimension": 16, "storage": "f16"}},
        )
        pictures.upsert(
            [
                {"id": 1, "vectors": {"image": vector(1), "caption": vector(2)}},
                {"id": 2, "vectors": {"image": vector(3)}},
            ]
        )
        matches = pictures.search(vector(2), using="caption", include=["vector"])["matches"]
        self.assertEqual([match["id"] for match in matches], [1])
        self.assertEqual(matches[0]["vectors"]["image"], vector(1))
        self.assertEqual(list(pictures.get([1], include=["vectors.caption"])[0]["vectors"]), ["caption"])
        pictures.update(documents=[{"id": 2, "vectors": {"caption": vector(5)}}])
        pictures.update(ids=[1], remove_vectors=["caption"])
        queries = [{"using": "image", "vector": vector(3)}, {"using": "caption", "vector": vector(5)}]
        fused = pictures.search(fusion={"queries": queries})["matches"]
        self.assertEqual([match["id"] for match in fused], [2, 1])
        self.assertEqual(pictures.describe()["vectors"]["caption"]["storage"], "f16")
        self.refused(lambda: pictures.search(vector(1)), code="INVALID_ARGUMENT", field="using")
        pictures.drop()

    def test_tells_how_it_is(self):
        self.assertEqual(self.db.health()["status"], "ok")
        self.assertEqual(self.db.ready()["status"], "ready")
        self.assertEqual(self.db.ready("write")["status"], "ready")
        self.assertEqual(self.db.startup()["status"], "started")
        self.assertEqual(self.db.version()["name"], "akidb")
        self.assertIn("\nakidb_documents_written_total", self.db.metrics())

    def test_describes_collections(self):
        self.assertEqual(self.words.describe()["count"], 25)
        self.assertEqual(self.words.stats()["condition"], "serving")
        self.assertIn("words-py", [one["name"] for one in self.db.list_collections()])
        self.refused(lambda: self.db.create_collection("words-py", 16), code="ALREADY_EXISTS", status=409)
        error = self.refused(lambda: self.db.create_collection("x", 3), code="INVALID_ARGUMENT", field="dimension")
        self.assertIn("dimension", str(error))
        self.refused(self.db.collection("nowhere").stats, code="NOT_FOUND", status=404)
        self.assertRaises(ValueError, self.db.collection, "..")

    def test_searches(self):
        found = self.words.search(array.array("f", vector(3)), top_k=2, include=["metadata", "vector"])
        self.assertEqual(found["matches"][0]["id"], 3)
        self.assertEqual(found["matches"][0]["metadata"]["place"], 3)
        self.assertEqual(found["matches"][0]["vector"], vector(3))
        german = {"must": [{"key": "lang", "match": {"value": "de"}}]}
        found = self.words.search(vector(3), filter=german, explain=True, include=["metadata"])
        self.assertEqual([match["metadata"]["lang"] for match in found["matches"]], ["de"] * 5)
        self.assertIn("plan", found["explain"])
        found = self.words.search(positive=[1, vector(2)], negative=[4], group_by={"key": "lang"})
        self.assertEqual(sorted(group["value"] for group in found["groups"]), ["de", "en"])
        fusion = {"queries": [{"vector": vector(1), "top_k": 2}, {"id": 3, "top_k": 2}]}
        self.assertEqual(len(self.words.search(fusion=fusion, top_k=3)["matches"]), 3)
        self.assertEqual(len(self.words.search(id=7, diversity={"weight": 0.3}, top_k=4)["matches"]), 4)
        batch = self.words.search_batch([{"vector": vector(1), "top_k": 1}, {"id": 2, "params": {"exact": True}}])
        self.assertEqual(batch["results"][0]["matches"][0]["id"], 1)
        self.refused(lambda: self.words.search([1, 2]), code="INVALID_ARGUMENT", status=400, field="vector")
        error = self.refused(lambda: self.words.search(vector(1), top_k=0), field="top_k")
        self.assertIn("10000", error.allowed)
        self.refused(lambda: self.words.search_batch([]), field="searches")
        self.assertRaises(ValueError, self.words.search, [float("nan")] * 16)

    def test_pages_counts_and_counts_by_value(self):
        self.assertEqual([document["id"] for document in self.words.scroll(limit=4)], list(range(25)))
        page = self.words.scroll_page(limit=3, order_by={"key": "lang", "direction": "desc"}, include=["metadata"])
        self.assertEqual(page["documents"][0]["metadata"]["lang"], "en")
        self.assertIsInstance(page["next_cursor"], str)
        self.assertEqual(self.words.count(), 25)
        self.assertEqual(self.words.count({"must": {"key": "lang", "match": {"value": "de"}}}), 5)
        self.assertIsInstance(self.words.count(exact=False), int)
        counts = self.words.facet("lang")["facets"]
        self.assertEqual(counts, [{"value": "en", "count": 20}, {"value": "de", "count": 5}])
        self.refused(lambda: self.words.scroll_page(cursor="?"), code="INVALID_ARGUMENT", field="cursor")
        self.refused(lambda: self.words.count({"musst": []}), code="INVALID_ARGUMENT")
        self.refused(lambda: self.words.facet("lang", limit=0), field="limit")

    def test_gets_changes_and_deletes_documents(self):
        changed = self.db.create_collection("changed-py", 16)
        texts = ["a", "7", ".", "x/y ü%?"]
        changed.upsert([{"id": id, "vector": vector(i), "metadata": {"id": id}} for i, id in enumerate(texts)])
        changed.upsert([{"id": 7, "vector": vector(7)}])
        for id in texts:
            self.assertEqual(changed.get_one(id)["metadata"]["id"], id)
        self.assertEqual(changed.get_one(7)["metadata"], {})
        self.assertIsNone(changed.get_one("nobody"))
        self.assertIsNone(changed.get_one("12"))
        self.refused(lambda: self.db.collection("nowhere").get_one("a"), code="NOT_FOUND")
        self.assertEqual([one["id"] for one in changed.get(["7", "nobody", "a"], include=["metadata"])], ["7", "a"])

        version = changed.get_one("a")["version"]
        change = [{"id": "a", "if_version": version, "set": {"n": 1}}]
        self.assertEqual(changed.update(documents=change)["updated"], 1)
        self.refused(
            lambda: changed.update(documents=change), code="ABORTED", status=409, field="documents[0].if_version"
        )
        self.assertEqual(changed.update(filter={}, merge={"seen": True})["updated"], 5)
        self.assertEqual(changed.get_one("a")["metadata"], {"n": 1, "seen": True})
        self.assertEqual(changed.update(ids=["a"], remove=["seen"])["updated"], 1)
        self.refused(lambda: changed.update(ids=["a"]), code="INVALID_ARGUMENT")
        self.refused(lambda: changed.upsert([{"id": 1, "vector": [1]}]), field="documents[0].vector")

        self.assertEqual(changed.delete_one("7")["deleted"], 1)
        self.assertEqual(changed.delete_one(7)["deleted"], 1)
        self.assertEqual(changed.delete_one("x/y ü%?")["deleted"], 1)
        self.assertEqual(changed.delete(ids=["a", "nobody"])["deleted"], 1)
        self.assertEqual(changed.erase(ids=["."])["erased"], 1)
        self.refused(changed.delete, code="INVALID_ARGUMENT")
        self.refused(lambda: changed.erase(ids=[]), code="INVALID_ARGUMENT", field="ids")
        self.assertEqual(changed.count(), 0)
        self.assertEqual(changed.optimize()["dropped_rows"], 0)
        changed.drop()
        self.refused(changed.drop, code="NOT_FOUND")
        self.refused(changed.optimize, code="NOT_FOUND")

    def test_indexes_fields_and_names_aliases(self):
        self.assertEqual(self.words.create_index("a[].b/c", "integer"), {"field": "a[].b/c", "type": "integer"})
        self.assertEqual(self.words.describe()["metadata_indexes"]["a[].b/c"]["type"], "integer")
        self.words.drop_index("a[].b/c")
        self.refused(lambda: self.words.drop_index("a[].b/c"), code="NOT_FOUND")
        changed = self.words.change(settings={"ef": 64}, metadata_indexes={"a": "bool"})
        self.assertEqual((changed["settings"], changed["metadata_indexes"]["a"]["type"]), ({"ef": 64}, "bool"))
        self.assertEqual(self.words.change(settings={"ef": None}, metadata_indexes={"a": None})["settings"], {})
        self.refused(self.words.change, code="INVALID_ARGUMENT", field="settings")
        self.refused(lambda: self.words.create_index("lang", "colour"), code="INVALID_ARGUMENT", field="type")
        self.db.change_aliases([{"create": {"alias": "live-py", "collection": "words-py"}}])
        self.assertEqual(self.db.collection("live-py").count(), 25)
        self.assertIn({"alias": "live-py", "collection": "words-py"}, self.db.list_aliases())
        self.db.change_aliases([{"delete": {"alias": "live-py"}}])
        self.refused(lambda: self.db.change_aliases([{"delete": {"alias": "live-py"}}]), code="NOT_FOUND")

    def test_keeps_integers(self):
        largest = 2**64 - 1
        exact = self.db.create_collection("exact-py", 16)
        exact.upsert([{"id": largest, "vector": tuple(vector(1)), "metadata": {"above": 2**53 + 1}}])
        self.assertEqual(exact.get([largest])[0]["metadata"], {"above": 2**53 + 1})
        self.assertEqual(exact.get_one(largest)["id"], largest)
        self.assertEqual(exact.delete_one(largest)["deleted"], 1)
        exact.drop()

    def test_does_once_what_is_sent_twice_under_one_key(self):
        first = self.words.upsert([{"id": "key", "vector": vector(1)}], idempotency_key="once-py")
        second = self.words.upsert([{"id": "key", "vector": vector(1)}], idempotency_key="once-py")
        self.assertEqual(second, {**first, "replayed": True})
        self.refused(lambda: self.words.delete_one("key", idempotency_key="once-py"), status=409)
        self.words.delete_one("key")

    def test_threads_share_a_client(self):
        counts = []
        threads = [threading.Thread(target=lambda: counts.append(self.words.facet("lang")["distinct"])) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(counts, [2] * 8)


class Stumbling(http.server.BaseHTTPRequestHandler):
    """Answers by a script: (status, body, headers), "break", or "hang" until the test is over."""

    protocol_version = "HTTP/1.1"
    script = []
    keys = []
    connections = []
    over = threading.Event()

    def answer(self):
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.keys.append(self.headers.get("Idempotency-Key"))
        self.connections.append(self.client_address)
        answer = self.script.pop(0)
        if answer == "hang":
            self.over.wait()
        if isinstance(answer, str):
            self.close_connection = True
            return
        status, body, headers = answer
        content = body.encode() if isinstance(body, str) else json.dumps(body).encode()
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)
        self.close_connection = self.close_connection or "X-Close" in headers

    do_GET = do_POST = do_PUT = do_DELETE = answer

    def log_message(self, *_):
        pass


def busy(status, code, seconds=None):
    headers = {} if seconds is None else {"Retry-After": str(seconds)}
    return status, {"error": {"code": code, "message": "not now", "request_id": "r"}}, headers


class WithAServerThatStumbles(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Stumbling)
        threading.Thread(target=cls.server.serve_forever, daemon=True).start()
        cls.url = f"http://127.0.0.1:{cls.server.server_port}/"

    @classmethod
    def tearDownClass(cls):
        Stumbling.over.set()
        cls.server.shutdown()
        cls.server.server_close()

    def play(self, *script):
        Stumbling.script[:] = script
        Stumbling.keys.clear()
        Stumbling.connections.clear()
        client = akidb.Client(self.url)
        self.addCleanup(client.close)
        return client.collection("c")

    def fails(self, act, **wanted):
        with self.assertRaises(akidb.AkidbError) as caught:
            act()
        for name, value in wanted.items():
            self.assertEqual(getattr(caught.exception, name), value, name)

    def test_sends_a_write_again_under_the_same_key(self):
        script = busy(429, "RESOURCE_EXHAUSTED", 0), "break", busy(503, "UNAVAILABLE"), (200, {"deleted": 1}, {})
        c = self.play(*script)
        self.assertEqual(c.delete(ids=[1])["deleted"], 1)
        self.assertEqual(len(Stumbling.keys), 4)
        self.assertEqual(len(set(Stumbling.keys)), 1)
        self.assertRegex(Stumbling.keys[0], r"^[0-9a-f-]{36}$")

    def test_gives_up_where_sending_again_is_of_no_use(self):
        c = self.play(*[busy(503, "UNAVAILABLE", 0)] * 9)
        self.fails(c.count, code="UNAVAILABLE", retry_after_s=0, request_id="r")
        self.assertEqual(len(Stumbling.keys), 4)
        self.fails(self.play(busy(503, "DATA_LOSS")).count, code="DATA_LOSS")
        c = self.play(busy(429, "RESOURCE_EXHAUSTED", 86400))
        self.fails(lambda: c.delete(ids=[1]), code="RESOURCE_EXHAUSTED", retry_after_s=86400)
        self.fails(self.play("break").drop, code="CONNECTION_FAILED", status=0)
        self.fails(self.play((200, "<html>", {})).count, code="INTERNAL", status=200)
        self.fails(self.play((502, "<html>", {})).count, code="UNKNOWN", status=502)
        self.play((503, {"status": "not_ready", "reason": "draining"}, {}))
        with akidb.Client(self.url) as client:
            self.assertEqual(client.ready()["reason"], "draining")

    def test_keeps_a_connection_and_forgives_one_that_ended(self):
        count = 200, {"count": 1}, {}
        c = self.play(count, count, "break", count)
        for _ in range(3):
            self.assertEqual(c.count(), 1)
        self.assertEqual(Stumbling.connections[0], Stumbling.connections[1])
        self.assertNotEqual(Stumbling.connections[2], Stumbling.connections[3])

    def test_stops_at_the_time_limit(self):
        c = self.play("hang")
        self.fails(lambda: c.search([1], timeout_s=0.02), code="TIMEOUT", status=0)

    def test_wants_an_address(self):
        self.assertRaises(ValueError, akidb.Client, "localhost:8080")


if __name__ == "__main__":
    unittest.main()
