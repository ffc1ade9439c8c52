// Every method against a running server (AKIDB_URL), and every route of openapi.yaml that the client offers.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { after, before, describe, test } from "node:test";

import { Akidb, AkidbError } from "../index.js";
import { decode, encode } from "../lib/json.js";

const url = process.env.AKIDB_URL;
const seen = new Set();
const recorded = (address, request) => {
  seen.add(`${request.method} ${new URL(address).pathname}`);
  return fetch(address, request);
};
const db = new Akidb(url, { fetch: recorded });

/** Directions that differ by their number. */
const vector = (number) => Array.from({ length: 16 }, (_, i) => 1 + ((number * (i + 3)) % 7));

async function refused(promise, wanted) {
  const error = await promise.then(() => assert.fail("was not refused"), (reason) => reason);
  assert(error instanceof AkidbError, `${error}`);
  assert.match(error.requestId, /^[0-9a-f-]{36}$/);
  for (const [key, value] of Object.entries(wanted)) assert.deepEqual(error[key], value, key);
  return error;
}

describe("against a server", () => {
  let words;
  before(async () => {
    assert(url, "AKIDB_URL names the server");
    words = await db.createCollection({ name: "words-ts", dimension: 16, metadata_indexes: { lang: "keyword" } });
    const documents = Array.from({ length: 25 }, (_, i) => ({
      id: i,
      vector: vector(i),
      metadata: { lang: i % 5 === 0 ? "de" : "en", place: i },
    }));
    assert.equal((await words.upsert(documents)).upserted, 25);
  });

  test("tells how it is", async () => {
    assert.equal((await db.health()).status, "ok");
    assert.equal((await db.ready()).status, "ready");
    assert.equal((await db.ready({ for: "write" })).status, "ready");
    assert.equal((await db.startup()).status, "started");
    assert.equal((await db.version()).name, "akidb");
    assert.match(await db.metrics(), /^akidb_documents_written_total/m);
  });

  test("has several vectors by their names", async () => {
    const pictures = await db.createCollection({
      name: "pictures-ts",
      vectors: { image: { dimension: 16, metric: "l2" }, caption: { dimension: 16, storage: "f16" } },
    });
    await pictures.upsert([
      { id: 1, vectors: { image: vector(1), caption: vector(2) } },
      { id: 2, vectors: { image: vector(3) } },
    ]);
    const { matches } = await pictures.search({ using: "caption", vector: vector(2), include: ["vector"] });
    assert.deepEqual(matches.map((match) => match.id), [1]);
    assert.deepEqual(matches[0].vectors.image, vector(1));
    await pictures.update({ documents: [{ id: 2, vectors: { caption: vector(5) } }] });
    await pictures.update({ ids: [1], remove_vectors: ["caption"] });
    const fused = await pictures.search({
      fusion: { queries: [{ using: "image", vector: vector(3) }, { using: "caption", vector: vector(5) }] },
    });
    assert.deepEqual(fused.matches.map((match) => match.id), [2, 1]);
    assert.equal((await pictures.describe()).vectors.caption.storage, "f16");
    await refused(pictures.search({ vector: vector(1) }), { code: "INVALID_ARGUMENT", field: "using" });
    await pictures.drop();
  });

  test("describes collections", async () => {
    const description = await words.describe();
    assert.equal(description.count, 25);
    assert.equal(description.metric, "cosine");
    assert.equal((await words.stats()).condition, "serving");
    assert((await db.listCollections()).some((one) => one.name === "words-ts"));
    await refused(db.createCollection({ name: "words-ts", dimension: 16 }), { code: "ALREADY_EXISTS", status: 409 });
    await refused(db.createCollection({ name: "x", dimension: 3 }), { code: "INVALID_ARGUMENT", field: "dimension" });
    await refused(db.collection("nowhere").stats(), { code: "NOT_FOUND", status: 404 });
  });

  test("searches", async () => {
    const near = { vector: new Float32Array(vector(3)), top_k: 2, include: ["metadata", "vector"] };
    const { matches } = await words.search(near);
    assert.equal(matches[0].id, 3);
    assert.equal(matches[0].metadata.place, 3);
    assert.deepEqual(matches[0].vector, vector(3));
    const filter = { must: [{ key: "lang", match: { value: "de" } }] };
    const german = await words.search({ vector: vector(3), filter, explain: true, include: ["metadata"] });
    assert.equal(german.matches.length, 5);
    assert.equal(typeof german.explain.plan, "string");
    assert(german.matches.every((match) => match.metadata.lang === "de"));
    const { groups } = await words.search({ positive: [1, vector(2)], negative: [4], group_by: { key: "lang" } });
    assert.deepEqual(groups.map((group) => group.value).sort(), ["de", "en"]);
    const fusion = { queries: [{ vector: vector(1), top_k: 2 }, { id: 3, top_k: 2 }] };
    assert.equal((await words.search({ fusion, top_k: 3 })).matches.length, 3);
    assert.equal((await words.search({ id: 7, diversity: { weight: 0.3 }, top_k: 4 })).matches.length, 4);
    const { results } = await words.searchBatch([{ vector: vector(1), top_k: 1 }, { id: 2, params: { exact: true } }]);
    assert.equal(results[0].matches[0].id, 1);
    await refused(words.search({ vector: [1, 2] }), { code: "INVALID_ARGUMENT", status: 400, field: "vector" });
    const error = await refused(words.search({ vector: vector(1), top_k: 0 }), { field: "top_k" });
    assert.match(error.allowed, /10000/);
    await refused(words.searchBatch([]), { field: "searches" });
  });

  test("pages, counts and counts by value", async () => {
    const ids = [];
    for await (const document of words.scroll({ limit: 4 })) ids.push(document.id);
    assert.deepEqual(ids, Array.from({ length: 25 }, (_, i) => i));
    const page = await words.scrollPage({ limit: 3, order_by: { key: "lang", direction: "desc" }, include: ["metadata"] });
    assert.equal(page.documents[0].metadata.lang, "en");
    assert.equal(typeof page.next_cursor, "string");
    assert.equal(await words.count(), 25);
    assert.equal(await words.count({ filter: { must: { key: "lang", match: { value: "de" } } } }), 5);
    assert.equal(typeof (await words.count({ exact: false })), "number");
    assert.deepEqual((await words.facet({ key: "lang" })).facets, [{ value: "en", count: 20 }, { value: "de", count: 5 }]);
    await refused(words.scrollPage({ cursor: "?" }), { code: "INVALID_ARGUMENT", field: "cursor" });
    await refused(words.count({ filter: { musst: [] } }), { code: "INVALID_ARGUMENT" });
    await refused(words.facet({ key: "lang", limit: 0 }), { field: "limit" });
  });

  test("gets, changes and deletes documents", async () => {
    const changed = await db.createCollection({ name: "changed-ts", dimension: 16 });
    await changed.upsert(["a", "7", ".", "x/y ü%?"].map((id, i) => ({ id, vector: vector(i), metadata: { id } })));
    await changed.upsert([{ id: 7, vector: vector(7) }]);
    for (const id of ["a", "7", ".", "x/y ü%?"]) assert.equal((await changed.getOne(id)).metadata.id, id);
    assert.deepEqual((await changed.getOne(7)).metadata, {});
    assert.equal(await changed.getOne("nobody"), undefined);
    assert.equal(await changed.getOne("12"), undefined);
    await refused(db.collection("nowhere").getOne("a"), { code: "NOT_FOUND" });
    assert.deepEqual((await changed.get(["7", "nobody", "a"], { include: ["metadata"] })).map((one) => one.id), ["7", "a"]);

    const { version } = await changed.getOne("a");
    assert.equal((await changed.update({ documents: [{ id: "a", if_version: version, set: { n: 1 } }] })).updated, 1);
    const conflict = { documents: [{ id: "a", if_version: version, set: { n: 2 } }] };
    await refused(changed.update(conflict), { code: "ABORTED", status: 409, field: "documents[0].if_version" });
    assert.equal((await changed.update({ filter: {}, merge: { seen: true } })).updated, 5);
    assert.deepEqual((await changed.getOne("a")).metadata, { n: 1, seen: true });
    await refused(changed.update({ ids: ["a"] }), { code: "INVALID_ARGUMENT" });
    await refused(changed.upsert([{ id: 1, vector: [1] }]), { field: "documents[0].vector" });

    assert.equal((await changed.deleteOne("7")).deleted, 1);
    assert.equal((await changed.deleteOne(7)).deleted, 1);
    assert.equal((await changed.deleteOne("x/y ü%?")).deleted, 1);
    assert.equal((await changed.delete({ ids: ["a", "nobody"] })).deleted, 1);
    assert.equal((await changed.erase({ ids: ["."] })).erased, 1);
    await refused(changed.delete({}), { code: "INVALID_ARGUMENT" });
    await refused(changed.erase({ ids: [] }), { code: "INVALID_ARGUMENT", field: "ids" });
    assert.equal(await changed.count(), 0);
    assert.equal((await changed.optimize()).dropped_rows, 0);
    assert.equal(await changed.drop(), true);
    await refused(changed.drop(), { code: "NOT_FOUND" });
    await refused(changed.optimize(), { code: "NOT_FOUND" });
  });

  test("indexes fields and names aliases", async () => {
    assert.deepEqual(await words.createIndex("a[].b/c", "integer"), { field: "a[].b/c", type: "integer" });
    assert.equal((await words.describe()).metadata_indexes["a[].b/c"].type, "integer");
    assert.equal(await words.dropIndex("a[].b/c"), true);
    await refused(words.dropIndex("a[].b/c"), { code: "NOT_FOUND" });
    const changed = await words.change({ settings: { ef: 64 }, metadata_indexes: { a: "bool" } });
    assert.deepEqual([changed.settings, changed.metadata_indexes.a.type], [{ ef: 64 }, "bool"]);
    assert.deepEqual((await words.change({ settings: { ef: null }, metadata_indexes: { a: null } })).settings, {});
    await refused(words.change({}), { code: "INVALID_ARGUMENT", field: "settings" });
    await refused(words.createIndex("lang", "colour"), { code: "INVALID_ARGUMENT", field: "type" });
    await db.changeAliases([{ create: { alias: "live-ts", collection: "words-ts" } }]);
    assert.equal(await db.collection("live-ts").count(), 25);
    assert.deepEqual((await db.listAliases()).find((one) => one.alias === "live-ts").collection, "words-ts");
    await db.changeAliases([{ delete: { alias: "live-ts" } }]);
    await refused(db.changeAliases([{ delete: { alias: "live-ts" } }]), { code: "NOT_FOUND" });
  });

  test("keeps integers beyond 2^53", async () => {
    const largest = 2n ** 64n - 1n;
    const exact = await db.createCollection({ name: "exact-ts", dimension: 16 });
    const metadata = { above: 2n ** 53n + 1n, text: "say \"9007199254740993\"", large: 2 ** 60, pair: [2 ** 61, 1] };
    await exact.upsert([{ id: largest, vector: vector(1), metadata }]);
    const [document] = await exact.get([largest]);
    assert.equal(document.id, largest);
    assert.deepEqual(document.metadata, metadata);
    const filter = { must: { has_id: [largest] } };
    assert.equal((await exact.search({ vector: vector(1), filter })).matches[0].id, largest);
    assert.equal((await exact.getOne(largest)).id, largest);
    await assert.rejects(exact.getOne(2 ** 60), RangeError);
    await assert.rejects(exact.upsert([{ id: 2 ** 60, vector: vector(1) }]), RangeError);
    assert.equal((await exact.deleteOne(largest)).deleted, 1);
    await exact.drop();
  });

  test("does once what is sent twice under one key", async () => {
    const first = await words.upsert([{ id: "key", vector: vector(1) }], { idempotencyKey: "once-ts" });
    assert.equal(first.replayed, undefined);
    const second = await words.upsert([{ id: "key", vector: vector(1) }], { idempotencyKey: "once-ts" });
    assert.deepEqual(second, { ...first, replayed: true });
    await refused(words.deleteOne("key", { idempotencyKey: "once-ts" }), { status: 409 });
    await words.deleteOne("key");
  });

  after(async () => {
    await words.drop();
    const text = await readFile(new URL("../../../openapi.yaml", import.meta.url), "utf8");
    let path;
    const missed = [];
    for (const line of text.split("\n")) {
      path = /^ {2}(\/.*):$/.exec(line)?.[1] ?? path;
      const method = /^ {4}(get|put|post|patch|delete):$/.exec(line)?.[1].toUpperCase();
      // Accounts, backups and tiers are administered by the command line and scripts.
      if (!method || !/^\/(api\/v1\/(?!auth|users|keys|tenants|audit|backups|tiers|collections\/\{collection\}\/tier).*|health|ready|startup|metrics)?$/.test(path)) continue;
      const pattern = new RegExp(`^${method} ${path.replace(/\{\w+\}/g, "[^/]+")}$`);
      if (![...seen].some((one) => pattern.test(one))) missed.push(`${method} ${path}`);
    }
    assert.deepEqual(missed, [], "routes of openapi.yaml that no method reached");
  });
});

