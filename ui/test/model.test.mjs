// Rows, values, tables and forms.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { checkName, checkValue, maskProxy } from '../src/model/check.mjs';
import { consentLink } from '../src/model/consent.mjs';
import { CsvError, decodeFile, parseCsv, unguarded, writeCsv } from '../src/model/csv.mjs';
import { blamed, changesOf, problemsOf, startValues } from '../src/model/form.mjs';
import { exportTable, failedTable, planImport } from '../src/model/plan.mjs';
import {
    filterRows,
    historyOf,
    idOf,
    joinRows,
    plainRecord,
    refreshedRows,
    sortRows,
    usualClient,
} from '../src/model/rows.mjs';
import { addressIn, ageText, logSearch } from '../src/model/words.mjs';

const { params, own } = JSON.parse(readFileSync(new URL('../params.json', import.meta.url), 'utf8'));
const GUID = '01234567-89ab-cdef-0123-456789abcdef';
const input = (name, content = {}) => ({
    name,
    app: 'search',
    links: {},
    content: { tenant_id: 'a.example', client_id: GUID, api: 'graph', ...content },
});

test('values are checked by the type of their parameter', () => {
    for (const [name, good, bad] of [
        ['tenant_id', [GUID, 'contoso.onmicrosoft.com'], ['common', 'contoso', '10.0.0.1', 'a b.c', '-a.example']],
        ['client_id', [GUID.toUpperCase()], ['x', `${GUID}0`, `{${GUID}}`]],
        ['client_secret', ['Aa8Q~abcdefghijklmnop'], [GUID, 'a\nb']],
        ['client_certificate', ['/a/b.pem', '$SPLUNK_HOME/etc/auth/a.pem', ''], ['a.pem']],
        ['api', ['graph', 'Siem'], ['graphs']],
        ['start_time', ['-30d', '2026-11-01', '2026-11-01T08:00:00+02:00'], ['30d', 'yesterday', '-3x']],
        ['redirect_uri', ['https://SiemMsspConnector'], ['SiemMsspConnector', 'https://a/?code=1', 'https://a/#b']],
        ['poll_interval', ['1', '86400'], ['0', '86401', '1.5', '-1']],
        ['filter', ["severity eq 'high'", "(a eq 'it''s')"], ["a eq 'b", '(a', '$filter=a']],
        ['client_assertion', ['managed_identity', 'file:/run/token'], ['identity', 'file:']],
        ['login_url', ['https://login.example:8443'], ['login.example', 'https://a/b']],
        ['proxy', ['http://proxy.example:3128'], ['a b']],
    ]) {
        const param = params.find((one) => one.name === name);
        for (const text of good) assert.equal(checkValue(param, text), '', `${name} ${text}`);
        for (const text of bad) assert.notEqual(checkValue(param, text), '', `${name} ${text}`);
    }
});

test('a name has to fit into a file name', () => {
    assert.equal(checkName('A/b %&"ä'), '');
    assert.equal(checkName('x'.repeat(240)), '');
    assert.match(checkName('ä'.repeat(41)), /246 bytes/);
    assert.match(checkName(' '), /missing/);
    for (const name of ['.', '..', ' .. ']) assert.match(checkName(name), /addresses/);
    assert.equal(checkName('...'), '');
    assert.match(checkName('a', ['a']), /another customer/);
});

test('the password of a proxy is hidden', () => {
    for (const [text, wanted] of [
        ['', ''],
        ['http://proxy:3128', 'http://proxy:3128'],
        ['http://u:p@proxy:3128', 'http://u:********@proxy:3128'],
        ['http://u:p@ss@proxy:3128', 'http://u:********@proxy:3128'],
        ['u:p@proxy', 'u:********@proxy'],
        ['http://u@proxy', 'http://u@proxy'],
        ['http://user:secret', '********'],
    ])
        assert.equal(maskProxy(text), wanted, text);
});

