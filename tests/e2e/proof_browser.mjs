// SPDX-License-Identifier: AGPL-3.0-or-later
// The pages in Chromium over the daemon, through a server that may lie. Run by proof.mjs.
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { proxy } from './proof_proxy.mjs';
import { tilePath } from './proof_tree.mjs';

const tmp = process.env.PROOF_TMP;
const top = new URL('../..', import.meta.url).pathname;
const chromium = process.env.CHROMIUM ?? '/usr/bin/chromium';
const flip = (bytes, at) => {
  const b = Buffer.from(bytes);
  b[at] ^= 1;
  return b;
};

/** A page of the tree that has a record to check: its path and the record's index. */
function pageWithRecord(tree) {
  const find = (dir) => {
    for (const e of readdirSync(join(tree, dir), { withFileTypes: true })) {
      const path = join(dir, e.name);
      if (e.isDirectory()) {
        const found = find(path);
        if (found) return found;
      } else if (e.name.endsWith('.html')) {
        const at = /data-entry="(\d+)"/.exec(readFileSync(join(tree, path), 'utf8'));
        if (at) return { path, index: Number(at[1]) };
      }
    }
    return null;
  };
  return find('en');
}

function picture(pdf, out) {
  execFileSync('pdftoppm', ['-png', '-r', '150', '-f', '1', '-l', '1', '-singlefile', pdf, join(tmp, out)]);
  return join(tmp, `${out}.png`);
}

function photos(x) {
  const hesabu = process.env.HESABU ?? join(process.env.BUILD ?? join(top, 'build'), 'hesabu');
  writeFileSync(join(tmp, 'slip.note'), x.noteOf);
  const signer = /— (po\.\S+) /.exec(Buffer.from(x.noteOf).toString())[1];
  execFileSync(hesabu, ['forms', '--slip', join(tmp, 'slip.note'), '--signer', signer, '--simulated', '--out', join(tmp, 'slip.pdf')]);
  writeFileSync(join(tmp, 'st.csv'), 'station,centre_name,ward_name,constituency_name,county_name,stream\n001002000800909,A,B,C,D,1\n');
  writeFileSync(join(tmp, 'ch.csv'), 'name,party\nA,a\nB,b\n');
  execFileSync(hesabu, ['forms', '--stations', join(tmp, 'st.csv'), '--choices', join(tmp, 'ch.csv'), '--out', join(tmp, 'form.pdf')]);
  return { slip: picture(join(tmp, 'slip.pdf'), 'slip'), form: picture(join(tmp, 'form.pdf'), 'form') };
}

export async function pages(x) {
  const { ok, note } = x;
  const program = join(top, 'web/node_modules/playwright-core/index.mjs');
  if (!existsSync(chromium) || !existsSync(program)) {
    ok('pages # SKIP no Chromium or no playwright-core', true);
    return;
  }
  if (!/<script type="module"/.test(readFileSync(join(process.env.PROOF_TREE, 'index.html'), 'utf8'))) {
    ok('pages # SKIP the program was built without scripts (make setup, then build again)', true);
    return;
  }
  const server = await proxy(process.env.PROOF_URL);
  const browser = await (await import(program)).chromium.launch({
    executablePath: chromium, args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage'],
  });
  try {
    await checkPages(x, browser, server);
  } catch (e) {
    ok('pages', false, e.stack);
  } finally {
    await browser.close();
    await server.close();
  }
  note(`${server.asked.length} requests of the pages`);
}

