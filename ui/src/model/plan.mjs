// What an imported table would do, row by row, and what the page exports. By the rules of `bin/defender_alerts import`:
// an empty field leaves a value as it is, a row that is missing removes nothing.
import { MASK, checkName, checkValue, maskProxy, sameValue } from './check.mjs';
import { parseCsv, unguarded } from './csv.mjs';
import { appsOf } from './rows.mjs';
import { isTrue, isTruth } from './words.mjs';

const OWN = ['index', 'sourcetype', 'source', 'host', 'disabled'];
const NEEDED = ['name', 'tenant_id', 'client_id'];
const STAND_INS = { index: 'default', host: '$decideOnStartup', sourcetype: 'defender_alerts' };
const REASON = 'error'; // a column of failedTable(), which an import passes over
export const IMPORT_MOST = 50; // above it, a shell is the better place

export function columnNames(params) {
    return ['name', ...params.filter((one) => one.name !== 'authorization_code').map((one) => one.name), ...OWN];
}

// Returns what is wrong with the header, or ''.
function headerProblem(header, params) {
    const known = columnNames(params);
    if (!header)
        return 'the file is empty; its first line should name the columns: name, tenant_id, client_id and others';
    const { cells, line } = header;
    if (cells.length === 1 && !known.includes(cells[0]))
        return `line ${line}: '${cells[0].slice(0, 80)}' is one column; commas, semicolons or tabs separate columns`;
    for (const [at, name] of cells.entries()) {
        if (!name) continue;
        if (name === 'authorization_code')
            return (
                `line ${line}: the column authorization_code cannot be imported, since a code is used up at once; ` +
                'use "Sign in…" of the customer'
            );
        if (!known.includes(name) && name !== REASON)
            return (
                `line ${line}: the column '${name.slice(0, 80)}' is not a parameter of an input; ` +
                `known are ${known.join(', ')}`
            );
        if (cells.indexOf(name) < at) return `line ${line}: the column ${name} occurs twice`;
    }
    const missing = NEEDED.find((name) => !cells.includes(name));
    return missing ? `line ${line}: there is no column ${missing}; the first line should name the columns` : '';
}

// Returns { problem } for a table that is unusable as a whole, or { rows }: each { line, name, kind, changes, problem,
// values }. kind: new, change, same, wrong. changes: [{ name, old, now }], secrets as dots. values: what would be sent.
export function planImport(text, params, existing) {
    let rows;
    try {
        rows = parseCsv(text);
    } catch (error) {
        return { problem: error.message };
    }
    const header = rows[0] && { line: rows[0].line, cells: rows[0].cells.map((cell) => cell.trim().toLowerCase()) };
    while (header && header.cells.length && !header.cells[header.cells.length - 1]) header.cells.pop();
    const problem = headerProblem(header, params);
    if (problem) return { problem };
    const inputs = new Map(existing.map((input) => [input.name, input]));
    const apps = appsOf(existing);
    const seen = new Map();
    const byName = new Map(params.map((one) => [one.name, one]));
    return {
        rows: rows
            .slice(1)
            .filter((row) => row.cells.some((cell) => cell.trim()))
            .map((row) => planRow(row, header.cells, { inputs, apps, seen, byName })),
    };
}

function shapeProblem({ cells }, columns) {
    const counts = `the row has ${cells.length} fields, but the header names ${columns.length} columns; `;
    if (cells.length < columns.length) return `${counts}${columns[cells.length]} is missing`;
    for (const [at, cell] of cells.entries()) {
        if (!cell.trim() || columns[at]) continue;
        return at >= columns.length
            ? `${counts}a field that contains the separator should be quoted`
            : `field ${at + 1} has a value, but the header has no name for its column`;
    }
    return '';
}

function valuesOf(row, columns, byName) {
    const values = {};
    for (const [at, column] of columns.entries()) {
        if (!column || column === REASON) continue;
        const cell = (row.cells[at] ?? '').trim();
        const param = byName.get(column);
        values[column] = param && param.type === 'secret' ? cell : unguarded(cell);
    }
    return values;
}

