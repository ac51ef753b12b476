// SPDX-License-Identifier: AGPL-3.0-or-later
// Run by portal.sh: PORTAL_URL is a daemon in the middle of a simulated night. Prints TAP.
import { execFileSync } from 'node:child_process';
import { createServer } from 'node:http';
import { existsSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { extname, join } from 'node:path';
import { gzipSync } from 'node:zlib';

const top = new URL('../..', import.meta.url).pathname;
const require = createRequire(join(top, 'web/package.json'));
const { chromium } = require('playwright-core');
const axe = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');
const url = process.env.PORTAL_URL;
const tree = join(process.env.PORTAL_DIR, 'public');
const stations = Number(process.env.PORTAL_STATIONS);

let n = 0;
let bad = 0;
const note = (text) => String(text).split('\n').forEach((l) => console.log(`# ${l}`));
function ok(name, good, why) {
  n += 1;
  console.log(`${good ? 'ok' : 'not ok'} ${n} - ${name}`);
  if (!good) {
    bad += 1;
    if (why !== undefined) note(typeof why === 'string' ? why : JSON.stringify(why));
  }
}
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox'] });
const complaints = [];
const foreign = [];
async function open(path, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1100, height: 900 }, ...options });
  const page = await context.newPage();
  page.on('console', (m) => {
    // the checking module needs a compiler for it
    if (m.type() === 'error' && !/hesabu\.wasm$/.test(m.location().url)) complaints.push(`${path}: ${m.text()} ${m.location().url}`);
  });
  page.on('pageerror', (e) => complaints.push(`${path}: ${e.message}`));
  page.on('request', (r) => {
    const u = r.url();
    if (!u.startsWith(url) && !u.startsWith('data:') && !u.startsWith('blob:') && !u.startsWith(other)) foreign.push(u);
  });
  await page.goto(path.startsWith('http') ? path : url + path);
  return page;
}
let other = 'http://nowhere.invalid/';
/** Also what is far below the first screen and would be laid out when it comes near. */
const layAll = (page) => page.evaluate(() => {
  for (const s of document.querySelectorAll('main > section')) s.style.contentVisibility = 'visible';
});
const digits = (text) => Number(text.replace(/[^0-9]/g, ''));
const received = async (page) => digits(await page.textContent('#received'));
const hacked = (page) => page.evaluate(() => Boolean(window.hacked) || document.getElementById('hacked') !== null);
const until = async (what, ms) => {
  const end = Date.now() + ms;
  for (;;) {
    if (await what()) return true;
    if (Date.now() > end) return false;
    await new Promise((r) => setTimeout(r, 200));
  }
};

async function live() {
  await until(() => { try { return statSync(join(tree, 'index.html')).size > 0; } catch { return false; } }, 30000);
  const page = await open('/');
  const before = await received(page);
  await page.evaluate(() => { window.same = true; document.querySelector('details.votes').open = true; });
  ok('the overview shows the night while it happens', before < stations, before);
  ok('and names nobody', (await page.textContent('body')).includes('Provisional, not declared') && (await page.locator('#declaration').count()) === 0);
  const grew = await until(async () => (await received(page)) > before, 60000);
  ok('it goes on by itself, without being loaded again', grew && (await page.evaluate(() => window.same === true)));
  ok('what was opened stays open', await page.evaluate(() => document.querySelector('details.votes').open));
  ok('all stations come', await until(async () => (await received(page)) === stations, 90000), await received(page));
  ok('it says SIMULATED and that nothing is declared', await page.evaluate(() =>
    document.title.includes('SIMULATED') && document.querySelector('.sim') !== null &&
    document.querySelector('.status').textContent.includes('not declared') === (document.getElementById('declaration') === null)));
  await page.context().close();
  const published = () => {
    const head = JSON.parse(readFileSync(join(tree, 'head.json')));
    const home = readFileSync(join(tree, 'index.html'), 'utf8');
    return home.includes('<section id="declaration"') && home.includes(`data-size="${head.size}"`) && head.size;
  };
  let size = -1;
  ok('the night ends with a declaration', await until(() => readFileSync(process.env.PORTAL_LOG, 'utf8').includes('Checked:') && published(), 120000));
  await until(async () => { // no more records
    const before = size;
    size = published();
    await new Promise((r) => setTimeout(r, 1500));
    return size === before;
  }, 30000);
}

