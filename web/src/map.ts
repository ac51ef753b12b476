// SPDX-License-Identifier: AGPL-3.0-or-later
// The map of a contest's areas: hexagons of equal size, boundaries where there are any, and the same as a
// table. Colours never stand alone: each area says its figures in words when it is pointed at or reached
// with the arrow keys.
import { contest, el, json, svg, units } from './dom.js';
import { refreshed } from './live.js';
import type { Shape } from './land.js';
import { number, say, share, type Word } from './words.js';

export interface Area {
  code: string;
  name: string;
  level: number;
  expected: number;
  received: number;
  in_question: number;
  registered: number;
  ballots: number;
  votes: number[];
}
interface Areas {
  choices: { name: string; colour: number }[];
  areas: Area[];
}
interface Layout {
  leader_from_percent: number;
  levels: { level: string; hexagons: [code: string, column: number, row: number][] }[];
}

type Colour = 'progress' | 'highest' | 'turnout' | 'findings';
type View = 'hexagons' | 'land' | 'table';
interface Paint {
  fill: string;
  strength: number; // 0..1
  text: string;
}

const SIZE = 20;
const STEPS = [0.12, 0.3, 0.5, 0.72, 1];
const TURNOUT = [0.5, 0.6, 0.7, 0.8, 0.9];

let layout: Layout;
let data: Areas;
let byCode = new Map<string, Area>();
let level = 0; // in layout.levels
let colour: Colour = 'progress';
let view: View = 'hexagons';
let shapes: Map<string, Shape>[] | null = null;
let current = '';

const sum = (v: number[]): number => v.reduce((a, b) => a + b, 0);

/** The two highest figures of an area; no order is claimed where they are equal. */
function highest(a: Area): { at: number; lead: number; equal: boolean } | null {
  const all = sum(a.votes);
  if (!all) return null;
  const order = a.votes.map((v, i) => [v, i] as const).sort((x, y) => y[0] - x[0]);
  const [first, second] = [order[0], order[1]];
  if (!first) return null;
  const lead = (first[0] - (second?.[0] ?? 0)) / all;
  return { at: first[1], lead, equal: second !== undefined && first[0] === second[0] };
}

function step(value: number, bounds: number[]): number {
  const n = bounds.findIndex((b) => value < b);
  return STEPS[n < 0 ? bounds.length - 1 : n] ?? 1;
}

function paint(a: Area): Paint {
  const blank = { fill: 'var(--track)', strength: 1 };
  const got = `${number(a.received)} ${say('of')} ${number(a.expected)} ${say(a.expected === 1 ? 'receivedOne' : 'received')}`;
  if (colour === 'progress') {
    const p = a.expected ? a.received / a.expected : 0;
    return a.received
      ? { fill: 'var(--accent)', strength: step(p, [0.25, 0.5, 0.75, 0.999, 2]), text: got }
      : { ...blank, text: got };
  }
  if (colour === 'turnout') {
    const t = a.registered ? a.ballots / a.registered : 0;
    const text = `${say('turnout')} ${share(a.ballots, a.registered)}; ${got}`;
    return a.registered ? { fill: 'var(--c0)', strength: step(t, TURNOUT), text } : { ...blank, text };
  }
  if (colour === 'findings') {
    const text = `${say('findings')}: ${a.in_question ? number(a.in_question) : say('none')}; ${got}`;
    const q = a.expected ? a.in_question / a.expected : 0;
    return a.in_question ? { fill: 'var(--c4)', strength: step(q, [0.005, 0.01, 0.03, 0.1, 2]), text } : { ...blank, text };
  }
  const h = highest(a);
  if (!h) return { ...blank, text: `${say('notYet')}; ${got}` };
  const c = data.choices[h.at];
  if (h.equal || !c) return { fill: 'var(--quiet)', strength: 0.5, text: `${say('tie')}; ${got}` };
  const points = (Math.floor(h.lead * 1000) / 10).toFixed(1);
  return {
    fill: `var(--c${c.colour})`,
    strength: step(h.lead, [0.05, 0.1, 0.2, 0.4, 2]),
    text: `${c.name}, ${say('lead', { p: points })}; ${got}`,
  };
}

/** Candidates' colours would be noise while few stations are in. */
function isEarly(): boolean {
  const root = data.areas.filter((a) => a.level === 1);
  const expected = sum(root.map((a) => a.expected));
  return sum(root.map((a) => a.received)) * 100 < expected * layout.leader_from_percent;
}

const areasOfLevel = (): Area[] => data.areas.filter((a) => a.level === level + 1);

// --- drawing ---

const corner = (x: number, y: number): string =>
  Array.from({ length: 6 }, (_, k) => {
    const t = (Math.PI / 3) * k;
    return `${(x + SIZE * 0.95 * Math.sin(t)).toFixed(1)},${(y + SIZE * 0.95 * Math.cos(t)).toFixed(1)}`;
  }).join(' ');

interface Spot {
  code: string;
  x: number;
  y: number;
  shape: SVGElement;
}

