// SPDX-License-Identifier: AGPL-3.0-or-later
// A station's records and the image of its form, looked at closely.
import { el, style } from './dom.js';
import { say } from './words.js';

/** The image alone, to zoom, turn and move with keys, wheel or fingers. */
function viewer(src: string, alt: string): void {
  let scale = 1, turn = 0, x = 0, y = 0;
  const picture = el('img', { src, alt, draggable: 'false' });
  const stage = el('div', { class: 'stage' }, picture);
  const apply = (): void => {
    picture.style.transform = `translate(${x}px, ${y}px) rotate(${turn}deg) scale(${scale})`;
  };
  const zoom = (by: number): void => {
    scale = Math.min(12, Math.max(0.5, scale * by));
    if (scale <= 1) x = y = 0;
    apply();
  };
  const button = (word: 'zoomIn' | 'zoomOut' | 'rotate' | 'close', sign: string, act: () => void): HTMLElement =>
    el('button', { type: 'button', 'aria-label': say(word), title: say(word), click: act }, sign);
  const dialog = el('dialog', { class: 'viewer', 'aria-label': alt, 'data-keep': true });
  dialog.append(
    stage,
    el('div', { class: 'controls' },
      button('zoomOut', '−', () => zoom(1 / 1.4)),
      button('zoomIn', '+', () => zoom(1.4)),
      button('rotate', '⟳', () => {
        turn = (turn + 90) % 360;
        apply();
      }),
      button('close', '×', () => dialog.close())),
  );
  dialog.addEventListener('close', () => dialog.remove());
  dialog.addEventListener('keydown', (e) => {
    const step = 60;
    if (e.key === '+' || e.key === '=') zoom(1.4);
    else if (e.key === '-') zoom(1 / 1.4);
    else if (e.key === 'r') turn = (turn + 90) % 360;
    else if (e.key === 'ArrowLeft') x += step;
    else if (e.key === 'ArrowRight') x -= step;
    else if (e.key === 'ArrowUp') y += step;
    else if (e.key === 'ArrowDown') y -= step;
    else return;
    apply();
  });
  stage.addEventListener('wheel', (e) => {
    e.preventDefault();
    zoom(e.deltaY < 0 ? 1.2 : 1 / 1.2);
  }, { passive: false });
  stage.addEventListener('pointerdown', (e) => stage.setPointerCapture(e.pointerId));
  stage.addEventListener('pointermove', (e) => {
    if (!e.buttons) return;
    x += e.movementX;
    y += e.movementY;
    apply();
  });
  document.body.append(dialog);
  void style('map').then(() => dialog.showModal());
}

function forms(): void {
  document.addEventListener('click', (e) => {
    const link = e.target instanceof Element ? e.target.closest<HTMLAnchorElement>('figure.form a') : null;
    const picture = link?.querySelector('img');
    if (!link || !picture || e.ctrlKey || e.metaKey || e.shiftKey) return;
    e.preventDefault();
    viewer(picture.src, picture.alt);
  });
}

export function station(): void {
  if (document.querySelector('.station')) forms();
}
