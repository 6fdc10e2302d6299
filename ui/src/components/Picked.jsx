// What can be done with the selected customers.
import React from 'react';
import Button from '@splunk/react-ui/Button';
import { plural } from '../model/words.mjs';

export default function Picked({ rows, all, act }) {
    if (!rows.length) return null;
    return (
        <div className="dc-picked dc-row" data-test="picked">
            <b>{plural(rows.length, 'customer')} selected</b>
            <Button label="Enable" onClick={() => act('bulk', { kind: 'enable', rows })} />
            <Button label="Disable" onClick={() => act('bulk', { kind: 'disable', rows })} />
            <Button label="Set parameter…" onClick={() => act('bulk', { kind: 'set', rows })} />
            <Button label="Export CSV" onClick={() => act('export', rows)} />
            {all > rows.length && (
                <button
                    type="button"
                    className="dc-plain"
                    style={{ textDecoration: 'underline' }}
                    onClick={() => act('pickFiltered')}
                >
                    Select all {all}
                </button>
            )}
            <button
                type="button"
                className="dc-plain"
                style={{ textDecoration: 'underline' }}
                onClick={() => act('pickNone')}
            >
                Select none
            </button>
        </div>
    );
}
