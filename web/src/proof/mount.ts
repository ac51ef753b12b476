// SPDX-License-Identifier: AGPL-3.0-or-later
// What every page loads: a button beside each record, and the page that checks. The rest comes on demand.
import { el, style } from '../dom.js';
import { tell } from './words.js';

async function verifyHere(index: number, place: HTMLElement, button: HTMLButtonElement): Promise<void> {
  button.disabled = true;
  button.textContent = tell('verifying');
  const shown = place.parentElement?.querySelector(':scope > .proof');
  const { hereView } = await import('./here_view.js').catch(() => ({ hereView: null }));
  const view = hereView ? await hereView(index) : el('p', { class: 'proof proof-open', role: 'status' }, tell('notHere'));
  shown?.remove();
  place.after(view);
  button.disabled = false;
  button.textContent = tell('again');
}

function addButton(place: HTMLElement): void {
  const index = Number(place.dataset['entry']);
  if (!Number.isSafeInteger(index) || place.querySelector('button.verify')) return;
  const button = el('button', { type: 'button', class: 'verify', 'data-keep': true }, tell('verifyHere'));
  button.addEventListener('click', () => void verifyHere(index, place, button));
  place.append(' ', button);
}

/** Again after a page was renewed: what is there already stays. */
export function proof(): void {
  const places = document.querySelectorAll<HTMLElement>('.actions[data-entry]');
  const whole = document.getElementById('verify');
  if (places.length || whole) void style('proof');
  places.forEach(addButton);
  if (whole && !whole.childElementCount) void import('./verify_view.js').then((m) => m.verifyView(whole));
}
