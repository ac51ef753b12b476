// SPDX-License-Identifier: AGPL-3.0-or-later
// Public trees made up for tests: a log in memory, its tiles, a checkpoint that nobody signed.
import { createHash } from 'node:crypto';

const sha = (...parts) => {
  const h = createHash('sha256');
  parts.forEach((p) => h.update(p));
  return h.digest();
};
const leaf = (e) => sha(Buffer.from([0]), e);
const node = (a, b) => sha(Buffer.from([1]), a, b);

function root(hashes) {
  if (hashes.length === 0) return sha();
  if (hashes.length === 1) return hashes[0];
  let k = 1;
  while (k * 2 < hashes.length) k *= 2;
  return node(root(hashes.slice(0, k)), root(hashes.slice(k)));
}

const digits = (n) => {
  const groups = [];
  do {
    groups.unshift(String(n % 1000).padStart(3, '0'));
    n = Math.floor(n / 1000);
  } while (n);
  return groups.map((g, i) => (i === groups.length - 1 ? g : `x${g}`)).join('/');
};
export const tilePath = (kind, index, width) => `tile/${kind}/${digits(index)}${width < 256 ? `.p/${width}` : ''}`;

/** Entries of a bundle. */
export function unbundle(bytes) {
  const out = [];
  for (let at = 0; at < bytes.length; ) {
    const n = bytes.readUInt16BE(at);
    out.push(bytes.subarray(at + 2, at + 2 + n));
    at += 2 + n;
  }
  return out;
}

export function bundle(entries) {
  return Buffer.concat(
    entries.flatMap((e) => {
      const n = Buffer.alloc(2);
      n.writeUInt16BE(e.length);
      return [n, e];
    }),
  );
}

/** path -> bytes of a consistent tree over these entries; `note` is put behind the checkpoint's text. */
export function tree(entries, origin, note = '— nobody AAAAAAA=\n') {
  const files = new Map();
  let level = entries.map(leaf);
  const all = level;
  for (let at = 0; at < entries.length; at += 256) {
    const part = entries.slice(at, at + 256);
    files.set(tilePath('entries', at / 256, part.length), bundle(part));
  }
  for (let l = 0; level.length; l++) {
    for (let at = 0; at < level.length; at += 256) {
      const part = level.slice(at, at + 256);
      files.set(tilePath(l, at / 256, part.length), Buffer.concat(part));
    }
    const up = [];
    for (let at = 0; at + 256 <= level.length; at += 256) up.push(root(level.slice(at, at + 256)));
    level = up;
  }
  files.set('checkpoint', Buffer.from(`${origin}\n${entries.length}\n${root(all).toString('base64')}\n\n${note}`));
  return files;
}

/** A `get` over such a map; paths that it lacks are asked of `other`. */
export function inMemory(files, other = async () => ({ code: 'E_NOT_FOUND', bytes: new Uint8Array(0) })) {
  return async (path, max) => {
    const bytes = files.get(path);
    if (!bytes) return other(path, max);
    return bytes.length > max ? { code: 'E_TOO_LARGE', bytes: new Uint8Array(0) } : { code: 'OK', bytes };
  };
}
