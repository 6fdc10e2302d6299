// What the page says where there is nothing to list.
import React from 'react';
import Button from '@splunk/react-ui/Button';

export const README = 'https://learn.microsoft.com/entra/identity-platform/quickstart-register-app';

export default function Empty({ may_edit, act }) {
    return (
        <div className="dc-card" data-test="empty">
            <h2>No customer yet</h2>
            <ol className="dc-steps">
                <li>
                    <b>Register the app</b> with Microsoft, once: a multitenant app with the permission of the service.
                    The README of this app has every step (Register the app with Microsoft);{' '}
                    <a href={README} target="_blank" rel="noopener noreferrer">
                        Microsoft&apos;s own page
                    </a>{' '}
                    shows where.
                </li>
                <li>
                    <b>Send the consent link</b> to the customer&apos;s administrator. This page makes it for you when
                    you add the customer.
                </li>
                <li>
                    <b>Add the customer</b>: a name, the tenant, the client ID and the secret. It is tried with
                    Microsoft when you save it.
                </li>
            </ol>
            {may_edit && (
                <div className="dc-row">
                    <Button appearance="primary" label="Add customer" onClick={() => act('add')} />
                    <Button label="Import CSV" onClick={() => act('import')} />
                </div>
            )}
        </div>
    );
}