function planRow(row, columns, { inputs, apps, seen, byName }) {
    const { name, ...values } = valuesOf(row, columns, byName);
    const made = { line: row.line, name: name || '', changes: [], values: {}, problem: '', app: '' };
    const wrong = (problem) => ({ ...made, kind: 'wrong', problem });
    const shape = shapeProblem(row, columns);
    if (shape) return wrong(shape);
    if (checkName(name)) return wrong(`name ${checkName(name)}`);
    if (seen.has(name)) return wrong(`name: another row has this name, in line ${seen.get(name)}`);
    seen.set(name, row.line);
    if (apps.get(name)?.length > 1)
        return wrong(`name: the apps ${apps.get(name).join(' and ')} both have this input; remove one of them first`);
    for (const column of columns) {
        const param = byName.get(column);
        const problem = param && values[column] !== MASK && checkValue(param, values[column]);
        if (problem) return wrong(`${column} ${problem}`);
    }
    if (values.disabled && !isTruth(values.disabled)) return wrong('disabled should be 0 or 1');
    const input = inputs.get(name);
    if (!input && (values.proxy || '').includes(MASK))
        return wrong('proxy has asterisks in the place of its password: enter the password');
    const old = input ? input.content : {};
    for (const [key, value] of Object.entries(values)) {
        const param = byName.get(key);
        if (!value || value === MASK || !differs(key, param, value, old[key])) continue;
        made.values[key] = value;
        made.changes.push({ name: key, ...shownChange(param, input && old[key], value) });
    }
    const other = ['client_certificate', 'client_assertion'].find((key) => made.values[key] || old[key]);
    if (made.values.client_secret && other)
        return wrong(`client_secret and ${other} are both given, but an app signs in with one of them`);
    made.kind = !input ? 'new' : made.changes.length ? 'change' : 'same';
    return { ...made, input };
}

// A secret that is given always counts: what is stored cannot be read, and shall not be.
function differs(key, param, value, old) {
    if (param && param.type === 'secret') return true;
    if (key === 'disabled') return isTrue(value) !== isTrue(old);
    if (param && param.type === 'proxy' && value.includes(MASK)) return false;
    if (!old && param && param.default && sameValue(param, value, param.default)) return false;
    return !sameValue(param, value, old);
}

const DOTS = '••••••••';

function shownChange(param, old, value) {
    if (param && param.type === 'secret') return { old: '', now: DOTS };
    if (param && param.type === 'proxy') return { old: maskProxy(old), now: maskProxy(value).replace(MASK, DOTS) };
    return { old: old ?? '', now: value };
}

// Export, and rows that failed.

// Returns a table of inputs without secrets: columns in which all have the default are left out.
export function exportTable(inputs, params) {
    const byName = new Map(params.map((one) => [one.name, one]));
    const columns = columnNames(params).filter((name) => byName.get(name)?.type !== 'secret');
    const cellOf = (input, column) => {
        if (column === 'name') return input.name;
        const text = String(input.content[column] ?? '');
        if (column === 'disabled') return isTrue(text) ? '1' : '0';
        if (byName.get(column)?.type === 'proxy') return maskProxy(text);
        return text === STAND_INS[column] ? '' : text;
    };
    const always = ['name', 'tenant_id', 'client_id', 'api', 'index'];
    const standard = (column) => (column === 'disabled' ? '0' : (byName.get(column)?.default ?? ''));
    const needed = columns.filter(
        (column) =>
            always.includes(column) || inputs.some((input) => ![standard(column), ''].includes(cellOf(input, column))),
    );
    return [needed, ...inputs.map((input) => needed.map((column) => cellOf(input, column)))];
}

// Returns the rows that failed as a table to correct and import again: without secrets, with the reason in a column of
// its own at the end.
export function failedTable(failed, params) {
    const secret = new Set(params.filter((one) => one.type === 'secret').map((one) => one.name));
    const columns = columnNames(params).filter(
        (name) => name !== 'name' && !secret.has(name) && failed.some((row) => row.values[name]),
    );
    for (const name of ['client_id', 'tenant_id']) if (!columns.includes(name)) columns.unshift(name);
    const proxy = (name, text) => (name === 'proxy' ? maskProxy(text) : text);
    return [
        ['name', ...columns, REASON],
        ...failed.map((row) => [
            row.name,
            ...columns.map((name) => proxy(name, row.values[name] || row.input?.content[name] || '')),
            row.error,
        ]),
    ];
}
