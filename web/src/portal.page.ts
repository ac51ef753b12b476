// SPDX-License-Identifier: AGPL-3.0-or-later
// What scripts add to pages that are whole without them.
import { style } from './dom.js';
import { live, refreshed } from './live.js';
import { proof } from './proof/mount.js';
import { screen } from './screen.js';
import { search } from './search.js';
import { station } from './station.js';

live();
search();
screen();
station();
proof();
refreshed.push(proof);
if (document.getElementById('map'))
  void Promise.all([import('./map.js'), style('map')]).then(([m]) => m.map());
