// Add, edit, clone, remove, consent and sign-in: what the program says is shown, and secrets leave no trace.
import assert from 'node:assert/strict';
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
});

const input = (more = {}) => inputOf(shared, { redirect_uri: 'https://SiemMsspConnector', ...more });
// What a person types for a customer whose secret is good.
const typed = () => ({
    name: 'contoso',
    tenant_id: shared.tenant,
    client_id: shared.client_id,
    client_secret: shared.secret,
});

async function openAdd(visit) {
    await visit.page.getByRole('button', { name: 'Add customer' }).first().click();
    await visit.page.waitForSelector('[data-test="form"]');
}

// Where a browser ends that signs in at the address of the form.
async function landingOf(visit) {
    const { address } = await stage.tell('landing', { address: await visit.at('sign-in-address').inputValue() });
    return address;
}

test('a customer is added, after the program refused a tenant and a secret', async () => {
    const visit = await stage.open();
    await visit.assertAccessible('nothing yet');
    await visit.picture('empty');
    await openAdd(visit);
    await visit.fill({ name: 'contoso', tenant_id: 'contoso', client_id: shared.client_id });
    await waitFor(
        () => visit.page.getByText("should be the customer's tenant as a GUID or a domain").count(),
        'told while typing',
    );
    await visit.fill({
        tenant_id: shared.tenant,
        client_secret: 'Wrong8Q~marker-secret-one+/=&%',
        index: 'customer_contoso',
    });
    await visit.picture('add');
    await visit.assertAccessible('the form');
    await visit.at('save').click();
    await visit.page.waitForSelector('[data-test="failure"]');
    assert.match(await visit.at('failure').innerText(), /AADSTS7000215/);
    await waitFor(
        () => visit.page.evaluate(() => document.activeElement.dataset.test === 'failure'),
        'focus on the message',
    );
    assert.equal(
        await visit.page.locator('#client_secret').inputValue(),
        'Wrong8Q~marker-secret-one+/=&%',
        'what was typed stays',
    );
    await visit.assertNoTrace(['marker-secret-one'], 'after a refusal');
    await visit.assertAccessible('a refusal');
    await visit.picture('refused');
    await visit.fill({ client_secret: shared.secret });
    await visit.at('save').click();
    await visit.page.waitForSelector('[data-test="consent"]');
    assert.deepEqual(Object.keys(await stage.inputs()), ['contoso']);
    await visit.assertNoTrace([shared.secret], 'after the save');
    await visit.fill({ 'consent-redirect': 'https://www.example.com/done' });
    const link = await visit.at('consent-link').inputValue();
    assert.equal(
        link,
        `https://login.microsoftonline.com/${shared.tenant}/adminconsent?client_id=${shared.client_id}` +
            '&redirect_uri=https%3A%2F%2Fwww.example.com%2Fdone',
    );
    await visit.assertAccessible('the consent link');
    await visit.picture('consent');
    await visit.at('done').click();
    await waitFor(async () => (await visit.rows()).join() === 'contoso', 'the row');
    assert.match(await visit.row('contoso').innerText(), /waiting/);
    assert.deepEqual(await visit.page.evaluate(() => Object.keys(localStorage)), [
        'defender_mssp.consent_redirect_uri',
    ]);
    assert.equal((await stage.tell('stored'))[`client_secret.${shared.client_id}`], shared.secret);
    await visit.close();
});

test("the program's own sentence marks its field", async () => {
    const visit = await stage.open();
    await openAdd(visit);
    await visit.fill(typed());
    await visit.at('more').locator('summary').click();
    await visit.fill({ ca_file: '/no/such/file.pem' });
    await visit.at('save').click();
    await visit.page.waitForSelector('[data-test="failure"]');
    assert.match(await visit.at('field-ca_file').innerText(), /ca_file is '\/no\/such\/file\.pem'/);
    await visit.fill({ index: 'soc' }); // which is judged half a second later, and changes nothing about it
    await visit.page.waitForTimeout(700);
    assert.match(await visit.at('field-ca_file').innerText(), /ca_file is '\/no\/such\/file\.pem'/);
    assert.equal(await visit.page.locator('#ca_file').getAttribute('aria-invalid'), 'true');
    await visit.assertAccessible('all settings');
    await visit.close();
});

