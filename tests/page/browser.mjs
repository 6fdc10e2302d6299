// Opens the page in Chromium in front of the stand-in of Splunk Web (web.py), and watches that nothing leaks: no
// request to another machine, no line of the console, no error, and no secret in the page, its addresses or storage.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const HERE = dirname(fileURLToPath(import.meta.url));
export const ROOT = dirname(dirname(HERE));
const require = createRequire(join(ROOT, 'ui/package.json'));
const { chromium } = require('playwright-core');
const AXE = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');
export const PICTURES = join(ROOT, 'build/page/pictures');
export const APP = 'TA-defender-mssp';

export class Stage {
    static async start() {
        const stage = new Stage();
        stage.child = spawn(
            process.env.PYTHON || '/usr/bin/python3',
            [join(HERE, 'web.py'), process.env.PAGE_APP || ROOT],
            { stdio: ['pipe', 'pipe', 'inherit'] },
        );
        const line = await new Promise((resolve, reject) => {
            createInterface({ input: stage.child.stdout }).once('line', resolve);
            stage.child.once('exit', () => reject(new Error('web.py ended')));
        });
        Object.assign(stage, JSON.parse(line));
        stage.profile = mkdtempSync(join(tmpdir(), 'chromium-'));
        stage.browser = await chromium.launch({
            executablePath: process.env.CHROMIUM || '/usr/bin/chromium',
            headless: true,
            args: [
                '--no-sandbox',
                '--disable-gpu',
                '--disable-quic',
                '--no-first-run',
                '--disable-background-networking',
                '--disable-component-update',
                '--disable-sync',
            ],
        });
        mkdirSync(PICTURES, { recursive: true });
        return stage;
    }

    async close() {
        await this.browser.close();
        this.child.stdin.end();
        rmSync(this.profile, { recursive: true, force: true });
    }

    // Calls do_<what> of web.py.
    async tell(what, more = {}) {
        const answer = await fetch(this.control, { method: 'POST', body: JSON.stringify({ do: what, ...more }) });
        return answer.json();
    }

    // What inputs.conf has now.
    inputs() {
        return this.tell('inputs');
    }

    // The requests that changed inputs.
    async changes() {
        const { requests } = await this.tell('log');
        return requests.filter((one) => one.method !== 'GET' && one.path.includes('data/inputs'));
    }

    // Opens the page in a browser of its own. frame: 'defender_mssp_manage' or 'defender_mssp_manage_app'.
    async open({
        frame = 'defender_mssp_manage',
        theme = 'light',
        width = 1360,
        height = 900,
        clipboard = false,
        wait = true,
    } = {}) {
        await this.tell('set', { theme });
        const context = await this.browser.newContext({
            viewport: { width, height },
            locale: 'en-US',
            reducedMotion: 'reduce',
            timezoneId: 'UTC',
            acceptDownloads: true,
        });
        if (clipboard) await context.grantPermissions(['clipboard-read', 'clipboard-write']);
        const page = await context.newPage();
        page.setDefaultTimeout(20000);
        const seen = { urls: [], console: [], errors: [], failed: [] };
        page.on('request', (request) => seen.urls.push(request.url()));
        page.on('console', (message) => seen.console.push(message.text()));
        page.on('pageerror', (error) => seen.errors.push(String(error)));
        const visit = new Visit(this, context, page, seen);
        await page.goto(`${this.web}/en-US/app/${APP}/${frame}`);
        if (wait) await page.waitForSelector('[data-test="customers"], [data-test="empty"], [data-test="failure"]');
        return visit;
    }
}

// An input of a customer that Microsoft knows, as splunkd lists it. customer: what do_customer answers.
export function inputOf(customer, more = {}) {
    return {
        tenant_id: customer.tenant,
        client_id: customer.client_id,
        api: 'graph',
        cloud: 'commercial',
        client_secret: '********',
        start_time: '-30d',
        poll_interval: '60',
        overlap: '900',
        index: 'default',
        ...more,
    };
}

export class Visit {
    constructor(stage, context, page, seen) {
        Object.assign(this, { stage, context, page, seen });
    }

