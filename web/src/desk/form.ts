// SPDX-License-Identifier: AGPL-3.0-or-later
// The fields of a form, typed one after the other, then looked at once more. Nothing is put right here.
import { el } from '../dom.js';
import type { Draft, Field, Task } from './api.js';
import { say, sayOf } from './words.js';

/** "": blank; "?": cannot be read; digits. A field that is missing was not typed yet. */
export type Typed = Record<string, string>;

export const nameOf = (f: Field): string => f.label ?? sayOf('', f.name);
const isChoice = (f: Field): boolean => f.name.startsWith('votes.');
const plain = new Intl.NumberFormat('en');

export class Form {
  readonly node = el('section', { class: 'form' });
  private readonly inputs = new Map<string, HTMLInputElement>();
  private review = false;

  constructor(
    readonly task: Task, private readonly words: string[], readonly typed: Typed, readonly marks: Set<string>,
    private readonly changed: () => void, private readonly on: { seal: () => void; putBack: () => void },
  ) {
    this.draw();
  }

  draft(): Draft {
    return { fields: this.typed, form: this.task.id, marks: [...this.marks].sort() };
  }

  /** The first field that was not typed yet, else the button that leads on. */
  focus(): void {
    const open = this.task.fields.find((f) => !(f.name in this.typed));
    const to = open && !this.review ? this.inputs.get(open.name) : this.node.querySelector<HTMLElement>('.main');
    to?.focus();
  }

  private draw(): void {
    this.inputs.clear();
    this.node.replaceChildren(...(this.review ? this.second() : this.first()));
  }

  private first(): HTMLElement[] {
    const group = (title: string, fields: Field[]): HTMLElement =>
      el('fieldset', {}, el('legend', {}, title), ...fields.map((f) => this.field(f)));
    const check = el('button', { type: 'button', class: 'main', click: () => this.lookAgain() }, say('check'));
    return [
      el('p', { class: 'note' }, say('how')),
      group(say('votes'), this.task.fields.filter(isChoice)),
      group(say('counts'), this.task.fields.filter((f) => !isChoice(f))),
      this.seen(),
      el('p', { class: 'left', role: 'status' }),
      el('p', { class: 'actions' }, check,
        el('button', { type: 'button', class: 'quiet', title: say('putBackMore'), click: () => this.on.putBack() }, say('putBack'))),
    ];
  }

