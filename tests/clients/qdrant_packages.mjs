// The packages that speak the Qdrant dialect, unmodified, against a running server: node qdrant_packages.mjs URL.
// Each section makes stores, fills, searches, changes and empties them, and checks what comes back. Every call is
// counted; an error that was not expected ends the run with exit code 1.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";

const url = process.argv[2];
if (!url) {
  console.error("usage: node qdrant_packages.mjs http://127.0.0.1:8080");
  process.exit(64);
}

const DIMENSION = 32;
/** A direction that follows from the words: texts that share words are near one another. */
function embed(text) {
  const vector = new Array(DIMENSION).fill(0.01);
  for (const word of text.toLowerCase().split(/\W+/).filter(Boolean)) {
    let state = 7;
    for (const letter of word) state = (Math.imul(state, 31) + letter.charCodeAt(0)) >>> 0;
    for (let i = 0; i < DIMENSION; ++i) {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      vector[i] += state / 2 ** 31 - 1;
    }
  }
  return vector;
}

let calls = 0;
const failures = [];
/** One call of a package; `check` looks at what it answers. */
async function call(what, act, check = () => {}) {
  ++calls;
  try {
    const answer = await act();
    check(answer);
    return answer;
  } catch (error) {
    failures.push(`${what}: ${error.message}${error.data ? " " + JSON.stringify(error.data) : ""}`);
    return undefined;
  }
}
/** One that must be refused with this status. */
async function refused(what, status, act) {
  ++calls;
  try {
    await act();
    failures.push(`${what}: was not refused`);
  } catch (error) {
    if (error.status !== status) failures.push(`${what}: status ${error.status}, not ${status}: ${error.message}`);
  }
}
async function section(name, run) {
  calls = 0;
  failures.length = 0;
  await run();
  for (const failure of failures) console.log(`  ${name}: ${failure}`);
  console.log(`${name}: ${calls} calls, ${failures.length} unexpected errors`);
  if (calls < 40 || failures.length > 0) process.exitCode = 1;
}

const warnings = [];
console.warn = (...words) => warnings.push(words.join(" "));

const { QdrantClient } = await import("@qdrant/js-client-rest");

async function namedVectors(client, name) {
  const ids = (points) => points.map((point) => point.id);
  const near = (a, b) => a.forEach((x, i) => assert(Math.abs(x - b[i]) < 1e-5));
  await call("createCollection of named vectors", () => client.createCollection(name, { vectors: {
    text: { size: DIMENSION, distance: "Cosine" }, image: { size: 16, distance: "Euclid", datatype: "float16", on_disk: true } } }));
  await call("getCollection of named vectors", () => client.getCollection(name), (r) =>
    assert.deepEqual(r.config.params.vectors, {
      text: { size: DIMENSION, distance: "Cosine" }, image: { size: 16, distance: "Euclid", datatype: "float16" } }));
  const image = (first) => [first, ...new Array(15).fill(1)];
  await call("upsert of named vectors", () => client.upsert(name, { points: [
    { id: 1, vector: { text: embed("red apple"), image: image(1) }, payload: { kind: "fruit" } },
    { id: 2, vector: { text: embed("green pear") }, payload: { kind: "fruit" } },
    { id: 3, vector: { image: image(5) } }] }));
  await call("upsert batch of named vectors", () => client.upsert(name, { batch: {
    ids: [4, 5], vectors: { text: [embed("red car"), embed("blue car")], image: [image(8), image(9)] } } }));
  await call("query using text", () => client.query(name, { query: embed("red apple"), using: "text" }), (r) => {
    assert.equal(r.points[0].id, 1);
    assert(!ids(r.points).includes(3));
  });
  await call("query using image", () => client.query(name, { query: image(5), using: "image", with_vector: ["image"], limit: 2 }), (r) => {
    assert.equal(r.points[0].id, 3);
    assert.deepEqual(r.points[0].vector, { image: image(5) });
  });
  await call("query by id using image", () => client.query(name, { query: 4, using: "image", limit: 1 }), (r) =>
    assert.deepEqual(ids(r.points), [5]));
  await call("fusion over two vectors", () => client.query(name, { prefetch: [
    { query: embed("red apple"), using: "text", limit: 5 }, { query: image(1), using: "image", limit: 5 }],
  query: { fusion: "rrf" } }), (r) => assert.equal(r.points[0].id, 1));
  await call("retrieve all vectors", () => client.retrieve(name, { ids: [1, 2], with_vector: true }), (r) => {
    near(r[0].vector.text, embed("red apple"));
    assert.deepEqual(Object.keys(r[1].vector), ["text"]);
  });
  await call("updateVectors", () => client.updateVectors(name, { points: [{ id: 2, vector: { image: image(5.5) } }] }));
  await call("query what was added", () => client.query(name, { query: image(5.5), using: "image", limit: 1 }), (r) =>
    assert.deepEqual(ids(r.points), [2]));
  await call("deleteVectors", () => client.deleteVectors(name, { points: [1], vector: ["image"] }));
  await call("deleteVectors by filter", () => client.deleteVectors(name, {
    filter: { must: [{ has_id: [5] }] }, vector: ["image"] }));
  await call("scroll with one vector", () => client.scroll(name, { with_vector: ["image"] }), (r) =>
    assert.deepEqual(r.points.filter((point) => point.vector.image).map((point) => point.id), [2, 3, 4]));
  await refused("a vector of no such name", 400, () => client.query(name, { query: image(1), using: "sound" }));
  await refused("no name", 400, () => client.query(name, { query: image(1) }));
  await refused("a vector of another size", 400, () => client.upsert(name, { points: [{ id: 9, vector: { text: [1] } }] }));
  await call("deleteCollection of named vectors", () => client.deleteCollection(name));
}

