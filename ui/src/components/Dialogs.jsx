// Which dialog is open.
import React from 'react';
import BulkDialog from './BulkDialog.jsx';
import { OffDialog, RemoveDialog } from './Confirm.jsx';
import { ConsentDialog } from './Consent.jsx';
import CustomerForm from './CustomerForm.jsx';
import ImportDialog from './ImportDialog.jsx';
import SignInDialog from './SignInDialog.jsx';

export default function Dialogs({ dialog, tables, data, close, saved }) {
    const common = { tables, close, saved };
    const { kind, row } = dialog;
    switch (kind) {
        case 'form':
            return (
                <CustomerForm
                    {...common}
                    row={row || null}
                    clone={Boolean(dialog.clone)}
                    client_id={dialog.client_id}
                    taken={data.rows.map((one) => one.name)}
                />
            );
        case 'signin':
            return <SignInDialog {...common} row={row} />;
        case 'consent':
            return <ConsentDialog {...common} row={row} />;
        case 'off':
            return <OffDialog {...common} row={row} />;
        case 'remove':
            return <RemoveDialog {...common} row={row} />;
        case 'import':
            return <ImportDialog {...common} inputs={data.inputs} />;
        default:
            return <BulkDialog {...common} kind={dialog.bulk} rows={dialog.rows} />;
    }
}
