// SPDX-License-Identifier: AGPL-3.0-or-later
// Makes one tree of elements like another by changing only what differs, so that focus, selection, open
// details and the scroll position stay. Elements with data-keep were made by scripts and are left alone.

const isKept = (n: Node): boolean => n instanceof Element && n.hasAttribute('data-keep');

function alike(a: Node, b: Node): boolean {
  if (a.nodeType !== b.nodeType || a.nodeName !== b.nodeName) return false;
  return !(a instanceof Element) || a.id === (b as Element).id;
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
    let found: ChildNode | null = at;
    while (found && (isKept(found) || !alike(found, next))) found = found.nextSibling;
    if (!found) {
      to.insertBefore(document.importNode(next, true), at);
      continue;
    }
    while (at && at !== found) {
      const gone: ChildNode = at;
      at = at.nextSibling;
      if (!isKept(gone)) gone.remove();
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
