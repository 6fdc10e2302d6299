// Which page of the table, and how many rows it has.
import React from 'react';
import Button from '@splunk/react-ui/Button';

export const SIZES = [25, 50, 100];

export default function Pages({ all, view, act }) {
    const pages = Math.max(1, Math.ceil(all / view.size));
    const first = all ? view.page * view.size + 1 : 0;
    return (
        <nav className="dc-row dc-spread" aria-label="Pages" style={{ marginTop: 12 }}>
            <span className="dc-note" data-test="range">
                {all ? `${first} to ${Math.min(all, first + view.size - 1)} of ${all}` : 'No customer fits the filter'}
            </span>
            <div className="dc-row">
                <label className="dc-row dc-note">
                    Rows on a page
                    <select
                        className="dc-box"
                        style={{ width: 72 }}
                        value={view.size}
                        onChange={(event) => act('size', Number(event.target.value))}
                        data-test="size"
                    >
                        {SIZES.map((size) => (
                            <option key={size}>{size}</option>
                        ))}
                    </select>
                </label>
                <Button label="Previous" disabled={view.page === 0} onClick={() => act('page', view.page - 1)} />
                <span className="dc-note">
                    Page {view.page + 1} of {pages}
                </span>
                <Button
                    label="Next"
                    disabled={view.page >= pages - 1}
                    onClick={() => act('page', view.page + 1)}
                    data-test="next"
                />
            </div>
        </nav>
    );
}
