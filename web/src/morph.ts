// SPDX-License-Identifier: AGPL-3.0-or-later
// Makes one tree of elements like another by changing only what differs, so that focus, selection, open
// details and the scroll position stay. Elements with data-keep were made by scripts and are left alone.

const isKept = (n: Node): boolean => n instanceof Element && n.hasAttribute('data-keep');

/** The node that `next` is a newer form of: with its id wherever it stands from `at` on, else only what
 * stands right here, so that nothing is passed over that comes later. */
function counterpart(next: Node, at: ChildNode | null): ChildNode | null {
  let n: ChildNode | null = at;
  if (next instanceof Element && next.id) {
    while (n && !(n instanceof Element && n.id === next.id && n.nodeName === next.nodeName)) n = n.nextSibling;
    return n;
  }
  const element = next instanceof Element;
  while (n && (isKept(n) || (element && n.nodeType === Node.TEXT_NODE))) n = n.nextSibling;
  if (!n || n.nodeName !== next.nodeName) return null;
  return n instanceof Element && n.id ? null : n;
}

function attributes(to: Element, from: Element): void {
  for (const a of Array.from(to.attributes)) {
    if (from.hasAttribute(a.name) || a.name === 'open' || a.name.startsWith('data-live')) continue;
    to.removeAttribute(a.name);
  }
  for (const a of Array.from(from.attributes))
    if (to.getAttribute(a.name) !== a.value) to.setAttribute(a.name, a.value);
}

export function morph(to: Element, from: Element, changed: (e: Element) => void): void {
  attributes(to, from);
  if (to.nodeName === 'TIME' && to.hasAttribute('data-live')) return; // shown in the reader's own zone
  let at: ChildNode | null = to.firstChild;
  for (const next of Array.from(from.childNodes)) {
    while (at && isKept(at)) at = at.nextSibling;
    const found = counterpart(next, at);
    if (!found) {
      to.insertBefore(document.importNode(next, true), at);
      continue;
    }
    while (at && at !== found) {
      const gone: ChildNode = at;
      at = at.nextSibling;
      if (!isKept(gone)) gone.remove();
    }
    if (isKept(found)) {
      at = found.nextSibling;
      continue;
    }
    if (found instanceof Element) morph(found, next as Element, changed);
    else if (found.nodeValue !== next.nodeValue) {
      found.nodeValue = next.nodeValue;
      changed(to);
    }
    at = found.nextSibling;
  }
  while (at) {
    const gone: ChildNode = at;
    at = at.nextSibling;
    if (!isKept(gone)) gone.remove();
  }
}
