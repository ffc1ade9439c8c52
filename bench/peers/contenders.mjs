// The contenders of peers.mjs. Each has: name, kind ('server' or 'embedded'), build(base) that returns when all rows are
// searchable and indexed, tune(ef), search(vector) -> row numbers, close(). Graphs with 16 links (32 at the lowest level) and 200 candidates
// while building, cosine. A server also has request(vector): the body that the common client posts to url + path.
import {spawn} from 'node:child_process';
import {createRequire} from 'node:module';
import path from 'node:path';

const k = 10;
const batch = 500;

async function call(url, method, body) {
    for (;;) {
        const answer = await fetch(url, {method, headers: {'content-type': 'application/json'}, body: body && JSON.stringify(body)});
        const text = await answer.text();
        if (answer.ok) return text === '' ? null : JSON.parse(text);
        if (answer.status !== 429) throw new Error(`${method} ${url}: ${answer.status} ${text.slice(0, 300)}`);
        await pause(50);
    }
}

const pause = milliseconds => new Promise(done => setTimeout(done, milliseconds));

async function until(ready, what) {
    for (let tries = 0; tries < 1200; ++tries) {
        if (await ready()) return;
        await pause(50);
    }
    throw new Error(`${what} did not become ready`);
}

function ended(child) {
    return new Promise(done => child.exitCode === null && child.signalCode === null ? child.once('exit', done) : done());
}

export function akidb({work, binary}) {
    let child;
    let ef = 0;
    const self = {
        name: 'AkiDB', kind: 'server', path: '/api/v1/collections/bench/search',
        async build(base) {
            const lines = [];
            child = spawn(binary, ['serve', '--data', path.join(work, 'akidb'), '--server.rest_port', '0', '--server.grpc_port', '0',
                '--metrics.port', '0'], {stdio: ['ignore', 'pipe', 'ignore']});
            child.stdout.on('data', text => lines.push(text.toString()));
            await until(() => /rest=\S+/.test(lines.join('')) || child.exitCode !== null, 'AkiDB');
            self.url = lines.join('').match(/rest=(\S+)/)[1];
            await until(async () => (await fetch(self.url + '/ready')).ok, 'AkiDB');
            const collection = self.url + '/api/v1/collections';
            await call(collection, 'POST', {name: 'bench', dimension: base.dimension, metric: 'cosine'});
            for (let from = 0; from < base.rows; from += batch) {
                const documents = [];
                for (let row = from; row < Math.min(base.rows, from + batch); ++row) documents.push({id: row, vector: Array.from(base.row(row))});
                await call(collection + '/bench/documents', 'PUT', {documents});
            }
            while ((await call(collection + '/bench/stats', 'GET')).head_rows > 0) await pause(100);
        },
        tune(value) { ef = value; },
        request: vector => ({vector: Array.from(vector), top_k: k, params: {ef}}),
        async search(vector) {
            return (await call(self.url + self.path, 'POST', self.request(vector))).matches.map(match => match.id);
        },
        async close() { if (child) { child.kill('SIGINT'); await ended(child); } },
    };
    return self;
}


export function chroma({work, modules}) {
    let child;
    let collection;
    const port = 20000 + process.pid % 20000;
    const url = `http://127.0.0.1:${port}`;
    async function start() {
        const program = `require(${JSON.stringify(path.join(modules, 'chromadb-js-bindings-linux-x64-gnu'))}).cli(` +
            JSON.stringify(['chroma', 'run', '--host', '127.0.0.1', '--port', String(port), '--path', path.join(work, 'chroma')]) + ')';
        child = spawn(process.execPath, ['-e', program], {stdio: 'ignore'});
        await until(() => fetch(url + '/api/v2/heartbeat').then(answer => answer.ok, () => false), 'Chroma');
    }
    async function stop() {
        if (!child) return;
        child.kill('SIGTERM');
        await ended(child);
    }
    const self = {
        url,
        name: 'Chroma server', kind: 'server',
        async build(base) {
            await start();
            const root = '/api/v2/tenants/default_tenant/databases/default_database/collections';
            const made = await call(self.url + root, 'POST', {name: 'bench',
                configuration: {hnsw: {space: 'cosine', max_neighbors: 16, ef_construction: 200, ef_search: 10}}});
            collection = `${root}/${made.id}`;
            self.path = collection + '/query';
            for (let from = 0; from < base.rows; from += batch) {
                const ids = [];
                const embeddings = [];
                for (let row = from; row < Math.min(base.rows, from + batch); ++row) {
                    ids.push(String(row));
                    embeddings.push(Array.from(base.row(row)));
                }
                await call(self.url + collection + '/add', 'POST', {ids, embeddings});
            }
            await self.search(base.row(0));
        },
        /// An index that is open keeps the value it was opened with.
        async tune(value) {
            await call(url + collection, 'PUT', {new_configuration: {hnsw: {ef_search: value}}});
            await stop();
            await start();
        },
        request: vector => ({query_embeddings: [Array.from(vector)], n_results: k, include: ['distances']}),
        async search(vector) {
            return (await call(self.url + self.path, 'POST', self.request(vector))).ids[0].map(Number);
        },
        close: stop,
    };
    return self;
}

