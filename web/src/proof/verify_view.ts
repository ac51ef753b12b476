// SPDX-License-Identifier: AGPL-3.0-or-later
// The page that checks: everything; a file, slip or photo; the pinned anchor; the code itself.
import { el } from '../dom.js';
import { looksLikeAnchor, pin, pinned, pinnedBytes, unpin } from './anchor.js';
import { type Crew, startCrew } from './crew.js';
import type { Progress } from './everything.js';
import { anchorFault, checkFile } from './here.js';
import { base, fingerprint, get, type Loaded, manifestWords, proofModule } from './load.js';
import { readFormCode } from './paper_code.js';
import { box, everythingView, failure, recordView } from './report_view.js';
import { duration, figure, tell } from './words.js';

const FILE_MAX = 1 << 20;
const PHOTO_MAX = 40 << 20;
const replace = (place: HTMLElement, ...nodes: (Node | string)[]) => place.replaceChildren(...nodes);
const button = (text: string, act: () => void, id = ''): HTMLButtonElement =>
  el('button', { type: 'button', id: id || null, click: act }, text);
const section = (id: string, title: string, more: string, ...rest: Node[]): HTMLElement =>
  el('section', { id, 'aria-labelledby': `${id}-h` }, el('h2', { id: `${id}-h` }, title), el('p', { class: 'more' }, more), ...rest);

/* --- everything --- */

function everything(loaded: Loaded): HTMLElement {
  const out = el('div', { id: 'everything-out' });
  const bar = el('progress', { max: '1', value: '0', 'aria-label': tell('everything') });
  const words = el('p', { class: 'more', role: 'status', 'aria-live': 'off' });
  const lowest = el('input', { type: 'checkbox', id: 'lowest' });
  const controls = el('p', {});
  let crew: Crew | null = null;
  let began = 0;

  const show = (p: Progress) => {
    const s = (performance.now() - began) / 1000;
    bar.value = p.size ? p.done / p.size : 0;
    const rest = p.done && p.done < p.size ? `; ${tell('left', { t: duration((s / p.done) * (p.size - p.done)) })}` : '';
    words.textContent = p.results
      ? tell('progressResults', { n: figure(p.results) })
      : tell('progressEntries', { done: figure(p.done), size: figure(p.size), s: figure(p.signatures), r: figure(Math.round(p.signatures / s)) }) + rest;
  };
  const idle = () => replace(controls, button(tell('start'), start, 'everything-start'));
  const running = () => replace(controls,
    button(tell('pause'), () => {
      crew?.pause();
      paused();
    }), ' ', button(tell('cancel'), () => crew?.stop()));
  const paused = () => replace(controls,
    button(tell('resume'), () => {
      crew?.resume();
      running();
    }), ' ', button(tell('cancel'), () => crew?.stop()));
  const start = () => {
    began = performance.now();
    crew = startCrew(loaded, pinnedBytes(), lowest.checked, show);
    replace(out, bar, words);
    running();
    crew.report
      .then((r) => replace(out, r ? everythingView(r) : el('p', { role: 'status' }, tell('cancelled'))))
      .catch((e: unknown) => replace(out, failure(e)))
      .finally(idle);
  };
  idle();
  return section('everything', tell('everything'), tell('everythingMore'),
    el('p', {}, lowest, ' ', el('label', { for: 'lowest' }, tell('lowest'))), controls, out);
}

/* --- a file --- */

async function bytesOf(file: File): Promise<Uint8Array | null | 'none'> {
  if (!file.type.startsWith('image/')) return file.size > FILE_MAX ? null : new Uint8Array(await file.arrayBuffer());
  if (file.size > PHOTO_MAX) return null;
  const { readQr } = await import('./qr.js');
  return (await readQr(file)) ?? 'none';
}

function formCodeView(text: string): HTMLElement | null {
  const code = readFormCode(text);
  if (code === null) return null;
  if (code === 'wrong') return box('bad', tell('formCode'), el('p', {}, tell('formCodeBad')));
  const view = box('ok', tell('formCode'), el('p', {}, tell('formCodeMore', { ...code })));
  view.dataset['station'] = code.station;
  return view;
}

async function fileView(loaded: Loaded, file: File, takeAnchor: (text: string) => void): Promise<HTMLElement> {
  const bytes = await bytesOf(file);
  if (bytes === null) return box('open', tell('unknown'), el('p', {}, tell('tooLarge')));
  if (bytes === 'none') return box('open', tell('unknown'), el('p', {}, tell('noCode')));
  if (looksLikeAnchor(bytes)) {
    takeAnchor(new TextDecoder().decode(bytes));
    return el('p', {}, tell('anchor'));
  }
  const text = new TextDecoder().decode(bytes);
  const form = formCodeView(text);
  if (form) return form;
  if (file.type.startsWith('image/') && !text.startsWith('hesabu/'))
    return box('open', tell('unknown'), el('p', {}, tell('otherCode')));
  return recordView(await checkFile(loaded.module, get, bytes, { anchor: pinnedBytes() }));
}

