// SPDX-License-Identifier: AGPL-3.0-or-later
// What was found, in words. Everything is made of text nodes: names and sentences come from outside.
import { el } from '../dom.js';
import type { Report } from './everything.js';
import type { RecordReport } from './here.js';
import { duration, figure, meaningOf, roleOf, tell } from './words.js';

type Kind = 'ok' | 'bad' | 'open';
const kinds: Record<Report['verdict'], Kind> = { valid: 'ok', invalid: 'bad', 'could not tell': 'open' };
const signs: Record<Kind, string> = { ok: '✓', bad: '✗', open: '?' };

export function box(kind: Kind, title: string, ...rest: (Node | string)[]): HTMLElement {
  return el('div', { class: `proof proof-${kind}`, role: 'status', 'data-verdict': kind, 'data-keep': true },
    el('p', { class: 'proof-title' }, el('span', { 'aria-hidden': 'true' }, `${signs[kind]} `), el('strong', {}, title)),
    ...rest);
}

const line = (text: string) => el('li', {}, text);
const paragraph = (text: string) => el('p', {}, text);

export function failure(e: unknown): HTMLElement {
  return box('open', tell('unknown'), paragraph(tell('failed', { t: e instanceof Error ? e.message : String(e) })));
}

/** The program's own sentence is English; elsewhere what its code means comes first. */
const because = (r: { sentence?: string; code?: string }) => {
  if (!r.sentence) return [];
  const own = paragraph(`${r.sentence} (${r.code ?? ''})`);
  const word = meaningOf(r.code ?? '');
  if (word === null) return [own];
  own.lang = 'en';
  return [paragraph(word), own];
};
const meaning = (verdict: Report['verdict'], valid: string) =>
  paragraph(verdict === 'valid' ? valid : tell(verdict === 'invalid' ? 'invalidMeans' : 'unknownMeans'));
const trust = (r: { trust: string }) => line(tell(r.trust === 'anchored' ? 'anchored' : 'selfDeclared'));

function givenLines(g: NonNullable<RecordReport['given']>): HTMLElement[] {
  if (g.kind === 'slip') return g.holds ? [line(tell('givenSlip'))] : [];
  // when it does not hold the sentence says why; when it was not come to, nothing is known
  const lines = g.holds ? [line(tell('givenHolds', { size: figure(g.size) }))] : [];
  if (g.consistent) lines.push(line(tell('givenConsistent')));
  return lines;
}

function signerLines(r: RecordReport): HTMLElement[] {
  return (r.signers ?? []).map((s) =>
    line(tell('signer', {
      name: s.name,
      role: roleOf(s.role),
      state: tell(s.state === 'holds' ? 'holds' : s.state === 'fails' ? 'fails' : 'stateUnknown'),
    })));
}

export function recordView(r: RecordReport): HTMLElement {
  const kind = kinds[r.verdict];
  const items: HTMLElement[] = [];
  if (r.given) items.push(...givenLines(r.given));
  if (r.in_log && r.index !== undefined) items.push(line(tell('inLog', { n: figure(r.index), size: figure(r.size) })));
  items.push(...signerLines(r));
  if (r.witnesses.in_policy)
    items.push(line(`${tell('witnesses', { n: r.witnesses.cosigned, m: r.witnesses.in_policy })} (${tell(r.witnesses.quorum ? 'quorum' : 'noQuorum')})`));
  else if (r.size) items.push(line(tell('noWitnesses')));
  items.push(trust(r));
  const content = r.record
    ? [el('details', {}, el('summary', {}, tell('content')), el('pre', {}, pretty(r.record)))]
    : [];
  return box(kind, tell(kind === 'ok' ? 'valid' : kind === 'bad' ? 'invalid' : 'unknown'),
    ...because(r), el('ul', {}, ...items), meaning(r.verdict, tell('hereMeans')), ...content);
}

function pretty(json: string): string {
  try {
    return JSON.stringify(JSON.parse(json), null, 1);
  } catch {
    return json;
  }
}

function totals(r: Report): HTMLElement[] {
  const rows = Object.entries(r.contests).flatMap(([contest, named]) =>
    Object.entries(named).flatMap(([name, votes]) =>
      Object.entries(votes).map(([choice, n]) =>
        el('tr', {},
          el('td', {}, `${contest} (${name === 'transmitted' ? tell('total_transmitted') : name})`),
          el('td', {}, choice), el('td', { class: 'n' }, figure(n))))));
  if (!rows.length) return [];
  return [el('details', {}, el('summary', {}, tell('totals')),
    el('table', {},
      el('thead', {}, el('tr', {}, ...(['contest', 'choice', 'votes'] as const).map((w) => el('th', { scope: 'col' }, tell(w))))),
      el('tbody', {}, ...rows)))];
}

function refusedView(r: Report): HTMLElement[] {
  if (!r.refused_count) return [];
  return [el('details', { open: true }, el('summary', {}, `${tell('refused')}: ${figure(r.refused_count)}`),
    el('ul', {}, ...r.refused.slice(0, 50).map((x) => line(`${tell('entry')} ${figure(x.index)}: ${meaningOf(x.code) ?? x.sentence} (${x.code})`))))];
}

export function everythingView(r: Report): HTMLElement {
  const kind = kinds[r.verdict];
  const title = kind === 'ok' ? tell('consistent')
    : kind === 'open' ? tell('unknown')
    : r.index === undefined ? tell('somethingWrong') : tell('firstWrong', { n: figure(r.index) });
  const items = [line(tell('checkedIn', { n: figure(r.size), s: figure(r.signatures_verified), t: duration(r.seconds) }))];
  if (r.results.compared) items.push(line(tell('results', { n: figure(r.results.files) })));
  else items.push(line(tell('resultsDiffer', { t: r.results.note ?? r.sentence ?? '' })));
  if (r.results.left_out) items.push(line(tell('leftOut', { n: figure(r.results.left_out) })));
  if (r.witnesses.in_policy) items.push(line(tell('witnesses', { n: r.witnesses.cosigned, m: r.witnesses.in_policy })));
  else items.push(line(tell('noWitnesses')));
  const odd = r.findings['F_TIME'];
  if (odd) items.push(line(tell('times', { n: figure(odd) })));
  items.push(line(tell('images')), trust(r));
  return box(kind, title, ...because(r), el('ul', {}, ...items), meaning(r.verdict, tell('means')),
    el('p', {}, `${tell('root')}: `, el('code', { class: 'hash' }, r.root), tell('compareRoot')),
    ...refusedView(r), ...totals(r));
}
