// What went wrong with a request, in words for the person who has to act.
import React from 'react';
import Button from '@splunk/react-ui/Button';
import Message from '@splunk/react-ui/Message';
import { loginUrl } from '../api.js';

// splunkd names the capability, except where Splunk Web itself refuses.
function askFor(text) {
    const named = /capability: *\w/.test(text);
    return `Ask an administrator of Splunk for ${named ? 'it' : 'the capability edit_modinput_defender_alerts'}.`;
}

export function failureText(error) {
    switch (error.kind) {
        case 'session':
            return 'Your session ended. Log in again, then try again.';
        case 'capability':
            return `You may not do this: ${error.message} ${askFor(error.message)}`;
        case 'missing':
            return (
                'Splunk does not know inputs of this kind. Most likely it was not restarted after the installation ' +
                'of this app: restart it (Settings > Server controls).'
            );
        case 'network':
            return 'Splunk Web does not answer. It may be restarting, or the network is down.';
        case 'busy':
            return `Splunk is busy or starting: ${error.message}`;
        default:
            return error.message;
    }
}

export default function Failure({ error, retry, elementRef }) {
    if (!error) return null;
    return (
        <div ref={elementRef} tabIndex={-1} role="alert" data-test="failure">
            <Message type="error">
                {failureText(error)}
                {error.kind === 'session' && (
                    <>
                        {' '}
                        <a href={loginUrl()} target="_blank" rel="noopener noreferrer">
                            Log in
                        </a>
                    </>
                )}
                {retry && (
                    <>
                        {' '}
                        <Button label="Try again" onClick={retry} />
                    </>
                )}
            </Message>
        </div>
    );
}
