// SPDX-License-Identifier: AGPL-3.0-or-later
// The reader's pinned trust anchor: kept in this browser, believed before anything that a server says.
const KEY = 'hesabu.anchor';

export function pinned(): string | null {
  try {
    return localStorage.getItem(KEY);
  } catch {
    return null; // storage is switched off: nothing can be pinned
  }
}

export function pin(text: string): void {
  try {
    localStorage.setItem(KEY, text);
  } catch {
    // as above; the page shows that nothing is pinned
  }
}

export function unpin(): void {
  try {
    localStorage.removeItem(KEY);
  } catch {
    // as above
  }
}

export const pinnedBytes = (): Uint8Array | undefined => {
  const text = pinned();
  return text === null ? undefined : new TextEncoder().encode(text);
};

export const looksLikeAnchor = (bytes: Uint8Array): boolean =>
  new TextDecoder().decode(bytes.subarray(0, 17)) === 'hesabu/anchor/v1\n';
