// Solves the challenge of a proof_peer with the npm package altcha-lib, as its widget would, and tells what came of it.
// Usage: node altcha_solver.mjs PROOF_PEER
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { solveChallenge } from 'altcha-lib';
import { deriveKey } from 'altcha-lib/algorithms/pbkdf2';

async function answer(change) {
    const peer = spawn(process.argv[2], { stdio: ['pipe', 'pipe', 'inherit'] });
    const lines = createInterface({ input: peer.stdout });
    const challenge = JSON.parse((await lines[Symbol.asyncIterator]().next()).value);
    const solution = await solveChallenge({ challenge, deriveKey });
    const payload = change({ challenge, solution });
    peer.stdin.end(`${Buffer.from(JSON.stringify(payload)).toString('base64')}\n`);
    const code = await new Promise((resolve) => peer.on('close', resolve));
    return { code, counter: solution.counter };
}

const { code, counter } = await answer((payload) => payload);
if (code !== 0) {
    throw new Error(`altcha-lib's solution was refused (${code})`);
}
// The widget may send the names in another order than they came in.
const reordered = await answer(({ challenge, solution }) => ({
    solution,
    challenge: {
        signature: challenge.signature,
        parameters: Object.fromEntries(Object.entries(challenge.parameters).reverse()),
    },
}));
const later = await answer(({ challenge, solution }) => ({
    challenge: { ...challenge, parameters: { ...challenge.parameters, expiresAt: challenge.parameters.expiresAt + 1 } },
    solution,
}));
if (reordered.code !== 0 || later.code !== 1) {
    throw new Error(`in another order: ${reordered.code}, with a later end: ${later.code}`);
}
console.log(`altcha-lib found the counter ${counter}; its solution was accepted, once`);
