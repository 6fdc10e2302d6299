// The table of customers, one page of it.
import React from 'react';
import Details from './Details.jsx';
import Row from './Row.jsx';
import { COLUMNS } from '../model/rows.mjs';

const WIDTHS = {
    name: 180,
    condition: 156,
    todo: null,
    last_poll: 78,
    newest_alert: 98,
    history: 128,
    api: 84,
    index: 100,
    sign_in: 112,
};

function Heading({ column, sort, act }) {
    const mine = sort.key === column.key;
    return (
        <th scope="col" aria-sort={mine ? (sort.descending ? 'descending' : 'ascending') : undefined}>
            {column.value ? (
                <button
                    type="button"
                    className="dc-plain dc-sort"
                    onClick={() => act('sort', column.key)}
                    data-test={`sort-${column.key}`}
                >
                    {column.label}
                    {mine && <span aria-hidden="true">{sort.descending ? ' ▼' : ' ▲'}</span>}
                </button>
            ) : (
                column.label
            )}
        </th>
    );
}

export default function Table({ rows, view, now_s, may_edit, busy, act }) {
    const columns = COLUMNS.length + (may_edit ? 4 : 2);
    const all = rows.length > 0 && rows.every((row) => view.picked.has(row.id));
    return (
        <div className="dc-table" role="region" aria-label="Customers" tabIndex={0}>
            <table data-test="customers">
                <colgroup>
                    {may_edit && <col style={{ width: 34 }} />}
                    <col style={{ width: 34 }} />
                    {COLUMNS.map(({ key }) => (
                        <col key={key} style={WIDTHS[key] ? { width: WIDTHS[key] } : undefined} />
                    ))}
                    {may_edit && <col style={{ width: 60 }} />}
                    <col style={{ width: 46 }} />
                </colgroup>
                <thead>
                    <tr>
                        {may_edit && (
                            <th scope="col">
                                <input
                                    type="checkbox"
                                    aria-label="Select all on this page"
                                    checked={all}
                                    onChange={() => act('pickAll', rows, !all)}
                                />
                            </th>
                        )}
                        <th scope="col">
                            <span className="dc-sr">Details</span>
                        </th>
                        {COLUMNS.map((column) => (
                            <Heading key={column.key} column={column} sort={view.sort} act={act} />
                        ))}
                        {may_edit && <th scope="col">On</th>}
                        <th scope="col">
                            <span className="dc-sr">Actions</span>
                        </th>
                    </tr>
                </thead>
                <tbody>
                    {rows.map((row) => (
                        <React.Fragment key={row.id}>
                            <Row
                                row={row}
                                now_s={now_s}
                                open={view.open === row.id}
                                picked={view.picked.has(row.id)}
                                fresh={view.fresh === row.id}
                                may_edit={may_edit}
                                busy={busy.has(row.id)}
                                act={act}
                            />
                            {view.open === row.id && <Details row={row} columns={columns} />}
                        </React.Fragment>
                    ))}
                </tbody>
            </table>
        </div>
    );
}
