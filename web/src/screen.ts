// SPDX-License-Identifier: AGPL-3.0-or-later
// For the wall of a tally centre: the same page, larger, without what nobody there can use.
import { el, style } from './dom.js';
import { say } from './words.js';

function set(on: boolean): void {
  if (on) void style('screen');
  document.documentElement.classList.toggle('screen', on);
  const url = new URL(location.href);
  if (on) url.searchParams.set('screen', '1');
  else url.searchParams.delete('screen');
  history.replaceState(null, '', url);
}

export function screen(): void {
  const kind = document.documentElement.dataset['kind'];
  if (kind !== 'overview' && kind !== 'unit') return;
  const is = (): boolean => document.documentElement.classList.contains('screen');
  const button = el('button', { type: 'button', class: 'ghost', 'data-keep': true });
  const label = (): void => void (button.textContent = say(is() ? 'leave' : 'bigScreen'));
  button.addEventListener('click', () => {
    set(!is());
    label();
  });
  if (new URLSearchParams(location.search).has('screen')) set(true);
  label();
  document.getElementById('tools')?.append(button);
}