async function numbers() {
  const results = (unit) => JSON.parse(execFileSync(process.env.HESABU,
    ['results', tree, '--json', '--contest', 'president', ...(unit ? ['--unit', unit] : [])], { maxBuffer: 1 << 28 }));
  const index = JSON.parse(readFileSync(join(tree, 'results/index.json')));
  let pages = 0;
  const wrong = [];
  const shown = (html) => [...html.matchAll(/data-votes="(\d+)"/g)].map((m) => Number(m[1]));
  const named = (html, name) => digits((html.match(new RegExp(`data-name="${name}">([^<]*)`)) ?? ['', '-1'])[1]);
  for (const lang of ['en', 'sw']) {
    for (const file of readdirSync(join(tree, lang, 'president/1'))) {
      const html = readFileSync(join(tree, lang, 'president/1', file), 'utf8');
      const data = JSON.parse(readFileSync(join(tree, 'results/president/1', file.replace('.html', '.json'))));
      const t = data.totals.transmitted;
      pages += 1;
      if (JSON.stringify(shown(html)) !== JSON.stringify(Object.values(t.votes)) || named(html, 'valid') !== t.valid ||
        named(html, 'rejected') !== t.rejected || named(html, 'registered') !== data.stations.registered) wrong.push(file);
    }
  }
  ok(`figures on all ${pages} pages are those of the published data`, pages > 20 && wrong.length === 0, wrong.slice(0, 5));
  const units = ['', '001', '001001', '0010010001', '0010010001001'];
  const different = units.filter((u) => {
    const r = results(u);
    const total = r.contests ? r.contests[0].totals.transmitted : r.totals.transmitted;
    const html = readFileSync(join(tree, u ? `en/president/1/${u}.html` : 'index.html'), 'utf8');
    return JSON.stringify(shown(html)) !== JSON.stringify(Object.values(total.votes));
  });
  ok("and those of 'hesabu results' from the records themselves", different.length === 0, different);
  const listed = new Set();
  for (const file of readdirSync(join(tree, 'en/president/1')))
    for (const m of readFileSync(join(tree, 'en/president/1', file), 'utf8').matchAll(/<article class="station" id="(\d+)"/g)) listed.add(m[1]);
  ok('every station stands on a page', listed.size === stations, listed.size);
  const gate = JSON.parse(readFileSync(join(tree, 'results/president/1/gate.json')));
  const home = readFileSync(join(tree, 'index.html'), 'utf8');
  const choices = index.contests[0].choices.filter((c) => gate.declaration.outcome.choices.includes(c.id));
  ok('after the declaration it says who was declared, by whom, and what was open', home.includes('<section id="declaration"') &&
    choices.length === 1 && home.includes(`Declared elected: <b><bdi>${choices[0].name}</bdi>`) &&
    home.includes('Declared over a shut gate') === gate.overrides.length > 0);
  const declared = [...home.matchAll(/data-declared="(\d+)"/g)].map((m) => Number(m[1]));
  ok('and the declared figures are those of the collation',
    JSON.stringify(declared) === JSON.stringify(Object.values(index.contests[0].totals.declared?.votes ?? gate.collations.at(-1).totals.votes)), declared);
}

/** "1 stations": every page, as it is read. */
function plurals() {
  const wrong = [];
  const one = /(?:^|[^\d.,:/-])1 (stations|areas|admitted objections|objections|units|collations|forms|cells|records|places|vituo|maeneo|visanduku|majumlisho|fomu zi\w*)\b[^<]{0,40}/;
  let pages = 0;
  for (const file of readdirSync(tree, { recursive: true }).filter((f) => f.endsWith('.html'))) {
    const text = readFileSync(join(tree, file), 'utf8').replace(/<\/(dd|dt|td|th|li|p|div)>/g, ' | ').replace(/<[^>]*>/g, ' ').replace(/\s+/g, ' ');
    const at = one.exec(text);
    pages += 1;
    if (at) wrong.push(`${file}: ${at[0]}`);
  }
  ok(`no page of ${pages} says "1 stations" or its like`, pages > 20 && wrong.length === 0, wrong.slice(0, 5).join('\n'));
}

