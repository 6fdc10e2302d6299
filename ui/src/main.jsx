// Where the page begins. Two ways lead here: in a classic dashboard the loader (loader.js) has set the mark, and the
// page goes into the dashboard's panel; otherwise Splunk's own template splunk_ui_app.html (10.4 and later) loads this
// file, and the page brings Splunk's bar along.
import React from 'react';
import { createRoot } from 'react-dom/client';
import layout from '@splunk/react-page/18';
import { getUserTheme } from '@splunk/splunk-utils/themes';
import SplunkThemeProvider from '@splunk/themes/SplunkThemeProvider';
import App from './components/App.jsx';
import Boundary from './components/Boundary.jsx';

const PLACE = 'defender-customers';
const PATIENCE_MS = 30000;

const page = (
    <Boundary>
        <App />
    </Boundary>
);

// The user's theme, or the light one if Splunk Web does not tell it soon.
function theme() {
    const late = new Promise((resolve) => setTimeout(resolve, 2000, 'light'));
    return Promise.race([getUserTheme(), late]).catch(() => 'light');
}

const schemeOf = (name) => (/dark/i.test(String(name)) ? 'dark' : 'light');

function place() {
    return new Promise((resolve) => {
        const look = () => document.getElementById(PLACE);
        if (look()) return void resolve(look());
        const watch = new MutationObserver(() => look() && done());
        const done = () => {
            watch.disconnect();
            resolve(look());
        };
        watch.observe(document.documentElement, { childList: true, subtree: true });
        setTimeout(done, PATIENCE_MS);
    });
}

async function mount() {
    if (!window.defenderCustomersInDashboard)
        return void layout(page, { pageTitle: 'Customers', theme: schemeOf(await theme()), themeDensity: 'compact' });
    const element = await place();
    if (!element || element.dataset.mounted) return;
    element.dataset.mounted = 'yes';
    createRoot(element).render(
        <SplunkThemeProvider family="enterprise" colorScheme={schemeOf(await theme())} density="compact">
            {page}
        </SplunkThemeProvider>,
    );
}

mount();
