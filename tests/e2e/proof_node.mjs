// SPDX-License-Identifier: AGPL-3.0-or-later
// The browser's verifier in node: the same module and the same TypeScript, files from a folder, signatures
// on worker threads. Used by proof.mjs and bench/wasm.mjs.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';

/** The bundle of web/src/proof that proof.sh makes. */
const { ProofModule, WorkerPool, everything, runChecks } = await import(
  isMainThread ? process.env.PROOF_BUNDLE : workerData.bundle
);

export const compiled = async () => new WebAssembly.Module(await readFile(process.env.PROOF_WASM));

/** Files of a folder; `change(path, bytes)` may give other bytes, or null for none. */
export function folder(dir, change = (_path, bytes) => bytes) {
  return async (path, max) => {
    let bytes;
    try {
      bytes = await readFile(join(dir, path));
    } catch {
      bytes = null;
    }
    bytes = change(path, bytes);
    if (!bytes) return { code: 'E_NOT_FOUND', bytes: new Uint8Array(0) };
    if (bytes.length > max) return { code: 'E_TOO_LARGE', bytes: new Uint8Array(0) };
    return { code: 'OK', bytes };
  };
}

/** Everything about a tree, with `threads` workers; 0: in this thread. */
export async function verify(module, get, threads, options = {}) {
  if (threads === 0) {
    const m = await ProofModule.from(module);
    const here = { add: async (b, done) => done(runChecks(m, b)), end: async () => undefined };
    return everything(m, get, here, options);
  }
  const bundle = process.env.PROOF_BUNDLE;
  const workers = [];
  for (let i = 0; i < threads; i++)
    workers.push(new Worker(new URL(import.meta.url), { workerData: { module, bundle } }));
  const pool = new WorkerPool(workers);
  for (const w of workers) w.on('message', ({ id, checked }) => pool.answered(id, checked));
  try {
    return await everything(await ProofModule.from(module), get, pool, options);
  } finally {
    await Promise.all(workers.map((w) => w.terminate()));
  }
}

if (!isMainThread) {
  const m = await ProofModule.from(workerData.module);
  parentPort.on('message', (job) => parentPort.postMessage({ id: job.id, checked: runChecks(m, job) }));
}
