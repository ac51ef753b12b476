// SPDX-License-Identifier: AGPL-3.0-or-later
// What scripts add to pages that are whole without them.
import { proof } from './proof/mount.js';

proof();
