// SPDX-License-Identifier: AGPL-3.0-or-later
// Run by proof.sh. Same code, same verdicts: corpora, CCTV, a whole election; wrong bytes are each named.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { compiled, folder, verify } from './proof_node.mjs';
import { bundle, inMemory, tree, tilePath, unbundle } from './proof_tree.mjs';

const { ProofModule, checkEntry, checkFile, anchorFault, everything, getter, runChecks } = await import(process.env.PROOF_BUNDLE);
const top = new URL('../..', import.meta.url).pathname;
const shared = process.env.HESABU_SHARED ?? join(top, '../shared');
const treeDir = process.env.PROOF_TREE;
const cli = JSON.parse(readFileSync(process.env.PROOF_CLI, 'utf8'));
const read = (path) => readFileSync(join(treeDir, path));
const wasm = await compiled();
const m = await ProofModule.from(wasm);

let n = 0;
let bad = 0;
export function ok(name, holds, why = '') {
  n++;
  if (!holds) bad++;
  console.log(`${holds ? 'ok' : 'not ok'} ${n} - ${name}`);
  if (!holds && why) console.log(String(why).replace(/^/gm, '# '));
}
export const equal = (name, got, want) =>
  ok(name, JSON.stringify(got) === JSON.stringify(want), `got  ${JSON.stringify(got)}\nwant ${JSON.stringify(want)}`);
export const note = (text) => console.log(`# ${text}`);

/* --- the module --- */
ok('the module imports nothing', WebAssembly.Module.imports(wasm).length === 0);

/* --- corpora --- */
{
  const vectors = (p) => readFileSync(join(top, 'spec', p));
  const base = unbundle(vectors('vectors/base.log'));
  const objects = async (path) => {
    const file = join(top, 'spec/vectors', path);
    return existsSync(file) && path.startsWith('objects/')
      ? { code: 'OK', bytes: readFileSync(file) }
      : { code: 'E_NOT_FOUND', bytes: new Uint8Array(0) };
  };
  const cases = vectors('vectors/index.tsv').toString().trim().split('\n').slice(1).map((l) => l.split('\t'));
  const wrong = [];
  const lastOnly = (last) => ({ // the base's own signatures hold: test_corpus checks them
    add: async (b, done) => {
      const checks = Buffer.from(b.checks);
      const kept = [];
      for (let at = 0; at < checks.length; at += 120) if (Number(checks.readBigUInt64LE(at + 104)) === last) kept.push(checks.subarray(at, at + 120));
      done(runChecks(m, { bytes: b.bytes, checks: new Uint8Array(Buffer.concat(kept)).buffer }));
    },
    end: async () => undefined,
  });
  for (const [file, before, ms, code] of cases) {
    const bytes = vectors(file);
    const entry = ms === '-' ? bytes : Buffer.concat([Buffer.from(`hesabu/entry/v1 ${ms}\n`), bytes]);
    const entries = before === 'nothing' ? [entry] : [...base, entry];
    if (entry.length > 65535) continue; // no bundle can hold it
    const r = await everything(m, inMemory(tree(entries, 'nobody'), objects), lastOnly(entries.length - 1), { noResults: true });
    const said = r.refused.find((x) => x.index === entries.length - 1)?.code ?? 'OK';
    if (said !== code || r.refused_count > (code === 'OK' ? 0 : 1)) wrong.push(`${file}: wanted ${code}, got ${said}`);
  }
  ok(`${cases.length} cases of accept/ and reject/ give the codes of the C build`, wrong.length === 0 && cases.length > 400, wrong.join('\n'));
}

/* --- CCTV --- */
{
  const file = join(shared, 'vectors/ed25519/cctv-ed25519vectors.json');
  if (existsSync(file)) {
    const all = JSON.parse(readFileSync(file, 'utf8'));
    const refused = new Set(['low_order_A', 'low_order_R', 'non_canonical_A', 'non_canonical_R', 'low_order_residue']);
    let accepted = 0;
    let agree = 0;
    for (const c of all) {
      const holds = m.signatureHolds(Buffer.from(c.key, 'hex'), Buffer.from(c.sig, 'hex'), Buffer.from(c.msg));
      accepted += holds;
      agree += holds === !(c.flags ?? []).some((f) => refused.has(f));
    }
    equal('CCTV: exactly 43 of 914 signatures are accepted, those that spec/log.md says', [all.length, accepted, agree], [914, 43, 914]);
  } else ok('CCTV # SKIP no shared vectors', true);
}

