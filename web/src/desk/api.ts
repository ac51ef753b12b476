// SPDX-License-Identifier: AGPL-3.0-or-later
// The program on this machine. The secret of the address is exchanged once for this window's token.
export interface Field { name: string; label?: string; party?: string }
export interface Place {
  contest: string; contest_name: string; round: number; station: string; station_name: string; areas: string[];
}
export interface Task extends Place { id: string; resumes: boolean; pages: number; fields: Field[] }
export type Figures = Record<string, number>;
export interface Reading extends Place {
  record: string; state: string; entry?: number; ms?: number; deadline?: number; sentence?: string;
  outcome?: string; fields?: Field[]; read?: { key: string; own: boolean; machine: boolean; figures: Figures }[]; sent?: Figures | null;
}
export interface State {
  clerk: { name: string; state: string };
  title: string; simulated: boolean; notice: string; now: number; entries: number;
  away?: { since: number; sentence: string };
  queue: number; queue_own: number;
  task?: Task; taken?: string; marks: string[]; readings: Reading[];
}
export interface Draft { fields: Record<string, string>; form: string; marks: string[] }

/** Why the program did not do something; `shut`: this window is not the desk. */
export class Refused extends Error {
  constructor(readonly code: string, sentence: string) {
    super(sentence);
  }
  get shut(): boolean {
    return this.code === 'E_STRANGER';
  }
}

const place = 'hesabu-desk';
let token = '';

async function call(method: string, path: string, body?: string): Promise<Response> {
  const r = await fetch(path, {
    method, cache: 'no-store', credentials: 'omit', headers: token ? { 'Hesabu-Desk': token } : {},
    ...(body === undefined ? {} : { body }),
  });
  if (r.ok) return r;
  const why = (await r.json().catch(() => ({}))) as { code?: string; sentence?: string };
  throw new Refused(why.code ?? 'E_NETWORK', why.sentence ?? `${r.status}`);
}

/** True when this window is the desk: by the address' secret, or from before a reload. */
export async function enter(): Promise<boolean> {
  const secret = location.hash.slice(1);
  token = sessionStorage.getItem(place) ?? '';
  if (/^[0-9a-f]{32}$/.test(secret)) {
    history.replaceState(null, '', '/');
    try {
      token = ((await (await call('POST', '/enter', secret)).json()) as { token: string }).token;
      sessionStorage.setItem(place, token);
    } catch (e) {
      if (!(e instanceof Refused) || !token) throw e;
    }
  }
  return token !== '';
}

/** Canonical JSON of plain values: keys in order, nothing but what was typed. */
export function canonical(v: unknown): string {
  if (Array.isArray(v)) return `[${v.map(canonical).join(',')}]`;
  if (v && typeof v === 'object') {
    const o = v as Record<string, unknown>;
    return `{${Object.keys(o).sort().map((k) => `${JSON.stringify(k)}:${canonical(o[k])}`).join(',')}}`;
  }
  return JSON.stringify(v);
}

export const state = async (): Promise<State> => (await call('GET', '/state')).json() as Promise<State>;
export const draft = async (): Promise<Draft | null> => (await call('GET', '/draft')).json() as Promise<Draft | null>;
export const keep = async (d: Draft): Promise<void> => void (await call('PUT', '/draft', canonical(d)));
export const next = async (): Promise<void> => void (await call('POST', '/next', ''));
export const putBack = async (): Promise<void> => void (await call('POST', '/skip', ''));
export const seal = async (d: Draft): Promise<string> =>
  ((await (await call('POST', '/seal', canonical(d))).json()) as { record: string }).record;
export const picture = async (n: number): Promise<Blob> => (await call('GET', `/picture/${n}`)).blob();
