// The address at which a customer's administrator consents.
import { checkValue } from './check.mjs';

const LOGIN = { gcc_high: 'https://login.microsoftonline.us', dod: 'https://login.microsoftonline.us' };

export function loginHost({ cloud, login_url }) {
    const ofCloud = LOGIN[String(cloud ?? '').trim().toLowerCase()] || 'https://login.microsoftonline.com';
    return (login_url || ofCloud).replace(/\/$/, '');
}

// Returns '' as long as tenant or client are missing.
export function consentLink(values, redirect) {
    const tenant = (values.tenant_id || '').trim();
    const client = (values.client_id || '').trim();
    if (!tenant || !client) return '';
    const back = redirect ? `&redirect_uri=${encodeURIComponent(redirect)}` : '';
    const place = `${loginHost(values)}/${encodeURIComponent(tenant)}/adminconsent`;
    return `${place}?client_id=${encodeURIComponent(client)}${back}`;
}

export function redirectProblem(text) {
    return checkValue({ type: 'uri' }, text);
}

const KEPT = 'defender_mssp.consent_redirect_uri';

export function keptRedirect(storage) {
    try {
        return storage.getItem(KEPT) || '';
    } catch {
        return ''; // a browser may forbid it
    }
}

export function keepRedirect(storage, text) {
    try {
        storage.setItem(KEPT, text);
    } catch {
        // it is asked for again then
    }
}
