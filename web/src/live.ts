// SPDX-License-Identifier: AGPL-3.0-or-later
// Live: when head.json shows a new size, the page is fetched again and only what differs is changed.
// head.json comes by the event stream where there is room, else it is polled.
import { el, up } from './dom.js';
import { morph } from './morph.js';
import { number, say, time } from './words.js';

interface Head {
  size: number;
  witnessed: number;
  last_ms: number;
}

const POLL_MS = 4000;
const SLOWEST_MS = 60000;
/** Called after the page changed. */
export const refreshed: (() => void)[] = [];

let shown = Number(document.documentElement.dataset['size'] ?? 0);
let witnessed = -1;
let busy = false;
let status: HTMLElement;
let last = new Date();

function isHead(x: unknown): x is Head {
  return typeof x === 'object' && x !== null && Number.isSafeInteger((x as Head).size);
}

/** Times are written in UTC; a reader's own zone is easier. */
export function ownTimes(): void {
  for (const t of Array.from(document.querySelectorAll<HTMLTimeElement>('time[datetime]'))) {
    if (t.dataset['live'] === t.dateTime) continue;
    t.dataset['live'] = t.dateTime;
    t.title = t.dateTime;
    t.textContent = time(new Date(t.dateTime));
  }
}

function flash(e: Element): void {
  const cell = e.closest('td, dd, .big, .figure');
  if (!cell) return;
  cell.classList.remove('fresh');
  requestAnimationFrame(() => cell.classList.add('fresh'));
}

async function refresh(head: Head): Promise<void> {
  const answer = await fetch(location.pathname + location.search, { credentials: 'omit', cache: 'no-cache' });
  if (!answer.ok) return;
  const page = new DOMParser().parseFromString(await answer.text(), 'text/html');
  for (const part of ['main', 'footer']) {
    const to = document.querySelector(part);
    const from = page.querySelector(part);
    if (to && from) morph(to, from, flash);
  }
  const size = Number(page.documentElement.dataset['size'] ?? 0);
  document.documentElement.dataset['size'] = String(size);
  shown = Math.max(head.size, size);
  ownTimes();
  for (const f of refreshed) f();
}

async function onHead(head: unknown): Promise<void> {
  if (!isHead(head) || busy) return;
  last = new Date();
  status.textContent = say('live');
  status.dataset['state'] = 'live';
  if (head.size === shown && head.witnessed === witnessed) return;
  busy = true;
  try {
    if (head.size !== shown) await refresh(head);
    witnessed = head.witnessed;
    const by = document.getElementById('witnessed');
    if (by && witnessed) by.textContent = say('witnessed', { n: number(witnessed) });
    const w = document.getElementById('live-size');
    if (w) w.textContent = say('updated', { n: number(shown) });
  } catch {
    /* the next head tries again */
  } finally {
    busy = false;
  }
}

function missed(): void {
  status.textContent = say('stale', { t: time(last) });
  status.dataset['state'] = 'stale';
}

function poll(wait: number): void {
  setTimeout(() => {
    if (document.hidden) return poll(POLL_MS);
    fetch(up + 'head.json', { credentials: 'omit', cache: 'no-cache' })
      .then(async (r) => {
        if (!r.ok) throw new Error(String(r.status));
        await onHead(await r.json());
        poll(POLL_MS);
      })
      .catch(() => {
        missed();
        poll(Math.min(wait * 2, SLOWEST_MS));
      });
  }, wait * (0.75 + Math.random() / 2)); // a nation's phones must not ask in step
}

export function live(): void {
  status = el('span', { class: 'live', 'data-keep': true });
  document.getElementById('tools')?.append(status);
  // for screen readers: one calm sentence, not every figure
  document.body.append(el('p', { id: 'live-size', class: 'skip', role: 'status', 'data-keep': true }));
  ownTimes();
  status.textContent = say('live');
  if (typeof EventSource === 'undefined') return poll(POLL_MS);
  const events = new EventSource(up + 'events');
  let opened = false;
  const timer = setTimeout(() => {
    if (!opened) {
      events.close();
      poll(0);
    }
  }, 3000);
  events.addEventListener('head', (e) => {
    opened = true;
    clearTimeout(timer);
    try {
      void onHead(JSON.parse((e as MessageEvent<string>).data));
    } catch {
      /* not a head */
    }
  });
  events.onerror = () => {
    if (events.readyState !== EventSource.CLOSED && opened) return missed();
    clearTimeout(timer);
    events.close();
    opened = true;
    poll(0);
  };
}
