// SPDX-License-Identifier: AGPL-3.0-or-later
// Files of a public tree, from a server that is not trusted: bounded in size and time, tried again when
// the network fails, never tried again when the server has answered.
import type { FetchCode } from './module.js';

export interface Fetched {
  code: FetchCode;
  bytes: Uint8Array;
}

export type Get = (path: string, max: number, signal?: AbortSignal) => Promise<Fetched>;

const NOTHING = new Uint8Array(0);
const TRIES = 4;
const IDLE_MS = 30_000; // without a byte
/** More than this is not read into a browser, whatever the format allows. */
export const MOST = 64 << 20;

const failed = (code: FetchCode): Fetched => ({ code, bytes: NOTHING });
const pause = (ms: number) => new Promise((r) => setTimeout(r, ms));

async function readAll(answer: Response, max: number, alive: () => void): Promise<Fetched> {
  const most = Math.min(max, MOST);
  const tooMuch = () => failed(max > MOST ? 'E_IO' : 'E_TOO_LARGE');
  if (!answer.body) return { code: 'OK', bytes: NOTHING };
  const reader = answer.body.getReader();
  const parts: Uint8Array[] = [];
  let n = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    alive();
    n += value.length;
    if (n > most) {
      void reader.cancel().catch(() => undefined);
      return tooMuch();
    }
    parts.push(value);
  }
  const bytes = new Uint8Array(n);
  let at = 0;
  for (const p of parts) {
    bytes.set(p, at);
    at += p.length;
  }
  return { code: 'OK', bytes };
}

async function once(url: string, max: number, signal: AbortSignal | undefined): Promise<Fetched> {
  const stop = new AbortController();
  const outer = () => stop.abort();
  signal?.addEventListener('abort', outer);
  let timer = setTimeout(outer, IDLE_MS);
  const alive = () => {
    clearTimeout(timer);
    timer = setTimeout(outer, IDLE_MS);
  };
  try {
    const answer = await fetch(url, { signal: stop.signal, credentials: 'omit', redirect: 'error' });
    if (answer.status === 404 || answer.status === 410) return failed('E_NOT_FOUND');
    // a page in place of a file: a captive portal, a host's page for errors. It says nothing of the log
    if (answer.status !== 200 || answer.headers.get('content-type')?.startsWith('text/html'))
      return failed('E_NETWORK');
    return await readAll(answer, max, alive);
  } catch {
    return failed(stop.signal.aborted && !signal?.aborted ? 'E_TIMEOUT' : 'E_NETWORK');
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', outer);
  }
}

/** Files below `base`, which ends in a slash. Nothing of `path` leaves it. */
export function getter(base: string): Get {
  return async (path, max, signal) => {
    if (!/^[A-Za-z0-9._~/-]+$/.test(path) || path.split('/').includes('..')) return failed('E_NOT_FOUND');
    let last = failed('E_NETWORK');
    for (let i = 0; i < TRIES && !signal?.aborted; i++) {
      if (i) await pause(250 * 4 ** (i - 1));
      last = await once(new URL(path, base).href, max, signal);
      if (last.code !== 'E_NETWORK' && last.code !== 'E_TIMEOUT') break;
    }
    return last;
  };
}

const bound = (path: string) =>
  path.startsWith('tile/entries/') ? 256 * 65537 : path.startsWith('tile/') ? 8192 : path.startsWith('witnessed/') ? 65536 : MOST;

/** Fetches ahead what will be asked for, a bounded number of files at once. */
export class Ahead {
  private readonly waiting = new Map<string, Promise<Fetched>>();

  constructor(
    private readonly get: Get,
    private readonly signal?: AbortSignal,
  ) {}

  /** These are wanted soon; what was fetched and is not among them is let go. */
  plan(paths: string[]): void {
    const wanted = new Set(paths);
    for (const path of this.waiting.keys()) if (!wanted.has(path)) this.waiting.delete(path);
    for (const path of paths)
      if (!this.waiting.has(path)) this.waiting.set(path, this.get(path, bound(path), this.signal));
  }

  async take(path: string, max: number): Promise<Fetched> {
    const under = this.waiting.get(path);
    this.waiting.delete(path);
    const got = under ? await under : null;
    if (!got || got.code === 'E_TOO_LARGE' || got.code === 'E_IO') return this.get(path, max, this.signal);
    return got.bytes.length > max ? failed('E_TOO_LARGE') : got;
  }
}