test('rows are joined, filtered and sorted', () => {
    const records = new Map([
        ['a', { input: 'a', updated: 100, condition: 'ok', rank: 11, todo: 'Nothing', last_poll: 90, why: 'AADSTS1' }],
        ['b', { input: 'b', updated: 100, condition: 'refused', rank: 2, todo: 'x', last_poll: 10 }],
        ['c', { input: 'c', updated: 100, condition: 'refused', rank: 2, todo: 'x', last_poll: 50 }],
    ]);
    const rows = joinRows(
        [input('a', { index: 'north' }), input('b'), input('c'), input('d', { disabled: '1' })],
        records,
        100,
    );
    const names = (found) => found.map((row) => row.name).join('');
    assert.equal(names(sortRows(rows, { key: 'condition' })), 'bcad');
    assert.equal(names(sortRows(rows, { key: 'name', descending: true })), 'dcba');
    assert.equal(names(filterRows(rows, 'act', '')), 'bc');
    assert.equal(names(filterRows(rows, '', 'NORTH aadsts1')), 'a');
    assert.equal(names(filterRows(rows, 'ok', 'refused')), '');
    const ids = (text) => [...text].map((name) => idOf(name, 'search'));
    assert.equal(names(refreshedRows(rows, ids('cxa'), new Set(ids('abc')), (row) => row.name !== 'x')), 'cad');
    assert.equal(names(refreshedRows(rows, ids('c'), new Set(ids('abc')), () => false)), 'c');
    assert.equal(usualClient(rows), GUID);
    assert.deepEqual(joinRows([input('a')], null, 0)[0].condition.word, 'unknown');
});

test('inputs of the same name in two apps are two rows, and none is imported', () => {
    const twins = [input('a'), { ...input('a', { index: 'x' }), app: 'other' }, input('b')];
    const rows = joinRows(twins, null, 0);
    assert.deepEqual(
        rows.map((row) => [row.name, row.app, row.also.join()]),
        [
            ['a', 'search', 'other'],
            ['a', 'other', 'search'],
            ['b', 'search', ''],
        ],
    );
    assert.equal(new Set(rows.map((row) => row.id)).size, 3);
    assert.deepEqual(
        refreshedRows(rows, [rows[1].id, rows[0].id], new Set(rows.map((row) => row.id)), () => true),
        [rows[1], rows[0]],
    );
    const table = `name,tenant_id,client_id\na,a.example,${GUID}\nb,a.example,${GUID}\n`;
    const plan = planImport(table, params, twins).rows;
    assert.deepEqual(
        plan.map((row) => row.kind),
        ['wrong', 'same'],
    );
    assert.match(plan[0].problem, /the apps search and other both have this input; remove one of them first/);
});

test('a history that is broken is none', () => {
    assert.deepEqual(historyOf('[null,[1,2,0,0]]'), [null, [1, 2, 0, 0]]);
    for (const text of ['', '{', '{}', '[]']) assert.equal(historyOf(text), null);
    const one = [1, 2, 0, 0];
    assert.deepEqual(historyOf('[["a",1,1,1],[1],[-1,0,0,0],[1e999,0,0,0],[1,2,0,0]]'), [null, null, null, null, one]);
    assert.equal(historyOf(JSON.stringify(Array(500).fill(one))).length, 96);
});

test('of a record, only what has the right kind is taken', () => {
    const broken = { condition: 5, todo: 7, why: {}, rank: 'x', updated: 'soon', last_poll: null, ok: 3, note: 'n' };
    assert.deepEqual(plainRecord(broken), { ok: 3, note: 'n' });
    const [row] = joinRows([input('a')], new Map([['a', plainRecord(broken)]]), 5000);
    assert.deepEqual([row.condition.word, row.silent_s], ['unknown', Infinity]);
});