async function drill(options, name) {
  const page = await open('/', options);
  const trail = [];
  for (let level = 0; level < 5; level += 1) {
    const link = page.locator('table.parts th a').first();
    trail.push(await link.getAttribute('href'));
    await link.scrollIntoViewIfNeeded(); // what is below the first screen is laid out as it comes near
    await page.waitForTimeout(200);
    await Promise.all([page.waitForURL((u) => u.href !== trail.at(-1)), link.click()]);
    await page.waitForLoadState();
  }
  const target = page.url().split('#')[1];
  ok(`${name}: from the nation down to a station`, /^\d{15}$/.test(target ?? '') && (await page.locator(`[id="${target}"] .channels`).count()) === 1, trail);
  ok(`${name}: the form's image is shown`, await page.locator(`[id="${target}"] figure.form img`).first().evaluate(async (i) => {
    i.loading = 'eager';
    await i.decode().catch(() => undefined);
    return i.naturalWidth > 100;
  }).catch(async () => (await page.locator(`[id="${target}"] figure.form img`).count()) > 0));
  ok(`${name}: hostile names are text`, !(options.javaScriptEnabled === false ? false : await hacked(page)) &&
    (await page.textContent('body')).includes('<script>window.hacked=1</script>'));
  await page.context().close();
}

async function languages() {
  const page = await open('/');
  await Promise.all([page.waitForURL('**/sw/index.html'), page.click('a.lang')]);
  const text = await page.textContent('body');
  ok('Swahili: the whole overview', (await page.getAttribute('html', 'lang')) === 'sw' && text.includes('Imetangazwa rasmi') &&
    text.includes('Kura') && !text.includes('Provisional') && !text.includes('Share'),
  [...text.matchAll(/.{0,30}(Provisional|Share).{0,30}/g)].map((m) => m[0]));
  await Promise.all([page.waitForURL('**/sw/president/1/*'), page.locator('table.parts th a').first().click()]);
  ok('and the pages below', page.url().includes('/sw/president/1/') && (await page.textContent('main')).includes('Wapiga kura waliosajiliwa'));
  await Promise.all([page.waitForURL('**/en/**'), page.click('a.lang')]);
  ok('and back to the same place', page.url().includes('/en/president/1/001.html'));
  await page.context().close();
}

/** Text that is neither a name, a code, a time nor marked as of another language. */
const texts = (page) => page.evaluate(() => {
  const out = [];
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let n = walk.nextNode(); n; n = walk.nextNode()) {
    const of = n.parentElement;
    if (of.closest('bdi, code, pre, time, .code, .hash, a.lang, svg, [data-area], html [lang]:not(html)')) continue;
    const text = n.textContent.replace(/\s+/g, ' ').trim();
    if (/[a-z]{3}/i.test(text)) out.push(text);
  }
  for (const e of document.querySelectorAll('[aria-label], [title], [placeholder], img[alt]'))
    for (const a of ['aria-label', 'title', 'placeholder', 'alt'])
      if (/[a-z]{3}/i.test(e.getAttribute(a) ?? '') && !e.closest('svg, time')) out.push(e.getAttribute(a));
  return out;
});

