// The page and the running program together: what the one saves the other reads, and what it knows the page shows.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Stage, waitFor } from './browser.mjs';

let stage;
before(async () => {
    stage = await Stage.start();
});
after(() => stage.close());

const told = (visit, name, wanted) =>
    waitFor(
        async () => {
            await visit.at('refresh').click();
            const row = visit.row(name);
            return (await row.count()) && wanted.test(await row.innerText());
        },
        `${name}: ${wanted}`,
        40,
    );

test('alerts arrive, a refusal is told, a user signs in', async () => {
    await stage.tell('reset');
    await stage.tell('live');
    const { tenant, client_id, secret } = await stage.tell('customer', { name: 'contoso' });
    await stage.tell('publish', { name: 'contoso', count: 5 });
    const visit = await stage.open();
    await visit.page.getByRole('button', { name: 'Add customer' }).first().click();
    await visit.fill({ name: 'contoso', tenant_id: tenant, client_id, client_secret: secret });
    await visit.at('more').locator('summary').click();
    await visit.fill({ poll_interval: '1' });
    await visit.at('save').click();
    await visit.at('done').click();
    await told(visit, 'contoso', /✔ ok|◐ (back-filling|no alert yet)/);
    await told(visit, 'contoso', /secret/);
    assert.equal((await stage.tell('inputs')).contoso.client_secret, '********', 'the program stored the secret');
    assert.equal((await stage.tell('stored'))[`client_secret.${client_id}`], secret);

    // Entra refuses the app; the page names the code and who has to act.
    await stage.tell('fault', { code: 7000222 });
    await visit.row('contoso').locator('[data-test="switch"]').click();
    await visit.at('confirm').click();
    await told(visit, 'contoso', /○ off/);
    await visit.menu('contoso', 'Edit');
    await visit.fill({ client_secret: 'Ended8Q~' + 'x'.repeat(30) });
    await visit.at('save').click();
    await visit.page.waitForSelector('[data-test="done"]');
    await visit.at('done').click();
    await visit.row('contoso').locator('[data-test="switch"]').click();
    await visit.page.waitForSelector('[data-test="switch-failed"]');
    assert.match(await visit.at('switch-failed').innerText(), /AADSTS7000222/);
    await stage.tell('no_faults');

    // A user signs in; the program redeems the code and keeps the refresh token.
    const other = await stage.tell('customer', { name: 'fabrikam' });
    await visit.at('add').click();
    await visit.fill({ name: 'fabrikam', tenant_id: other.tenant, client_id });
    await visit.page.getByLabel('A user (delegated)').check();
    await visit.fill({ client_secret: secret });
    await visit.at('to-sign-in').click();
    await visit.page.waitForSelector('[data-test="sign-in-address"]');
    const { address } = await stage.tell('landing', { address: await visit.at('sign-in-address').inputValue() });
    await visit.at('pasted').fill(address);
    await visit.at('finish').click();
    await visit.at('done').click();
    await told(visit, 'fabrikam', /user \(delegated\)/);
    await told(visit, 'fabrikam', /✔ ok|◐ (back-filling|no alert yet)/);
    const stored = Object.entries(await stage.tell('stored')).filter(([name]) => name.startsWith('refresh_token.'));
    assert.equal(stored.length, 1);
    assert.ok(!(await stage.tell('inputs')).fabrikam.authorization_code, 'the code is used up and gone');
    await visit.assertNoTrace(
        [secret, new URL(address).searchParams.get('code'), stored[0][1]],
        'with the program running',
    );
    await visit.close();
});
