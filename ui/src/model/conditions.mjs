// What a customer's condition means: its rank (1 is the worst), its shape and its color. The words and ranks are those
// of the macro `defender_mssp_health`; ui/test/conditions.test.mjs compares them with default/macros.conf.

// tone: act (somebody is needed), watch, wait, well, off.
export const CONDITIONS = [
    { word: 'silent', rank: 1, tone: 'act' },
    { word: 'refused', rank: 2, tone: 'act' },
    { word: 'failing', rank: 3, tone: 'act' },
    { word: 'lost', rank: 3, tone: 'act' }, // the customer left
    { word: 'held up', rank: 3, tone: 'act' },
    { word: 'late', rank: 5, tone: 'watch' },
    { word: 'throttled', rank: 6, tone: 'watch' }, // for long: rank 4, as the record says
    { word: 'bad records', rank: 7, tone: 'watch' },
    { word: 'quiet', rank: 8, tone: 'wait' },
    { word: 'back-filling', rank: 9, tone: 'wait' },
    { word: 'waiting', rank: 10, tone: 'wait' },
    { word: 'no alert yet', rank: 10, tone: 'wait' },
    { word: 'ok', rank: 11, tone: 'well' },
    { word: 'elsewhere', rank: 11, tone: 'well' }, // another forwarder's; only records say so
    { word: 'off', rank: 12, tone: 'off' },
    { word: 'unknown', rank: 13, tone: 'off' }, // the page's own: nobody can say, because no state can be read
];

export const SHAPES = { act: '✖', watch: '▲', wait: '◐', well: '✔', off: '○' };
export const SILENT_AFTER_S = 15 * 60;
const ACT_MOST = 4; // the worst ranks, as on the dashboard

const BY_WORD = new Map(CONDITIONS.map((condition) => [condition.word, condition]));

export function toneOf(rank) {
    if (rank <= ACT_MOST) return 'act';
    if (rank <= 7) return 'watch';
    if (rank <= 10) return 'wait';
    return rank === 11 ? 'well' : 'off';
}

function made(word, todo, more = {}) {
    const { rank } = BY_WORD.get(word);
    return { word, rank, tone: toneOf(rank), todo, ...more };
}

// Returns the condition of an input. record: of the KV store, or undefined. readable: false if no state can be read at
// all. now_s: of this browser, corrected by the server's clock.
export function conditionOf({ disabled }, record, readable, now_s) {
    if (disabled) return made('off', 'Nothing: it is switched off');
    if (!readable) return made('unknown', 'Unknown: the state cannot be read');
    if (!record) return made('waiting', 'Nothing yet: it starts');
    if (!Number.isFinite(record.updated) || !record.condition)
        return made('unknown', 'Unknown: the record of its state cannot be read');
    const age_s = now_s - record.updated;
    if (age_s > SILENT_AFTER_S) {
        const minutes = Math.round(age_s / 60);
        const where = record.forwarder || 'the forwarder';
        return made('silent', `Nothing was reported for ${minutes} min: is the program running on ${where}?`);
    }
    if (record.condition === 'off') return made('waiting', 'Nothing yet: it starts');
    if (record.condition === 'elsewhere')
        return made('elsewhere', `Nothing: ${record.reader || 'another forwarder'} reads it`);
    const known = BY_WORD.get(record.condition);
    const rank = Number.isFinite(record.rank) ? record.rank : known ? known.rank : 3;
    return { word: String(record.condition), rank, tone: toneOf(rank), todo: record.todo || 'See why' };
}

// The filter chips, worst first: those that need somebody are one chip, every other condition is its own.
export function chipsOf(rows) {
    const counts = new Map();
    for (const row of rows) {
        const key = chipOf(row.condition);
        counts.set(key, (counts.get(key) || 0) + 1);
    }
    const order = ['act', ...CONDITIONS.filter((one) => one.tone !== 'act').map((one) => one.word)];
    const labels = { act: 'Need somebody', ok: 'OK' };
    return order
        .filter((key) => counts.has(key))
        .map((key) => ({
            key,
            label: labels[key] || key[0].toUpperCase() + key.slice(1),
            count: counts.get(key),
            tone: key === 'act' ? 'act' : BY_WORD.get(key).tone,
        }));
}

export function chipOf(condition) {
    if (condition.tone === 'act') return 'act';
    return BY_WORD.has(condition.word) ? condition.word : 'act';
}