await section("@qdrant/js-client-rest", async () => {
  const client = new QdrantClient({ url });
  const name = "js-" + randomUUID();
  const ids = (points) => points.map((point) => point.id);
  await call("collectionExists", () => client.collectionExists(name), (r) => assert.equal(r.exists, false));
  await call("createCollection", () => client.createCollection(name, { vectors: { size: DIMENSION, distance: "Cosine" } }));
  await refused("createCollection again", 409, () =>
    client.createCollection(name, { vectors: { size: DIMENSION, distance: "Cosine" } }));
  await namedVectors(client, name + "-named");
  await call("collectionExists", () => client.collectionExists(name), (r) => assert.equal(r.exists, true));
  await call("getCollections", () => client.getCollections(), (r) =>
    assert(r.collections.some((one) => one.name === name)));
  await call("getCollection", () => client.getCollection(name), (r) => {
    assert.equal(r.config.params.vectors.size, DIMENSION);
    assert.equal(r.config.params.vectors.distance, "Cosine");
    assert.equal(r.points_count, 0);
  });
  await refused("getCollection of none", 404, () => client.getCollection("none-" + randomUUID()));
  const uuid = randomUUID();
  await call("upsert points", () => client.upsert(name, { wait: true, points: [
    { id: 1, vector: embed("red apple"), payload: { kind: "fruit", colour: "red", price: 2.5, tags: ["sweet", "crisp"], at: "2026-01-02T00:00:00Z" } },
    { id: 2, vector: embed("green pear"), payload: { kind: "fruit", colour: "green", price: 3, place: { lat: 48.1, lon: 11.6 } } },
    { id: uuid, vector: embed("yellow lemon"), payload: { kind: "fruit", colour: "yellow", price: 1, note: null } },
  ] }), (r) => assert.equal(r.status, "completed"));
  await call("upsert batch", () => client.upsert(name, { batch: {
    ids: [10, 11], vectors: [embed("red car"), embed("blue car")], payloads: [{ kind: "car", colour: "red" }, null] } }));
  await call("upsert without wait", () => client.upsert(name, { wait: false, ordering: "weak", points: [
    { id: 12, vector: embed("green bus"), payload: { kind: "bus", seats: [{ row: 1, taken: true }, { row: 2, taken: false }] } }] }));
  await refused("a vector of another size", 400, () => client.upsert(name, { points: [{ id: 5, vector: [1, 2, 3] }] }));
  await call("count", () => client.count(name), (r) => assert.equal(r.count, 6));
  await call("count under a filter", () => client.count(name, { filter: { must: [{ key: "kind", match: { value: "fruit" } }] }, exact: true }),
    (r) => assert.equal(r.count, 3));
  await call("estimate", () => client.count(name, { exact: false }), (r) => assert(r.count > 0));
  await call("retrieve", () => client.retrieve(name, { ids: [1, uuid, 999], with_vector: true }), (r) => {
    assert.deepEqual(ids(r), [1, uuid]);
    assert.equal(r[0].vector.length, DIMENSION);
    assert.equal(r[0].payload.colour, "red");
  });
  await call("retrieve with some payload", () => client.retrieve(name, { ids: [1], with_payload: ["kind", "tags"] }),
    (r) => assert.deepEqual(r[0].payload, { kind: "fruit", tags: ["sweet", "crisp"] }));
  await call("retrieve without some payload", () => client.retrieve(name, { ids: [10], with_payload: { exclude: ["kind"] } }),
    (r) => assert.deepEqual(r[0].payload, { colour: "red" }));
  await call("query by a vector", () => client.query(name, { query: embed("apple red"), limit: 2, with_payload: true }), (r) => {
    assert.equal(r.points[0].id, 1);
    assert(r.points[0].score > 0.99);
    assert.equal(r.points[0].payload.kind, "fruit");
  });
  await call("query by an id", () => client.query(name, { query: 1, limit: 3 }), (r) => assert(!ids(r.points).includes(1)));
  await call("query nearest", () => client.query(name, { query: { nearest: embed("car") }, limit: 2 }), (r) =>
    assert.deepEqual(ids(r.points).sort(), [10, 11]));
  await call("query recommend", () => client.query(name, { query: { recommend: { positive: [1], negative: [10] } }, limit: 3 }),
    (r) => assert(!ids(r.points).includes(10)));
  await call("query with MMR", () => client.query(name, { query: { nearest: embed("red"), mmr: { diversity: 0.5, candidates_limit: 10 } }, limit: 3 }),
    (r) => assert.equal(r.points.length, 3));
  await call("query under a filter", () => client.query(name, { query: embed("red"), limit: 5, filter: {
    must: [{ key: "price", range: { gte: 2, lt: 3 } }], must_not: [{ key: "colour", match: { any: ["green"] } }] } }),
    (r) => assert.deepEqual(ids(r.points), [1]));
  await call("query with a threshold", () => client.query(name, { query: embed("red apple"), score_threshold: 0.999 }),
    (r) => assert.deepEqual(ids(r.points), [1]));
  await call("query with an offset", () => client.query(name, { query: embed("red apple"), limit: 1, offset: 1 }),
    (r) => assert.notEqual(r.points[0].id, 1));
  await call("query with parameters", () => client.query(name, { query: embed("red"), params: { hnsw_ef: 64, exact: true, quantization: { rescore: true } } }));
  await call("query with an empty filter", () => client.query(name, { query: embed("red"), filter: {} }), (r) => assert.equal(r.points.length, 6));
  await call("query of nothing is a page", () => client.query(name, { limit: 3, with_payload: true }), (r) => assert.equal(r.points.length, 3));
  await call("query with fusion", () => client.query(name, { limit: 2,
    prefetch: [{ query: embed("red apple"), limit: 2 }, { query: 1, filter: { must_not: [{ has_id: [1] }] }, limit: 1 }], query: { fusion: "rrf" } }),
    (r) => { assert.equal(r.points.length, 2); assert.equal(r.points[0].score >= 0.5, true); });
  await call("query with rrf", () => client.query(name, { prefetch: { query: embed("red apple"), limit: 1 }, query: { rrf: { k: 4 } } }),
    (r) => assert.deepEqual(r.points.map((point) => [point.id, point.score]), [[1, 0.25]]));
  await refused("query with nested prefetch", 400, () => client.query(name,
    { prefetch: [{ prefetch: [{ query: embed("x") }], query: embed("x") }], query: { fusion: "rrf" } }));
  await refused("query with another fusion", 400, () => client.query(name, { prefetch: [{ query: embed("x") }], query: { fusion: "dbsf" } }));
  await refused("query that rescores", 400, () => client.query(name, { prefetch: [{ query: embed("x") }], query: embed("y") }));
  await call("queryBatch", () => client.queryBatch(name, { searches: [{ query: embed("car"), limit: 1 }, { query: 1, limit: 1 }] }),
    (r) => assert.equal(r.length, 2));
  await call("queryGroups", () => client.queryGroups(name, { query: embed("red"), group_by: "kind", group_size: 2, limit: 3 }), (r) => {
    assert.equal(r.groups.length, 3);
    assert.deepEqual(r.groups.map((group) => group.id).sort(), ["bus", "car", "fruit"]);
  });
  for (const [what, filter, expected] of [
    ["except", { must: [{ key: "kind", match: { except: ["fruit"] } }] }, [10, 12]],
    ["text", { must: [{ key: "kind", match: { text: "Fruit" } }] }, [1, 2, uuid]],
    ["time", { must: [{ key: "at", range: { gt: "2026-01-01T00:00:00Z" } }] }, [1]],
    ["geo radius", { must: [{ key: "place", geo_radius: { center: { lat: 48, lon: 11.5 }, radius: 50000 } }] }, [2]],
    ["geo box", { must: [{ key: "place", geo_bounding_box: { top_left: { lat: 49, lon: 11 }, bottom_right: { lat: 48, lon: 12 } } }] }, [2]],
    ["values_count", { must: [{ key: "tags", values_count: { gte: 2 } }] }, [1]],
    ["is_empty", { must: [{ is_empty: { key: "kind" } }] }, [11]],
    ["is_null", { must: [{ is_null: { key: "note" } }] }, [uuid]],
    ["has_id", { must: [{ has_id: [2, uuid] }] }, [2, uuid]],
    ["nested", { must: [{ nested: { key: "seats", filter: { must: [{ key: "row", match: { value: 2 } }, { key: "taken", match: { value: false } }] } } }] }, [12]],
    ["should", { should: [{ key: "colour", match: { value: "red" } }, { key: "colour", match: { value: "yellow" } }] }, [1, 10, uuid]],
    ["min_should", { min_should: { conditions: [{ key: "kind", match: { value: "fruit" } }, { key: "colour", match: { value: "red" } }], min_count: 2 } }, [1]],
  ]) {
    await call(`scroll: ${what}`, () => client.scroll(name, { filter, limit: 100 }),
      (r) => assert.deepEqual(new Set(ids(r.points)), new Set(expected)));
  }
  await call("scroll by pages", async () => {
    const seen = [];
    let offset;
    do {
      const page = await client.scroll(name, { limit: 2, offset, with_payload: false });
      seen.push(...ids(page.points));
      offset = page.next_page_offset;
    } while (offset !== null);
    return seen;
  }, (seen) => assert.deepEqual(seen, [1, 2, 10, 11, 12, uuid]));
  await call("createPayloadIndex", () => client.createPayloadIndex(name, { field_name: "price", field_schema: "float", wait: true }));
  await call("createPayloadIndex by object", () => client.createPayloadIndex(name, { field_name: "kind", field_schema: { type: "keyword", is_tenant: true } }));
  await call("scroll in order", () => client.scroll(name, { order_by: { key: "price", direction: "desc" }, limit: 2 }),
    (r) => assert.deepEqual(ids(r.points), [2, 1]));
  await call("facet", () => client.facet(name, { key: "kind" }), (r) => assert.deepEqual(r.hits[0], { value: "fruit", count: 3 }));
  await call("getCollection", () => client.getCollection(name), (r) => assert.equal(r.payload_schema.price.data_type, "float"));
  await call("deletePayloadIndex", () => client.deletePayloadIndex(name, "price"));
  await call("setPayload", () => client.setPayload(name, { payload: { seen: true }, points: [1, 2] }));
  await call("setPayload at a key", () => client.setPayload(name, { payload: { by: "me" }, key: "review", points: [1] }));
  await call("overwritePayload", () => client.overwritePayload(name, { payload: { only: 1 }, points: [11] }));
  await call("deletePayload", () => client.deletePayload(name, { keys: ["price"], filter: { must: [{ key: "seen", match: { value: true } }] } }));
  await call("clearPayload", () => client.clearPayload(name, { points: [12] }));
  await call("retrieve changed", () => client.retrieve(name, { ids: [1, 11, 12] }), (r) => {
    assert.equal(r[0].payload.price, undefined);
    assert.deepEqual(r[0].payload.review, { by: "me" });
    assert.deepEqual(r[1].payload, { only: 1 });
    assert.deepEqual(r[2].payload, {});
  });
  await call("updateVectors", () => client.updateVectors(name, { points: [{ id: 12, vector: embed("violet") }] }));
  await call("query what changed", () => client.query(name, { query: embed("violet"), limit: 1 }), (r) => assert.equal(r.points[0].id, 12));
  await call("batchUpdate", () => client.batchUpdate(name, { operations: [
    { upsert: { points: [{ id: 20, vector: embed("twenty") }] } },
    { set_payload: { payload: { n: 20 }, points: [20] } },
    { delete: { points: [10] } },
  ] }), (r) => assert.equal(r.length, 3));
  await call("delete by ids", () => client.delete(name, { points: [11, 999] }));
  await call("delete by a filter", () => client.delete(name, { wait: true, filter: { must: [{ key: "n", match: { value: 20 } }] } }));
  await call("count", () => client.count(name), (r) => assert.equal(r.count, 4));
  await refused("updateCollection", 400, () => client.updateCollection(name, { optimizers_config: { indexing_threshold: 10000 } }));
  await call("updateCollectionAliases", () => client.updateCollectionAliases({ actions: [{ create_alias: { collection_name: name, alias_name: name + "-a" } }] }));
  await call("getAliases", () => client.getAliases(), (r) => assert(r.aliases.some((one) => one.collection_name === name)));
  await call("getCollectionAliases", () => client.getCollectionAliases(name), (r) => assert.equal(r.aliases.length, 1));
  await call("count by the alias", () => client.count(name + "-a"), (r) => assert.equal(r.count, 4));
  await call("deleteCollection", () => client.deleteCollection(name), (r) => assert.equal(r, true));
  await call("deleteCollection again", () => client.deleteCollection(name), (r) => assert.equal(r, false));
});

