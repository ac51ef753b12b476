// SPDX-License-Identifier: AGPL-3.0-or-later
// Run by browser.sh. Profiles are those of Chromium's own network emulation: `latency` from a request to the
// first byte of its answer, rates in bytes a second; the processor is slowed down four times.
import { createRequire } from 'node:module';
import { readdirSync, readFileSync } from 'node:fs';

const { chromium } = createRequire(new URL('../web/package.json', import.meta.url))('playwright-core');
const url = process.env.PORTAL_URL;
const what = process.argv[2];
const bits = (n) => n / 8;
const PROFILES = [
  { name: 'slow 4G (150 ms, 1.6 Mbit/s)', latency: 150, downloadThroughput: bits(1.6e6), uploadThroughput: bits(750e3) },
  { name: '3G (300 ms, 700 kbit/s)', latency: 300, downloadThroughput: bits(700e3), uploadThroughput: bits(250e3) },
  { name: '2G (300 ms, 240 kbit/s)', latency: 300, downloadThroughput: bits(240e3), uploadThroughput: bits(100e3) },
];
const ROUNDS = 5;
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox', '--disable-gpu'] });
const median = (a) => a.sort((x, y) => x - y)[a.length >> 1];

/** Of a new visitor on a phone: nothing is cached. */
async function view(profile) {
  const context = await browser.newContext({ viewport: { width: 360, height: 640 }, deviceScaleFactor: 2, isMobile: true });
  const page = await context.newPage();
  const client = await context.newCDPSession(page);
  await client.send('Network.enable');
  await client.send('Network.emulateNetworkConditions', { offline: false, ...profile, name: undefined });
  await client.send('Emulation.setCPUThrottlingRate', { rate: 4 });
  let bytes = 0;
  let until = Infinity;
  client.on('Network.loadingFinished', (e) => { if (Date.now() < until) bytes += e.encodedDataLength; });
  await page.goto(`${url}/`, { waitUntil: 'load', timeout: 60_000 });
  const times = await page.evaluate(async () => {
    const paint = await new Promise((done) => {
      new PerformanceObserver((l) => { const e = l.getEntries().find((x) => x.name === 'first-contentful-paint'); if (e) done(e.startTime); })
        .observe({ type: 'paint', buffered: true });
    });
    const largest = await new Promise((done) => {
      new PerformanceObserver((l) => done(l.getEntries().at(-1).startTime)).observe({ type: 'largest-contentful-paint', buffered: true });
      setTimeout(() => done(paint), 2000);
    });
    const figure = document.querySelector('.bar, .figure, [data-votes], .facts')?.getBoundingClientRect().top ?? -1;
    return { paint, largest, load: performance.getEntriesByType('navigation')[0].loadEventEnd, figure };
  });
  await context.close();
  return { ...times, bytes };
}

async function first() {
  for (const p of PROFILES) {
    const seen = [];
    for (let i = 0; i < ROUNDS; i++) seen.push(await view(p));
    const of = (k) => Math.round(median(seen.map((s) => s[k])));
    console.log(`first_view  ${p.name}, processor / 4, 360 x 640, nothing cached: readable after ${of('paint')} ms, ` +
      `largest part after ${of('largest')} ms, scripts loaded after ${of('load')} ms, ${Math.round(of('bytes') / 1000)} kB  (medians of ${ROUNDS})`);
  }
}

/** Resident memory of the browser's processes that run pages, in MB. */
function resident() {
  let most = 0;
  for (const pid of readdirSync('/proc').filter((d) => /^\d+$/.test(d))) {
    try {
      if (!readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('--type=renderer')) continue;
      const rss = Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) / 1000;
      if (rss > most) most = rss;
    } catch { /* it has ended */ }
  }
  return most;
}

async function everything() {
  const page = await browser.newPage();
  await page.goto(`${url}/about.html`);
  await page.waitForSelector('#everything-start', { timeout: 60_000 });
  let most = 0;
  const watch = setInterval(() => { most = Math.max(most, resident()); }, 500);
  const start = Date.now();
  await page.locator('#everything-start').click();
  await page.waitForSelector('#everything-out [data-verdict]', { timeout: 280_000, state: 'attached' });
  const seconds = (Date.now() - start) / 1000;
  clearInterval(watch);
  const verdict = await page.locator('#everything-out [data-verdict]').first().getAttribute('data-verdict');
  const size = JSON.parse(await page.evaluate(() => fetch('head.json').then((r) => r.text()))).size;
  console.log(`verify_everything  records ${size}  seconds ${seconds.toFixed(1)}  records_per_s ${Math.round(size / seconds)}  ` +
    `workers ${await page.evaluate(() => navigator.hardwareConcurrency)}  renderer_MB ${Math.round(most)}  verdict ${verdict}`);
}

if (what !== 'everything') await first();
if (what !== 'first') await everything();
await browser.close();
