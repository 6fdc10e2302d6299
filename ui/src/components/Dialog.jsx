// The frame of every dialog: Esc closes it, and asks first if something would be lost. Focus stays inside. first: the
// ID of the box in which a person begins; else it is the close button.
import React, { useEffect, useRef, useState } from 'react';
import Button from '@splunk/react-ui/Button';
import Modal from '@splunk/react-ui/Modal';
import { Sheet } from '../styles.jsx';

// The page itself gives the focus back (App.jsx), when the dialog is gone.
const nowhere = () => {};

export default function Dialog({
    title,
    first = '',
    width = 640,
    dirty = false,
    busy = false,
    close,
    footer,
    children,
    test,
}) {
    const [asks, setAsks] = useState(false);
    const keep = useRef(null);
    const begin = useRef({ focus: () => document.getElementById(first)?.focus() });
    const request = () => {
        if (busy) return;
        if (dirty && !asks) setAsks(true);
        else close();
    };
    useEffect(() => {
        if (asks) keep.current?.querySelector('button')?.focus();
    }, [asks]);
    // A button that is gone takes the focus along, as Save does: without this, Tab would go on below the dialog.
    const inside = useRef(null);
    const drawn = useRef(false);
    useEffect(() => {
        if (drawn.current && document.activeElement === document.body) inside.current?.focus({ preventScroll: true });
        drawn.current = true;
    });
    const question = (
        <Sheet>
            <div ref={keep} className="dc-row dc-spread" role="alert" data-test="discard">
                <span>What you entered is not saved.</span>
                <span className="dc-row">
                    <Button label="Go on" onClick={() => setAsks(false)} />
                    <Button label="Discard" appearance="destructive" onClick={close} />
                </span>
            </div>
        </Sheet>
    );
    const bottom = asks ? question : footer(request);
    return (
        <Modal
            open
            onRequestClose={request}
            initialFocus={first ? begin.current : 'first'}
            returnFocus={nowhere}
            style={{ width, maxWidth: '94vw' }}
            data-test={test}
        >
            <Modal.Header title={title} />
            <Modal.Body>
                <Sheet ref={inside} tabIndex={-1} style={{ outline: 'none' }}>
                    {children}
                </Sheet>
            </Modal.Body>
            {bottom && <Modal.Footer>{bottom}</Modal.Footer>}
        </Modal>
    );
}
