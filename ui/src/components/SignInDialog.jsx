// "Sign in…" of a customer that exists.
import React, { useState } from 'react';
import Button from '@splunk/react-ui/Button';
import Message from '@splunk/react-ui/Message';
import { editInput } from '../api.js';
import Dialog from './Dialog.jsx';
import SignInSteps from './SignInSteps.jsx';

export default function SignInDialog({ row, close, saved }) {
    const [done, setDone] = useState(false);
    return (
        <Dialog
            title={`Sign in as a user: ${row.name}`}
            close={close}
            test="sign-in-dialog"
            footer={(end) =>
                done ? <Button appearance="primary" label="Done" onClick={end} data-test="done" /> : null
            }
        >
            {done ? (
                <Message type="success">
                    The code is saved. The program redeems it now, and the list shows the result.
                </Message>
            ) : (
                <SignInSteps
                    values={() => ({})}
                    send={(sent) => editInput(row, sent)}
                    signedIn={() => {
                        setDone(true);
                        saved(row.name, false);
                    }}
                    back={close}
                    backLabel="Cancel"
                />
            )}
        </Dialog>
    );
}
