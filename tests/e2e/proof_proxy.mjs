// SPDX-License-Identifier: AGPL-3.0-or-later
// A server between the browser and the daemon that may lie: rule(path, bytes) gives the bytes that are sent;
// in place of the path `page` comes a web page.
import { createServer } from 'node:http';

export async function proxy(target) {
  const p = { rule: (_path, bytes) => bytes, page: null, asked: [] };
  const server = createServer(async (q, a) => {
    try {
      const r = await fetch(new URL(q.url, target), { headers: { 'accept-encoding': 'identity' } });
      const path = decodeURIComponent(q.url.slice(1).split('?')[0]);
      const bytes = p.rule(path, Buffer.from(await r.arrayBuffer()));
      p.asked.push(path);
      if (!bytes) {
        a.writeHead(404).end();
        return;
      }
      // nothing is kept, so that each test sees what this server says now
      a.writeHead(r.status, { 'content-type': path === p.page ? 'text/html' : r.headers.get('content-type') ?? 'application/octet-stream', 'cache-control': 'no-store' });
      a.end(bytes);
    } catch {
      a.writeHead(502).end();
    }
  });
  await new Promise((r) => server.listen(0, '127.0.0.1', r));
  p.url = `http://127.0.0.1:${server.address().port}/`;
  p.close = () => {
    server.closeAllConnections?.();
    return new Promise((r) => server.close(r));
  };
  return p;
}