test('only what was changed is sent, and only a secret that was typed', async () => {
    await stage.tell('input', { inputs: { contoso: input() } });
    await stage.tell('world_store', { name: `client_secret.${shared.client_id}`, secret: shared.secret });
    const visit = await stage.open();
    await visit.menu('contoso', 'Edit');
    assert.match(await visit.at('field-client_secret').innerText(), /Stored; leave empty to keep it/);
    await visit.fill({ index: 'elsewhere' });
    await visit.at('save').click();
    await visit.page.waitForSelector('[data-test="done"]');
    assert.deepEqual(
        (await stage.changes()).map((one) => one.form),
        [{ index: 'elsewhere', output_mode: 'json' }],
    );
    assert.equal((await stage.inputs()).contoso.client_secret, '********');
    await visit.close();
});

test('the proxy of a customer can be removed, and its password is not cloned', async () => {
    await stage.tell('input', { inputs: { contoso: { ...input(), proxy: 'http://u:********@proxy.example:1' } } });
    await stage.tell('world_store', { name: `client_secret.${shared.client_id}`, secret: shared.secret });
    const visit = await stage.open();
    await visit.menu('contoso', 'Clone');
    await visit.fill({ name: 'other', tenant_id: 'other.example' });
    await visit.at('save').click();
    await waitFor(async () => /enter it again/.test(await visit.at('field-proxy').innerText()), 'the field is marked');
    await visit.page.keyboard.press('Escape');
    await visit.button('Discard');
    await visit.menu('contoso', 'Edit');
    await visit.at('more').locator('summary').click();
    await visit.button('Remove the proxy');
    await visit.at('save').click();
    await visit.page.waitForSelector('[data-test="done"]');
    assert.deepEqual(
        (await stage.changes()).map((one) => one.form),
        [{ proxy: '', output_mode: 'json' }],
    );
    await visit.close();
});

test('two browsers edit one customer: the second one is told, and what only the first one changed stays', async () => {
    await stage.tell('input', { inputs: { contoso: input() } });
    await stage.tell('world_store', { name: `client_secret.${shared.client_id}`, secret: shared.secret });
    const [one, other] = [await stage.open(), await stage.open()];
    for (const visit of [one, other]) await visit.menu('contoso', 'Edit');
    await one.fill({ index: 'first', start_time: '-7d' });
    await one.at('save').click();
    await one.page.waitForSelector('[data-test="done"]');
    await other.page.evaluate(() => document.dispatchEvent(new Event('visibilitychange')));
    await other.fill({ index: 'second' });
    await other.at('save').click();
    await other.page.waitForSelector('[data-test="warned"]');
    assert.match(await other.at('warned').innerText(), /changed index to 'first' meanwhile/);
    await other.at('save').click();
    await other.page.waitForSelector('[data-test="done"]');
    const { index, start_time } = (await stage.inputs()).contoso;
    assert.deepEqual([index, start_time], ['second', '-7d']);
    for (const visit of [one, other]) await visit.close();
});

test('a customer that somebody removed meanwhile', async () => {
    await stage.tell('input', { inputs: { contoso: input() } });
    const visit = await stage.open();
    await visit.menu('contoso', 'Edit');
    await visit.fill({ index: 'x' });
    await stage.tell('forget', { name: 'contoso' });
    await visit.at('save').click();
    await visit.page.waitForSelector('[data-test="warned"]');
    assert.match(await visit.at('warned').innerText(), /Somebody else removed this customer/);
    await visit.at('save').click();
    await visit.page.waitForSelector('[data-test="failure"]');
    assert.match(await visit.at('failure').innerText(), /it was removed meanwhile/);
    await visit.close();
});

