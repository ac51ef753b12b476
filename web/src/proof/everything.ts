// SPDX-License-Identifier: AGPL-3.0-or-later
// Verifying everything: steps of the module, files fetched ahead of them, signatures given away. Runs in a
// worker (worker.ts) and, for tests, in node.
import { type Bundle, type Checked, CHECK_BYTES } from './checks.js';
import { Ahead, type Get } from './fetching.js';
import { ModuleFailure, type ProofModule } from './module.js';

/** What `hesabu verify --json` prints (docs/verifying.md). */
export interface Report {
  verdict: 'valid' | 'invalid' | 'could not tell';
  trust: 'anchored' | 'self-declared';
  size: number;
  root: string;
  code?: string;
  index?: number;
  sentence?: string;
  records: Record<string, number>;
  contests: Record<string, Record<string, Record<string, number>>>;
  findings: Record<string, number>;
  signatures_verified: number;
  seconds: number;
  witnesses: { in_policy: number; cosigned: number; earlier_checkpoints: number };
  results: { compared: boolean; files: number; left_out?: number; note?: string };
  refused: { index: number; code: string; sentence: string }[];
  refused_count: number;
  simulated?: string;
}

export interface Progress {
  done: number;
  size: number;
  signatures: number;
  results: number; // files compared so far
}

export interface EverythingOptions {
  anchor?: Uint8Array | undefined;
  policy?: Uint8Array | undefined;
  lowest?: boolean | undefined; // every polling centre's file of results too
  noResults?: boolean | undefined;
  signal?: AbortSignal | undefined;
  onProgress?: ((p: Progress) => void) | undefined;
  /** Waited for before each step: a pause. */
  gate?: (() => Promise<void>) | undefined;
}

/** Checks a bundle somewhere; the promise of `add` is of room for the next one, not of the verdict. */
export interface Pool {
  add(b: Bundle, done: (c: Checked) => void): Promise<void>;
  end(): Promise<void>;
}

const STEP_MORE = 0;
const STEP_END = 1;
const STEP_WANTS = 2;
const AHEAD = 16;

export class Cancelled extends Error {}

function planAhead(m: ProofModule, x: number, ahead: Ahead): void {
  const paths: string[] = [];
  for (let k = 0; k < AHEAD; k++) {
    const at = m.call('everything_ahead', x, k);
    if (!at) break;
    paths.push(m.text(at));
  }
  ahead.plan(paths);
}

function bundleOf(m: ProofModule, x: number): Bundle | null {
  const count = m.call('everything_checks', x);
  if (!count) return null;
  const b = {
    bytes: m.bytes(m.call('everything_bundle_at', x), m.call('everything_bundle_bytes', x)).buffer as ArrayBuffer,
    checks: m.bytes(m.call('everything_checks_at', x), count * CHECK_BYTES).buffer as ArrayBuffer,
  };
  m.call('everything_taken', x);
  return b;
}

async function run(m: ProofModule, x: number, get: Get, pool: Pool, o: EverythingOptions): Promise<void> {
  const ahead = new Ahead(get, o.signal);
  const p: Progress = { done: 0, size: 0, signatures: 0, results: 0 };
  const note = (c: Checked) => {
    p.signatures += c.good;
    m.call('everything_good', x, c.good);
    for (const b of c.bad) m.call('everything_bad', x, b.index, b.line);
  };
  for (let answer = STEP_MORE; answer !== STEP_END; ) {
    await o.gate?.();
    if (o.signal?.aborted) throw new Cancelled();
    answer = m.call('everything_step', x);
    if (answer === STEP_WANTS) {
      const path = m.text(m.call('everything_wanted', x));
      const got = await ahead.take(path, m.call('everything_wanted_max', x));
      if (o.signal?.aborted) throw new Cancelled();
      if (path.startsWith('results/')) p.results++;
      m.supply('everything', x, path, got.code, got.bytes);
      continue;
    }
    if (answer !== STEP_MORE && answer !== STEP_END) return; // everything_failed says why
    planAhead(m, x, ahead);
    const b = bundleOf(m, x);
    if (b) await pool.add(b, note);
    p.done = m.call('everything_done', x);
    p.size = m.call('everything_size', x);
    o.onProgress?.(p);
  }
  await pool.end();
}

/** The whole judgement. Throws Cancelled, or ModuleFailure when this machine could not go on. */
export async function everything(m: ProofModule, get: Get, pool: Pool, o: EverythingOptions): Promise<Report> {
  const start = performance.now();
  const anchor = o.anchor ?? new Uint8Array(0);
  const policy = o.policy ?? new Uint8Array(0);
  const flags = (o.lowest ? 1 : 0) | (o.noResults ? 2 : 0);
  const x = m.with([anchor, policy], (a, p) => m.call('everything_new', a, anchor.length, p, policy.length, flags));
  if (!x) throw new ModuleFailure('E_MEMORY', 'this browser gives no more memory');
  const check = () => {
    const code = m.call('everything_failed', x);
    if (code) throw new ModuleFailure(m.codeName(code), m.text(m.call('everything_sentence', x)));
  };
  try {
    check();
    await run(m, x, get, pool, o);
    check();
    const json = m.call('everything_report', x, (performance.now() - start) / 1000);
    check();
    return JSON.parse(m.text(json)) as Report;
  } finally {
    m.call('everything_free', x);
  }
}
