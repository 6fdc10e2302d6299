// Small parts that several places use.
import React, { useEffect, useRef, useState } from 'react';
import Button from '@splunk/react-ui/Button';
import { SHAPES } from '../model/conditions.mjs';
import { historyOf } from '../model/rows.mjs';

export function Condition({ row }) {
    const { word, tone } = row.condition;
    const percent =
        word === 'back-filling' && row.record?.backfill_percent !== undefined
            ? ` ${row.record.backfill_percent} %`
            : '';
    return (
        <span className={`dc-tone-${tone}`}>
            <span aria-hidden="true">{SHAPES[tone]} </span>
            {word}
            {percent}
        </span>
    );
}

// Copies a text. On plain http, which is usual on forwarders, a browser has no navigator.clipboard. Returns true only
// if it was copied.
export async function copyText(text, box) {
    if (navigator.clipboard && window.isSecureContext) {
        try {
            await navigator.clipboard.writeText(text);
            return true;
        } catch {
            // it may be forbidden; the old way may work
        }
    }
    if (!box) return false;
    box.focus();
    box.select();
    try {
        return document.execCommand('copy');
    } catch {
        return false;
    }
}

export function CopyBox({ label, text, test }) {
    const box = useRef(null);
    const [told, setTold] = useState('');
    useEffect(() => setTold(''), [text]);
    const copy = async () => setTold((await copyText(text, box.current)) ? 'Copied' : 'Not copied: press Ctrl+C now');
    return (
        <div>
            <div className="dc-row" style={{ flexWrap: 'nowrap' }}>
                <input
                    ref={box}
                    className="dc-box dc-mono"
                    readOnly
                    value={text}
                    aria-label={label}
                    data-test={test}
                    onFocus={(event) => event.target.select()}
                />
                <Button label="Copy" onClick={copy} aria-label={`Copy: ${label}`} data-test={test && `${test}-copy`} />
            </div>
            <div className="dc-note" aria-live="polite" data-test={test && `${test}-told`}>
                {told}
            </div>
        </div>
    );
}

const WIDTH = 110;
const HEIGHT = 24;

// New alerts of 24 hours; marks below where requests were throttled or failed.
export function Spark({ history }) {
    const found = historyOf(history);
    if (!found) return <span className="dc-note">–</span>;
    const most = Math.max(1, ...found.map((one) => (one ? one[0] : 0)));
    const step = WIDTH / found.length;
    const sum = found.reduce((total, one) => total + (one ? one[0] : 0), 0);
    const bad = found.some((one) => one && (one[2] || one[3]));
    const bars = found.map(
        (one, at) =>
            one &&
            one[0] > 0 &&
            `M${(at * step).toFixed(1)} 18v-${Math.max(1, (one[0] / most) * 17).toFixed(1)}h${step.toFixed(2)}V18z`,
    );
    const marks = (index) =>
        found.map(
            (one, at) =>
                one &&
                one[index] > 0 &&
                `M${(at * step).toFixed(1)} 20h${Math.max(2, step).toFixed(2)}v4h-${Math.max(2, step).toFixed(2)}z`,
        );
    return (
        <svg
            width={WIDTH}
            height={HEIGHT}
            role="img"
            aria-label={`${sum} new alerts in 24 hours${bad ? '; some requests were throttled or failed' : ''}`}
        >
            <path d={`M0 18.5H${WIDTH}`} stroke="var(--line)" />
            <path d={bars.filter(Boolean).join('')} fill="var(--accent)" />
            <path d={marks(2).filter(Boolean).join('')} fill="var(--watch)" />
            <path d={marks(3).filter(Boolean).join('')} fill="var(--act)" />
        </svg>
    );
}

// The box of a secret. The browser keeps what is typed: it never becomes an attribute of the page or a state of it.
export const SecretBox = React.forwardRef(function SecretBox(props, ref) {
    return (
        <input ref={ref} type="password" className="dc-box" autoComplete="new-password" spellCheck="false" {...props} />
    );
});

// A label, a box, a hint below it and what is wrong with it.
export function Field({ id, label, hint, wrong, required, children }) {
    const about = [hint && `${id}-hint`, wrong && `${id}-wrong`].filter(Boolean).join(' ') || undefined;
    return (
        <div className="dc-field" data-test={`field-${id}`}>
            <label htmlFor={id}>
                {label}
                {required ? ' *' : ''}
            </label>
            {React.cloneElement(children, {
                id,
                'aria-describedby': about,
                'aria-invalid': wrong ? 'true' : undefined,
                'aria-required': required || undefined,
            })}
            {hint && (
                <div className="dc-note" id={`${id}-hint`}>
                    {hint}
                </div>
            )}
            {wrong && (
                <div className="dc-wrong" id={`${id}-wrong`}>
                    {wrong}
                </div>
            )}
        </div>
    );
}

export function Bar({ done, all, label }) {
    return (
        <div
            className="dc-bar"
            role="progressbar"
            aria-label={label}
            aria-valuemin={0}
            aria-valuemax={all}
            aria-valuenow={done}
        >
            <div style={{ width: `${all ? (100 * done) / all : 0}%` }} />
        </div>
    );
}

// Hands the person a file. Nothing of it goes over the network.
export function download(name, text) {
    const link = document.createElement('a');
    link.href = URL.createObjectURL(new Blob(['\uFEFF', text], { type: 'text/csv;charset=utf-8' }));
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}
