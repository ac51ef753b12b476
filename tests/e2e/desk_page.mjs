// SPDX-License-Identifier: AGPL-3.0-or-later
// Run by desk_page.sh in a scratch folder with an election, its daemon at DESK_URL and clerks' keys. Prints TAP.
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { request } from 'node:http';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const top = new URL('../..', import.meta.url).pathname;
const require = createRequire(join(top, 'web/package.json'));
const { chromium } = require('playwright-core');
const axe = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');
const { DESK_URL: log, DESK_DIR: dir, HESABU: hesabu, DESK_A: A, DESK_B: B, DESK_OUT: pictures } = process.env;
const registered = Object.fromEntries(process.env.DESK_STATIONS.trim().split(' ').map((s) => s.split(':')));
const stations = process.env.DESK_STATIONS.trim().split(' ').map((s) => s.split(':')[0]);

let n = 0;
let bad = 0;
const note = (text) => String(text).split('\n').forEach((l) => console.log(`# ${l}`));
function ok(name, good, why) {
  n += 1;
  console.log(`${good ? 'ok' : 'not ok'} ${n} - ${name}`);
  if (good) return;
  bad += 1;
  if (why !== undefined) note(typeof why === 'string' ? why : JSON.stringify(why));
}
const until = async (what, ms = 10000) => {
  for (const end = Date.now() + ms; ;) {
    if (await what().catch(() => false)) return true;
    if (Date.now() > end) return false;
    await new Promise((r) => setTimeout(r, 100));
  }
};
const command = (...args) => execFileSync(hesabu, args, { cwd: dir, stdio: 'pipe' }).toString();

// ---- clerks: each a program, a state folder, an outbox and a browser context of its own ----
const running = new Set();
function start(key, ...options) {
  const args = ['read', log, '--key', `${key}.key`, '--state', `desk.${key}`, '--outbox', `box.${key}`, '--page', ...options];
  const p = spawn(hesabu, args, { cwd: dir });
  const c = { key, p, out: '' };
  running.add(p);
  for (const s of [p.stdout, p.stderr]) s.on('data', (d) => { c.out += d; });
  p.on('exit', () => running.delete(p));
  c.addresses = () => [...c.out.matchAll(/http:\/\/\S+#[0-9a-f]{32}/g)].map((m) => m[0]);
  return c;
}
const ended = (c) => c.p.exitCode !== null || c.p.signalCode !== null;
async function desk(key, ...options) {
  const c = start(key, ...options);
  await until(async () => c.addresses().length > 0 || ended(c));
  c.address = c.addresses()[0];
  if (!c.address) { note(c.out); throw new Error(`no address of ${key}`); }
  c.base = c.address.replace(/\/#.*/, '');
  return c;
}
const stop = async (c, signal = 'SIGINT') => {
  c.p.kill(signal);
  await until(async () => ended(c));
};

const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox'] });
const complaints = [];
const foreign = [];
async function open(c, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 720 }, ...options });
  const page = await context.newPage();
  const seen = [];
  page.on('console', (m) => { if (m.type() === 'error') complaints.push(`${c.key}: ${m.text()}`); });
  page.on('pageerror', (e) => complaints.push(`${c.key}: ${e.message}`));
  page.on('request', (r) => { if (!r.url().startsWith(c.base) && !r.url().startsWith('blob:')) foreign.push(r.url()); });
  page.on('response', async (r) => {
    if (r.url().startsWith('blob:')) return;
    seen.push({ url: r.url(), headers: r.headers(), text: await r.text().catch(() => '') });
  });
  await page.goto(c.address);
  return Object.assign(c, { context, page, seen });
}
const typedIn = (page, name) => page.locator(`[id="f-${name}"]`);
const nextForm = async (c) => {
  await c.page.locator('.idle .main').click();
  await c.page.waitForSelector('.form .field input');
};
/** Keys alone: every field, then the marks are passed over, to the second look. */
async function type(c, figures) {
  const names = await c.page.locator('.field input').evaluateAll((l) => l.map((e) => e.id.slice(2)));
  await typedIn(c.page, names[0]).focus();
  for (const name of names) {
    const v = figures[name] ?? '-';
    await c.page.keyboard.type(v);
    if (v !== '-' && v !== '?') await c.page.keyboard.press('Enter');
  }
  await c.page.keyboard.press('Enter'); // from the marks to the button
  await c.page.keyboard.press('Enter'); // the second look
  await c.page.waitForSelector('.typed');
}
const seal = async (c) => {
  await c.page.keyboard.press('Enter');
  await c.page.waitForSelector('.idle');
};
const state = (c, station) => c.page.locator('.readings li', { hasText: station }).first().getAttribute('data-state');
const outcome = (c, station) => c.page.locator('.readings li', { hasText: station }).first().locator('.outcome').getAttribute('data-outcome');
const station = async (c) => stations.find((s) => c.shown.includes(s));
const where = async (c) => { c.shown = await c.page.locator('.where h2').textContent(); return station(c); };
const sent = (s) => { const i = stations.indexOf(s) + 1; return { a: `31${i}7403`, b: `16${i}9208`, valid: `48${i}6611` }; };
const form = (s, other = {}) => {
  const x = sent(s);
  return { [`votes.${A}`]: x.a, [`votes.${B}`]: x.b, 'ballots.valid': x.valid, 'ballots.rejected': '2', 'ballots.registered': registered[s], ...other };
};
const closed = (key, part = 'closed') => (existsSync(join(dir, `desk.${key}`, part)) ? readdirSync(join(dir, `desk.${key}`, part)) : []);
/** A request as no browser would make it. */
const raw = (c, method, path, headers = {}, body = '') => new Promise((done, fail) => {
  const u = new URL(c.base);
  const q = request({ host: '127.0.0.1', port: u.port, method, path, headers }, (r) => {
    let text = '';
    r.on('data', (d) => { text += d; });
    r.on('end', () => done({ status: r.statusCode, text, headers: r.headers }));
  });
  q.on('error', fail);
  q.end(body);
});
const secrets = stations.flatMap((s) => Object.values(sent(s)));
const leaks = (c) => c.seen.filter((r) => secrets.some((x) => new RegExp(`(?<![0-9a-f])${x}(?![0-9a-f])`).test(r.text.replace(/,/g, '\n'))) && !/\/draft$/.test(r.url)).map((r) => r.url);

