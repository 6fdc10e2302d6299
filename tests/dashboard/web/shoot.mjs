// Opens the dashboard in Chromium, waits until each panel has content, takes screenshots, and uses it as a person would.
// usage: node shoot.mjs ADDRESS FOLDER CHROMIUM; prints what it saw as JSON.
import { chromium } from 'playwright-core';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const [address, folder, executablePath] = process.argv.slice(2);
const seen = { complaints: [], outside: [], errors: [], panels: {}, texts: {} };
const args = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
    '--disable-component-update', '--disable-sync'];
const context = await chromium.launchPersistentContext(mkdtempSync(join(tmpdir(), 'chromium-')), {
    executablePath, headless: true, args, viewport: { width: 1480, height: 2850 }, timezoneId: 'UTC', locale: 'en-US',
});
const page = context.pages()[0] || (await context.newPage());
page.on('request', (request) => {
    if (!request.url().startsWith(address) && /^(https?|wss?):/.test(request.url())) seen.outside.push(request.url());
});
page.on('pageerror', (error) => seen.errors.push(String(error)));

const panel = (id) => page.locator(`[data-test="viz-item-${id}"], #${id}, [data-id="${id}"]`).first();
const FILLED = '[data-test="majorValue"], [data-test="table"] [data-test="body"] [data-test="cell"], ' +
    '[data-test="charting-container"] svg .highcharts-series-group path';

async function settle() {
    await page.waitForFunction((count) => document.querySelectorAll('[data-test="majorValue"]').length >= 6 &&
        document.querySelectorAll('[data-test="charting-container"] svg').length >= count, 8, { timeout: 60000 });
    await page.waitForTimeout(2500); // charts draw themselves in
}

async function open(theme) {
    await page.goto(`${address}/?theme=${theme}`);
    await settle();
    await page.screenshot({ path: join(folder, `${theme}.png`), fullPage: true });
}

await open('light');
seen.complaints = (await page.evaluate(() => window.complaints)).map((one) => `${one.instancePath}: ${one.message}`);
seen.text = await page.evaluate(() => document.body.innerText);
seen.tests = await page.evaluate(() => [...new Set([...document.querySelectorAll('[data-test]')]
    .map((one) => one.getAttribute('data-test')))]);
await open('dark');
console.log(JSON.stringify(seen));
await context.close();