test('Esc asks before what was typed is lost, and focus returns', async () => {
    await stage.tell('input', { inputs: { contoso: input() } });
    const visit = await stage.open();
    await visit.page.keyboard.press('n');
    await visit.page.waitForSelector('[data-test="form"]');
    await visit.page.keyboard.press('Escape');
    await visit.page.waitForSelector('[data-test="form"]', { state: 'detached' });
    await visit.page.getByRole('button', { name: 'Add customer' }).click();
    assert.equal(
        await visit.page.locator('#client_id').inputValue(),
        shared.client_id,
        'the client ID that most customers use',
    );
    await visit.fill({ name: 'x' });
    await visit.page.keyboard.press('Escape');
    await visit.page.waitForSelector('[data-test="discard"]');
    await visit.button('Go on');
    assert.equal(await visit.page.locator('#name').inputValue(), 'x');
    await visit.page.keyboard.press('Escape');
    await visit.button('Discard');
    await visit.page.waitForSelector('[data-test="form"]', { state: 'detached' });
    await waitFor(
        () => visit.page.evaluate(() => document.activeElement.dataset.test === 'add'),
        'focus on the button',
    );
    await visit.close();
});

test('a customer is added by the keyboard alone', async () => {
    await stage.tell('input', { inputs: { fabrikam: input() } });
    const visit = await stage.open();
    const { keyboard } = visit.page;
    await keyboard.press('n');
    await visit.page.waitForSelector('[data-test="form"]');
    await visit.page.waitForFunction(() => document.activeElement.id === 'name');
    const fits = (wanted) => [document.activeElement.id, document.activeElement.dataset.test].includes(wanted);
    const walk = async (id) => {
        for (let steps = 0; steps < 40; steps++) {
            if (await visit.page.evaluate(fits, id)) return;
            await keyboard.press('Tab');
        }
        throw new Error(`Tab does not lead to ${id}`);
    };
    for (const [id, text] of Object.entries({
        name: 'contoso',
        tenant_id: shared.tenant,
        client_secret: shared.secret,
    })) {
        await walk(id);
        await keyboard.type(text);
    }
    await walk('save');
    await keyboard.press('Enter');
    await visit.page.waitForSelector('[data-test="done"]');
    await keyboard.press('Tab');
    assert.ok(
        await visit.page.evaluate(() => Boolean(document.activeElement.closest('[role="dialog"]'))),
        'focus stays in the dialog when its button is gone',
    );
    await keyboard.press('Escape');
    await waitFor(async () => (await visit.rows()).includes('contoso'), 'the row');
    assert.deepEqual(Object.keys(await stage.inputs()).sort(), ['contoso', 'fabrikam']);
    await visit.close();
});

test('the menu of a row works by the keyboard', async () => {
    await stage.tell('input', { inputs: { contoso: input() } });
    const visit = await stage.open();
    await visit.row('contoso').locator('[data-test="menu"]').focus();
    await visit.page.keyboard.press('Enter');
    await visit.assertAccessible('the menu');
    assert.equal(await visit.page.evaluate(() => document.activeElement.textContent), 'Edit');
    await visit.page.keyboard.press('ArrowUp');
    assert.equal(await visit.page.evaluate(() => document.activeElement.textContent), 'Remove');
    await visit.page.keyboard.press('Escape');
    await waitFor(
        () => visit.page.evaluate(() => document.activeElement.dataset.test === 'menu'),
        'focus on the button',
    );
    await visit.page.keyboard.press('Enter');
    await visit.page.keyboard.press('ArrowDown');
    await visit.page.keyboard.press('Enter');
    await visit.page.waitForSelector('[data-test="form"]');
    assert.match(await visit.at('form').innerText(), /Clone contoso/);
    await visit.close();
});