try {
  // ---- who may ask ----
  const c1 = await open(await desk('c1'));
  const mode = (p) => (statSync(p).mode & 0o777).toString(8);
  await c1.page.waitForSelector('.idle');
  ok('the secret is gone from the address', !c1.page.url().includes('#'), c1.page.url());
  const secret = c1.address.split('#')[1];
  const host = new URL(c1.base).host;
  const own = { host, origin: c1.base };
  ok('it works once', (await raw(c1, 'POST', '/enter', own, secret)).status === 403);
  const token = await c1.page.evaluate(() => sessionStorage.getItem('hesabu-desk'));
  const known = { ...own, 'hesabu-desk': token };
  ok('the token opens it', (await raw(c1, 'GET', '/state', known)).status === 200);
  const no = async (what, answer) => ok(`refused: ${what}`, (await answer).status === 403, (await answer).text);
  await no('no token', raw(c1, 'GET', '/state', own));
  await no('a wrong token', raw(c1, 'GET', '/state', { ...own, 'hesabu-desk': token.replace(/./g, '0') }));
  await no('another name in Host (rebinding)', raw(c1, 'GET', '/state', { ...known, host: 'desk.evil.example' }));
  await no('Host without the port', raw(c1, 'GET', '/', { host: '127.0.0.1' }));
  await no('another Origin', raw(c1, 'POST', '/next', { ...known, origin: 'http://evil.example' }));
  await no('another port as Origin', raw(c1, 'GET', '/state', { ...known, origin: 'http://127.0.0.1:1' }));
  await no('a write without Origin', raw(c1, 'POST', '/next', { host, 'hesabu-desk': token }));
  await no('a write from another site', raw(c1, 'POST', '/next', { ...known, 'sec-fetch-site': 'cross-site' }));
  ok('a body out of bounds', (await raw(c1, 'PUT', '/draft', known, 'x'.repeat(20000))).status === 413);
  const answer = await raw(c1, 'GET', '/', { host });
  ok('no-store, a strict policy, no frames', answer.headers['cache-control'] === 'no-store' &&
    /default-src 'none'/.test(answer.headers['content-security-policy']) && !/unsafe/.test(answer.headers['content-security-policy']), answer.headers);
  const far = start('c4', '--page=0.0.0.0:0');
  await until(async () => ended(far));
  ok('only this machine is served', far.p.exitCode === 64 && /own browser/.test(far.out), far.out);
  const second = start('c1');
  await until(async () => ended(second));
  ok('a state folder has one desk', second.p.exitCode === 75 && /another 'hesabu read' works/.test(second.out), second.out);

  // ---- one form, by keys alone; a reload and a crash in the middle ----
  await c1.page.keyboard.press('Tab');
  ok('keyboard: the first stop leads to the form', (await c1.page.evaluate(() => document.activeElement.className)) === 'skip');
  await c1.page.locator('.idle .main').focus();
  await c1.page.keyboard.press('Enter');
  await c1.page.waitForSelector('.stage img');
  await until(() => c1.page.evaluate(() => document.activeElement.id.startsWith('f-votes.')));
  const s1 = await where(c1);
  ok('the form of a station, its picture, and SIMULATED', Boolean(s1) && (await c1.page.textContent('.sim')).includes('SIMULATED') &&
    await c1.page.locator('.stage img').evaluate((i) => i.decode().then(() => i.naturalWidth > 0)));
  ok('the fields in the form’s order', (await c1.page.locator('.field input').evaluateAll((l) => l.map((e) => e.id)))
    .join(' ').endsWith('f-ballots.registered f-voters.kit f-voters.manual f-ballots.rejected f-ballots.objected f-ballots.disputed f-ballots.valid f-serial'));
  await c1.page.keyboard.type('12x3');
  ok('digits only', (await typedIn(c1.page, `votes.${A}`).inputValue()) === '123');
  await c1.page.keyboard.press('Enter');
  await c1.page.keyboard.press('?');
  ok('? says that it cannot be read, and moves on', (await c1.page.locator('.field').nth(1).locator('[aria-pressed=true]').count()) === 1 &&
    (await c1.page.evaluate(() => document.activeElement.closest('.field') === document.querySelectorAll('.field')[2])));
  await c1.page.locator('.seen label', { hasText: 'no stamp' }).click();
  await c1.page.locator('.stage').focus();
  for (const k of ['+', '+', 'r', 'ArrowLeft']) await c1.page.keyboard.press(k);
  const turned = await c1.page.locator('.stage img').evaluate((i) => i.style.transform);
  ok('the picture by keys', /rotate\(90deg\) scale\(1\.56/.test(turned) && !turned.startsWith('translate(0px'), turned);
  await until(async () => closed('c1', 'drafts').length === 1 && (await c1.page.textContent('.kept')) === 'kept on this machine');
  ok('what is typed lies in the own folder, for nobody else', mode(join(dir, 'desk.c1/drafts', closed('c1', 'drafts')[0])) === '600');
  await c1.page.reload();
  await c1.page.waitForSelector('.form .field input');
  const restored = async () => (await typedIn(c1.page, `votes.${A}`).inputValue()) === '123' &&
    (await c1.page.locator('.field').nth(1).locator('[aria-pressed=true]').count()) === 1 && (await c1.page.locator('.seen input:checked').count()) === 1;
  ok('a reload loses nothing', await restored());
  ok('and the zoom stays', /scale\(1\.56/.test(await c1.page.locator('.stage img').evaluate((i) => i.style.transform)));
  await stop(c1, 'SIGKILL');
  ok('without the program the page says so', await until(async () => (await c1.page.textContent('.banners')).includes('does not answer')));
  await c1.context.close();
  Object.assign(c1, await desk('c1'));
  await open(c1);
  await nextForm(c1);
  ok('nor does a crash', await restored() && (await where(c1)) === s1);
  await c1.page.locator('.stage').focus();
  await c1.page.keyboard.press('0');
  if (pictures) {
    const inputs = c1.page.locator('.field input');
    for (const [i, v] of (process.env.DESK_TYPED ?? '').split(' ').entries()) await inputs.nth(i).fill(v);
    await c1.page.screenshot({ path: join(pictures, 'desk.jpg'), type: 'jpeg', quality: 60 });
  }
  await c1.page.locator('.seen input:checked').click();
  await type(c1, form(s1));
  ok('the sum is told after all is typed, and corrects nothing', /add up to [\d,]+; valid votes typed: [\d,]+/.test(await c1.page.textContent('.sum')));
  ok('before the seal no answer held a figure that was sent', leaks(c1).length === 0 && c1.seen.length >= 6, leaks(c1));
  await seal(c1);
  ok('sealed, waiting for the other', await until(async () => /sealed as entry \d+, waiting for the other reader/.test(await c1.page.textContent('.sealed'))), await c1.page.textContent('.side'));
  ok('the draft is gone, the reading is kept', closed('c1', 'drafts').length === 0 && closed('c1').length === 1);
  await c1.page.waitForTimeout(2500);
  ok('and still no answer holds one', leaks(c1).length === 0, leaks(c1));

  // ---- killed between seal and opening ----
  await stop(c1, 'SIGKILL');
  await c1.context.close();
  const c2 = await open(await desk('c2', '--station', s1), { locale: 'sw-KE', colorScheme: 'dark' });
  await nextForm(c2);
  ok('in Swahili', /Kura/.test(await c2.page.textContent('.form')) && (await c2.page.evaluate(() => document.documentElement.lang)) === 'sw');
  await type(c2, form(s1));
  ok('the other clerk’s page learnt nothing', leaks(c2).length === 0, leaks(c2));
  await seal(c2);
  Object.assign(c1, await desk('c1'));
  await open(c1);
  ok('after a restart it opens by itself', await until(async () => (await state(c1, s1)) === 'open' && (await state(c2, s1)) === 'open', 15000),
    [await state(c1, s1), await state(c2, s1)]);
  ok('both read what was sent: transcribed', await until(async () => (await outcome(c1, s1)) === 'transcribed' && (await outcome(c2, s1)) === 'transcribed'));

  // ---- two differ, a third ----
  await nextForm(c1);
  const s2 = await where(c1);
  await stop(c2);
  await c2.context.close();
  Object.assign(c2, await desk('c2', '--station', s2));
  await open(c2);
  await nextForm(c2);
  await type(c1, form(s2));
  await type(c2, form(s2, { [`votes.${B}`]: '1', 'ballots.valid': '?' }));
  await seal(c1);
  await seal(c2);
  ok('two who differ: a third is asked for', await until(async () => (await outcome(c1, s2)) === 'third' && (await outcome(c2, s2)) === 'third', 15000));
  const c3 = await open(await desk('c3', '--station', s2));
  await nextForm(c3);
  ok('the third is told that, and no more', /Read it as if nobody had/.test(await c3.page.textContent('.where')) && leaks(c3).length === 0, leaks(c3));
  await type(c3, form(s2));
  ok('and reads blind', leaks(c3).length === 0);
  await seal(c3);
  ok('two of three agree: what they read holds', await until(async () => (await outcome(c3, s2)) === 'transcribed', 15000));
  await c3.page.locator('.readings summary').first().click();
  ok('now the third sees what differs', /16\d9208/.test(await c3.page.textContent('.readings table')) && /as sent/.test(await c3.page.textContent('.readings table')));

  // ---- taken meanwhile; a key that ends ----
  const c4 = await open(await desk('c4'));
  await nextForm(c4);
  const s3 = await where(c4);
  await typedIn(c4.page, `votes.${A}`).fill('77');
  for (const c of [c2, c3]) {
    await stop(c);
    await c.context.close();
    Object.assign(c, await desk(c.key, '--station', s3));
    await open(c);
    await nextForm(c);
    await type(c, form(s3));
    await seal(c);
  }
  ok('a form that others took meanwhile', await until(async () => (await c4.page.textContent('.banners')).includes('does not need you any more')));
  command('keys', 'revoke', 'clerk/4', '--key', 'ro.key', '--reason', 'lost', '--send', log, '--outbox', 'box.ro');
  ok('a revoked key is told so', await until(async () => (await c4.page.textContent('.banners')).includes('Your key is revoked')), await c4.page.textContent('.banners'));

  // ---- everybody ----
  for (const [c, name] of [[c4, 'the form'], [c1, 'the list']]) {
    for (const colorScheme of ['light', 'dark']) {
      await c.page.emulateMedia({ colorScheme });
      await c.page.evaluate(axe);
      const found = await c.page.evaluate(() => window.axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'] }));
      const serious = found.violations.filter((v) => v.impact === 'serious' || v.impact === 'critical');
      ok(`axe-core: nothing serious in ${name} (${colorScheme})`, serious.length === 0,
        serious.map((v) => `${v.id}: ${v.nodes.slice(0, 3).map((x) => x.html.slice(0, 160)).join(' | ')}`).join('\n'));
    }
  }
  for (const [width, height] of [[1280, 720], [820, 1180]]) {
    await c1.page.setViewportSize({ width, height });
    ok(`${width} by ${height}: nothing runs over`, await c1.page.evaluate(() => document.documentElement.scrollWidth <= innerWidth));
  }
  await stop(c1);
  ok('Ctrl-C ends it in good order', c1.p.exitCode === 0, [c1.p.exitCode, c1.p.signalCode]);
  ok('no request to anybody else', foreign.length === 0, foreign.slice(0, 5));
  const wrong = complaints.filter((t) => !/ERR_CONNECTION_REFUSED|Failed to fetch|ERR_EMPTY|ERR_CONNECTION_RESET/.test(t));
  ok('no error, and nothing that the policy refused', wrong.length === 0, wrong.slice(0, 5).join('\n'));
} catch (e) {
  ok('to the end', false, e.stack);
}
for (const p of running) p.kill('SIGKILL');
await browser.close();
console.log(`1..${n}`);
process.exit(bad ? 1 : 0);
