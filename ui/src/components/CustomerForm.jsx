// Add, edit and clone a customer. splunkd lets the program try the values; its sentence is shown as it is.
import React, { useEffect, useRef, useState } from 'react';
import Button from '@splunk/react-ui/Button';
import Message from '@splunk/react-ui/Message';
import { addInput, editInput, listInputs } from '../api.js';
import { asksForConsent, blamed, changesOf } from '../model/form.mjs';
import { sameValue } from '../model/check.mjs';
import { Consent } from './Consent.jsx';
import Dialog from './Dialog.jsx';
import Failure from './Failure.jsx';
import Fields from './Fields.jsx';
import SignInSteps from './SignInSteps.jsx';
import useForm from './useForm.js';

// Returns a sentence if somebody else changed the customer since the form was opened, or ''.
async function changedElsewhere({ params, own }, row, sent, signal) {
    const { inputs } = await listInputs(params, own, signal);
    const now = inputs.find((one) => one.name === row.name && one.app === row.app);
    if (!now) return 'Somebody else removed this customer meanwhile.';
    const other = Object.keys(sent).filter(
        (key) =>
            key in now.content &&
            !sameValue(
                params.find((one) => one.name === key),
                now.content[key],
                row.content[key],
            ),
    );
    const changed = other.map((key) => `${key} to '${now.content[key]}'`).join(', ');
    return other.length ? `Somebody else changed ${changed} meanwhile. Save again to replace that.` : '';
}

function Saved({ name, values, isNew }) {
    return (
        <>
            <Message type="success">{name} is saved. It appears in the list as waiting until its first poll.</Message>
            {isNew && <Consent values={values} />}
        </>
    );
}

export default function CustomerForm({ tables, row, clone, client_id, taken, close, saved }) {
    const { params, own, groups } = tables;
    const form = useForm({ params, own, row, clone, client_id, taken });
    const [stage, setStage] = useState('form'); // form, trying, saved, signin
    const [error, setError] = useState(null);
    const [warned, setWarned] = useState('');
    const stop = useRef(null);
    const message = useRef(null);
    const busy = stage === 'trying';
    const name = form.isNew ? form.name.trim() : row.name;

    useEffect(() => {
        if (error || warned) message.current?.focus();
    }, [error, warned]);
    useEffect(() => () => stop.current?.abort(), []);

    const values = () =>
        changesOf(params, own, { values: form.all(), secrets: form.secrets(), way: form.way, before: form.before });
    const send = (sent, signal) => (form.isNew ? addInput(name, sent, signal) : editInput(row, sent, signal));
    const ready = () => {
        const wrong = Object.keys(form.check()).filter((key) => key);
        if (wrong.length) document.getElementById(wrong[0])?.focus();
        return !wrong.length;
    };
    const save = async (more = {}) => {
        if (!ready()) return;
        const sent = { ...values(), ...more };
        if (!form.isNew && !Object.keys(sent).length) return void close();
        setStage('trying');
        setError(null);
        stop.current = new AbortController();
        try {
            if (!form.isNew && !warned) {
                const other = await changedElsewhere(tables, row, sent, stop.current.signal);
                if (other) {
                    setWarned(other);
                    setStage('form');
                    return;
                }
            }
            await send(sent, stop.current.signal);
            form.clear();
            setStage('saved');
            saved(name, form.isNew);
        } catch (failure) {
            setError(failure);
            setStage('form');
            const field = failure.kind === 'refused' && blamed(failure.message, [...params, { name: 'name' }]);
            if (field) form.mark(field, failure.message);
            if (failure.kind === 'stopped' || failure.kind === 'network') saved(null);
        }
    };

    const submit = (event) => {
        event.preventDefault();
        if (busy) return;
        if (form.way !== 'user' || !form.isNew) save();
        else if (ready()) setStage('signin');
    };
    const title = clone ? `Clone ${row.name}` : form.isNew ? 'Add customer' : `Edit ${row.name}`;
    const footer = (end) => {
        if (stage === 'signin') return null;
        if (stage === 'saved') return <Button appearance="primary" label="Done" onClick={end} data-test="done" />;
        return (
            <>
                <Button label="Cancel" onClick={() => (busy ? stop.current.abort() : end())} data-test="cancel" />
                {form.isNew && error?.kind === 'refused' && !busy && (
                    <Button label="Save switched off" onClick={() => save({ disabled: '1' })} data-test="save-off" />
                )}
                {form.way === 'user' && (
                    <Button
                        label="Sign in…"
                        disabled={busy}
                        onClick={() => ready() && setStage('signin')}
                        data-test="to-sign-in"
                    />
                )}
                {(form.way !== 'user' || !form.isNew) && (
                    <Button
                        appearance="primary"
                        label={busy ? 'Trying…' : 'Save'}
                        disabled={busy}
                        onClick={() => save()}
                        data-test="save"
                    />
                )}
            </>
        );
    };
    return (
        <Dialog
            title={title}
            first={form.isNew ? 'name' : 'tenant_id'}
            dirty={stage !== 'saved' && form.dirty()}
            busy={busy}
            close={close}
            footer={footer}
            test="form"
        >
            <div aria-live="polite">{busy && <Message type="info">Trying with Microsoft…, up to 10 s</Message>}</div>
            {error?.kind === 'stopped' ? (
                <div ref={message} tabIndex={-1}>
                    <Message type="warning">Stopped. If Splunk had saved it already, it appears in the list.</Message>
                </div>
            ) : (
                <Failure error={error} elementRef={message} />
            )}
            {warned && !error && (
                <div ref={message} tabIndex={-1} data-test="warned">
                    <Message type="warning">{warned}</Message>
                </div>
            )}
            {stage === 'saved' && <Saved name={name} values={form.values} isNew={form.isNew} />}
            {stage === 'signin' && (
                <SignInSteps
                    values={values}
                    send={send}
                    signedIn={() => {
                        form.clear();
                        setStage('saved');
                        saved(name, form.isNew);
                    }}
                    back={() => setStage('form')}
                />
            )}
            {error?.kind === 'refused' && asksForConsent(error.message) && <Consent values={form.values} />}
            <form
                onSubmit={submit}
                autoComplete="off"
                style={stage === 'saved' || stage === 'signin' ? { display: 'none', visibility: 'hidden' } : undefined}
            >
                <Fields
                    params={params}
                    own={own}
                    groups={groups}
                    form={form}
                    isNew={form.isNew}
                    stored={!form.isNew && row.record?.secret !== 'missing'}
                />
                <button type="submit" className="dc-sr" tabIndex={-1} aria-hidden="true" />
            </form>
        </Dialog>
    );
}