const { QdrantVectorStore: LangChainStore } = await import("@langchain/qdrant");
const { Document: LangChainDocument } = await import("@langchain/core/documents");

await section("@langchain/qdrant", async () => {
  const collectionName = "langchain-" + randomUUID();
  const embeddings = { embedDocuments: async (texts) => texts.map(embed), embedQuery: async (text) => embed(text) };
  const words = ["red apple", "green pear", "yellow lemon", "red car", "blue car", "green bus", "old red house", "new blue house"];
  const store = await call("fromTexts", () => LangChainStore.fromTexts(words, words.map((word, i) => ({ n: i, colour: word.split(" ").at(-2) })), embeddings, { url, collectionName }));
  for (const word of words) {
    await call(`similaritySearch ${word}`, () => store.similaritySearch(word, 1), (r) => assert.equal(r[0].pageContent, word));
    await call(`similaritySearchWithScore ${word}`, () => store.similaritySearchWithScore(word, 3), (r) => {
      assert.equal(r.length, 3);
      assert(r[0][1] >= r[1][1]);
    });
    await call(`maxMarginalRelevanceSearch ${word}`, () => store.maxMarginalRelevanceSearch(word, { k: 3, fetchK: 8, lambda: 0.5 }),
      (r) => assert.equal(r.length, 3));
  }
  for (const colour of ["red", "green", "blue", "yellow"]) {
    const filter = { must: [{ key: "metadata.colour", match: { value: colour } }] };
    await call(`under a filter ${colour}`, () => store.similaritySearch("thing", 8, filter), (r) => {
      assert(r.length >= 1);
      assert(r.every((document) => document.metadata.colour === colour));
    });
  }
  const ids = [randomUUID(), randomUUID(), randomUUID()];
  await call("addDocuments", () => store.addDocuments(ids.map((id, i) => new LangChainDocument({ id, pageContent: `extra word ${i}`, metadata: { extra: i } })),
    { customPayload: ids.map((_, i) => ({ batch: i })) }));
  await call("addVectors", () => store.addVectors([embed("vector given")], [new LangChainDocument({ pageContent: "vector given", metadata: {} })]));
  await call("similaritySearchVectorWithScore", () => store.similaritySearchVectorWithScore(embed("vector given"), 1),
    (r) => assert.equal(r[0][0].pageContent, "vector given"));
  const existing = await call("fromExistingCollection", () => LangChainStore.fromExistingCollection(embeddings, { url, collectionName }));
  for (let i = 0; i < 3; ++i) {
    await call(`search what was added ${i}`, () => existing.similaritySearch(`extra word ${i}`, 4), (r) =>
      assert(r.some((document) => document.metadata.extra === i)));
  }
  const retriever = existing.asRetriever({ k: 2 });
  await call("asRetriever", () => retriever.invoke("red apple"), (r) => assert.equal(r[0].pageContent, "red apple"));
  const diverse = existing.asRetriever({ k: 2, searchType: "mmr", searchKwargs: { fetchK: 6 } });
  await call("asRetriever mmr", () => diverse.invoke("red apple"), (r) => assert.equal(r.length, 2));
  await call("delete by a filter", () => store.delete({ filter: { must: [{ key: "metadata.extra", match: { any: [0, 1, 2] } }] } }));
  await call("search what was deleted", () => store.similaritySearch("extra word 1", 10), (r) =>
    assert(r.every((document) => document.metadata.extra === undefined)));
  await call("fromDocuments", () => LangChainStore.fromDocuments([new LangChainDocument({ pageContent: "from a document", metadata: { deep: { er: [1, 2] } } })], embeddings, { url, collectionName }));
  await call("search it", () => store.similaritySearch("from a document", 1), (r) => assert.deepEqual(r[0].metadata.deep, { er: [1, 2] }));
  await call("delete by ids", async () => {
    const [found] = await store.similaritySearch("from a document", 1);
    await store.delete({ ids: [found.id] });
    return store.similaritySearch("from a document", 1);
  }, (r) => assert.notEqual(r[0].pageContent, "from a document"));
  await new QdrantClient({ url }).deleteCollection(collectionName);
});

