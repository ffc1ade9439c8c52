// Compiled, never run: what the types allow, and what they must not.
import { Akidb, AkidbError, type Document } from "akidb";

export async function tour(): Promise<void> {
  const db = new Akidb("http://127.0.0.1:8080", { timeoutMs: 1000, retries: 0 });
  const words = await db.createCollection({ name: "words", dimension: 16, metadata_indexes: { lang: "keyword" } });
  await words.upsert([{ id: 2n ** 60n, vector: new Float32Array(16), metadata: { a: [1, { b: null }] } }]);
  const { matches } = await words.search({
    vector: [1],
    filter: { must: [{ key: "at", range: { gte: "2026-01-01T00:00:00Z" } }], must_not: { has_id: [1, "a"] } },
  });
  const best: number | undefined = matches[0]?.score;
  const { groups } = await words.search({ id: 1, group_by: { key: "lang" } });
  for await (const document of words.scroll({ include: ["metadata"] })) {
    const same: Document = document;
    await words.update({ documents: [{ id: same.id, if_version: same.version, set: {} }] }, { idempotencyKey: "k" });
  }
  try {
    await words.delete({ ids: [1] }, { signal: AbortSignal.timeout(5) });
  } catch (error) {
    if (error instanceof AkidbError && error.code === "NOT_FOUND") console.log(error.field, best, groups.length);
  }
  // @ts-expect-error A search is like something.
  await words.search({ top_k: 3 });
  // @ts-expect-error There is no such metric.
  await db.createCollection({ name: "words", dimension: 16, metric: "taxicab" });
  // @ts-expect-error Which documents?
  await words.delete({});
  // @ts-expect-error Grouped answers have no matches.
  (await words.search({ id: 1, group_by: { key: "lang" } })).matches;
}
