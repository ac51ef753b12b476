// SPDX-License-Identifier: AGPL-3.0-or-later
// Bundles web/src into web/dist. Every page is listed here with the script that it loads.
import { build } from 'esbuild';
import { copyFile, mkdir, readdir } from 'node:fs/promises';

const root = new URL('.', import.meta.url).pathname;
const dist = process.argv[2] ?? root + 'dist';
const entries = (await readdir(root + 'src', { withFileTypes: true }))
  .filter((e) => e.isFile() && e.name.endsWith('.page.ts'))
  .map((e) => root + 'src/' + e.name);

await mkdir(dist, { recursive: true });
await build({
  entryPoints: entries,
  outdir: dist,
  bundle: true,
  splitting: true,
  format: 'esm',
  target: 'es2020',
  minify: true,
  sourcemap: false,
  legalComments: 'none',
});
for (const e of await readdir(root))
  if (e.endsWith('.html') || e.endsWith('.css')) await copyFile(root + e, dist + '/' + e);
