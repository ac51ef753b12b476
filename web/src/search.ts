// SPDX-License-Identifier: AGPL-3.0-or-later
// Finding a place by its code or by a name that may be spelt wrongly. Names come in two steps: the higher
// units at the first use, the lowest ones of each area when what is typed is long enough.
import { contest, el, json, units } from './dom.js';
import { say } from './words.js';

type Row = [code: string, name: string];
interface Top {
  levels: string[];
  units: Row[];
  shards: string[];
  station_digits: number;
}
interface Place {
  code: string;
  name: string;
  words: string[];
  whole: string;
}
interface Hit {
  place: Place;
  score: number;
}

const SHOWN = 10;
let top: Top | null = null;
let loading: Promise<void> | null = null;
let places: Place[] = [];
const names = new Map<string, string>();
let deep: Promise<void> | null = null;

/** "Ol-Kalou" and "olkalou" and "OL KALLOU" are near each other. */
export function plain(text: string): string {
  return text
    .normalize('NFD')
    .toLowerCase()
    .replace(/[\u0300-\u036f']/g, '')
    .replace(/[^\p{L}\p{N}]+/gu, ' ')
    .replace(/(\p{L})\1+/gu, '$1')
    .trim();
}

/** Insertions, deletions, replacements and swaps of neighbours; more than `most` is `most` + 1. */
export function distance(a: string, b: string, most: number): number {
  if (Math.abs(a.length - b.length) > most) return most + 1;
  let before: number[] = [];
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    let best = i;
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      let d = Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, (row[j - 1] ?? 0) + (same ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) d = Math.min(d, (before[j - 2] ?? 0) + 1);
      next.push(d);
      best = Math.min(best, d);
    }
    if (best > most) return most + 1;
    before = row;
    row = next;
  }
  return row[b.length] ?? most + 1;
}

function place([code, name]: Row): Place {
  const p = plain(name);
  return { code, name, words: p.split(' '), whole: p.replace(/ /g, '') };
}

function score(p: Place, query: string, joined: string): number {
  if (p.whole === joined) return 100;
  if (p.whole.startsWith(joined)) return 90 - Math.min(p.whole.length, 30) / 10;
  const typed = query.split(' ');
  if (typed.every((t) => p.words.some((w) => w.startsWith(t)))) return 80 - Math.min(p.whole.length, 30) / 10;
  if (joined.length >= 4 && p.whole.includes(joined)) return 60;
  const most = joined.length >= 8 ? 2 : joined.length >= 4 ? 1 : 0;
  if (!most) return 0;
  const d = Math.min(
    distance(joined, p.whole.slice(0, joined.length + 1), most),
    distance(joined, p.whole.slice(0, joined.length), most),
    ...p.words.map((w) => distance(joined, w, most)),
  );
  return d <= most ? 50 - 10 * d - Math.min(p.whole.length, 30) / 10 : 0;
}

export function find(query: string): Hit[] {
  const q = plain(query);
  if (!q) return [];
  const joined = q.replace(/ /g, '');
  const hits: Hit[] = [];
  for (const p of places) {
    const digits = /^\d+$/.test(joined) && p.code.startsWith(joined);
    const s = digits ? 100 - p.code.length : score(p, q, joined);
    if (s > 0) hits.push({ place: p, score: s - p.code.length / 100 });
  }
  return hits.sort((a, b) => b.score - a.score).slice(0, SHOWN);
}

async function loadTop(): Promise<void> {
  top = await json<Top>('search/top.json');
  if (!top) return;
  places = top.units.map(place);
  for (const [code, name] of top.units) names.set(code, name);
}

async function loadDeep(): Promise<void> {
  const shards = top?.shards ?? [];
  const queue = shards.slice();
  const worker = async (): Promise<void> => {
    for (let s = queue.shift(); s !== undefined; s = queue.shift()) {
      const rows = await json<Row[]>(`search/${encodeURIComponent(s)}.json`);
      if (rows) places = places.concat(rows.map(place));
    }
  };
  await Promise.all([worker(), worker(), worker(), worker()]);
}