describe("with a server that stumbles", () => {
  let server;
  let stumbling;
  let answers;
  let requests;
  before(async () => {
    server = createServer((request, response) => {
      requests.push(request.headers["idempotency-key"]);
      const answer = answers.shift();
      if (answer === "hang") return;
      if (answer === "break") return request.socket.destroy();
      const [status, body, headers] = answer;
      response.writeHead(status, headers).end(typeof body === "string" ? body : JSON.stringify(body));
    });
    await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
    stumbling = `http://127.0.0.1:${server.address().port}/`;
  });
  after(() => {
    server.closeAllConnections();
    server.close();
  });
  const play = (...script) => {
    answers = script;
    requests = [];
    return new Akidb(stumbling).collection("c");
  };
  const busy = (status, code, seconds) => [
    status,
    { error: { code, message: "not now", request_id: "r" } },
    seconds === undefined ? {} : { "Retry-After": String(seconds) },
  ];

  test("sends a write again under the same key", async () => {
    const c = play(busy(429, "RESOURCE_EXHAUSTED", 0), "break", busy(503, "UNAVAILABLE"), [200, { deleted: 1 }]);
    assert.equal((await c.delete({ ids: [1] })).deleted, 1);
    assert.equal(requests.length, 4);
    assert.equal(new Set(requests).size, 1);
    assert.match(requests[0], /^[0-9a-f-]{36}$/);
  });

  test("gives up where sending again is of no use", async () => {
    let c = play(...Array.from({ length: 9 }, () => busy(503, "UNAVAILABLE", 0)));
    await assert.rejects(c.count(), { code: "UNAVAILABLE", retryAfterS: 0, requestId: "r" });
    assert.equal(requests.length, 4);
    c = play(busy(503, "DATA_LOSS"));
    await assert.rejects(c.count(), { code: "DATA_LOSS" });
    c = play(busy(429, "RESOURCE_EXHAUSTED", 86400));
    await assert.rejects(c.delete({ ids: [1] }), { code: "RESOURCE_EXHAUSTED", retryAfterS: 86400 });
    c = play("break");
    await assert.rejects(c.drop(), { code: "CONNECTION_FAILED", status: 0 });
    c = play([200, "<html>"]);
    await assert.rejects(c.count(), { code: "INTERNAL", status: 200 });
    c = play([502, "<html>"]);
    await assert.rejects(c.count(), { code: "UNKNOWN", status: 502 });
    const notReady = [503, { status: "not_ready", reason: "draining" }];
    play(notReady);
    assert.equal((await new Akidb(stumbling).ready()).reason, "draining");
  });

  test("stops at the time limit and at the caller's word", async () => {
    let c = play("hang");
    await assert.rejects(c.count({ timeoutMs: 20 }), { code: "TIMEOUT", status: 0 });
    c = play("hang");
    const giveUp = new AbortController();
    const asked = c.count({ signal: giveUp.signal });
    giveUp.abort(new Error("enough"));
    await assert.rejects(asked, /enough/);
    c = play(busy(503, "UNAVAILABLE", 20));
    const waiting = new AbortController();
    const paused = c.count({ signal: waiting.signal });
    setTimeout(() => waiting.abort(new Error("enough")), 50);
    await assert.rejects(paused, /enough/);
    await assert.rejects(play().count({ signal: AbortSignal.abort(new Error("before")) }), /before/);
  });
});

test("wants an address", () => {
  for (const address of ["", "localhost:8080"]) assert.throws(() => new Akidb(address), TypeError);
});

test("JSON goes both ways unharmed", () => {
  const mixed = [1, 2.5, "x\\\"9007199254740993", null, true];
  const value = { mixed, "9007199254740993": -9007199254740993n, e: 1e300, o: {} };
  assert.deepEqual(decode(encode(value)), value);
  assert.equal(encode([2 ** 60, 1e21, 2n ** 60n]), "[1.152921504606847e+18,1e+21,1152921504606846976]");
  const special = { v: new Float64Array([1, 0.1]), u: undefined, d: new Date(0) };
  assert.equal(encode(special), '{"v":[1,0.1],"d":"1970-01-01T00:00:00.000Z"}');
  const escaped = { text: "\\".repeat(1_000_000), number: 9007199254740993n };
  assert.deepEqual(decode(encode(escaped)), escaped);
  const long = { text: "\\\"".repeat(2_000_000), number: 9007199254740993n };
  assert.deepEqual(decode(encode(long)), long);
});