export function hnswlib({modules}) {
    const {HierarchicalNSW} = createRequire(import.meta.url)(path.join(modules, 'hnswlib-node'));
    let index;
    return {
        name: 'hnswlib-node', kind: 'embedded',
        build(base) {
            index = new HierarchicalNSW('cosine', base.dimension);
            index.initIndex(base.rows, 16, 200, 100);
            for (let row = 0; row < base.rows; ++row) index.addPoint(Array.from(base.row(row)), row);
        },
        tune(value) { index.setEf(value); },
        prepare: vector => Array.from(vector),
        search: vector => index.searchKnn(vector, k).neighbors,
        close() {},
    };
}

export function zvec({work, modules}) {
    const z = createRequire(import.meta.url)(path.join(modules, '@zvec/zvec'));
    let collection;
    let ef = 0;
    return {
        name: 'zvec', kind: 'embedded',
        build(base) {
            const schema = new z.ZVecCollectionSchema({name: 'bench', vectors: {name: 'vector', dataType: z.ZVecDataType.VECTOR_FP32,
                dimension: base.dimension, indexParams: {indexType: z.ZVecIndexType.HNSW, metricType: z.ZVecMetricType.COSINE,
                    m: 16, efConstruction: 200}}});
            collection = z.ZVecCreateAndOpen(path.join(work, 'zvec'), schema);
            for (let from = 0; from < base.rows; from += batch) {
                const documents = [];
                for (let row = from; row < Math.min(base.rows, from + batch); ++row)
                    documents.push({id: String(row), vectors: {vector: Array.from(base.row(row))}});
                collection.insertSync(documents);
            }
            collection.optimizeSync();
        },
        tune(value) { ef = value; },
        prepare: vector => Array.from(vector),
        search: vector => collection.querySync({fieldName: 'vector', vector, topk: k, outputFields: [],
            params: {indexType: z.ZVecIndexType.HNSW, ef}}).map(found => Number(found.id)),
        close() { collection?.closeSync(); },
    };
}

export function lancedb({work, modules}) {
    const require = createRequire(import.meta.url);
    const lance = require(path.join(modules, '@lancedb/lancedb'));
    const arrow = require(path.join(modules, 'apache-arrow'));
    let table;
    let ef = 0;
    return {
        name: 'LanceDB HNSW-SQ', kind: 'embedded',
        async build(base) {
            const schema = new arrow.Schema([new arrow.Field('id', new arrow.Int32()), new arrow.Field('vector',
                new arrow.FixedSizeList(base.dimension, new arrow.Field('item', new arrow.Float32(), true)))]);
            const database = await lance.connect(path.join(work, 'lance'));
            table = await database.createEmptyTable('bench', schema);
            for (let from = 0; from < base.rows; from += 5000) {
                const rows = [];
                for (let row = from; row < Math.min(base.rows, from + 5000); ++row) rows.push({id: row, vector: Array.from(base.row(row))});
                await table.add(rows);
            }
            await table.createIndex('vector', {config: lance.Index.hnswSq({distanceType: 'cosine', numPartitions: 1, m: 16, efConstruction: 200})});
        },
        tune(value) { ef = value; },
        prepare: vector => Array.from(vector),
        async search(vector) {
            const found = await table.query().nearestTo(vector).distanceType('cosine').ef(ef).refineFactor(1).select(['id', '_distance']).limit(k).toArray();
            return found.map(row => row.id);
        },
        close() { table?.close(); },
    };
}

export const contenders = {akidb, chroma, hnswlib, zvec, lancedb};