  private field(f: Field): HTMLElement {
    const id = `f-${f.name}`;
    const serial = f.name === 'serial';
    const input = el('input', {
      id, autocomplete: 'off', autocapitalize: 'off', spellcheck: 'false', inputmode: serial ? 'text' : 'numeric',
      maxlength: serial ? 40 : 9, enterkeyhint: 'next',
    });
    const told = (word: 'blank' | 'illegible', value: string): HTMLButtonElement =>
      el('button', {
        type: 'button', class: 'told', tabindex: -1, 'aria-label': say(word === 'blank' ? 'blankFor' : 'illegibleFor', { f: nameOf(f) }),
        click: () => { this.put(f, this.typed[f.name] === value ? undefined : value); input.focus(); },
      }, say(word));
    const blank = told('blank', '');
    const illegible = serial ? null : told('illegible', '?');
    const row = el('div', { class: 'field' },
      el('label', { for: id }, nameOf(f), f.party ? el('small', {}, f.party) : null), input, blank, illegible);
    const show = (): void => {
      const v = this.typed[f.name];
      input.value = v === undefined || v === '?' ? '' : v;
      blank.setAttribute('aria-pressed', String(v === ''));
      illegible?.setAttribute('aria-pressed', String(v === '?'));
      row.classList.toggle('done', v !== undefined);
    };
    input.addEventListener('keydown', (e) => {
      const alone = input.value === '' || input.selectionStart === 0;
      if (e.ctrlKey || e.metaKey || e.altKey) return;
      if (e.key === 'Enter') this.move(f, 1, true);
      else if (e.key === 'ArrowDown') this.move(f, 1, false);
      else if (e.key === 'ArrowUp') this.move(f, -1, false);
      else if (e.key === '-' && (!serial || alone)) { this.put(f, ''); show(); this.move(f, 1, false); }
      else if (e.key === '?' && !serial) { this.put(f, '?'); show(); this.move(f, 1, false); }
      else return;
      e.preventDefault();
    });
    input.addEventListener('input', () => {
      const clean = serial ? input.value.replace(/[^!-~]|["\\]/g, '') : input.value.replace(/[^0-9]/g, '');
      if (clean !== input.value) {
        input.value = clean;
        this.say(say('digits'));
      }
      this.put(f, clean === '' ? undefined : clean);
    });
    input.addEventListener('focus', () => input.select());
    row.addEventListener('typed', show);
    this.inputs.set(f.name, input);
    show();
    return row;
  }

  private put(f: Field, value: string | undefined): void {
    if (value === undefined) delete this.typed[f.name];
    else this.typed[f.name] = value;
    this.inputs.get(f.name)?.closest('.field')?.dispatchEvent(new Event('typed'));
    this.say('');
    this.changed();
  }

  private move(from: Field, by: number, answered: boolean): void {
    if (answered && !(from.name in this.typed)) {
      this.say(say('how'));
      return;
    }
    const to = this.task.fields[this.task.fields.indexOf(from) + by];
    if (to) this.inputs.get(to.name)?.focus();
    else if (by > 0) this.node.querySelector<HTMLElement>('.seen input')?.focus();
  }

  private seen(): HTMLElement {
    const boxes = this.words.map((w) => {
      const box = el('input', { type: 'checkbox' });
      box.checked = this.marks.has(w);
      box.addEventListener('change', () => {
        if (box.checked) this.marks.add(w);
        else this.marks.delete(w);
        this.changed();
      });
      box.addEventListener('keydown', (e) => {
        if (e.key !== 'Enter') return;
        e.preventDefault();
        this.node.querySelector<HTMLElement>('.main')?.focus();
      });
      return el('label', {}, box, el('span', {}, sayOf('mark', w)));
    });
    return el('fieldset', { class: 'seen' }, el('legend', {}, say('seen')), el('p', { class: 'note' }, say('seenMore')), ...boxes);
  }

  private say(text: string): void {
    const to = this.node.querySelector('.left');
    if (to && to.textContent !== text) to.textContent = text;
  }

  private lookAgain(): void {
    const left = this.task.fields.filter((f) => !(f.name in this.typed));
    if (left.length) {
      this.say(say('left', { n: left.length }));
      this.focus();
      return;
    }
    this.review = true;
    this.draw();
    this.focus();
  }

  private shown(v: string): string {
    return v === '' ? say('blank') : v === '?' ? say('illegible') : v;
  }

  private second(): HTMLElement[] {
    const sum = this.task.fields.filter(isChoice).reduce((n, f) => n + (Number(this.typed[f.name]) || 0), 0);
    const valid = this.typed['ballots.valid'] ?? '';
    const figure = /^[0-9]+$/.test(valid) ? plain.format(Number(valid)) : this.shown(valid);
    return [
      el('h3', { tabindex: -1 }, say('check')),
      el('p', { class: 'note' }, say('checkMore')),
      el('div', { class: 'scroll' }, el('table', { class: 'typed' }, el('tbody', {}, ...this.task.fields.map((f) =>
        el('tr', {}, el('th', { scope: 'row' }, nameOf(f)), el('td', {}, this.shown(this.typed[f.name] ?? ''))))))),
      el('p', { class: 'sum' }, say('sum', { n: plain.format(sum), m: figure }), ' ', el('small', {}, say('sumMore'))),
      el('p', {}, [...this.marks].map((m) => sayOf('mark', m)).join('; ') || say('marksNone')),
      el('p', { class: 'actions' },
        el('button', { type: 'button', class: 'main', click: () => this.on.seal() }, say('seal')),
        el('button', { type: 'button', class: 'quiet', click: () => this.back() }, say('change'))),
    ];
  }

  back(): void {
    this.review = false;
    this.draw();
    const first = this.task.fields[0];
    if (first) this.inputs.get(first.name)?.focus();
  }
}