test('tables are read as spreadsheets save them', () => {
    const cells = (text) => parseCsv(text).map((row) => row.cells);
    for (const [text, wanted] of [
        [
            'a,b\r\n1,2\r\n',
            [
                ['a', 'b'],
                ['1', '2'],
            ],
        ],
        [
            '\uFEFFa;b\n1;"x;y"',
            [
                ['a', 'b'],
                ['1', 'x;y'],
            ],
        ],
        [
            'a\tb\r1\t2',
            [
                ['a', 'b'],
                ['1', '2'],
            ],
        ],
        ['sep=;\na;b,c\n', [['a', 'b,c']]],
        [
            'a,b\n"x""y","1\n2"\n',
            [
                ['a', 'b'],
                ['x"y', '1\n2'],
            ],
        ],
        [
            'a,b\n1,\n',
            [
                ['a', 'b'],
                ['1', ''],
            ],
        ],
        [
            'a,b\n1,',
            [
                ['a', 'b'],
                ['1', ''],
            ],
        ],
        ['\n\na,b\n\n', [['a', 'b']]],
        ['', []],
    ])
        assert.deepEqual(cells(text), wanted, JSON.stringify(text));
    assert.equal(parseCsv('a,b\n"1\n2",3\n4,5\n')[2].line, 4);
    for (const [text, why] of [
        ['a,b\n"1,2\n', /line 2: a quoted field is not closed/],
        ['a\n"x"y\n', /line 2: there is text after/],
        ['a\nx"y\n', /line 2: a quote is inside/],
    ])
        assert.throws(
            () => parseCsv(text),
            (error) => error instanceof CsvError && why.test(error.message),
        );
    assert.equal(decodeFile(new Uint8Array([0xff, 0xfe, 0x61, 0x00])), 'a');
    for (const [bytes, why] of [
        [[0x61, 0xfc, 0x62], /code page of Windows/],
        [[0x61, 0, 0x62, 0], /zero bytes/],
        [[0x50, 0x4b, 3, 4, 20, 0], /xlsx/],
        [[0xd0, 0xcf, 0x11, 0xe0, 0xa1], /xls/],
        [[0x1f, 0x8b, 8], /gzip/],
    ])
        assert.throws(() => decodeFile(new Uint8Array(bytes)), why);
});

test('what is written can be read again, and no cell is a formula', () => {
    const rows = [['a', '=1+1', '-30d', 'x,"y"', "'=z", "it's"]];
    const text = writeCsv(rows);
    assert.match(text, /,'=1\+1,'-30d,/);
    assert.deepEqual(parseCsv(text)[0].cells.map(unguarded), rows[0]);
});

test('an import is planned row by row', () => {
    const existing = [input('old', { index: 'i1' }), input('same')];
    const lines = [
        'name,tenant_id,client_id,client_secret,index,api,poll_interval',
        `old,A.example,${GUID},,i2,,`,
        `same,a.example,${GUID},********,,Graph,`,
        `new,b.example,${GUID},tiny-Secret~1,i3,,60`,
        `bad,b.example,xyz,,,,`,
        `bad2,b.example,${GUID},,,,0`,
        `new,b.example,${GUID},,,,`,
        `short,b.example`,
        `,b.example,${GUID},,,,`,
    ];
    const { rows } = planImport(lines.join('\n'), params, existing);
    assert.deepEqual(
        rows.map((row) => row.kind),
        ['change', 'same', 'new', 'wrong', 'wrong', 'wrong', 'wrong', 'wrong'],
    );
    assert.deepEqual(rows[0].changes, [{ name: 'index', old: 'i1', now: 'i2' }]);
    assert.deepEqual(rows[2].values, {
        tenant_id: 'b.example',
        client_id: GUID,
        client_secret: 'tiny-Secret~1',
        index: 'i3',
    });
    assert.ok(!JSON.stringify(rows[2].changes).includes('tiny-Secret'), 'secrets are dots');
    for (const [at, why] of [
        [3, /^client_id should be a GUID/],
        [4, /^poll_interval should be a whole number/],
        [5, /in line 4/],
        [6, /2 fields.*client_id is missing/],
        [7, /^name is missing/],
    ])
        assert.match(rows[at].problem, why);
    for (const [text, why] of [
        ['', /file is empty/],
        ['name|x\n', /is one column/],
        ['name,tenant_id,color,client_id\n', /'color' is not a parameter/],
        ['name,tenant_id\n', /no column client_id/],
        ['name,name,tenant_id,client_id\n', /occurs twice/],
        ['name,tenant_id,client_id,authorization_code\n', /cannot be imported/],
    ])
        assert.match(planImport(text, params, []).problem, why, text);
    for (const [value, kind] of Object.entries({ maybe: 'wrong', 2: 'wrong', Off: 'same', 1: 'change', '': 'same' })) {
        const text = `name,tenant_id,client_id,disabled\nsame,a.example,${GUID},${value}`;
        assert.equal(planImport(text, params, existing).rows[0].kind, kind, value);
    }
});

