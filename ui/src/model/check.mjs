// Checks a value as it is typed, by the type of its parameter. The program checks again and has the last word; here a
// person only learns early. Returns '' or what is wrong, as the program would say it.
const GUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const DOMAIN = /^(?=.{1,253}$)([A-Za-z0-9][A-Za-z0-9-]{0,62}\.)+(?!\d+$)[A-Za-z0-9][A-Za-z0-9-]{0,62}$/;
const BASE_URL = /^https?:\/\/[^\s/?#@]+\/?$/i;
const START = /^(-\d{1,10}[smhdw]|\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?)?)$/i;
const URI = /^[A-Za-z][A-Za-z0-9+.-]*:[^\s#]+$/;
const ASSERTION = /^(managed_identity(:[0-9a-f-]{36})?|file:\/.+)$/i;
const PROXY = /^(https?:\/\/)?\S+$/i;
export const MASK = '********';

// Returns true for a control character. They are in no value.
function hasControls(text) {
    for (const letter of text) if (letter < ' ' || letter === '\x7f') return true;
    return false;
}

function balanced(text) {
    let depth = 0,
        quoted = false;
    for (const letter of text) {
        if (letter === "'") quoted = !quoted;
        else if (!quoted && letter === '(') depth++;
        else if (!quoted && letter === ')' && --depth < 0) return false;
    }
    return !depth && !quoted && !text.startsWith('$');
}

function isNumber(param, text) {
    return /^\d{1,15}$/.test(text) && Number(text) >= param.min && Number(text) <= param.max;
}

const RULES = {
    tenant: [
        (text) => GUID.test(text) || DOMAIN.test(text),
        "the customer's tenant as a GUID or a domain, such as contoso.onmicrosoft.com",
    ],
    guid: [(text) => GUID.test(text), 'a GUID, such as 01234567-89ab-cdef-0123-456789abcdef'],
    file: [
        (text) => text.startsWith('/') || text.startsWith('$SPLUNK_HOME/'),
        "the full path of a file that Splunk's user can read",
    ],
    assertion: [
        (text) => ASSERTION.test(text),
        'managed_identity, managed_identity:CLIENT-ID or file:/full/path of a token file',
    ],
    uri: [
        (text) => URI.test(text) && !/[?&#]code=/.test(text),
        'an absolute URI without a fragment, such as https://SiemMsspConnector',
    ],
    base_url: [(text) => BASE_URL.test(text), 'https://host or https://host:port with nothing after it'],
    text: [(text) => !/\s/.test(text), 'one word without blanks'],
    filter: [balanced, "an OData expression with all quotes and parentheses closed, such as severity eq 'high'"],
    start: [
        (text) => START.test(text),
        'a time back from now, such as -12h or -30d, or a date and time since 1970 such as 2026-11-01 or ' +
            '2026-11-01T08:00:00Z',
    ],
    proxy: [(text) => PROXY.test(text), 'http://[user:password@]host:port'],
};

export function checkValue(param, raw) {
    const text = String(raw ?? '').trim();
    if (!text) return param.required ? 'is missing' : '';
    if (hasControls(text)) return 'has line ends or other control characters';
    if (param.type === 'secret') {
        return GUID.test(text) && param.name === 'client_secret'
            ? "is a GUID, so it is the ID of a secret, but it should be the secret's Value"
            : '';
    }
    if (param.type === 'choice') {
        const values = param.choices.map((one) => one.value);
        return values.includes(text.toLowerCase()) ? '' : `should be one of ${values.join(', ')}`;
    }
    if (param.type === 'seconds')
        return isNumber(param, text) ? '' : `should be a whole number of seconds from ${param.min} to ${param.max}`;
    const [rule, wanted] = RULES[param.type] || [() => true, ''];
    return rule(text) ? '' : `should be ${wanted}`;
}

// The name becomes a file name, in which letters, digits, '-' and '_' take one byte and every other byte three.
export function checkName(raw, taken = []) {
    const text = String(raw ?? '').trim();
    if (!text) return 'is missing';
    if (hasControls(text)) return 'has line ends or other control characters';
    if (/^\.{1,2}$/.test(text)) return 'has a meaning of its own in addresses';
    if (taken.includes(text)) return 'is the name of another customer';
    const bytes = [...new TextEncoder().encode(text)].reduce(
        (sum, byte) => sum + (/[A-Za-z0-9_-]/.test(String.fromCharCode(byte)) ? 1 : 3),
        0,
    );
    return bytes > 240
        ? `is too long: it becomes a file name, in which it would take ${bytes} bytes; 240 is the most`
        : '';
}

// Hides the password of an address: "http://user:secret@host" becomes "http://user:********@host". What cannot be read
// is hidden as a whole.
export function maskProxy(text) {
    if (!text || !/@|:[^/\d]/.test(text.replace(/^https?:\/\//i, ''))) return text || '';
    const found = /^([a-z]+:\/\/)?([^:@/]*)(:.*)?@([^@]*)$/i.exec(text);
    if (!found) return MASK;
    return `${found[1] || ''}${found[2]}${found[3] ? `:${MASK}` : ''}@${found[4]}`;
}

// Returns true if the two texts mean the same value.
export function sameValue(param, one, other) {
    const [left, right] = [one, other].map((text) => String(text ?? '').trim());
    if (left === right) return true;
    if (param && ['tenant', 'guid', 'choice'].includes(param.type)) return left.toLowerCase() === right.toLowerCase();
    if (param && param.type === 'seconds') return left !== '' && right !== '' && Number(left) === Number(right);
    if (param && param.type === 'base_url') return left.replace(/\/$/, '') === right.replace(/\/$/, '');
    return false;
}
