// SPDX-License-Identifier: AGPL-3.0-or-later
// One record, or a file that the reader holds, checked in this page: src/election/record_check.h.
import type { Get } from './fetching.js';
import { ModuleFailure, type ProofModule } from './module.js';

/** What the module reports (docs/verifying.md). */
export interface RecordReport {
  verdict: 'valid' | 'invalid' | 'could not tell';
  trust: 'anchored' | 'self-declared';
  code?: string;
  sentence?: string;
  size: number;
  root: string;
  in_log: boolean;
  index?: number;
  witnesses: { in_policy: number; cosigned: number; quorum: boolean };
  type?: string;
  ms?: number;
  id?: string;
  signers?: { name: string; state: 'holds' | 'fails' | 'unknown'; role: string; key_index?: number }[];
  keys_followed?: number;
  record?: string;
  given?: { kind: 'receipt' | 'proof' | 'slip'; holds: boolean; size: number; quorum: boolean; consistent: boolean };
}

export interface HereOptions {
  anchor?: Uint8Array | undefined;
  signal?: AbortSignal | undefined;
}

const STEP_WANTS = 2;

async function run(m: ProofModule, get: Get, given: Uint8Array, index: number, o: HereOptions): Promise<RecordReport> {
  const anchor = o.anchor ?? new Uint8Array(0);
  const x = m.with([anchor, given], (a, g) => m.call('record_new', a, anchor.length, g, given.length, index));
  if (!x) throw new ModuleFailure('E_MEMORY', 'this browser gives no more memory');
  const check = () => {
    const code = m.call('record_failed', x);
    if (code) throw new ModuleFailure(m.codeName(code), m.text(m.call('record_sentence', x)));
  };
  try {
    check();
    while (m.call('record_step', x) === STEP_WANTS) {
      const path = m.text(m.call('record_wanted', x));
      const got = await get(path, m.call('record_wanted_max', x), o.signal);
      o.signal?.throwIfAborted();
      m.supply('record', x, path, got.code, got.bytes);
    }
    check();
    const json = m.call('record_report', x);
    check();
    return JSON.parse(m.text(json)) as RecordReport;
  } finally {
    m.call('record_free', x);
  }
}

/** Entry `index` of the log below `get`. */
export function checkEntry(m: ProofModule, get: Get, index: number, o: HereOptions = {}): Promise<RecordReport> {
  return run(m, get, new Uint8Array(0), index, o);
}

/** A receipt, a proof, or a signed slip. */
export function checkFile(m: ProofModule, get: Get, bytes: Uint8Array, o: HereOptions = {}): Promise<RecordReport> {
  return run(m, get, bytes, -1, o);
}

/** What is wrong with a trust anchor; null when it can be read. */
export function anchorFault(m: ProofModule, bytes: Uint8Array): string | null {
  const at = m.with([bytes], (p) => m.call('anchor_read', p, bytes.length));
  if (!at) return null;
  const text = m.text(at);
  m.free(at);
  return text;
}
