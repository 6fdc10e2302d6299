// Import CSV: a file or a pasted table, a preview of every row, then one row after another.
import React, { useRef, useState } from 'react';
import Button from '@splunk/react-ui/Button';
import Message from '@splunk/react-ui/Message';
import { addInput, editInput } from '../api.js';
import { decodeFile, writeCsv } from '../model/csv.mjs';
import { IMPORT_MOST, failedTable, planImport } from '../model/plan.mjs';
import { plural } from '../model/words.mjs';
import { Field, download } from './Bits.jsx';
import Dialog from './Dialog.jsx';
import RunView from './RunView.jsx';
import useRun from './useRun.js';

const SHAPES = { new: '✚ new', change: '▲ change', same: '○ same', wrong: '✖ wrong' };
const TONES = { new: 'well', change: 'watch', same: 'off', wrong: 'act' };
const TEMPLATE = 'name,tenant_id,client_id,client_secret,api,index\n';

function Changes({ row }) {
    if (row.kind === 'wrong') return <span className="dc-tone-act">{row.problem}</span>;
    if (row.kind === 'same') return <span className="dc-note">nothing changes</span>;
    return (
        <>
            {row.changes.map(({ name, old, now }) => (
                <div key={name}>
                    <b>{name}</b> {row.kind === 'change' && old ? `${old} → ` : ''}
                    {now}
                </div>
            ))}
        </>
    );
}

function Preview({ rows }) {
    const count = (kind) => rows.filter((row) => row.kind === kind).length;
    const shown = [...rows].sort((one, other) => (other.kind === 'wrong') - (one.kind === 'wrong')).slice(0, 500);
    return (
        <>
            <p data-test="counts">
                {Object.keys(SHAPES)
                    .map((kind) => `${count(kind)} ${kind}`)
                    .join(' · ')}
                . Nothing is changed yet. Splunk checks each row again when it is applied.
            </p>
            <div className="dc-scroll" tabIndex={0} role="region" aria-label="Preview">
                <table data-test="preview">
                    <thead>
                        <tr>
                            <th scope="col">Line</th>
                            <th scope="col">Customer</th>
                            <th scope="col">Row</th>
                            <th scope="col">What changes</th>
                        </tr>
                    </thead>
                    <tbody>
                        {shown.map((row) => (
                            <tr key={row.line} data-kind={row.kind}>
                                <td>{row.line}</td>
                                <td>{row.name}</td>
                                <td className={`dc-tone-${TONES[row.kind]}`} style={{ whiteSpace: 'nowrap' }}>
                                    {SHAPES[row.kind]}
                                </td>
                                <td>
                                    <Changes row={row} />
                                </td>
                            </tr>
                        ))}
                    </tbody>
                </table>
            </div>
            {rows.length > shown.length && (
                <p className="dc-note">
                    The first {shown.length} of {rows.length} rows are shown, wrong ones first.
                </p>
            )}
        </>
    );
}

export default function ImportDialog({ tables, inputs, close, saved }) {
    const { params } = tables;
    const [plan, setPlan] = useState(null);
    const paste = useRef(null);
    const file = useRef(null);
    const [problem, setProblem] = useState('');
    const runner = useRun((row) =>
        row.kind === 'new' ? addInput(row.name, row.values) : editInput(row.input, row.values),
    );
    const { stage } = runner.run;
    const todo = plan ? plan.filter((row) => row.kind === 'new' || row.kind === 'change') : [];

    const take = (text) => {
        const found = planImport(text, params, inputs);
        setProblem(found.problem || (found.rows.length ? '' : 'the table has no rows below its header'));
        if (!found.problem && found.rows.length) setPlan(found.rows);
    };
    const read = async () => {
        const chosen = file.current.files[0];
        try {
            take(chosen ? decodeFile(new Uint8Array(await chosen.arrayBuffer())) : paste.current.value);
        } catch (failure) {
            setProblem(failure.message);
        }
        file.current && (file.current.value = '');
    };
    const failedRows = () => runner.run.done.filter((one) => one.error).map(({ item, error }) => ({ ...item, error }));
    const end = () => {
        if (stage !== 'idle') saved(null);
        close();
    };
    const footer = (request) => (
        <>
            {stage === 'idle' && <Button label="Cancel" onClick={request} />}
            {!plan && <Button appearance="primary" label="Preview" onClick={read} data-test="preview-button" />}
            {plan && stage === 'idle' && <Button label="Another file" onClick={() => setPlan(null)} />}
            {plan && stage === 'idle' && (
                <Button
                    appearance="primary"
                    label={`Apply ${todo.length}`}
                    disabled={!todo.length}
                    onClick={() => runner.start(todo)}
                    data-test="apply"
                />
            )}
            {stage === 'running' && <Button label="Stop" onClick={runner.stop} data-test="stop" />}
            {['ended', 'stopped', 'paused'].includes(stage) && failedRows().length > 0 && (
                <Button
                    label="Failed rows as CSV"
                    onClick={() => download('failed-rows.csv', writeCsv(failedTable(failedRows(), params)))}
                    data-test="failed-csv"
                />
            )}
            {['ended', 'stopped', 'paused'].includes(stage) && (
                <Button appearance="primary" label="Done" onClick={request} data-test="done" />
            )}
        </>
    );
    return (
        <Dialog
            title="Import CSV"
            width={860}
            dirty={Boolean(plan) && stage === 'idle'}
            busy={stage === 'running'}
            close={end}
            footer={footer}
            test="import-dialog"
        >
            {problem && !plan && (
                <div role="alert" data-test="problem">
                    <Message type="error">{problem}</Message>
                </div>
            )}
            {!plan && (
                <>
                    <p>
                        The first line names the columns, as for <code>bin/defender_alerts import</code>: name,
                        tenant_id, client_id and any other parameter. An empty field leaves a value as it is; a customer
                        that is not in the table stays.{' '}
                        <button
                            type="button"
                            className="dc-plain"
                            style={{ textDecoration: 'underline' }}
                            onClick={() => download('customers.csv', TEMPLATE)}
                        >
                            Get an empty table
                        </button>
                    </p>
                    <Field
                        id="csv-file"
                        label="File"
                        hint="From Excel: CSV UTF-8. Commas, semicolons or tabs separate the columns."
                    >
                        <input ref={file} type="file" accept=".csv,.txt,.tsv,text/csv" data-test="file" />
                    </Field>
                    <Field id="csv-text" label="Or paste the table here">
                        <textarea
                            ref={paste}
                            className="dc-box"
                            spellCheck="false"
                            autoComplete="off"
                            data-test="paste"
                        />
                    </Field>
                </>
            )}
            {plan && stage === 'idle' && (
                <>
                    {todo.length > IMPORT_MOST && (
                        <Message type="info">
                            Each row restarts the program, so {plural(todo.length, 'row')} take a while, and this page
                            has to stay open. <code>bin/defender_alerts import</code> on the forwarder does the same
                            without a browser.
                        </Message>
                    )}
                    <Preview rows={plan} />
                </>
            )}
            {stage !== 'idle' && <RunView runner={runner} label="Import" />}
        </Dialog>
    );
}
