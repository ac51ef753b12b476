// SPDX-License-Identifier: AGPL-3.0-or-later
// The tally clerk's desk: the form's picture beside the fields, one form after the other.
import { el } from '../dom.js';
import * as api from './api.js';
import { Refused } from './api.js';
import type { State, Task } from './api.js';
import { Form } from './form.js';
import { Picture } from './picture.js';
import { clock, reading, told } from './readings.js';
import { language, say, sayOf, speak, speakAsBefore } from './words.js';

const root = document.getElementById('desk') as HTMLElement;
let state: State | null = null;
let ahead = 0; // of this browser's clock against the log's time
let form: Form | null = null;
let picture: Picture | null = null;
let sealed: string | null = null; // record of what was sealed last, until the next form
let trouble = ''; // of the program on this machine
let failed = ''; // why the last order was not done
let shut = false;
let busy = false;
let newer = false; // another picture came while this form was typed
let keeping = 0;
let kept = true;
let edits = 0;
let saving: Promise<void> | null = null;

const now = (): number => Date.now() + ahead;
const time = (ms: number): string =>
  new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit' }).format(new Date(ms - ahead));

// ---- parts of the page that stay while what is in them changes ----

const banners = el('div', { class: 'banners', role: 'status' });
const side = el('div', { class: 'side', id: 'main', tabindex: -1 });
const left = el('div', { class: 'left-side' });
const list = el('ul', { class: 'readings' });
const queue = el('p', { class: 'queue' });
const draftState = el('small', { class: 'kept', role: 'status' });
let last = { banners: '', list: '', queue: '', rest: '' };

function frame(): void {
  const s = state;
  last = { banners: '', list: '', queue: '', rest: '' };
  document.title = `hesabu: ${say('desk')}`;
  root.replaceChildren(
    ...(s?.simulated ? [el('p', { class: 'sim' }, el('strong', {}, say('simulated')))] : []),
    el('a', { class: 'skip', href: '#main' }, say('skip')),
    el('header', {},
      el('h1', {}, say('desk'), s ? el('small', {}, s.title) : null),
      s ? el('p', { class: 'clerk' }, say('clerk', { n: s.clerk.name })) : null, queue,
      el('button', { type: 'button', class: 'quiet language', lang: language() === 'sw' ? 'en' : 'sw', click: () => {
        speak(language() === 'sw' ? 'en' : 'sw');
        if (form) form = made(form.task, form.typed, form.marks);
        frame();
        draw();
        if (picture && form) void showPicture(form.task);
      } }, say('language'))),
    banners,
    el('main', { class: form ? 'two' : 'one' }, left, el('div', { class: 'right' }, side,
      el('section', { class: 'own' }, el('h2', {}, say('own')), list))));
}

function bannerTexts(): [string, string][] {
  const s = state;
  const out: [string, string][] = [];
  if (shut) return [['bad', say('shut')]];
  if (trouble) out.push(['bad', say('gone')]);
  if (s && s.clerk.state !== 'valid') out.push(['bad', sayOf('key', s.clerk.state)]);
  if (s?.away) out.push(['warn', say('away', { t: time(s.away.since), s: s.away.sentence })]);
  if (s?.taken) out.push(['warn', say('taken', { s: s.taken })]);
  if (newer) out.push(['warn', say('changed')]);
  if (failed) out.push(['bad', say('failed', { s: failed })]);
  return out;
}

/** Puts children there when they are others than before: who reads or types is not disturbed. */
function put(which: keyof typeof last, key: string, to: HTMLElement, make: () => (HTMLElement | string)[]): void {
  if (last[which] === key) return;
  last[which] = key;
  to.replaceChildren(...make());
}

function idle(s: State): (HTMLElement | string)[] {
  const of = s.readings.find((r) => r.record === sealed);
  const go = s.queue > 0 && s.clerk.state === 'valid'
    ? el('p', { class: 'actions' }, el('button', { type: 'button', class: 'main', click: () => void order(api.next) }, say(sealed ? 'nextForm' : 'start')))
    : el('p', { class: 'note' }, say('noForm'));
  const what = of ? [el('h2', {}, say('sealedTitle')),
    el('p', { class: 'sealed', role: 'status', 'data-state': of.state }, `${of.station} ${of.station_name}: ${told(of)}`)] : [];
  return [el('section', { class: 'idle' }, ...what, go)];
}

function heading(t: Task): HTMLElement {
  return el('div', { class: 'where' },
    el('h2', {}, `${t.station_name} `, el('small', {}, say('station', { n: t.station }))),
    el('p', {}, [t.contest_name, ...t.areas].join(' · ')),
    t.resumes ? el('p', { class: 'third' }, say('third')) : null);
}

