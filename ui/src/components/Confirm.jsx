// Switching off and removing ask first.
import React, { useRef, useState } from 'react';
import Button from '@splunk/react-ui/Button';
import { removeInput, switchInput } from '../api.js';
import { Field } from './Bits.jsx';
import Dialog from './Dialog.jsx';
import Failure from './Failure.jsx';

function useTry(work, close) {
    const [busy, setBusy] = useState(false);
    const [error, setError] = useState(null);
    const go = async () => {
        setBusy(true);
        setError(null);
        try {
            await work();
            close();
        } catch (failure) {
            setError(failure);
            setBusy(false);
        }
    };
    return { busy, error, go };
}

export function OffDialog({ row, close, saved }) {
    const { busy, error, go } = useTry(async () => {
        await switchInput(row, false);
        saved(row.name, false);
    }, close);
    return (
        <Dialog
            title={`Switch off ${row.name}?`}
            width={480}
            busy={busy}
            close={close}
            test="off"
            footer={(end) => (
                <>
                    <Button label="Cancel" onClick={end} disabled={busy} />
                    <Button appearance="primary" label="Switch off" onClick={go} disabled={busy} data-test="confirm" />
                </>
            )}
        >
            <Failure error={error} />
            <p>
                No alerts of <b>{row.name}</b> are read until it is on again. Then it continues where it ended.
            </p>
        </Dialog>
    );
}

export function RemoveDialog({ row, close, saved }) {
    const [typed, setTyped] = useState('');
    const box = useRef(null);
    const { busy, error, go } = useTry(async () => {
        await removeInput(row);
        saved(null);
    }, close);
    return (
        <Dialog
            first="remove-name"
            title={`Remove ${row.name}?`}
            width={480}
            busy={busy}
            close={close}
            test="remove"
            footer={(end) => (
                <>
                    <Button label="Cancel" onClick={end} disabled={busy} />
                    <Button
                        appearance="destructive"
                        label="Remove"
                        onClick={go}
                        disabled={busy || typed !== row.name}
                        data-test="confirm"
                    />
                </>
            )}
        >
            <Failure error={error} />
            <p>
                The input is removed; alerts that are in Splunk stay. Its place in the alerts and its stored secret
                stay, too: an input of the same name continues there.
            </p>
            {row.also.length > 0 && (
                <p>
                    It is removed from the app {row.app}. The input of the same name in the app {row.also.join(' and ')}{' '}
                    stays.
                </p>
            )}
            <Field id="remove-name" label={`Type the name of the customer: ${row.name}`}>
                <input
                    ref={box}
                    className="dc-box"
                    autoComplete="off"
                    value={typed}
                    onChange={(event) => setTyped(event.target.value)}
                    data-test="typed"
                />
            </Field>
        </Dialog>
    );
}
