// The page: data, view, and at most one dialog.
import React, { useCallback, useEffect, useRef, useState } from 'react';
import Button from '@splunk/react-ui/Button';
import Message from '@splunk/react-ui/Message';
import { createURL } from '@splunk/splunk-utils/url';
import tables from '../../params.json';
import { APP, switchInput } from '../api.js';
import { writeCsv } from '../model/csv.mjs';
import { exportTable } from '../model/plan.mjs';
import { idOf, usualClient } from '../model/rows.mjs';
import { logSearch } from '../model/words.mjs';
import { Frame } from '../styles.jsx';
import { download } from './Bits.jsx';
import Dialogs from './Dialogs.jsx';
import Empty from './Empty.jsx';
import Failure, { failureText } from './Failure.jsx';
import Head from './Head.jsx';
import Pages from './Pages.jsx';
import Picked from './Picked.jsx';
import RowMenu from './RowMenu.jsx';
import Table from './Table.jsx';
import useData from './useData.js';
import useView from './useView.js';

function typing(target) {
    return /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName) || target.isContentEditable;
}

export default function App() {
    const { data, load } = useData(tables);
    const { view, ordered, paged, acts } = useView(data.rows);
    const [dialog, setDialog] = useState(null);
    const [menu, setMenu] = useState(null);
    const [told, setTold] = useState('');
    const [failures, setFailures] = useState([]); // of switches: { row, error }
    const [busy, setBusy] = useState(new Set());
    const opener = useRef(null);
    const searchBox = useRef(null);
    const frame = useRef(null);
    const may_edit = Boolean(data.me?.may_edit) && data.mode === 'inputs';

    const open = (next) => {
        opener.current = opener.current || document.activeElement;
        setDialog(next);
    };
    const close = () => setDialog(null);
    // Focus goes back to where the dialog was opened from; if that is gone, to the search box.
    useEffect(() => {
        if (dialog || !opener.current || menu) return;
        const target = opener.current;
        opener.current = null;
        (target.isConnected && target !== document.body ? target : searchBox.current || frame.current)?.focus();
    }, [dialog]);
    const saved = async (name, isNew) => {
        setTold(name ? `${name} is saved` : '');
        await load();
        if (isNew) acts.seek(idOf(name, APP));
        else if (!name) acts.again();
    };
    const forget = ({ id }) => setFailures((old) => old.filter((one) => one.row.id !== id));
    const turnOn = async (row) => {
        setBusy((old) => new Set(old).add(row.id));
        forget(row);
        try {
            await switchInput(row, true);
            setTold(`${row.name} is on`);
        } catch (error) {
            setFailures((old) => [...old, { row, error }]);
            setTold(`${row.name}: ${failureText(error)}`);
        }
        await load();
        setBusy((old) => {
            const left = new Set(old);
            left.delete(row.id);
            return left;
        });
    };
    const showInSearch = (row) =>
        window.open(createURL(`app/${APP}/search`, { q: logSearch(row.name) }), '_blank', 'noopener');
    const itemsOf = (row) => [
        ...(may_edit
            ? [
                  { label: 'Edit', act: () => open({ kind: 'form', row }) },
                  { label: 'Clone', act: () => open({ kind: 'form', row, clone: true }) },
              ]
            : []),
        { label: 'Copy consent link', act: () => open({ kind: 'consent', row }) },
        ...(may_edit ? [{ label: 'Sign in…', act: () => open({ kind: 'signin', row }) }] : []),
        { label: 'Show in Search', act: () => showInSearch(row) },
        ...(may_edit ? [{ label: 'Remove', act: () => open({ kind: 'remove', row }) }] : []),
    ];

    // One function that never changes, so that rows are drawn again only if they changed.
    const latest = useRef(null);
    latest.current = {
        ...acts,
        add: () => open({ kind: 'form', client_id: usualClient(data.rows) }),
        import: () => open({ kind: 'import' }),
        bulk: (what) =>
            open(
                what.kind === 'set'
                    ? { ...what, kind: 'bulk', bulk: 'set' }
                    : { ...what, kind: 'bulk', bulk: what.kind },
            ),
        export: (rows) => download('customers.csv', writeCsv(exportTable(rows, tables.params))),
        refresh: async () => {
            await load();
            acts.again();
            setTold('Refreshed');
        },
        switch: (row) => (row.disabled ? turnOn(row) : open({ kind: 'off', row })),
        menu: (row, anchor) => {
            opener.current = anchor;
            setMenu({ row, anchor });
        },
    };
    const act = useCallback((what, ...rest) => latest.current[what](...rest), []);

    useEffect(() => {
        const keys = (event) => {
            if (dialog || menu || event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
            if (event.key === '/') searchBox.current?.focus();
            else if (event.key === 'n' && may_edit) act('add');
            else return;
            event.preventDefault();
        };
        document.addEventListener('keydown', keys);
        return () => document.removeEventListener('keydown', keys);
    }, [dialog, menu, may_edit]);

    const picked = data.rows.filter((row) => view.picked.has(row.id));
    const ready = data.phase === 'ready';
    const empty = ready && !data.rows.length;
    return (
        <Frame ref={frame} tabIndex={-1} data-test="page">
            <div className="dc-sr" aria-live="polite" data-test="told">
                {told}
            </div>
            {ready && !empty ? (
                <Head data={data} rows={data.rows} view={view} may_edit={may_edit} searchBox={searchBox} act={act} />
            ) : (
                <h1>Customers</h1>
            )}
            {data.phase === 'loading' && <p aria-live="polite">Loading…</p>}
            <Failure error={data.error} retry={load} />
            {failures.map(({ row, error }) => (
                <div key={row.id} role="alert" data-test="switch-failed">
                    <Message type="error" onRequestRemove={() => forget(row)}>
                        {row.name} was not switched on: {failureText(error)}
                    </Message>
                </div>
            ))}
            {ready && data.mode === 'searchhead' && (
                <Message type="info">
                    Inputs are on the forwarder, where customers are added and changed. This is their state as the
                    search head knows it.{' '}
                    {data.known && data.me.may_edit && (
                        <Button label="Add a customer here all the same" onClick={() => act('add')} />
                    )}
                </Message>
            )}
            {ready && data.mode === 'inputs' && !may_edit && (
                <Message type="info">
                    You can look but not change: your role lacks the capability {data.me.capability}.
                </Message>
            )}
            {empty && !data.error && <Empty may_edit={may_edit} act={act} />}
            {ready && !empty && (
                <>
                    <Picked rows={picked} all={ordered.length} act={act} />
                    <Table rows={paged} view={view} now_s={data.now_s} may_edit={may_edit} busy={busy} act={act} />
                    <Pages all={ordered.length} view={view} act={act} />
                </>
            )}
            {menu && (
                <RowMenu
                    anchor={menu.anchor}
                    items={itemsOf(menu.row)}
                    close={(back) => {
                        setMenu(null);
                        if (back) menu.anchor.focus();
                    }}
                />
            )}
            {dialog && <Dialogs dialog={dialog} tables={tables} data={data} close={close} saved={saved} />}
        </Frame>
    );
}
