// What the person chose: filter, sort, page, selection, the opened row. And the rows that follow from it: they are put
// in order when the person acts, and stay in their places while the page refreshes itself.
import { useMemo, useRef, useState } from 'react';
import { filterRows, refreshedRows, sortRows } from '../model/rows.mjs';

const SIZE = 'defender_mssp.page_size';

function keptSize() {
    try {
        return Number(window.localStorage.getItem(SIZE)) || 50;
    } catch {
        return 50;
    }
}

export default function useView(rows) {
    const [view, setView] = useState({
        chip: '',
        text: '',
        sort: { key: 'condition', descending: false },
        page: 0,
        size: keptSize(),
        picked: new Set(),
        open: '',
        fresh: '',
        turn: 0,
    });
    const shown = useRef(null);
    const known = useRef(new Set());
    const acted = useRef(null);

    const ordered = useMemo(() => {
        const key = [view.chip, view.text, view.sort, view.turn];
        const same = acted.current && key.every((one, at) => one === acted.current[at]);
        const fits = (row) => filterRows([row], view.chip, view.text).length > 0;
        const found =
            same && known.current.size
                ? refreshedRows(rows, shown.current, known.current, fits)
                : sortRows(filterRows(rows, view.chip, view.text), view.sort);
        acted.current = key;
        shown.current = found.map((row) => row.id);
        known.current = new Set(rows.map((row) => row.id));
        return found;
    }, [rows, view.chip, view.text, view.sort, view.turn]);

    const change = (more) => setView((old) => ({ ...old, ...(typeof more === 'function' ? more(old) : more) }));
    const pages = Math.max(1, Math.ceil(ordered.length / view.size));
    let page = Math.min(view.page, pages - 1);
    if (view.fresh && view.seek)
        page = Math.max(0, Math.floor(ordered.findIndex((row) => row.id === view.fresh) / view.size));
    const acts = {
        chip: (key) => change((old) => ({ chip: old.chip === key ? '' : key, page: 0, seek: false })),
        text: (text) => change({ text, page: 0, seek: false }),
        sort: (key) =>
            change((old) => ({
                sort: { key, descending: old.sort.key === key && !old.sort.descending },
                page: 0,
                seek: false,
            })),
        page: (at) => change({ page: at, seek: false }),
        size: (size) => {
            try {
                window.localStorage.setItem(SIZE, String(size));
            } catch {
                // not remembered then
            }
            change({ size, page: 0, seek: false });
        },
        open: (row) => change((old) => ({ open: old.open === row.id ? '' : row.id })),
        pick: (row) =>
            change((old) => {
                const picked = new Set(old.picked);
                if (!picked.delete(row.id)) picked.add(row.id);
                return { picked };
            }),
        pickAll: (some, on) =>
            change((old) => {
                const picked = new Set(old.picked);
                for (const row of some)
                    if (on) picked.add(row.id);
                    else picked.delete(row.id);
                return { picked };
            }),
        pickFiltered: () => change({ picked: new Set(ordered.map((row) => row.id)) }),
        pickNone: () => change({ picked: new Set() }),
        again: () => change((old) => ({ turn: old.turn + 1 })),
        // A customer that was added: no filter hides it, and its page is shown.
        seek: (id) => change((old) => ({ chip: '', text: '', fresh: id, seek: true, turn: old.turn + 1 })),
    };
    return { view: { ...view, page }, ordered, paged: ordered.slice(page * view.size, (page + 1) * view.size), acts };
}
