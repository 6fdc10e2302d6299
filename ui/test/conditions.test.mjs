// The table of conditions against the macro that a search head uses.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { CONDITIONS, chipsOf, conditionOf } from '../src/model/conditions.mjs';

const macros = readFileSync(new URL('../../default/macros.conf', import.meta.url), 'utf8');
const health = macros.slice(macros.indexOf('[defender_mssp_health]'));

test('words and ranks are those of the macro', () => {
    const rank = /\| eval rank=case\((.*)\) \\/.exec(health)[1];
    const wanted = new Map();
    for (const part of rank.matchAll(/((?:condition=="[^"]+"(?: OR )?)+)(?: AND [^,]+)?,(\d+)/g))
        for (const word of part[1].matchAll(/condition=="([^"]+)"/g)) wanted.set(word[1], Number(part[2]));
    wanted.set('ok', Number(/true\(\),(\d+)/.exec(rank)[1]));
    const own = ['off', 'unknown', 'elsewhere'];
    assert.deepEqual(
        new Map(CONDITIONS.filter((one) => !own.includes(one.word)).map((one) => [one.word, one.rank])),
        wanted,
    );
    const words = new Set(
        [.../condition=case\((.*)\) \\/.exec(health)[1].matchAll(/,"([a-z -]+)"/g)].map((found) => found[1]),
    );
    assert.deepEqual(new Set(wanted.keys()), words);
});

test('an old record is silent, whatever it says', () => {
    const record = { condition: 'ok', rank: 11, todo: 'Nothing', updated: 1000, forwarder: 'hf' };
    for (const [now, word] of [
        [1000, 'ok'],
        [1900, 'ok'],
        [1901, 'silent'],
        [90000, 'silent'],
    ])
        assert.equal(conditionOf({}, record, true, now).word, word, `at ${now}`);
    assert.match(conditionOf({}, record, true, 4600).todo, /60 min.*on hf\?/);
});

test('the input list decides about off, a missing record is waiting, no store is unknown', () => {
    const refused = { condition: 'refused', rank: 2, todo: 'x', updated: 1000 };
    assert.equal(conditionOf({ disabled: true }, refused, true, 1000).word, 'off');
    assert.equal(conditionOf({}, undefined, true, 1000).word, 'waiting');
    assert.equal(conditionOf({}, undefined, false, 1000).word, 'unknown');
    assert.equal(conditionOf({}, { condition: 'off', updated: 1000 }, true, 1000).word, 'waiting');
});

test('throttled for long needs somebody', () => {
    assert.equal(conditionOf({}, { condition: 'throttled', rank: 4, updated: 1 }, true, 1).tone, 'act');
    assert.equal(conditionOf({}, { condition: 'throttled', rank: 6, updated: 1 }, true, 1).tone, 'watch');
    assert.equal(conditionOf({}, { condition: 'a word of tomorrow', updated: 1 }, true, 1).tone, 'act');
});

test('what another forwarder reads needs nobody, and says who reads it', () => {
    const record = { condition: 'elsewhere', rank: 11, todo: 'x', reader: 'hf2', updated: 1000, forwarder: 'hf1' };
    const found = conditionOf({}, record, true, 1000);
    assert.deepEqual([found.word, found.tone, found.todo], ['elsewhere', 'well', 'Nothing: hf2 reads it']);
    assert.match(conditionOf({}, { ...record, reader: undefined }, true, 1000).todo, /another forwarder/);
    assert.equal(conditionOf({}, record, true, 90000).word, 'silent');
});

test('chips, worst first', () => {
    const rows = ['ok', 'off', 'refused', 'silent', 'late', 'ok'].map((word) => ({
        condition: { word, tone: CONDITIONS.find((one) => one.word === word).tone },
    }));
    assert.deepEqual(
        chipsOf(rows).map((chip) => `${chip.label} ${chip.count}`),
        ['Need somebody 2', 'Late 1', 'OK 2', 'Off 1'],
    );
});