test('what is exported has no secrets, and an import of it changes nothing', () => {
    const inputs = [
        input('a', {
            client_secret: '********',
            proxy: 'http://u:********@p:1',
            poll_interval: '60',
            start_time: '-30d',
            filter: "x eq '1'",
        }),
        input('b', { disabled: true, index: 'default', start_time: '-30d' }),
    ];
    const table = exportTable(inputs, params);
    assert.deepEqual(table[0], ['name', 'tenant_id', 'client_id', 'api', 'filter', 'proxy', 'index', 'disabled']);
    assert.ok(!writeCsv(table).includes('client_secret'));
    assert.deepEqual(
        planImport(writeCsv(table), params, inputs).rows.map((row) => row.kind),
        ['same', 'same'],
    );
    const failed = failedTable(
        [
            {
                name: 'x',
                line: 2,
                error: 'no',
                values: { tenant_id: 't.example', client_id: GUID, client_secret: 's3cret~', proxy: 'http://u:pw@p:1' },
            },
        ],
        params,
    );
    assert.ok(!/s3cret|pw@/.test(writeCsv(failed)));
    assert.match(writeCsv(failed), /t\.example/);
    assert.match(planImport(writeCsv(failed), params, []).rows[0].problem, /^proxy has asterisks/);
    assert.deepEqual(
        planImport(writeCsv(failed).replace('********', 'pw'), params, []).rows[0].changes.map((one) => one.name),
        ['tenant_id', 'client_id', 'proxy'],
    );
});

test('only what was changed is sent, and a secret only if typed', () => {
    const row = {
        content: {
            tenant_id: 'a.example',
            client_id: GUID,
            api: 'graph',
            index: 'default',
            poll_interval: '60',
            proxy: 'http://u:********@p:1',
        },
        record: {},
    };
    const before = startValues(params, own, row);
    const change = (values, secrets = {}, way = 'secret') =>
        changesOf(params, own, { values: { ...before, ...values }, secrets, way, before });
    assert.deepEqual(change({}), {});
    assert.deepEqual(change({ index: 'x', tenant_id: 'A.EXAMPLE' }), { index: 'x' });
    assert.deepEqual(change({}, { client_secret: ' abc ' }), { client_secret: 'abc' });
    assert.deepEqual(change({ client_certificate: '/a.pem' }, { client_secret: 'abc' }, 'certificate'), {
        client_certificate: '/a.pem',
    });
    assert.deepEqual(
        changesOf(params, own, { values: startValues(params, own, null), secrets: {}, way: 'secret', before: null }),
        {},
    );
    assert.deepEqual(change({ client_assertion: 'managed_identity' }, { client_secret: 'abc' }, 'assertion'), {
        client_assertion: 'managed_identity',
    });
    const named = startValues(params, own, { content: { index: 'x', client_certificate: '/a.pem' } });
    assert.deepEqual(
        changesOf(params, own, { values: { ...named, index: '' }, secrets: {}, way: 'secret', before: named }),
        { client_certificate: '', index: 'default' },
        'splunkd takes its own word for a key that is not set',
    );
    const cloned = startValues(params, own, row, { clone: true });
    assert.deepEqual([cloned.tenant_id, cloned.client_id], ['', GUID]);
    assert.deepEqual(
        Object.keys(
            problemsOf(params, {
                name: '',
                values: { client_id: 'x' },
                secrets: {},
                way: 'certificate',
                isNew: true,
                taken: [],
            }),
        ).sort(),
        ['client_certificate', 'client_id', 'name', 'tenant_id'],
    );
});