const { QdrantVectorStore: LlamaIndexStore } = await import("@llamaindex/qdrant");
const { TextNode } = await import("@llamaindex/core/schema");

await section("@llamaindex/qdrant", async () => {
  const collectionName = "llamaindex-" + randomUUID();
  const store = new LlamaIndexStore({ url, collectionName, embedModel: {} });
  const node = (text, metadata, doc) => {
    const made = new TextNode({ id_: randomUUID(), text, metadata, embedding: embed(text) });
    made.relationships = { SOURCE: { nodeId: doc, metadata: {} } };
    return made;
  };
  const words = ["red apple", "green pear", "yellow lemon", "red car", "blue car", "green bus", "old house", "new house", "tall tree", "small tree"];
  const nodes = words.map((word, i) => node(word, { n: i, colour: word.split(" ")[0], even: i % 2 === 0 }, i < 5 ? "first" : "second"));
  await call("add", () => store.add(nodes), (r) => assert.equal(r.length, 10));
  await call("collectionExists", () => store.collectionExists(collectionName), (r) => assert.equal(r, true));
  const query = (text, more = {}) => store.query({ queryEmbedding: embed(text), similarityTopK: 3, mode: "default", ...more }, undefined);
  for (const word of words) {
    await call(`query ${word}`, () => query(word), (r) => {
      assert.equal(r.nodes[0].text, word);
      assert.equal(r.ids.length, 3);
      assert(r.similarities[0] > 0.99);
    });
    await call(`query ${word} for its colour`, () => query("thing", { similarityTopK: 10, filters: { filters: [{ key: "colour", value: word.split(" ")[0], operator: "==" }] } }),
      (r) => assert(r.nodes.length >= 1 && r.nodes.every((found) => found.metadata.colour === word.split(" ")[0])));
  }
  for (const [filter, expected] of [
    [{ key: "n", value: 7, operator: ">" }, 2], [{ key: "n", value: 7, operator: ">=" }, 3], [{ key: "n", value: 2, operator: "<" }, 2],
    [{ key: "n", value: 2, operator: "<=" }, 3], [{ key: "n", value: 4, operator: "==" }, 1],
    [{ key: "colour", value: ["red", "blue"], operator: "in" }, 3], [{ key: "colour", value: ["red", "blue"], operator: "nin" }, 7],
    [{ key: "colour", value: "red", operator: "!=" }, 8], [{ key: "colour", value: "green", operator: "text_match" }, 2],
    [{ key: "missing", operator: "is_empty" }, 10],
  ]) {
    await call(`filter ${filter.operator}`, () => query("thing", { similarityTopK: 10, filters: { filters: [filter] } }),
      (r) => assert.equal(r.nodes.length, expected, `${JSON.stringify(filter)} found ${r.nodes.length}`));
  }
  await call("filters by or", () => query("thing", { similarityTopK: 10, filters: { condition: "or", filters: [
    { key: "n", value: 0, operator: "==" }, { key: "n", value: 9, operator: "==" }] } }), (r) => assert.equal(r.nodes.length, 2));
  await call("filters by and", () => query("thing", { similarityTopK: 10, filters: { condition: "and", filters: [
    { key: "colour", value: "red", operator: "==" }, { key: "n", value: 1, operator: ">" }] } }), (r) => assert.equal(r.nodes.length, 1));
  await call("raw filters", () => store.query({ queryEmbedding: embed("x"), similarityTopK: 10, mode: "default" },
    { qdrant_filters: { must: [{ key: "colour", match: { value: "tall" } }] } }), (r) => assert.equal(r.nodes.length, 1));
  await call("raw parameters", () => store.query({ queryEmbedding: embed("x"), similarityTopK: 10, mode: "default" },
    { qdrant_search_params: { hnsw_ef: 128, exact: true } }), (r) => assert.equal(r.nodes.length, 10));
  await call("add again", () => store.add([nodes[0]]));
  for (const doc of ["second", "first"]) {
    await call(`delete ${doc}`, () => store.delete(doc));
    await call(`query after it`, () => query("red apple", { similarityTopK: 10 }), (r) => assert.equal(r.nodes.length, doc === "second" ? 5 : 0));
  }
  await new QdrantClient({ url }).deleteCollection(collectionName);
});

