// SPDX-License-Identifier: AGPL-3.0-or-later
// The form's picture: zoom, pan and turn by pointer, wheel and keys. Zoom and turn stay from form to form.
import { el } from '../dom.js';
import * as api from './api.js';
import { say } from './words.js';
import type { Word } from './words.js';

const stored = 'hesabu-desk-view';
const view = { zoom: 1, turn: 0, ...(JSON.parse(sessionStorage.getItem(stored) ?? '{}') as object) };

export class Picture {
  readonly node: HTMLElement;
  private readonly stage = el('div', { class: 'stage', tabindex: 0, role: 'group' });
  private readonly image = el('img', { draggable: 'false' });
  private readonly where = el('span', { class: 'page' });
  private readonly paging = el('span', {});
  private urls: (string | null)[] = [];
  private at = 0;
  private x = 0;
  private y = 0;
  private before: [number, number] | null = null;

  constructor() {
    const button = (word: Word, sign: string, act: () => void): HTMLElement =>
      el('button', { type: 'button', 'aria-label': say(word), title: say(word), click: act }, sign);
    this.paging.append(
      button('pageBefore', '‹', () => this.show(this.at - 1)), this.where, button('pageAfter', '›', () => this.show(this.at + 1)));
    this.node = el('section', { class: 'picture', 'aria-label': say('picture', { n: 1, m: 1 }) },
      this.stage,
      el('div', { class: 'tools' },
        button('zoomOut', '−', () => this.zoom(1 / 1.25)), button('zoomIn', '+', () => this.zoom(1.25)),
        button('turn', '⟳', () => this.turn()), button('fit', '⤢', () => this.fit()), this.paging,
        el('small', {}, say('pictureKeys'))));
    this.stage.addEventListener('keydown', (e) => this.key(e));
    this.stage.addEventListener('wheel', (e) => {
      e.preventDefault();
      this.zoom(e.deltaY < 0 ? 1.15 : 1 / 1.15);
    }, { passive: false });
    this.stage.addEventListener('pointerdown', (e) => {
      this.before = [e.clientX, e.clientY];
      this.stage.setPointerCapture(e.pointerId);
    });
    this.stage.addEventListener('pointermove', (e) => {
      if (!this.before) return;
      this.x += e.clientX - this.before[0];
      this.y += e.clientY - this.before[1];
      this.before = [e.clientX, e.clientY];
      this.place();
    });
    for (const end of ['pointerup', 'pointercancel']) this.stage.addEventListener(end, () => { this.before = null; });
  }

  async load(pages: number): Promise<void> {
    this.release();
    for (let n = 0; n < pages; n += 1) {
      const blob = await api.picture(n);
      this.urls.push(/^image\/(png|jpeg)$/.test(blob.type) ? URL.createObjectURL(blob) : null);
    }
    this.show(0);
  }

  release(): void {
    for (const u of this.urls) if (u) URL.revokeObjectURL(u);
    this.urls = [];
  }

  private show(n: number): void {
    if (n < 0 || n >= this.urls.length) return;
    this.at = n;
    this.x = this.y = 0;
    const url = this.urls[n];
    const label = say('picture', { n: n + 1, m: this.urls.length });
    this.node.setAttribute('aria-label', label);
    this.stage.setAttribute('aria-label', `${label}. ${say('pictureKeys')}`);
    this.image.alt = label;
    if (url) this.image.src = url;
    this.stage.replaceChildren(url ? this.image : el('p', { class: 'note' }, say('pictureNot')));
    this.where.textContent = `${n + 1}/${this.urls.length}`;
    this.paging.hidden = this.urls.length < 2;
    this.place();
  }

  private place(): void {
    this.image.style.transform = `translate(${this.x}px, ${this.y}px) rotate(${view.turn}deg) scale(${view.zoom})`;
    sessionStorage.setItem(stored, JSON.stringify(view));
  }

  private zoom(by: number): void {
    const zoom = Math.min(10, Math.max(0.5, view.zoom * by));
    this.x *= zoom / view.zoom;
    this.y *= zoom / view.zoom;
    view.zoom = zoom;
    this.place();
  }

  private turn(): void {
    view.turn = (view.turn + 90) % 360;
    this.place();
  }

  private fit(): void {
    view.zoom = 1;
    view.turn = this.x = this.y = 0;
    this.place();
  }

  private key(e: KeyboardEvent): void {
    if (e.ctrlKey || e.metaKey || e.altKey) return;
    const step = 60;
    if (e.key === '+' || e.key === '=') this.zoom(1.25);
    else if (e.key === '-') this.zoom(1 / 1.25);
    else if (e.key === 'r') this.turn();
    else if (e.key === '0') this.fit();
    else if (e.key === 'PageUp') this.show(this.at - 1);
    else if (e.key === 'PageDown') this.show(this.at + 1);
    else if (e.key === 'ArrowLeft') this.x += step;
    else if (e.key === 'ArrowRight') this.x -= step;
    else if (e.key === 'ArrowUp') this.y += step;
    else if (e.key === 'ArrowDown') this.y -= step;
    else return;
    e.preventDefault();
    this.place();
  }
}