function draw(): void {
  const s = state;
  const texts = bannerTexts();
  put('banners', JSON.stringify([language(), texts]), banners, () => texts.map(([kind, text]) => el('p', { class: kind }, text)));
  if (!s || shut) {
    if (shut) put('rest', 'shut', side, () => []);
    return;
  }
  put('queue', `${language()}${s.queue} ${s.queue_own}`, queue, () => [say('waitingForms', { n: s.queue, own: s.queue_own })]);
  put('list', JSON.stringify([language(), s.readings]), list, () => {
    const open = new Set([...list.querySelectorAll('details[open]')].map((d) => d.closest('li')?.dataset['record']));
    return s.readings.length === 0 ? [el('li', { class: 'note' }, say('ownNone'))] : s.readings.map((r) => {
      const item = reading(r, now);
      if (open.has(r.record)) item.querySelector('details')?.setAttribute('open', '');
      return item;
    });
  });
  if (form) {
    const f = form;
    put('rest', `${language()} ${f.task.id} ${s.taken ?? ''}`, side, () => [heading(f.task), ...(s.taken
      ? [el('p', { class: 'actions' }, el('button', { type: 'button', class: 'main', click: () => void order(api.next) }, say('nextForm')))]
      : [f.node, draftState])]);
  } else {
    const of = s.readings.find((r) => r.record === sealed);
    put('rest', JSON.stringify([language(), s.queue > 0, s.clerk.state, sealed, of?.state, of?.entry]), side, () => idle(s));
  }
}

// ---- the form ----

function tellKept(): void {
  const text = say(kept ? 'kept' : 'notKept');
  if (draftState.textContent !== text) draftState.textContent = text;
}

/** One after the other, until what lies on the disk is what was typed last. */
async function keepNow(): Promise<void> {
  while (saving) await saving;
  const f = form;
  if (!f || kept) return;
  saving = keepOnce(f);
  await saving;
  if (!kept && !trouble && !failed && form === f) await keepNow();
}

async function keepOnce(f: Form): Promise<void> {
  const at = edits;
  try {
    await api.keep(f.draft());
    if (at === edits) kept = true;
    trouble = '';
  } catch (e) {
    note(e);
    if (!(e instanceof Refused)) keeping = window.setTimeout(() => void keepNow(), 2000);
  }
  saving = null;
  tellKept();
}

function changed(): void {
  edits += 1;
  kept = false;
  tellKept();
  clearTimeout(keeping);
  keeping = window.setTimeout(() => void keepNow(), 250);
}

const made = (t: Task, typed: Record<string, string>, marks: Set<string>): Form =>
  new Form(t, state?.marks ?? [], typed, marks, changed, { seal: () => void sealIt(), putBack: () => void back() });

async function showPicture(t: Task): Promise<void> {
  picture?.release();
  picture = new Picture();
  left.replaceChildren(picture.node);
  await picture.load(t.pages);
}

/** The form that the program shows is another than the one on this page. */
async function take(t: Task | undefined): Promise<void> {
  if (t?.id === form?.task.id) return;
  const same = t && form && t.station === form.task.station && t.contest === form.task.contest && t.round === form.task.round;
  if (same && form) { /* a newer picture of the same form */
    form = made(t, form.typed, form.marks);
    newer = true;
    changed();
  } else if (t) {
    const d = await api.draft();
    form = made(t, d?.form === t.id ? d.fields : d?.fields ?? {}, new Set(d?.marks ?? []));
    newer = Boolean(d && d.form !== t.id);
    kept = true;
    sealed = null;
  } else {
    form = null;
    newer = false;
    picture?.release();
    picture = null;
    left.replaceChildren();
  }
  frame();
  draw();
  tellKept();
  if (t) await showPicture(t);
  form?.focus();
}

// ---- what is asked of the program ----

function note(e: unknown): void {
  if (e instanceof Refused && e.shut) shut = true;
  else if (e instanceof Refused) failed = e.message;
  else trouble = String(e);
}

async function order(what: () => Promise<unknown>): Promise<void> {
  if (busy) return;
  busy = true;
  failed = '';
  root.setAttribute('aria-busy', 'true');
  try {
    clearTimeout(keeping);
    await keepNow();
    await what();
  } catch (e) {
    note(e);
  }
  busy = false;
  root.removeAttribute('aria-busy');
  await look();
  if (!form) side.querySelector<HTMLElement>('.main')?.focus();
}

const back = (): Promise<void> => order(async () => {
  await api.putBack();
});

const sealIt = (): Promise<void> => order(async () => {
  if (!form) return;
  const d = form.draft();
  sealed = await api.seal(d);
  kept = true;
});

async function look(): Promise<void> {
  try {
    const s = await api.state();
    const first = state === null;
    state = s;
    ahead = s.now - Date.now();
    trouble = '';
    if (first) frame();
    await take(s.task);
  } catch (e) {
    note(e);
  }
  draw();
}

async function turn(): Promise<void> {
  if (!busy) await look();
  const soon = state?.readings.some((r) => r.state === 'sending' || r.state === 'opening');
  if (!shut) setTimeout(() => void turn(), soon ? 700 : 1500);
}

setInterval(() => {
  for (const c of list.querySelectorAll<HTMLElement>('.clock'))
    c.textContent = say('clock', { t: clock(Number(c.dataset['deadline']) - now()) });
}, 1000);
addEventListener('hashchange', () => location.reload());

async function begin(): Promise<void> {
  speakAsBefore();
  frame();
  try {
    shut = !(await api.enter());
  } catch (e) {
    note(e);
  }
  draw();
  if (!shut) await turn();
}

void begin();
