// Where the page begins. Two ways lead here: in a classic dashboard the loader (loader.js) has set the mark, and the
// page goes into the dashboard's panel; otherwise Splunk's own template splunk_ui_app.html (10.4 and later) loads this
// file, and the page asks for Splunk's bars itself.
import React from 'react';
import { createRoot } from 'react-dom/client';
import { getUserTheme } from '@splunk/splunk-utils/themes';
import SplunkThemeProvider from '@splunk/themes/SplunkThemeProvider';
import App from './components/App.jsx';
import Boundary from './components/Boundary.jsx';
import drawInFrame from './frame.jsx';

const PLACE = 'defender-customers';
const PATIENCE_MS = 30000;

// The user's theme, or the light one if Splunk Web does not tell it soon.
async function isDark() {
    const late = new Promise((resolve) => setTimeout(resolve, 2000, 'light'));
    const name = await Promise.race([getUserTheme(), late]).catch(() => 'light');
    return /dark/i.test(String(name));
}

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
    const dark = await isDark();
    const page = (
        <SplunkThemeProvider family="enterprise" colorScheme={dark ? 'dark' : 'light'} density="compact">
            <Boundary>
                <App />
            </Boundary>
        </SplunkThemeProvider>
    );
    if (!window.defenderCustomersInDashboard) return void drawInFrame(page, { title: 'Customers', dark });
    const element = await place();
    if (!element || element.dataset.mounted) return;
    element.dataset.mounted = 'yes';
    createRoot(element).render(page);
}

mount();
