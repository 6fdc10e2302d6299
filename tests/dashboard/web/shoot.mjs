// Opens the dashboard in Chromium, takes screenshots, and uses it as a person would: another time range, a click on a
// customer.
// usage: node shoot.mjs ADDRESS FOLDER CHROMIUM CUSTOMER; prints what it saw as JSON.
import { chromium } from 'playwright-core';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const [address, folder, executablePath, customer] = process.argv.slice(2);
const seen = { complaints: [], outside: [], errors: [], panels: {} };
const args = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
    '--disable-component-update', '--disable-sync'];
const profile = mkdtempSync(join(tmpdir(), 'chromium-'));
const context = await chromium.launchPersistentContext(profile, {
    executablePath, headless: true, args, viewport: { width: 1480, height: 2880 }, timezoneId: 'UTC', locale: 'en-US',
});
const page = context.pages()[0] || (await context.newPage());
page.on('request', (request) => {
    if (!request.url().startsWith(address) && /^(https?|wss?):/.test(request.url())) seen.outside.push(request.url());
});
page.on('pageerror', (error) => seen.errors.push(String(error)));
context.setDefaultTimeout(90000);

// What counts as content, by what a panel draws: a number, cells, a line or bars.
const content = () => Object.fromEntries([...document.querySelectorAll('[data-test="viz-item"]')].map((item) => {
    const number = item.querySelector('[data-test="majorValue"]')?.innerText;
    const cells = item.querySelectorAll('[data-test="body"] [data-test="cell"]').length;
    const drawn = [...item.querySelectorAll('.highcharts-series-group path, .highcharts-series-group rect')]
        .filter((shape) => (shape.getAttribute('d') || '').length > 1 || Number(shape.getAttribute('height')) > 0)
        .length;
    return [item.dataset.id, { type: item.dataset.vizType, text: item.innerText, number, cells, drawn }];
}));
const allFilled = () => {
    const items = [...document.querySelectorAll('[data-test="viz-item"]')];
    return items.length > 0 && items.every((item) => item.querySelector('[data-test="majorValue"], ' +
        '[data-test="cell"], .highcharts-series-group path, .highcharts-series-group rect'));
};

async function settle() {
    await page.waitForFunction(allFilled);
    await page.waitForTimeout(2500); // charts draw themselves in
}

async function chooseTimes(label) {
    await page.locator('[data-test="input-item"] button').first().click();
    await page.getByRole('button', { name: label, exact: true }).last().click();   // the presets are open already
    await settle();
}

async function open(theme, label) {
    await page.goto(`${address}/?theme=${theme}`);
    await settle();
    seen.panels[theme] = await page.evaluate(content);
    await chooseTimes(label);
    await page.screenshot({ path: join(folder, `${theme}.png`), fullPage: true });
}

await open('light', 'Last 4 hours');
await page.screenshot({ path: join(folder, 'overview.png'), clip: { x: 0, y: 0, width: 1470, height: 1710 } });
seen.complaints = (await page.evaluate(() => window.complaints)).map((one) => `${one.instancePath}: ${one.message}`);
const panel = (id) => `[data-test="viz-item"][data-id="${id}"]`;
await page.locator(panel('viz_worst')).getByText(customer, { exact: true }).click();
await page.locator(panel('viz_lines')).getByText(`Log lines, customer ${customer}`).waitFor();
await page.waitForTimeout(4000);
seen.panels.chosen = await page.evaluate(content);
seen.input = await page.locator('[data-test="input-item"]').allInnerTexts();
await page.screenshot({ path: join(folder, 'chosen.png'), fullPage: true });
await open('dark', 'Last 4 hours');
console.log(JSON.stringify(seen));
await context.close();
rmSync(profile, { recursive: true, force: true });
