// The same change for many customers: on, off, or one parameter.
import React, { useState } from 'react';
import Button from '@splunk/react-ui/Button';
import { editInput, switchInput } from '../api.js';
import { checkValue } from '../model/check.mjs';
import { sentValue } from '../model/form.mjs';
import { plural } from '../model/words.mjs';
import { Field } from './Bits.jsx';
import Dialog from './Dialog.jsx';
import RunView from './RunView.jsx';
import useRun from './useRun.js';

const TITLES = { enable: 'Enable', disable: 'Disable', set: 'Set a parameter of' };

// Secrets, and what is different for each customer, are no business of this dialog.
const settable = ({ params, own }) => [...own, ...params.filter((one) => !one.secret && one.name !== 'tenant_id')];

export default function BulkDialog({ tables, kind, rows, close, saved }) {
    const [name, setName] = useState('index');
    const [value, setValue] = useState('');
    const [wrong, setWrong] = useState('');
    const list = settable(tables);
    const param = list.find((one) => one.name === name);
    const runner = useRun((row) =>
        kind === 'set' ? editInput(row, { [name]: sentValue(name, value) }) : switchInput(row, kind === 'enable'),
    );
    const { stage } = runner.run;
    const todo = kind === 'set' ? rows : rows.filter((row) => row.disabled === (kind === 'enable'));
    const end = () => {
        if (stage !== 'idle') saved(null);
        close();
    };
    const start = () => {
        const problem = kind === 'set' ? checkValue(param, value) : '';
        setWrong(problem);
        if (!problem) runner.start(todo);
    };
    const choose = (next) => {
        setName(next);
        const chosen = list.find((one) => one.name === next);
        setValue(chosen.default || '');
        setWrong('');
    };
    const footer = (request) => (
        <>
            {stage === 'idle' && <Button label="Cancel" onClick={request} />}
            {stage === 'idle' && (
                <Button
                    appearance="primary"
                    label={`Apply to ${todo.length}`}
                    disabled={!todo.length}
                    onClick={start}
                    data-test="apply"
                />
            )}
            {stage === 'running' && <Button label="Stop" onClick={runner.stop} data-test="stop" />}
            {['ended', 'stopped', 'paused'].includes(stage) && (
                <Button appearance="primary" label="Done" onClick={request} data-test="done" />
            )}
        </>
    );
    return (
        <Dialog
            title={`${TITLES[kind]} ${plural(rows.length, 'customer')}`}
            busy={stage === 'running'}
            close={end}
            footer={footer}
            test="bulk-dialog"
        >
            {stage === 'idle' && (
                <>
                    {todo.length < rows.length && (
                        <p>
                            {plural(rows.length - todo.length, 'customer')} of them{' '}
                            {rows.length - todo.length === 1 ? 'is' : 'are'} like that already.
                        </p>
                    )}
                    <div
                        className="dc-scroll"
                        tabIndex={0}
                        role="region"
                        aria-label="Customers to change"
                        style={{ maxHeight: 160, padding: 8 }}
                    >
                        {todo.map((row) => row.name).join(', ') || 'Nothing is left to do.'}
                    </div>
                    {kind === 'set' && (
                        <div style={{ marginTop: 12 }}>
                            <Field id="bulk-name" label="Parameter" hint={param.help}>
                                <select
                                    className="dc-box"
                                    value={name}
                                    onChange={(event) => choose(event.target.value)}
                                    data-test="bulk-name"
                                >
                                    {list.map((one) => (
                                        <option key={one.name} value={one.name}>
                                            {one.title}
                                        </option>
                                    ))}
                                </select>
                            </Field>
                            <Field id="bulk-value" label="New value" hint={param.hint} wrong={wrong}>
                                {param.choices ? (
                                    <select
                                        className="dc-box"
                                        value={value}
                                        onChange={(event) => setValue(event.target.value)}
                                        data-test="bulk-value"
                                    >
                                        {param.choices.map((one) => (
                                            <option key={one.value} value={one.value}>
                                                {one.label}
                                            </option>
                                        ))}
                                    </select>
                                ) : (
                                    <input
                                        className="dc-box"
                                        autoComplete="off"
                                        value={value}
                                        onChange={(event) => setValue(event.target.value)}
                                        data-test="bulk-value"
                                    />
                                )}
                            </Field>
                        </div>
                    )}
                </>
            )}
            {stage !== 'idle' && <RunView runner={runner} label={TITLES[kind]} />}
        </Dialog>
    );
}
