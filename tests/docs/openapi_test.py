"""Holds openapi.yaml against a running server (AKIDB_URL, a fresh one that asks for credentials, whose log is AKIDB_LOG).

Every example of a request is sent as it stands, and of every operation at least one request; what a request needs to find (a
collection, a document, an alias) is put there before. The status must be one that the page names, and each answer, like each example of
an answer, must fit the schema that the page gives for it: no member missing that is required, none there that the page does not know.
Prints how many were sent. Usage: openapi_test.py SOURCE_DIRECTORY
"""

import json
import os
import pathlib
import re
import sys
import tempfile
import time
import urllib.error
import urllib.request

import jsonschema
import yaml

METHODS = ("get", "put", "post", "patch", "delete")
VECTOR = [round(0.01 * n, 2) for n in range(1, 17)]

# Bodies for what has none in the page because a vector is too long for it, or because the Qdrant dialect's shapes are Qdrant's own.
POINT = {"id": 7, "vector": VECTOR, "payload": {"word": "king", "lang": "en"}}
BODIES = {
    "PUT /api/v1/collections/{collection}/documents": {"documents": [{"id": 7, "vector": VECTOR, "metadata": {"word": "king", "lang": "en"}}]},
    "PUT /api/v1/collections/{collection}/metadata-indexes/{field}": {"type": "keyword"},
    "POST /api/v1/collections/{collection}/search": {"vector": VECTOR, "top_k": 3, "include": ["metadata"], "explain": True},
    "POST /api/v1/collections/{collection}/search/batch": {"searches": [{"vector": VECTOR}, {"id": 7}]},
    "PUT /collections/{collection}": {"vectors": {"": {"size": 16, "distance": "Cosine"}, "side": {"size": 16, "distance": "Dot"}}},
    "PATCH /collections/{collection}": {"hnsw_config": None},
    "PUT /collections/{collection}/index": {"field_name": "lang", "field_schema": "keyword"},
    "POST /collections/aliases": {"actions": [{"create_alias": {"collection_name": "words", "alias_name": "shown"}}]},
    "POST /collections/{collection}/points": {"ids": [7]},
    "PUT /collections/{collection}/points": {"points": [POINT]},
    "POST /collections/{collection}/points/scroll": {"limit": 2},
    "POST /collections/{collection}/points/count": {"exact": True},
    "POST /collections/{collection}/facet": {"key": "lang"},
    "POST /collections/{collection}/points/query": {"query": VECTOR, "limit": 2},
    "POST /collections/{collection}/points/query/batch": {"searches": [{"query": VECTOR, "limit": 2}]},
    "POST /collections/{collection}/points/query/groups": {"query": VECTOR, "group_by": "lang", "limit": 2},
    "POST /collections/{collection}/points/search": {"vector": VECTOR, "limit": 2},
    "POST /collections/{collection}/points/search/batch": {"searches": [{"vector": VECTOR, "limit": 2}]},
    "POST /collections/{collection}/points/search/groups": {"vector": VECTOR, "group_by": "lang", "limit": 2, "group_size": 1},
    "POST /collections/{collection}/points/recommend": {"positive": [7], "limit": 2},
    "POST /collections/{collection}/points/recommend/batch": {"searches": [{"positive": [7], "limit": 2}]},
    "POST /collections/{collection}/points/recommend/groups": {"positive": [7], "group_by": "lang", "limit": 2, "group_size": 1},
    "POST /collections/{collection}/points/delete": {"points": [99]},
    "POST /collections/{collection}/points/payload": {"payload": {"seen": True}, "points": [7]},
    "PUT /collections/{collection}/points/payload": {"payload": {"word": "king"}, "points": [7]},
    "POST /collections/{collection}/points/payload/delete": {"keys": ["seen"], "points": [7]},
    "POST /collections/{collection}/points/payload/clear": {"points": [7]},
    "PUT /collections/{collection}/points/vectors": {"points": [{"id": 7, "vector": VECTOR}]},
    "POST /collections/{collection}/points/vectors/delete": {"points": [7], "vector": ["side"]},
    "POST /collections/{collection}/points/batch": {"operations": [{"delete": {"points": [99]}}]},
}