test('a refusal names its field', () => {
    for (const [sentence, wanted] of [
        ["client_id is 'x', but it should be a GUID", 'client_id'],
        ['Encountered the following error: tenant_id is missing', 'tenant_id'],
        ['AADSTS7000215: Invalid client secret provided.', ''],
        ['client_secret and client_certificate are both given', 'client_secret'],
        ['the apiary is closed', ''],
    ])
        assert.equal(blamed(sentence, params), wanted, sentence);
});

test('words', () => {
    for (const [seconds, wanted] of [
        [0, '0 s'],
        [59, '59 s'],
        [61, '1 min'],
        [7200, '2 h'],
        [200000, '2 d'],
        [Infinity, '–'],
    ])
        assert.equal(ageText(seconds), wanted);
    assert.equal(
        addressIn('To sign in, open https://login.example/x?a=b&c=d and sign in; then http://no'),
        'https://login.example/x?a=b&c=d',
    );
    const link = 'https://login.example/t/oauth2/v2.0/authorize?client_id=x';
    assert.equal(addressIn(`refused: "see https://other.example/x". To sign in, open ${link} and sign in`), link);
    assert.match(logSearch('a"b\\c'), /input="a\\"b\\\\c"$/);
});

test('the form chooses what the program reads, whatever the case', () => {
    const row = input('a', { cloud: 'GCC_High', api: 'SIEM ' });
    const { cloud, api } = startValues(params, own, row);
    assert.deepEqual([cloud, api], ['gcc_high', 'siem']);
});

test('the asterisks of a proxy are never sent', () => {
    const row = input('a', { proxy: 'http://u:********@p:1' });
    const clone = startValues(params, own, row, { clone: true });
    const about = { name: 'b', secrets: {}, way: 'secret', isNew: true, taken: [] };
    assert.match(problemsOf(params, { ...about, values: clone }).proxy, /enter it again/);
    assert.ok(!problemsOf(params, { ...about, values: { ...clone, proxy: '' } }).proxy);
    const text = `name,tenant_id,client_id,proxy\nb,a.example,${GUID},http://u:********@p:1\n`;
    assert.match(planImport(text, params, [row]).rows[0].problem, /^proxy has asterisks/);
    assert.equal(planImport(text.replace('\nb', '\na'), params, [row]).rows[0].kind, 'same');
    const before = startValues(params, own, row);
    const sent = changesOf(params, own, { values: { ...before, proxy: '' }, secrets: {}, way: 'secret', before });
    assert.deepEqual(sent, { proxy: '' });
});

test('the consent link goes to the login host of the cloud', () => {
    const values = { tenant_id: 'a.example', client_id: GUID };
    for (const [more, host] of [
        [{}, 'https://login.microsoftonline.com'],
        [{ cloud: 'gcc' }, 'https://login.microsoftonline.com'],
        [{ cloud: 'gcc_high' }, 'https://login.microsoftonline.us'],
        [{ cloud: 'dod' }, 'https://login.microsoftonline.us'],
        [{ cloud: 'GCC_High' }, 'https://login.microsoftonline.us'],
        [{ cloud: 'dod', login_url: 'https://l.example/' }, 'https://l.example'],
    ])
        assert.equal(
            consentLink({ ...values, ...more }, 'https://w.example/?a=b'),
            `${host}/a.example/adminconsent?client_id=${GUID}&redirect_uri=https%3A%2F%2Fw.example%2F%3Fa%3Db`,
        );
    assert.equal(consentLink({ tenant_id: '' }, ''), '');
});