/** What a Swahili page says just as the English one does has not been translated. */
async function translated() {
  const same = /^(SHA-256|JSON|UTC|Kenya|Live|GeoJSON|OASIS|NIST|[A-Z0-9 /'’.-]+$)/;
  const twins = [['/index.html', '/sw/index.html'], ['/about.html', '/sw/about.html'], ['/petition.html', '/sw/petition.html'],
    ['/card.html', '/sw/card.html'], ...['KE', '001001', '0010010001001'].map((u) => [`/en/president/1/${u}.html`, `/sw/president/1/${u}.html`])];
  if (existsSync(join(tree, 'data/sw.html'))) twins.push(['/data/index.html', '/data/sw.html']);
  for (const [english, swahili] of twins) {
    const [a, b] = [await open(english), await open(swahili)];
    await Promise.all([a.waitForTimeout(700), b.waitForTimeout(700)]);
    const known = new Set(await texts(a));
    const found = (await texts(b)).filter((t) => known.has(t) && !same.test(t) && !/\b[a-z0-9-]+\.(csv|json|xml|atom|gz|sqlite)\b/.test(t));
    ok(`Swahili: every text of ${swahili}`, known.size > 3 && found.length === 0, [...new Set(found)].slice(0, 8));
    await a.context().close();
    await b.context().close();
  }
}

async function keyboard() {
  const page = await open('/');
  await page.waitForSelector('.map svg.areas');
  await page.keyboard.press('Tab');
  ok('keyboard: the first stop leads to the figures', (await page.evaluate(() => document.activeElement.className)) === 'skip');
  await page.keyboard.press('Enter');
  ok('and there one is', (await page.evaluate(() => document.activeElement.id)) === 'main');
  let found = false;
  for (let i = 0; i < 40 && !found; i += 1) {
    await page.keyboard.press('Tab');
    found = await page.evaluate(() => document.activeElement.closest('svg.areas') !== null);
  }
  const first = await page.evaluate(() => document.activeElement.getAttribute('aria-label'));
  ok('the map is reached, and an area says its figures', found && /: \d+ of \d+ stations? received/.test(first ?? ''), first);
  await page.keyboard.press('Enter');
  await page.waitForURL('**/en/president/1/*.html');
  ok('and leads to its page', true);
  for (const [typed, code] of [['chaangamwe', '001001'], ['kipevuu', '0010010002'], ['001001000100101', '001001000100101']]) {
    await page.goto(code === '001001' ? `${url}/` : `${url}/en/president/1/001.html`);
    const box = page.locator('input[type=search]');
    await box.focus();
    await page.keyboard.type(typed, { delay: 10 });
    await page.waitForSelector('#found li:not(.none)').catch(() => undefined);
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
    const there = await until(() => page.url().includes(code), 4000);
    ok(`search: "${typed}" leads to ${code}`, there, page.url());
  }
  await page.context().close();
}

async function views() {
  const page = await open('/');
  await page.waitForSelector('.map svg.areas');
  const areas = () => page.locator('.map svg.areas a').evaluateAll((list) => list.map((e) => e.getAttribute('aria-label')).sort());
  if (process.env.PORTAL_LAND) {
    const hexagons = await areas();
    await page.locator('input[value=hexagons]').focus();
    await page.keyboard.press('ArrowRight');
    const drawn = await page.waitForSelector('.map svg.land path', { timeout: 8000 }).then(() => true, () => false);
    ok('map: by geography, reached by keyboard', drawn && (await page.evaluate(() => document.activeElement.value === 'land')));
    const land = await areas();
    ok('the same areas with the same figures', land.length > 0 && JSON.stringify(land) === JSON.stringify(hexagons), [land.length, hexagons.length]);
    ok('each has a shape that can be seen', await page.locator('.map svg.land path').evaluateAll((list) =>
      list.every((p) => p.getBBox().width > 0.5 && p.getBBox().height > 0.5)));
    await page.locator('.map svg.land a[tabindex="0"]').focus();
    await page.keyboard.press('ArrowDown');
    ok('arrow keys go from area to area', await page.evaluate(() => document.activeElement.closest('svg.land') !== null));
    const said = land.map((t) => t.split(': ')[0]);
    await page.locator('input[value=table]').check({ force: true });
    const rows = await page.locator('.map tbody th a').allTextContents();
    ok('and the table lists them all', said.every((t) => rows.includes(t)), said.filter((t) => !rows.includes(t)));
    await page.locator('input[value=hexagons]').check({ force: true });
  } else ok('map: by geography # SKIP no boundaries here', true);
  for (const value of ['highest', 'turnout', 'findings']) {
    await page.locator(`input[value=${value}]`).check({ force: true });
    ok(`map: coloured by ${value}, with a legend`, (await page.locator('.map .legend li').count()) > 0);
  }
  await page.locator('input[value=highest]').check({ force: true });
  ok('the highest figure is called provisional', (await page.textContent('.map')).includes('provisional: not a result'));
  await page.locator('input[value=table]').check({ force: true });
  ok('the same as a table', (await page.locator('.map table tbody tr').count()) > 0);
  await page.goto(`${url}/en/president/1/0010010001001.html`);
  await page.locator('figure.form a').first().click();
  await page.waitForSelector('dialog.viewer img');
  await page.keyboard.press('+');
  await page.keyboard.press('r');
  const transform = await page.locator('dialog.viewer img').evaluate((i) => i.style.transform);
  ok('the form can be enlarged and turned', transform.includes('rotate(90deg)') && transform.includes('scale(1.4)'), transform);
  await page.keyboard.press('Escape');
  ok('and put away', await until(async () => (await page.locator('dialog.viewer').count()) === 0, 2000));
  await page.context().close();
}

const sample = ['/', '/sw/index.html', '/en/president/1/KE.html', '/en/president/1/001001.html', '/en/president/1/0010010001001.html', '/about.html', '/petition.html', '/card.html'];

/** What a screenshot, a sheet of paper and the wall of a tally centre show. */
async function surfaces() {
  const page = await open('/');
  await page.waitForSelector('.map svg.areas');
  await page.evaluate(() => scrollTo(0, 3000));
  ok('SIMULATED stays in sight when the page is scrolled', await until(() => page.evaluate(() => {
    const r = document.querySelector('.sim').getBoundingClientRect();
    return scrollY > 500 && r.top === 0 && r.height > 10;
  }), 3000));
  const sheets = await page.pdf({ format: 'A4' });
  const file = join(process.env.PORTAL_DIR, 'sheets.pdf');
  writeFileSync(file, sheets);
  try {
    const each = execFileSync('pdftotext', [file, '-']).toString().split('\f').slice(0, -1);
    ok('and stands on every printed sheet', each.length > 2 && each.every((t) => t.includes('SIMULATED')), each.map((t) => t.includes('SIMULATED')));
  } catch (e) {
    ok(`and stands on every printed sheet # SKIP ${e.code}`, e.code === 'ENOENT');
  }
  await page.setViewportSize({ width: 1920, height: 1080 });
  await page.goto(`${url}/?screen=1`);
  await page.waitForSelector('.map svg.areas');
  const fits = await page.evaluate(() => {
    const box = (s) => document.querySelector(s).getBoundingClientRect();
    const [front, map, totals, foot] = ['.front', '.map svg.areas', '#totals', 'footer'].map(box);
    return document.documentElement.scrollHeight <= innerHeight && front.bottom <= totals.top + 1 && map.bottom <= totals.top + 1 &&
      map.height > 300 && foot.bottom <= innerHeight + 1;
  });
  ok('the big screen is one screen, and nothing covers anything', fits);
  await page.goto(`${url}/petition.html`);
  const where = await page.textContent('#where');
  ok('where and until when to petition', /Supreme Court of Kenya, Nairobi/.test(where) && /20\d\d, \d\d:\d\d/.test(where), where);
  await page.goto(`${url}/sw/petition.html`);
  ok('in Swahili too', /Mahakama ya Juu ya Kenya/.test(await page.textContent('#where')));
  await page.goto(`${url}/`);
  const notice = page.locator('#notices blockquote');
  const id = (await page.locator('#notices a[href*="objects/"]').first().getAttribute('href')).split('/').pop();
  const text = readFileSync(join(tree, 'objects', id), 'utf8').replace(/\s+/g, ' ').trim();
  await layAll(page); // text far below is not laid out before it comes near
  ok('notices are quoted in full', (await notice.first().innerText()).replace(/\s+/g, ' ').trim() === text, text);
  await page.goto(`${url}/about.html`);
  ok('copies that others keep are linked, their names as text', (await page.locator('#copies a[href="https://copy.example/log/"]').count()) === 1 &&
    (await page.textContent('#copies')).includes('<img src=x') && !(await hacked(page)));
  await page.context().close();
}

async function small() {
  for (const path of sample) {
    const page = await open(path, { viewport: { width: 360, height: 700 } });
    await page.waitForTimeout(300);
    await layAll(page);
    const width = await page.evaluate(() => document.documentElement.scrollWidth);
    ok(`360 pixels wide: ${path} does not run over`, width <= 360, `${width}`);
    await page.context().close();
  }
}

async function accessible() {
  for (const path of sample) {
    for (const colorScheme of path === '/' ? ['light', 'dark'] : ['light']) {
      const page = await open(path, { colorScheme });
      await page.waitForTimeout(400);
      await page.evaluate(axe);
      const found = await page.evaluate(() => window.axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'] }));
      const serious = found.violations.filter((v) => v.impact === 'serious' || v.impact === 'critical');
      ok(`axe-core: nothing serious on ${path} (${colorScheme})`, serious.length === 0,
        serious.map((v) => `${v.id}: ${v.nodes.slice(0, 3).map((x) => x.html.slice(0, 160)).join(' | ')}`).join('\n'));
      await page.context().close();
    }
  }
}

async function policy() {
  const page = await open('/about.html');
  const found = await page.evaluate(async (paths) => {
    const out = [];
    for (const path of paths) {
      const d = new DOMParser().parseFromString(await (await fetch(path)).text(), 'text/html');
      if (!d.querySelector('meta[http-equiv=Content-Security-Policy]')) out.push(`${path}: no policy`);
      for (const e of d.querySelectorAll('*')) {
        if (e.nodeName === 'SCRIPT' && (!e.src || e.textContent)) out.push(`${path}: script`);
        if (e.nodeName === 'STYLE') out.push(`${path}: style`);
        for (const a of e.attributes)
          if (/^on|^style$/i.test(a.name) || /^\s*(javascript|data:text)/i.test(a.value)) out.push(`${path}: ${e.nodeName} ${a.name}`);
      }
    }
    return out;
  }, sample);
  ok('no page has inline code, and each has a policy against it', found.length === 0, found);
  await page.context().close();
}

/** The same tree from a server that only knows files, in a folder below its root. */
async function elsewhere() {
  const types = { '.html': 'text/html', '.css': 'text/css', '.js': 'text/javascript', '.json': 'application/json', '.wasm': 'application/wasm' };
  const server = createServer((q, r) => {
    const path = decodeURIComponent(new URL(q.url, 'http://x').pathname).replace(/^\/copy\//, '');
    try {
      const bytes = readFileSync(join(tree, path || 'index.html'));
      r.writeHead(200, { 'content-type': types[extname(path || 'x.html')] ?? 'application/octet-stream' }).end(bytes);
    } catch {
      r.writeHead(404).end();
    }
  });
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  other = `http://127.0.0.1:${server.address().port}/`;
  const page = await browser.newPage();
  await page.goto(`${other}copy/`);
  ok('static hosting: map and style work below any folder', await page.waitForSelector('.map svg.areas a', { timeout: 8000 }).then(() => true, () => false));
  await Promise.all([page.waitForURL('**/en/**'), page.locator('table.parts th a').first().click()]);
  ok('and its links', page.url().includes('/copy/en/president/1/001.html'));
  await page.close();
  server.close();
}

function weight() {
  const html = readFileSync(join(tree, 'index.html'));
  const text = html.toString();
  const first = [...text.matchAll(/(?:href|src)="(assets\/[^"]+)"/g)].map((m) => readFileSync(join(tree, m[1])));
  const folder = join(tree, text.match(/assets\/[0-9a-f]+/)[0]);
  const chunks = readdirSync(folder).filter((f) => /^(chunk|map)-/.test(f)).map((f) => readFileSync(join(folder, f)));
  const bytes = [html, ...first, ...chunks].reduce((a, b) => a + gzipSync(b).length, 0);
  note(`first view: ${bytes} bytes compressed`);
  ok('first view: less than 100 KB compressed', bytes < 100 * 1024, bytes);
}

await live();
await numbers();
plurals();
await drill({}, 'with scripts');
await drill({ javaScriptEnabled: false }, 'without scripts');
await languages();
await translated();
await keyboard();
await views();
await surfaces();
await small();
await accessible();
weight();
await policy();
ok('no error and nothing that the policy refused', complaints.length === 0, complaints.slice(0, 8).join('\n'));
ok('no request to anybody else', foreign.length === 0, foreign.slice(0, 5));
await elsewhere();
await browser.close();
console.log(`1..${n}`);
process.exit(bad ? 1 : 0);
