// The sign-in of a user in three steps: ask for the address, sign in there, paste the address on which it ended.
//
// The first request is always refused and saves nothing; its sentence has the address. The last one hands the pasted
// text to the program, which takes the code out of it and redeems it.
import React, { useEffect, useRef, useState } from 'react';
import Button from '@splunk/react-ui/Button';
import Message from '@splunk/react-ui/Message';
import { ApiError } from '../api.js';
import { addressIn } from '../model/words.mjs';
import { CopyBox, Field } from './Bits.jsx';
import Failure from './Failure.jsx';

const LIFE_S = 600; // of a code

function Clock({ until }) {
    const [left, setLeft] = useState(LIFE_S);
    useEffect(() => {
        const tick = () => setLeft(Math.max(0, Math.round((until - Date.now()) / 1000)));
        tick();
        const timer = setInterval(tick, 1000);
        return () => clearInterval(timer);
    }, [until]);
    if (!left)
        return (
            <p className="dc-tone-act">
                Ten minutes are over: the code is no longer valid if you signed in that long ago. Sign in again with the
                same link.
            </p>
        );
    return (
        <p className="dc-note">
            Time left: {Math.floor(left / 60)}:{String(left % 60).padStart(2, '0')}
        </p>
    );
}

// values(): what else is sent. send(values): saves. back: to the form, or closes.
export default function SignInSteps({ values, send, signedIn, back, backLabel = 'Back' }) {
    const [address, setAddress] = useState('');
    const [error, setError] = useState(null);
    const [busy, setBusy] = useState(true);
    const [until, setUntil] = useState(0);
    const pasted = useRef(null);
    const message = useRef(null);
    const top = useRef(null);

    const ask = async (kept = null) => {
        setBusy(true);
        setError(kept);
        try {
            await send({ ...values(), authorization_code: '?' });
            setError(
                new ApiError(
                    'other',
                    'Splunk saved the question mark and did not ask the program: is the program of this app installed?',
                ),
            );
        } catch (failure) {
            const found = failure.kind === 'refused' && addressIn(failure.message);
            if (found) {
                setAddress(found);
                setUntil(Date.now() + LIFE_S * 1000);
            } else {
                setError(failure);
            }
        }
        setBusy(false);
    };
    useEffect(() => {
        ask();
        top.current?.focus();
    }, []);
    useEffect(() => {
        if (error) message.current?.focus();
    }, [error]);
    const finish = async () => {
        const text = pasted.current.value.trim();
        if (!text) return void pasted.current.focus();
        setBusy(true);
        setError(null);
        try {
            await send({ ...values(), authorization_code: text });
            pasted.current.value = '';
            signedIn();
        } catch (failure) {
            pasted.current.value = '';
            const found = addressIn(failure.message);
            if (found) setAddress(found);
            setUntil(Date.now() + LIFE_S * 1000);
            setError(failure);
            setBusy(false);
        }
    };
    return (
        <div ref={top} tabIndex={-1} data-test="sign-in">
            <Failure error={error} elementRef={message} />
            <div aria-live="polite">
                {busy && (
                    <Message type="info">
                        {address ? 'Trying with Microsoft…, up to 10 s' : 'Asking for the address…'}
                    </Message>
                )}
            </div>
            <ol className="dc-steps">
                <li>
                    The program was asked for the address of the sign-in; nothing is saved yet.{' '}
                    {!address && !busy && <Button label="Ask again" onClick={() => ask()} />}
                </li>
                {address && (
                    <>
                        <li>
                            <a href={address} target="_blank" rel="noopener noreferrer" data-test="sign-in-link">
                                Sign in
                            </a>{' '}
                            as the user whose permissions are used, or copy the address into the right browser:
                            <CopyBox label="Address of the sign-in" text={address} test="sign-in-address" />
                        </li>
                        <li>
                            The sign-in ends on a page that does not load. Copy its whole address from the address bar
                            and paste it here:
                            <Field id="pasted" label="Address of that page" hint="It holds a code that works once.">
                                <input
                                    ref={pasted}
                                    className="dc-box"
                                    autoComplete="off"
                                    spellCheck="false"
                                    data-test="pasted"
                                />
                            </Field>
                            <Clock until={until} />
                        </li>
                    </>
                )}
            </ol>
            <div className="dc-row" style={{ justifyContent: 'flex-end' }}>
                <Button label={backLabel} onClick={back} />
                <Button
                    appearance="primary"
                    label="Finish"
                    disabled={busy || !address}
                    onClick={finish}
                    data-test="finish"
                />
            </div>
        </div>
    );
}
