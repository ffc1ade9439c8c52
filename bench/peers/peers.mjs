// AkiDB beside its peers: same data, same questions, same recall, one run. Each contender in turn builds (timed), finds
// the least ef of a ladder with the recall asked for, and is then measured in rounds with the others of its kind:
//   servers    by one client (wire_bench: open loop at the rates, and closed loop), beside a bare echo
//   embedded   by calls inside this process, one after another; servers over one connection of that client stand beside
// node peers.mjs --data DIR --out DIR [--peers akidb,chroma,…] [--recall 0.95] [--rates 100,500] [--seconds 5] [--rounds 3]
// DIR holds base.fbin, query.fbin and truth.ibin. Exit codes: 0, 64 usage, 70 when a request failed.
import {spawnSync} from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import {parseArgs} from 'node:util';

import {contenders} from './contenders.mjs';

const ladder = [10, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024];
const k = 10;
const echoBytes = 500;  // about what ten ids with scores take

const {values: options} = parseArgs({options: {
    data: {type: 'string'}, out: {type: 'string', default: 'bench/results/peers'},
    peers: {type: 'string', default: 'akidb,chroma,hnswlib,zvec,lancedb'},
    recall: {type: 'string', default: '0.95'}, rates: {type: 'string', default: '100,300,500,1000'},
    seconds: {type: 'string', default: '5'}, rounds: {type: 'string', default: '3'}, connections: {type: 'string', default: '16'},
    build: {type: 'string', default: 'build/release'}, modules: {type: 'string', default: '.cache/peers/node_modules'},
}});
if (!options.data) {
    console.error('peers: --data DIR is missing; DIR holds base.fbin, query.fbin and truth.ibin');
    process.exit(64);
}
const seconds = Number(options.seconds);
const rounds = Number(options.rounds);
const wanted = Number(options.recall);

function readVectors(file) {
    const bytes = fs.readFileSync(file);
    const rows = bytes.readUInt32LE(0);
    const dimension = bytes.readUInt32LE(4);
    const values = new Float32Array(bytes.buffer, bytes.byteOffset + 8, rows * dimension);
    return {rows, dimension, row: index => values.subarray(index * dimension, (index + 1) * dimension)};
}

function readTruth(file) {
    const bytes = fs.readFileSync(file);
    const width = bytes.readUInt32LE(4);
    return query => new Int32Array(bytes.buffer, bytes.byteOffset + 8 + query * width * 4, k);
}

const base = readVectors(path.join(options.data, 'base.fbin'));
const queries = readVectors(path.join(options.data, 'query.fbin'));
const truth = readTruth(path.join(options.data, 'truth.ibin'));
const vectors = Array.from({length: queries.rows}, (_, index) => queries.row(index));

function median(values) {
    return [...values].sort((left, right) => left - right)[Math.floor(values.length / 2)];
}

async function recallOf(contender) {
    let found = 0;
    for (let query = 0; query < vectors.length; ++query) {
        const near = new Set(truth(query));
        const vector = contender.prepare ? contender.prepare(vectors[query]) : vectors[query];
        for (const id of new Set(await contender.search(vector))) found += near.has(id) ? 1 : 0;
    }
    return found / (vectors.length * k);
}

/// The least ef with the recall; the last of the ladder where none has it.
async function tune(contender) {
    let recall = 0;
    for (const ef of ladder) {
        await contender.tune(ef);
        recall = await recallOf(contender);
        if (recall >= wanted || ef === ladder.at(-1)) return {ef, recall};
    }
}

function wire(words) {
    const ended = spawnSync(path.join(options.build, 'wire_bench'), words, {encoding: 'utf8', maxBuffer: 1 << 26});
    if (ended.status !== 0) throw new Error('wire_bench: ' + ended.stderr);
    return ended.stdout.trim().split('\n').map(line => JSON.parse(line));
}

function measureServer(contender, work, {echo = false, connections = options.connections, rates = options.rates + ',0'} = {}) {
    const bodies = path.join(work, contender.name.replace(/\W/g, '') + '.jsonl');
    if (!fs.existsSync(bodies)) fs.writeFileSync(bodies, vectors.map(vector => JSON.stringify(contender.request(vector)) + '\n').join(''));
    const words = ['--url', contender.url, '--path', contender.path, '--bodies', bodies, '--seconds', String(seconds),
        '--connections', connections, '--rates', rates];
    return wire(echo ? [...words, '--echo', String(echoBytes)] : words);
}

async function measureCalls(contender) {
    const prepared = vectors.map(vector => contender.prepare ? contender.prepare(vector) : vector);
    const times = [];
    const end = performance.now() + seconds * 1000;
    for (let query = 0; performance.now() < end; query = (query + 1) % prepared.length) {
        const begin = performance.now();
        await contender.search(prepared[query]);
        times.push(performance.now() - begin);
    }
    times.sort((left, right) => left - right);
    const at = share => times[Math.floor(share * times.length)] * 1000;
    return {per_second: times.length / (times.reduce((sum, time) => sum + time, 0) / 1000), p50_us: at(0.5), p95_us: at(0.95), p99_us: at(0.99)};
}

