// What the page knows of splunkd: the inputs, their state and who is looking. Read again every 30 s while visible.
import { useCallback, useEffect, useRef, useState } from 'react';
import { listInputs, listRecords, search, serverNames, whoAmI } from '../api.js';
import { joinRows, rowsOfRecords } from '../model/rows.mjs';

const EVERY_MS = 30000;
const STATE_SEARCH = 'search `defender_mssp_status` | `defender_mssp_health`';

const START = {
    phase: 'loading',
    rows: [],
    inputs: [],
    mode: 'inputs',
    me: null,
    error: null,
    recordsWhy: '',
    state_s: 0,
    host: '',
    now_s: 0,
};

function whyNoState(error) {
    if (error.kind === 'busy') return 'no state: the KV store is off or starting on this instance';
    if (error.kind === 'missing')
        return 'no state: Splunk was not restarted after the installation, or the program has not run yet';
    return `no state: ${error.message}`;
}

async function readRecords(signal) {
    try {
        return { records: await listRecords(signal), why: '' };
    } catch (error) {
        if (['session', 'stopped', 'network'].includes(error.kind)) throw error;
        return { records: null, why: whyNoState(error) };
    }
}

// The state as a search head has it: the status lines in _internal.
async function searchedRecords(signal) {
    const rows = await search(STATE_SEARCH, { signal }).catch(() => []);
    const now = Date.now() / 1000;
    return new Map(
        rows
            .filter((row) => row.input)
            .map((row) => [
                row.input,
                {
                    input: row.input,
                    forwarder: row.host,
                    updated: now,
                    condition: row.condition,
                    rank: Number(row.rank),
                    todo: row.todo,
                    why: row.why,
                    tenant: row.tenant,
                    client: row.client,
                    api: row.api,
                    last_poll: row.silent_s === undefined ? undefined : now - Number(row.silent_s),
                    newest_alert: Number(row.lag_s) >= 0 ? now - Number(row.lag_s) : undefined,
                },
            ]),
    );
}

// The state of customers whose inputs are on other instances. What this one itself has reported is the past: its
// inputs were removed.
async function recordsFromElsewhere(signal) {
    const found = await searchedRecords(signal);
    const own = found.size ? await serverNames(signal) : [];
    return new Map([...found].filter(([, record]) => !own.includes(String(record.forwarder).toLowerCase())));
}

// known: this instance has the kind of input, too.
function onSearchHead(records, known) {
    const now_s = Date.now() / 1000;
    return {
        mode: 'searchhead',
        known,
        inputs: [],
        records,
        recordsWhy: '',
        now_s,
        rows: rowsOfRecords(records, now_s),
    };
}

async function readAll(tables, signal) {
    const listed = listInputs(tables.params, tables.own, signal).catch((error) => {
        if (error.kind !== 'missing') throw error;
        return { inputs: null, missing: error, now_s: Date.now() / 1000 };
    });
    const [{ inputs, missing, now_s }, { records, why }] = await Promise.all([listed, readRecords(signal)]);
    if (!inputs || !inputs.length) {
        const found = await recordsFromElsewhere(signal);
        if (found.size) return onSearchHead(found, Boolean(inputs));
        if (missing) throw missing;
    }
    return { mode: 'inputs', inputs, records, recordsWhy: why, now_s, rows: joinRows(inputs, records, now_s) };
}

function newest(records) {
    let found = null;
    for (const record of records ? records.values() : []) if (record.updated > (found?.updated ?? 0)) found = record;
    return { state_s: found ? found.updated : 0, host: found ? found.forwarder || '' : '' };
}

export default function useData(tables) {
    const [data, setData] = useState(START);
    const running = useRef(null);
    const me = useRef(null);

    const load = useCallback(async () => {
        running.current?.abort();
        const stop = (running.current = new AbortController());
        try {
            const who = me.current || whoAmI(stop.signal);
            const [found, known] = await Promise.all([readAll(tables, stop.signal), who]);
            if (stop.signal.aborted) return;
            me.current = known;
            const { records, ...rest } = found;
            setData({ ...START, ...rest, ...newest(records), phase: 'ready', me: known });
        } catch (error) {
            if (error.kind === 'stopped' || stop.signal.aborted) return;
            setData((old) => ({ ...old, phase: old.phase === 'loading' ? 'failed' : old.phase, error }));
        }
    }, []);
    useEffect(() => {
        load();
        const again = () => document.visibilityState === 'visible' && load();
        const timer = setInterval(again, EVERY_MS);
        document.addEventListener('visibilitychange', again);
        return () => {
            clearInterval(timer);
            document.removeEventListener('visibilitychange', again);
            running.current?.abort();
        };
    }, []);
    return { data, load };
}