test('names with any characters: added, cloned, switched, edited and removed', async () => {
    const names = ['a/b %&"ä', 'plus + and = ?#', 'x'.repeat(200), '<b>&amp;', "o'neil\\sons"];
    const visit = await stage.open();
    for (const name of names) {
        await openAdd(visit);
        await visit.fill({ name, tenant_id: shared.tenant, client_id: shared.client_id, client_secret: shared.secret });
        await visit.at('save').click();
        await visit.page.waitForSelector('[data-test="done"]');
        await visit.at('done').click();
        await waitFor(async () => (await visit.rows()).includes(name), `the row ${name.slice(0, 20)}`);
    }
    assert.deepEqual(Object.keys(await stage.inputs()).sort(), [...names].sort());
    for (const name of names) {
        await visit.menu(name, 'Edit');
        await visit.fill({ index: 'edited' });
        await visit.at('save').click();
        await visit.at('done').click();
        assert.equal((await stage.inputs())[name].index, 'edited', name);
        await visit.row(name).locator('[data-test="switch"]').click();
        await visit.at('confirm').click();
        await waitFor(async () => (await stage.inputs())[name].disabled === '1', `${name} is off`);
        await visit.page.waitForSelector('[data-test="off"]', { state: 'detached' });
        await visit.menu(name, 'Remove');
        assert.equal(await visit.at('confirm').isDisabled(), true, 'the name has to be typed');
        await visit.at('typed').fill(name);
        await visit.at('confirm').click();
        await waitFor(async () => !(name in (await stage.inputs())), `${name} is gone`);
        await visit.page.waitForSelector('[data-test="remove"]', { state: 'detached' });
    }
    await visit.page.waitForSelector('[data-test="empty"]');
    await visit.close();
});

