// The list: conditions, filter, search, sort, pages, the opened row, on and off, refresh.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Stage, waitFor } from './browser.mjs';

let stage;
before(async () => {
    stage = await Stage.start();
});
after(() => stage.close());

export const CLIENT = '01234567-89ab-cdef-0123-456789abcdef';
const HISTORY = JSON.stringify(
    Array.from({ length: 96 }, (_, at) => (at < 20 ? null : [at % 7, 15, at % 30 ? 0 : 2, at % 41 ? 0 : 1])),
);

export async function populate(count = 12) {
    await stage.tell('reset');
    const inputs = {},
        records = [];
    const conditions = [
        ['ok', 11, 'Nothing'],
        ['refused', 2, 'our administrator: create a new client secret and enter it in the input'],
        ['late', 5, 'Watch it: it answers, but slowly'],
        ['back-filling', 9, 'Nothing: new alerts come at once, the past follows'],
        ['ok', 11, 'Nothing'],
        ['throttled', 6, 'Nothing: it waits as asked'],
    ];
    for (let at = 0; at < count; at++) {
        const name = `customer-${String(at).padStart(4, '0')}`;
        const [condition, rank, todo] = conditions[at < 6 ? at : 0];
        inputs[name] = {
            tenant_id: `${name}.onmicrosoft.com`,
            client_id: CLIENT,
            api: 'graph',
            cloud: 'commercial',
            index: `index-${at % 3}`,
            client_secret: '********',
            start_time: '-30d',
            disabled: at === 6 ? '1' : '0',
        };
        records.push({
            name,
            condition,
            rank,
            todo,
            history: HISTORY,
            history_at: Math.floor(Date.now() / 900000) * 900,
            backfill_percent: condition === 'back-filling' ? 41 : undefined,
            requests: 400,
            ok: 396,
            refused: 4,
            new: 31,
            limit_per_min: 50,
            limit_per_hour: 1500,
            why: condition === 'refused' ? 'AADSTS7000215: Invalid client secret provided.' : undefined,
            began: 1796000000,
        });
    }
    await stage.tell('input', { inputs });
    await stage.tell('records', { records });
    return inputs;
}

test('worst first, with a word, a shape and what to do', async () => {
    await populate();
    const visit = await stage.open();
    assert.equal((await visit.rows())[0], 'customer-0001');
    assert.match(
        await visit.row('customer-0001').innerText(),
        /✖ refused[\s\S]*our administrator: create a new client secret/,
    );
    assert.match(await visit.row('customer-0003').innerText(), /◐ back-filling 41 %/);
    assert.match(await visit.row('customer-0006').innerText(), /○ off/);
    const chips = await visit.page.locator('.dc-chip').allInnerTexts();
    assert.deepEqual(
        chips.map((text) => text.replace(/\s+/g, ' ')),
        ['✖ Need somebody 1', '▲ Late 1', '▲ Throttled 1', '◐ Back-filling 1', '✔ OK 7', '○ Off 1'],
    );
    assert.match(await visit.at('state').innerText(), /^state of \d\d:\d\d:\d\d, on hf-main$/);
    assert.equal(await visit.page.locator('h1').count(), 1);
    assert.deepEqual(await visit.page.evaluate(() => window.defined), [], 'nothing registers with RequireJS');
    await visit.assertAccessible('the list');
    await visit.picture('list');
    await visit.close();
});

test('chips, search and sort, by the keyboard too', async () => {
    await populate();
    const visit = await stage.open();
    await visit.at('chip-act').click();
    assert.deepEqual(await visit.rows(), ['customer-0001']);
    await visit.at('chip-act').click();
    await visit.page.keyboard.press('/');
    await visit.page.keyboard.type('INDEX-1 customer');
    assert.deepEqual(await visit.rows(), ['customer-0001', 'customer-0004', 'customer-0007', 'customer-0010']);
    await visit.at('search').fill('aadsts7000215');
    assert.deepEqual(await visit.rows(), ['customer-0001']);
    await visit.at('search').fill('nobody has this');
    assert.match(await visit.at('range').innerText(), /No customer fits/);
    await visit.at('search').fill('');
    await visit.at('sort-name').click();
    assert.equal((await visit.rows())[0], 'customer-0000');
    await visit.at('sort-name').click();
    assert.equal((await visit.rows())[0], 'customer-0011');
    await visit.close();
});

test('pages of 25, 50 and 100', async () => {
    await populate(120);
    const visit = await stage.open();
    assert.equal((await visit.rows()).length, 50);
    await visit.at('next').click();
    assert.match(await visit.at('range').innerText(), /51 to 100 of 120/);
    await visit.at('size').selectOption('100');
    assert.equal((await visit.rows()).length, 100);
    await visit.page.reload();
    await visit.page.waitForSelector('[data-test="customers"]');
    assert.equal((await visit.rows()).length, 100, 'the size is remembered');
    await visit.close();
});

