// The values of a form: what it starts with, and what of them is sent.
import { MASK, checkName, checkValue, sameValue } from './check.mjs';

export const WAYS = {
    secret: 'Client secret',
    certificate: 'Certificate',
    assertion: 'Federated credential',
    user: 'A user (delegated)',
};

// The parameters that take the place of the client secret, by the way to sign in.
export const INSTEAD = { certificate: 'client_certificate', assertion: 'client_assertion' };
const INSTEAD_NAMES = Object.values(INSTEAD);

// The boxes of the first part of the form, in this order; all others are below "More settings".
export const FIRST = ['tenant_id', 'client_id', 'api', 'cloud', 'index', 'start_time'];

// What splunkd shows for a key of its own that is not set, and takes to unset it.
const STAND_INS = { index: 'default', host: '$decideOnStartup', sourcetype: 'defender_alerts' };

// Returns what is sent for a value that may be empty.
export const sentValue = (name, value) => value.trim() || STAND_INS[name] || '';

export const isSecret = (param) => param.type === 'secret';

// Returns the fields below "More settings": those that are neither first, nor a way to sign in.
export function rareParams(params) {
    return params.filter(
        (one) =>
            !FIRST.includes(one.name) &&
            !isSecret(one) &&
            !INSTEAD_NAMES.includes(one.name) &&
            one.name !== 'redirect_uri',
    );
}

// row: of the table, or null for a new customer. clone: take its values, but no name and no tenant.
export function startValues(params, own, row, { clone = false, client_id = '' } = {}) {
    const values = {};
    for (const param of [...params, ...own]) {
        if (isSecret(param)) continue;
        const found = row ? String(row.content[param.name] ?? '') : '';
        const choice = param.choices?.find(({ value }) => sameValue(param, value, found));
        values[param.name] = STAND_INS[param.name] === found ? '' : choice?.value || found || param.default || '';
    }
    if (clone) values.tenant_id = '';
    if (!row && client_id) values.client_id = client_id;
    return values;
}

export function wayOf(row) {
    if (!row) return 'secret';
    const other = Object.keys(INSTEAD).find((way) => row.content[INSTEAD[way]]);
    if (other) return other;
    return row.record && row.record.secret === 'delegated' ? 'user' : 'secret';
}

// Returns the problems by field, as they can be told without asking anybody.
export function problemsOf(params, { name, values, secrets, way, isNew, taken }) {
    const found = {};
    const note = (field, text) => text && (found[field] = text);
    if (isNew) note('name', checkName(name, taken));
    const masked = isNew && (values.proxy || '').includes(MASK);
    for (const param of params) {
        if (isSecret(param)) note(param.name, checkValue(param, secrets[param.name]));
        else if (!INSTEAD_NAMES.includes(param.name)) note(param.name, checkValue(param, values[param.name]));
        else if (INSTEAD[way] === param.name)
            note(param.name, checkValue({ ...param, required: true }, values[param.name]));
    }
    if (masked) note('proxy', 'has a password, which a clone does not get: enter it again, or remove the proxy');
    return found;
}

// Returns what is sent: of a new customer all that is no default, else only what was changed; secrets only if typed.
export function changesOf(params, own, { values, secrets, way, before }) {
    const sent = {};
    for (const param of [...params, ...own]) {
        if (isSecret(param)) {
            const typed = (secrets[param.name] || '').trim();
            if (typed && !(INSTEAD[way] && param.name === 'client_secret')) sent[param.name] = typed;
            continue;
        }
        let value = (values[param.name] || '').trim();
        if (INSTEAD_NAMES.includes(param.name) && INSTEAD[way] !== param.name) value = '';
        const old = before ? before[param.name] || '' : param.default || '';
        if (param.type === 'proxy' && value.includes(MASK) && value === old) continue;
        if (!sameValue(param, value, old)) sent[param.name] = sentValue(param.name, value);
    }
    return sent;
}

// Returns the parameter that a refusal is about: the program begins its sentences with the name. splunkd may have put
// words in front.
export function blamed(sentence, params) {
    const names = params.map((one) => one.name).join('|');
    const found = new RegExp(`(?:^|[:.]\\s+)['"]?(${names})\\b`).exec(sentence);
    return found ? found[1] : '';
}

export const asksForConsent = (sentence) => /consent|AADSTS(7000229|65001|700016)/i.test(sentence);
