// SPDX-License-Identifier: AGPL-3.0-or-later
// Elements made from values, never from markup: a name cannot become an element.
type Child = Node | string | null | undefined | false;
type Props = Record<string, string | number | boolean | null | undefined | ((e: Event) => void)>;

function fill<E extends Element>(e: E, props: Props, children: Child[]): E {
  for (const [k, v] of Object.entries(props)) {
    if (typeof v === 'function') e.addEventListener(k, v);
    else if (v === true) e.setAttribute(k, '');
    else if (v !== null && v !== undefined && v !== false) e.setAttribute(k, String(v));
  }
  for (const c of children) if (c !== null && c !== undefined && c !== false) e.append(c);
  return e;
}

export function el<K extends keyof HTMLElementTagNameMap>(
  name: K,
  props: Props = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  return fill(document.createElement(name), props, children);
}

export function svg<K extends keyof SVGElementTagNameMap>(
  name: K,
  props: Props = {},
  ...children: Child[]
): SVGElementTagNameMap[K] {
  return fill(document.createElementNS('http://www.w3.org/2000/svg', name), props, children);
}

/** From this page to the tree's root. */
export const up = document.documentElement.dataset['up'] ?? '';
/** Where the pages of the contest that is shown lie, from this page. */
export const units = document.documentElement.dataset['units'] ?? '';
/** "president/1" */
export const contest = document.documentElement.dataset['contest'] ?? '';

/** A style sheet that lies beside the scripts, once; when it holds (or cannot be had). */
export function style(name: string): Promise<void> {
  const id = `${name}-style`;
  if (document.getElementById(id)) return Promise.resolve();
  const link = el('link', { id, rel: 'stylesheet', href: new URL(`./${name}.css`, import.meta.url).href, 'data-keep': true });
  return new Promise((done) => {
    link.addEventListener('load', () => done());
    link.addEventListener('error', () => done());
    document.head.append(link);
  });
}

export async function json<T>(path: string): Promise<T | null> {
  try {
    const r = await fetch(up + path, { credentials: 'omit' });
    return r.ok ? ((await r.json()) as T) : null;
  } catch {
    return null;
  }
}
