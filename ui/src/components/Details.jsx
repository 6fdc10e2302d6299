// The opened row: the reason in full, numbers, a chart of 24 hours, and the last log lines.
import React, { useEffect, useState } from 'react';
import { CopyBox } from './Bits.jsx';
import { search } from '../api.js';
import { historyOf } from '../model/rows.mjs';
import { clockText, logSearch, momentText } from '../model/words.mjs';

const WIDTH = 760;
const HEIGHT = 90;
const SERIES = [
    ['Requests', 1, 'var(--off)'],
    ['New alerts', 0, 'var(--accent)'],
    ['Throttled', 2, 'var(--watch)'],
    ['Failed', 3, 'var(--act)'],
];

function Chart({ row }) {
    const found = historyOf(row.history);
    if (!found) return null;
    const most = Math.max(1, ...found.flatMap((one) => one || []));
    const step = WIDTH / found.length;
    const sums = SERIES.map(
        ([label, index]) => `${label.toLowerCase()} ${found.reduce((sum, one) => sum + (one ? one[index] : 0), 0)}`,
    ).join(', ');
    const bar = (count, at) => {
        const height = Math.max(1, (count / most) * (HEIGHT - 12)).toFixed(1);
        return `M${(at * step + 1).toFixed(1)} ${HEIGHT}v-${height}h${(step - 2).toFixed(2)}V${HEIGHT}z`;
    };
    const path = (index) => found.map((one, at) => (one && one[index] > 0 ? bar(one[index], at) : '')).join('');
    const end = row.record.history_at + 900;
    return (
        <figure style={{ margin: '12px 0' }}>
            <svg
                width="100%"
                viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
                style={{ maxWidth: WIDTH, display: 'block' }}
                role="img"
                aria-label={`24 hours: ${sums}`}
            >
                {SERIES.map(([label, index, color]) => (
                    <path key={label} d={path(index)} fill={color} />
                ))}
                <path d={`M0 ${HEIGHT - 0.5}H${WIDTH}`} stroke="var(--line)" />
                <text x="0" y="10" fontSize="11" fill="currentColor">{`at most ${most} in a quarter of an hour`}</text>
            </svg>
            <figcaption className="dc-note dc-row">
                {SERIES.map(([label, , color]) => (
                    <span key={label}>
                        <span aria-hidden="true" style={{ color }}>
                            ■
                        </span>{' '}
                        {label}
                    </span>
                ))}
                {Number.isFinite(end) && <span>the 24 hours up to {clockText(end).slice(0, 5)}</span>}
            </figcaption>
        </figure>
    );
}

function Lines({ name }) {
    const [found, setFound] = useState(null);
    const text = logSearch(name);
    useEffect(() => {
        const stop = new AbortController();
        search(`${text} | head 20 | table _raw`, { count: 20, signal: stop.signal }).then(
            (rows) => setFound(rows.map((row) => row._raw).filter(Boolean)),
            () => setFound([]),
        );
        return () => stop.abort();
    }, [text]);
    if (found === null) return <p className="dc-note">Looking for log lines…</p>;
    if (found.length)
        return (
            <>
                <h2>The last log lines</h2>
                <pre tabIndex={0} aria-label={`Log lines of ${name}`} data-test="lines">
                    {found.join('\n')}
                </pre>
            </>
        );
    return (
        <>
            <h2>Log lines</h2>
            <p className="dc-note">
                The index _internal has none here: a forwarder sends it on. On a search head, this search finds them:
            </p>
            <CopyBox label="Search for the log lines" text={text.replace(/^search /, '')} test="log-search" />
        </>
    );
}

// Splunk reads the files of all apps together.
function twinText({ also }) {
    return also.length
        ? `It is in the app ${also.join(' and ')}, too. Splunk makes one input of both: remove one of them.`
        : '';
}

export default function Details({ row, columns }) {
    const record = row.record || {};
    const limits = [
        record.limit_per_min && `${record.limit_per_min} a minute`,
        record.limit_per_hour && `${record.limit_per_hour} an hour`,
    ]
        .filter(Boolean)
        .join(', ');
    const facts = [
        ['What to do', row.condition.todo],
        ['Why', record.why],
        ['Next', record.next],
        ['Remark', record.note],
        ['Same name', twinText(row)],
        ['Since', momentText(record.since)],
        ['Read by', record.reader],
        [
            'Requests',
            record.requests !== undefined &&
                `${record.requests}: ${record.ok || 0} good, ${record.throttled || 0} throttled, ` +
                    `${record.refused || 0} refused, ${record.failed || 0} failed; ${record.new || 0} new alerts`,
        ],
        ['Limits', limits && `${limits} for this tenant and app`],
        ['Tenant', row.content.tenant_id],
        ['Client', row.content.client_id],
        ['Reads since', momentText(record.began)],
        [
            'Reported',
            record.updated &&
                `${momentText(record.updated)} by ${record.forwarder || '?'}, version ${record.version || '?'}`,
        ],
    ].filter(([, value]) => value);
    return (
        <tr className="dc-inner" data-test="details">
            <td colSpan={columns}>
                <dl className="dc-facts">
                    {facts.map(([label, value]) => (
                        <React.Fragment key={label}>
                            <dt>{label}</dt>
                            <dd>{value}</dd>
                        </React.Fragment>
                    ))}
                </dl>
                <Chart row={row} />
                <Lines name={row.name} />
            </td>
        </tr>
    );
}