test('a customer of another app is changed there', async () => {
    await stage.tell('input', { inputs: { contoso: input() }, app: 'search' });
    await stage.tell('world_store', { name: `client_secret.${shared.client_id}`, secret: shared.secret });
    const visit = await stage.open();
    assert.match(await visit.row('contoso').innerText(), /contoso search/);
    await visit.menu('contoso', 'Edit');
    await visit.fill({ index: 'x' });
    await visit.at('save').click();
    await visit.page.waitForSelector('[data-test="done"]');
    assert.match((await stage.changes())[0].path, /^\/servicesNS\/nobody\/search\//);
    await visit.close();
});

test('a customer that has not consented yet can be saved switched off', async () => {
    await stage.tell('fault', { code: 7000229 });
    const visit = await stage.open();
    await openAdd(visit);
    await visit.fill(typed());
    await visit.at('save').click();
    await visit.page.waitForSelector('[data-test="failure"]');
    await visit.page.waitForSelector('[data-test="consent"]');
    await visit.at('save-off').click();
    await visit.page.waitForSelector('[data-test="done"]');
    assert.equal((await stage.inputs()).contoso.disabled, '1');
    await visit.close();
});

test('cancel ends the wait for Microsoft', async () => {
    await stage.tell('set', { delay_s: 3 });
    const visit = await stage.open();
    await openAdd(visit);
    await visit.fill(typed());
    await visit.at('save').click();
    await visit.page.getByText('Trying with Microsoft…, up to 10 s').waitFor();
    await visit.at('cancel').click();
    await visit.page.getByText('If Splunk had saved it already').waitFor();
    await waitFor(async () => 'contoso' in (await stage.inputs()), 'Splunk saved it all the same');
    await visit.close();
});

test('a user signs in, in three steps, and nothing of the code stays', async () => {
    const visit = await stage.open();
    await openAdd(visit);
    await visit.fill({ name: 'contoso', tenant_id: shared.tenant, client_id: shared.client_id });
    await visit.page.getByLabel('A user (delegated)').check();
    await visit.fill({ client_secret: shared.secret });
    await visit.at('to-sign-in').click();
    await visit.page.waitForSelector('[data-test="sign-in-address"]');
    const address = await visit.at('sign-in-address').inputValue();
    assert.match(address, /\/authorize\?/);
    assert.equal(await visit.at('sign-in-link').getAttribute('href'), address);
    assert.match(await visit.at('sign-in-link').getAttribute('rel'), /noopener/);
    assert.deepEqual(await stage.inputs(), {}, 'nothing is saved by the question');
    await visit.assertAccessible('the sign-in');
    await visit.picture('sign-in');
    await visit.at('pasted').fill('https://siemmsspconnector/?error=access_denied&error_description=The+user+said+no');
    await visit.at('finish').click();
    await visit.page.waitForSelector('[data-test="sign-in"] [data-test="failure"]');
    assert.match(await visit.at('failure').innerText(), /The user said no/);
    const landing = await landingOf(visit);
    const code = new URL(landing).searchParams.get('code');
    await visit.at('pasted').fill(landing);
    await visit.at('finish').click();
    await visit.page.waitForSelector('[data-test="done"]');
    await visit.assertNoTrace([code, shared.secret], 'after the sign-in');
    const sent = (await stage.changes()).at(-1).form;
    assert.deepEqual([sent.name, sent.tenant_id, sent.authorization_code], ['contoso', shared.tenant, landing]);
    await visit.at('done').click();
    await waitFor(async () => /user \(delegated\)/.test(await visit.row('contoso').innerText()), 'the list knows');
    await visit.close();
});

test('"Sign in…" of a customer that exists', async () => {
    await stage.tell('input', { inputs: { contoso: input() } });
    await stage.tell('world_store', { name: `client_secret.${shared.client_id}`, secret: shared.secret });
    const visit = await stage.open();
    await visit.menu('contoso', 'Sign in…');
    await visit.page.waitForSelector('[data-test="sign-in-address"]');
    const landing = await landingOf(visit);
    await visit.at('pasted').fill(landing);
    await visit.at('finish').click();
    await visit.page.waitForSelector('[data-test="done"]');
    assert.deepEqual(
        (await stage.changes()).map((one) => Object.keys(one.form).join()),
        ['authorization_code,output_mode', 'authorization_code,output_mode'],
    );
    await visit.close();
});

test('the consent link is copied, and "copied" is only said when it was', async () => {
    await stage.tell('input', { inputs: { contoso: input() } });
    for (const [name, prepare, wanted, clipboard] of [
        ['with the clipboard', () => {}, 'Copied', true],
        ['on plain http', () => Object.defineProperty(navigator, 'clipboard', { value: undefined }), 'Copied', false],
        [
            'not at all',
            () => {
                Object.defineProperty(navigator, 'clipboard', { value: undefined });
                document.execCommand = () => false;
            },
            'Not copied: press Ctrl+C now',
            false,
        ],
    ]) {
        const visit = await stage.open({ clipboard });
        await visit.page.evaluate(prepare);
        await visit.menu('contoso', 'Copy consent link');
        await visit.fill({ 'consent-redirect': 'https://www.example.com/' });
        await visit.at('consent-link-copy').click();
        await waitFor(async () => (await visit.at('consent-link-told').innerText()) === wanted, `${name}: ${wanted}`);
        await visit.close();
    }
});

test('secrets of an answer never reach the page', async () => {
    // A splunkd that does not know f= answers with all fields, and until the program starts a secret is in clear.
    await stage.tell('set', { ignore_fields: true });
    await stage.tell('input', {
        inputs: {
            contoso: input({
                client_secret: 'clear~marker-two',
                refresh_token: 'marker-three',
                proxy: 'http://user:marker-four@proxy.example:3128',
            }),
        },
    });
    const visit = await stage.open();
    await visit.row('contoso').locator('[data-test="expand"]').click();
    await visit.menu('contoso', 'Edit');
    await visit.at('more').locator('summary').click();
    await visit.assertNoTrace(['marker-two', 'marker-three', 'marker-four'], 'the form');
    await visit.close();
});
