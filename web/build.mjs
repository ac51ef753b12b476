// SPDX-License-Identifier: AGPL-3.0-or-later
// Bundles web/src: src/NAME.page.ts becomes NAME.js, the checking worker proof.js.
// usage: node build.mjs [FOLDER [hesabu.wasm]]
import { build, transform } from 'esbuild';
import { copyFile, mkdir, readFile, readdir, writeFile } from 'node:fs/promises';

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
for (const e of await readdir(root)) {
  if (e.endsWith('.html')) await copyFile(root + e, dist + '/' + e);
  if (e.endsWith('.css'))
    await writeFile(dist + '/' + e, (await transform(await readFile(root + e, 'utf8'), { loader: 'css', minify: true, target: 'chrome87' })).code);
}
if (wasm) await copyFile(wasm, dist + '/hesabu.wasm');
