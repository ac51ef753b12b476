// SPDX-License-Identifier: AGPL-3.0-or-later
// Bundles web/src: src/NAME.page.ts becomes NAME.js, the checking worker proof.js.
// usage: node build.mjs [FOLDER [hesabu.wasm]]
//        node build.mjs --desk FOLDER: the clerk's page alone, src/desk as desk.js, desk.css, desk.html
import { build, transform } from 'esbuild';
import { copyFile, mkdir, readFile, readdir, writeFile } from 'node:fs/promises';

const root = new URL('.', import.meta.url).pathname;
const desk = process.argv[2] === '--desk';
const dist = process.argv[desk ? 3 : 2] ?? root + 'dist';
const wasm = process.argv[3];
const how = { outdir: dist, bundle: true, format: 'esm', target: 'es2020', minify: true, sourcemap: false, legalComments: 'none' };
if (desk) {
  await mkdir(dist, { recursive: true });
  await build({ ...how, entryPoints: { desk: root + 'src/desk/desk.ts' } });
  for (const e of ['desk.html', 'desk.css']) await copyFile(root + 'src/desk/' + e, dist + '/' + e);
  process.exit(0);
}
const entries = Object.fromEntries(
  (await readdir(root + 'src', { withFileTypes: true }))
    .filter((e) => e.isFile() && e.name.endsWith('.page.ts'))
    .map((e) => [e.name.replace('.page.ts', ''), root + 'src/' + e.name]),
);
entries.proof = root + 'src/proof/worker.ts';

await mkdir(dist, { recursive: true });
await build({ ...how, entryPoints: entries, splitting: true });
for (const e of await readdir(root)) {
  if (e.endsWith('.html')) await copyFile(root + e, dist + '/' + e);
  if (e.endsWith('.css'))
    await writeFile(dist + '/' + e, (await transform(await readFile(root + e, 'utf8'), { loader: 'css', minify: true, target: 'chrome87' })).code);
}
if (wasm) await copyFile(wasm, dist + '/hesabu.wasm');