class Page:
    """openapi.yaml with its references followed."""

    def __init__(self, path):
        self.root = yaml.safe_load(path.read_text(encoding="utf-8"))
        self.schemas = {name: self.closed(schema) for name, schema in self.root["components"]["schemas"].items()}

    def follow(self, node):
        while isinstance(node, dict) and "$ref" in node:
            found = self.root
            for step in node["$ref"].removeprefix("#/").split("/"):
                found = found[step]
            node = found
        return node

    def operations(self):
        for path, methods in self.root["paths"].items():
            for method in METHODS:
                if method in methods:
                    yield f"{method.upper()} {path}", methods[method]

    def bodies(self, operation):
        """Examples of the request."""
        content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
        examples = [content["example"]] if "example" in content else []
        return examples + [example["value"] for example in content.get("examples", {}).values()]

    def answer(self, operation, status):
        """(schema or None, example or None) of what the page says to this status."""
        content = self.follow(operation["responses"][status]).get("content", {}).get("application/json", {})
        return content.get("schema"), content.get("example")

    def validator(self, schema):
        return jsonschema.Draft7Validator({**self.closed(schema), "components": {"schemas": self.schemas}} if "$ref" not in schema else
                                          {"allOf": [schema], "components": {"schemas": self.schemas}})

    def closed(self, node):
        """As a schema for jsonschema which refuses members that the page does not name; references stay."""
        if isinstance(node, list):
            return [self.closed(part) for part in node]
        if not isinstance(node, dict):
            return node
        if "allOf" in node:
            parts = [self.closed(self.follow(part)) for part in node["allOf"]]
            return {"type": "object", "additionalProperties": False, "properties": {name: value for part in parts for name, value in part["properties"].items()}}
        made = {key: self.closed(value) for key, value in node.items() if key not in ("properties", "example", "nullable")}
        if isinstance(node.get("properties"), dict):
            made["properties"] = {name: self.closed(value) for name, value in node["properties"].items()}
            made.setdefault("additionalProperties", False)
        if node.get("nullable"):
            made["type"] = [made["type"], "null"]
            if "enum" in made:
                made["enum"] = [*made["enum"], None]
        return made


