// Import, bulk changes and export.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, beforeEach, test } from 'node:test';
import { Stage, inputOf, waitFor } from './browser.mjs';

let stage, shared;
before(async () => {
    stage = await Stage.start();
});
after(() => stage.close());
beforeEach(async () => {
    await stage.tell('reset');
    shared = await stage.tell('customer', { name: 'contoso' });
    await stage.tell('world_store', { name: `client_secret.${shared.client_id}`, secret: shared.secret });
});

const input = (more = {}) => inputOf(shared, { disabled: '0', ...more });

async function preview(visit, text) {
    await visit.page.getByRole('button', { name: 'Import CSV' }).first().click();
    await visit.at('paste').fill(text);
    await visit.at('preview-button').click();
}

async function downloaded(visit, click) {
    const [download] = await Promise.all([visit.page.waitForEvent('download'), click()]);
    return readFileSync(await download.path(), 'utf8').replace(/^\uFEFF/, '');
}

test('a preview of each row, then one after another; failed rows become a file without secrets', async () => {
    await stage.tell('input', { inputs: { old: input({ index: 'i1' }), same: input() } });
    const visit = await stage.open();
    const wrongSecret = 'Wrong8Q~marker-import-secret';
    await preview(
        visit,
        `name;tenant_id;client_id;client_secret;index;start_time
old;${shared.tenant};${shared.client_id};;i2;
same;${shared.tenant};${shared.client_id};********;;
new1;${shared.tenant};${shared.client_id};${shared.secret};"a;b";
refused;${shared.tenant};${shared.client_id};${wrongSecret};;
bad;nothing;${shared.client_id};;;
new2;${shared.tenant};${shared.client_id};;x;'-7d
`,
    );
    assert.match(await visit.at('counts').innerText(), /^3 new · 1 change · 1 same · 1 wrong/);
    const rows = await visit.page.locator('[data-test="preview"] tbody tr').allInnerTexts();
    assert.match(rows[0], /bad[\s\S]*tenant_id should be the customer's tenant/, 'wrong ones first');
    assert.match(rows[1], /index i1 → i2/);
    assert.match(rows[3], /client_secret ••••••••/);
    assert.deepEqual((await stage.changes()).length, 0, 'nothing is changed yet');
    await visit.assertNoTrace([wrongSecret, shared.secret], 'the preview');
    await visit.assertAccessible('the preview');
    await visit.picture('import');
    await visit.at('apply').click();
    await visit.page.waitForSelector('[data-test="done"]');
    assert.match(await visit.at('run-text').innerText(), /4 of 4: 3 good, 1 failed/);
    assert.match(await visit.at('failed').innerText(), /refused[\s\S]*AADSTS7000215/);
    await visit.assertAccessible('the result');
    await visit.picture('import-result');
    const csv = await downloaded(visit, () => visit.at('failed-csv').click());
    assert.match(csv, /^name,tenant_id,client_id,error\nrefused,/);
    assert.ok(!csv.includes('marker'), 'no secret in the file');
    await visit.at('done').click();
    const found = await stage.inputs();
    assert.deepEqual(Object.keys(found).sort(), ['new1', 'new2', 'old', 'same']);
    assert.deepEqual([found.old.index, found.new1.index, found.new2.start_time], ['i2', 'a;b', '-7d']);
    assert.equal((await stage.tell('log')).most, 1, 'one change at a time');
    assert.deepEqual(
        (await stage.changes()).map((one) => one.form.name || one.path.split('/').pop()),
        ['old', 'new1', 'refused', 'new2'],
    );
    await visit.assertNoTrace([wrongSecret, shared.secret], 'after the import');
    await visit.close();
});

test('a file that cannot be read is told, a file of Excel is read', async () => {
    const visit = await stage.open();
    await visit.page.getByRole('button', { name: 'Import CSV' }).first().click();
    const file = (buffer) => visit.at('file').setInputFiles({ name: 'customers.csv', mimeType: 'text/csv', buffer });
    await file(Buffer.from([0x6e, 0xfc, 0x0a]));
    await visit.at('preview-button').click();
    assert.match(await visit.at('problem').innerText(), /code page of Windows/);
    await file(Buffer.from('name,tenant_id\nx,y\n'));
    await visit.at('preview-button').click();
    await waitFor(async () => /no column client_id/.test(await visit.at('problem').innerText()), 'the missing column');
    await visit.assertAccessible('a file that cannot be read');
    await file(
        Buffer.from(`\uFEFFname\ttenant_id\tclient_id\r\nä/x\t${shared.tenant}\t${shared.client_id}\r\n`, 'utf16le'),
    );
    await visit.at('preview-button').click();
    assert.match(await visit.at('counts').innerText(), /^1 new/);
    await visit.close();
});

test('the session ends in the middle: nothing is lost, and the rest is done after the log-in', async () => {
    const visit = await stage.open();
    const lines = Array.from({ length: 5 }, (_, at) => `c${at},${shared.tenant},${shared.client_id}`);
    await preview(visit, `name,tenant_id,client_id\n${lines.join('\n')}\n`);
    await stage.tell('set', { ends_after: 2 });
    await visit.at('apply').click();
    await visit.page.waitForSelector('[data-test="run"] [data-test="failure"]');
    assert.match(await visit.at('failure').innerText(), /Your session ended/);
    assert.match(
        await visit.page.getByRole('link', { name: 'Log in' }).getAttribute('href'),
        /\/en-US\/account\/login/,
    );
    assert.match(await visit.at('run-text').innerText(), /^2 of 5: 2 good/);
    await visit.picture('session-ended');
    assert.deepEqual(Object.keys(await stage.inputs()), ['c0', 'c1']);
    await stage.tell('set', { ends_after: null });
    await visit.button('Try again');
    await waitFor(async () => /5 of 5: 5 good, 0 failed/.test(await visit.at('run-text').innerText()), 'the rest');
    assert.equal(Object.keys(await stage.inputs()).length, 5);
    await visit.close();
});

test('Stop stops', async () => {
    const visit = await stage.open();
    const lines = Array.from({ length: 60 }, (_, at) => `c${at},${shared.tenant},${shared.client_id}`);
    await preview(visit, `name,tenant_id,client_id\n${lines.join('\n')}\n`);
    assert.match(await visit.at('import-dialog').innerText(), /Each row restarts the program/);
    await visit.at('apply').click();
    await waitFor(async () => Object.keys(await stage.inputs()).length >= 2, 'two rows');
    await visit.at('stop').click();
    await visit.page.waitForSelector('[data-test="done"]');
    const count = Object.keys(await stage.inputs()).length;
    assert.match(
        await visit.at('run-text').innerText(),
        new RegExp(`${count} of 60: ${count} good, 0 failed; stopped, ${60 - count} not tried`),
    );
    await visit.close();
});

test('many at once: off, on, one parameter, export', async () => {
    await stage.tell('input', {
        inputs: { a: input(), b: input({ disabled: '1' }), c: input({ filter: "severity eq 'high'" }) },
    });
    const visit = await stage.open();
    const apply = async (name, wanted) => {
        await visit.at('apply').click();
        await visit.page.waitForSelector('[data-test="done"]');
        await visit.at('done').click();
        assert.deepEqual(
            Object.values(await stage.inputs()).map((one) => one[name]),
            wanted,
        );
    };
    await visit.page.getByLabel('Select all on this page').check();
    assert.match(await visit.at('picked').innerText(), /3 customers selected/);
    const csv = await downloaded(visit, () => visit.button('Export CSV'));
    assert.match(csv, /^name,tenant_id,client_id,api,filter,index,disabled\n/);
    assert.ok(!csv.includes('client_secret'));
    await visit.button('Disable');
    await apply('disabled', ['1', '1', '1']);
    await visit.button('Set parameter…');
    await visit.at('bulk-name').selectOption('poll_interval');
    await visit.at('bulk-value').fill('0');
    await visit.at('apply').click();
    await visit.page.getByText('should be a whole number of seconds from 1 to 86400').waitFor();
    await visit.assertAccessible('one parameter of many');
    await visit.picture('bulk');
    await visit.at('bulk-value').fill('300');
    await apply('poll_interval', ['300', '300', '300']);
    await visit.button('Enable');
    await apply('disabled', ['0', '0', '0']);
    assert.equal((await stage.tell('log')).most, 1);
    // What was exported changes nothing when it is imported.
    await preview(visit, csv.replaceAll(',1\n', ',\n').replaceAll(',0\n', ',\n'));
    assert.match(await visit.at('counts').innerText(), /^0 new · 0 change · 3 same · 0 wrong/);
    await visit.close();
});