/** A whole station's code: its page is that of the unit above. */
function station(query: string): { href: string; code: string } | null {
  const code = query.replace(/\s/g, '');
  const n = top?.station_digits ?? 0;
  if (!n || !/^\d{6,}$/.test(code)) return null;
  const above = code.slice(0, -n);
  return places.some((p) => p.code === above) ? { href: `${units}${above}.html#${code}`, code } : null;
}

function where(code: string): string {
  const path: string[] = [];
  for (let n = 1; n < code.length; n++) {
    const name = names.get(code.slice(0, n));
    if (name) path.push(name);
  }
  return path.join(' › ');
}

export function search(): void {
  const tools = document.getElementById('tools');
  if (!tools || !contest) return;
  const input = el('input', {
    type: 'search', role: 'combobox', 'aria-expanded': 'false', 'aria-controls': 'found', autocomplete: 'off',
    'aria-autocomplete': 'list', placeholder: say('search'), 'aria-label': say('search'), spellcheck: 'false',
  });
  const list = el('ul', { id: 'found', role: 'listbox', 'aria-label': say('search'), hidden: true });
  const told = el('p', { class: 'skip', role: 'status' });
  let hrefs: string[] = [];
  let at = -1;

  const mark = (n: number): void => {
    const items = Array.from(list.children);
    at = items.length ? (n + items.length) % items.length : -1;
    items.forEach((li, i) => li.setAttribute('aria-selected', String(i === at)));
    const chosen = items[at];
    if (chosen) {
      input.setAttribute('aria-activedescendant', chosen.id);
      chosen.scrollIntoView({ block: 'nearest' });
    } else input.removeAttribute('aria-activedescendant');
  };
  const close = (): void => {
    list.hidden = true;
    input.setAttribute('aria-expanded', 'false');
    mark(-1);
    at = -1;
  };
  const show = (): void => {
    const exact = station(input.value);
    const hits = exact ? [] : find(input.value);
    list.replaceChildren();
    hrefs = [];
    const add = (name: string, code: string, href: string): void => {
      const li = el('li', { role: 'option', id: `found-${hrefs.length}`, 'aria-selected': 'false' });
      const bdi = el('bdi');
      bdi.textContent = name;
      li.append(bdi, ' ', el('small', {}, code, ' ', where(code)));
      li.addEventListener('mousedown', (e) => {
        e.preventDefault();
        location.href = href;
      });
      hrefs.push(href);
      list.append(li);
    };
    if (exact) add(exact.code, exact.code, exact.href);
    for (const h of hits) add(h.place.name, h.place.code, `${units}${encodeURIComponent(h.place.code)}.html`);
    const any = hrefs.length > 0;
    if (!any && input.value.trim()) list.append(el('li', { class: 'none' }, say('searchNone')));
    list.hidden = !input.value.trim();
    input.setAttribute('aria-expanded', String(!list.hidden));
    told.textContent = input.value.trim() ? (any ? say(hrefs.length === 1 ? 'searchOne' : 'searchMore', { n: hrefs.length }) : say('searchNone')) : '';
    at = -1;
  };

  input.addEventListener('focus', () => void (loading ??= loadTop()));
  input.addEventListener('input', () => {
    void (loading ??= loadTop()).then(() => {
      show();
      if (input.value.trim().length >= 4) void (deep ??= loadDeep()).then(show);
    });
  });
  input.addEventListener('keydown', (e) => {
    if (e.key === 'ArrowDown' || e.key === 'ArrowUp') {
      e.preventDefault();
      mark(at + (e.key === 'ArrowDown' ? 1 : -1));
    } else if (e.key === 'Escape') close();
    else if (e.key === 'Enter') {
      const href = hrefs[Math.max(at, 0)];
      if (href) location.href = href;
    }
  });
  input.addEventListener('blur', close);
  tools.prepend(el('div', { class: 'search', role: 'search', 'data-keep': true }, input, list, told));
}
