// Opens dashboards in Chromium, uses them as a person would, takes screenshots, and prints what was seen as JSON.
// usage: node shoot.mjs PLAN. PLAN is a JSON file: {folder, chromium, shipped, broken, visits}. shipped, broken:
// definitions by name to validate in the page. visits: {name, address, theme, and what to do: label, clicked, followed,
// wait_s, empty, top}. clicked, followed: {panel, text} of a table's cell, in the same visit; the row of the one that is
// clicked has to come first then. top: height of a picture.
import { chromium } from 'playwright-core';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const plan = JSON.parse(readFileSync(process.argv[2], 'utf8'));
const profile = mkdtempSync(join(tmpdir(), 'chromium-'));
const context = await chromium.launchPersistentContext(profile, {
    executablePath: plan.chromium, headless: true, viewport: { width: 1480, height: 2960 }, locale: 'en-US',
    timezoneId: 'UTC',
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
        '--disable-component-update', '--disable-sync'],
});
context.setDefaultTimeout(90000);
const seen = { outside: [], errors: [], visits: {}, complaints: {}, broken: {} };

const page = context.pages()[0] || (await context.newPage());
page.on('request', (request) => {
    if (!plan.visits.some((visit) => request.url().startsWith(visit.address)) && /^(https?|wss?):/.test(request.url()))
        seen.outside.push(request.url());
});
page.on('response', (response) => {
    if (response.status() >= 400) seen.errors.push(`${response.status()} ${response.url()}`);
});
page.on('pageerror', (error) => seen.errors.push(String(error)));
// The page itself validates the definition, and says only here what it found.
page.on('console', (line) => { if (line.type() === 'error') seen.errors.push(line.text().slice(0, 300)); });

const panel = (id) => page.locator(`[data-test="viz-item"][data-id="${id}"]`);

// What counts as content, by what a panel draws: a number, cells, a line or bars. links: columns that look like links.
const content = () => Object.fromEntries([...document.querySelectorAll('[data-test="viz-item"]')].map((item) => {
    const number = item.querySelector('[data-test="majorValue"]')?.innerText;
    const rows = [...item.querySelectorAll('[data-test="body"] [data-test="row"]')];
    const cells = rows.flatMap((row) => [...row.querySelectorAll('[data-test="cell"]')].map((cell, column) => ({
        column, text: cell.innerText, back: getComputedStyle(cell).backgroundColor,
        link: [cell, ...cell.querySelectorAll('*')].some((part) => getComputedStyle(part).cursor === 'pointer') })));
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

const isFirst = ({ panel: id, text }) => document.querySelector(
    `[data-test="viz-item"][data-id="${id}"] [data-test="body"] [data-test="cell"]`)?.innerText === text;

async function settle(empty) {
    if (empty) await panel('viz_notice').locator('[data-test="cell"]').first().waitFor();
    else await page.waitForFunction(allFilled);
    await page.waitForTimeout(2500); // charts draw themselves in
}

async function chooseTimes(label) {
    await page.locator('[data-test="input-item"] button').first().click();
    await page.getByRole('button', { name: label, exact: true }).last().click();   // the list of them is open already
    await settle();
    await page.evaluate(() => document.activeElement.blur());
}

async function picture(name, height) {
    const clip = height && { clip: { x: 0, y: 0, width: 1466, height } };
    await page.screenshot({ path: join(plan.folder, `${name}.png`), ...(clip || { fullPage: true }) });
}

// Follows the link of a table's cell; returns the address that opens in another tab.
async function follow(id, text) {
    const opened = context.waitForEvent('page');
    await panel(id).getByText(text, { exact: true }).first().click();
    const other = await opened;
    const address = other.url();
    await other.close();
    return address;
}

async function visit({ name, address, theme, label, clicked, followed, wait_s, empty, top = 1788 }) {
    const found = (seen.visits[name] = {});
    await page.goto(`${address}/?theme=${theme}`);
    await settle(empty);
    if (label) await chooseTimes(label);
    found.panels = await page.evaluate(content);
    await picture(name);
    await picture(`${name}-top`, top);
    if (clicked) {
        await panel(clicked.panel).getByText(clicked.text, { exact: true }).click();
        await page.waitForFunction(isFirst, clicked);
        await page.waitForLoadState('networkidle');
        await page.waitForTimeout(2500);
        found.chosen = await page.evaluate(content);
        found.inputs = await page.locator('[data-test="input-item"]').allInnerTexts();
        await picture(`${name}-chosen`);
        found.link = await follow(followed.panel, followed.text);
    }
    if (wait_s) await page.waitForTimeout(1000 * wait_s);
}

for (const one of plan.visits) await visit(one);
for (const [definitions, found] of [[plan.shipped, seen.complaints], [plan.broken, seen.broken]])
    for (const [name, definition] of Object.entries(definitions))
        found[name] = await page.evaluate((one) => window.validate(one), definition);

// The two lists of what must not happen are only worth something if they are filled when it does.
const [outside, errors] = [seen.outside.splice(0), seen.errors.splice(0)];
await page.evaluate(() => {
    console.error('planted line');
    setTimeout(() => { throw new Error('planted error'); });
    const signal = AbortSignal.timeout(500);
    return Promise.allSettled([fetch('/planted'), fetch('http://192.0.2.1/planted', { signal })]);
});
await page.waitForTimeout(500);
console.log(JSON.stringify({ ...seen, outside, errors, planted: [...seen.outside, ...seen.errors] }));
await context.close();
rmSync(profile, { recursive: true, force: true });
