// SPDX-License-Identifier: AGPL-3.0-or-later
// Signatures to be checked, as they go to the workers: src/wasm/check.h has the layout of a check.
import type { ProofModule } from './module.js';

export const CHECK_BYTES = 120;

export interface Bundle {
  bytes: ArrayBuffer; // entries
  checks: ArrayBuffer; // CHECK_BYTES each
}

export interface Checked {
  good: number;
  bad: { index: number; line: number }[];
}

export function runChecks(m: ProofModule, b: Bundle): Checked {
  const count = Math.floor(b.checks.byteLength / CHECK_BYTES);
  const flags = m.room(count);
  try {
    const good = m.with([new Uint8Array(b.bytes), new Uint8Array(b.checks)], (bytes, checks) =>
      m.call('checks_run', bytes, b.bytes.byteLength, checks, count, flags),
    );
    const bad: Checked['bad'] = [];
    if (good !== count) {
      const view = new DataView(b.checks);
      m.bytes(flags, count).forEach((is, i) => {
        const at = i * CHECK_BYTES;
        if (is) bad.push({ index: Number(view.getBigUint64(at + 104, true)), line: view.getUint32(at + 112, true) });
      });
    }
    return { good, bad };
  } finally {
    m.free(flags);
  }
}
