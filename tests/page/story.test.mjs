// An administrator without a shell: three customers added, one with a wrong secret fixed, one signed in as a user, 300
// imported from a CSV, without leaving the page.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Stage, waitFor } from './browser.mjs';

let stage;
before(async () => {
    stage = await Stage.start();
});
after(() => stage.close());

test('303 customers without a shell and without leaving the page', async () => {
    await stage.tell('reset');
    const began = Date.now();
    const app = await stage.tell('customer', { name: 'contoso' });
    const tenants = { contoso: app.tenant };
    for (const name of ['fabrikam', 'tailspin']) tenants[name] = (await stage.tell('customer', { name })).tenant;
    const visit = await stage.open();
    const add = async (name, secret) => {
        await visit.page.getByRole('button', { name: 'Add customer' }).first().click();
        await visit.fill({ name, tenant_id: tenants[name], client_id: app.client_id, index: `customer_${name}` });
        if (secret) await visit.fill({ client_secret: secret });
        await visit.at('save').click();
    };
    const done = async (name) => {
        await visit.at('done').click();
        await visit.row(name).waitFor();
    };
    await add('contoso', app.secret);
    await visit.page.waitForSelector('[data-test="consent"]');
    await visit.fill({ 'consent-redirect': 'https://www.example.com/' });
    assert.match(await visit.at('consent-link').inputValue(), new RegExp(`/${tenants.contoso}/adminconsent`));
    await done('contoso');

    // A wrong secret, fixed in the same form.
    await add('fabrikam', 'Wrong8Q~of-another-app-entirely');
    await visit.page.waitForSelector('[data-test="failure"]');
    assert.match(await visit.at('failure').innerText(), /the client secret is wrong/);
    await visit.fill({ client_secret: app.secret });
    await visit.at('save').click();
    await done('fabrikam');

    // The stored secret is shared; then a user signs in.
    await add('tailspin');
    await done('tailspin');
    await visit.menu('tailspin', 'Sign in…');
    await visit.page.waitForSelector('[data-test="sign-in-address"]');
    const { address } = await stage.tell('landing', { address: await visit.at('sign-in-address').inputValue() });
    await visit.at('pasted').fill(address);
    await visit.at('finish').click();
    await visit.at('done').click();
    await waitFor(
        async () => /user \(delegated\)/.test(await visit.row('tailspin').innerText()),
        'signed in as a user',
    );

    const lines = Array.from(
        { length: 300 },
        (_, at) => `import-${at},${tenants.contoso},${app.client_id},customer_${at}`,
    );
    await visit.button('Import CSV');
    await visit.at('paste').fill(`name,tenant_id,client_id,index\n${lines.join('\n')}\n`);
    await visit.at('preview-button').click();
    assert.match(await visit.at('counts').innerText(), /^300 new/);
    await visit.at('apply').click();
    await visit.page.waitForSelector('[data-test="done"]', { timeout: 540000 });
    assert.match(await visit.at('run-text').innerText(), /300 of 300: 300 good, 0 failed/);
    await visit.at('done').click();
    await waitFor(async () => /of 303$/.test(await visit.at('range').innerText()), 'all in the list');

    assert.equal(Object.keys(await stage.inputs()).length, 303);
    await visit.assertNoTrace([app.secret, new URL(address).searchParams.get('code')], 'the whole story');
    const pages = visit.seen.urls.filter((url) => url.includes('/app/') && !url.includes('/static/'));
    assert.equal(pages.length, 1, 'one page was opened');
    assert.equal((await stage.tell('log')).most, 1, 'one change at a time');
    const minutes = (Date.now() - began) / 60000;
    console.log(`# 303 customers in ${minutes.toFixed(1)} minutes`);
    assert.ok(minutes < 10, `it took ${minutes} minutes`);
    await visit.close();
});