class Check:
    def __init__(self, source, url):
        self.page = Page(source / "openapi.yaml")
        self.operations = dict(self.page.operations())
        self.url = url
        self.token = None
        self.faults, self.sent, self.examples, self.done = [], 0, 0, set()

    def fault(self, name, text):
        self.faults.append(f"{name}: {text}")

    def call(self, name, body=None, refused=None, **captured):
        """Sends one request of the operation, compares, and returns what was answered; `refused` is a status that it is to have."""
        operation = self.operations[name]
        method, path = name.split(" ")
        for key, value in captured.items():
            path = path.replace("{" + key + "}", value)
        data = None if body is None else json.dumps(body).encode()
        headers = {"content-type": "application/json"} if data else {}
        if self.token:
            headers["authorization"] = f"Bearer {self.token}"
        request = urllib.request.Request(self.url + path, data, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                status, text, kind = answer.status, answer.read().decode(), answer.headers.get_content_type()
        except urllib.error.HTTPError as error:
            status, text, kind = error.code, error.read().decode(), error.headers.get_content_type()
        self.sent += 1
        self.done.add(name)
        if str(status) not in operation["responses"]:
            self.fault(name, f"answered {status}, which the page does not name: {text[:300]}")
            return None
        if kind != "application/json":
            return text
        answered = json.loads(text)
        schema, example = self.page.answer(operation, str(status))
        if schema is not None:
            self.compare(name, answered, schema, "the answer")
        self.compare_members(name, answered, example)
        if status >= 400 and status != refused:
            self.fault(name, f"{status} to {json.dumps(body)[:200]}: {answered}")
        return answered

    def compare(self, name, instance, schema, what):
        for error in self.page.validator(schema).iter_errors(instance):
            at = "/".join(map(str, error.absolute_path))
            self.fault(name, f"{what} at {at or 'the top'}: {error.message[:200]}")

    def compare_members(self, name, answered, example):
        """What an example shows comes: each member of it is in the answer."""
        if isinstance(example, dict) and isinstance(answered, dict):
            for key in example.keys() - answered.keys():
                self.fault(name, f"the example shows {key}, the answer has {sorted(answered)}")
            for key in example.keys() & answered.keys():
                self.compare_members(name, answered[key], example[key])
        elif isinstance(example, list) and isinstance(answered, list) and example and answered:
            self.compare_members(name, answered[0], example[0])

    def send_all(self, name, **captured):
        """Each example of the page, or what stands in BODIES, or nothing."""
        bodies = self.page.bodies(self.operations[name])
        self.examples += len(bodies)
        answered = None
        for body in bodies or [BODIES.get(name)]:
            answered = self.call(name, body, **captured)
        return answered

    def check_examples_of_answers(self):
        """An example that stands beside a schema fits it, and the schema of a request takes the request's examples."""
        for name, operation in self.operations.items():
            for status in operation["responses"]:
                schema, example = self.page.answer(operation, status)
                if schema is not None and example is not None:
                    self.compare(name, example, schema, f"the example of {status}")
            content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
            for body in self.page.bodies(operation) + ([BODIES[name]] if name in BODIES else []):
                if "schema" in content:
                    self.compare(name, body, content["schema"], "the example of the request")


def walk(check):
    """All operations in an order in which each finds what it needs."""
    own = "/api/v1/collections"
    of = {"collection": "words"}
    for path in ("/health", "/ready", "/startup", "/metrics", "/healthz", "/readyz", "/livez", "/"):
        check.send_all(f"GET {path}")
    # The page's own collection has 100 dimensions; the rest of the walk wants vectors that fit on a line.
    check.send_all(f"POST {own}")
    check.send_all(f"DELETE {own}/{{collection}}", **of)
    check.call(f"POST {own}", {"name": "words", "dimension": 16})
    check.send_all(f"GET {own}")
    check.send_all(f"PUT {own}/{{collection}}/documents", **of)
    check.call(f"PUT {own}/{{collection}}/documents", {"documents": [{"id": 8, "vector": VECTOR[::-1], "metadata": {"lang": "de", "draft": True}}, {"vector": VECTOR}]}, **of)
    for body in check.page.bodies(check.operations[f"PATCH {own}/{{collection}}/documents"]):
        version = check.call(f"POST {own}/{{collection}}/documents/get", {"ids": [7]}, **of)["documents"][0]["version"]
        for one in body.get("documents", []):
            one["if_version"] = version  # the number in the page is of nobody's server
        check.call(f"PATCH {own}/{{collection}}/documents", body, **of)
        check.examples += 1
    for verb in ("GET {own}/{{collection}}", "PATCH {own}/{{collection}}", "GET {own}/{{collection}}/stats", "POST {own}/{{collection}}/documents/get",
                 "POST {own}/{{collection}}/count", "POST {own}/{{collection}}/scroll", "POST {own}/{{collection}}/facet",
                 "POST {own}/{{collection}}/search", "POST {own}/{{collection}}/search/batch", "POST {own}/{{collection}}/optimize"):
        check.send_all(verb.format(own=own), **of)
    check.send_all(f"PUT {own}/{{collection}}/metadata-indexes/{{field}}", field="year", **of)
    check.send_all(f"DELETE {own}/{{collection}}/metadata-indexes/{{field}}", field="year", **of)
    check.send_all(f"GET {own}/{{collection}}/documents/{{id}}", id="7", **of)
    for alias in ("next", "old"):
        check.call("POST /api/v1/aliases", {"actions": [{"create": {"alias": alias, "collection": "words"}}]})
    check.call(f"POST {own}", {"name": "words-2", "dimension": 16})
    check.send_all("POST /api/v1/aliases")
    check.send_all("GET /api/v1/aliases")
    walk_dialect(check)
    check.send_all(f"POST {own}/{{collection}}/documents/delete", **of)
    check.send_all(f"PUT {own}/{{collection}}/documents", **of)
    check.send_all(f"POST {own}/{{collection}}/documents/erase", **of)
    check.send_all(f"DELETE {own}/{{collection}}/documents/{{id}}", id="8", **of)


def walk_dialect(check):
    of = {"collection": "points"}
    check.send_all("PUT /collections/{collection}", **of)
    check.send_all("PUT /collections/{collection}/points", **of)
    done_elsewhere = ("PUT /collections/{collection}", "PUT /collections/{collection}/points", "DELETE /collections/{collection}")
    for name, operation in check.operations.items():
        if operation.get("tags") == ["Qdrant dialect"] and name not in done_elsewhere:
            check.send_all(name, field="lang", id="7", **of)
    check.send_all("DELETE /collections/{collection}", **of)


def walk_accounts(check):
    """From the set-up token that the server told in its log; what follows is done in the administrator's session."""
    name = "POST /api/v1/auth/setup"
    log = pathlib.Path(os.environ["AKIDB_LOG"])
    until = time.monotonic() + 30
    while not (told := re.findall(r"setup_[\w-]{43}", log.read_text())):  # it is told right behind the moment at which the server is ready
        if time.monotonic() > until:
            raise TimeoutError("the log tells no set-up token")
    check.examples += 1
    check.call(name, {**check.page.bodies(check.operations[name])[0], "token": told[-1]})
    check.send_all("POST /api/v1/auth/challenge")
    check.token = check.send_all("POST /api/v1/auth/login")["token"]
    check.send_all("GET /api/v1/auth/me")
    user = {"user": "bob@example.com"}
    check.send_all("POST /api/v1/users")
    check.send_all("GET /api/v1/users")
    for verb in ("GET", "PATCH", "DELETE"):
        check.send_all(f"{verb} /api/v1/users/{{user}}", **user)
    key = {"key": check.send_all("POST /api/v1/keys")["id"]}
    check.send_all("GET /api/v1/keys")
    for verb in ("GET", "PATCH", "DELETE"):
        check.send_all(f"{verb} /api/v1/keys/{{key}}", **key)
    tenant = {"tenant": "acme"}
    check.send_all("POST /api/v1/tenants")
    check.send_all("GET /api/v1/tenants")
    check.send_all("DELETE /api/v1/tenants/{tenant}/backup-keys", **tenant)
    for verb in ("GET", "PATCH", "DELETE"):
        check.send_all(f"{verb} /api/v1/tenants/{{tenant}}", **tenant)
    check.send_all("GET /api/v1/audit")


def walk_backups(check):
    with tempfile.TemporaryDirectory() as place:
        # The example's place is the operator's; the request is the same but for the path.
        body = {**check.page.bodies(check.operations["POST /api/v1/backups"])[0], "to": place + "/backups"}
        check.examples += 1
        backup = check.call("POST /api/v1/backups", body)["id"]
        while check.call("GET /api/v1/backups/{backup}", backup=backup)["stage"] == "running":
            pass
        check.send_all("GET /api/v1/backups")


def walk_tiers(check):
    """Nothing failed here, so there is no dead letter to be tried again or dropped."""
    of = {"collection": "words-2"}
    check.send_all("GET /api/v1/collections/{collection}/tier", **of)
    check.send_all("POST /api/v1/collections/{collection}/tier", **of)
    for verb in ("GET /api/v1/tiers", "GET /api/v1/tiers/dead-letters", "POST /api/v1/tiers/dead-letters/retry", "POST /api/v1/tiers/breaker/reset"):
        check.send_all(verb)
    for verb in ("POST /api/v1/tiers/dead-letters/{letter}/retry", "DELETE /api/v1/tiers/dead-letters/{letter}"):
        check.call(verb, refused=404, letter="7")


def main():
    check = Check(pathlib.Path(sys.argv[1]), os.environ["AKIDB_URL"])
    check.check_examples_of_answers()
    walk_accounts(check)
    walk(check)
    walk_backups(check)
    walk_tiers(check)
    check.send_all("POST /api/v1/auth/logout")
    for name in check.operations.keys() - check.done:
        check.fault(name, "was not called")
    print(f"{len(check.done)} operations, {check.sent} requests, {check.examples} examples of the page among them, {len(check.faults)} faults")
    for fault in check.faults:
        print("  " + fault)
    return 1 if check.faults else 0


if __name__ == "__main__":
    sys.exit(main())