/* --- a whole election --- */
/** For what is found without the signatures. */
const nobody = { add: async () => undefined, end: async () => undefined };
const plain = (r) => {
  const { seconds, signature_seconds, objects, ...rest } = r;
  return rest;
};
{
  const start = performance.now();
  const r = await verify(wasm, folder(treeDir), 2, { lowest: true });
  const s = (performance.now() - start) / 1000;
  equal(`${process.env.PROOF_STATIONS} stations: the report is that of hesabu verify --json`, plain(r), plain(cli));
  ok('and it is valid', r.verdict === 'valid' && r.signatures_verified > 1000 && r.results.compared, JSON.stringify(r));
  note(`${r.size} records, ${r.signatures_verified} signatures in ${s.toFixed(2)} s on 2 threads: ${Math.round(r.signatures_verified / s)} signatures/s`);
  const quick = await everything(m, folder(treeDir), nobody, {});
  ok('without the polling centres’ files it says how many were left out',
    quick.verdict === 'valid' && quick.results.left_out > 0 && quick.results.left_out + quick.results.files === r.results.files,
    JSON.stringify(quick.results));
  const anchored = await everything(m, folder(treeDir), nobody, { anchor: read('anchor') });
  ok('under the anchor it is anchored', anchored.trust === 'anchored' && anchored.verdict === 'valid');
}

/* --- wrong bytes, each named --- */
const flip = (bytes, at, bit = 1) => {
  const b = Buffer.from(bytes);
  b[at] ^= bit;
  return b;
};
const changed = (path, f) => folder(treeDir, (p, b) => (p === path && b ? f(b) : b));
async function says(name, get, verdict, code, words, options = {}) {
  const r = await everything(m, get, nobody, options);
  ok(name, r.verdict === verdict && r.code === code && words.test(`${r.index ?? ''} ${r.sentence}`), JSON.stringify({ ...r, refused: r.refused?.slice(0, 3) }));
}
const size = cli.size;
const full = Math.floor(size / 256) - 1; // the last full bundle
const someBundle = tilePath('entries', full, 256);
await says('one bit of an entry', changed(someBundle, (b) => flip(b, 5000)), 'invalid', 'E_TILE', /^\d+ tile.0.* and entry \d+ do not agree/);
await says('one bit of a hash tile', changed(tilePath(0, full, 256), (b) => flip(b, 40)), 'invalid', 'E_TILE', new RegExp(`^${full * 256 + 1} tile`));
await says('one bit of an upper tile', changed(tilePath(1, 0, Math.floor(size / 256)), (b) => flip(b, 40)), 'invalid', 'E_TILE', /tile\/1\/000/);
const digit = (b) => Buffer.from(b.toString().replace(/"registered":(\d)/, (_, d) => `"registered":${(Number(d) % 9) + 1}`));
const someUnit = 'results/president/1/001.json';
await says('one digit of a published total', changed(someUnit, digit), 'invalid', 'E_RESULTS', /results\/president\/1\/001\.json is not what the records give/);
await says('one digit of the published index', changed('results/index.json', digit), 'invalid', 'E_RESULTS', /results\/index\.json/);
await says('one bit of the checkpoint’s root', changed('checkpoint', (b) => Buffer.from(b.toString().replace(/\n(.)([^\n]{43})\n/, (_, c, rest) => `\n${c === 'A' ? 'B' : 'A'}${rest}\n`))), 'invalid', 'E_TILE', /root/);
await says('one bit of a cosignature', changed('checkpoint', (b) => Buffer.from(b.toString().replace(/(— witness\.1 [^\n]{20})(.)/, (_, h, c) => h + (c === 'A' ? 'B' : 'A')))), 'invalid', 'E_SIGNATURE', /checkpoint/);
await says('cosignatures taken away: no quorum', changed('checkpoint', (b) => Buffer.from(b.toString().replace(/— witness\.[12] .*\n/g, ''))), 'could not tell', 'E_QUORUM', /checkpoint/);
await says('another election’s anchor', folder(treeDir), 'invalid', 'E_ANCHOR', /not the election/, {
  anchor: Buffer.from(read('anchor').toString().replace(/manifest ./, (x) => `manifest ${x.endsWith('0') ? '1' : '0'}`)) });
const whole = [];
for (let i = 0; i * 256 < size; i++) whole.push(...unbundle(read(tilePath('entries', i, Math.min(256, size - i * 256)))));
{
  // a log that holds a result with a bad signature, its tiles and checkpoint made again to fit
  const at = whole.findIndex((e) => e.includes('hesabu/v1 result\n'));
  const entry = Buffer.from(whole[at]);
  const sig = entry.lastIndexOf(' ') + 20;
  entry[sig] = entry[sig] === 65 ? 66 : 65;
  const forged = [...whole];
  forged[at] = entry;
  const files = tree(forged, 'demo.hesabu.example/kenya-2017', read('checkpoint').toString().split('\n\n')[1]);
  const r = await verify(wasm, inMemory(files, folder(treeDir)), 2, {});
  ok('a signature that does not hold is named, before all that follows from it',
    r.verdict === 'invalid' && r.code === 'E_SIGNATURE' && r.index === at && r.refused.some((x) => x.index === at), JSON.stringify({ ...r, at }));
}

