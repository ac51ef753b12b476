// SPDX-License-Identifier: AGPL-3.0-or-later
// Run by wasm.sh.
import { generateKeyPairSync, sign } from 'node:crypto';
import { availableParallelism, cpus } from 'node:os';
import { compiled, folder, verify } from '../tests/e2e/proof_node.mjs';

const { ProofModule, everything } = await import(process.env.PROOF_BUNDLE);
const wasm = await compiled();
const m = await ProofModule.from(wasm);
const seconds = (f) => {
  const start = performance.now();
  f();
  return (performance.now() - start) / 1000;
};
const print = (name, ...parts) => console.log(name, ...parts.map((p) => (typeof p === 'number' ? Math.round(p * 100) / 100 : p)));

const megabytes = new Uint8Array(64 << 20);
m.sha256(megabytes.subarray(0, 1 << 20));
print('sha256_MB_per_s', 67.1 / seconds(() => m.sha256(megabytes)));

const { publicKey, privateKey } = generateKeyPairSync('ed25519');
const key = publicKey.export({ format: 'der', type: 'spki' }).subarray(-32);
const message = Buffer.alloc(500, 'x');
const signature = sign(null, message, privateKey);
const rounds = 5000;
const verifyAll = () => {
  for (let i = 0; i < rounds; i++) if (!m.signatureHolds(key, signature, message)) throw new Error('a good signature was refused');
};
verifyAll();
const rate = rounds / seconds(verifyAll);
print('signatures_per_s_one_thread', rate);

const tree = folder(process.argv[2]);
const nobody = { add: async () => undefined, end: async () => undefined };
const alone = await ProofModule.from(wasm);
const folded = await everything(alone, tree, nobody, { noResults: true });
print('fold_records_per_s', folded.size / folded.seconds, 'memory_MB', alone.memoryBytes() / 1e6, 'records', folded.size);

const threads = availableParallelism?.() ?? cpus().length;
const r = await verify(wasm, tree, threads, {});
print('verify_seconds', r.seconds, 'signatures', r.signatures_verified, 'signatures_per_s', r.signatures_verified / r.seconds,
  'threads', threads, 'ratio_to_its_signatures', r.seconds / (r.signatures_verified / rate / threads), 'verdict', r.verdict);
