// The link for the customer's administrator. The redirect address is asked for once and kept in this browser.
import React, { useState } from 'react';
import Button from '@splunk/react-ui/Button';
import { CopyBox, Field } from './Bits.jsx';
import Dialog from './Dialog.jsx';
import { consentLink, keepRedirect, keptRedirect, redirectProblem } from '../model/consent.mjs';

export function Consent({ values }) {
    const [redirect, setRedirect] = useState(() => keptRedirect(window.localStorage));
    const wrong = redirect && redirectProblem(redirect);
    const change = (text) => {
        setRedirect(text);
        if (!redirectProblem(text)) keepRedirect(window.localStorage, text.trim());
    };
    const link = !wrong && consentLink(values, redirect.trim());
    return (
        <div data-test="consent">
            <p>
                The customer&apos;s Global Administrator opens this link, signs in and accepts. Until then Microsoft
                refuses this app.
            </p>
            <Field
                id="consent-redirect"
                label="Redirect URI of the app registration"
                hint="The page that the customer sees then, such as https://www.example.com/. It is remembered here."
                wrong={wrong}
            >
                <input
                    className="dc-box"
                    value={redirect}
                    onChange={(event) => change(event.target.value)}
                    data-test="redirect"
                />
            </Field>
            {link ? (
                <CopyBox label="Consent link" text={link} test="consent-link" />
            ) : (
                <p className="dc-note">The link appears when tenant, client ID and redirect URI are right.</p>
            )}
        </div>
    );
}

export function ConsentDialog({ row, close }) {
    return (
        <Dialog
            title={`Consent link of ${row.name}`}
            close={close}
            test="consent-dialog"
            footer={(end) => <Button appearance="primary" label="Done" onClick={end} />}
        >
            <Consent values={row.content} />
        </Dialog>
    );
}
