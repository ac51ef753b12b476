// SPDX-License-Identifier: AGPL-3.0-or-later
// Bundles web/src: src/NAME.page.ts becomes NAME.js, the checking worker proof.js.
// usage: node build.mjs [FOLDER [hesabu.wasm]]
import { build } from 'esbuild';
import { copyFile, mkdir, readdir } from 'node:fs/promises';

const root = new URL('.', import.meta.url).pathname;
const dist = process.argv[2] ?? root + 'dist';
const wasm = process.argv[3];
const entries = Object.fromEntries(
  (await readdir(root + 'src', { withFileTypes: true }))
    .filter((e) => e.isFile() && e.name.endsWith('.page.ts'))
    .map((e) => [e.name.replace('.page.ts', ''), root + 'src/' + e.name]),
);
entries.proof = root + 'src/proof/worker.ts';

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
if (wasm) await copyFile(wasm, dist + '/hesabu.wasm');
