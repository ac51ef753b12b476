// SPDX-License-Identifier: AGPL-3.0-or-later
// The clerk's own readings and what has become of them.
import { el } from '../dom.js';
import type { Reading } from './api.js';
import { nameOf } from './form.js';
import { say, sayOf } from './words.js';

/** minutes and seconds, never less than nothing */
export function clock(ms: number): string {
  const s = Math.max(0, Math.ceil(ms / 1000));
  return `${Math.floor(s / 60)}:${String(s % 60).padStart(2, '0')}`;
}

export const told = (r: Reading): string => sayOf('state', r.state, { e: r.entry ?? '', s: r.sentence ?? '' });

/** Field by field, once the own reading is open: what others read, what was sent. */
function comparison(r: Reading): HTMLElement | null {
  if (!r.read || !r.fields) return null;
  const columns = r.read.map((x) => ({ name: x.own ? say('you') : x.machine ? say('machine') : x.key, figures: x.figures }));
  if (r.sent) columns.push({ name: say('sentFigures'), figures: r.sent });
  if (columns.length < 2) return null;
  const compared = r.fields.filter((f) => /^(votes|ballots)\./.test(f.name));
  const rows = compared.map((f) => ({ f, values: columns.map((c) => c.figures[f.name]) }))
    .filter((x) => x.values.some((v) => v !== x.values[0]));
  const out = el('details', {}, el('summary', {}, say('compare')));
  out.append(rows.length === 0 ? el('p', {}, say('same')) : el('div', { class: 'scroll' }, el('table', {},
    el('thead', {}, el('tr', {}, el('th', { scope: 'col' }, say('field')), ...columns.map((c) => el('th', { scope: 'col' }, c.name)))),
    el('tbody', {}, ...rows.map((x) => el('tr', {}, el('th', { scope: 'row' }, nameOf(x.f)),
      ...x.values.map((v) => el('td', {}, v === undefined ? '–' : String(v)))))))));
  return out;
}

export function reading(r: Reading, now: () => number): HTMLElement {
  const left = r.deadline ? el('span', { class: 'clock', 'data-deadline': r.deadline }, say('clock', { t: clock(r.deadline - now()) })) : null;
  return el('li', { 'data-state': r.state, 'data-record': r.record },
    el('b', {}, `${r.station} ${r.station_name}`), el('small', {}, `${r.contest_name} (${r.round})`),
    el('span', { class: 'what' }, told(r)), left,
    r.outcome ? el('span', { class: 'outcome', 'data-outcome': r.outcome }, sayOf('outcome', r.outcome)) : null, comparison(r));
}