/* --- a hostile or broken server --- */
const nothing = new Uint8Array(0);
const bytesOf = (b) => ({ code: 'OK', bytes: b });
const lies = (answers) => {
  const real = folder(treeDir);
  return async (path, max) => {
    for (const [prefix, a] of answers) if (path.startsWith(prefix)) return a(path, max) ?? real(path, max);
    return real(path, max);
  };
};
const huge = (size_) => bytesOf(Buffer.from(read('checkpoint').toString().replace(/\n\d+\n/, `\n${size_}\n`)));
for (const claimed of ['9223372036854775807', '4294967296', '1000000000000'])
  await says(`a checkpoint that claims ${claimed} entries`, lies([['checkpoint', () => huge(claimed)]]), 'invalid', 'E_SIGNATURE', /checkpoint/);
await says('a tile cut short', changed('tile/0/003', (b) => b.subarray(0, 8000)), 'invalid', 'E_TILE', /tile\/0\/003/);
await says('a bundle cut short', changed('tile/entries/003', (b) => b.subarray(0, b.length - 7)), 'invalid', 'E_TILE', /^768 tile\/entries\/003/);
await says('a bundle of nothing', changed('tile/entries/003', () => nothing), 'invalid', 'E_TILE', /tile\/entries\/003/);
await says('a bundle with something left over', changed('tile/entries/003', (b) => Buffer.concat([b, Buffer.from([0, 1, 65])])), 'invalid', 'E_TILE', /tile\/entries\/003/);
await says('a bundle that is not there', folder(treeDir, (p, b) => (p === 'tile/entries/003' ? null : b)), 'could not tell', 'E_NOT_FOUND', /^768 tile\/entries\/003/);
await says('a network that fails', lies([['tile/entries/005', () => ({ code: 'E_NETWORK', bytes: nothing })]]), 'could not tell', 'E_TILE', /^1280 tile\/entries\/005/);
await says('no checkpoint', folder(treeDir, (p, b) => (p === 'checkpoint' ? null : b)), 'could not tell', 'E_NOT_FOUND', /checkpoint/);
await says('a web page for a checkpoint', changed('checkpoint', () => Buffer.from('<!doctype html><title>sign in</title>')), 'invalid', 'E_NOTE', /checkpoint/);
await says('a list of cosigned sizes without end', changed('witnessed/index', () => Buffer.from('1\n'.repeat(1 << 20))), 'invalid', 'E_CHECKPOINT', /witnessed\/index/);
await says('objects that are not what they are called', lies([['objects/', () => bytesOf(Buffer.from('{}'))]]), 'invalid', 'E_OBJECT', /^0 /);

