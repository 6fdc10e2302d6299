// Tables of text (RFC 4180) as spreadsheets save them, by the same rules as src/command/csv.c: commas, semicolons or
// tabs, whichever comes first in the header, or what a first line "sep=;" names; quotes; any line ends; a BOM.

const SEPARATORS = ',;\t';

export class CsvError extends Error {}

const SAVE_AS = 'in Excel, save it as "CSV UTF-8 (Comma delimited)"';
// First bytes of files of other kinds, as in src/command/csv_bytes.c.
const OTHERS = [
    [[0x50, 0x4b, 3, 4], 'an Excel workbook (.xlsx) or another zip archive'],
    [[0xd0, 0xcf, 0x11, 0xe0], 'an Excel workbook (.xls)'],
    [[0x1f, 0x8b], 'compressed with gzip'],
];

// Returns the text of a file: UTF-8, or UTF-16 with a BOM. Throws CsvError for another encoding or kind of file.
export function decodeFile(bytes) {
    const other = OTHERS.find(([start]) => start.every((byte, at) => bytes[at] === byte));
    if (other) throw new CsvError(`the file is ${other[1]} and no CSV text; ${SAVE_AS}`);
    const utf16 =
        bytes[0] === 0xff && bytes[1] === 0xfe ? 'utf-16le' : bytes[0] === 0xfe && bytes[1] === 0xff ? 'utf-16be' : '';
    if (!utf16 && bytes.includes(0))
        throw new CsvError(`the file has zero bytes, so it is no text in UTF-8; ${SAVE_AS}`);
    try {
        return new TextDecoder(utf16 || 'utf-8', { fatal: true }).decode(bytes);
    } catch {
        throw new CsvError(`the file is not in UTF-8, most likely in a code page of Windows; ${SAVE_AS}`);
    }
}

function separatorOf(text) {
    let quoted = false;
    for (const letter of text.replace(/^[\r\n]+/, '')) {
        if (!quoted && (letter === '\r' || letter === '\n')) break;
        if (letter === '"') quoted = !quoted;
        else if (!quoted && SEPARATORS.includes(letter)) return letter;
    }
    return ',';
}

// Returns [{line, cells}]; the first one is the header. Throws CsvError with the line.
export function parseCsv(source) {
    let text = source.replace(/^\uFEFF/, '');
    let line = 1;
    let separator;
    const named = /^sep=([,;\t|])(\r\n|\n|\r|$)/i.exec(text);
    if (named) {
        separator = named[1];
        text = text.slice(named[0].length);
        line++;
    } else {
        separator = separatorOf(text);
    }
    return rowsOf(text, separator, line);
}

function rowsOf(text, separator, firstLine) {
    const rows = [];
    let at = 0,
        line = firstLine;
    const isEnd = () => at >= text.length || text[at] === '\n' || text[at] === '\r';
    const skipEnd = () => {
        if (text[at] === '\r') at++;
        if (text[at] === '\n') at++;
        line++;
    };
    const quotedCell = () => {
        const began = line;
        let cell = '';
        for (at++; at < text.length; at++) {
            if (text[at] === '\n') line++;
            if (text[at] !== '"') cell += text[at];
            else if (text[at + 1] === '"') cell += text[at++];
            else {
                at++;
                if (isEnd() || text[at] === separator) return cell;
                throw new CsvError(
                    `line ${line}: there is text after a closing quote; a quote inside a field should be ` +
                        'written twice and the whole field be quoted',
                );
            }
        }
        throw new CsvError(`line ${began}: a quoted field is not closed`);
    };
    const plainCell = () => {
        let cell = '';
        for (; !isEnd() && text[at] !== separator; at++) {
            if (text[at] === '"') throw new CsvError(`line ${line}: a quote is inside a field that is not quoted`);
            cell += text[at];
        }
        return cell;
    };
    while (at < text.length) {
        if (isEnd()) {
            skipEnd();
            continue;
        }
        const row = { line, cells: [] };
        for (;;) {
            row.cells.push(text[at] === '"' ? quotedCell() : plainCell());
            if (isEnd()) break;
            at++;
            if (at >= text.length) {
                row.cells.push('');
                break;
            }
        }
        if (at < text.length) skipEnd();
        rows.push(row);
    }
    return rows;
}

// Returns true if a spreadsheet takes the text after any apostrophes for a formula.
function isFormula(cell) {
    return /^'*[=+\-@\t\r\uFF1D\uFF0B\uFF0D\uFF20]/.test(cell);
}

export function unguarded(cell) {
    return cell.startsWith("'") && isFormula(cell) ? cell.slice(1) : cell;
}

function cellText(cell) {
    const text = isFormula(cell) ? `'${cell}` : cell;
    return /["\r\n,;\t|]/.test(text) ? `"${text.replace(/"/g, '""')}"` : text;
}

// Returns the rows as a file that a spreadsheet can open: no cell is taken for a formula.
export function writeCsv(rows) {
    return rows.map((row) => row.map((cell) => cellText(String(cell ?? ''))).join(',') + '\n').join('');
}