async function checkPages(x, browser, server) {
  const { ok, note, read, receipt, cli } = x;
  const context = await browser.newContext({ viewport: { width: 360, height: 740 } });
  const page = await context.newPage();
  const complaints = [];
  page.on('pageerror', (e) => complaints.push(e.message));
  page.on('console', (m) => /content security|refused/i.test(m.text()) && complaints.push(m.text()));
  const open = async (path) => {
    await page.goto(server.url + path);
  };
  const honest = (_p, b) => b;
  const kind = (where) => page.locator(`${where} .proof`).first().getAttribute('data-verdict', { timeout: 180_000 });
  const text = (where) => page.locator(where).innerText();

  // verify here
  const where = pageWithRecord(process.env.PROOF_TREE);
  const here = `.actions[data-entry="${where.index}"]`;
  const result = `${here} + .proof`;
  const press = async () => {
    await open(where.path);
    const b = page.locator(`${here} button.verify`);
    await b.focus();
    await page.keyboard.press('Enter');
    await page.waitForSelector(result, { timeout: 60_000, state: 'attached' });
    return page.locator(result).getAttribute('data-verdict');
  };
  ok('verify here: valid, by keyboard', (await press()) === 'ok' && /In the log/.test(await text(result)), complaints.join('\n'));
  const bundleOf = tilePath('entries', Math.floor(where.index / 256), Math.min(256, cli.size - Math.floor(where.index / 256) * 256));
  server.rule = (p, b) => {
    if (p !== bundleOf) return b;
    let at = 0;
    for (let i = 0; i < where.index % 256; i++) at += 2 + b.readUInt16BE(at);
    return flip(b, at + 100);
  };
  ok('verify here: one flipped bit is shown as invalid, in words', (await press()) === 'bad' && /Invalid/.test(await text(result)) && /entry \d+ is not the one/.test(await text(result)), await text(result));
  server.rule = (p, b) => (/^(proofs|keys)\//.test(p) ? null : b);
  ok('verify here: could not tell, when key records are kept back', (await press()) === 'open' && /Could not tell/.test(await text(result)));
  server.rule = honest;

  // the page that checks
  const check = async () => {
    await open('about.html');
    await page.waitForSelector('#everything-start', { timeout: 60_000 });
  };
  await check();
  const hash = await text('#module-hash');
  ok('the page says by which code it checks', /^[0-9a-f]{64}$/.test(hash.trim()) && /Checked with code from this server/.test(await text('#code')));
  await page.locator('#module-state', { hasText: '(' }).waitFor({ timeout: 60_000 });
  ok('and that the manifest names it', /as the manifest names it/.test(await text('#module-state')), await text('#module-state'));
  ok('nothing is wider than a small phone', await page.evaluate(() => document.documentElement.scrollWidth <= 360));
  const all = async () => {
    const start = Date.now();
    await page.click('#everything-start');
    const verdict = await kind('#everything-out');
    return { verdict, words: await text('#everything-out'), s: (Date.now() - start) / 1000 };
  };
  const r = await all();
  ok('verify everything: consistent, with the log’s root', r.verdict === 'ok' && /Its records are consistent/.test(r.words) && r.words.includes(cli.root), r.words);
  note(`in Chromium: ${cli.size} records, ${cli.signatures_verified} signatures in ${r.s.toFixed(2)} s: ${Math.round(cli.signatures_verified / r.s)} signatures/s`);
  const totals = await page.locator('#everything-out tbody').textContent();
  ok('and the totals of hesabu verify', Object.values(cli.contests.president.transmitted).every((n) => totals.includes(n.toLocaleString('en'))), totals);

  const third = tilePath('entries', 1, 256);
  server.rule = (p, b) => (p === third ? flip(b, 3000) : b);
  await check();
  const wrong = await all();
  ok('verify everything: names the first record that is wrong', wrong.verdict === 'bad' && /The first that is wrong: entry (2[5-9]\d|3\d\d|4\d\d|50\d)/.test(wrong.words), wrong.words);
  server.rule = (p, b) => (p === 'results/index.json' ? Buffer.from(b.toString().replace(/"registered":(\d)/, (_, d) => `"registered":${(Number(d) % 9) + 1}`)) : b);
  await check();
  const changed = await all();
  ok('verify everything: changed results are named', changed.verdict === 'bad' && /results\/index\.json is not what the records give/.test(changed.words), changed.words);
  server.rule = honest;
  server.page = third;
  await check();
  const captive = await all();
  ok('a web page in place of a file is no proof of anything', captive.verdict === 'open' && /Could not tell/.test(captive.words), captive.words);
  server.page = null;

  // pause, go on, stop
  await check();
  await page.click('#everything-start');
  await page.getByRole('button', { name: 'Pause' }).click();
  await page.getByRole('button', { name: 'Go on' }).click();
  ok('paused and gone on, it ends', (await kind('#everything-out')) === 'ok');
  await page.click('#everything-start');
  await page.getByRole('button', { name: 'Stop' }).click();
  await page.waitForSelector('#everything-start');
  ok('stopped, it can be started again', /Stopped/.test(await text('#everything-out')));

  // a page that renews itself leaves them alone
  ok('what scripts made is marked to be kept', await page.evaluate(() =>
    [...document.getElementById('verify').children].every((e) => e.hasAttribute('data-keep'))));

  // files
  const give = async (name, bytes, mimeType = 'application/octet-stream') => {
    await page.setInputFiles('#proof-file', { name, mimeType, buffer: Buffer.from(bytes) });
    await page.waitForSelector('#file-out .proof', { timeout: 60_000 });
    const v = await kind('#file-out');
    const words = await text('#file-out');
    await page.evaluate(() => document.getElementById('file-out').replaceChildren());
    return { v, words };
  };
  const fine = await give('good.receipt', receipt);
  ok('a receipt: valid', fine.v === 'ok' && /own proof holds/.test(fine.words), fine.words);
  const spoilt = await give('bad.receipt', flip(receipt, receipt.indexOf(10) + 200));
  ok('a receipt with a flipped bit: invalid', spoilt.v === 'bad' && /Invalid/.test(spoilt.words), spoilt.words);
  const stranger = await give('note.txt', 'good morning');
  ok('another file is told apart', stranger.v === 'bad' && /no receipt, no proof and no signed slip/.test(stranger.words), stranger.words);
  const dropped = await page.evaluateHandle((b) => {
    const d = new DataTransfer();
    d.items.add(new File([Uint8Array.from(b)], 'dropped.receipt'));
    return d;
  }, [...receipt]);
  await page.dispatchEvent('#proof-drop', 'drop', { dataTransfer: dropped });
  ok('dropped, the same', (await kind('#file-out')) === 'ok');
  await page.evaluate(() => document.getElementById('file-out').replaceChildren());

  // photos
  const before = server.asked.filter((p) => /qr-/.test(p)).length;
  const { slip, form } = photos(x);
  const slipSeen = await give('slip.png', readFileSync(slip), 'image/png');
  ok('a photo of a slip: its record is in the log', slipSeen.v === 'ok' && /this very record/.test(slipSeen.words), slipSeen.words);
  const formSeen = await give('form.png', readFileSync(form), 'image/png');
  ok('a photo of a form: what its code names', formSeen.v === 'ok' && /station 001002000800909/.test(formSeen.words), formSeen.words);
  const blank = await give('blank.png', Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNkYAAAAAYAAjCB0C8AAAAASUVORK5CYII=', 'base64'), 'image/png');
  ok('a picture without a code', blank.v === 'open' && /No QR code/.test(blank.words), blank.words);
  ok('the reader of codes is loaded for pictures only', before === 0 && server.asked.some((p) => /qr-/.test(p)));

  // the anchor
  await page.click('#anchor-server');
  await page.click('#anchor-pin');
  ok('an anchor is pinned', /Pinned/.test(await text('#anchor-now')) && (await page.evaluate(() => localStorage.getItem('hesabu.anchor'))) === read('anchor').toString());
  ok('and believed', /against your pinned anchor/.test((await give('good.receipt', receipt)).words));
  const other = read('anchor').toString().replace(/manifest ./, (m) => `manifest ${m.endsWith('0') ? '1' : '0'}`);
  await page.setInputFiles('#anchor-file', { name: 'other.anchor', mimeType: 'text/plain', buffer: Buffer.from(other) });
  await page.click('#anchor-pin');
  const elsewhere = await give('good.receipt', receipt);
  ok('with another election’s anchor pinned nothing here is valid', elsewhere.v === 'bad' && /not the election that the anchor names/.test(elsewhere.words), elsewhere.words);
  await page.click('#anchor-unpin');
  await page.setInputFiles('#anchor-file', { name: 'x', mimeType: 'text/plain', buffer: Buffer.from('hesabu/anchor/v1\norigin x\n') });
  await page.waitForSelector('#anchor-offer .proof-bad');
  ok('a file that is no anchor is not pinned', (await page.evaluate(() => localStorage.getItem('hesabu.anchor'))) === null);

  // Swahili
  await open('sw/about.html');
  await page.waitForSelector('#everything-start', { timeout: 60_000 });
  ok('in Swahili', /Hakiki yote/.test(await text('#everything')) && !/Verify everything/.test(await text('#verify')));
  ok('no script was refused and none failed', complaints.length === 0, complaints.join('\n'));
  await context.close();
}
