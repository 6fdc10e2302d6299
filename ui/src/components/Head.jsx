// Title, buttons, filter chips and search box.
import React from 'react';
import Button from '@splunk/react-ui/Button';
import { SHAPES, chipsOf } from '../model/conditions.mjs';
import { clockText } from '../model/words.mjs';

function stateText({ state_s, host, recordsWhy }) {
    if (recordsWhy) return recordsWhy;
    if (!state_s) return 'no state yet';
    return `state of ${clockText(state_s)}${host ? `, on ${host}` : ''}`;
}

export default function Head({ data, rows, view, may_edit, searchBox, act }) {
    return (
        <div className="dc-head">
            <div className="dc-row dc-spread">
                <h1>Customers</h1>
                <div className="dc-row">
                    {may_edit && (
                        <Button appearance="primary" label="Add customer" onClick={() => act('add')} data-test="add" />
                    )}
                    {may_edit && <Button label="Import CSV" onClick={() => act('import')} data-test="import" />}
                    <Button label="Refresh" onClick={() => act('refresh')} data-test="refresh" />
                </div>
            </div>
            <div className="dc-row dc-spread">
                <div className="dc-row" role="group" aria-label="Filter by condition">
                    {chipsOf(rows).map(({ key, label, count, tone }) => (
                        <button
                            key={key}
                            type="button"
                            className="dc-chip"
                            aria-pressed={view.chip === key}
                            onClick={() => act('chip', key)}
                            data-test={`chip-${key}`}
                        >
                            <span className={`dc-tone-${tone}`} aria-hidden="true">
                                {SHAPES[tone]}
                            </span>{' '}
                            {label} <b>{count}</b>
                        </button>
                    ))}
                </div>
                <div className="dc-row">
                    <span className={data.recordsWhy ? 'dc-tone-watch' : 'dc-note'} data-test="state">
                        {stateText(data)}
                    </span>
                    <input
                        ref={searchBox}
                        className="dc-box dc-search"
                        type="search"
                        aria-label="Search name, tenant, index, reason"
                        placeholder="Name, tenant, index, reason"
                        value={view.text}
                        onChange={(event) => act('text', event.target.value)}
                        data-test="search"
                    />
                </div>
            </div>
        </div>
    );
}