/* --- one record --- */
const web = getter(process.env.PROOF_URL);
const anchor = read('anchor');
const imageAt = whole.findIndex((e) => e.includes('hesabu/v1 image\n'));
const resultAt = whole.findIndex((e) => e.includes('hesabu/v1 result\n'));
const one = async (name, get, what, want) => {
  const r = typeof what === 'number' ? await checkEntry(m, get, what, { anchor }) : await checkFile(m, get, what, { anchor });
  ok(name, want(r), JSON.stringify(r));
  return r;
};
const receipt = new Uint8Array(await (await fetch(new URL(`proofs/${resultAt}`, process.env.PROOF_URL))).arrayBuffer());
const head = receipt.indexOf(10) + 1;
const length = Number(Buffer.from(receipt.subarray(0, head)).toString().trim().split(' ')[2]);
const entryOf = receipt.slice(head, head + length);
const proofOf = receipt.slice(head + length);
const noteOf = entryOf.slice(entryOf.indexOf(10) + 1);
const good = (r) => r.verdict === 'valid' && r.trust === 'anchored' && r.in_log && r.witnesses.quorum && r.signers.every((x) => x.state === 'holds');
await one('the manifest', web, 0, good);
await one('a result, its signers followed to the manifest', web, resultAt, (r) => good(r) && r.type === 'result' && r.keys_followed >= 2);
await one('an image', web, imageAt, (r) => good(r) && r.type === 'image');
await one('the last entry', web, size - 1, good);
await one('an entry that is not there yet', web, size, (r) => r.verdict === 'could not tell' && r.code === 'E_NOT_FOUND');
await one('a receipt', web, receipt, (r) => good(r) && r.given.kind === 'receipt' && r.given.holds && r.given.quorum && r.given.consistent);
await one('a proof without its entry', web, proofOf, (r) => good(r) && r.given.kind === 'proof' && r.given.consistent);
await one('a signed slip', web, noteOf, (r) => good(r) && r.given.kind === 'slip' && r.given.holds && r.index === resultAt);
await one('a slip with one signature of several', web, Buffer.from(Buffer.from(noteOf).toString().replace(/(\n\n— [^\n]*\n)[^]*$/, '$1')), (r) => good(r) && r.given.holds);
let named = 0;
const spots = [head + 30, head + length - 30, head + length + 60, receipt.length - 40];
for (const at of spots) {
  const r = await checkFile(m, web, flip(receipt, at), { anchor });
  named += r.verdict === 'invalid' && Boolean(r.code) && !r.given?.holds;
}
ok('a flipped bit anywhere in a receipt: invalid', named >= spots.length - 1, named);
await one('a slip with a changed figure', web, Buffer.from(Buffer.from(noteOf).toString().replace(/"valid":\d/, '"valid":9').replace(/"station":"\d/, '"station":"9')), (r) => r.verdict === 'could not tell' && r.code === 'E_NOT_FOUND');
await one('a receipt while the server is away still holds by itself', async () => ({ code: 'E_NETWORK', bytes: nothing }), receipt,
  (r) => r.verdict === 'could not tell' && r.code === 'E_NETWORK' && r.given.holds);
await one('something else', web, Buffer.from('hello'), (r) => r.verdict === 'invalid' && r.code === 'E_FIELD');
/* What leads to a key record leads to entry 5 instead. */
const otherKey = (p, r) => (p.startsWith('proofs/key/po') ? { code: 'OK', bytes: Buffer.from('hesabu/receipt/v1 1 5\n') }
  : p.startsWith('keys/') ? { ...r, bytes: Buffer.from(Buffer.from(r.bytes).toString().replace(/^\d+ (?=po)/gm, '5 ')) } : r);
{
  const real = getter(process.env.PROOF_URL);
  const through = (f) => async (path, max) => f(path, await real(path, max));
  const tiled = tilePath('entries', Math.floor(resultAt / 256), 256);
  await one('verify here: one bit of the entry', through((p, r) => (p === tiled ? { ...r, bytes: flip(r.bytes, r.bytes.length - 9) } : r)), Math.floor(resultAt / 256) * 256 + 255,
    (r) => r.verdict === 'invalid' && r.code === 'E_TILE');
  await one('verify here: from files alone', folder(treeDir), resultAt, (r) => good(r) && r.keys_followed > 0);
  await one('verify here: a server without lists of keys is asked for each', through((p, r) => (p.startsWith('keys/') ? { code: 'E_NOT_FOUND', bytes: nothing } : r)), resultAt,
    (r) => good(r) && r.keys_followed > 0);
  await one('verify here: key records that cannot be had', through((p, r) => (/^(proofs|keys)\//.test(p) ? { code: 'E_NOT_FOUND', bytes: nothing } : r)), resultAt,
    (r) => r.verdict === 'could not tell' && r.code === 'E_NOT_FOUND' && r.in_log);
  await one('verify here: a key record of another key', through(otherKey), resultAt,
    (r) => r.verdict === 'invalid' && r.code === 'E_SIGNER');
  await one('verify here: a log that was cut back', async (path, max) => (path === 'checkpoint' ? folder(treeDir)('witnessed/1', max) : real(path, max)), receipt,
    (r) => r.verdict === 'invalid' && r.code === 'E_REWIND' && /keep/.test(r.sentence));
}
await one('a wrong signature weighs more than a missing quorum', async (path, max) => {
  const r = await web(path, max);
  if (path === 'checkpoint') return { ...r, bytes: Buffer.from(Buffer.from(r.bytes).toString().replace(/— witness\.[12] .*\n/g, '')) };
  return otherKey(path, r);
}, resultAt, (r) => r.verdict === 'invalid' && r.code === 'E_SIGNER' && !r.witnesses.quorum);
ok('an anchor is read strictly', anchorFault(m, anchor) === null && anchorFault(m, anchor.subarray(0, 60)) !== null && anchorFault(m, nothing) !== null);

/* --- pages --- */
const { pages } = await import('./proof_browser.mjs');
await pages({ ok, note, read, receipt, noteOf, resultAt, whole, cli });

console.log(`1..${n}`);
process.exit(bad ? 1 : 0);
