// SPDX-License-Identifier: AGPL-3.0-or-later
// "Verify here": one record, checked where it is shown.
import { el } from '../dom.js';
import { pinnedBytes } from './anchor.js';
import { checkEntry } from './here.js';
import { get, proofModule } from './load.js';
import { failure, recordView } from './report_view.js';
import { tell } from './words.js';

export async function hereView(index: number): Promise<HTMLElement> {
  try {
    const loaded = await proofModule();
    const view = recordView(await checkEntry(loaded.module, get, index, { anchor: pinnedBytes() }));
    view.append(el('p', { class: 'more' }, `${tell('code')}; ${tell('moduleHash')}: `,
      el('code', { class: 'hash' }, loaded.hash)));
    return view;
  } catch (e) {
    return failure(e);
  }
}