function hexagons(): { spots: Spot[]; box: string } {
  const rows = (layout.levels[level]?.hexagons ?? []).filter(([code]) => byCode.has(code));
  const w = SIZE * Math.sqrt(3);
  const spots = rows.map(([code, column, row]) => {
    const x = (column + (row % 2) / 2) * w;
    const y = row * 1.5 * SIZE;
    return { code, x, y, shape: svg('polygon', { points: corner(x, y) }) };
  });
  const xs = spots.map((s) => s.x);
  const ys = spots.map((s) => s.y);
  // an election of a few areas is not drawn as large as a nation
  const [width, height] = [Math.max(...xs) - Math.min(...xs) + w + 4, Math.max(...ys) - Math.min(...ys) + 2 * SIZE + 4];
  const least = SIZE * 16;
  const [right, down] = [Math.max(width, least), Math.max(height, least / 2)];
  const x0 = Math.min(...xs) - w / 2 - 2 - (right - width) / 2;
  const y0 = Math.min(...ys) - SIZE - 2 - (down - height) / 2;
  return { spots, box: [x0, y0, right, down].map((v) => v.toFixed(0)).join(' ') };
}

function land(): { spots: Spot[]; box: string } {
  const spots = Array.from(shapes?.[level] ?? [], ([code, s]) => ({
    code, x: s.x, y: s.y, shape: svg('path', { d: s.d }),
  }));
  return { spots, box: '0 0 600 720' };
}

/** The nearest area in the direction of an arrow key. */
function towards(spots: Spot[], from: Spot, dx: number, dy: number): Spot | null {
  let best: Spot | null = null;
  let least = Infinity;
  for (const s of spots) {
    const along = (s.x - from.x) * dx + (s.y - from.y) * dy;
    const aside = Math.abs((s.x - from.x) * dy) + Math.abs((s.y - from.y) * dx);
    const cost = along + 2 * aside;
    if (s !== from && along > 1 && cost < least) [best, least] = [s, cost];
  }
  return best;
}

const KEYS: Record<string, [number, number]> = {
  ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1],
};

function drawing(info: HTMLElement): SVGElement {
  const { spots, box } = view === 'land' ? land() : hexagons();
  const picture = svg('svg', { viewBox: box, class: `areas ${view}`, role: 'group', 'aria-label': say('map') });
  const links = new Map<string, SVGAElement>();
  const tell = (code: string): void => {
    const a = byCode.get(code);
    if (!a) return;
    current = code;
    info.replaceChildren(el('b', {}, a.name), ' ', el('span', { class: 'code' }, a.code), el('br'), paint(a).text);
  };
  for (const s of spots) {
    const a = byCode.get(s.code);
    if (!a) continue;
    const p = paint(a);
    s.shape.style.setProperty('fill', p.fill);
    s.shape.style.setProperty('fill-opacity', String(p.strength));
    const link = svg('a', { href: `${units}${encodeURIComponent(a.code)}.html`, tabindex: '-1', 'aria-label': `${a.name}: ${p.text}` }, s.shape);
    if (level === 0 && view === 'hexagons')
      link.append(svg('text', { x: s.x, y: s.y + 3.5, 'text-anchor': 'middle' }, a.name.slice(0, 4)));
    link.addEventListener('mouseenter', () => tell(a.code));
    link.addEventListener('focus', () => tell(a.code));
    link.addEventListener('keydown', (e) => {
      const d = KEYS[e.key];
      const next = d && towards(spots.filter((o) => links.has(o.code)), s, d[0], d[1]);
      if (!d) return;
      e.preventDefault();
      if (!next) return;
      link.setAttribute('tabindex', '-1');
      const to = links.get(next.code);
      to?.setAttribute('tabindex', '0');
      to?.focus();
    });
    links.set(a.code, link);
    picture.append(link);
  }
  const first = links.get(current) ?? links.values().next().value;
  first?.setAttribute('tabindex', '0');
  return picture;
}

function table(): HTMLElement {
  const body = el('tbody');
  for (const a of areasOfLevel()) {
    const link = el('a', { href: `${units}${encodeURIComponent(a.code)}.html` }, a.name);
    body.append(el('tr', {}, el('th', { scope: 'row' }, link, ' ', el('small', { class: 'code' }, a.code)), el('td', {}, paint(a).text)));
  }
  const head = el('thead', {}, el('tr', {}, el('th', { scope: 'col' }, say('name')), el('th', { scope: 'col' }, say('value'))));
  return el('div', { class: 'scroll tall', tabindex: '0', role: 'region', 'aria-label': say('table') }, el('table', {}, head, body));
}

// --- legend ---

const percent = (n: number): string => `${Math.round(n * 100)}%`;

function swatch(fill: string, strength: number, text: string): HTMLElement {
  const box = svg('svg', { class: 'swatch', viewBox: '0 0 10 10', 'aria-hidden': 'true' }, svg('rect', { width: 10, height: 10 }));
  const rect = box.firstElementChild as SVGElement;
  rect.style.setProperty('fill', fill);
  rect.style.setProperty('fill-opacity', String(strength));
  return el('li', {}, box, text);
}

