// splunkd through Splunk Web: the calls that the page makes. Changes go one after another, since each one makes splunkd
// end and start the program again. Nothing that is secret comes back: the list asks for named fields only.
import { getCSRFToken, username } from '@splunk/splunk-utils/config';
import { createRESTURL, createURL } from '@splunk/splunk-utils/url';
import { maskProxy } from './model/check.mjs';
import { plainRecord } from './model/rows.mjs';

export const APP = 'TA-defender-mssp';
const INPUTS = 'data/inputs/defender_alerts';
const CAPABILITY = 'edit_modinput_defender_alerts';

// kind: session (log in again), capability, missing (404), refused (400: the sentence is for a person), busy (503),
// network (no answer), stopped (by the person), other.
export class ApiError extends Error {
    constructor(kind, text, status = 0) {
        super(text);
        this.kind = kind;
        this.status = status;
    }
}

const KINDS = { 400: 'refused', 401: 'session', 403: 'capability', 404: 'missing', 409: 'refused', 503: 'busy' };

export function loginUrl() {
    return createURL('account/login', { return_to: window.location.pathname });
}

async function textOf(response) {
    try {
        const body = await response.json();
        return (body.messages || [])
            .map((one) => one.text)
            .filter(Boolean)
            .join(' ');
    } catch {
        return '';
    }
}

// what: who answers, for a person.
async function ask(method, url, { form, signal, what = 'Splunk' } = {}) {
    let response;
    try {
        response = await fetch(url, {
            method,
            signal,
            credentials: 'include',
            cache: 'no-store',
            body: form && new URLSearchParams({ ...form, output_mode: 'json' }).toString(),
            headers: {
                'X-Requested-With': 'XMLHttpRequest',
                'X-Splunk-Form-Key': getCSRFToken(),
                ...(form ? { 'Content-Type': 'application/x-www-form-urlencoded' } : {}),
            },
        });
    } catch (error) {
        if (error.name === 'AbortError') throw new ApiError('stopped', 'Stopped.');
        throw new ApiError('network', 'Splunk Web does not answer.');
    }
    if (response.redirected && /\/account\/(log|sign)in/.test(response.url)) throw new ApiError('session', '', 401);
    if (!response.ok) {
        const text = await textOf(response);
        throw new ApiError(
            KINDS[response.status] || 'other',
            text || `HTTP status ${response.status}`,
            response.status,
        );
    }
    try {
        return {
            body: response.status === 204 ? null : await response.json(),
            date: Date.parse(response.headers.get('Date')),
        };
    } catch (error) {
        if (error.name === 'AbortError') throw new ApiError('stopped', 'Stopped.');
        // A page in place of JSON is one to log in: of Splunk Web, or of a proxy that signs people in.
        if (/^text\/html/i.test(response.headers.get('Content-Type') || ''))
            throw new ApiError('session', '', response.status);
        throw new ApiError('other', `The answer of ${what} cannot be read: it is no JSON.`, response.status);
    }
}

// Parts of a path are encoded here, so that a name may hold any character.
function restUrl(path, app, query = {}) {
    // app '': of the whole instance
    const url = createRESTURL(path, app ? { app, owner: 'nobody' } : {});
    const found = new URLSearchParams();
    for (const [key, value] of Object.entries({ output_mode: 'json', ...query }))
        for (const one of [].concat(value)) found.append(key, one);
    return `${url}?${found}`;
}

// splunkd's own link to an entry, as it comes: with a slash of the name encoded twice. A browser takes the names . and
// .. out of an address, so the request would go to another one.
function linkUrl(link) {
    if (/\/(\.|%2e){1,2}(\/|$)/i.test(link))
        throw new ApiError('refused', 'A browser cannot send this name: rename the stanza in inputs.conf.');
    return createRESTURL(link);
}

// Reading.