const { QdrantVector } = await import("@mastra/qdrant");

await section("@mastra/qdrant", async () => {
  const store = new QdrantVector({ id: "akidb", url });
  const indexName = "mastra_" + randomUUID().replaceAll("-", "");
  await call("createIndex", () => store.createIndex({ indexName, dimension: DIMENSION, metric: "cosine" }));
  await call("createIndex again", () => store.createIndex({ indexName, dimension: DIMENSION, metric: "cosine" }));
  await call("listIndexes", () => store.listIndexes(), (r) => assert(r.includes(indexName)));
  const words = ["red apple", "green pear", "yellow lemon", "red car", "blue car", "green bus", "old house", "new house"];
  const metadata = words.map((word, i) => ({ word, n: i, colour: word.split(" ")[0], tags: [`t${i % 2}`, `u${i % 3}`], even: i % 2 === 0, at: `2026-01-0${i + 1}T00:00:00Z`, ...(i === 3 ? { nothing: null, place: { lat: 48, lon: 11 } } : {}), ...(i === 4 ? { seats: [{ row: 1, taken: true }, { row: 2, taken: false }] } : {}) }));
  const ids = await call("upsert", () => store.upsert({ indexName, vectors: words.map(embed), metadata }), (r) => assert.equal(r.length, words.length));
  await call("describeIndex", () => store.describeIndex({ indexName }), (r) => {
    assert.equal(r.dimension, DIMENSION);
    assert.equal(r.metric, "cosine");
    assert.equal(r.count, words.length);
  });
  for (const word of words) {
    await call(`query ${word}`, () => store.query({ indexName, queryVector: embed(word), topK: 2, includeVector: true }), (r) => {
      assert.equal(r[0].metadata.word, word);
      assert.equal(r[0].vector.length, DIMENSION);
    });
  }
  for (const [filter, expected] of [
    [{ colour: "red" }, 2], [{ colour: { $eq: "red" } }, 2], [{ colour: { $ne: "red" } }, 6], [{ n: { $gt: 5 } }, 2], [{ n: { $gte: 5 } }, 3],
    [{ n: { $lt: 2 } }, 2], [{ n: { $lte: 2 } }, 3], [{ n: { $gt: 1, $lt: 4 } }, 2], [{ colour: { $in: ["red", "blue"] } }, 3],
    [{ colour: { $nin: ["red", "blue"] } }, 5], [{ tags: { $in: ["u1"] } }, 3], [{ even: true }, 4],
    [{ $and: [{ colour: "red" }, { n: { $gt: 0 } }] }, 1], [{ $or: [{ colour: "blue" }, { colour: "yellow" }] }, 2],
    [{ $not: { colour: "red" } }, 6], [{ colour: { $not: { $eq: "red" } } }, 6], [{}, 8],
    [{ at: { $datetime: { range: { gte: new Date("2026-01-07T00:00:00Z") } } } }, 2], [{ nothing: { $null: true } }, 1],
    [{ absent: { $empty: true } }, 8], [{ word: { $regex: "apple" } }, 1], [{ tags: { $count: { $gte: 2 } } }, 8],
    [{ place: { $geo: { type: "radius", center: { lat: 48, lon: 11 }, radius: 1000 } } }, 1], [{ seats: { $nested: { row: 2, taken: false } } }, 1],
    [{ place: { $geo: { type: "box", top_left: { lat: 49, lon: 10 }, bottom_right: { lat: 47, lon: 12 } } } }, 1],
    [{ $hasVector: "" }, 8],
  ]) {
    const what = `filter ${JSON.stringify(filter)}`;
    await call(what, () => store.query({ indexName, queryVector: embed("thing"), topK: 10, filter }), (r) =>
      assert.equal(r.length, expected, `found ${r.length}, not ${expected}`));
  }
  await call("filter $hasId", () => store.query({ indexName, queryVector: embed("thing"), topK: 10, filter: { $hasId: [ids[0], ids[2]] } }), (r) => assert.equal(r.length, 2));
  for (const type of ["keyword", "integer", "float", "bool", "datetime", "uuid"]) {
    await call(`createPayloadIndex ${type}`, () => store.createPayloadIndex({ indexName, fieldName: `field_${type}`, fieldSchema: type }));
  }
  await call("deletePayloadIndex", () => store.deletePayloadIndex({ indexName, fieldName: "field_bool" }));
  await call("updateVector", () => store.updateVector({ indexName, id: ids[0], update: { vector: embed("changed"), metadata: { word: "changed" } } }));
  await call("query what changed", () => store.query({ indexName, queryVector: embed("changed"), topK: 1 }), (r) => assert.equal(r[0].metadata.word, "changed"));
  await call("updateVector by a filter", () => store.updateVector({ indexName, filter: { colour: "red" }, update: { metadata: { seen: true } } }));
  await call("query by it", () => store.query({ indexName, queryVector: embed("x"), topK: 10, filter: { seen: true } }), (r) => assert.equal(r.length, 1));
  await call("deleteVector", () => store.deleteVector({ indexName, id: ids[1] }));
  await call("deleteVectors by ids", () => store.deleteVectors({ indexName, ids: [ids[2]] }));
  await call("deleteVectors by a filter", () => store.deleteVectors({ indexName, filter: { colour: "green" } }));
  await call("describeIndex", () => store.describeIndex({ indexName }), (r) => assert.equal(r.count, 5));
  await call("deleteIndex", () => store.deleteIndex({ indexName }));
});

if (warnings.length > 0) {
  console.log(`  warnings: ${warnings.join("; ")}`);
  process.exitCode = 1;
}