function files(loaded: Loaded, takeAnchor: (text: string) => void): HTMLElement {
  const out = el('div', { id: 'file-out' });
  const input = el('input', { type: 'file', id: 'proof-file', class: 'proof-file' });
  const take = (file: File | undefined | null) => {
    if (!file) return;
    replace(out, el('p', { role: 'status' }, tell('verifying')));
    fileView(loaded, file, takeAnchor)
      .catch((e: unknown) => failure(e))
      .then((v) => replace(out, el('p', { class: 'more' }, file.name), v))
      .catch(() => undefined);
  };
  input.addEventListener('change', () => {
    take(input.files?.[0]);
    input.value = '';
  });
  const drop = el('div', { class: 'proof-drop', id: 'proof-drop' },
    el('label', { for: 'proof-file' }, tell('choose')), ' ', input);
  drop.addEventListener('dragover', (e) => e.preventDefault());
  drop.addEventListener('drop', (e) => {
    e.preventDefault();
    take(e.dataTransfer?.files[0]);
  });
  return section('file', tell('file'), tell('fileMore'), drop, out);
}

/* --- the anchor --- */

const originOf = (text: string) => /^origin (.*)$/m.exec(text)?.[1] ?? '';

function anchors(loaded: Loaded): { view: HTMLElement; take: (text: string) => void } {
  const now = el('div', { id: 'anchor-now' });
  const offer = el('div', { id: 'anchor-offer' });
  const facts = (text: string) => [
    el('p', {}, el('strong', {}, originOf(text))),
    el('p', {}, `${tell('fingerprint')}: `, el('code', { class: 'hash' }, fingerprint(loaded.module, text))),
  ];
  const showNow = () => {
    const text = pinned();
    if (text === null) return replace(now, el('p', {}, tell('notPinned')));
    replace(now, el('p', { class: 'kicker' }, tell('pinned')), ...facts(text),
      button(tell('unpin'), () => {
        unpin();
        showNow();
      }, 'anchor-unpin'));
  };
  const take = (text: string, more = '') => {
    const fault = anchorFault(loaded.module, new TextEncoder().encode(text));
    if (fault !== null) return replace(offer, box('bad', tell('anchor'), el('p', {}, tell('anchorBad', { t: fault }))));
    replace(offer, ...facts(text), ...(more ? [el('p', { class: 'more' }, more)] : []),
      button(tell('pin'), () => {
        pin(text);
        replace(offer);
        showNow();
      }, 'anchor-pin'));
  };
  const input = el('input', { type: 'file', id: 'anchor-file' });
  input.addEventListener('change', () => {
    const file = input.files?.[0];
    if (file && file.size <= FILE_MAX) void file.text().then((t) => take(t));
    input.value = '';
  });
  const server = button(tell('serverAnchor'), () => {
    void get('anchor', FILE_MAX).then((r) =>
      r.code === 'OK'
        ? take(new TextDecoder().decode(r.bytes), tell('serverAnchorMore'))
        : replace(offer, el('p', {}, tell('anchorBad', { t: r.code }))));
  }, 'anchor-server');
  showNow();
  const view = section('anchor', tell('anchor'), tell('anchorMore'), now,
    el('p', {}, el('label', { for: 'anchor-file' }, tell('anchorFile')), ' ', input), el('p', {}, server), offer);
  return { view, take: (text) => take(text) };
}

/* --- the code --- */

function code(loaded: Loaded): HTMLElement {
  const state = el('span', { id: 'module-state' });
  const copies = el('ul', {});
  const words = { same: 'hashSame', other: 'hashOther', none: 'hashNone' } as const;
  void manifestWords(loaded, pinnedBytes()).then((m) => {
    if (!m) return;
    replace(state, `(${tell(words[m.hash])})`);
    replace(copies, ...m.copies.map((u) => el('li', {}, el('a', { href: u, rel: 'noreferrer' }, u))));
    if (m.copies.length) copies.before(el('h3', {}, tell('copies')));
  });
  return section('code', tell('code'), tell('codeMore'),
    el('p', {}, `${tell('moduleHash')}: `, el('code', { class: 'hash', id: 'module-hash' }, loaded.hash), ' ', state),
    copies,
    el('pre', {}, el('code', {}, `hesabu verify ${base} --anchor ANCHOR`)));
}

export async function verifyView(place: HTMLElement): Promise<void> {
  try {
    const loaded = await proofModule();
    const a = anchors(loaded);
    const parts = [el('h2', {}, tell('title')), everything(loaded), files(loaded, a.take), a.view, code(loaded)];
    parts.forEach((p) => p.setAttribute('data-keep', '')); // a page that renews itself leaves them alone
    place.replaceChildren(...parts);
  } catch (e) {
    place.replaceChildren(typeof WebAssembly === 'object' ? failure(e) : el('p', {}, tell('notHere')));
  }
}