function scale(fill: string, names: string[]): HTMLElement[] {
  return names.map((n, i) => swatch(fill, STEPS[i] ?? 1, n));
}

function legend(): HTMLElement {
  const list = el('ul', { class: colour === 'highest' ? 'legend names' : 'legend' });
  if (colour === 'progress') list.append(swatch('var(--track)', 1, '0%'), ...scale('var(--accent)', ['< 25%', '< 50%', '< 75%', '< 100%', '100%']));
  if (colour === 'turnout') list.append(...scale('var(--c0)', [...TURNOUT.slice(0, 4).map((t) => `< ${percent(t)}`), `≥ ${percent(0.8)}`]));
  if (colour === 'findings') list.append(swatch('var(--track)', 1, say('none')), ...scale('var(--c4)', ['< 0.5%', '< 1%', '< 3%', '< 10%', '≥ 10%']));
  if (colour === 'highest') {
    const seen = new Set(areasOfLevel().map((a) => highest(a)).filter((h) => h && !h.equal).map((h) => h?.at));
    data.choices.forEach((c, i) => {
      if (seen.has(i)) list.append(swatch(`var(--c${c.colour})`, 1, c.name));
    });
  }
  return list;
}

// --- controls ---

function choice<T extends string>(name: Word, options: [T, Word, boolean?][], chosen: T, act: (v: T) => void): HTMLElement {
  const set = el('fieldset', {}, el('legend', {}, say(name)));
  for (const [value, word, off] of options) {
    const input = el('input', { type: 'radio', name: `map-${name}`, value, checked: value === chosen, disabled: off ?? false });
    input.addEventListener('change', () => act(value));
    set.append(el('label', {}, input, el('span', {}, say(word))));
  }
  return set;
}

const levelWord = (name: string): Word => (name === 'county' ? 'county' : 'constituency');

async function openLand(path: string): Promise<void> {
  if (shapes) return;
  const { readLand } = await import('./land.js');
  shapes = await readLand(path, layout.levels.map((l) => l.level),
    layout.levels.map((_, i) => new Set(data.areas.filter((a) => a.level === i + 1).map((a) => a.code))));
}

export async function map(): Promise<void> {
  const place = document.getElementById('map');
  if (!place || !contest) return;
  const path = `areas/${contest}.json`;
  const boundaries = place.dataset['land'] ?? '';
  const [l, d] = await Promise.all([json<Layout>('map.json'), json<Areas>(path)]);
  if (!l || !d) return place.classList.add('empty');
  layout = l;
  const take = (fresh: Areas): void => {
    data = fresh;
    byCode = new Map(fresh.areas.map((a) => [a.code, a]));
  };
  take(d);
  // the finest level of which more than a few areas are there
  level = layout.levels.length - 1;
  const root = el('div', { id: 'map', class: 'map', role: 'region', 'data-keep': true, 'aria-labelledby': 'map-h' });
  const draw = (): void => {
    const early = isEarly();
    if (early && colour === 'highest') colour = 'progress';
    const redraw = (): void => {
      const focused = document.activeElement instanceof HTMLInputElement ? document.activeElement : null;
      const key = focused ? [focused.name, focused.value] : null;
      draw();
      if (key) root.querySelector<HTMLInputElement>(`input[name="${key[0]}"][value="${key[1]}"]`)?.focus();
    };
    const info = el('p', { class: 'info', role: 'status' }, say('mapMore'));
    const kinds: [View, Word, boolean?][] = [['hexagons', 'hexagons'], ['table', 'table']];
    if (boundaries) kinds.splice(1, 0, ['land', 'land']);
    const controls = el('div', { class: 'controls' },
      choice('colourBy', [['progress', 'progress'], ['highest', 'highest', early], ['turnout', 'turnout'], ['findings', 'findings']], colour, (v) => {
        colour = v;
        redraw();
      }),
      choice('areas', layout.levels.map((x, i) => [String(i), levelWord(x.level)] as [string, Word]), String(level), (v) => {
        level = Number(v);
        redraw();
      }),
      choice('shape', kinds, view, (v) => {
        view = v;
        void (v === 'land' ? openLand(boundaries) : Promise.resolve()).then(redraw);
      }));
    const note = colour === 'highest' ? el('p', { class: 'more' }, say('highestNote'))
      : early ? el('p', { class: 'more' }, say('tooEarly', { n: layout.leader_from_percent })) : null;
    root.replaceChildren(
      el('h2', { id: 'map-h' }, say('map')), controls,
      el('div', { class: 'mapbody' },
        view === 'table' ? table() : drawing(info),
        el('div', { class: 'aside' }, view === 'table' ? null : info, legend(), note)));
  };
  draw();
  place.replaceWith(root);
  refreshed.push(() => {
    void json<Areas>(path).then((fresh) => {
      if (!fresh) return;
      take(fresh);
      if (!root.contains(document.activeElement)) draw();
    });
  });
}