// Returns { inputs, now_s }: each input { name, app, links, content }. params: of params.json. Secrets are not asked
// for, and would be dropped.
export async function listInputs(params, own, signal) {
    const fields = [
        ...params.filter((one) => !one.secret).map((one) => one.name),
        ...own.map((one) => one.name),
        'source',
        'disabled',
    ];
    const { body, date } = await ask('GET', restUrl(INPUTS, '-', { count: 0, f: fields }), { signal });
    if (!Array.isArray(body?.entry) || !body.entry.every((entry) => entry?.content && entry.acl))
        throw new ApiError('other', 'The answer of Splunk is not the list of inputs that was asked for.');
    const inputs = body.entry.map((entry) => {
        const content = Object.fromEntries(fields.map((name) => [name, entry.content[name] ?? '']));
        content.proxy = maskProxy(String(content.proxy));
        return { name: entry.name, app: entry.acl.app, links: entry.links, content };
    });
    return { inputs, now_s: (Number.isFinite(date) ? date : Date.now()) / 1000 };
}

// Returns a Map of input name to record.
export async function listRecords(signal) {
    const { body } = await ask('GET', restUrl('storage/collections/data/defender_state', APP, {}), {
        signal,
        what: 'the KV store',
    });
    if (!Array.isArray(body)) throw new ApiError('other', 'the answer of the KV store is no list of records');
    return new Map(
        body
            .filter((record) => record && typeof record.input === 'string')
            .map((record) => [record.input, plainRecord(record)]),
    );
}

// Returns { name, capabilities, may_edit }.
export async function whoAmI(signal) {
    const { body } = await ask('GET', restUrl('authentication/current-context', ''), { signal });
    const content = body?.entry?.[0]?.content;
    if (!content) throw new ApiError('other', 'The answer of Splunk does not say who you are.');
    const { capabilities = [], username = '' } = content;
    return { name: username, may_edit: capabilities.includes(CAPABILITY), capability: CAPABILITY };
}

// The names by which events and records call this instance, in lower case; none if Splunk Web does not tell.
export async function serverNames(signal) {
    try {
        const { body } = await ask('GET', restUrl('server/info', ''), { signal });
        const { serverName, host } = body.entry[0].content;
        return [serverName, host].filter(Boolean).map((one) => String(one).toLowerCase());
    } catch {
        return [];
    }
}

// Runs a search to its end and returns its rows.
export async function search(text, { earliest = '-24h', count = 0, signal } = {}) {
    const form = { search: text, exec_mode: 'oneshot', earliest_time: earliest, latest_time: 'now', count };
    const { body } = await ask('POST', createRESTURL('search/v2/jobs', { app: APP, owner: username || 'nobody' }), {
        form,
        signal,
    });
    return (body && body.results) || [];
}

// Changing: one at a time.

let last = Promise.resolve();

function inTurn(work) {
    const mine = last.then(work, work);
    last = mine.catch(() => {});
    return mine;
}

export function addInput(name, values, signal) {
    return inTurn(() =>
        ask('POST', createRESTURL(INPUTS, { app: APP, owner: 'nobody' }), { form: { name, ...values }, signal }),
    );
}

// A change of a customer that somebody removed meanwhile.
function gone(error) {
    if (error.kind === 'missing')
        throw new ApiError('refused', 'This customer is not there any more: it was removed meanwhile.', 404);
    throw error;
}

export function editInput(row, values, signal) {
    return inTurn(() =>
        ask('POST', linkUrl(row.links.edit || row.links.alternate), { form: values, signal }).catch(gone),
    );
}

export function removeInput(row) {
    return inTurn(() =>
        ask('DELETE', `${linkUrl(row.links.remove || row.links.edit || row.links.alternate)}?output_mode=json`),
    );
}

export function switchInput(row, on) {
    const link =
        row.links[on ? 'enable' : 'disable'] || `${row.links.edit || row.links.alternate}/${on ? 'enable' : 'disable'}`;
    return inTurn(() => ask('POST', linkUrl(link), { form: {} }).catch(gone));
}
