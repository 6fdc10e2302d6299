// Times, numbers and truth values as people read them.

export function isTrue(value) {
    return ['1', 'true', 't', 'yes', 'y', 'on'].includes(
        String(value ?? '')
            .trim()
            .toLowerCase(),
    );
}

// Returns true for a truth value as splunkd reads it.
export function isTruth(value) {
    return isTrue(value) || ['0', 'false', 'f', 'no', 'n', 'off'].includes(String(value).trim().toLowerCase());
}

const UNITS = [
    ['s', 60],
    ['min', 60],
    ['h', 48],
    ['d', Infinity],
];

// "2 min", "5 h", "3 d".
export function ageText(seconds) {
    if (!Number.isFinite(seconds)) return '–';
    let value = Math.max(0, Math.round(seconds));
    for (const [unit, most] of UNITS) {
        if (value < most) return `${value} ${unit}`;
        value = Math.round(value / (unit === 'h' ? 24 : 60));
    }
    return '';
}

const two = (number) => String(number).padStart(2, '0');

// "2026-11-30 14:02:31", in the time of this browser.
export function momentText(seconds) {
    if (!Number.isFinite(seconds)) return '';
    const at = new Date(seconds * 1000);
    return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())} ${clockText(seconds)}`;
}

export function clockText(seconds) {
    const at = new Date(seconds * 1000);
    return `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
}

export function plural(count, word) {
    return `${count} ${word}${count === 1 ? '' : 's'}`;
}

// A search that finds the log lines of one customer. A name is quoted as SPL wants it.
export function logSearch(name) {
    const quoted = `"${name.replace(/\\/g, '\\\\').replace(/"/g, '\\"')}"`;
    return `search index=_internal sourcetype=splunkd component=ExecProcessor "defender_alerts" input=${quoted}`;
}

// Takes the address of a sign-in out of a sentence, else the first address; '' if there is none. Microsoft's own words,
// which may name other addresses, come before it.
export function addressIn(sentence) {
    const all = sentence.match(/https?:\/\/[^\s"'<>]+/g) || [''];
    return (all.find((one) => /\/authorize\?/.test(one)) || all[0]).replace(/[.,;]+$/, '');
}