test('an opened row tells all there is', async () => {
    await populate();
    await stage.tell('set', { results: [{ _raw: 'INFO event=status input=customer-0001 state=refused' }] });
    const visit = await stage.open();
    await visit.row('customer-0001').locator('[data-test="expand"]').click();
    const text = await visit.at('details').innerText();
    for (const part of [
        'AADSTS7000215: Invalid client secret',
        '50 a minute, 1500 an hour',
        'customer-0001.onmicrosoft.com',
        CLIENT,
        '400: 396 good',
        'by hf-main',
    ])
        assert.ok(text.includes(part), `${part} in ${text}`);
    await visit.page.waitForSelector('[data-test="lines"]');
    assert.match(await visit.at('lines').innerText(), /event=status/);
    await visit.assertAccessible('an opened row');
    await visit.picture('row');
    await stage.tell('set', { results: [] });
    await visit.row('customer-0000').locator('[data-test="expand"]').click();
    assert.equal(await visit.at('details').count(), 1, 'one row is open');
    await visit.page.waitForSelector('[data-test="log-search"]');
    assert.match(await visit.at('log-search').inputValue(), /input="customer-0000"$/);
    await visit.close();
});

test('off asks once, on does not', async () => {
    const inputs = await populate(3);
    inputs['customer-0002'].disabled = '1';
    const { tenant, client_id, secret } = await stage.tell('customer', { name: 'switched' });
    await stage.tell('input', {
        inputs: {
            'customer-0002': { ...inputs['customer-0002'], tenant_id: tenant, client_id, client_secret: secret },
        },
    });
    const visit = await stage.open();
    await visit.row('customer-0000').locator('[data-test="switch"]').click();
    assert.match(await visit.at('off').innerText(), /Switch off customer-0000\?/);
    await visit.assertAccessible('the question');
    await visit.page.keyboard.press('Escape');
    await visit.page.waitForSelector('[data-test="off"]', { state: 'detached' });
    assert.equal((await stage.tell('inputs'))['customer-0000'].disabled, '0');
    await visit.row('customer-0000').locator('[data-test="switch"]').click();
    await visit.at('confirm').click();
    await waitFor(async () => (await stage.tell('inputs'))['customer-0000'].disabled === '1', 'switched off');
    await waitFor(
        async () =>
            (await visit.row('customer-0000').locator('[data-test="switch"]').getAttribute('aria-checked')) === 'false',
        'the switch shows it',
    );
    await visit.row('customer-0002').locator('[data-test="switch"]').click();
    await waitFor(async () => (await stage.tell('inputs'))['customer-0002'].disabled === '0', 'switched on');
    await visit.close();
});

test('a narrow window: the table scrolls, the menu opens, and every refusal of a switch stays', async () => {
    const inputs = await populate(2);
    const off = { ...inputs['customer-0000'], client_id: CLIENT.replace(/^0/, '1'), client_secret: '', disabled: '1' };
    await stage.tell('input', { inputs: { 'first-off': off, 'second-off': off } });
    const visit = await stage.open({ width: 640 });
    const wider = () => visit.page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
    assert.equal(await wider(), 0, 'the page is as wide as the window');
    await visit.row('first-off').locator('[data-test="switch"]').click();
    await visit.row('second-off').locator('[data-test="switch"]').click();
    await waitFor(async () => (await visit.at('switch-failed').count()) === 2, 'two refusals');
    assert.equal(await wider(), 0, 'the address in a refusal is broken into lines');
    await visit.at('search').focus();
    await visit.page.locator('.dc-table').evaluate((table) => (table.scrollLeft = 0));
    await visit.menu('customer-0001', 'Remove');
    await visit.page.waitForSelector('[data-test="remove"]');
    await visit.close();
});

test('a refresh moves nothing', async () => {
    await populate();
    const visit = await stage.open();
    const before = await visit.rows();
    await visit.row('customer-0005').locator('[data-test="expand"]').click();
    await stage.tell('record', { name: 'customer-0009', condition: 'silent', rank: 1, todo: 'No status line' });
    await stage.tell('input', { inputs: { another: { tenant_id: 'a.example', client_id: CLIENT } } });
    await stage.tell('forget', { name: 'customer-0011' });
    await visit.page.evaluate(() => document.dispatchEvent(new Event('visibilitychange')));
    await waitFor(async () => /silent/.test(await visit.row('customer-0009').innerText()), 'the new state');
    assert.deepEqual(await visit.rows(), [...before.filter((name) => name !== 'customer-0011'), 'another']);
    assert.equal(await visit.at('details').count(), 1, 'the row stays open');
    const { requests } = await stage.tell('log');
    const writes = requests.filter((one) => one.method !== 'GET' && !one.path.endsWith('/search/v2/jobs'));
    assert.deepEqual(writes, [], 'neither loading nor a refresh changes anything');
    await visit.at('refresh').click();
    await waitFor(async () => (await visit.rows())[0] === 'customer-0009', 'the button sorts again');
    await visit.close();
});

test('the same page in splunk_ui_app.html, and dark', async () => {
    await populate();
    const visit = await stage.open({ frame: 'defender_mssp_manage_app', theme: 'dark' });
    assert.equal((await visit.rows()).length, 12);
    await visit.assertAccessible('the list, dark, in the other frame');
    await visit.close();
    const dark = await stage.open({ theme: 'dark' });
    await dark.row('customer-0001').locator('[data-test="expand"]').click();
    await dark.page.waitForSelector('[data-test="log-search"]');
    await dark.assertAccessible('the list, dark');
    await dark.picture('list-dark');
    await dark.at('add').click();
    await dark.page.waitForSelector('[data-test="form"]');
    await dark.assertAccessible('the form, dark');
    await dark.picture('add-dark');
    await dark.page.keyboard.press('Escape');
    await dark.close();
});
