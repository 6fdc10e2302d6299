// One customer in the table.
import React from 'react';
import { Condition, Spark } from './Bits.jsx';
import { APP } from '../api.js';
import { ageText, momentText } from '../model/words.mjs';

function Age({ at, now_s }) {
    if (!at) return <>–</>;
    return <span title={momentText(at)}>{ageText(now_s - at)}</span>;
}

function signInText({ word, days }) {
    return Number.isFinite(days) ? `${word} (${days} d)` : word;
}

function Row({ row, now_s, open, picked, fresh, may_edit, busy, act }) {
    const name = row.name;
    return (
        <tr
            className={[open && 'dc-open', fresh && 'dc-new'].filter(Boolean).join(' ')}
            data-test="row"
            data-name={name}
        >
            {may_edit && (
                <td>
                    <input
                        type="checkbox"
                        aria-label={`Select ${name}`}
                        checked={picked}
                        onChange={() => act('pick', row)}
                    />
                </td>
            )}
            <td>
                <button
                    type="button"
                    className="dc-plain"
                    aria-expanded={open}
                    aria-label={`Details of ${name}`}
                    onClick={() => act('open', row)}
                    data-test="expand"
                >
                    <span aria-hidden="true">{open ? '▾' : '▸'}</span>
                </button>
            </td>
            <td className="dc-clip" title={name}>
                {name}
                {row.app && (row.app !== APP || row.also.length > 0) && <span className="dc-note"> {row.app}</span>}
            </td>
            <td className="dc-clip" data-test="condition">
                <Condition row={row} />
            </td>
            <td className="dc-clip" title={row.condition.todo}>
                {row.condition.todo}
            </td>
            <td>
                <Age at={row.last_poll} now_s={now_s} />
            </td>
            <td>
                <Age at={row.newest_alert} now_s={now_s} />
            </td>
            <td>
                <Spark history={row.history} />
            </td>
            <td>{row.content.api}</td>
            <td className="dc-clip" title={row.content.index}>
                {row.content.index || '–'}
            </td>
            <td className={row.sign_in.word === 'missing' ? 'dc-clip dc-tone-act' : 'dc-clip'}>
                {signInText(row.sign_in)}
            </td>
            {may_edit && (
                <td>
                    <button
                        type="button"
                        role="switch"
                        className="dc-switch"
                        aria-checked={!row.disabled}
                        aria-label={`${name} is on`}
                        disabled={busy}
                        onClick={() => act('switch', row)}
                        data-test="switch"
                    />
                </td>
            )}
            <td>
                <button
                    type="button"
                    className="dc-plain dc-more"
                    aria-haspopup="menu"
                    aria-label={`Actions for ${name}`}
                    onClick={(event) => act('menu', row, event.currentTarget)}
                    data-test="menu"
                >
                    ⋯
                </button>
            </td>
        </tr>
    );
}

export default React.memo(Row);