    // An element of the page by its data-test.
    at(name) {
        return this.page.locator(`[data-test="${name}"]`);
    }

    row(name) {
        return this.page.locator(`[data-test="row"][data-name=${JSON.stringify(name)}]`);
    }

    async rows() {
        return this.at('row').evaluateAll((rows) => rows.map((row) => row.dataset.name));
    }

    async menu(name, label) {
        await this.row(name).locator('[data-test="menu"]').click();
        await this.page.getByRole('menuitem', { name: label, exact: true }).click();
    }

    async button(label) {
        await this.page.getByRole('button', { name: label, exact: true }).click();
    }

    async fill(values) {
        for (const [name, value] of Object.entries(values)) await this.page.locator(`#${name}`).fill(value);
    }

    // Every way in which a secret could be seen.
    async assertNoTrace(secrets, when) {
        const found = await this.page.evaluate(() => {
            const stores = [window.localStorage, window.sessionStorage]
                .map((store) => JSON.stringify({ ...store }))
                .join();
            const { documentElement, body, cookie } = document;
            return [documentElement.outerHTML, body.innerText, window.location.href, stores, cookie].join('\n');
        });
        for (const secret of secrets) {
            for (const form of [secret, encodeURIComponent(secret)]) {
                assert.ok(!found.includes(form), `${when}: a secret is in the page or its storage`);
                assert.ok(!this.seen.urls.some((url) => url.includes(form)), `${when}: a secret is in an address`);
                assert.ok(
                    !this.seen.console.some((line) => line.includes(form)),
                    `${when}: a secret is in the console`,
                );
            }
        }
    }

    // While something fades in or changes its color, axe would judge colors that nobody reads.
    async settle() {
        await this.page.waitForFunction(() => {
            const moves = (one) => one instanceof CSSTransition && one.playState === 'running';
            const visible = (part) => !part || (getComputedStyle(part).opacity === '1' && visible(part.parentElement));
            const dialogs = [...document.querySelectorAll('[role="dialog"]')];
            return dialogs.every(visible) && !document.getAnimations().some(moves);
        });
    }

    // No finding of axe, in the whole page.
    async assertAccessible(when) {
        await this.settle();
        await this.page.evaluate(AXE);
        const found = await this.page.evaluate(async () => {
            const { violations } = await window.axe.run(document, { resultTypes: ['violations'] });
            return violations.map(
                ({ id, nodes }) =>
                    `${id}: ${nodes
                        .map((node) => `${node.html.slice(0, 160)} ${node.any.map((one) => one.message).join()}`)
                        .join(' | ')
                        .slice(0, 900)}`,
            );
        });
        assert.deepEqual(found, [], `axe, ${when}`);
    }

    // Of the dialog if there is one, else of the page down to its last line.
    async picture(name) {
        await this.settle();
        const path = join(PICTURES, `${name}.png`);
        const dialog = this.page.getByRole('dialog');
        if (await dialog.count()) return dialog.screenshot({ path });
        const clip = await this.page.evaluate(() => {
            const bottom = Math.max(
                ...[...document.querySelector('[data-test="page"]').children].map(
                    (one) => one.getBoundingClientRect().bottom,
                ),
            );
            return { x: 0, y: 0, width: window.innerWidth, height: Math.min(bottom + 16, window.innerHeight) };
        });
        return this.page.screenshot({ path, clip });
    }

    async close() {
        const origin = this.stage.web;
        const outside = this.seen.urls.filter((url) => /^(https?|wss?):/.test(url) && !url.startsWith(origin));
        const errors = this.seen.console.filter((line) => !/Failed to load resource/.test(line));
        await this.context.close();
        assert.deepEqual(outside, [], 'requests to other machines');
        assert.deepEqual(errors, [], 'lines of the console');
        assert.deepEqual(this.seen.errors, [], 'errors of scripts');
    }
}

export async function waitFor(condition, what, seconds = 15) {
    const end = Date.now() + seconds * 1000;
    for (;;) {
        const found = await condition();
        if (found) return found;
        if (Date.now() > end) throw new Error(`not within ${seconds} s: ${what}`);
        await new Promise((resolve) => setTimeout(resolve, 50));
    }
}
