// SPDX-License-Identifier: AGPL-3.0-or-later
// The module, fetched once for a page, and what the page says about it.
import { checkEntry, type RecordReport } from './here.js';
import { type Get, getter } from './fetching.js';
import { ProofModule } from './module.js';

/** The public tree that this page belongs to. */
export const base = new URL(document.documentElement.dataset['up'] || './', location.href).href;
export const get: Get = getter(base);

export interface Loaded {
  compiled: WebAssembly.Module;
  module: ProofModule;
  hash: string;
}

const hex = (b: Uint8Array) => Array.from(b, (x) => x.toString(16).padStart(2, '0')).join('');

async function load(): Promise<Loaded> {
  const answer = await fetch(new URL('./hesabu.wasm', import.meta.url), { credentials: 'omit' });
  if (!answer.ok) throw new Error(`hesabu.wasm: ${answer.status}`);
  const bytes = new Uint8Array(await answer.arrayBuffer());
  const compiled = await WebAssembly.compile(bytes);
  const module = await ProofModule.from(compiled);
  // the browser's own hash where it gives one (it does not on plain http)
  const digest = crypto.subtle
    ? new Uint8Array(await crypto.subtle.digest('SHA-256', bytes))
    : module.sha256(bytes);
  return { compiled, module, hash: hex(digest) };
}

let loaded: Promise<Loaded> | null = null;
export function proofModule(): Promise<Loaded> {
  loaded ??= load().catch((e: unknown) => {
    loaded = null; // the next click tries again
    throw e;
  });
  return loaded;
}

export const fingerprint = (m: ProofModule, text: string): string =>
  hex(m.sha256(new TextEncoder().encode(text))).replace(/(.{4})(?=.)/g, '$1 ');

export interface ManifestWords {
  hash: 'same' | 'other' | 'none';
  copies: string[];
}

function hashesIn(value: unknown, name: string, out: string[]): void {
  if (typeof value === 'string' && /^[0-9a-f]{64}$/.test(value) && name.includes('wasm')) out.push(value);
  else if (value && typeof value === 'object')
    for (const [k, v] of Object.entries(value)) hashesIn(v, `${name}/${k}`, out);
}

/** Witnesses of a policy's lines that have an address: they keep copies. */
export function addresses(policy: unknown): string[] {
  if (!Array.isArray(policy)) return [];
  const urls = policy
    .filter((l): l is string => typeof l === 'string')
    .map((l) => /^(?:witness \S+|log) \S+ (https?:\/\/\S+)$/.exec(l)?.[1])
    .filter((u): u is string => u !== undefined);
  return [...new Set(urls)];
}

/** What the manifest says about software and copies; null when it cannot be had. */
export async function manifestWords(l: Loaded, anchor: Uint8Array | undefined): Promise<ManifestWords | null> {
  let report: RecordReport;
  try {
    report = await checkEntry(l.module, get, 0, { anchor });
  } catch {
    return null;
  }
  if (!report.record || report.verdict === 'invalid') return null;
  const m = JSON.parse(report.record) as { software?: unknown; policy?: unknown };
  const hashes: string[] = [];
  hashesIn(m.software, '', hashes);
  return {
    hash: hashes.length === 0 ? 'none' : hashes.includes(l.hash) ? 'same' : 'other',
    copies: addresses(m.policy),
  };
}
