// The rows of the table: inputs and what is known of them, filtered, sorted and cut into pages. Pure functions.
import { chipOf, conditionOf } from './conditions.mjs';
import { isTrue } from './words.mjs';

const TEXTS = [
    ...['input', 'forwarder', 'version', 'tenant', 'client', 'api', 'condition', 'todo', 'state', 'why'],
    ...['next', 'note', 'secret', 'history', 'reader'],
];

// Takes of a record what has the kind that it should have, whatever somebody wrote into the collection.
export function plainRecord(record) {
    const fits = ([key, value]) => (TEXTS.includes(key) ? typeof value === 'string' : Number.isFinite(value));
    return Object.fromEntries(Object.entries(record).filter(fits));
}

// Returns what tells a row from all others: an app may have an input of the same name as another app.
export function idOf(name, app) {
    return `${app}/${name}`;
}

// Returns a Map of name to the apps that have an input of that name.
export function appsOf(inputs) {
    const found = new Map();
    for (const { name, app } of inputs) found.set(name, [...(found.get(name) || []), app]);
    return found;
}

// Returns a row for each input. records: Map of input name to record; null if no state can be read.
export function joinRows(inputs, records, now_s) {
    const apps = appsOf(inputs);
    return inputs.map((input) => {
        const record = records ? records.get(input.name) : undefined;
        const content = input.content;
        const disabled = isTrue(content.disabled);
        const condition = conditionOf({ disabled }, record, records !== null, now_s);
        const last = record && record.last_poll;
        return {
            id: idOf(input.name, input.app),
            name: input.name,
            app: input.app,
            also: apps.get(input.name).filter((app) => app !== input.app),
            links: input.links,
            content,
            record,
            disabled,
            condition,
            last_poll: last,
            newest_alert: record && record.newest_alert,
            silent_s: last ? now_s - last : Infinity,
            sign_in: signInOf(content, record),
            history: (record && record.history) || '',
            text: [
                ...[input.name, content.tenant_id, content.index, condition.word],
                ...(record ? [record.why, record.reader] : []),
            ]
                .join('\n')
                .toLowerCase(),
        };
    });
}

// The rows of a search head, which has no inputs: from the records or the search's results alone.
export function rowsOfRecords(records, now_s) {
    const inputs = [...records.values()].map((record) => ({
        name: record.input,
        app: '',
        links: {},
        content: { tenant_id: record.tenant || '', client_id: record.client || '', api: record.api || '' },
    }));
    return joinRows(inputs, records, now_s);
}

// Returns how the customer signs in, for one column: { word, days }.
function signInOf(content, record) {
    if (content.client_certificate) return { word: 'certificate', days: record && record.certificate_days };
    if (content.client_assertion) return { word: 'federated' };
    const kind = record && record.secret;
    if (kind === 'delegated') return { word: 'user (delegated)' };
    if (kind === 'missing') return { word: 'missing' };
    if (kind === 'certificate') return { word: 'certificate', days: record.certificate_days };
    if (kind === 'stored') return { word: 'secret', days: record.secret_days };
    return { word: '–' };
}

export const COLUMNS = [
    { key: 'name', label: 'Customer', value: (row) => row.name.toLowerCase() },
    { key: 'condition', label: 'Condition', value: (row) => row.condition.rank },
    { key: 'todo', label: 'What to do', value: (row) => row.condition.todo.toLowerCase() },
    { key: 'last_poll', label: 'Last poll', value: (row) => -row.silent_s },
    { key: 'newest_alert', label: 'Newest alert', value: (row) => row.newest_alert || 0 },
    { key: 'history', label: '24 h', value: null },
    { key: 'api', label: 'Service', value: (row) => row.content.api || '' },
    { key: 'index', label: 'Index', value: (row) => (row.content.index || '').toLowerCase() },
    { key: 'sign_in', label: 'Sign-in', value: (row) => row.sign_in.word },
];

function compare(one, other) {
    if (one === other) return 0;
    if (typeof one === 'number') return one - other;
    return one < other ? -1 : 1;
}

// Sorts a copy. By condition, those that are silent for longer come first, then the names.
export function sortRows(rows, { key, descending }) {
    const column = COLUMNS.find((one) => one.key === key) || COLUMNS[1];
    const sign = descending ? -1 : 1;
    return rows
        .map((row) => [column.value(row), row])
        .sort(
            ([one, row], [other, next]) =>
                sign * compare(one, other) ||
                (key === 'condition' ? compare(next.silent_s, row.silent_s) : 0) ||
                compare(row.name, next.name),
        )
        .map(([, row]) => row);
}

// chip: the key of a filter chip, or ''. text: words that have to occur in name, tenant, index, why or condition.
export function filterRows(rows, chip, text) {
    const words = text.toLowerCase().split(/\s+/).filter(Boolean);
    if (!chip && !words.length) return rows;
    return rows.filter(
        (row) => (!chip || chipOf(row.condition) === chip) && words.every((word) => row.text.includes(word)),
    );
}

const isQuarter = (one) =>
    Array.isArray(one) && one.length >= 4 && one.every((count) => Number.isFinite(count) && count >= 0);

// [new, requests, throttled, failed] of 96 quarter hours, or null for one that is not known; null if there is none.
export function historyOf(text) {
    try {
        const found = JSON.parse(text);
        return Array.isArray(found) && found.length
            ? found.slice(-96).map((one) => (isQuarter(one) ? one : null))
            : null;
    } catch {
        return null;
    }
}

// Returns the client ID that most customers use, or ''.
export function usualClient(rows) {
    const counts = new Map();
    for (const { content } of rows)
        if (content.client_id) counts.set(content.client_id, (counts.get(content.client_id) || 0) + 1);
    return [...counts].sort((one, other) => other[1] - one[1])[0]?.[0] || '';
}

// The rows that are shown after a refresh: those that were shown stay in their places, whatever became of them; rows
// that are new and fit the filter come last. ids: what was shown; known: all IDs that were there before.
export function refreshedRows(rows, ids, known, fits) {
    const byId = new Map(rows.map((row) => [row.id, row]));
    return [
        ...ids.filter((id) => byId.has(id)).map((id) => byId.get(id)),
        ...rows.filter((row) => !known.has(row.id) && fits(row)),
    ];
}
