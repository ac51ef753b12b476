// SPDX-License-Identifier: AGPL-3.0-or-later
// A worker of the page: one of them folds ("fold"), the others check signatures ("check"). They speak to
// each other over ports that the page has made, so that no worker starts another.
import { type Checked, runChecks } from './checks.js';
import { Cancelled, everything } from './everything.js';
import { getter } from './fetching.js';
import { ModuleFailure, ProofModule } from './module.js';
import { WorkerPool } from './pool.js';

export interface FoldStart {
  role: 'fold';
  module: WebAssembly.Module;
  base: string;
  anchor?: Uint8Array | undefined;
  policy?: Uint8Array | undefined;
  lowest: boolean;
  ports: MessagePort[];
}
export interface CheckStart {
  role: 'check';
  module: WebAssembly.Module;
  port: MessagePort;
}
export type Order = FoldStart | CheckStart | { role: 'pause' | 'resume' };

const PROGRESS_MS = 100;
let held: Promise<void> | null = null;
let release = () => {};

function hold(): void {
  if (!held) held = new Promise((r) => (release = r));
}

function goOn(): void {
  held = null;
  release();
}

async function check(o: CheckStart): Promise<void> {
  const m = await ProofModule.from(o.module);
  o.port.onmessage = (e: MessageEvent<{ id: number; bytes: ArrayBuffer; checks: ArrayBuffer }>) => {
    o.port.postMessage({ id: e.data.id, checked: runChecks(m, e.data) });
  };
}

async function fold(o: FoldStart): Promise<void> {
  const m = await ProofModule.from(o.module);
  const pool = new WorkerPool(o.ports as unknown as ConstructorParameters<typeof WorkerPool>[0]);
  for (const p of o.ports)
    p.onmessage = (e: MessageEvent<{ id: number; checked: Checked }>) => pool.answered(e.data.id, e.data.checked);
  let told = 0;
  try {
    const report = await everything(m, getter(o.base), pool, {
      anchor: o.anchor,
      policy: o.policy,
      lowest: o.lowest,
      gate: async () => {
        if (held) await held;
      },
      onProgress: (p) => {
        const now = performance.now();
        if (now - told < PROGRESS_MS) return;
        told = now;
        postMessage({ kind: 'progress', progress: { ...p } });
      },
    });
    postMessage({ kind: 'report', report });
  } catch (e) {
    if (e instanceof Cancelled) return;
    const code = e instanceof ModuleFailure ? e.code : 'E_INTERNAL';
    postMessage({ kind: 'failed', code, sentence: e instanceof Error ? e.message : String(e) });
  }
}

addEventListener('message', (e: MessageEvent<Order>) => {
  const o = e.data;
  if (o.role === 'check') void check(o);
  else if (o.role === 'fold') void fold(o);
  else if (o.role === 'pause') hold();
  else goOn();
});