/// Of each figure the median over the rounds.
function medians(runs) {
    const merged = {};
    for (const key of Object.keys(runs[0])) merged[key] = key === 'errors' ? runs.reduce((sum, run) => sum + run.errors, 0) : median(runs.map(run => run[key]));
    return merged;
}

const work = fs.mkdtempSync(path.join(os.tmpdir(), 'akidb-peers-'));
const modules = path.resolve(options.modules);
const report = {machine: `${os.cpus()[0].model}, ${os.cpus().length} cores, ${os.release()}`, load_average: os.loadavg()[0],
    data: `${path.basename(path.resolve(options.data))}: ${base.rows} x ${base.dimension}, ${queries.rows} queries`, recall_wanted: wanted,
    rounds, seconds, contenders: [], servers: [], embedded: []};
const built = [];
try {
    for (const name of options.peers.split(',')) {
        if (!contenders[name]) throw new Error(`no peer "${name}"; there are: ${Object.keys(contenders).join(', ')}`);
        const contender = contenders[name]({work, modules, binary: path.resolve(options.build, 'akidb')});
        built.push(contender);
        const begin = performance.now();
        await contender.build(base);
        const build_s = (performance.now() - begin) / 1000;
        const tuned = await tune(contender);
        report.contenders.push({name: contender.name, kind: contender.kind, build_s, ...tuned});
        console.error(`${contender.name}: built in ${build_s.toFixed(1)} s, ef ${tuned.ef}, recall ${tuned.recall.toFixed(4)}`);
    }
    const servers = built.filter(one => one.kind === 'server');
    const serverRuns = new Map();
    const embeddedRuns = new Map();
    const add = (runs, name, found) => runs.set(name, [...runs.get(name) ?? [], found]);
    for (let round = 0; round < rounds; ++round) {
        if (servers.length > 0) add(serverRuns, 'bare echo', measureServer(servers[0], work, {echo: true}));
        for (const server of servers) add(serverRuns, server.name, measureServer(server, work));
        for (const server of servers) add(embeddedRuns, server.name, measureServer(server, work, {connections: '1', rates: '0'})[0]);
        for (const one of built.filter(one => one.kind === 'embedded')) add(embeddedRuns, one.name, await measureCalls(one));
    }
    for (const [name, runs] of serverRuns)
        for (let step = 0; step < runs[0].length; ++step) report.servers.push({name, ...medians(runs.map(run => run[step]))});
    for (const [name, runs] of embeddedRuns) report.embedded.push({name, ...medians(runs)});
} finally {
    for (const contender of built) await contender.close();
    fs.rmSync(work, {recursive: true, force: true});
}

const ratio = (mine, theirs) => mine > 0 ? (theirs / mine).toFixed(2) + 'x' : '-';
const ms = microseconds => (microseconds / 1000).toFixed(2);
let text = `# Beside the peers\n\n- **machine**: ${report.machine}; load average ${report.load_average.toFixed(2)} before\n- **data**: ${report.data}\n` +
    `- **recall@10**: each the least ef of ${ladder.join(', ')} with at least ${wanted}; medians of ${rounds} rounds of ${seconds} s, in turn\n\n` +
    '| contender | kind | built and searchable, s | ef | recall@10 |\n|---|---|---|---|---|\n';
for (const one of report.contenders) text += `| ${one.name} | ${one.kind} | ${one.build_s.toFixed(1)} | ${one.ef} | ${one.recall.toFixed(4)} |\n`;
text += `\n## Servers, by one client over ${options.connections} connections\n\nP50 / P95 / P99 in milliseconds, from the due moment; the ratio is P95 over AkiDB's, or of searches a second.\n\n` +
    '| asked for | contender | answered a second | P50 / P95 / P99 | errors | ratio to AkiDB |\n|---|---|---|---|---|---|\n';
for (const row of report.servers) {
    const own = report.servers.find(one => one.name === 'AkiDB' && one.rate === row.rate);
    const compared = !own ? '-' : row.rate > 0 ? ratio(own.p95_us, row.p95_us) : ratio(own.per_second, row.per_second);
    text += `| ${row.rate > 0 ? row.rate + '/s' : 'all'} | ${row.name} | ${row.per_second.toFixed(0)} | ${ms(row.p50_us)} / ${ms(row.p95_us)} / ${ms(row.p99_us)} | ${row.errors} | ${compared} |\n`;
}
text += '\n## One search after another\n\nEmbedded ones by calls in the process of node; servers over one connection, with JSON, by the client of before.\n\n' +
    '| contender | searches a second | P50 / P95 / P99 | speed over AkiDB |\n|---|---|---|---|\n';
const mine = report.embedded.find(one => one.name === 'AkiDB');
for (const row of report.embedded)
    text += `| ${row.name} | ${row.per_second.toFixed(0)} | ${ms(row.p50_us)} / ${ms(row.p95_us)} / ${ms(row.p99_us)} | ${mine ? ratio(mine.per_second, row.per_second) : '-'} |\n`;
fs.mkdirSync(options.out, {recursive: true});
fs.writeFileSync(path.join(options.out, 'peers.md'), text);
fs.writeFileSync(path.join(options.out, 'peers.json'), JSON.stringify(report, null, 2) + '\n');
console.log(text);
process.exit(report.servers.some(row => row.errors > 0) ? 70 : 0);
